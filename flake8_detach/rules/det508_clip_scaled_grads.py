"""Under a GradScaler, gradients are clipped while they still carry the scale.

Harm: the scale (65536 at first) multiplies the gradients, so a clip to 1.0 cuts nearly all of them away: an update of 8.9e-07 instead of 0.059.
Silent. Measured on torch 2.13.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.ones(3, 2)).mean()
        scaler.scale(loss).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.ones(3, 2)).mean()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()

Silent when: `unscale_` may run before the clip; the scaler is made with `enabled=False`; the limit is multiplied by the scale; gradients are touched
by hand; the scaler or the optimizer goes to code that the file does not show.

Fix: Unsafe: `scaler.unscale_(optimizer)` before the clip. What is trained changes, as it should.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach import steps
from flake8_detach.cures import order
from flake8_detach.rule import Finding
from flake8_detach.steps import Turn
from flake8_detach.trace import Event, Role, Trace, written

MESSAGE = "gradients are clipped while they carry the GradScaler's scale, which cuts nearly all away: call `{scaler}.unscale_(...)` first"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each clip between the backward of a scaled loss and the scaler's step without an unscale_."""
    for turn in steps.turns(trace) if trace.scaled else ():
        for index, clip in turn.of(Role.CLIP):
            step = _next_step(turn, index, clip)
            if step is not None and not steps.measures(clip) and _is_scaled(turn, index, step) and "get_scale" not in written(clip.node):
                yield Finding(clip.node, {"scaler": steps.receiver(step.node)}, order.unscaled_before(trace, clip.node, step))


def _next_step(turn: Turn, index: int, clip: Event) -> Event | None:
    """The step that uses what a clip leaves, if it goes through a scaler."""
    for event in turn.after(index, Role.STEP, Role.BACKWARD):
        if event.role == Role.STEP and turn.feeds(clip, event.value) is not False:
            return event if event.target.refs else None
        if event.role == Role.BACKWARD:
            return None
    return None


def _is_scaled(turn: Turn, index: int, step: Event) -> bool:
    """Whether all backward passes since the last step were of scaled losses, and nothing has unscaled the gradients."""
    found = False
    for event in turn.before(index):
        if event.role == Role.BACKWARD and turn.feeds(event, step.value) is not False:
            if not steps.is_scaled(turn.trace, event):
                return False
            found = True
        elif event.role == Role.STEP and event.value.refs == step.value.refs:
            return found
        elif event.role == Role.UNSCALE or steps.hidden(event, step.value) or steps.hidden(event, step.target):
            return False
    return found
