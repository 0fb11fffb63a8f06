"""What torch's own tables say of its operators: in-place ones, views, outputs without a derivative, and what each keeps for its backward.

Here: typed look-ups in operators.txt, which `python -m flake8_detach.runtime.operators` derives from the tables in the torch wheel; it is read
at the first question. Not here: anything about functions that are written in Python or made of other operators (operations, saved).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

TABLE: Final = Path(__file__).with_name("operators.txt")
MODULES: Final = ("", "nn.functional.", "special.", "linalg.", "fft.")


class Row(NamedTuple):
    """One operator. A mark of `outputs`: T differentiable, F not, N without formula, ? composite, - no tensor, * a list; | between overloads."""

    flags: frozenset[str]
    outputs: str
    fields: tuple[str, ...]  # the names of several outputs, empty for one that has none
    parameters: tuple[str, ...]
    saves: dict[str, frozenset[str]]  # input -> what is surely kept when this input is live: parameters, `result`, `result1` ...
    may_save: frozenset[str]


UNLISTED: Final = Row(frozenset(), "?", (), (), {}, frozenset())


@cache
def _lines() -> tuple[str, dict[str, str]]:
    head, _, body = TABLE.read_text(encoding="utf-8").partition("\n")
    return head, dict(line.split("\t", 1) for line in body.splitlines())


@cache
def row(name: str) -> Row:
    """The row of a function's name below torch, or of a method's name."""
    line = _lines()[1].get(name)
    if line is None:
        return UNLISTED
    flags, outputs, fields, parameters, saves = line.split("\t")
    kept = {i: things.split(",") for i, _, things in (part.partition(":") for part in saves.split(";") if saves != "-")}
    return Row(
        frozenset(flags.split(",")),
        outputs,
        tuple(field.replace("-", "") for field in fields.split(",")) if fields != "-" else (),
        tuple(parameters.split(",")),
        {i: frozenset(t for t in things if not t.endswith("?")) for i, things in kept.items()},
        frozenset(t.rstrip("?") for things in kept.values() for t in things),
    )


def named(last: str) -> Row:
    """The row of an operator of which only the last part of its name is known."""
    lines = _lines()[1]
    return next((row(module + last) for module in MODULES if module + last in lines), UNLISTED)


def version() -> str:
    """The release of torch that the table was made from."""
    return _lines()[0].partition("torch ")[2].partition(" ")[0]


def is_inplace(name: str) -> bool:
    """Whether it changes its first operand."""
    return "inplace" in row(name).flags


def is_view(name: str) -> bool:
    """Whether it gives one view of its first operand, or (composite ones: reshape, to, flatten) may give one."""
    return "view" in row(name).flags


def is_split(name: str) -> bool:
    """Whether it gives several views of its first operand."""
    return "split" in row(name).flags


def is_list(name: str) -> bool:
    """Whether it gives a list of tensors that are no views."""
    return row(name).outputs in ("T*", "N*") and not is_split(name)


def gives_float(name: str) -> bool:
    """Whether its reference says that of integers it gives floats."""
    return "floats" in row(name).flags


def is_creation(name: str) -> bool:
    """Whether no overload takes a tensor."""
    return "creates" in row(name).flags


def returns_number(name: str) -> bool:
    """Whether it gives no tensor: a number, or True and False."""
    return set(row(name).outputs) <= {"-", "|"}


def returns_undifferentiable(name: str) -> bool:
    """Whether its only output never requires grad."""
    return row(name).outputs == "F"


def returns_pair(name: str) -> bool:
    """Whether it gives a differentiable output and one that is not: values and indices."""
    return row(name).outputs == "TF"


def may_return_pair(name: str) -> bool:
    """Whether it does so in one of its overloads: max with a dimension."""
    return row(name).outputs == "T|TF"


def saves(name: str) -> frozenset[str]:
    """What it surely keeps for its backward when every input is live."""
    return frozenset(thing for things in row(name).saves.values() for thing in things)


def saves_nothing(name: str) -> bool:
    """Whether it is differentiable and surely keeps nothing, or gives nothing differentiable."""
    found = row(name)
    return not found.may_save and not set(found.outputs) & {"?", "N"}
