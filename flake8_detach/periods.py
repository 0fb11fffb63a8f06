"""Periods: optimizer steps that come every few iterations of a loop, and whether gradients are accumulated meanwhile.

Here: the reading of conditions such as `(i + 1) % every == 0`. Not here: the order of events in a turn (steps), what is a mistake (the rules).
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from . import steps
from .knowledge import idioms
from .steps import Turn
from .trace import Event, Trace, written
from .value import Value


class Period(NamedTuple):
    """A condition `i % every == 0`: its place among the conditions, the divisor, and the conditions beside it."""

    own: tuple[object, int]
    every: ast.expr
    others: steps.Conditions


def period(turn: Turn, event: Event) -> Period | None:
    """The condition by which an event happens only every few iterations."""
    for visit, arm in event.path[turn.depth :]:
        test = turn.trace.tests[visit]
        for node in ast.walk(test) if test is not None else ():
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
                own = steps.condition(turn.trace, visit, arm)
                return Period(own, node.right, turn.conditions(event) - {own})
    return None


def accumulates(trace: Trace, every: ast.expr, backwards: list[Event]) -> bool:
    """Whether a period is one of gradient accumulation: it says so, or the losses are divided by it."""
    if any(idioms.ACCUMULATION.search(name) for name in steps.names(every)):
        return True
    divisor = written(every)
    return any(_is_divided(trace, e.value, divisor) for e in backwards)


def _is_divided(trace: Trace, value: Value, divisor: str, depth: int = 3) -> bool:
    for ref in value.refs:
        made = trace.made.get(ref)
        if made is None:
            continue
        node = made.node
        right = node.right if isinstance(node, ast.BinOp) else node.value if isinstance(node, ast.AugAssign) else None
        if right is not None and isinstance(getattr(node, "op", None), ast.Div) and written(right) == divisor:
            return True
        if depth and any(_is_divided(trace, v, divisor, depth - 1) for v in made.operands):
            return True
    return False
