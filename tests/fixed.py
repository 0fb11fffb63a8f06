"""The fixtures after all their fixes: what `fixtures/fixed/` must hold. Run as a program, it writes that folder anew.

What lives here: the way from a fixture to its fixed text. What must not: a judgement of it, which is test_fixes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flake8_detach import plugin
from flake8_detach.analysis import Diagnosis, Report
from flake8_detach.fixing.mending import Mended, View, diagnosed, mended
from flake8_detach.fixing.source import Text, decoded
from markers import FIXTURES, PROGRAMS, RULES

FIXED = FIXTURES / "fixed"
ALL = [*RULES, *PROGRAMS]


def wanted(path: Path, _: Text, reports: list[Report]) -> list[Report]:
    """What flake8 reports by default, and the code that a file of `rules` is about."""
    silent = set(plugin.opt_in_codes()) - {path.stem[:6].upper()}
    return [report for report in reports if report.code not in silent]


def view(path: Path) -> View:
    return View(str(path), lambda text, reports: wanted(path, text, reports))


@cache
def findings(path: Path) -> list[Diagnosis]:
    """What is found in a fixture, with the edits."""
    return diagnosed(decoded(path.read_bytes()), view(path))


@cache
def after(path: Path, unsafe: bool) -> Mended:
    """A fixture after its safe fixes, or after all of them."""
    return mended(decoded(path.read_bytes()), view(path), unsafe)


def target(path: Path) -> Path:
    return FIXED / path.name


if __name__ == "__main__":
    FIXED.mkdir(exist_ok=True)
    for old in FIXED.glob("*.py"):
        old.unlink()
    for fixture in ALL:
        target(fixture).write_text(after(fixture, unsafe=True).text, encoding="utf-8")
