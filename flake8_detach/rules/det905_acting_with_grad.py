"""An action is selected with gradients enabled, and only the action comes out (opt-in).

Harm: each step of the environment builds a graph that nobody uses, and drops it at once: time and memory, no error. Silent.

Bad:
    import torch
    policy = torch.nn.Linear(4, 2)
    def select_action(state):
        return policy(state).argmax().item()
    select_action(torch.ones(4))

Good:
    import torch
    policy = torch.nn.Linear(4, 2)
    @torch.no_grad()
    def select_action(state):
        return policy(state).argmax().item()
    select_action(torch.ones(4))

Silent when: gradients are off; the log-probability, the value or the logits are returned or kept (REINFORCE, actor-critic); the result is
back-propagated.

Fix: Safe: `torch.no_grad()` as for DET301.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import modes
from flake8_detach.modes import acting
from flake8_detach.rule import Finding
from flake8_detach.trace import Trace, text

MESSAGE = "{what} runs `{call}` with gradients enabled for an action alone: put it under `torch.no_grad()`"
LOUD = False
OPT_IN = True


def check(trace: Trace) -> Iterator[Finding]:
    """The first model call of each such function."""
    seen: set[tuple[int, int]] = set()
    for one in acting(trace):
        if one.group not in seen:
            seen.add(one.group)
            yield Finding(one.node, {"what": one.what, "call": text(one.node)}, modes.around_pass(trace, one.node, one.frame))
