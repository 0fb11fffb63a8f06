"""What a sink is: a call where a tensor leaves autograd, for a screen, a file, an array, a number or a store.

Here: the words `Role`, `Sink` and `Group`, and the clauses that many rows share. Not here: facts about a library (the `sinks_*` tables) and
the look-ups (`sinks`). No table may invent a word of its own: a row that needs more than these fields is a missing concept.
Named tuples, because the classes are built at every start of flake8 and a frozen dataclass costs five times as much to build.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, NamedTuple

Arguments = tuple[int | str, ...]


class Role(enum.Enum):
    """What happens to a live tensor that reaches the call."""

    LOG = "log"  # text, log, tracker or progress bar: DET101
    ARRAY = "array"  # becomes a NumPy array, which raises for a live tensor while gradients are enabled: DET202
    NUMBER = "number"  # float(), which warns for a live tensor since torch 2.8: DET204
    TYPE_ERROR = "type_error"  # every tensor is refused, live or not: not an autograd matter
    KEEPS = "keeps"  # the tensor is stored with its graph: DET103
    INERT = "inert"  # documented or measured to be harmless: never flagged


class Sink(NamedTuple):
    """One call, as the interpreter asks for it."""

    name: str  # canonical dotted name
    role: Role  # for a tensor that is an argument itself
    arguments: Arguments | None  # 0-based positions (without self) and keywords that take values; None: all
    does: str  # a clause for the message, after "which"
    inner: Role | None  # for a tensor inside a list, tuple or dict given to it; None: it does not look inside
    template: int | None  # position of the %-format that the later arguments fill
    text: bool  # it shows text: `str(live)` or `"%s" % live` given to it reaches a reader, whatever `role` is
    passes: bool  # it hands the tensor, or a live part of it, back
    source: str  # how this is known

    @property
    def deep(self) -> bool:
        """Whether it looks into dict values and list elements."""
        return self.inner is not None

    @property
    def percent(self) -> bool:
        """Whether it formats with `%`, as logging does."""
        return self.template is not None

    def takes(self, argument: int | str) -> bool:
        """Whether a value at this position or keyword reaches the sink."""
        return self.arguments is None or argument in self.arguments


class Group(NamedTuple):
    """Calls that treat a live tensor alike; a table is a tuple of these."""

    of: str  # the modules or classes that have these calls, blank-separated
    calls: Mapping[str, Arguments | None]
    role: Role
    does: str
    source: str  # "measured, <versions>" or "documented, <where>"
    inner: Role | None = None
    template: int | None = None
    text: bool = False
    passes: bool = False

    def sink(self, name: str, arguments: Arguments | None) -> Sink:
        return Sink(name, self.role, arguments, self.does, self.inner, self.template, self.text, self.passes, self.source)


def every(names: str) -> dict[str, Arguments | None]:
    """Calls whose every argument counts."""
    return dict.fromkeys(names.split())


def at(arguments: Arguments, names: str) -> dict[str, Arguments | None]:
    """Calls where only these positions and keywords count."""
    return dict.fromkeys(names.split(), arguments)


PRINTS: Final = "shows `tensor(..., grad_fn=...)` instead of the number"
DETACHES: Final = "detaches it by itself, so no graph is kept"
FLOATS: Final = "turns it into a number by itself, so no graph is kept"
CONVERTS: Final = "converts it to a NumPy array, which raises for a tensor that requires grad"
NUMPY: Final = "calls `.numpy()` on it, which raises for a tensor that requires grad"
WARNS: Final = "calls `float()` on it, which warns for a tensor that requires grad since torch 2.8"
REFUSES: Final = "refuses every tensor, live or not"
HARMLESS: Final = "neither shows nor keeps the graph"
