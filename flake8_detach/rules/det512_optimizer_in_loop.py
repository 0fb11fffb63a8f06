"""The optimizer is built inside the loop that steps it.

Harm: every iteration throws away what the optimizer has learnt about the gradients (momentum, Adam's moments) and starts from nothing: Adam always
takes its first, full-size step. Silent. Measured on torch 2.13.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    for _ in range(3):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
        optimizer.zero_grad()
        loss = model(torch.ones(3, 2)).mean()
        loss.backward()
        optimizer.step()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.ones(3, 2)).mean()
        loss.backward()
        optimizer.step()

Silent when: the model or the tensor is made, or its weights are loaded, in the loop too; the optimizer keeps no state (SGD without momentum), or is
LBFGS; an inner loop steps it; it is rebuilt under a condition, or its state is loaded.

Fix: Unsafe: the construction moves in front of the loop. What is trained changes, as it should.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach import steps
from flake8_detach.cures import order
from flake8_detach.rule import Finding
from flake8_detach.steps import Turn
from flake8_detach.trace import Event, Role, Trace

MESSAGE = "the optimizer is built anew in every iteration and loses its state (momentum, moments): build it before the loop"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each construction of an optimizer that steps in the same iteration over what is older than the loop."""
    for turn in steps.turns(trace):
        for index, made in turn.of(Role.OPTIMIZER):
            if turn.loop is not None and made.detail and trace.inner_loop(made) == turn.loop and not turn.conditions(made):
                if _steps(turn, index, made) and _is_older(trace, made, turn.loop) and not made.value.refs & trace.resumed:
                    yield Finding(made.node, {}, order.before_loop(trace, made.node))


def _steps(turn: Turn, index: int, made: Event) -> bool:
    """Whether the optimizer steps in the iteration that made it, and no inner loop repeats that."""
    own = [e for e in turn.after(index, Role.STEP) if e.value.refs == made.value.refs]
    return bool(own) and all(turn.trace.inner_loop(e) == turn.loop for e in own)


def _is_older(trace: Trace, made: Event, loop: int) -> bool:
    """Whether all that the optimizer holds is known, one and the same in every iteration, and goes on from one to the next."""
    held = steps.holdings(trace, made.value)
    outside = set(made.loops[: made.loops.index(loop)])
    return bool(held) and 0 not in held and all(
        t not in trace.part_of and set(trace.born.get(t, (loop,))) <= outside and (t, loop) not in trace.reloaded for t in held
    )
