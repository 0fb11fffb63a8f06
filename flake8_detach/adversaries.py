"""Networks that train against each other: where one network's loss is back-propagated into the other that made its input.

Here: a reading of the Trace that DET505 reports and DET405 leaves to it. Not here: any rule's decision, anything about syntax.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from . import index as indices
from . import steps
from .steps import Turn
from .trace import Event, Role, Trace
from .value import EMPTY, Value

WASTED: Final = "which is wasted work"
DETACH: Final = "`.detach()` it"


class Fed(NamedTuple):
    """A live fake given to a network that alone is stepped: where, the fake, what comes of it, and what to do."""

    node: ast.expr
    fake: Value
    harm: str
    cure: str


def fed_in_vain(trace: Trace) -> Iterator[Fed]:
    """Each call of a network on the live output of another that the same backward feeds in vain."""
    if len(trace.optimized) < 2:
        return
    for turn in steps.turns(trace):
        for index, backward in turn.of(Role.BACKWARD):
            stepping = steps.users(turn, index)
            if stepping and all(steps.is_known(trace, e.value) for e in stepping):
                yield from _fed_in_vain(turn, index, backward, stepping)


def _fed_in_vain(turn: Turn, index: int, backward: Event, stepping: list[Event]) -> Iterator[Fed]:
    trace = turn.trace
    trained = frozenset(t for e in stepping for t in steps.holdings(trace, e.value))
    for other in _rivals(trace, stepping):
        generator = steps.holdings(trace, other.value) - trained
        for call in turn.before(index, Role.FORWARD):
            if not steps.owners(trace, call.target.refs) & trained:
                continue
            fake = next((v for v in call.values if trace.is_live(v) and steps.owners(trace, v.history) & generator), None)
            if fake is None or steps.owners(trace, fake.history) & trained or not _enters(call, backward.value):
                continue
            node = _place(turn, call, fake, other.value)
            if node is not None:
                harm = _harm(turn, backward, other.value, steps.owners(trace, fake.history) & generator)
                yield Fed(node, fake, harm, _cure(turn, call, backward))


def _place(turn: Turn, call: Event, fake: Value, other: Value) -> ast.expr | None:
    """Where the fake can be detached: outside of what the generator's own loss is computed by as well; None where it is made in there."""
    trace = turn.trace
    shared = {n for i, e in turn.of(Role.BACKWARD) if _trains(turn, i, other) for c in _again(trace, call) if _enters(c, e.value) for n in _road(trace, c)}
    node, frame = call.node, call.frame
    while node in shared:
        if any(trace.is_made_below(token, frame) for token in fake.refs) or trace.frames[frame].call is None:
            return None
        node, frame = trace.frames[frame].call or node, trace.frames[frame].parent
    return node if isinstance(node, ast.expr) else None


def _trains(turn: Turn, index: int, optimizer: Value) -> bool:
    return any(e.value.refs == optimizer.refs for e in steps.users(turn, index))


def _again(trace: Trace, call: Event) -> list[Event]:
    """The same call in other runs of its function."""
    return [e for e in indices.of(trace).calls[id(call.node)] if e.frame != call.frame]


def _road(trace: Trace, call: Event) -> Iterator[ast.AST]:
    """A call, and the calls that led to it."""
    node, frame = call.node, call.frame
    while True:
        yield node
        above = trace.frames[frame]
        if above.call is None:
            return
        node, frame = above.call, above.parent


def _rivals(trace: Trace, stepping: list[Event]) -> list[Event]:
    """A step of each other optimizer that takes turns with these in some loop."""
    loops = {t for e in stepping for t in e.loops}
    refs = frozenset(t for e in stepping for t in e.value.refs)
    found: dict[Value, Event] = {}
    index = indices.of(trace)
    entries = {index.entry(e.frame) for e in stepping}
    for event in index.in_loops(loops, Role.STEP) if loops else index.of_entries(entries, Role.STEP):
        if event.value in found or index.entry(event.frame) not in entries:
            continue
        if not event.value.refs & refs and steps.is_known(trace, event.value):
            found.setdefault(event.value, event)
    return list(found.values())


def _enters(call: Event, loss: Value) -> bool:
    """Whether a loss is computed from the result of a call, and through what the call adds to the history."""
    given = frozenset(t for v in call.values for t in v.history | v.reach)
    own = (call.value.history | call.value.refs) - given
    return bool(own & (loss.history | loss.reach)) if own else call.value.history <= loss.history != EMPTY


def _cure(turn: Turn, call: Event, backward: Event) -> str:
    """What to do: where the result is also differentiated by hand, or is part of the generator's own loss, `.detach()` alone would break it."""
    if any(_enters(call, e.value) for _, e in turn.of(Role.DIFFERENTIATE)):
        return "`.detach().requires_grad_()` it"
    if any(_enters(call, e.value) for _, e in turn.of(Role.BACKWARD) if e.node is not backward.node):
        return "for this loss, call it again on `.detach()`"
    return DETACH


def _harm(turn: Turn, backward: Event, other: Value, fed: frozenset[int]) -> str:
    """What comes of the gradients in the generator: they are cleared unused, or its next step uses them."""
    number = indices.of(turn.trace).number(backward)
    for event in islice(turn.trace.events, number + 1, None):
        if event.role == Role.CLEAR:
            fed = EMPTY if turn.clears(event, other) else fed - steps.cleared(turn.trace, event, fed)
        if not fed:
            break
        if event.role == Role.STEP and event.value.refs == other.refs:
            return "whose next step then uses wrong gradients"
    return WASTED
