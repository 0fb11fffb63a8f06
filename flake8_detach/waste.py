"""Waste: model calls that build a graph of which nothing is back-propagated.

Here: the reading of the Trace by which what is called is a model whose output requires grad, and by which its graph is for nobody. Not here:
what an evaluation pass is (passes).
"""

from __future__ import annotations

import ast

from .knowledge import idioms
from .trace import Event, Role, Trace
from .value import EMPTY, Grad, Kind, Leaf


def is_wasted(trace: Trace, event: Event) -> bool:
    """Whether the call builds a graph and nothing of it is back-propagated, nor can be outside the file."""
    tokens = built(trace, event)
    if tokens & trace.backpropagated or tokens & trace.escaped:
        return False
    if event.value.history <= trace.leaves and event.value.refs & _gone_through(trace):
        return False  # its history names only the parameters, which take part in other graphs too
    return builds_graph(trace, event)


def _gone_through(trace: Trace) -> frozenset[int]:
    """Every place that a backward goes through, as far as the file shows it."""
    if trace.gone_through is None:
        rest, seen = [token for e in trace.of(Role.BACKWARD) for token in e.value.refs], set[int]()
        while rest:
            token = rest.pop()
            if token not in seen and token in trace.made:
                seen.add(token)
                rest += [ref for operand in trace.made[token].operands for ref in operand.refs]
        trace.gone_through = frozenset(seen)
    return trace.gone_through


def built(trace: Trace, event: Event) -> frozenset[int]:
    """The places of the graph that the call itself makes: parameters and what it is given take part in other graphs too."""
    result = event.value
    given = frozenset(token for value in event.values for token in value.history | value.reach)
    return (result.refs | result.history - trace.leaves - given) if result.history - given else result.refs | result.history


def builds_graph(trace: Trace, event: Event) -> bool:
    """Whether what is called is known to be a model whose output requires grad."""
    if id(event.node) in trace.unseen or event.target.refs & trace.perhaps_frozen:
        return False
    name, forward = _called(event.node)
    named = idioms.is_model(name)
    if named and event.target.kind == Kind.UNKNOWN:
        if forward or any(v.kind & Kind.TENSOR for v in event.values) or event.target.refs & (_trained(trace) | _wholes(trace)):
            return True
    if not event.target.kind & Kind.MODULE and not event.values and isinstance(event.node, ast.Call) and not event.node.args:
        return forward and trace.is_module(event.target)  # what else is run on nothing is no model
    if event.target.kind & Kind.MODULE:
        given = EMPTY.union(*(v.history for v in event.values))
        if event.value.leaf == Leaf.LEAF or (event.value.grad & Grad.LIVE and event.value.history and event.value.history <= given):
            return False  # a leaf as it is, or live by what it is given alone: no parameter of the model takes part
        known = trace.is_module(event.target) or named and (event.target.refs & _trained(trace) or _runs_unseen(trace, event))
        return trace.is_live(event.value) or bool(known and event.value.grad & Grad.UNKNOWN and not event.value.refs <= trace.frozen)
    return trace.is_module(event.target)


def _called(node: ast.AST) -> tuple[str, bool]:
    """The last name of what is called, and whether it is called by an explicit `forward`."""
    called = node.func if isinstance(node, ast.Call) else node
    forward = isinstance(called, ast.Attribute) and called.attr == "forward"
    called = called.value if forward and isinstance(called, ast.Attribute) else called
    return (called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""), forward


def _trained(trace: Trace) -> frozenset[int]:
    """What is called elsewhere in the file for a result that is back-propagated."""
    if trace.trained is None:
        trace.trained = EMPTY.union(*(e.target.refs for e in trace.of(Role.FORWARD) if e.value.refs & trace.backpropagated))
    return trace.trained


def _wholes(trace: Trace) -> frozenset[int]:
    """What has a part that the file treats as a module: `model.net.eval()`."""
    if trace.wholes is None:
        trace.wholes = frozenset(trace.part_of[t] for t in trace.modules - trace.declared if t in trace.part_of)
    return trace.wholes


def _runs_unseen(trace: Trace, event: Event) -> bool:
    """Whether a module of the file's runs layers that the file does not show: `nn.Sequential(encoder, head)`."""
    given = EMPTY.union(*(v.refs | v.history for v in event.values))
    sites = (trace.sites[t] for t in event.value.history - given)
    return any(s.callee is not None and s.callee.kind == Kind.UNKNOWN and s.mode == Grad.LIVE for s in sites)


def is_detached(trace: Trace, event: Event, frame: int) -> bool:
    """Whether a frame detaches what the call gave, and so says itself that gradients are on in it."""
    if trace.detached is None:
        trace.detached = {}
        for token, made in trace.made.items():
            if made.grad == Grad.CUT and _detaches(made.node):
                trace.detached.setdefault(trace.sites[token].frame, []).extend(made.operands)
    tokens = built(trace, event)
    return any(v.grad & (Grad.LIVE | Grad.UNKNOWN) and v.history & tokens for v in trace.detached.get(frame, ()))


def _detaches(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "detach"
    return isinstance(node, ast.Attribute) and node.attr == "data"


__all__ = ["builds_graph", "built", "is_detached", "is_wasted"]
