"""A model is put into `eval()` in a loop that trains it, and training goes on without `train()`.

Harm: from the first evaluation on, dropout is off and the statistics of batch norm stand still: `(training, statistics frozen) = (False, True)` in
every later iteration. Silent. All versions of torch.

Bad:
    import torch
    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Dropout(), torch.nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(3):
        optimizer.zero_grad()
        model(torch.ones(3, 2)).mean().backward()
        optimizer.step()
        model.eval()

Good:
    import torch
    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Dropout(), torch.nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(3):
        model.train()
        optimizer.zero_grad()
        model(torch.ones(3, 2)).mean().backward()
        optimizer.step()
        model.eval()

Silent when: the model is not shown to have dropout or batch norm; `train()` is called anywhere between the `eval()` and the next training step,
also with a condition; only a part, a copy or a model that does not train is put into `eval()`. Adding `train()` changes training: unsafe, right.

Fix: Unsafe: `model.train()` after the evaluation. What is trained changes, as it should.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach.cures import order
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace, text
from flake8_detach.value import Kind, Training

MESSAGE = "`{code}` stays in force when training goes on at line {line}: call `train()` after the evaluation"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """The last eval() before each step of training that runs in eval mode."""
    if not trace.fickle:
        return
    story = trace.of(Role.TRAINING, Role.FORWARD)
    for index, event in enumerate(story):
        if event.role == Role.FORWARD and event.detail & Training.EVAL and _trains(trace, event):
            culprit = _culprit(trace, story[:index], event)
            if culprit is not None:
                fields = {"code": text(culprit.node), "line": str(getattr(event.node, "lineno", 0))}
                yield Finding(culprit.node, fields, order.back_to_train(trace, culprit.node))


def _trains(trace: Trace, event: Event) -> bool:
    """Whether what the call gives is back-propagated, and the model is one that an optimizer holds and that depends on the mode."""
    held = {token for tokens in trace.optimized.values() for token in tokens}
    if not event.target.refs & trace.fickle or not event.target.refs & held or not trace.is_live(event.value) or not _is_one(trace, event):
        return False
    past = event.value.history & trace.backpropagated
    return bool(event.value.refs & trace.backpropagated) or any(_is_made_by(trace, token, event.node) for token in past)


def _is_made_by(trace: Trace, token: int, call: ast.AST) -> bool:
    """Whether a place is in a frame that a call opened, or in one below it: not what the call was given or found."""
    return any(trace.frames[frame].call is call for frame in trace.outward(trace.sites[token].frame))


def _is_one(trace: Trace, event: Event) -> bool:
    """Whether the model is one and the same object in every iteration, not an item of several."""
    return len(event.target.refs) == 1 and all(set(trace.born.get(token, ())) <= set(event.loops) for token in event.target.refs)


def _culprit(trace: Trace, before: list[Event], event: Event) -> Event | None:
    """The eval() in force, where an earlier step of the same loop trained the model and nothing has called train() since that step."""
    loops = {t for t in event.loops if t in trace.loops and not trace.is_life(t)}
    found: Event | None = None
    for earlier in reversed(before):
        if earlier.role == Role.TRAINING and earlier.value.refs & event.target.refs:
            if earlier.detail & Training.TRAIN:
                return None
            if found is None:
                whole = not earlier.value.kind & Kind.UNKNOWN and loops & set(earlier.loops)
                if not whole:
                    return None
                found = earlier
        elif earlier.role == Role.FORWARD and earlier.target.refs & event.target.refs and found is not None:
            if loops & set(earlier.loops) & set(found.loops) and _trains(trace, earlier):
                return found
    return None
