"""`requires_grad` is forced on a computed value, and then that value is back-propagated.

Harm: on a value that was cut off from the graph it silences the error and nothing else: `backward()` runs, reaches only the value itself, and no
parameter gets a gradient. On a value that is live, assigning the attribute raises. Never useful.

Bad:
    import torch
    model = torch.nn.Linear(2, 3)
    loss = model(torch.ones(4, 2)).argmax(1).float().mean()
    loss.requires_grad = True
    loss.backward()

Good:
    import torch
    model = torch.nn.Linear(2, 3)
    loss = model(torch.ones(4, 2)).logsumexp(1).mean()
    loss.backward()

Silent when: the tensor is data or a leaf made on purpose, and something else is back-propagated; an optimizer holds it; it was
computed from constants alone; `requires_grad_()` is called on a value that
may be live (it does nothing there).

Fix: None: the line has to go, and what cuts the value has to be repaired.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.graphs import is_nonleaf, is_optimized, was_cut
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import Grad, Kind, Leaf, Value

MESSAGE = "requires_grad is forced on a computed value that is then back-propagated: no parameter gets a gradient; repair what cuts it off"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each forced flag, or forced leaf, on whose tensor backward is called afterwards."""
    flags: list[Event] = []
    for event in trace.of(Role.FLAG, Role.BACKWARD):
        loss = event.value
        if event.role == Role.FLAG and _forces(trace, event):
            flags.append(event)
        if event.role == Role.FLAG or is_optimized(trace, loss):
            continue
        yield from (Finding(flag.node, {}) for flag in flags if loss.refs & flag.value.refs)
        if loss.kind == Kind.TENSOR and loss.grad == Grad.LIVE and loss.leaf == Leaf.LEAF and loss.refs <= trace.forced.keys():
            yield from (Finding(trace.forced[token], {}) for token in loss.refs)


def _forces(trace: Trace, event: Event) -> bool:
    """Whether a flag is set on what surely is no leaf of the program's own making."""
    form, name = event.detail
    if form not in ("attribute", "method") or not name.startswith("requires_grad") or event.values[0].const is not True:
        return False
    value = event.value
    if value.kind == Kind.TENSOR and value.grad == Grad.CUT:
        return was_cut(trace, value)
    return form == "attribute" and (is_nonleaf(trace, value) or (value.kind & Kind.UNKNOWN != 0 and _is_loss(trace, value)))


def _is_loss(trace: Trace, value: Value) -> bool:
    """Whether something unknown was made from the result of a module."""
    return any(trace.is_module(site.callee) for token in value.history if (site := trace.sites[token]).callee is not None)
