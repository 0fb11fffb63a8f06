"""The fixes on programs of another folder: each small, runnable under torch, and written after a mistake that somebody really made.

`DETACH_CASES` names the folder; without it these tests skip. A program `..._bad.py` in it marks its
mistakes as the fixtures do (fixtures/README.md). What lives here: how many findings are fixed, and what became of the programs; the figures are
printed. What must not: what a fix writes (test_fixes), or which code a line deserves.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from pathlib import Path

import outcomes
import pytest

import markers
from flake8_detach import plugin, runtime
from flake8_detach.analysis import Diagnosis, Report
from flake8_detach.fixing.mending import Mended, View, diagnosed, mended
from flake8_detach.fixing.source import Text, decoded

FOLDER = os.environ.get("DETACH_CASES", "")
CASES = sorted(Path(FOLDER).glob("**/*_bad.py")) if FOLDER else []
BAR = 0.8
"""The share of the findings that must have an edit."""

pytestmark = pytest.mark.skipif(not CASES, reason="DETACH_CASES names no folder with cases")


def unwanted(path: Path) -> set[str]:
    """The opt-in codes that a case is not about."""
    return set(plugin.opt_in_codes()) - {mark.code for mark in markers.marks(path)}


def view(path: Path) -> View:
    def chosen(_: Text, reports: list[Report]) -> list[Report]:
        return [report for report in reports if report.code not in unwanted(path)]

    return View(str(path), chosen)


@cache
def findings(path: Path) -> list[Diagnosis]:
    return diagnosed(decoded(path.read_bytes()), view(path))


@cache
def after(path: Path, unsafe: bool) -> Mended:
    return mended(decoded(path.read_bytes()), view(path), unsafe)


def copied(folder: Path, unsafe: bool) -> dict[Path, Path]:
    """The cases that a fix changes, each with its fixed copy."""
    copies = {path: folder / path.name for path in CASES if after(path, unsafe).text != decoded(path.read_bytes()).text}
    for path, copy in copies.items():
        copy.write_text(after(path, unsafe).text, encoding="utf-8")
    return copies


def test_the_share_of_findings_with_an_edit(capsys: pytest.CaptureFixture[str]) -> None:
    found = [one for path in CASES for one in findings(path)]
    edits = [one.edit for one in found if one.edit is not None]
    gone = sum(after(path, unsafe=True).fixed for path in CASES)
    without = Counter(one.report.code for one in found if one.edit is None)
    with capsys.disabled():
        print(f"\ncases: {len(edits)} of {len(found)} findings have an edit ({len(edits) / len(found):.0%}), {sum(e.safe for e in edits)} a safe one; ", end="")
        print(f"{gone} are gone after all fixes; without an edit: {', '.join(f'{code} {n}' for code, n in sorted(without.items()))}")
    assert len(edits) >= BAR * len(found)


@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "unsafe"])
def test_a_second_fix_changes_nothing(unsafe: bool) -> None:
    wrong = [path.name for path in CASES if mended(Text(after(path, unsafe).text, "utf-8"), view(path), unsafe).text != after(path, unsafe).text]
    assert wrong == []


def test_what_is_fixed_runs_and_is_clean_in_both_engines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case with all its findings fixed ends without an exception, and the witness sees nothing; in another it sees what the linter still says."""
    pytest.importorskip("torch")
    copies = copied(tmp_path, unsafe=True)
    witnessed = runtime.files(dict.fromkeys(map(str, copies.values())))
    wrong, clean = [], 0
    for path, copy in copies.items():
        run, left = witnessed[str(copy), None], {one.report.code for one in after(path, unsafe=True).left}
        seen = {occurrence.code for occurrence in run.occurrences} - unwanted(path)
        ended = not run.timed_out and (not run.error or bool(left))
        if seen - left or not ended:
            wrong.append(f"{path.name}: {sorted(seen - left)} {run.error[-300:]}")
        clean += not (left or seen or run.error or run.timed_out)
    full = sum(not after(path, unsafe=True).left for path in copies)
    with capsys.disabled():
        print(f"\ncases: {len(copies)} of {len(CASES)} are changed by fixes; of {full} with nothing left to say, {clean} run and are clean in both engines")
    assert wrong == [], "\n".join(wrong)
    assert clean == full > 0


def test_no_safe_fix_changes_a_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Parameters after training, gradients and output are equal bit for bit, or an exception is gone."""
    pytest.importorskip("torch")
    copies = copied(tmp_path, unsafe=False)
    before, again = (outcomes.outcomes([(str(path), None) for path in copies]) for _ in range(2))
    fixed = outcomes.outcomes([(str(copy), None) for copy in copies.values()])
    differences = {
        path.name: outcomes.difference(
            outcomes.lasting(before[str(path), None], again[str(path), None]), fixed[str(copy), None], {one.report.code for one in findings(path)}
        )
        for path, copy in copies.items()
    }
    wrong = {name: difference for name, difference in differences.items() if difference}
    with capsys.disabled():
        raised = sum(bool(before[str(path), None].error) for path in copies)
        ended = sum(bool(before[str(path), None].error) and not fixed[str(copy), None].error for path, copy in copies.items())
        print(f"\ncases: {len(copies)} have safe fixes; these change the result of {len(wrong)}; {raised} raised before, {ended} of these no more")
    assert wrong == {}
    assert copies
