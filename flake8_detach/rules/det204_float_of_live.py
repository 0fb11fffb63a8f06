"""A live tensor is turned into a Python number by `float()`, `math.*`, `"%f" %`, `complex()`, `array[i] = ...` or a plateau scheduler's `step`.

Harm: the value is right, and torch warns: `UserWarning: Converting a tensor with requires_grad=True to a scalar may lead to unexpected
behavior`, once per process, so that only the first place shows; under `-W error` it raises. Loud since torch 2.8, silent before.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    loss = model(torch.ones(3, 2)).mean()
    print(float(loss))

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    loss = model(torch.ones(3, 2)).mean()
    print(loss.item(), int(loss), f"{loss:.3f}")

Silent when: `.item()`, `int()`, `bool()`, comparisons, `%d` and format specs (torch does not warn); gradients are off; the tensor is detached, or
the value is a number.

Fix: Safe: `x.item()` for `float(x)`, `.detach()` for the others. The number stays.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach.cures import tensors
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text
from flake8_detach.value import Grad

MESSAGE = "`{call}` makes a number of a tensor that requires grad (from {history}), which warns since torch 2.8: use `.item()` or `.detach()`"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each conversion of what is live, with gradients on."""
    for event in trace.of(Role.NUMBER):
        if event.mode == Grad.LIVE and trace.is_live(event.value):
            called = event.node.func if isinstance(event.node, ast.Call) else event.node
            yield Finding(event.node, {"call": text(called), "history": trace.history(event.value)}, tensors.as_number(trace, event.node))
