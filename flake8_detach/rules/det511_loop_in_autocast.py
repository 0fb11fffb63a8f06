"""A training loop runs inside one `torch.autocast` block.

Harm: autocast keeps the half-precision copies of the weights until its block ends, so every iteration computes with those of the first: the loss is
one constant for ever (0.8842, 0.8842, ... against 0.8842, 0.5368, ...) while the weights do move. Silent. The same on torch 1.12 to
2.15. Beside it, before torch 2.13 a forward under no_grad in the same block left the graph of a later one dead.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for _ in range(3):
            optimizer.zero_grad()
            loss = model(torch.ones(3, 2)).float().mean()
            loss.backward()
            optimizer.step()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(torch.ones(3, 2)).float().mean()
        loss.backward()
        optimizer.step()

Silent when: the block stands inside the loop; `enabled=False` or `cache_enabled=False`; the model is made half precision; the loop in the
block does not step.

Fix: Unsafe: `cache_enabled=False` on the block.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import spelling
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import Grad

MESSAGE = "the training loop at line {line} runs inside one autocast block, which caches the first iteration's weights: enter it in the loop"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each autocast block that holds a loop which calls a model and steps an optimizer."""
    blocks: list[tuple[Event, set[int]]] = []
    for event in trace.events:
        if event.role == Role.CAST and event.detail:
            blocks.append((event, set()))
        elif event.role == Role.CAST and blocks:
            blocks.pop()
        elif event.role == Role.FORWARD and event.mode == Grad.LIVE and not event.target.refs & trace.narrow:
            for block, called in blocks:
                called.update(_loops_within(trace, event, block))
        elif event.role == Role.STEP:
            for block, called in blocks:
                stepped = called.intersection(_loops_within(trace, event, block))
                if stepped:
                    line = min(getattr(trace.loops[t][0], "lineno", 0) for t in stepped)
                    yield Finding(block.node, {"line": str(line)}, spelling.given(block.node, "cache_enabled", "False", safe=False))


def _loops_within(trace: Trace, event: Event, block: Event) -> set[int]:
    """The loops of the program that an event runs in and that were entered inside the block."""
    return {t for t in event.loops if t not in block.loops and trace.is_statement(t)}
