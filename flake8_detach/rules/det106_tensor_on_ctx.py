"""A tensor is kept as an attribute of `ctx` in a custom `autograd.Function` instead of by `save_for_backward`.

Harm: autograd doesn't watch it: an in-place change between forward and backward gives a wrong gradient (4 for 2) without a word, a kept output
makes a reference cycle, and `backward()` does not free it. Silent. All versions of torch.

Bad:
    import torch
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.x = x
            return torch.square(x)
        @staticmethod
        def backward(ctx, grad):
            return 2 * ctx.x * grad
    Square.apply(torch.ones(2, requires_grad=True)).sum().backward()

Good:
    import torch
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return torch.square(x)
        @staticmethod
        def backward(ctx, grad):
            x, = ctx.saved_tensors
            return 2 * x * grad
    Square.apply(torch.ones(2, requires_grad=True)).sum().backward()

Silent when: numbers, flags, shapes, devices, modules and functions are kept; the file doesn't show that the value is a tensor.

Fix: Safe: `ctx.save_for_backward(...)` and `ctx.saved_tensors`; an error that torch raises then says where the old code was wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import spelling
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text
from flake8_detach.value import Kind

MESSAGE = "`{code}` hides a tensor from autograd's checks and keeps it alive: use `ctx.save_for_backward(...)`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each attribute of ctx that is set to a tensor."""
    events = [e for e in trace.of(Role.CONTEXT) if e.value.kind == Kind.TENSOR or (e.value.refs and e.value.refs <= trace.tensors)]
    for event in events:
        yield Finding(event.node, {"code": text(event.node)}, spelling.saved(trace, event.node, events))
