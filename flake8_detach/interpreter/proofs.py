"""Proofs: what a backward proves of the values that its loss was computed from, and of what else was computed from those.

Here: two walks over the graph when the interpretation is done. A tensor that is back-propagated is live; where only one of the operands of an
operation can be, it is live too; and what is computed from a live tensor with gradients on is live. Not here: what an operation does (effects).
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.trace import Made, Trace
from flake8_detach.value import DType, Grad, Kind, Value

PENDING = Grad.LIVE | Grad.UNKNOWN
PLAIN = Kind.NUMBER | Kind.TEXT | Kind.NONE | Kind.ARRAY | Kind.SWITCH | Kind.OPTIMIZER


def follow(trace: Trace) -> None:
    """Add to the proven places those that the proofs reach."""
    if trace.proven and _go_back(trace):
        _go_forth(trace)


def _go_back(trace: Trace) -> bool:
    """From what is proven down to what must have given it its history; whether this proves anything new."""
    rest = list(trace.proven)
    found: set[int] = set()
    while rest:
        operand = _source(trace, rest.pop())
        if operand is not None and operand.grad == Grad.UNKNOWN:
            rest += operand.refs - trace.proven - found
            found |= operand.refs - trace.proven
    trace.prove(found)
    return bool(found)


def _source(trace: Trace, token: int) -> Value | None:
    """The operand by which a proven place is live: the only one that can be, or the only one that was computed from something live."""
    made = trace.made.get(token)
    if made is not None and made.grad & Grad.LIVE:
        return None
    given = made.operands if made is not None else trace.given.get(token, ())
    candidates = {v.refs: v for v in given if _may_live(v)}
    if made is None or len(candidates) > 1:
        candidates = {r: v for r, v in candidates.items() if any(_comes_of_life(trace, t) for t in v.reach)}
    return next(iter(candidates.values())) if len(candidates) == 1 else None


def _comes_of_life(trace: Trace, token: int) -> bool:
    """Whether a place makes live tensors, or is a part of what such a place made."""
    while not trace.lives(token) and token in trace.part_of:
        token = trace.part_of[token]
    return trace.lives(token)


def _may_live(operand: Value) -> bool:
    """Whether an operand can give its history to the result."""
    if operand.dtype == DType.INTEGER or not operand.kind & ~PLAIN:
        return False
    return bool(operand.grad & PENDING) or not operand.kind & Kind.TENSOR


def _go_forth(trace: Trace) -> None:
    """What was made, with gradients on, of a proven operand is proven; operands are made before results."""
    for token, made in sorted(trace.made.items(), key=_order):
        if made.grad == Grad.UNKNOWN and token not in trace.proven and any(_proven(trace, made)):
            trace.prove({token})


def _order(item: tuple[int, Made]) -> int:
    return item[1].number


def _proven(trace: Trace, made: Made) -> Iterator[bool]:
    return (v.grad == Grad.UNKNOWN and v.dtype != DType.INTEGER and bool(v.refs & trace.proven) for v in made.operands)


__all__ = ["follow"]
