"""`optimizer.step()` runs before the `backward()` of its iteration, or `scheduler.step()` before the first `optimizer.step()`.

Harm: a step on cleared gradients never trains, without a warning (before torch 2.0, whose `zero_grad()` set zeros, the whole order
`zero_grad(); loss = ...; step(); backward()` raised). A scheduler that is stepped first skips the first value of the learning rate
([.01, .001, .0001] for [.1, .01, .001]); PyTorch warns "Detected call of `lr_scheduler.step()` before `optimizer.step()`" once. Measured on torch 2.13.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.ones(3, 2)).mean()
        optimizer.step()
        loss.backward()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.ones(3, 2)).mean()
        loss.backward()
        optimizer.step()

Silent when: the step at the head of the iteration uses the gradients of the one before; the scheduler is stepped before the loop on purpose, is told
the epoch or a metric, or runs under a condition that the first iteration may not meet; the optimizer or its gradients are in other hands.

Fix: Unsafe: the call moves behind the one that it needs. What is trained changes, as it should.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach import steps
from flake8_detach.cures import order
from flake8_detach.knowledge import idioms
from flake8_detach.rule import Finding
from flake8_detach.steps import Turn
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import EMPTY, Value

MESSAGE = "{what}: {cure}"
LOUD = False

STEP = {"what": "`optimizer.step()` finds no gradients, they were cleared and `backward()` comes later", "cure": "call it after `backward()`"}
SCHEDULE = {
    "what": "`scheduler.step()` comes before the first `optimizer.step()`, so the first learning rate is skipped",
    "cure": "call it after `optimizer.step()`",
}


def check(trace: Trace) -> Iterator[Finding]:
    """Each optimizer step without a backward before it, each scheduler step without an optimizer step before it."""
    for turn in steps.turns(trace):
        for index, step in turn.of(Role.STEP):
            if turn.loop is not None and _is_cleared(turn, index, step) and _is_fed_later(turn, index, step):
                yield Finding(step.node, STEP, order.moved(trace, step.node, _fed_by(turn, index, step), after=True))
    for index, event in enumerate(trace.events):
        if event.role == Role.SCHEDULE and not event.detail:
            late = _too_early_for(trace, index, event)
            if late is not None:
                yield Finding(event.node, SCHEDULE, order.moved(trace, event.node, late.node, after=True))


def _is_cleared(turn: Turn, index: int, step: Event) -> bool:
    """Whether the gradients are surely cleared before a step, with no backward in between."""
    optimizer = step.value
    for event in turn.before(index):
        if turn.clears(event, optimizer) and turn.surely(event, step):
            return True
        if _ends_search(turn, event, optimizer):
            return False
    for event in turn.last_turn(index):
        if turn.clears(event, optimizer) and not turn.conditions(event):
            return True
        if _ends_search(turn, event, optimizer):
            return False
    return False


def _ends_search(turn: Turn, event: Event, optimizer: Value) -> bool:
    if event.role == Role.BACKWARD:
        return turn.feeds(event, optimizer) is not False
    return steps.hidden(event, optimizer) or (event.role == Role.STEP and event.value.refs == optimizer.refs)


def _is_fed_later(turn: Turn, index: int, step: Event) -> bool:
    """Whether the backward that this step should use comes after it, and no other step of the optimizer uses it."""
    fed = False
    for event in turn.after(index):
        if event.role == Role.BACKWARD:
            fed = fed or bool(turn.feeds(event, step.value))
        elif event.role == Role.STEP and event.value.refs == step.value.refs:
            return False
    return fed


def _fed_by(turn: Turn, index: int, step: Event) -> ast.AST | None:
    """The last backward whose gradients a step comes too early for."""
    return next((e.node for e in reversed(list(turn.after(index, Role.BACKWARD))) if turn.feeds(e, step.value)), None)


# -- schedulers -------------------------------------------------------------------------------------------------------------------------


def _too_early_for(trace: Trace, index: int, event: Event) -> Event | None:
    """The step of its optimizer, in the same iteration, before which a scheduler in a loop is stepped though the optimizer never was."""
    loop = trace.inner_loop(event)
    optimizer = Value(refs=frozenset(t for ref in event.value.refs for t in trace.schedules.get(ref, EMPTY)))
    if loop is None or not optimizer.refs or any(n.endswith("ReduceLROnPlateau") for n in event.value.names):
        return None
    place = event.loops.index(loop)
    for earlier in trace.events[:index]:
        if earlier.role == Role.STEP and earlier.value.refs & optimizer.refs:
            return None
        if earlier.role == Role.USE and any(v.refs & optimizer.refs for v in earlier.values):
            return None
    turn = steps.turn_of(trace, loop)
    for later in trace.events[index + 1 :]:
        if later.role == Role.STEP and later.value.refs & optimizer.refs and loop in later.loops:
            same = later.turns[place] == event.turns[place] and not steps.excludes(turn.conditions(event), turn.conditions(later))
            first = all(_holds_at_first(trace, t, a) for t, a in event.path[turn.depth :] if (t, a) not in later.path)
            return later if same and first else None
    return None


def _holds_at_first(trace: Trace, visit: int, arm: int) -> bool:
    """Whether a condition may be taken to hold in the first iteration: a setting, or an upper bound of a counter."""
    test = trace.tests[visit]
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        if isinstance(test.ops[0], (ast.Lt, ast.LtE)):
            return arm == 0
        if isinstance(test.ops[0], (ast.Gt, ast.GtE)):
            return arm == 1
        if isinstance(test.ops[0], (ast.Is, ast.IsNot)):
            return True
        return isinstance(test.ops[0], ast.Eq) and isinstance(test.comparators[0], ast.Constant) and isinstance(test.comparators[0].value, str)
    return isinstance(test, (ast.Name, ast.Attribute)) and not any(idioms.COUNTERS.search(n) for n in steps.names(test))
