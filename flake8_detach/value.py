"""What is known of one object: the Value, and the lattice it lives in.

Here: the facets, join, and the few constructors everybody needs. Not here: what an operation does to a Value (interpreter/effects), what a
library name means (knowledge). A facet is a set of possibilities, written as an integer mask or a frozenset, and join is `|`: the laws of
the lattice are those of sets. The masks are plain integers because `enum.Flag` costs 300 ns an operation on the hottest path there is.

`Grad.LIVE` means: there is evidence that on some path this requires grad. `Grad.UNKNOWN` alone is ignorance; what is UNKNOWN counts as live
only when one of the places in its `history` is proven to be (Trace.is_live).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

EMPTY: Final[frozenset[int]] = frozenset()


class Kind:
    """What sort of object: a mask, several bits when paths disagree."""

    UNKNOWN: Final = 1
    TENSOR: Final = 2
    MODULE: Final = 4
    OPTIMIZER: Final = 8
    SCHEDULER: Final = 16
    SCALER: Final = 32
    LOADER: Final = 64
    CONTAINER: Final = 128
    ARRAY: Final = 256
    NUMBER: Final = 512
    TEXT: Final = 1024
    NONE: Final = 2048
    FUNCTION: Final = 4096
    CLASS: Final = 8192
    OBJECT: Final = 16384
    SWITCH: Final = 32768
    PARAMETERS: Final = 65536
    LIBRARY: Final = 131072
    OTHER: Final = 262144


class Grad:
    """Whether a tensor requires grad; also the grad mode, where LIVE reads "on" and CUT reads "off"."""

    LIVE: Final = 1
    CUT: Final = 2
    UNKNOWN: Final = 4


class Leaf:
    """Whether a tensor is a leaf of the graph."""

    LEAF: Final = 1
    NONLEAF: Final = 2


class DType:
    """Integer and boolean tensors can't require grad."""

    FLOAT: Final = 1
    INTEGER: Final = 2


class Training:
    """The training mode of a module."""

    TRAIN: Final = 1
    EVAL: Final = 2


class Unsure:
    """The one object that says "not a constant known here"."""

    def __repr__(self) -> str:
        return "UNSURE"


UNSURE: Final = Unsure()


class Carry(NamedTuple):
    """A value comes from the iteration before: of which loop, through which place of the store.

    freed: its graph was already back-propagated in that iteration. direct: since then only arithmetic happened to it (a running total),
    no module was called on it (a recurrent state).
    """

    loop: int
    key: tuple[int, object]
    freed: bool
    direct: bool


def in_order(carried: Iterable[Carry]) -> list[Carry]:
    """Carries in an order that is the same in every run; that of a set hangs on the hashes of names, which Python draws anew at each start."""
    return sorted(carried, key=lambda c: (c.loop, c.key[0], str(c.key[1]), c.freed, c.direct))


NO_CARRY: Final[frozenset[Carry]] = frozenset()
NO_NAMES: Final[frozenset[str]] = frozenset()


class Value(NamedTuple):
    """Everything known of one object; immutable, hashable, joined facet by facet.

    refs: the identities it may have (tokens of the places that made it; also addresses in the store). history: the places from which it
    would inherit requires_grad. reach: every place it was computed from, also across cuts and unknown calls. names: dotted library names it
    may be, or be an instance of. const: the constant it is, or UNSURE.
    """

    kind: int = Kind.UNKNOWN
    grad: int = 0
    leaf: int = 0
    dtype: int = 0
    refs: frozenset[int] = EMPTY
    history: frozenset[int] = EMPTY
    reach: frozenset[int] = EMPTY
    carried: frozenset[Carry] = NO_CARRY
    names: frozenset[str] = NO_NAMES
    const: object = UNSURE

    @property
    def name(self) -> str:
        """The dotted library name that it is; "" where there is none, and where it may be one of several."""
        return next(iter(self.names)) if len(self.names) == 1 else ""

    def __str__(self) -> str:
        """The words that a `reveal` marker uses."""
        words = [name.lower() for name, bit in vars(Kind).items() if name.isupper() and self.kind & bit]
        if self.kind & Kind.TENSOR:
            for facet, mask in ((Grad, self.grad), (Leaf, self.leaf), (DType, self.dtype)):
                words += [n.lower() for n, bit in vars(facet).items() if n.isupper() and mask & bit and n != "UNKNOWN"]
        return " ".join(words)


def join(a: Value, b: Value) -> Value:
    """The least Value that holds both: what is known where two paths meet."""
    same = a.const is b.const or (a.const == b.const and type(a.const) is type(b.const))  # True is no 1
    if a is b or (same and a == b):
        return a
    return Value(
        a.kind | b.kind,
        a.grad | b.grad,
        a.leaf | b.leaf,
        a.dtype | b.dtype,
        a.refs | b.refs,
        a.history | b.history,
        a.reach | b.reach,
        a.carried | b.carried,
        a.names | b.names,
        a.const if same else UNSURE,
    )


def join_all(values: list[Value] | tuple[Value, ...]) -> Value:
    """The join of several; of none, a value of which nothing is known and which is evidence of nothing."""
    if not values:
        return OTHER
    out = values[0]
    if len(values) == 1:
        return out
    for value in values[1:]:
        if value.kind == out.kind and out.const is UNSURE and value[1:-1] == BARE:
            continue  # one more constant of a kind of which there were several: a long display costs what it holds of different kinds
        out = join(out, value)
    return out


BARE: Final = Value()[1:-1]
"""The facets, beside its kind and what it is, of a value that no tensor has to do with."""

NUMBER: Final = Value(Kind.NUMBER)
TEXT: Final = Value(Kind.TEXT)
NONE: Final = Value(Kind.NONE, const=None)
ARRAY: Final = Value(Kind.ARRAY)
OTHER: Final = Value(Kind.OTHER)
COUNTS: Final = tuple(Value(Kind.NUMBER, const=number) for number in range(32))
"""The lengths and places of nearly all displays."""
INTEGERS: Final = Value(Kind.TENSOR, Grad.CUT, Leaf.LEAF, DType.INTEGER)


@lru_cache(maxsize=4096)
def _text(value: str) -> Value:
    return Value(Kind.TEXT, const=value)


def constant(value: object) -> Value:
    """The Value of a literal: None, a number, a string, bytes or an ellipsis."""
    if value.__class__ is str:
        return _text(value) if len(value) < 80 else Value(Kind.TEXT, const=value)
    if value.__class__ is int and 0 <= value < len(COUNTS):
        return COUNTS[value]
    if value is None:
        return NONE
    if isinstance(value, (bool, int, float, complex)):
        return Value(Kind.NUMBER, const=value)
    if isinstance(value, bytes):
        return Value(Kind.TEXT, const=value)
    return OTHER
