"""Time and memory over the size of a program, axis by axis: `python tests/benchmarks/growth.py [AXIS ...]`.

Here: measuring one program in a process of its own, and fitting the exponent. Not here: the programs. The bars: the exponent over the length of a
file is at most 1.1, and 50,000 lines take less than 1 GiB. `--measure FILE ...` measures files and prints JSON; that is what the processes run. The
package is the one of this checkout.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import tempfile
import time
import tokenize
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from figures import exponent, last_exponent, table
from measure import Killed, cost
from programs import AXES, LINES, TRAINING

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60
"""CPU seconds after which a program counts as one that explodes."""
FLOOR = 0.004
"""Seconds below which a measurement says more about the clock than about the program."""
ROUNDS, BRIEF = 3, 15.0
"""How often a program is measured whose length has a bar, and the seconds from which once is enough: a short run meets one of the clock's speeds."""
BAR_EXPONENT, BAR_MIB = 1.1, 1024


class Point(NamedTuple):
    """One program, or the mean of several: seconds of CPU for the analysis and for `ast.parse`, peak memory in MiB of the process; whether the
    analysis gave one up, and whether it still reported what stands in front of each."""

    seconds: float
    parse: float
    peak: float
    exhausted: bool
    kept: bool


def measure_files(paths: Sequence[Path]) -> dict[str, Any]:
    """The analysis of files in this process: the mean time of one."""
    sys.path.insert(0, str(ROOT))
    from flake8_detach import analysis, interpreter

    exhausted = []
    interpret = interpreter.interpret

    def watched(*arguments: Any) -> Any:
        trace = interpret(*arguments)
        exhausted.append(trace.exhausted)
        return trace

    analysis.check(ast.parse(TRAINING), TRAINING.splitlines(keepends=True), "warm.py")  # imports what is imported lazily
    vars(interpreter)["interpret"] = watched  # analysis looks it up by name for each file
    taken, parsing, kept = 0.0, 0.0, True
    for path in paths:
        with tokenize.open(path) as file:
            lines = file.readlines()
        start = time.process_time()
        tree = ast.parse("".join(lines))
        parsed = time.process_time()
        reports = analysis.check(tree, lines, str(path))
        taken += time.process_time() - parsed
        parsing += parsed - start
        kept = kept and {"DET101", "DET102", "DET201"} <= {report.code for report in reports if report.line <= TRAINING.count("\n")}
    return {"seconds": taken / len(paths), "parse": parsing / len(paths), "exhausted": any(exhausted), "kept": kept}


def point(python: Path | str, texts: Sequence[str], limit: int = LIMIT) -> Point | None:
    """One program, or several of about one size, in a process of their own; None past the limit."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"program{number}.py" for number in range(len(texts))]
        for path, text in zip(paths, texts):
            path.write_text(text, encoding="utf-8")
        try:
            used = cost([python, __file__, "--measure", *paths], limit, accept=[0])
        except Killed:
            return None
    return Point(**json.loads(used.output), peak=used.peak)


def by_line(size: int, texts: Sequence[str], measured: Point) -> Point:
    """What programs of exactly so many lines would have taken: files end where they end."""
    scale = size * len(texts) / sum(text.count("\n") for text in texts)
    return measured._replace(seconds=measured.seconds * scale, parse=measured.parse * scale)


def axis_points(python: Path | str, programs: Mapping[int, Sequence[str]], limit: int = LIMIT, rounds: int = 1) -> tuple[dict[int, Point], int | None]:
    """The programs in order of size, each at its median; ends with the size that exploded, if one does. A round measures every size once, so that a
    clock that changes its speed changes it for all of them."""
    found: dict[int, list[Point]] = {}
    exploded = None
    for number in range(rounds):
        for size, texts in programs.items():
            if size == exploded:
                break
            if number and found[size][0].seconds >= BRIEF:
                continue
            measured = point(python, texts, limit)
            if measured is None:
                exploded = size
                break
            found.setdefault(size, []).append(measured)
    return {size: sorted(points)[len(points) // 2] for size, points in found.items() if exploded is None or size < exploded}, exploded


def row(name: str, points: Mapping[int, Point], exploded: int | None) -> list[object]:
    """One line of the table; sizes whose time is noise are left out of the fit."""
    times = {size: p.seconds for size, p in points.items() if p.seconds >= FLOOR}
    fits = [f"{fit(times):.2f}" if len(times) > 1 else "-" for fit in (exponent, last_exponent)]
    gave_up = [size for size, p in points.items() if p.exhausted]
    lost = [size for size, p in points.items() if not p.kept and not p.exhausted]
    notes = [f"{what} {sizes[0]}" for what, sizes in (("exploded at", [exploded]), ("gave up from", gave_up), ("lost findings at", lost)) if any(sizes)]
    if not points:
        return [name, "-", "-", "-", *fits, "-", ", ".join(notes)]
    largest = max(points)
    last = points[largest]
    parses = f"{last.seconds / last.parse:.1f}" if last.parse else "-"  # a few lines are parsed in less than the clock shows
    return [name, f"{min(points)}-{largest}", f"{last.seconds:.3f}", parses, *fits, f"{last.peak:.0f}", ", ".join(notes)]


HEADER = ["axis", "sizes", "s at the largest", "times ast.parse", "exponent", "of the last two", "peak MiB", "notes"]


def run(python: Path | str, names: Sequence[str] = (), extra: Mapping[str, Mapping[int, Sequence[str]]] | None = None, limit: int = LIMIT) -> str:
    """The table of the axes of these names, or of all; `extra` are further ones by name, with several programs of about so many lines."""
    chosen = {name: {size: [AXES[name].program(size)] for size in AXES[name].sizes} for name in names or AXES}
    rows, worst, heaviest = [], 0.0, 0.0
    for name, programs in {**(extra or {}), **chosen}.items():
        has_bar = name not in AXES or AXES[name].sizes == LINES
        points, exploded = axis_points(python, programs, limit, ROUNDS if has_bar else 1)
        points = points if name in AXES else {size: by_line(size, programs[size], p) for size, p in points.items()}
        rows.append(row(name, points, exploded))
        print(" ", *rows[-1], file=sys.stderr)
        if has_bar:
            times = {size: p.seconds for size, p in points.items() if p.seconds >= FLOOR}
            worst = max(worst, exponent(times) if len(times) > 1 else 0.0)
            heaviest = max([heaviest, *(p.peak for p in points.values())])
    bars = f"over the length of a file: worst exponent {worst:.2f} (bar {BAR_EXPONENT}), most memory {heaviest:.0f} MiB (bar {BAR_MIB})"
    return f"{table(HEADER, rows)}\n\n{bars}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("axes", nargs="*", metavar="AXIS", help=f"all, or some of: {', '.join(AXES)}")
    parser.add_argument("--measure", type=Path, nargs="+", metavar="FILE", help="measure files in this process and print JSON")
    parser.add_argument("--limit", type=int, default=LIMIT, help="CPU seconds after which a program explodes (%(default)s)")
    chosen = parser.parse_args()
    if unknown := set(chosen.axes) - set(AXES):
        parser.error(f"unknown axis {', '.join(sorted(unknown))}")
    print(json.dumps(measure_files(chosen.measure)) if chosen.measure else run(sys.executable, chosen.axes, limit=chosen.limit))


if __name__ == "__main__":
    main()
