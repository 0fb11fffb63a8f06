"""Gradients are clipped before `backward()` has made them, or after `step()` has used them.

Harm: before `backward()` the clip finds nothing (or what the last iteration left), after `step()` it comes too late: either way the update uses the
unclipped gradients. Silent. Measured on torch 2.13: parameters identical to those without clipping. `clip_grad_value_` raises where no
parameter has a gradient, since torch 2.1.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.ones(3, 2)).mean()
        loss.backward()
        optimizer.step()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.ones(3, 2)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()

Silent when: the norm is only measured (an infinite limit, or after the step with its result used); gradients of the iteration before are clipped
before a step at the head of the loop; a conditional step or clearing leaves gradients to clip.

Fix: Unsafe: the clip moves between `backward()` and `step()`. What is trained changes, as it should.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach import steps
from flake8_detach.cures import order
from flake8_detach.rule import Finding
from flake8_detach.steps import Turn
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import Value

MESSAGE = "gradients are clipped {when}, which has no effect on the update: clip between `backward()` and `step()`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each clip that no step can feel."""
    for turn in steps.turns(trace):
        for index, clip in turn.of(Role.CLIP):
            if steps.measures(clip):
                continue
            step = next((e for _, e in turn.of(Role.STEP) if turn.feeds(clip, e.value)), None)
            when = _misplaced(turn, index, clip, step.value) if step is not None else ""
            if when and step is not None:
                yield Finding(clip.node, {"when": when}, order.moved(trace, clip.node, step.node, after=False))


def _misplaced(turn: Turn, index: int, clip: Event, optimizer: Value) -> str:
    """When a clip comes, if it comes at the wrong time."""
    before = _what_came_last(turn, index, clip, optimizer)
    if before == Role.STEP:
        return "after `step()`" if clip.detail[2] and _has_backward(turn, optimizer) else ""
    return "before `backward()`" if before == Role.CLEAR and _is_fed_later(turn, index, optimizer) else ""


def _what_came_last(turn: Turn, index: int, clip: Event, optimizer: Value) -> str:
    """What last happened to the gradients before a clip: they were made, used, or cleared (also where they were never made)."""
    for event in turn.before(index):
        role = _touches(turn, event, optimizer)
        if role == Role.BACKWARD or (role and turn.surely(event, clip)):
            return role
    for event in turn.last_turn(index):
        role = _touches(turn, event, optimizer)
        if role == Role.BACKWARD:
            return role
        if role and not turn.conditions(event):
            return Role.CLEAR
    return Role.CLEAR if turn.loop is not None else ""


def _touches(turn: Turn, event: Event, optimizer: Value) -> str:
    if event.role == Role.BACKWARD:
        return Role.BACKWARD if turn.feeds(event, optimizer) is not False else ""
    if steps.hidden(event, optimizer):
        return Role.BACKWARD
    if event.role == Role.STEP and event.value.refs == optimizer.refs:
        return Role.STEP
    return Role.CLEAR if turn.clears(event, optimizer) else ""


def _has_backward(turn: Turn, optimizer: Value) -> bool:
    return any(turn.feeds(e, optimizer) for _, e in turn.of(Role.BACKWARD))


def _is_fed_later(turn: Turn, index: int, optimizer: Value) -> bool:
    """Whether the next thing that happens to the gradients after a clip is that they are made."""
    for event in turn.after(index):
        if event.role == Role.BACKWARD and turn.feeds(event, optimizer):
            return True
        if _touches(turn, event, optimizer) in (Role.BACKWARD, Role.STEP):
            return False
    return False
