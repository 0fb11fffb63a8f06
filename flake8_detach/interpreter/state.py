"""The State: one store of everything that can change, with a journal, so that a branch costs what it changes and not what exists.

Here: the store, marks, differences and joins. Not here: what the keys mean. A key is (address, name): a variable of a scope, an attribute
of an object, an element of a container. Invariant: the journal holds, oldest first, the value each written key had before the write.
"""

from __future__ import annotations

from functools import reduce
from sys import getsizeof
from typing import Final

from flake8_detach.value import Grad, Kind, Value, join

Key = tuple[int, object]
Slot = Value | int
Difference = dict[Key, "Slot | None"]

# Names under which the interpreter keeps what no program names; attributes of the program are plain identifiers.
MODE: Final[Key] = (0, "[grad mode]")
LEFT_OFF: Final[Key] = (0, "[left off]")  # the statement that switched gradients off for all that follows
NOTHING: Final[Difference] = {}
ABSENT: Final = 8
"""Bit of an integer slot: on some path nothing was written under the key."""
ITEMS: Final = "[items]"  # the join of all that a container ever held
LIVING: Final = "[living]"  # 1: something was put into a container that is surely live
LENGTH: Final = "[length]"
AS_BOUND_TOO: Final = frozenset(("[as bound]",))
"""Names of a slot under NOW: on some path the tensor was made anew, and is as it is bound."""
AS_BOUND: Final = 0
"""Slot under NOW of a tensor that was made anew: what is bound tells all."""
OPEN: Final = "[open]"  # 1: something was put into a container at an unknown place
NOW: Final = "[now]"  # a tensor as it is since it was last written in place
TRAINING: Final = "[training]"
FREEZING: Final = "[freezing]"
HOLDS: Final = "[holds]"  # 1 or 0: a library module with or without parameters
HOOK: Final = "[hook]"  # the forward hook of a module
CHAIN: Final = "[chain]"  # how many children an nn.Sequential runs in order
YIELD_MODE: Final = "[yield mode]"
FREED: Final = "[freed]"  # 1: a backward has freed what the tensor's operation saved
SPOILED: Final = "[spoiled]"  # 1: what the tensor's operation saved was overwritten
STEPPED: Final = "[stepped]"  # 1: an optimizer stepped since a state_dict() was taken
EMPTIED: Final = "[emptied]"  # 1: the gradients of an optimizer were cleared, and no backward has run since
FROM_ZERO: Final = "from zero"  # name of a range that starts at zero
FIRST: Final = "first"  # name of the number that a loop over it gets in its first pass
LATER: Final = "later"  # and in all others
SPENT: Final = "[spent]"  # 1: an iterator has given all its items
RETAINED: Final = "[retained]"  # 1: retain_grad() was called

MANY_PATHS: Final = 16
"""Of how many paths each is asked what it knows; of more it is taken for granted that one may know it."""
LIGHT: Final = 32
"""How many places a value may hang on before the memory that it takes is counted."""
MOST_MEMORY: Final = 1000 << 20
"""How many bytes the sets of places of all values that hang on many may take, those together that a file has ever made."""


def join_slots(a: Slot | None, b: Slot | None) -> Slot | None:
    """Join of what two paths left under one key; None is "not there": a Value that is there on one path stays, an integer says so."""
    if a is b:
        return a
    if a is None or b is None:
        there = b if a is None else a
        return there | ABSENT if isinstance(there, int) else there
    if isinstance(a, int):
        return a | b if isinstance(b, int) else b
    return a if isinstance(b, int) else join(a, b)


def join_now(key: Key, here: Slot | None, differences: list[Difference]) -> Slot | None:
    """What two paths left of a tensor: where one has made it anew, and the others leave it alone, what was written before is forgotten.

    here: the tensor where the paths part, as it was written before or, where nothing was, as it was made.
    """
    touched = [difference[key] for difference in differences if key in difference]
    out = touched[0]
    for slot in touched[1:]:
        out = join_slots(out, slot)
    if isinstance(out, Value) and not all(isinstance(slot, Value) for slot in touched):
        out = out._replace(names=out.names | AS_BOUND_TOO)
    if len(touched) == len(differences) or not isinstance(out, Value):
        return out
    return join_slots(out, here)


def is_held(address: int, difference: Difference) -> bool:
    """Whether what a path has bound may be a tensor."""
    return any(isinstance(slot, Value) and address in slot.refs for slot in difference.values())


