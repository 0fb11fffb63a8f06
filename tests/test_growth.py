"""No program of moderate size explodes, and what is made of measurements is right.

Here: each axis of `benchmarks/programs.py` at one size under one generous bound, and the arithmetic of the benchmark. Not here: exponents, which
need large programs and a quiet machine (`python tests/benchmarks/growth.py`).
"""

from __future__ import annotations

import ast
import sys
import time
from pathlib import Path

import corpora
import growth
import pytest
from figures import exponent, last_exponent, ratios, spread, table
from programs import AXES, CLOSED, DEEP, FEW, INDENTED, LINES, MANY

from flake8_detach import analysis

SECONDS = 20.0
MODERATE = {LINES: 2000, MANY: 125, FEW: 30, DEEP: 19, INDENTED: 48, CLOSED: 80}
SMALLER = {"calls in a circle": 90}  # each function hangs on all others: 125 are given up


@pytest.mark.parametrize("name", AXES)
def test_no_axis_explodes(name: str) -> None:
    """Within the bound, and what stands before the program is still reported."""
    axis = AXES[name]
    source = axis.program(SMALLER.get(name, MODERATE[axis.sizes]))
    tree, lines = ast.parse(source), source.splitlines(keepends=True)
    start = time.process_time()
    reports = analysis.check(tree, lines, "program.py")
    assert time.process_time() - start < SECONDS
    assert {report.code for report in reports if report.line < 13} >= {"DET101", "DET102", "DET201"}


@pytest.mark.parametrize(("name", "size"), [("calls in a circle", 1000), ("forks", 2000), ("written keys", 2000)])
def test_values_that_hang_on_too_many_places_are_given_up(name: str, size: int) -> None:
    """In time, and in less memory than the bar of 50,000 lines: without the bound they take 2 to 11 GiB."""
    measured = growth.point(sys.executable, [AXES[name].program(size)])
    assert measured is not None
    assert measured.exhausted
    assert measured.peak < growth.BAR_MIB


def test_programs_grow() -> None:
    for axis in AXES.values():
        lengths = [len(axis.program(size)) for size in axis.sizes]
        assert lengths == sorted(set(lengths)), axis.name


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_exponent(power: float) -> None:
    assert exponent({size: 3e-5 * size**power for size in (1000, 2000, 5000)}) == pytest.approx(power)


def test_last_exponent_sees_a_bend() -> None:
    times = {1000: 1.0, 2000: 2.0, 4000: 4.0, 8000: 16.0}
    assert exponent(times) < last_exponent(times) == pytest.approx(2.0)


def test_an_exponent_needs_two_sizes() -> None:
    with pytest.raises(ValueError, match="two sizes, not 1"):
        exponent({1000: 1.0})


def test_real_code_is_the_same_at_every_size(tmp_path: Path) -> None:
    """Files are not cut: their time is taken by the line, and what is too little for one more text is left out."""
    files = [tmp_path / f"{number}.py" for number in range(5)]
    for path in files:
        path.write_text("from __future__ import annotations\nx = 1\ny = 2\n", encoding="utf-8")
    texts = list(corpora.long_texts(files, 3))
    assert texts == ["x = 1\ny = 2\n" * 2] * 2
    measured = growth.by_line(3, texts, growth.Point(seconds=4.0, parse=2.0, peak=20.0, exhausted=False, kept=True))
    assert (measured.seconds, measured.parse, measured.peak) == pytest.approx((3.0, 1.5, 20.0))


def test_ratios_are_taken_pair_by_pair() -> None:
    assert spread(ratios([1.0, 4.0, 9.0], [1.0, 2.0, 3.0])) == "2.00 (1.00-3.00)"
    with pytest.raises(ValueError, match="2 runs cannot be paired with 1"):
        ratios([1.0, 2.0], [1.0])


def test_table() -> None:
    assert table(["tool", "s"], [["flake8", 1], ["us", 1.25]]) == "| tool   |    s |\n|--------|-----:|\n| flake8 |    1 |\n| us     | 1.25 |"
    with pytest.raises(ValueError, match="does not fit"):
        table(["tool", "s"], [["flake8"]])
