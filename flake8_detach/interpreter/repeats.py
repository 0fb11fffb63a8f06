"""Repeats: how often the calls of one function are followed.

Here: the bounds, and of which functions nothing has come so far. Not here: how a call is followed, and what it gives where it is not (activations).
"""

from __future__ import annotations

import ast
from typing import Final

from flake8_detach.trace import Role
from flake8_detach.value import UNSURE, Grad, Kind, Value, join

from .definitions import Definitions
from .modules import FROZEN
from .records import Activation, Function

SELDOM, OFTEN, LAYERS = 6, 600, 150
"""How often the calls of one function are followed: always so many, then while their lines, all taken together, are so few (of a module's
`__init__` and `forward`, which a file of layers calls from everywhere, fewer: the library's own layers are not looked into either)."""
BUILT: Final = 2
"""How often a module's `__init__` is always followed where nothing is back-propagated: a model builds many layers of one class alike."""
IDLE: Final = 4
"""How often they are followed where nothing has come of any: the settings of a hundred models are a hundred calls of one function."""
NOTHING_NEW: Final = Kind.NUMBER | Kind.TEXT | Kind.NONE | Kind.OTHER | Kind.UNKNOWN | Kind.CONTAINER
"""What a call may give of which nothing came."""
SETTINGS: Final = NOTHING_NEW | Kind.CLASS | Kind.FUNCTION | Kind.LIBRARY
"""What it may be given."""
NO_DEED: Final = frozenset((Role.USE, Role.LOOP))
"""What is recorded of a call that does nothing but to give values to code that the file does not show."""


class Repeats(Definitions):
    """Counts and judges the calls of each function."""

    def is_worn(self, function: Function, this: Value | None) -> bool:
        """Whether calls of a function were followed so often, for its length, that they are no longer: one is enough where it is known what a forward
        gives, and nothing goes back through it."""
        body = function.node
        times = self.times[body] = self.times.get(body, 0) + 1
        if times > 1 and not self.back_propagates and self.gives_live(function) and self.is_as_made(this):
            return True
        name = getattr(body, "name", "") if function.owner is not None and function.owner.is_module else ""
        if times <= (BUILT if name == "__init__" and not self.back_propagates else SELDOM):
            return False
        return times * ((body.end_lineno or 0) - body.lineno + 1) > (LAYERS if name in ("__init__", "forward") else OFTEN)

    def gives_live(self, function: Function) -> bool:
        """Whether a module's forward has always given one live tensor."""
        return self.gave.get(function.node) == (Kind.TENSOR, Grad.LIVE)

    def is_as_made(self, this: Value | None) -> bool:
        """Whether nothing of a module was frozen, or written in place, since it was made: what its forward gives is known without another look."""
        if this is None:
            return False
        parts = frozenset(self.with_parts(this))
        return not self.freeze_state(this._replace(refs=parts)) & FROZEN and parts.isdisjoint(self.state.as_made)

    def is_idle(self, function: Function) -> bool:
        """Whether nothing has come of a function though several calls, all of them given nothing but settings, were followed."""
        return function.node in self.idle and self.idle[function.node][0] >= IDLE

    @staticmethod
    def are_settings(given: list[Value]) -> bool:
        """Whether values are plain ones, classes, functions, or not known at all; containers among them are opened."""
        return all(not value.kind & ~SETTINGS for value in given)

    def hand_over(self, function: Function, given: list[Value], node: ast.AST) -> None:
        """What a call that is not followed is given has left the file."""
        self.escape(given)
        self.event_use(node, given, getattr(function.node, "name", ""))

    def note_idle(self, function: Function, here: Activation, mark: int, value: Value, given: list[Value]) -> None:
        """A call is done: nothing came of it where it was given settings, recorded and wrote nothing, and gave nothing that was there before."""
        since, events = here.since
        if not (
            all(event.role in NO_DEED for event in self.trace.events[events:])
            and all(key[0] >= since for key in self.state.changed(mark))
            and not value.kind & ~NOTHING_NEW
            and all(is_plain(v) and min(v.refs, default=since) >= since for v in self.inside(value))
            and self.are_settings(self.open(given))
        ):
            self.busy.add(function.node)
            self.idle.pop(function.node, None)
            return
        times, before = self.idle.get(function.node, (0, value))
        self.idle[function.node] = times + 1, join(before, value)

    def idle_result(self, function: Function, given: list[Value], node: ast.AST) -> Value:
        """What one more call gives of a function of which nothing comes: a value of the kinds that it has given, but none of those."""
        _, gave = self.idle[function.node]
        self.hand_over(function, given, node)
        if gave.kind & Kind.UNKNOWN:
            return self.unknown(node, given)
        if not gave.kind & Kind.CONTAINER:
            return gave._replace(const=UNSURE)
        address, out = self.container(node, "idle")
        if gave.refs <= self.mappings:
            self.mappings.add(address)
        self.add_anywhere(address, self.contents(gave, node)._replace(const=UNSURE))
        return out._replace(kind=gave.kind)


def is_plain(value: Value) -> bool:
    """Whether what is given, or a container holds, is of the kinds of which nothing comes; that may be a library's constant, but nothing of torch's."""
    return not value.kind & ~(NOTHING_NEW | Kind.LIBRARY) and not any(name.startswith("torch") for name in value.names)
