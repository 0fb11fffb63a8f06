"""The laws of the lattice: join is idempotent, commutative, associative and monotone; interpretation of loops stops."""

from __future__ import annotations

import ast

from hypothesis import given, settings
from hypothesis import strategies as st

from flake8_detach.interpreter import interpret
from flake8_detach.interpreter.state import ABSENT, join_slots
from flake8_detach.value import UNSURE, Carry, Value, join, join_all

TOKENS = st.frozensets(st.integers(0, 6), max_size=4)
CARRIES = st.frozensets(st.builds(Carry, st.integers(0, 2), st.tuples(st.integers(0, 2), st.just("x")), st.booleans(), st.booleans()), max_size=2)
VALUES = st.builds(
    Value,
    kind=st.integers(1, 2**19 - 1),
    grad=st.integers(0, 7),
    leaf=st.integers(0, 3),
    dtype=st.integers(0, 3),
    refs=TOKENS,
    history=TOKENS,
    reach=TOKENS,
    carried=CARRIES,
    names=st.frozensets(st.sampled_from(["torch.nn.Linear", "print"])),
    const=st.sampled_from([UNSURE, None, True, 1, "a"]),
)


def holds(big: Value, small: Value) -> bool:
    """Whether everything that `small` allows is allowed by `big`."""
    masks = all(getattr(big, f) | getattr(small, f) == getattr(big, f) for f in ("kind", "grad", "leaf", "dtype"))
    sets = all(getattr(small, f) <= getattr(big, f) for f in ("refs", "history", "reach", "carried", "names"))
    return masks and sets and (big.const is UNSURE or (big.const == small.const and type(big.const) is type(small.const)))


@given(VALUES)
def test_join_is_idempotent(a: Value) -> None:
    assert join(a, a) == a


@given(VALUES, VALUES)
def test_join_is_commutative(a: Value, b: Value) -> None:
    left, right = join(a, b), join(b, a)
    assert left == right
    assert type(left.const) is type(right.const)


@given(VALUES, VALUES, VALUES)
def test_join_is_associative(a: Value, b: Value, c: Value) -> None:
    assert join(join(a, b), c) == join(a, join(b, c))


@given(VALUES, VALUES, VALUES)
def test_join_is_an_upper_bound_and_monotone(a: Value, b: Value, c: Value) -> None:
    assert holds(join(a, b), a)
    assert holds(join(a, b), b)
    assert holds(join(join(a, b), c), join(a, c))


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_join_all_is_the_join_of_all(values: list[Value]) -> None:
    assert all(holds(join_all(values), v) for v in values)


@given(st.one_of(st.none(), st.integers(0, 3)), st.one_of(st.none(), st.integers(0, 3)))
def test_a_slot_missing_on_one_path_says_so(a: int | None, b: int | None) -> None:
    out = join_slots(a, b)
    if (a is None) != (b is None):
        assert isinstance(out, int)
        assert out & ABSENT


BODIES = st.sampled_from(["t = t + x", "x = t", "t, x = x, t", "xs.append(t)", "t = xs[0]", "break", "continue", "t += m(x)", "x = [x, t]"])


@settings(max_examples=60, deadline=None)
@given(st.lists(BODIES, min_size=1, max_size=4), st.integers(1, 4))
def test_loops_stop(body: list[str], depth: int) -> None:
    lines = ["import torch", "m = torch.nn.Linear(1, 1)", "t = x = torch.ones(1)", "xs = [t]"]
    lines += ["    " * level + f"for i{level} in range(3):" for level in range(depth)]
    lines += ["    " * depth + line for line in body]
    trace = interpret(ast.parse("\n".join(lines)))
    assert len(trace.events) < 5000
