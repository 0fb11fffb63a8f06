"""`requires_grad` misspelt, or set on a Module, an optimizer or a `state_dict()` tensor.

Harm: nothing is frozen and nothing says so: every parameter still trains. Silent on all versions of torch (1.8 to 2.15 run). On a Module the
right spelling is the method `requires_grad_(False)`.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    model.requires_grad = False

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    model.requires_grad_(False)

Silent when: a class has an attribute of that name of its own; the object is not known to be a tensor, module or optimizer; a misspelt
flag says False on a tensor that doesn't require grad anyway.

Fix: Unsafe: the right spelling; of a module `requires_grad_(...)`. What is frozen changes, as it should.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import spelling
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import Grad, Kind

MESSAGE = "`{name}` {what} does nothing: use `{cure}`"
LOUD = False
MODULES = Kind.MODULE | Kind.CONTAINER | Kind.UNKNOWN


def check(trace: Trace) -> Iterator[Finding]:
    """Each write of a flag that PyTorch never reads."""
    for event in trace.of(Role.FLAG):
        form, name = event.detail
        if form == "keyword":
            if "requ" in name and "grad" in name:
                edit = spelling.keyword_respelt(event.node, name)
                yield Finding(event.node, {"name": name, "what": "as a keyword", "cure": "requires_grad="}, edit)
            continue
        if form == "comparison":
            if event.value.kind == Kind.TENSOR:
                edit = spelling.assigned(trace, event.node)
                yield Finding(event.node, {"name": ".requires_grad ==", "what": "as a statement", "cure": ".requires_grad ="}, edit)
            continue
        what = _what(trace, event, name) if form == "attribute" else ""
        if what:
            cure = "requires_grad_(...)" if event.value.kind & Kind.MODULE or "Module" in what else "requires_grad"
            yield Finding(event.node, {"name": f".{name} =", "what": what, "cure": cure}, spelling.flag_respelt(trace, event.node, cure))


def _what(trace: Trace, event: Event, name: str) -> str:
    """On what the attribute was written, empty where it may be right."""
    target = event.value
    module = (target.kind & Kind.MODULE and not target.kind & ~MODULES) or (target.kind & Kind.UNKNOWN and trace.is_module(target))
    if name == "requires_grad":
        if module:
            return "on a Module"
        if target.kind == Kind.OPTIMIZER:
            return "on an optimizer"
        return "on a tensor of a state_dict" if "state_dict" in target.names and target.kind == Kind.TENSOR else ""
    if target.kind == Kind.TENSOR and target.grad == Grad.CUT and event.values[0].const is False:
        return ""  # it has no gradient anyway
    if target.kind in (Kind.TENSOR, Kind.OPTIMIZER) or module:
        return "(a method overwritten)" if name == "requires_grad_" else "(misspelt)"
    return ""
