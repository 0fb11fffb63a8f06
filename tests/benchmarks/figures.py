"""What is made of measurements: medians, fitted exponents, tables of text.

Here: arithmetic and layout. Not here: anything that runs or measures.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence


def exponent(times: Mapping[int, float]) -> float:
    """The slope of time over size, both as logarithms: 1 is linear, 2 a square. Raises ValueError for fewer than two sizes."""
    if len(times) < 2:
        raise ValueError(f"an exponent needs two sizes, not {len(times)}")
    return statistics.linear_regression([math.log(size) for size in times], [math.log(time) for time in times.values()]).slope


def last_exponent(times: Mapping[int, float]) -> float:
    """The slope between the two largest sizes: what a fit over all of them smooths away."""
    return exponent({size: times[size] for size in sorted(times)[-2:]})


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Pair by pair; pairs are runs of one round, so that a busy machine slows both."""
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} runs cannot be paired with {len(theirs)}")
    return [our / their for our, their in zip(ours, theirs)]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, with the least and the most."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table whose columns are aligned: the first to the left, the others to the right. Raises ValueError for a row of another width."""
    cells = [list(header), *([str(cell) for cell in row] for row in rows)]
    if any(len(row) != len(header) for row in cells):
        raise ValueError(f"a row does not fit the header {list(header)}")
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ["| " + " | ".join(_aligned(row, widths)) + " |" for row in cells]
    rule = "|" + "|".join("-" * (width + 2) if not column else "-" * (width + 1) + ":" for column, width in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(zip(row, widths))]
