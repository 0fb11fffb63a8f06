"""Second passes: whether a loop's body is run again, as a later iteration.

Here: what an iteration left that the next one can see, and whether it would see it otherwise. Not here: the running (loops). A key of the store is
seen by the next iteration unless its object is made anew by each, or it is a variable that nothing reads before the body binds it.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from flake8_detach.knowledge import idioms
from flake8_detach.value import UNSURE, Grad, Kind, Value

from .branches import Branches
from .records import Loop
from .state import FREED, ITEMS, LIVING, OPEN, SPOILED, Difference, Key, Slot

MEANT_FOR_BACKWARD: Final = (ITEMS, OPEN, LIVING, FREED, SPOILED)
"""What is kept of things only for what a backward, or a store that outlives the loop, makes of them."""
HOLDERS: Final = Kind.CONTAINER | Kind.OBJECT


class SecondPass(Branches):
    """Decides whether a loop needs a second pass."""

    def second_pass_matters(self, loop: Loop, end: Difference) -> bool:
        """Whether the body changed anything older than the loop that a second iteration would see otherwise, or has a part that only that runs."""
        if loop.singular:
            return True
        before = self.state.before(loop.mark)
        if not self.carries_matter(end):
            return any(self.is_news(loop, key, slot, before) for key, slot in end.items())
        bound_first = decided = held = living = False
        for key, slot in end.items():
            if loop.token in self.born.get(key[0], ()):
                living = living or (self.is_kept(key) and may_be_live(slot))
            elif not isinstance(slot, Value):
                if slot is not None and slot != before.get(key) and self.is_seen(loop, key, end):
                    return True
            elif self.is_bound_first(key, before):
                bound_first = bound_first or may_be_live(slot)
            elif key[1] is not ITEMS and slot.grad & (Grad.LIVE | Grad.UNKNOWN):
                return True
            else:
                held = held or bool(slot.kind & HOLDERS)
                decided = decided or decides(before.get(key), slot)
        return held and living or bound_first and decided

    def is_kept(self, key: Key) -> bool:
        """Whether a key is that of something a container, or an object of a class of the file, holds."""
        return not isinstance(key[1], str) or key[1] is ITEMS or key[0] in self.instances

    def is_seen(self, loop: Loop, key: Key, end: Difference) -> bool:
        """Whether a mark says something to the next iteration: that a container has items at unknown places, only if one may be live; that a tensor
        was overwritten, only to a backward through what was computed before that, and to who keeps a state_dict()."""
        if key[1] is SPOILED:
            return loop.meets_writes or bool(self.snapshots)
        if key[1] is not OPEN and key[1] is not LIVING:
            return True
        place = (key[0], ITEMS)
        items = end.get(place, self.state.store.get(place))
        return may_be_live(items) or (isinstance(items, Value) and items.kind & HOLDERS != 0)

    def is_bound_first(self, key: Key, before: Difference) -> bool:
        """Whether a key is a variable that the body binds before anything reads it."""
        if key in before and before[key] is not None or not (self.is_scope(key[0]) or key[0] == self.module_scope):
            return False
        return key[1] not in self.unbound and not any((scope, key[1]) in self.state.store for scope in self.here.scopes if scope != key[0])

    def is_news(self, loop: Loop, key: Key, slot: Slot | None, before: Difference) -> bool:
        """Whether a second iteration would see something under a key that the first did not: a tensor that may be live where there was none."""
        if key[1] in MEANT_FOR_BACKWARD or loop.token in self.born.get(key[0], ()):
            return False
        old = before.get(key)
        if not isinstance(slot, Value):
            return slot is not None and slot != old
        if not slot.grad & (Grad.LIVE | Grad.UNKNOWN):
            return False
        return not (may_be_live(old) if old is not None else self.is_scope(key[0]))

    def carries_matter(self, end: Difference) -> bool:
        """Whether it can be a mistake here that a tensor goes on from one iteration into the next: not where nothing is back-propagated, of what may
        be live for all that the file shows, but is not known to be; nor in a model's own methods, whose loops run through layers and steps of time
        (det102 and det103 are silent there)."""
        if self.back_propagates:
            return True
        if any(a.function is not None and a.function.owner is not None and a.function.owner.is_module for a in self.activations):
            return False
        return any(isinstance(slot, Value) and slot.grad & Grad.LIVE for slot in end.values())

    @cached_property
    def back_propagates(self) -> bool:
        """Whether the file back-propagates anything, by the names that it calls."""
        return any(map(idioms.BACKPROPAGATES.search, self.names_called))


def may_be_live(slot: Slot | None) -> bool:
    """Whether what stood under a key may have been a live tensor."""
    return isinstance(slot, Value) and slot.kind & (Kind.TENSOR | Kind.UNKNOWN) != 0 and slot.grad & (Grad.LIVE | Grad.UNKNOWN) != 0


def decides(old: Slot | None, new: Value) -> bool:
    """Whether what was a known constant is another: a test of it may take the next iteration to lines that the first has not run."""
    return isinstance(old, Value) and old.const is not UNSURE and (new.const is UNSURE or new.const != old.const)
