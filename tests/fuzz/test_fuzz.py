"""The fuzzer's short profile: every campaign over the fixtures, small and always the same; and that the fuzzer sees what fails.

What lives here: a minute of what `fuzz.py` does for hours. What must not: a failure that it once found; that gets a test of its own where it belongs.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from flake8_detach import analysis
from flake8_detach.analysis import Report

import nesting
import trial
from campaigns import Fuzzer, generated
from counting import Count
from fuzz import gathered
from mutations import MUTATIONS
from trial import TRAINING, try_text

DEEPEST = 500
"""As deep as pyflakes follows any construct that Python's parser does not bound before."""


@pytest.fixture
def fuzzer() -> Fuzzer:
    return Fuzzer(gathered([]), seed="short", deadline=math.inf)


def test_mutants(fuzzer: Fuzzer) -> None:
    count = fuzzer.mutate(15)
    assert count.failures == []
    assert count.texts == 15 * len(MUTATIONS)
    assert count.texts - count.unparsable > count.texts // 2
    assert count.findings


def test_read(fuzzer: Fuzzer) -> None:
    fuzzer.paths = fuzzer.paths[::10]
    count = fuzzer.read()
    assert count.failures == []
    assert count.files == len(fuzzer.paths)
    assert count.findings


def test_generated(fuzzer: Fuzzer) -> None:
    pytest.importorskip("hypothesmith")
    count = fuzzer.generate(10)
    assert count.failures == []
    assert count.texts > count.unparsable
    assert generated(4, "a") == generated(4, "a")


@pytest.mark.parametrize("name", nesting.CONSTRUCTS)
def test_nested(fuzzer: Fuzzer, name: str) -> None:
    assert fuzzer.nest([name], DEEPEST).failures == []


def test_repeated(fuzzer: Fuzzer) -> None:
    count = fuzzer.repeat(8)
    assert count.failures == []
    assert count.findings


def test_the_same_seed_gives_the_same_texts(fuzzer: Fuzzer) -> None:
    text = fuzzer.paths[0].read_text(encoding="utf-8")
    for name, mutate in MUTATIONS.items():
        mutants = [mutate(text, fuzzer.chance(label), TRAINING) for label in ("a", "a", "b", "c", "d")]
        assert mutants[0] == mutants[1]
        assert name == "joined" or len(set(mutants)) > 1


def raising(*_: object) -> list[Report]:
    raise IndexError


def endless(*_: object) -> list[Report]:
    while True:
        time.process_time()


def swallowing(*_: object) -> list[Report]:
    with contextlib.suppress(Exception):
        endless()
    return []


def misplacing(*_: object) -> list[Report]:
    return [Report(1, 10_000, "DET101", "a text")]


def wordless(*_: object) -> list[Report]:
    return [Report(1, 0, "DET000", "the file could not be analysed")]


@pytest.mark.parametrize(
    ("analyse", "failure"),
    [
        (raising, "IndexError at test_fuzz.py"),
        (endless, "took more than 0.05 s"),
        (swallowing, "took more than 0.05 s"),
        (misplacing, "DET101 at a place that does not exist: 1:10000"),
        (wordless, "a report of a wrong form: 'DET000'"),
    ],
)
def test_a_failure_is_seen(monkeypatch: pytest.MonkeyPatch, analyse: Callable[..., list[Report]], failure: str) -> None:
    """Or the fuzzer would find nothing, whatever there is."""
    monkeypatch.setattr(analysis, "check", analyse)
    assert try_text("print()\n", seconds=0.05).failure.startswith(failure)


def test_what_python_does_not_parse_is_told_apart() -> None:
    assert not try_text("print(").parsed
    assert try_text("print()").parsed


def test_changing_findings_are_seen(monkeypatch: pytest.MonkeyPatch, fuzzer: Fuzzer) -> None:
    numbers = itertools.count()

    def check(tree: ast.Module, lines: Sequence[str], filename: str) -> list[Report]:
        return [Report(1, 0, "DET101", f"a text {next(numbers)}")]

    monkeypatch.setattr(analysis, "check", check)
    fuzzer.paths = fuzzer.paths[:1] * 10
    assert {failure for _, _, failure in fuzzer.read().failures} == {"other findings the second time"}


def test_hidden_findings_are_seen(monkeypatch: pytest.MonkeyPatch, fuzzer: Fuzzer) -> None:
    check, length = analysis.check, len(trial.lines_of(TRAINING))
    monkeypatch.setattr(analysis, "check", lambda tree, lines, name: check(tree, lines, name) if len(lines) == length else [])
    assert {failure for _, _, failure in fuzzer.nest(["nots"], 4).failures} == {"hides what stands before it"}


def test_other_findings_in_another_process_are_seen(tmp_path: Path) -> None:
    count, path = Count("repeat"), tmp_path / "a.py"
    path.write_text("")
    Fuzzer.compare(count, "seed", [{str(path): 1}, {str(path): 1}, {}])
    assert [failure for _, _, failure in count.failures] == ["other findings by seed"]


def test_flake8_reads_a_file_as_the_fuzzer_does(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\rz\n")
    assert trial.read(tmp_path / "a.py") == ["x = 1\n", "y = 2\n", "z\n"]
