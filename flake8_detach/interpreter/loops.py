"""Loops: a body is run once, and again as a second iteration where it left something that can matter to one.

Here: for, while, break, continue; the marks that say what a second iteration gets from the first. Not here: whether there is a second one
(second_pass). A loop is taken to run at least once: what it clears is cleared, what it binds is bound.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from flake8_detach.trace import Role
from flake8_detach.value import (
    NUMBER,
    OTHER,
    UNSURE,
    Carry,
    Grad,
    Kind,
    Leaf,
    Value,
)

from .records import Loop
from .second_pass import SecondPass
from .state import FIRST, FROM_ZERO, ITEMS, LATER, NOW, OPEN, Difference

MOST_TURNS: Final = 3
"""How many iterations of a loop are run one by one where they are told apart."""
MOST_UNROLLED: Final = 3
"""How many such loops, one in another, are: the iterations of each multiply those of the others."""


class Loops(SecondPass):
    """Executes loops."""

    unrolled = 0

    def exec_For(self, node: ast.For | ast.AsyncFor) -> None:
        if isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Attribute) and node.iter.func.attr == "items":
            self.visiting = None if _looks_at_key(node) else node.iter
        iterable = self.eval(node.iter)
        turns = self.told_apart_turns(node, iterable)
        if turns and self.unrolled < MOST_UNROLLED and not any(isinstance(n, (ast.Break, ast.Continue)) for n in ast.walk(node)):
            self.unroll(node, turns)
            return
        if self.iterators:
            self.consume(iterable, node.iter, node.iter)
        self.loop(node, lambda: self.assign(node.target, self.next_item(iterable, node.iter), node), None, iterable)
        if node.orelse and not self.state.dead:
            self.exec_block(node.orelse)

    exec_AsyncFor = exec_For

    def next_item(self, iterable: Value, node: ast.expr) -> Value:
        """What an iteration gets: of something unknown another object each time."""
        if FROM_ZERO in iterable.names and iterable.kind == Kind.CONTAINER:
            loop = self.loops[-1]
            return NUMBER._replace(names=frozenset((LATER if loop.number else FIRST,)), refs=frozenset((loop.token,)))
        item = self.items(iterable, node)
        if item.kind & Kind.UNKNOWN:
            for token in item.refs - self.holders:  # a Sequential of the file is the same in each
                self.forget(token)
            item = item if not item.refs else self.items(iterable, node)
        return item

    def told_apart_turns(self, node: ast.For | ast.AsyncFor, iterable: Value) -> list[Value]:
        """What each iteration gets, where these are few and told apart: `for phase in ["train", "val"]`, `for name, loss in losses.items()`."""
        if isinstance(node.iter, (ast.List, ast.Tuple)) and all(isinstance(e, ast.Constant) for e in node.iter.elts):
            return [self.eval(e) for e in node.iter.elts] if len(node.iter.elts) <= MOST_TURNS else []
        of, what = node.iter, "keys"
        if isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Attribute) and node.iter.func.attr in ("items", "values", "keys"):
            of, what = node.iter.func.value, node.iter.func.attr
        entries = self.entries(self.eval(of), what, node) if isinstance(of, (ast.Name, ast.Attribute)) else []
        return entries or self.optimizers_in(iterable)

    def optimizers_in(self, row: Value) -> list[Value]:
        """The items of a list of a few optimizers: a loop over it steps each of them."""
        address = next(iter(row.refs)) if row.kind == Kind.CONTAINER and len(row.refs) == 1 else 0
        held = self.state.store.get((address, ITEMS))
        if not isinstance(held, Value) or held.kind != Kind.OPTIMIZER or address in self.mappings or (address, OPEN) in self.state.store:
            return []
        items = self.inside(row, 1)
        return items if len(items) <= MOST_TURNS and self.length(row) in (None, len(items)) else []

    def entries(self, mapping: Value, what: str, node: ast.For | ast.AsyncFor) -> list[Value]:
        """The items, keys or values of a dict of which all is known, if there are few and one is an optimizer, may be a tensor, or hold some."""
        if mapping.kind != Kind.CONTAINER or len(mapping.refs) != 1 or not mapping.refs <= self.mappings:
            return []
        pairs = self.pairs(mapping, node.iter)
        if not 0 < len(pairs) <= MOST_TURNS or any(key.const is UNSURE for key, _ in pairs):
            return []
        if not any(item.kind & (Kind.TENSOR | Kind.CONTAINER | Kind.OPTIMIZER) for _, item in pairs):
            return []
        if what == "items":
            return [self.pair(self.link(node.iter, turn), key, item) for turn, (key, item) in enumerate(pairs)]
        return [key if what == "keys" else item for key, item in pairs]

    def unroll(self, node: ast.For | ast.AsyncFor, turns: list[Value]) -> None:
        """Run a body once for each of these."""
        self.unrolled += 1
        for value in turns:
            if not self.state.dead:
                self.assign(node.target, value, node)
                self.exec_block(node.body)
        self.unrolled -= 1
        if node.orelse and not self.state.dead:
            self.exec_block(node.orelse)

    def exec_While(self, node: ast.While) -> None:
        self.loop(node, lambda: self.refine_after(node.test), node.test, OTHER)
        if node.orelse and not self.state.dead:
            self.exec_block(node.orelse)

    def refine_after(self, test: ast.expr) -> None:
        self.eval(test)
        self.refine(test, True)

    def loop(self, node: ast.For | ast.AsyncFor | ast.While, start: Callable[[], None], test: ast.expr | None, iterable: Value) -> None:
        """Run a body once, and again as a second iteration where it brought something that can matter to one."""
        token = self.token(node, "loop")
        self.trace.loops[token] = (node, self.here.frame)
        endless = isinstance(test, ast.Constant) and bool(test.value)
        self.record(Role.LOOP, node, iterable, detail=token)
        self.iterated[token] = iterable
        loop = Loop(token, self.state.mark(), self.branches, self.clock)
        self.loops.append(loop)
        exits: list[Difference] = []
        outer = self.path
        again = token in self.steady and any(outside.number for outside in self.loops[:-1])  # a first round has told all of a second pass
        first: Difference | None = None
        for number in range(3):
            loop.number = number
            self.path = outer
            start()
            self.exec_block(node.body)
            if number == 0 and not (self.state.dead or loop.continues or loop.breaks or endless):
                end: Difference | None = self.state.changed(loop.mark)
                if self.fuel < 0 or again or not self.second_pass_matters(loop, end or {}):
                    self.loops.pop()
                    self.path = outer
                    return  # one iteration tells all: the state stays as it is
            else:
                end = self.end_of_pass(loop)
                if end is not None and number <= loop.singular:
                    self.state.apply(end)
            if end is None:
                break
            if number:
                self.note_renewed(loop, end)
            if number == 1 and first is not None and alike(first, end):
                self.steady.add(token)
            first = end
            if not endless:
                exits.append(end)
            if number == 1 + loop.singular or self.fuel < 0 or again or not self.second_pass_matters(loop, end):
                break
            self.tag(loop, end)
        self.loops.pop()
        self.path = outer
        self.state.rollback(loop.mark)
        ends = [*exits, *loop.breaks]
        self.state.merge(ends if ends or endless else [{}])

    def handed_out(self) -> set[int]:
        iterated = (self.iterated[loop.token] for loop in self.loops if loop.token in self.iterated)
        return {ref for iterable in iterated if iterable.kind & Kind.CONTAINER for part in self.inside(iterable) for ref in part.refs}

    def end_of_pass(self, loop: Loop) -> Difference | None:
        """The state at the end of the body, all ways that lead there joined; None when none does."""
        if not loop.continues and not self.state.dead:
            end = self.state.changed(loop.mark)
            self.state.rollback(loop.mark)
            return end
        ends = list(loop.continues)
        loop.continues.clear()
        if not self.state.dead:
            ends.append(self.state.changed(loop.mark))
        self.state.rollback(loop.mark)
        if not ends:
            self.state.dead = False
            return None
        self.state.merge(ends)
        end = self.state.changed(loop.mark)
        self.state.rollback(loop.mark)
        return end

    def exec_Break(self, node: ast.Break) -> None:
        if self.loops:
            self.loops[-1].breaks.append(self.state.changed(self.loops[-1].mark))
        self.state.dead = True

    def exec_Continue(self, node: ast.Continue) -> None:
        if self.loops:
            self.loops[-1].continues.append(self.state.changed(self.loops[-1].mark))
        self.state.dead = True

    # -- from one iteration to the next -----------------------------------------------------------------------------------------------

    def tag(self, loop: Loop, end: Difference) -> None:
        """At the head of the second iteration, mark what comes from the first."""
        self.note_holders(end)
        for key, slot in end.items():
            if isinstance(slot, Value) and slot.grad & (Grad.LIVE | Grad.UNKNOWN) and slot.history and slot.leaf != Leaf.LEAF:
                if key[1] is ITEMS or (key[1] is NOW and loop.token in self.born[key[0]]):
                    continue  # what was written on a tensor that every iteration makes anew stays with the old one
                through = slot.history - slot.refs if key[1] is NOW else slot.history  # the tensor itself is no graph
                last = max((loop.freed.get(place, 0) for place in through), default=0)
                dead_graph = last > 0 and not slot.grad & Grad.CUT and not self.is_anew(slot, loop, last)
                carry = Carry(loop.token, key, dead_graph, True)
                self.states[loop.token, key] = slot, self.continued_at(slot)
                grows = self.growth(loop.token, key)
                self.state.write(key, self.state.weigh(slot._replace(carried=slot.carried | {carry}, reach=slot.reach | {grows})))
            elif isinstance(slot, Value) and slot.kind == Kind.CONTAINER and self.is_left(slot, loop):
                self.state.write(key, slot._replace(carried=slot.carried | {Carry(loop.token, key, False, True)}))
        loop.left = {key: self.state.store[key] for key, slot in end.items() if isinstance(slot, Value) and slot.kind & Kind.TENSOR}
        self.state.mark()
        loop.head = self.state.clock

    def is_left(self, container: Value, loop: Loop) -> bool:
        """Whether the first pass has made a container: a later one that finds it where this stood has not made it."""
        return any(loop.token in self.born[address] for address in container.refs)

    def is_anew(self, value: Value, loop: Loop, last: int) -> bool:
        """Whether a pass has made it after the `last` backward that went where its history comes from, and from nothing that the pass before had left."""
        if any(carry.loop == loop.token for carry in value.carried):
            return False
        made = self.trace.made
        late = all(ref not in made or made[ref].number > last for ref in value.refs)
        if loop.frees_often and any(self.born.get(ref, ())[-1:] == (loop.token,) for ref in value.refs):
            return late and loop.number > 0  # it is not made anew by the loop in the body, which goes back through it again and again
        return late and (loop.number > 0 or self.owes_nothing(value, loop, last))

    def owes_nothing(self, value: Value, loop: Loop, last: int) -> bool:
        """Whether the first pass has made it from leaves and data alone, of which none stood where it, or another result, is put: a later pass then
        makes it from nothing that this one has left, and the one backward of that pass is the first through it."""
        older = {ref for slot in self.state.before(loop.mark).values() if isinstance(slot, Value) for ref in slot.refs}
        rest, seen = [value], set[int]()
        while rest:
            one = rest.pop()
            if one.kind == Kind.NUMBER:
                continue
            if one.kind != Kind.TENSOR or not one.refs or one is not value and one.refs & older:  # its own place may have made the old one too
                return False
            for token in one.refs - self.trace.leaves - seen:
                seen.add(token)
                made = self.trace.made.get(token)
                if made is not None and made.number <= last or made is None and one.grad != Grad.CUT:
                    return False
                rest += made.operands if made is not None else ()
        return True

    def note_renewed(self, loop: Loop, end: Difference) -> None:
        """At the end of a later pass: what goes on from the pass before it, and what ends as something that has nothing of that."""
        for key, slot in end.items():
            if (loop.token, key) in self.states:
                goes_on = isinstance(slot, Value) and any(c.loop == loop.token and c.key == key for c in slot.carried)
                (self.trace.lasting if goes_on else self.trace.renewed).add((loop.token, key))

    def note_holders(self, end: Difference) -> None:
        """An element of a tuple that a name holds is carried by the line that binds the name."""
        own = self.here.scope
        for key, slot in sorted(end.items(), key=lambda pair: pair[0][0] == own):
            if isinstance(slot, Value) and slot.kind & Kind.CONTAINER and key in self.bound_at and len(slot.refs) < 4:
                for address in self.with_parts(slot):
                    for name in self.item_keys.get(address, ()):
                        self.bound_at[address, name] = self.bound_at[key]


def alike(first: Difference, second: Difference) -> bool:
    """Whether two passes of a body left the same kinds and grads under the same keys."""
    if first.keys() != second.keys():
        return False
    for key, slot in second.items():
        other = first[key]
        if isinstance(slot, Value) and isinstance(other, Value):
            if slot.kind != other.kind or slot.grad != other.grad:
                return False
        elif slot != other:
            return False
    return True


def _looks_at_key(node: ast.For | ast.AsyncFor) -> bool:
    """Whether the body of `for k, v in d.items()` decides by k: it may then treat the items differently."""
    if not isinstance(node.target, ast.Tuple) or not isinstance(node.target.elts[0], ast.Name):
        return True
    key = node.target.elts[0].id
    tests = [inner.test for inner in ast.walk(node) if isinstance(inner, (ast.If, ast.IfExp, ast.While))]
    return any(isinstance(name, ast.Name) and name.id == key for test in tests for name in ast.walk(test))
