"""An in-place operation on a leaf that requires grad, or on a view of one, with gradients enabled.

Harm: `RuntimeError: a leaf Variable that requires grad is being used in an in-place operation.` (loud, at this line; of a view made under no_grad
torch 1.8 only warned). `w = w + 1` is no cure: it makes the next mistake (DET404) out of this one.

Bad:
    import torch
    w = torch.zeros(3, requires_grad=True)
    w += 1

Good:
    import torch
    w = torch.zeros(3, requires_grad=True)
    with torch.no_grad():
        w += 1

Silent when: gradients are off (a block, a decorator, a caller); the write goes through `.data` or `.detach()`; `nn.init` writes; the tensor
is no leaf, or its flag is set later; nothing in the file shows who calls the function.

Fix: Safe: `with torch.no_grad():` around the line. The line raised.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import modes
from flake8_detach.graphs import knows_mode
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import Grad, Kind, Leaf

MESSAGE = "in-place operation on a {what} that requires grad, which raises: put it under `torch.no_grad()`"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each write to what is surely a live leaf while gradients are on."""
    for event in trace.of(Role.INPLACE):
        value = event.value
        if event.mode != Grad.LIVE or value.kind != Kind.TENSOR or value.grad != Grad.LIVE or not knows_mode(trace, event.frame):
            continue
        if value.leaf == Leaf.LEAF and not value.refs & trace.shares.keys():
            yield Finding(event.node, {"what": "leaf"}, modes.around_write(trace, event.node))
        elif value.leaf == Leaf.NONLEAF and _is_view_of_leaf(trace, event):
            yield Finding(event.node, {"what": "view of a leaf"}, modes.around_write(trace, event.node))


def _is_view_of_leaf(trace: Trace, event: Event) -> bool:
    """Whether every tensor it may be is a view, of a view ..., of a leaf."""
    if event.value.refs & trace.leaves:
        return False  # it was a leaf, until something was written to it
    rest, seen = set(event.value.refs), set[int]()
    while rest:
        token = rest.pop()
        if token in seen or token in trace.aliases:
            return False
        seen.add(token)
        if token in trace.leaves and token in trace.made and trace.made[token].grad == Grad.LIVE:
            return False  # the same of what it views
        if token not in trace.leaves:
            owners = trace.shares.get(token)
            if not owners:
                return False
            rest |= owners
    return bool(seen)
