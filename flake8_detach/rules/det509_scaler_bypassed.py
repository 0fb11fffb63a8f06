"""A scaled loss is back-propagated and the optimizer is stepped without the GradScaler, or the reverse.

Harm: `optimizer.step()` uses gradients that are 65536 times too large (weights jump by 7503); `scaler.step()` divides gradients that were never
scaled (they move 2e-06 instead of 0.05), or raises where nothing was ever scaled. Mostly silent. Measured on torch 2.13.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.ones(3, 2)).mean()
        scaler.scale(loss).backward()
        optimizer.step()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.ones(3, 2)).mean()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

Silent when: some backward passes are scaled and some are not (a switch for AMP); `unscale_` may run before the step; the scaler is made with
`enabled=False`; gradients are touched by hand; the scaler or the optimizer goes to code that the file does not show.

Fix: Unsafe: `scaler.step(optimizer)` and `scaler.update()`, or `scaler.scale(loss)`. What is trained changes, as it should.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach import steps
from flake8_detach.cures import order
from flake8_detach.rule import Edit, Finding
from flake8_detach.steps import Turn
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import Kind

MESSAGE = "{what}: {cure}"
LOUD = False

DIRECT = {
    "what": "the loss was scaled by a GradScaler, but `optimizer.step()` takes the gradients as they are",
    "cure": "call `scaler.step(optimizer)` and `scaler.update()`",
}
UNSCALED = {
    "what": "`scaler.step()` divides the gradients by its scale, but the loss was never multiplied by it",
    "cure": "back-propagate `scaler.scale(loss)`",
}


def check(trace: Trace) -> Iterator[Finding]:
    """Each step that treats the gradients otherwise than the backward did."""
    scalers = frozenset(t for refs in trace.scaled.values() for t in refs)
    for turn in steps.turns(trace):
        for index, step in turn.of(Role.STEP):
            if "disabled" in step.target.names:
                continue
            through = bool(step.target.kind & Kind.SCALER or step.target.refs & scalers)
            if not through and (step.target.refs or not scalers):
                continue
            if not through and _is_unscaled_path(turn, step):
                continue
            backwards = _backwards(turn, index, step)
            if backwards and all(steps.is_scaled(trace, e) is not through for e in backwards):
                yield Finding(step.node, UNSCALED if through else DIRECT, _cured(trace, step, backwards, through))


def _is_unscaled_path(turn: Turn, step: Event) -> bool:
    """Whether no loss is scaled in the iterations in which a step happens: AMP is off there."""
    here = turn.conditions(step)
    scales = [event for _, event in turn.of(Role.SCALE)]
    return bool(scales) and all(steps.excludes(here, turn.conditions(event)) for event in scales)


def _backwards(turn: Turn, index: int, step: Event) -> list[Event]:
    """The backward passes whose gradients a step uses; none where not all is known of them."""
    found: list[Event] = []
    for event in turn.before(index):
        if event.role == Role.BACKWARD and turn.feeds(event, step.value) is not False:
            found.append(event)
        elif event.role == Role.STEP and event.value.refs == step.value.refs:
            break
        elif event.role == Role.UNSCALE or steps.hidden(event, step.value) or (step.target.refs and steps.hidden(event, step.target)):
            return []
    return found if any(turn.surely(e, step) for e in found) else []


def _cured(trace: Trace, step: Event, backwards: list[Event], through: bool) -> Edit | None:
    """The step through the scaler that scaled the loss, or the loss scaled by the scaler that steps."""
    if through:
        return order.scaled_before(trace, backwards[0].node, order.receiver(step.node)) if len(backwards) == 1 else None
    scaled = {id(e.node): e.node for e in trace.of(Role.SCALE) if e.frame == step.frame}
    return order.through_scaler(trace, step, *scaled.values()) if len(scaled) == 1 else None
