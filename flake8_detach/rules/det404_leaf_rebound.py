"""The update of a leaf binds its name to a new tensor instead of writing to the leaf.

Harm: `for p in model.parameters(): p = p - lr * p.grad` changes nothing, silently. `w = w - lr * w.grad` makes `w` a non-leaf, whose `.grad` is
None in the next iteration; under no_grad the new `w` requires no grad at all. Measured on torch 2.13.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    for _ in range(3):
        model.zero_grad()
        model(torch.ones(3, 2)).mean().backward()
        for p in model.parameters():
            p = p - 0.1 * p.grad

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    for _ in range(3):
        model.zero_grad()
        model(torch.ones(3, 2)).mean().backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad

Silent when: the new tensor is made a leaf again (`detach().requires_grad_()`, `requires_grad = True`); the loop variable is used after it was
bound; the gradient comes from `autograd.grad`; no further iteration needs the leaf.

Fix: Unsafe: `with torch.no_grad(): w -= ...`. The parameter moves, as it should.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import modes
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import EMPTY

MESSAGE = "the update binds the name to a new tensor and {result}: update in place under `torch.no_grad()`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each binding of a leaf's name to what was computed from the leaf and its gradient."""
    for event in trace.of(Role.REBIND):
        if any(trace.parameters.get(token, EMPTY) for token in event.target.refs):
            if not event.detail:
                yield Finding(event.node, {"result": "the parameter stays as it was"}, modes.around_update(trace, event.node))
        elif _is_needed_again(trace, event) and not _is_leaf_again(trace, event):
            yield Finding(event.node, {"result": "the leaf is lost"}, modes.around_update(trace, event.node))


def _is_needed_again(trace: Trace, event: Event) -> bool:
    """Whether a backward runs in the loop of the update, over a leaf that was made outside."""
    loops = {t for t in event.loops if t not in trace.born_in(event.target)}
    return any(loops & set(e.loops) for e in trace.of(Role.BACKWARD))


def _is_leaf_again(trace: Trace, event: Event) -> bool:
    """Whether the new tensor gets the flag, or is detached to become a leaf."""
    new = event.value.refs
    if any(e.value.refs & new for e in trace.of(Role.FLAG)):
        return True
    return any(trace.shares[alias] & new for alias in trace.aliases if alias in trace.shares)
