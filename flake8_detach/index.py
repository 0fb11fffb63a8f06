"""Index: the events of a finished Trace by loop, by the activation that led to them, and by their place in order.

Here: what is looked up for every loop or function of a file, so that a file costs as much as it is long. Not here: what is asked of the events.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from .trace import Event, Role, Trace


class Index:
    """Which events happened where."""

    def __init__(self, trace: Trace) -> None:
        self.events = trace.events
        self.count = len(trace.events)
        self._trace = trace
        self._entry_of: list[int] = []
        for number, frame in enumerate(trace.frames):
            self._entry_of.append(number if frame.parent < 0 else self._entry_of[frame.parent])  # a frame is younger than what called it
        self._number: dict[int, int] = {}
        self._loops: dict[int, list[int]] = {}
        self._loop_roles: dict[tuple[int, str], list[Event]] = {}
        self._entries: dict[int, list[int]] = {}
        self._entry_roles: dict[tuple[int, str], list[Event]] = {}
        for number, event in enumerate(trace.events):
            self._number[id(event)] = number
            entry = self._entry_of[event.frame]
            self._entries.setdefault(entry, []).append(number)
            self._entry_roles.setdefault((entry, event.role), []).append(event)
            for loop in set(event.loops):
                self._loops.setdefault(loop, []).append(number)
                self._loop_roles.setdefault((loop, event.role), []).append(event)

    @cached_property
    def used(self) -> dict[int, list[Event]]:
        """What is given to calls that the file does not show -> these calls, in order."""
        found: dict[int, list[Event]] = {}
        for event in self._trace.of(Role.USE):
            for ref in {ref for value in event.values for ref in value.refs}:
                found.setdefault(ref, []).append(event)
        return found

    @cached_property
    def outputs(self) -> frozenset[int]:
        """What calls of modules give."""
        return frozenset(ref for event in self._trace.of(Role.FORWARD) for ref in event.value.refs)

    @cached_property
    def calls(self) -> dict[int, list[Event]]:
        """Id of the node of a call of a module -> what happened there."""
        found: dict[int, list[Event]] = {}
        for event in self._trace.of(Role.FORWARD):
            found.setdefault(id(event.node), []).append(event)
        return found

    @cached_property
    def built(self) -> frozenset[int]:
        """The library modules that the file makes."""
        return frozenset(token for event in self._trace.of(Role.BUILD) for token in event.value.refs)

    @cached_property
    def optimized(self) -> frozenset[int]:
        """What optimizers of the file hold."""
        return frozenset(token for held in self._trace.optimized.values() for token in held)

    def entry(self, frame: int) -> int:
        """The outermost activation that led to a frame."""
        return self._entry_of[frame]

    def number(self, event: Event) -> int:
        """The place of an event in the order of all."""
        return self._number[id(event)]

    def in_loop(self, loop: int, role: str) -> list[Event]:
        """The events of a role in a loop, in order."""
        return self._loop_roles.get((loop, role), [])

    def all_in_loop(self, loop: int, start: int) -> list[Event]:
        """All events in a loop from a place on, in order."""
        return [self.events[number] for number in self._loops.get(loop, ()) if number >= start]

    def all_of_entry(self, entry: int) -> list[Event]:
        """All events that an outermost activation led to, in order."""
        return [self.events[number] for number in self._entries.get(entry, ())]

    def in_loops(self, loops: Iterable[int], role: str) -> list[Event]:
        """The events of a role in one of some loops, in order."""
        return self._in_order([self._loop_roles.get((loop, role), []) for loop in loops])

    def of_entries(self, entries: Iterable[int], role: str) -> list[Event]:
        """The events of a role that some outermost activations led to, in order."""
        return self._in_order([self._entry_roles.get((entry, role), []) for entry in entries])

    def _in_order(self, groups: list[list[Event]]) -> list[Event]:
        if len(groups) == 1:
            return groups[0]
        return [self.events[number] for number in sorted({self._number[id(event)] for group in groups for event in group})]


def of(trace: Trace) -> Index:
    """The index of a trace, made anew where events were added since."""
    index: Index | None = trace.index
    if index is None or index.count != len(trace.events):
        index = trace.index = Index(trace)
    return index