def join_paths(key: Key, here: Slot | None, differences: list[Difference]) -> Slot | None:
    """What several paths left under one key."""
    out = differences[0].get(key, here)
    for difference in differences:
        slot = difference.get(key, here)
        if slot is not out:
            out = join_slots(out, slot)
    return out


def doubted(key: Key, out: Value, differences: list[Difference]) -> Value:
    """A name that some paths leave alone and others bind to something new: it is not taken for a state that is read again."""
    slots = [difference[key] for difference in differences if key in difference]
    if len(slots) == len(differences):
        return out
    freed = [{c.loop for c in s.carried if c.key == key and c.freed} for s in slots if isinstance(s, Value) and s.grad & (Grad.LIVE | Grad.UNKNOWN)]
    if not freed:
        return out
    lost = {c for c in out.carried if c.key == key and c.freed and not all(c.loop in loops for loops in freed)}
    return out._replace(carried=out.carried - lost | {c._replace(freed=False) for c in lost}) if lost else out


class Exhausted(Exception):
    """The work that a file may cost is spent: nothing is said of it rather than something wrong."""


class State:
    """The store of one interpretation. `dead` is True after return, raise, break and continue."""

    __slots__ = ("_journal", "as_made", "clock", "dead", "emptied", "ended", "made_at", "marked", "memory", "store")

    def __init__(self) -> None:
        self.store: dict[Key, Slot] = {}
        self._journal: list[tuple[Key, Slot | None]] = []
        self.dead = False
        self.ended: set[int] = set()  # the scopes of calls that are over: nobody reads their variables any more
        self.emptied: set[int] = set()  # the optimizers with a slot under EMPTIED: a backward looks at no others
        self.clock = 0  # counts the marks
        self.marked: dict[int, int] = {}  # length of the journal -> when it was last marked at that length
        self.made_at: dict[int, int] = {}  # tensor -> when it was made
        self.as_made: dict[int, Value] = {}  # tensor -> what it was before it was first written in place
        self.memory = 0  # bytes that the places take which values hang on that were made of many

    def weigh(self, value: Value) -> Value:
        """The same value, made just now: if it hangs on many places, their memory is counted. Raises Exhausted past the bound."""
        if len(value.reach) > LIGHT:
            self.memory += getsizeof(value.reach) + getsizeof(value.history) + getsizeof(value.refs)
            if self.memory > MOST_MEMORY:
                raise Exhausted
        return value

    def write(self, key: Key, slot: Slot) -> None:
        """Put a slot under a key and remember what was there."""
        old = self.store.get(key)
        if old is not slot:
            self._journal.append((key, old))
            self.store[key] = slot
            if key[1] is EMPTIED:
                self.emptied.add(key[0])

    def write_now(self, address: int, before: Value, after: Value) -> None:
        """A tensor is written in place, or its flag is set: what it was, and what it is now."""
        if not isinstance(self.store.get((address, NOW)), Value):
            self.as_made[address] = before
        self.write((address, NOW), after)

    def parting(self, key: Key, here: Slot | None, when: int, differences: list[Difference]) -> Slot | None:
        """A tensor as it was when paths parted; none where one of them makes it, and the others know nothing of it."""
        if isinstance(here, Value):
            return here
        made = self.as_made.get(key[0], here)
        if self.made_at.get(key[0], 0) < when or len(differences) > MANY_PATHS:
            return made
        return made if any(key not in difference and is_held(key[0], difference) for difference in differences) else here

    def anywhere(self, key: Key, difference: Difference = NOTHING) -> Slot | None:
        """What stands under a key of a container under which nothing was put: where items have unknown places, any of these."""
        items = (key[0], ITEMS)
        return difference.get(items, self.store.get(items)) if self.is_open(key[0], difference) else None

    def is_open(self, address: int, difference: Difference) -> bool:
        """Whether a path left a container with items at unknown places."""
        key = (address, OPEN)
        slot = difference[key] if key in difference else self.store.get(key)
        return isinstance(slot, int) and slot & 1 != 0

    def may_be_open(self, address: int, differences: list[Difference]) -> bool:
        """Whether any path says something of items at unknown places: of most containers none does."""
        key = (address, OPEN)
        if key in self.store:
            return True
        return any(key in difference for difference in differences)

    def item_after(self, key: Key, here: Slot | None, difference: Difference) -> Slot | None:
        """What a path left under a key of a container."""
        out = difference.get(key, here)
        return self.anywhere(key, difference) if out is None else out

    def before(self, mark: int) -> Difference:
        """What was there, at the time of the mark, under the keys that were written since."""
        return dict(reversed(self._journal[mark:]))

    def delete(self, key: Key) -> None:
        """Forget a key."""
        if key in self.store:
            self._journal.append((key, self.store.pop(key)))
            if key[1] is EMPTIED:
                self.emptied.discard(key[0])

    def join_written(self, key: Key, here: Slot | None, differences: list[Difference]) -> Slot | None:
        """As `join_paths`, where tensors were written in place: once one is joined with another, what was written on it alone says nothing of both."""
        left = [difference.get(key, here) for difference in differences]
        out, first = left[0], differences[0]
        for slot, difference in zip(left, differences):
            if slot is not left[0]:
                out = join_slots(self.as_written(out, first) if out is left[0] else out, self.as_written(slot, difference))
        return out

    def as_written(self, slot: Slot | None, difference: Difference) -> Slot | None:
        """What a path left, as it was at the end of that path."""
        if not isinstance(slot, Value) or len(slot.refs) != 1 or not slot.kind & Kind.TENSOR:
            return slot
        (ref,) = slot.refs
        now = difference.get((ref, NOW), self.store.get((ref, NOW)))
        if not isinstance(now, Value) or now.names >= AS_BOUND_TOO:
            return slot
        return now._replace(kind=slot.kind, carried=slot.carried | now.carried)

    def mark(self) -> int:
        """A point to compare with or to go back to."""
        self.clock += 1
        self.marked[len(self._journal)] = self.clock
        return len(self._journal)

    def changed(self, mark: int) -> Difference:
        """What differs now from the time of the mark: written keys with their present slots (None: deleted)."""
        get, ended, written = self.store.get, self.ended, self._journal[mark:]
        return {key: get(key) for key, _ in written if key[0] not in ended} if written else {}

    def rollback(self, mark: int) -> None:
        """Undo every write since the mark."""
        journal, store = self._journal, self.store
        undone = journal[mark:]
        del journal[mark:]
        for key, old in reversed(undone):
            if old is None:
                store.pop(key, None)
            else:
                store[key] = old
            if key[1] is EMPTIED:
                (self.emptied.discard if old is None else self.emptied.add)(key[0])

    def apply(self, difference: Difference) -> None:
        """Write a difference on top of the present state."""
        for key, slot in difference.items():
            if slot is None:
                self.delete(key)
            else:
                self.write(key, slot)

    def merge(self, differences: list[Difference]) -> None:
        """Join several paths that all started from the present state; with no path left, this point is dead."""
        if not differences:
            self.dead = True
            return
        self.dead = False
        if len(differences) == 1:
            self.apply(differences[0])
            return
        keys: dict[Key, None] = {}
        parted = self.marked.get(len(self._journal), 0)
        for difference in differences:
            keys.update(dict.fromkeys(difference))
        for key in keys:
            here, name = self.store.get(key), key[1]
            if name is NOW:
                out = join_now(key, self.parting(key, here, parted, differences), differences)
            elif name.__class__ is tuple and name[0] == "item" and self.may_be_open(key[0], differences):
                out = self.join_items(key, here, differences)
            else:
                out = join_paths(key, here, differences) if not self.as_made else self.join_written(key, here, differences)
            if name is not NOW and isinstance(here, Value) and here.carried and isinstance(out, Value):
                out = doubted(key, out, differences)
            if out is not None:
                if out is not here:
                    self.write(key, self.weigh(out) if isinstance(out, Value) and len(out.reach) > LIGHT else out)
            elif here is not None and name is not NOW and (name is LIVING or any(self.is_open(key[0], difference) for difference in differences)):
                self.delete(key)  # the items of a list have moved on every path

    def join_items(self, key: Key, here: Slot | None, differences: list[Difference]) -> Slot | None:
        """What several paths left under a key of a container of which one has items at unknown places."""
        if any(key in difference and difference[key] is None and self.is_open(key[0], difference) for difference in differences):
            return None  # a path has moved the items, or has none any more: what is put in later may come to stand here
        return reduce(join_slots, [self.item_after(key, here, difference) for difference in differences])
