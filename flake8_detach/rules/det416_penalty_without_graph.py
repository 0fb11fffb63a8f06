"""A gradient taken without `create_graph=True` enters the loss.

Harm: the gradient is a constant for autograd, so the penalty made of it trains nothing: added to another loss it is silently ignored, alone its
`backward()` raises. Measured on torch 2.13.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    x = torch.ones(3, 2, requires_grad=True)
    y = model(x).sum()
    gradient = torch.autograd.grad(y, x, retain_graph=True)[0]
    loss = y + (gradient.norm() - 1) ** 2
    loss.backward()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    x = torch.ones(3, 2, requires_grad=True)
    y = model(x).sum()
    gradient = torch.autograd.grad(y, x, create_graph=True)[0]
    loss = y + (gradient.norm() - 1) ** 2
    loss.backward()

Silent when: the gradient is a factor or a weight of a live term, an update of an input, or only logged; it is detached on purpose.

Fix: Unsafe: `create_graph=True`: slower, and the penalty trains, as it should.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import spelling
from flake8_detach.graphs import is_sum
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace
from flake8_detach.value import Grad, Kind, Value

MESSAGE = "this gradient has no graph, so the penalty made of it trains nothing: pass `create_graph=True`"
LOUD = False
DEPTH = 12


def check(trace: Trace) -> Iterator[Finding]:
    """Each autograd.grad whose result is a term of its own in a loss."""
    if not trace.gradients:
        return
    for event in trace.of(Role.BACKWARD):
        for token in _terms(trace, event.value, DEPTH):
            yield Finding(trace.gradients[token], {}, spelling.given(trace.gradients[token], "create_graph", "True", safe=False))


def _terms(trace: Trace, value: Value, depth: int) -> Iterator[int]:
    """The gradients that a sum holds as, or within, a cut term."""
    for ref in value.refs:
        if ref in trace.gradients:
            yield ref
        made = trace.made.get(ref)
        if made is None or not depth or ref in trace.aliases:
            continue
        tensors = [v for v in made.operands if v.kind & (Kind.TENSOR | Kind.UNKNOWN)]
        if made.grad == Grad.CUT or len(tensors) == 1 or is_sum(trace, ref):
            for operand in tensors:
                yield from _terms(trace, operand, depth - 1)
