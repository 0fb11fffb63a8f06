"""A live tensor reaches NumPy, SciPy, matplotlib, pandas, scikit-learn ... which convert it implicitly.

Harm: `RuntimeError: Can't call numpy() on Tensor that requires grad.`, raised by `Tensor.__array__`. Loud. Measured on torch 2.13 with the
sinks of knowledge/sinks.

Bad:
    import numpy as np
    import torch
    model = torch.nn.Linear(2, 1)
    print(np.exp(model(torch.ones(3, 2))))

Good:
    import numpy as np
    import torch
    model = torch.nn.Linear(2, 1)
    print(np.exp(model(torch.ones(3, 2)).detach().numpy()))

Silent when: under no_grad; the tensor is detached, an integer or plain data; the function refuses every tensor (`np.mean`: not an autograd
matter) or accepts live ones (`np.squeeze`, `np.shape`).

Fix: Safe: `.detach()` on the tensors that are given. The line raised.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach.cures import tensors
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text
from flake8_detach.value import Grad

MESSAGE = "`{call}` converts a tensor that requires grad (from {history}) to NumPy, which raises: pass `.detach()`"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each conversion of what is surely live, with gradients on."""
    for event in trace.of(Role.ARRAY):
        if event.mode == Grad.LIVE and trace.is_surely_live(event.value):
            name = text(event.node.func) if isinstance(event.node, ast.Call) else text(event.node)
            yield Finding(event.node, {"call": name, "history": trace.history(event.value)}, tensors.converted(trace, event.node))
