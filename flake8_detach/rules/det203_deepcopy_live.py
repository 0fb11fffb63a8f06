"""`copy.deepcopy` of a live non-leaf tensor, or of a module or object that keeps one.

Harm: `RuntimeError: Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.` Loud. A module is
refused for one activation kept on it, also after `backward()` and under no_grad. The same on torch 1.8 to 2.15.

Bad:
    import copy
    import torch
    model = torch.nn.Linear(2, 1)
    out = copy.deepcopy(model(torch.ones(3, 2)))

Good:
    import copy
    import torch
    model = torch.nn.Linear(2, 1)
    twin = copy.deepcopy(model)
    out = model(torch.ones(3, 2)).detach().clone()

Silent when: the tensor is a leaf, a parameter, detached, made under no_grad or an integer; `copy.copy`, `pickle` and `torch.save` (they accept it);
a class says itself how it is copied.

Fix: Safe for a tensor: `.detach().clone()`, the line raised. For what an object or a module keeps there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import copies
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text
from flake8_detach.value import Leaf

MESSAGE = "`{call}` raises: {what} a tensor with history (from {history}): copy or keep `.detach()`"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each copy that stumbles over what is surely live and no leaf."""
    for event in trace.of(Role.COPY):
        if event.value.leaf == Leaf.LEAF or trace.is_module(event.value):
            continue
        if trace.is_surely_live(event.value) and not event.value.refs & trace.leaves:
            what = "it copies" if event.value.refs & event.target.refs else "the object holds"
            yield Finding(event.node, {"call": text(event.node), "what": what, "history": trace.history(event.value)}, copies.copied(trace, event))
