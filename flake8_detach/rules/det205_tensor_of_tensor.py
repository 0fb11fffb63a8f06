"""`torch.tensor(t)` or `new_tensor(t)` of a tensor, or a list of live scalars turned into a tensor.

Harm: of a tensor, `UserWarning: To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone()` at every call, and a
copy. Of a list of live scalars, the result is cut off from the graph: with the warning of `float()` since torch 2.8, silently before.
`torch.asarray(leaf)` is no copy: up to torch 2.8 it switched the leaf itself off, on 2.13 it is live and warns.

Bad:
    import torch
    x = torch.ones(3)
    y = torch.tensor(x)

Good:
    import torch
    x = torch.ones(3)
    y = x.detach().clone()
    z = torch.tensor([1.0, 2.0])

Silent when: numbers, lists of numbers, arrays and shapes; `torch.as_tensor(t)`, `torch.Tensor(t)` (the same storage); lists of detached scalars;
lists under no_grad.

Fix: `torch.tensor(x)` becomes `x.detach().clone()`, which is safe; a list of live scalars becomes `torch.stack(...)`, which is unsafe: it trains
what was cut off.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import copies
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text
from flake8_detach.value import Grad

MESSAGE = "`{call}` {does}"
LOUD = True
COPIES = "copies a tensor, which warns at every call: use `.detach().clone()`"
CUTS = "cuts a list of tensors that require grad (from {history}) off from the graph: use `torch.stack(...)`, or a list of `.item()`"


def check(trace: Trace) -> Iterator[Finding]:
    """Each tensor made of a tensor, and each made of live ones with gradients on."""
    for event in trace.of(Role.REBUILD):
        if event.detail == "tensor":
            yield Finding(event.node, {"call": text(event.node), "does": COPIES}, copies.rebuilt(trace, event))
        elif event.mode == Grad.LIVE and trace.is_live(event.value):
            yield Finding(event.node, {"call": text(event.node), "does": CUTS.format(history=trace.history(event.value))}, copies.rebuilt(trace, event))
