"""`requires_grad` is asked of an integer or boolean tensor.

Harm: `RuntimeError: Only Tensors of floating point and complex dtype can require gradients` (loud, at this line).

Bad:
    import torch
    x = torch.tensor([1, 2, 3], requires_grad=True)

Good:
    import torch
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)

Silent when: one of the numbers is a float or unknown; a floating dtype is given; the flag is False.

Fix: Safe: `dtype=torch.float32`, where `requires_grad=True` is an argument. The line raised.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import copies
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace
from flake8_detach.value import DType, Kind

MESSAGE = "an integer tensor can't require grad, so this raises: give it a floating-point dtype"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each creation with the flag, or flag set, on what surely is an integer tensor."""
    for event in trace.of(Role.FLAG):
        form, name = event.detail
        value = event.value
        asked = form == "creation" or (form in ("attribute", "method") and name.startswith("requires_grad") and event.values[0].const is True)
        if asked and name != "requires_grad_ =" and value.kind == Kind.TENSOR and value.dtype == DType.INTEGER:
            yield Finding(event.node, {}, copies.float_given(trace, event.node))
