"""The linter against the fixtures: each scenario and each program is given exactly the findings that its marks ask for.

What lives here: the linter's half of the agreement; torch's half is test_runtime. What must not: an expectation that is no mark.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from flake8_detach import analysis, plugin
from markers import PROGRAMS, RULES, Finding, Scenario, scenarios, seen_by_the_linter, seen_by_torch, shared, within

SCENARIOS = [pytest.param(path, scenario, id=f"{path.stem}-{scenario.name}") for path in RULES for scenario in scenarios(path)]


@cache
def found(path: Path) -> frozenset[Finding]:
    """What flake8 would report by default, and the code that the file is about."""
    source = path.read_text(encoding="utf-8")
    silent = set(plugin.opt_in_codes()) - {path.stem[:6].upper()}
    reports = analysis.check(ast.parse(source), source.splitlines(keepends=True), str(path))
    return frozenset((report.line, report.code) for report in reports if report.code not in silent)


@pytest.mark.parametrize(("path", "scenario"), SCENARIOS)
def test_scenario(path: Path, scenario: Scenario) -> None:
    assert within(found(path), scenario.lines) == within(seen_by_the_linter(path), scenario.lines)


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_what_the_scenarios_share(path: Path) -> None:
    assert shared(path, found(path)) == shared(path, seen_by_the_linter(path))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_program(path: Path) -> None:
    assert found(path) == seen_by_the_linter(path)


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_enough_scenarios(path: Path) -> None:
    """At least three that show the harm, and six that look the same and hold no mistake of any code."""
    bad = [scenario for scenario in scenarios(path) if scenario.name.startswith("bad_")]
    good = [scenario for scenario in scenarios(path) if scenario.name.startswith("good_")]
    assert len(bad) >= 3
    assert len(good) >= 6
    assert [scenario.name for scenario in good if within(seen_by_torch(path), scenario.lines)] == []
