"""Steps: one turn of a training loop as the rules of the training step see it: what happens in it, in which order, and to whose gradients.

Here: the reading of the Trace that DET501 to DET512 share. A turn is one iteration of the innermost loop that an optimizer steps in, or one
run of a function in which no loop does. Between two events of a turn it tells whether both can happen in the same iteration, and whether
one surely happens when the other does. Not here: what is a mistake (the rules). What the file does not show is answered with None.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from . import index
from .knowledge import idioms
from .trace import Event, Made, Role, Trace, written
from .value import EMPTY, Grad, Kind, Value

Conditions = frozenset[tuple[object, int]]
REACH: Final = 300
"""How many operations of one graph are looked at."""
OPPOSITES: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {ast.IsNot: ast.Is, ast.NotEq: ast.Eq, ast.NotIn: ast.In}
"""Comparisons that say the contrary of another one."""
HUGE: Final = 1e6
"""A norm of gradients that no clip is meant for."""


class Turn(NamedTuple):
    """The events of one iteration, in order; `depth` is how many branches deep it begins."""

    trace: Trace
    loop: int | None
    depth: int
    events: list[Event]

    def of(self, *roles: str) -> Iterator[tuple[int, Event]]:
        """The events with one of these roles, each with its place in the turn."""
        return ((index, event) for index, event in enumerate(self.events) if event.role in roles)

    def before(self, index: int, *roles: str) -> Iterator[Event]:
        """The events with one of these roles, or all, before a place, latest first, without those that never happen in the same iteration."""
        here = self.conditions(self.events[index])
        return (e for e in reversed(self.events[:index]) if (not roles or e.role in roles) and not excludes(here, self.conditions(e)))

    def after(self, index: int, *roles: str) -> Iterator[Event]:
        """The events with one of these roles, or all, after a place, in order, without those that never happen in the same iteration."""
        here = self.conditions(self.events[index])
        return (e for e in self.events[index + 1 :] if (not roles or e.role in roles) and not excludes(here, self.conditions(e)))

    def last_turn(self, index: int) -> Iterator[Event]:
        """What the iteration before did after this place, latest first."""
        return reversed(self.events[index + 1 :]) if self.loop is not None else iter(())

    def conditions(self, event: Event) -> Conditions:
        """The tests that an event depends on within the turn, with their outcomes."""
        return frozenset(condition(self.trace, visit, arm) for visit, arm in event.path[self.depth :])

    def surely(self, event: Event, given: Event) -> bool:
        """Whether an event happens in every iteration in which another one does."""
        return self.conditions(event) <= self.conditions(given)

    def is_alone(self, optimizer: Value) -> bool:
        """Whether no other optimizer steps in the turn."""
        return all(e.value.refs == optimizer.refs for _, e in self.of(Role.STEP))

    def feeds(self, event: Event, optimizer: Value) -> bool | None:
        """Whether a backward, a clearing or a clip is about the parameters of an optimizer; None where the file does not show it."""
        known = concerns(self.trace, event, optimizer)
        return True if known is None and event.role in (Role.BACKWARD, Role.CLIP) and self.is_alone(optimizer) else known

    def clears(self, event: Event, optimizer: Value) -> bool:
        """Whether a clearing surely clears all gradients of an optimizer."""
        if event.role != Role.CLEAR:
            return False
        if event.value.refs == optimizer.refs and len(optimizer.refs) == 1:
            return True
        held = holdings(self.trace, optimizer)
        if not held:
            return self.clears_the_model(event, optimizer)
        return 0 not in held and held <= event.values[0].refs | owners(self.trace, event.values[0].refs)

    def clears_the_model(self, event: Event, optimizer: Value) -> bool:
        """Whether a module is cleared by which every loss of the turn was computed, and only this optimizer steps: they belong together."""
        if event.value.kind & Kind.OPTIMIZER or not self.is_alone(optimizer):
            return False
        losses = [owners(self.trace, e.value.history) for _, e in self.of(Role.BACKWARD)]
        return bool(losses) and all(made_by & event.value.refs for made_by in losses)


def condition(trace: Trace, visit: int, arm: int) -> tuple[object, int]:
    """A branch taken: by the text of its test, so that two tests of the same thing are known to agree."""
    found = trace.conditions.get((visit, arm))
    if found is None:
        found = trace.conditions[visit, arm] = _condition(trace, visit, arm)
    return found


def _condition(trace: Trace, visit: int, arm: int) -> tuple[object, int]:
    test = trace.tests[visit]
    if test is None:
        return (visit, arm)
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, arm = test.operand, 1 - arm
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in OPPOSITES:
        opposite = ast.Compare(test.left, [OPPOSITES[type(test.ops[0])]()], test.comparators)
        test, arm = ast.copy_location(opposite, test), 1 - arm
    return (written(test), arm)


def excludes(a: Conditions, b: Conditions) -> bool:
    """Whether two sets of conditions contradict each other."""
    arms = dict(b)
    return any(arms.get(test, arm) != arm for test, arm in a)


def turns(trace: Trace) -> list[Turn]:
    """The turns in which an optimizer steps."""
    if trace.turns is None:
        trace.turns = list(_turns(trace))
    found: list[Turn] = trace.turns
    return found


def _turns(trace: Trace) -> Iterator[Turn]:
    done: set[tuple[int | None, int]] = set()
    for event in trace.of(Role.STEP):
        loop = trace.inner_loop(event)
        key = (loop, 0 if loop is not None else index.of(trace).entry(event.frame))
        if key not in done:
            done.add(key)
            yield turn_of(trace, loop) if loop is not None else run_of(trace, event)


def turn_of(trace: Trace, loop: int) -> Turn:
    """The last iteration of a loop that was interpreted."""
    start = trace.loop_starts().get(loop, 0)
    inside = [(e, e.turns[e.loops.index(loop)]) for e in index.of(trace).all_in_loop(loop, start + 1)]
    last = max((number for _, number in inside), default=0)
    return Turn(trace, loop, len(trace.events[start].path), [e for e, number in inside if number == last])


def run_of(trace: Trace, step: Event) -> Turn:
    """The run of the function that nobody in the file calls, or of the module, around a step that no loop repeats."""
    frame = index.of(trace).entry(step.frame)
    return Turn(trace, None, 0, [e for e in index.of(trace).all_of_entry(frame) if e.turns[: len(step.turns)] == step.turns])


# -- whose gradients --------------------------------------------------------------------------------------------------------------------


def holdings(trace: Trace, optimizer: Value) -> frozenset[int]:
    """The modules and leaves an optimizer holds; 0 among them says that not all are known."""
    found = trace.holdings.get(optimizer.refs)
    if found is None:
        held = frozenset(t for ref in optimizer.refs for t in trace.optimized.get(ref, EMPTY))
        found = trace.holdings[optimizer.refs] = owners(trace, held)
    return found


def owners(trace: Trace, tokens: frozenset[int]) -> frozenset[int]:
    """Parameters and results of modules as the modules they belong to; anything else as itself."""
    return frozenset(m for t in tokens for m in trace.parameters.get(t) or _called(trace, t) or (t,))


def _called(trace: Trace, token: int) -> frozenset[int]:
    """What was called to make a value, where the file does not show what it is."""
    callee = trace.sites[token].callee
    return callee.refs if callee is not None else EMPTY


def concerns(trace: Trace, event: Event, optimizer: Value) -> bool | None:
    """Whether an event is about the parameters of an optimizer, None where the file does not show it."""
    if event.value.refs & optimizer.refs:
        return True
    tokens = _tokens(trace, event)
    held = holdings(trace, optimizer)
    if tokens & held - {0}:
        return True
    if any(_whole(trace, t) & optimizer.refs for t in tokens):
        return True
    known = bool(tokens) and bool(held) and 0 not in held and trace.are_known(tokens | held) and _shown(trace, event)
    return False if known else None


def cleared(trace: Trace, event: Event, tokens: frozenset[int]) -> set[int]:
    """Those of some modules and leaves whose gradients a clearing surely clears, as parts of a whole too."""
    held = event.values[0].refs
    if event.value.kind == Kind.OPTIMIZER:
        held = holdings(trace, event.value) if len(event.value.refs) == 1 else EMPTY
    return {t for t in tokens if _whole(trace, t) & held or owners(trace, frozenset((t,))) & held}


def _tokens(trace: Trace, event: Event) -> frozenset[int]:
    if event.role == Role.BACKWARD:
        return owners(trace, event.value.history)
    if event.role == Role.CLEAR and event.value.kind == Kind.OPTIMIZER:
        return holdings(trace, event.value)
    refs = event.value.refs
    for value in event.values:
        refs |= value.refs
    return owners(trace, refs)


def _shown(trace: Trace, event: Event) -> bool:
    """Whether all that the event is about is shown by the file."""
    if event.role == Role.BACKWARD:
        return event.value.kind == Kind.TENSOR and all(t in trace.parameters or t in trace.leaves for t in event.value.history)
    return not event.value.kind & Kind.UNKNOWN


def wholes(trace: Trace, tokens: frozenset[int]) -> set[int]:
    """Tokens and those of what they are parts of."""
    return {whole for token in tokens for whole in _whole(trace, token)}


def _whole(trace: Trace, token: int) -> set[int]:
    """A token and those of what it is a part of."""
    out: set[int] = set()
    while token not in out:
        out.add(token)
        token = trace.part_of.get(token, token)
    return out


def trainers(trace: Trace, value: Value) -> frozenset[int]:
    """The modules and leaves that a live value gets its gradients to; what is only suspected to require grad is none."""
    return owners(trace, frozenset(t for t in value.history if t in trace.parameters or t in trace.leaves or trace.lives(t)))


def users(turn: Turn, index: int) -> list[Event]:
    """The steps that use the gradients of a backward: those after it, up to the next backward that follows one."""
    found: list[Event] = []
    for event in turn.after(index, Role.STEP, Role.BACKWARD):
        if event.role == Role.STEP:
            found.append(event)
        elif found:
            break
    return found


def hidden(event: Event, optimizer: Value) -> bool:
    """Whether code that the file does not show may back-propagate here, or change the gradients of an optimizer."""
    if event.role in (Role.PEEK, Role.GRAFT):
        return True
    return event.role == Role.USE and bool(
        idioms.BACKPROPAGATES.search(str(event.detail)) or any(v.refs & optimizer.refs or v.kind & Kind.OPTIMIZER for v in event.values)
    )


# -- clips and scalers ------------------------------------------------------------------------------------------------------------------


def measures(clip: Event) -> bool:
    """Whether a clip with an infinite limit only measures the norm."""
    limit = clip.detail[1]
    if limit.names & {"math.inf", "torch.inf", "numpy.inf", "inf"}:
        return True
    return isinstance(limit.const, (int, float)) and (math.isinf(limit.const) or limit.const >= HUGE)


def is_scaled(trace: Trace, backward: Event) -> bool:
    """Whether what is back-propagated was scaled by a GradScaler."""
    return not trace.scaled.keys().isdisjoint(backward.value.reach)


def receiver(call: ast.AST) -> str:
    """The text of `x` in `x.name(...)`."""
    return written(call.func.value) if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else "scaler"


# -- graphs -----------------------------------------------------------------------------------------------------------------------------


def is_known(trace: Trace, optimizer: Value) -> bool:
    """Whether the file shows all that an optimizer holds."""
    held = holdings(trace, optimizer)
    return bool(held) and 0 not in held


def graph(trace: Trace, value: Value) -> Iterator[tuple[int, Made]]:
    """The operations that a value was computed by, as far as the file shows them, without those that are cut off."""
    rest, seen = list(value.refs), set[int]()
    while rest and len(seen) < REACH:
        token = rest.pop()
        made = trace.made.get(token)
        if token in seen or made is None or made.grad == Grad.CUT:
            continue
        seen.add(token)
        yield token, made
        for operand in made.operands:
            rest += operand.refs


def names(node: ast.expr) -> list[str]:
    """The names, attributes and constant keys in an expression."""
    found = (getattr(n, "id", None) or getattr(n, "attr", None) or getattr(n, "value", None) for n in ast.walk(node))
    return [name for name in found if isinstance(name, str)]
