"""Graphs and frames: what several rules about leaves and graphs ask of the Trace.

Here: readings of the Trace that more than one rule shares. Not here: any rule's decision, anything about syntax.
"""

from __future__ import annotations

import ast

from . import index
from .trace import Role, Trace
from .value import Kind, Leaf, Value

SUMS = frozenset("sum stack cat add sub concat hstack vstack".split())


def is_nonleaf(trace: Trace, value: Value) -> bool:
    """Whether it is surely the result of an operation, or of a module's call."""
    if value.leaf in (Leaf.LEAF, Leaf.NONLEAF):
        return value.leaf == Leaf.NONLEAF
    callees = [trace.sites[token].callee for token in value.refs]
    return bool(callees) and all(callee is not None and trace.is_module(callee) for callee in callees)


def is_optimized(trace: Trace, value: Value) -> bool:
    """Whether an optimizer of the file holds this very tensor: a leaf that was made to be optimised."""
    return not value.refs.isdisjoint(index.of(trace).optimized)


def was_cut(trace: Trace, value: Value) -> bool:
    """Whether something that may have been live was cut to make it; arithmetic on constants cuts nothing."""
    if value.reach - value.refs - value.history:
        return True
    rest, seen = list(value.refs), set[int]()
    outputs = index.of(trace).outputs
    while rest:
        token = rest.pop()
        made = trace.made.get(token)
        if token in seen or made is None:
            continue
        seen.add(token)
        if token in outputs or any(v.reach - v.refs or v.kind & ~(Kind.TENSOR | Kind.NUMBER) for v in made.operands):
            return True
        rest += [ref for v in made.operands for ref in v.refs]
    return False


def is_sum(trace: Trace, token: int) -> bool:
    """Whether a tensor was made by adding or collecting its operands."""
    node = trace.made[token].node
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        return isinstance(node.op, (ast.Add, ast.Sub))
    if isinstance(node, ast.Call):
        return (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in SUMS
    return False


def entry(trace: Trace, frame: int) -> int:
    """The outermost activation that led to a frame."""
    return index.of(trace).entry(frame)


def knows_mode(trace: Trace, frame: int) -> bool:
    """Whether the file shows in which grad mode a frame runs: from the module body, from what nobody wraps, or because it trains."""
    start = entry(trace, frame)
    function = trace.frames[start].function
    if start == 0 or not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return start == 0
    if function.name in ("__init__", "main") or (function.name == "forward" and trace.is_model_method(start)):
        return True
    spec = function.args
    if not trace.frames[start].owner and not spec.posonlyargs and len(spec.args) == len(spec.defaults):
        return True
    return bool(index.of(trace).of_entries((start,), Role.BACKWARD))


def is_tool_of_model(trace: Trace, frame: int) -> bool:
    """Whether a frame runs for a method of a model that nobody in the file calls: whoever does may have switched gradients off."""
    start = entry(trace, frame)
    return trace.is_model_method(start) and not knows_mode(trace, start)
