"""`requires_grad` is assigned on a tensor that is not a leaf.

Harm: `RuntimeError: you can only change requires_grad flags of leaf variables.` (loud, at this line); the attribute raises for True as well as for
False, the method `requires_grad_` for False only.

Bad:
    import torch
    x = torch.nn.Linear(2, 1)(torch.ones(3, 2))
    x.requires_grad = False

Good:
    import torch
    x = torch.nn.Linear(2, 1)(torch.ones(3, 2))
    x = x.detach()

Silent when: the tensor is a leaf, or on some path cut off from the graph; `requires_grad_()` is called to switch it on (it does nothing).

Fix: Safe: `x = x.detach()` for the flag False. The line raised.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import copies
from flake8_detach.graphs import is_nonleaf
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace

MESSAGE = "requires_grad is set on a tensor that is not a leaf (from {history}), which raises: use `.detach()`"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each flag set on what surely is a live non-leaf."""
    for event in trace.of(Role.FLAG):
        form, name = event.detail
        flag = event.values[0].const if event.values else None
        sets = (form == "attribute" and name == "requires_grad") or (form == "method" and flag is False)
        if sets and trace.is_surely_live(event.value) and is_nonleaf(trace, event.value):
            yield Finding(event.node, {"history": trace.history(event.value)}, copies.unflagged(trace, event.node, flag))

