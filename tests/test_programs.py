"""PyTorch and chance write the tests: generated programs, run under real torch and interpreted, must agree.

Here: the comparison, and the figures. Each concrete object lies inside the Value that the linter has of it after the statement (soundness); each
alarm on a line that ran, and that nothing else calls which did not run, is one that the witness shows in a variant of the program. What only the witness shows is counted as missed, not a fault:
doubt means silence. `DETACH_PROGRAMS=20000` takes as many programs, by number from `DETACH_FIRST` (default 0), so that each can be had again.

    DETACH_PROGRAMS=20000 pytest tests/test_programs.py -s      prints the figures, and each contradiction as the smallest program that shows it
"""

from __future__ import annotations

import ast
import os
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from found_programs import FOUND, found
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from program_beliefs import alarms, beliefs
from program_grammar import program
from program_runs import Fact, Settled, for_idle, settled, witnessed

from flake8_detach import analysis
from flake8_detach.trace import Trace
from flake8_detach.value import DType, Grad, Kind, Leaf, Value, join_all

PROGRAMS, FIRST = int(os.environ.get("DETACH_PROGRAMS", "120")), int(os.environ.get("DETACH_FIRST", "0"))
DEFINITE = 0.85
MORE_SEEDS, FEWER_SEEDS = 200, 40
"""How many variants are tried before an alarm counts as one that torch never shows; and how many of each program on the way to the smallest."""
ROUNDS = (6, 3, 2, 1)
"""How often loops go round in these: once too, for what a second iteration makes good."""
KINDS = {
    "tensor": Kind.TENSOR, "number": Kind.NUMBER, "text": Kind.TEXT, "none": Kind.NONE, "container": Kind.CONTAINER, "module": Kind.MODULE,
    "optimizer": Kind.OPTIMIZER,
}  # fmt: skip
VAGUE = Kind.UNKNOWN | Kind.OTHER | Kind.OBJECT | Kind.LIBRARY
FACETS: tuple[tuple[str, Callable[[Fact], int]], ...] = (
    ("grad", lambda fact: Grad.LIVE if fact.live else Grad.CUT),
    ("leaf", lambda fact: Leaf.LEAF if fact.leaf else Leaf.NONLEAF),
    ("dtype", lambda fact: DType.INTEGER if fact.integer else DType.FLOAT),
)


def judged(value: Value, facts: set[Fact], trace: Trace) -> tuple[list[str], bool]:
    """Which facets of a Value contradict what was found in its place, and whether it says neither less nor more than that."""
    wrong = [f"{f.kind} in {value}" for f in facts if not value.kind & (KINDS[f.kind] | VAGUE)]
    definite = value.kind == joined(KINDS[f.kind] for f in facts)
    tensors = [fact for fact in facts if fact.kind == "tensor"]
    if not tensors or not value.kind & (Kind.TENSOR | Kind.UNKNOWN):
        return wrong, definite
    for name, bit in FACETS:
        mask = getattr(value, name)
        if name == "grad" and value.dtype == DType.INTEGER:
            mask = Grad.CUT
        elif name == "grad" and mask == Grad.UNKNOWN and trace.is_live(value):
            mask = Grad.LIVE
        there = joined(map(bit, tensors))
        if mask and not mask & Grad.UNKNOWN and there & ~mask:
            wrong.append(f"{name} of {sorted(map(str, tensors))} in {value}")
        definite &= mask == there or name == "leaf"
    return wrong, definite


def joined(bits: Any) -> int:
    out = 0
    for bit in bits:
        out |= bit
    return out


