"""Probes: model calls on made-up input, of whose results nothing but the shape is used.

Here: the reading of the Trace by which a call is a check of shapes or a warm-up. Not here: what an evaluation pass is (passes).
"""

from __future__ import annotations

import ast
from typing import Final

from .knowledge import operations, operators
from .syntax import statements
from .trace import Event, Role, Trace
from .value import EMPTY, Kind, Value

READS: Final = frozenset("item tolist argmax argmin max min topk sort argsort".split())
"""Methods of results that read their values."""


def probes(trace: Trace) -> set[int]:
    """The numbers of the events that are such calls; a call on the result of one is one too."""
    results: frozenset[int] = EMPTY
    found: dict[int, Event] = {}
    idle = _warm_ups(trace)
    for index, event in enumerate(trace.events):
        if event.role == Role.FORWARD and event.values and trace.inner_loop(event) is None:
            given = [v for v in event.values if v.kind & (Kind.TENSOR | Kind.UNKNOWN)]
            if given and all(v.reach and v.reach <= results or _is_made_up(trace, v) for v in given):
                found[index] = event
                results |= event.value.reach
    if not found:
        return idle
    used = _used(trace, {id(e.node) for e in found.values()})
    reading = {frame for frame in {e.frame for e in found.values()} if _reads(trace, frame)}
    unread = ((index, e) for index, e in found.items() if e.frame not in reading)
    return idle | {index for index, e in unread if e.value.refs.isdisjoint(used) and e.value.refs.isdisjoint(trace.left.get(e.frame, ()))}


def _warm_ups(trace: Trace) -> set[int]:
    """The calls outside of loops that are statements: the graph goes at once with the result that nobody names."""
    alone = {id(n.value) for n in statements(trace.tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)}
    events = enumerate(trace.events)
    return {i for i, e in events if e.role == Role.FORWARD and id(e.node) in alone and trace.inner_loop(e) is None}


def _is_made_up(trace: Trace, value: Value) -> bool:
    """Whether a tensor comes straight from torch.randn, torch.ones or the like."""
    return value.kind == Kind.TENSOR and bool(value.refs) and not value.reach and all(_creates(trace.sites[t].node) for t in value.refs)


def _creates(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in operations.CREATORS


def _reads(trace: Trace, frame: int) -> bool:
    """Whether a function reads values of tensors, of whichever."""
    function = trace.frames[frame].function
    body: list[ast.AST] = [function] if function else [s for s in trace.tree.body if not isinstance(s, ast.FunctionDef | ast.ClassDef)]
    return any(isinstance(n, ast.Attribute) and n.attr in READS for s in body for n in ast.walk(s))


def _used(trace: Trace, models: set[int]) -> frozenset[int]:
    """What reaches a sink or is computed with, otherwise than by its shape or by one of these models."""
    events = (e for e in trace.events if id(e.node) not in models and e.role not in (Role.FORWARD, Role.OUTPUT))
    out = EMPTY.union(*(v.reach for e in events for v in (e.value, *e.values)))
    made = (m for m in trace.made.values() if id(m.node) not in models and not _shapes(m.node))
    return out.union(*(v.reach for m in made for v in m.operands))


def _shapes(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and operators.is_view(node.func.attr)
