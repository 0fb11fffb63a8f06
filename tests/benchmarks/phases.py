"""Where our own time goes on some files, in one process: run in the environment to measure, `python phases.py FILE...`, prints JSON.

Here: clocks around the steps of the analysis. Not here: the steps. `parse` is `ast.parse`, which flake8 does with or without us. `positions` is
what remains of a file's analysis: duplicates, columns, sorting. `cst` is `cst.parse_module` of the files that pass the gate, with the garbage
collector off as it is in our analysis.
"""

from __future__ import annotations

import ast
import gc
import json
import sys
import time
import tokenize
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import libcst

SECONDS: defaultdict[str, float] = defaultdict(float)
BY_RULE: defaultdict[str, float] = defaultdict(float)


def timed(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, its time added to a phase."""

    def clocked(*arguments: Any) -> Any:
        start = time.process_time()
        try:
            return function(*arguments)
        finally:
            SECONDS[phase] += time.process_time() - start

    return clocked


def timed_rule(code: str, check: Callable[[Any], Iterator[Any]]) -> Callable[[Any], list[Any]]:
    """A rule's check, run to its end, its time added to `rules` and to its own."""

    def clocked(trace: Any) -> list[Any]:
        start = time.process_time()
        found = list(check(trace))
        spent = time.process_time() - start
        SECONDS["rules"] += spent
        BY_RULE[code] += spent
        return found

    return clocked


def import_all() -> tuple[Any, Callable[[str], bool], set[str]]:
    """The analysis with clocks around its steps, the gate without a clock, the opt-in codes; what importing it takes is a phase too."""
    start = time.process_time()
    from flake8_detach import analysis, interpreter, plugin

    rules = analysis.rules()
    SECONDS["import"] = time.process_time() - start
    gate = analysis.may_fire
    vars(analysis)["may_fire"] = timed("gate", analysis.may_fire)
    vars(interpreter)["interpret"] = timed("interpret", interpreter.interpret)
    for code, rule in rules.items():
        vars(rule)["check"] = timed_rule(code, rule.check)
    return analysis, gate, set(plugin.opt_in_codes())


def main(paths: list[str]) -> None:
    analysis, gate, opt_in = import_all()
    count: Counter[str] = Counter()
    slowest: list[tuple[float, float, str]] = []
    for path in paths:
        with tokenize.open(path) as file:
            lines = file.readlines()
        source = "".join(lines)
        tree = timed("parse", ast.parse)(source)
        before = SECONDS["check"]
        reports = timed("check", analysis.check)(tree, lines, path)
        spent = SECONDS["check"] - before
        count += Counter(files=1, lines=len(lines))
        if not gate(source):
            continue
        found = any(report.code not in opt_in for report in reports)
        count += Counter(gated_files=1, gated_lines=len(lines), found_files=found, found_lines=len(lines) * found, findings=len(reports))
        cst_before = SECONDS["cst"]
        parse_cst(source)
        slowest.append((spent, SECONDS["cst"] - cst_before, path))
        SECONDS["check_gated"] += spent
    SECONDS["positions"] = SECONDS["check"] - SECONDS["gate"] - SECONDS["interpret"] - SECONDS["rules"]
    by_rule = sorted(BY_RULE.items(), key=lambda item: -item[1])
    print(json.dumps({"seconds": SECONDS, "count": count, "by_rule": by_rule[:5], "slowest": sorted(slowest, reverse=True)[:5]}))


def parse_cst(source: str) -> None:
    gc.disable()
    timed("cst", libcst.parse_module)(source)
    gc.enable()


if __name__ == "__main__":
    main(sys.argv[1:])
