"""An optimizer is given a tensor that is not a leaf.

Harm: `ValueError: can't optimize a non-leaf Tensor` when the optimizer is built. Loud. Measured on torch 2.13; since torch 1.13 one with
`retain_grad()` is accepted.

Bad:
    import torch
    pixels = torch.randn(4, requires_grad=True) * 0.01
    optimizer = torch.optim.Adam([pixels], lr=0.1)

Good:
    import torch
    pixels = (torch.randn(4) * 0.01).requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=0.1)

Silent when: the tensor is a leaf on some path; a conversion such as `.to(device)` may have given the leaf itself back (not `.cuda()`); the value is
not known to be a tensor that requires grad.

Fix: Unsafe: `.detach().requires_grad_()` makes a leaf. What is optimised is then another tensor.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach.cures import copies
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace
from flake8_detach.value import Grad, Kind, Leaf, Value

MESSAGE = "the optimizer is given a tensor that is not a leaf (computed from {history}), which raises: give it a leaf that requires grad"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each construction of an optimizer over a tensor that was surely computed from one that requires grad."""
    for event in trace.of(Role.OPTIMIZER):
        for value in event.values:
            if value.kind == Kind.TENSOR and value.grad == Grad.LIVE and (value.leaf == Leaf.NONLEAF or _is_sent_to_gpu(trace, value)):
                yield Finding(event.node, {"history": trace.history(value)}, copies.made_leaf(trace, [trace.sites[t].node for t in value.refs]))
                break


def _is_sent_to_gpu(trace: Trace, value: Value) -> bool:
    """Whether a leaf was copied to a GPU by a conversion that names it."""
    nodes = [trace.sites[ref].node for ref in value.refs]
    return bool(nodes) and value.refs <= trace.moved and all(isinstance(n, ast.Call) and _names_gpu(n) for n in nodes)


def _names_gpu(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    named = isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.startswith("cuda")
    return named or (isinstance(call.func, ast.Attribute) and call.func.attr == "cuda")
