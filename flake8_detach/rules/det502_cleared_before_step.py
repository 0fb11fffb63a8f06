"""Gradients are cleared between `backward()` and the `step()` that should use them.

Harm: the parameters do not move (with weight decay or momentum only by those), without any warning; in gradient accumulation all micro-batches but
the last are thrown away. Silent. Measured on torch 2.13.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        loss = model(torch.ones(3, 2)).mean()
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        loss = model(torch.ones(3, 2)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

Silent when: another optimizer or model is cleared; a second `backward()` follows before the step; the clearing stands under a condition that the
step does not; gradients are read or written by hand; updates are merely skipped now and then.

Fix: Unsafe: the call moves behind the `step()`. What is trained changes, as it should.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach import periods, steps
from flake8_detach.cures import order
from flake8_detach.rule import Finding
from flake8_detach.steps import Turn
from flake8_detach.trace import Event, Role, Trace

MESSAGE = "the gradients are cleared before `step()` has used {what}: call `zero_grad()` before `backward()` or after `step()`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each clearing after which a step finds less than the backward passes gave."""
    for turn in steps.turns(trace):
        for index, step in turn.of(Role.STEP):
            clear = _in_between(turn, index, step)
            if clear is not None:
                yield Finding(clear.node, {"what": "them"}, order.moved(trace, clear.node, step.node, after=True))
            clear = _every_micro_batch(turn, step)
            if clear is not None:
                yield Finding(clear.node, {"what": "what the other micro-batches gave"}, order.moved(trace, clear.node, step.node, after=True))
    passes = {e.frame for e in trace.of(Role.BACKWARD)}
    for event in trace.of(Role.CLEAR):
        in_forward = trace.is_model_method(event.frame) and trace.function(event.frame).endswith(".forward")
        if event.frame not in passes and in_forward and _takes_from_training(trace, event):
            yield Finding(event.node, {"what": "what earlier calls of the model gave"})


def _takes_from_training(trace: Trace, clear: Event) -> bool:
    """Whether the gradients that a forward clears are those that an optimizer of the file steps with, or may be where the file does not show who
    calls the model."""
    if not trace.is_reached(clear.frame):
        return True
    return any(steps.concerns(trace, clear, step.value) is not False for step in trace.of(Role.STEP))


def _in_between(turn: Turn, index: int, step: Event) -> Event | None:
    """The clearing that surely comes between the last backward and a step."""
    clear = None
    for event in turn.before(index):
        if turn.clears(event, step.value):
            clear = event if turn.surely(event, step) else clear
        elif event.role == Role.BACKWARD and turn.feeds(event, step.value) is not False:
            return clear if turn.surely(event, step) else None
        elif steps.hidden(event, step.value) or (event.role == Role.STEP and event.value.refs == step.value.refs):
            return None
    return None


def _every_micro_batch(turn: Turn, step: Event) -> Event | None:
    """The clearing in every iteration of a loop whose step comes every few of them, where the loss shows that gradients are accumulated."""
    period = periods.period(turn, step) if turn.loop is not None else None
    if period is None:
        return None
    siblings = [e for _, e in turn.of(Role.STEP) if e.value.refs == step.value.refs]
    clears = [e for _, e in turn.of(Role.CLEAR) if turn.clears(e, step.value) and turn.conditions(e) <= period.others]
    backwards = [e for _, e in turn.of(Role.BACKWARD) if turn.feeds(e, step.value) is not False]
    if not clears or not backwards or any(period.own in turn.conditions(e) for e in backwards):
        return None
    if any(period.own not in turn.conditions(e) for e in siblings) or not periods.accumulates(turn.trace, period.every, backwards):
        return None
    return clears[0]
