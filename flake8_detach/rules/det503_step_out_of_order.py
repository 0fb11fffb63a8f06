"""`optimizer.step()` runs before the `backward()` of its iteration, or `scheduler.step()` before the first `optimizer.step()`.

Harm: a step on cleared gradients never trains, without a warning. A scheduler that is stepped first skips the first value of the learning rate
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

Fix: reordering changes what is trained; right, but not safe.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach import steps
from flake8_detach.rule import Finding
from flake8_detach.steps import Turn
from flake8_detach.trace import Event, Role, Trace

MESSAGE = "`{call}` {what}: {cure}"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each optimizer step without a backward before it, each scheduler step without an optimizer step before it."""
    for turn in steps.turns(trace):
        for index, step in turn.of(Role.STEP):
            if turn.loop is not None and _is_fed_later(turn, index, step) and _finds_nothing(turn, index, step):
                yield _finding("optimizer.step()", "comes before `backward()`, on gradients that were just cleared", "step after `backward()`")
    for index, event in enumerate(trace.events):
        if event.role == Role.SCHEDULE and not event.detail and _is_too_early(trace, index, event):
            yield Finding(
                event.node,
                {"call": "scheduler.step()", "what": "comes before `optimizer.step()`, so the first learning rate is skipped", "cure": "step the optimizer first"},
            )


def _finding() -> Finding:
    raise NotImplementedError
