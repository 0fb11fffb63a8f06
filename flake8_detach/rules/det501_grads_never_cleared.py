"""`backward()` and `step()` in a loop, gradients never cleared.

Harm: every step uses the sum of all gradients so far: the norm grows 0.83, 1.48, 1.75 against 0.83, 0.65, 0.52, and the training still seems
to learn, worse. Silent. Measured on torch 2.13.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        loss = model(torch.ones(3, 2)).mean()
        loss.backward()
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

Silent when: the optimizer, the model or a parameter is cleared anywhere in the loop, also under a condition or in a function of the file; the
optimizer or the model goes to code that the file does not show; the optimizer is made in the loop, with what it holds.

Fix: Unsafe: `optimizer.zero_grad()` before the `backward()`. What is trained changes, as it should.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach import index, steps
from flake8_detach.cures import order
from flake8_detach.knowledge import idioms
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import Grad, Kind, Value

MESSAGE = "gradients are never cleared in this loop, so each `step()` adds all earlier ones: call `zero_grad()` before `backward()`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """The backward of each loop that steps an optimizer whose gradients nothing clears."""
    passed: dict[int, list[Event]] = {}  # loop -> the backwards in it so far
    for step in trace.of(Role.BACKWARD, Role.STEP):
        if step.role == Role.BACKWARD:
            for loop in step.loops:
                passed.setdefault(loop, []).append(step)
            continue
        inner = trace.inner_loop(step)
        if inner is None or step.mode != Grad.LIVE:
            continue
        backward = next((b for b in reversed(passed.get(inner, [])) if steps.concerns(trace, b, step.value) is not False), None)
        if backward is not None and not _cleared(trace, step.value, inner) and not _in_other_hands(trace, step.value, inner):
            yield Finding(backward.node, {}, order.cleared_before(trace, backward, step))


def _cleared(trace: Trace, optimizer: Value, loop: int) -> bool:
    """Whether anything in the loop clears these gradients, or may."""
    if any(idioms.CLEARS.search(str(e.detail)) for e in index.of(trace).in_loop(loop, Role.USE)):
        return True
    clears = [e for e in index.of(trace).in_loop(loop, Role.CLEAR) if steps.concerns(trace, e, optimizer) is not False]
    return not all(_is_of_another(trace, e.value, optimizer, loop) for e in clears)


def _is_of_another(trace: Trace, cleared: Value, optimizer: Value, loop: int) -> bool:
    """Whether what is cleared is an optimizer with a turn of its own in the loop, which was given other modules."""
    if cleared.kind != Kind.OPTIMIZER or not any(e.value.refs == cleared.refs for e in index.of(trace).in_loop(loop, Role.STEP)):
        return False
    known = steps.is_known(trace, cleared) and steps.is_known(trace, optimizer)
    return known and not steps.wholes(trace, steps.holdings(trace, cleared)) & steps.wholes(trace, steps.holdings(trace, optimizer))


def _in_other_hands(trace: Trace, optimizer: Value, loop: int) -> bool:
    """Whether code that the file does not show gets the optimizer, or in the loop the model."""
    if not optimizer.refs.isdisjoint(index.of(trace).used):
        return True
    held = steps.holdings(trace, optimizer) - {0}
    if any(value.refs & held for event in index.of(trace).in_loop(loop, Role.USE) for value in event.values):
        return True
    return loop in trace.born_in(optimizer) and not _outlived(trace, optimizer, loop)


def _outlived(trace: Trace, optimizer: Value, loop: int) -> bool:
    """Whether the parameters of an optimizer, with their gradients, are known to be older than the iteration that makes it."""
    held = steps.holdings(trace, optimizer)
    return steps.is_known(trace, optimizer) and all(loop not in trace.born.get(token, (loop,)) for token in held)
