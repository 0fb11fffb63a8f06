"""Where values leave: what every known logger, tracker, plot, array or number call does with a live tensor.

Here: the look-ups over the `sinks_*` tables, and the names that callers need. Not here: facts (the tables), what follows from a role
(the rules). A call that is in no table answers None, which means ignorance, not harmlessness: harmless calls are INERT.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from . import sinks_arrays, sinks_numbers, sinks_plots, sinks_science, sinks_text, sinks_trackers
from .sink import Arguments, Group, Role, Sink
from .sinks_names import ALIASES, DISTINCTIVE, FIGURE_AND_AXES, HABITS, OBJECTS, RECEIVER_IDIOMS, RETURNS

__all__ = [
    "ALIASES",
    "DISTINCTIVE",
    "FIGURE_AND_AXES",
    "HABITS",
    "OBJECTS",
    "RECEIVER_IDIOMS",
    "RETURNS",
    "TABLES",
    "Role",
    "Sink",
    "canonical",
    "class_of",
    "of_function",
    "of_method",
    "of_receiver",
]

TABLES: Final = (
    sinks_text.TABLE,
    sinks_numbers.TABLE,
    sinks_arrays.TABLE,
    sinks_science.TABLE,
    sinks_plots.TABLE,
    sinks_trackers.TABLE,
)

_ROWS: Final[dict[str, tuple[Group, Arguments | None]]] = {
    f"{owner}.{name}": (group, arguments)
    for table in TABLES
    for group in table
    for owner in group.of.split()
    for name, arguments in group.calls.items()
}
_OWNERS: Final = {owner for table in TABLES for group in table for owner in group.of.split()}
_ESTIMATORS: Final = "sklearn"  # every class of this package shares the methods of the rows that bear its bare name
_BASES: Final = {"mpl_toolkits.mplot3d.Axes3D": "matplotlib.axes.Axes", "csv.DictWriter": "csv.writer"}
"""A class to the one whose sinks it has beside its own."""


@cache
def canonical(dotted: str) -> str:
    """The spelling that the tables use."""
    head = dotted
    while head and head not in ALIASES:
        head = head.rpartition(".")[0]
    return canonical(ALIASES[head] + dotted[len(head) :]) if head else dotted


@cache
def of_function(dotted: str) -> Sink | None:
    """What a call of this function does; `dotted` is its resolved name, bare for a builtin."""
    name = canonical(dotted)
    owner, _, last = name.rpartition(".")
    if owner in OBJECTS:
        return of_method(OBJECTS[owner], last)
    return _row(name if owner else f"builtins.{name}", name)


@cache
def of_method(owner: str | None, name: str) -> Sink | None:
    """What this method of an instance of `owner` does; without an owner only distinctive names answer."""
    if owner is None:
        owner = DISTINCTIVE.get(name)
        return None if owner is None else _row(f"{owner}.{name}", name)
    owner = canonical(owner)
    full = f"{owner}.{name}"
    package = _ESTIMATORS if owner.startswith(f"{_ESTIMATORS}.") else _BASES.get(owner)
    return _row(full, full) or (None if package is None else _row(f"{package}.{name}", full))


def of_receiver(receiver: str, name: str) -> Sink | None:
    """What the method does if a receiver of this name is what it is by habit; None where the habit does not vouch for the method."""
    owner = RECEIVER_IDIOMS.get(receiver)
    return of_method(owner, name) if owner is not None and name in HABITS[owner] else None


@cache
def class_of(dotted: str) -> str | None:
    """The class of what a call of `dotted` returns, or of the object `dotted` itself; classes joined by ", " for a tuple."""
    name = canonical(dotted)
    known = RETURNS.get(name) or OBJECTS.get(name)
    return known or (name if _is_class(name) else None)


def _is_class(name: str) -> bool:
    """A class that owns rows, or one of those that share the methods of their package."""
    last = name.rpartition(".")[2]
    if name.startswith(f"{_ESTIMATORS}."):
        return last[:1].isupper()
    return name in _OWNERS and (last[:1].isupper() or name in ("tqdm.tqdm", "csv.writer"))


def _row(key: str, name: str) -> Sink | None:
    row = _ROWS.get(key)
    return None if row is None else row[0].sink(name, row[1])
