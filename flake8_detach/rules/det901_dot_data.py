"""`.data` is read where `.detach()` would do (opt-in).

Harm: both give the storage without history, but autograd's version counter does not see a write through `.data`: `x.data.add_(1)` before
`backward()` gives wrong gradients (12 instead of 8) without a word, where `.detach()` raises. Silent. All versions of torch.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    out = model(torch.ones(3, 2)).data.max()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    out = model(torch.ones(3, 2)).detach().max()

Silent when: `x.data = ...` (a store); shape, type and device (`x.data.shape`); the object is not known to be a tensor.

Fix: `.detach()`: safe for what is read, unsafe for a write, which may raise where it was silently wrong; `x.data += y` becomes `x += y` under
`torch.no_grad()`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from flake8_detach.cures import modes
from flake8_detach.knowledge import operations
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace, text
from flake8_detach.value import Kind

MESSAGE = "`{code}` hides from autograd what is done with it: use `.detach()`, or `torch.no_grad()` around a write"
LOUD = False
OPT_IN = True
METHODS: Final = frozenset("cpu cuda numpy clone to mean sum norm new_ones new_zeros new abs sign".split())
PARAMETERS: Final = frozenset("weight bias param parameter running_mean running_var".split())
METADATA: Final = frozenset("shape size dim ndim numel dtype device type layout is_cuda data_ptr stride element_size nelement __class__".split())


def check(trace: Trace) -> Iterator[Finding]:
    """Each `.data` of a tensor, or of what is used like one."""
    seen: set[int] = set()
    for event in trace.of(Role.DATA):
        if id(event.node) not in seen and _is_tensor(trace, event):
            seen.add(id(event.node))
            written = trace.data_used.get(id(event.node), "").endswith("_")
            yield Finding(event.node, {"code": text(event.node)}, modes.without_data(trace, event.node, written))


def _is_tensor(trace: Trace, event: Event) -> bool:
    used = trace.data_used.get(id(event.node), "")
    if used in METADATA:
        return False
    if event.value.kind & Kind.TENSOR or _is_parameter(event.node):
        return True
    return used in operations.TENSOR_ONLY or used in METHODS or (used.endswith("_") and not used.startswith("_"))


def _is_parameter(node: ast.AST) -> bool:
    """By habit: `layer.weight.data`, `param.data`."""
    owner = node.value if isinstance(node, ast.Attribute) else None
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return name in PARAMETERS
