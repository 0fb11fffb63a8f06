"""`.numpy()` on a live tensor with gradient mode enabled.

Harm: `RuntimeError: Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.` Loud. The same text on torch 1.8
to 2.15; `force=True` is legal from 1.13 on.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    out = model(torch.ones(3, 2)).numpy()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    out = model(torch.ones(3, 2)).detach().numpy()

Silent when: under no_grad or inference_mode; the tensor is detached, an integer or boolean result, or plain data; `force=True`.

Fix: Safe: `.detach()` before the conversion. The line raised.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import tensors
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace
from flake8_detach.value import Grad

MESSAGE = "`.numpy()` raises on a tensor that requires grad (from {history}): use `.detach().numpy()`"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each `.numpy()` on what is surely live, with gradients on."""
    for event in trace.of(Role.NUMPY):
        if event.mode == Grad.LIVE and trace.is_surely_live(event.value) and not trace.is_only_declared(event.value):
            yield Finding(event.node, {"history": trace.history(event.value)}, tensors.to_numpy(trace, event.node))