class Verdict:
    """Of one program: what contradicts torch, and the figures; `codes`: the alarms are compared too."""

    def __init__(self, program: Settled, codes: bool = True, always: bool = True, seeds: int = MORE_SEEDS) -> None:
        self.source = program.source
        self.tally = Counter[str](programs=1)
        self.wrong: list[str] = []
        runs = program.runs.values()
        facts: dict[tuple[int, str], set[Fact]] = {}
        for ran in runs:
            self.tally["probes"] += ran.probes
            for point, seen in ran.facts.items():
                facts.setdefault(point, set()).update(seen)
        self.values(facts)
        if codes:  # where a variant raises, what an alarm speaks of may lie behind that: such as the only way to be live, or a second time
            unbroken = all(ran.error is None for ran in runs)
            lines = {line for ran in runs for line in ran.lines} if unbroken else set()
            self.alarms(program, lines - for_idle(self.source, lines) if lines else lines, always, seeds)

    def values(self, facts: dict[tuple[int, str], set[Fact]]) -> None:
        believed = beliefs(self.source, sorted(facts))
        if believed.trace.exhausted:
            self.tally["exhausted"] += 1
            return
        for point in sorted(facts):
            if point[0] not in believed.lines:
                self.wrong.append(f"{point[1]} after line {point[0]}: never reached")
            if point[0] in believed.unfollowed or point not in believed.values:
                # such as a name that only a second pass of a loop finds bound, where the first has told all
                self.tally["unknown"] += 1
                continue
            wrong, definite = judged(join_all(believed.values[point]), facts[point], believed.trace)
            self.wrong += [f"{point[1]} after line {point[0]}: {one}" for one in wrong]
            self.tally["wrong" if wrong else "definite" if definite else "unknown"] += 1

    def alarms(self, program: Settled, ran: set[int], always: bool, seeds: int) -> None:
        said = alarms(self.source)
        if not said and not always:  # there is only something to miss: a part of the programs tells how much
            return
        self.tally["witnessed"] += 1
        shown, refused = witnessed(self.source, 0).alarms, False
        open_ = {alarm for alarm in said - shown if alarm[0] in ran}
        for seed in range(seeds if len(program.runs) > 1 else len(ROUNDS)):
            if open_:
                more, raised = witnessed(self.source, seed, ROUNDS[seed % len(ROUNDS)])
                refused |= raised and any(analysis.rules()[code].LOUD for _, code in more)
                shown |= more
                open_ -= shown
        if refused:  # as above, in a variant that `settled` has not tried
            open_.clear()
        self.wrong += [f"{code} on line {line}: torch does not show it" for line, code in sorted(open_)]
        self.tally.update({"agree": len(said & shown), "static only": len(open_), "missed": len(shown - said)})
        self.tally["not run"] += len(said - shown - open_)
        self.tally.update(f"missed {code}" for _, code in shown - said)


def verdict(source: str, loud: bool, codes: bool = True, always: bool = True, seeds: int = MORE_SEEDS) -> Verdict | None:
    program = settled(source, loud)
    return Verdict(program, codes, always, seeds) if program is not None else None


def by_number(number: int) -> Verdict | None:
    random = Random(number)
    return verdict(program(random), random.random() < 0.3, always=number % 8 == 0)


def kinds(wrong: list[str]) -> set[str]:
    """What sort of contradictions these are, whatever the lines."""
    return {one.partition(":")[0][:6] if one.startswith("DET") else " ".join(one.partition(": ")[2].split()[:1]) for one in wrong}


def smallest(known: Verdict) -> Verdict:
    """The program with as few statements as still show a contradiction of the same sort."""
    sort = kinds(known.wrong)
    shrinking = True
    while shrinking:
        shrinking = False
        for node in sorted((n for n in ast.walk(ast.parse(known.source)) if isinstance(n, ast.stmt)), key=lambda n: n.lineno - (n.end_lineno or 0)):
            if isinstance(node, (ast.Pass, ast.Import, ast.ImportFrom)) or "seed(" in ast.unparse(node) or "super()" in ast.unparse(node):
                continue
            lines = known.source.split("\n")
            lines[node.lineno - 1 : node.end_lineno] = [" " * node.col_offset + "pass"]
            try:
                smaller = verdict("\n".join(lines), True, any(one.startswith("DET") for one in sort), seeds=FEWER_SEEDS)
            except SyntaxError:
                continue
            if smaller is not None and kinds(smaller.wrong) & sort and len(smaller.source) < len(known.source):
                known, shrinking = smaller, True
                break
    return known


def figures(tally: Counter[str]) -> str:
    points = tally["definite"] + tally["unknown"] + tally["wrong"]
    share = 100 * tally["definite"] / max(points, 1)
    values = f"{points} places with {tally['definite']} definite ({share:.1f} %), {tally['unknown']} unknown, {tally['wrong']} wrong"
    alarms = f"alarms: {tally['agree']} agree, {tally['static only']} static only, {tally['missed']} runtime only, {tally['not run']} on lines that did not run"
    return f"programs: {tally['programs']} in {tally['probes']} probes of {values}; {alarms}"


def test_generated_programs_agree_with_torch() -> None:
    """The profile by number: figures, and no contradiction."""
    tally = Counter[str]()
    contradictions = []
    for number in range(FIRST, FIRST + PROGRAMS):
        judged_ = by_number(number)
        if judged_ is None:
            tally["endless"] += 1
            continue
        tally += judged_.tally
        if judged_.wrong:
            small = smallest(judged_)
            contradictions.append(f"program {number}: {'; '.join(small.wrong)}\n{small.source}")
            print("\n" + contradictions[-1])
    print("\n" + figures(tally))
    print(dict(tally))
    assert not contradictions, f"{figures(tally)}\n" + "\n".join(contradictions)
    assert tally["definite"] >= DEFINITE * (tally["definite"] + tally["unknown"]), figures(tally)


@pytest.mark.parametrize("name", FOUND)
def test_what_once_contradicted_torch(name: str) -> None:
    judged_ = verdict(found(name), True)
    assert judged_ is not None and not judged_.wrong


@settings(max_examples=40, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.booleans())
def test_programs_that_hypothesis_draws_agree_with_torch(random: Random, loud: bool) -> None:
    judged_ = verdict(program(random, size=8), loud)
    assert judged_ is None or not judged_.wrong, judged_.source
