"""`backward()` on a value that is cut off from the graph.

Harm: `RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn` (loud); or, where the flag is forced on a cut
value (`loss.requires_grad_()`, `Variable(loss, requires_grad=True)`), backward runs and no parameter gets a gradient (silent).

Bad:
    import torch
    model = torch.nn.Linear(2, 3)
    loss = model(torch.ones(4, 2)).argmax(1).float().mean()
    loss.backward()

Good:
    import torch
    model = torch.nn.Linear(2, 3)
    loss = model(torch.ones(4, 2)).logsumexp(1).mean()
    loss.backward()

Silent when: one term of several is cut (stop-gradient, straight-through, advantage); the value is cut on one branch only; a leaf made on
purpose is the dummy loss, or is what an optimizer holds; another method put it into an attribute that bases outside the file may fill.

Fix: None: the cut may be anywhere before, and whether it or the `backward()` is the mistake only the author knows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach.graphs import entry, is_optimized, was_cut
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import EMPTY, Grad, Kind, Leaf, Value

MESSAGE = "`backward()` on a value that is cut off from the graph{forced}: remove what cuts it (`detach`, `item`, `argmax`, no_grad)"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each backward on what is surely a cut tensor, or a leaf made of one."""
    for event in trace.of(Role.BACKWARD):
        if event.value.kind == Kind.TENSOR and event.value.grad == Grad.CUT:
            if _is_left_to_heirs(trace, event):
                continue
            yield Finding(event.node, {"forced": ", which raises"})
        elif _is_forced(trace, event.value):
            yield Finding(event.node, {"forced": "; requires_grad was forced on it, so no parameter gets a gradient"})
    yield from _unreached(trace)


def _is_left_to_heirs(trace: Trace, event: Event) -> bool:
    """Whether another method has put it into an attribute of an object whose class has a base, or a mixin, that the file does not show."""
    receiver = event.node.func.value if isinstance(event.node, ast.Call) and isinstance(event.node.func, ast.Attribute) else None
    if not isinstance(receiver, ast.Attribute) or trace.frames[event.frame].owner not in trace.heirs:
        return False
    return bool(event.value.refs) and all(entry(trace, trace.sites[t].frame) != entry(trace, event.frame) for t in event.value.refs)


def _unreached(trace: Trace) -> Iterator[Finding]:
    """Each step of an optimizer none of whose parameters the losses back-propagated since the step before can reach."""
    since: list[Event] = []
    for event in trace.of(Role.BACKWARD, Role.STEP, Role.GRAFT):
        if event.role == Role.BACKWARD:
            since.append(event)
            continue
        if event.role == Role.STEP and since and since[-1].frame == event.frame and not any(_may_reach(trace, e.value, event.value) for e in since):
            yield Finding(since[-1].node, {"forced": " from every parameter of the optimizer that steps next"})
        since = []  # a gradient that is written by hand may come from a copy of the parameters


def _may_reach(trace: Trace, loss: Value, optimizer: Value) -> bool:
    """Whether a loss reaches parameters of an optimizer, or not all about both is known."""
    held = frozenset(t for ref in optimizer.refs for t in trace.optimized.get(ref, EMPTY))
    if optimizer.kind != Kind.OPTIMIZER or not held or loss.kind != Kind.TENSOR or loss.grad != Grad.LIVE or not loss.history:
        return True
    if 0 in held or not trace.are_known(held):
        return True
    return any(token in held or not trace.parameters.get(token) or trace.parameters[token] & held for token in loss.history)


def _is_forced(trace: Trace, value: Value) -> bool:
    """A leaf that requires grad and was made from something computed."""
    leaf = value.kind == Kind.TENSOR and value.grad == Grad.LIVE and value.leaf == Leaf.LEAF
    return leaf and was_cut(trace, value) and not is_optimized(trace, value)
