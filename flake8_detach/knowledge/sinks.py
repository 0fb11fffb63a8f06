"""Where values leave: what every known logger, tracker, plot, array or number call does with a live tensor.

Here: the look-ups over the `sinks_*` tables, and the names that callers need. Not here: facts (the tables), what a rule makes of a role (the
rules). A name that is not in a table answers None, which means ignorance, not harmlessness: harmless calls are INERT.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from . import sinks_arrays, sinks_numbers, sinks_plots, sinks_text, sinks_trackers
from .sink import Arguments, Group, Role, Sink
from .sinks_names import ALIASES, FIGURE_AND_AXES, HABITS, OBJECTS, RECEIVER_IDIOMS, RETURNS

__all__ = ["ALIASES", "FIGURE_AND_AXES", "OBJECTS", "RECEIVER_IDIOMS", "RETURNS", "TABLES", "Role", "Sink", "canonical", "class_of", "of_function", "of_method", "of_receiver"]

TABLES: Final = (sinks_text.TABLE, sinks_numbers.TABLE, sinks_arrays.TABLE, sinks_plots.TABLE, sinks_trackers.TABLE)

_ROWS: Final[dict[str, tuple[Group, Arguments | None]]] = {
    f"{owner}.{name}": (group, arguments)
    for table in TABLES
    for group in table
    for owner in group.of.split()
    for name, arguments in group.calls.items()
}

DISTINCTIVE: Final[dict[str, str]] = {
    **dict.fromkeys("add_scalar add_scalars add_histogram add_pr_curve add_embedding".split(), "torch.utils.tensorboard.SummaryWriter"),
    **dict.fromkeys("set_postfix set_postfix_str".split(), "tqdm.tqdm"),
    "report_scalar": "clearml.Logger",
    "writerow": "csv.writer",
}
"""Method names that only one family of classes has, so that they answer for any receiver."""

_WHOLE_PACKAGES: Final = {"sklearn": "sklearn", "torchmetrics": "torchmetrics", "ignite": "ignite.metrics"}
"""Packages all of whose classes share the methods of one row."""


@cache
def canonical(dotted: str) -> str:
    """The spelling that the tables use."""
    for _ in range(3):
        head = dotted
        while head and head not in ALIASES:
            head = head.rpartition(".")[0]
        if not head:
            return dotted
        dotted = ALIASES[head] + dotted[len(head) :]
    return dotted


@cache
def of_function(dotted: str) -> Sink | None:
    """What a call of this function does; `dotted` is its resolved name, bare for a builtin."""
    name = canonical(dotted)
    return _row(name if "." in name else f"builtins.{name}", name)


@cache
def of_method(owner: str | None, name: str) -> Sink | None:
    """What this method of an instance of `owner` does; without an owner only distinctive names answer."""
    if owner is None:
        owner = DISTINCTIVE.get(name)
        return None if owner is None else _row(f"{owner}.{name}", name)
    owner = canonical(owner)
    found = _row(f"{owner}.{name}", f"{owner}.{name}")
    if found is None and (package := _WHOLE_PACKAGES.get(owner.partition(".")[0])):
        found = _row(f"{package}.{name}", f"{owner}.{name}")
    return found


def of_receiver(receiver: str, name: str) -> Sink | None:
    """What the method does if a receiver of this name is what it is by habit; None where the habit does not vouch for the method."""
    owner = RECEIVER_IDIOMS.get(receiver)
    return of_method(owner, name) if owner is not None and name in HABITS[owner] else None


def class_of(dotted: str) -> str | None:
    """The class of what a call of `dotted` returns, or of the object `dotted` itself; classes joined by ", " for a tuple."""
    name = canonical(dotted)
    return RETURNS.get(name) or OBJECTS.get(name)


def _row(key: str, name: str) -> Sink | None:
    row = _ROWS.get(key)
    return row and row[0].sink(name, row[1])
