"""`.grad` is read on a tensor that is not a leaf.

Harm: `x = torch.randn(3, requires_grad=True).cuda()` is a copy: its `.grad` is None after `backward()`, with a warning at each access (loud). On a
CPU a `.to` that does nothing hides it.

Bad:
    import torch
    x = torch.randn(3, requires_grad=True).double()
    (x * x).sum().backward()
    print(x.grad)

Good:
    import torch
    x = torch.randn(3, dtype=torch.float64, requires_grad=True)
    (x * x).sum().backward()
    print(x.grad)

Silent when: `retain_grad()` was called; the tensor is a leaf or cut off on some path; the conversion is known to do nothing.

Fix: Unsafe: `retain_grad()` after the tensor is made, which then collects a gradient. `device=` or `dtype=` in the factory is the better cure, by
hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import copies
from flake8_detach.graphs import is_nonleaf
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace

MESSAGE = "`.grad` of a tensor that is not a leaf (from {history}) is None: call `retain_grad()` before `backward()`, or read the leaf's"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each read of `.grad` on what surely is a live non-leaf."""
    for event in trace.of(Role.GRAD):
        value = event.value
        if trace.is_surely_live(value) and (is_nonleaf(trace, value) or (bool(value.refs) and value.refs <= trace.moved)):
            yield Finding(event.node, {"history": trace.history(event.value)}, copies.gradient_retained(trace, event.node))
