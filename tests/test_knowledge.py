"""PyTorch's own operator database as the judge of the knowledge: for every entry the Value that the linter gets from program text must
contain the tensor that torch makes.

Here: what the linter believes of each call that operator_calls spells, compared with what torch did, and the figures. Not here: how an entry
is spelled and run. `DETACH_OPERATORS=20` takes as many samples of each entry instead of one, and more dtypes.

    pytest tests/test_knowledge.py -s -k operators      prints the figures, and each call about which the linter is wrong or knows nothing
"""

from __future__ import annotations

import ast
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import pytest
import torch
from operator_calls import Call, Fact, calls, op_db

from flake8_detach.interpreter import interpret
from flake8_detach.trace import Role, Trace
from flake8_detach.value import DType, Grad, Kind, Leaf, Value, join_all

SAMPLES = int(os.environ.get("DETACH_OPERATORS", "1"))
DTYPES = (torch.float32, torch.int64, *((torch.complex64, torch.bool, torch.float64) if SAMPLES > 1 else ()))
FILE = 400
"""How many calls are interpreted as one program."""
DEFINITE = 0.95
KINDS = {
    "tensor": Kind.TENSOR,
    "number": Kind.NUMBER,
    "container": Kind.CONTAINER,
    "none": Kind.NONE,
    "text": Kind.TEXT,
    "other": Kind.OTHER,
}
VAGUE = Kind.UNKNOWN | Kind.OTHER | Kind.OBJECT | Kind.LIBRARY


class Verdict(NamedTuple):
    """Of one call: where the linter contradicts torch, and what it leaves open."""

    call: Call
    wrong: tuple[str, ...]
    unknown: tuple[str, ...]


@cache
def verdicts() -> tuple[Verdict, ...]:
    """Every call of every entry, judged."""
    every = [call for entry in op_db for dtype in DTYPES for call in calls(entry, dtype, SAMPLES)]
    return tuple(verdict for start in range(0, len(every), FILE) for verdict in judged(every[start : start + FILE]))


def judged(batch: Sequence[Call]) -> Iterator[Verdict]:
    """The calls, interpreted as the functions of one program."""
    lines = ["import torch"]
    asked: list[tuple[int, dict[str, int]]] = []  # of each call: its line, and the line on which each place is revealed
    for number, call in enumerate(batch):
        lines += [f"def call_{number}():", *(f"    {line}" for line in call.operands), f"    with torch.{call.mode}():", f"        {call.text}"]
        at = len(lines)
        lines += [f"    reveal({fact.place})" for fact in call.facts]
        asked.append((at, {fact.place: at + n for n, fact in enumerate(call.facts, 1)}))
    source = "\n".join(lines) + "\n"
    trace = interpret(ast.parse(source), "operators.py", source)
    seen = defaultdict[int, list[Value]](list)
    for event in trace.of(Role.REVEAL):
        seen[event.node.lineno].append(event.value)  # type: ignore[attr-defined]
    writes = defaultdict[int, list[Value]](list)
    for event in trace.of(Role.INPLACE):
        writes[event.node.lineno].append(event.value)  # type: ignore[attr-defined]
    for call, (at, places) in zip(batch, asked):
        believed = {place: join_all(seen[line]) for place, line in places.items() if line in seen}
        yield compared(call, believed, writes[at], trace)


def compared(call: Call, believed: dict[str, Value], writes: list[Value], trace: Trace) -> Verdict:
    """What is believed of each place against what torch has there."""
    wrong: list[str] = []
    unknown: list[str] = []
    operands = {place: value for place, value in believed.items() if place[0] == "x"}
    for fact in call.facts:
        value = believed.get(fact.place)
        if value is None:
            unknown.append(f"{fact.place} never reached")
            continue
        for facet, inside, sure in facets(fact, value):
            (wrong if not inside else unknown).extend([f"{fact.place} {facet}"] * (not inside or not sure))
        if fact.place[0] == "r" and fact.kind == "tensor":
            for facet, claimed, true in storages(fact, value, operands, trace):
                (wrong if claimed else unknown).extend([f"{fact.place} {facet}"] * (claimed != true))
    refs = frozenset(ref for value in writes for ref in value.refs)
    for place, value in operands.items():
        claimed, true = bool(refs & owners(value.refs, trace)), place in call.written
        (wrong if claimed else unknown).extend([f"{place} written"] * (claimed != true))
    return Verdict(call, tuple(wrong), tuple(unknown))


def facets(fact: Fact, value: Value) -> Iterator[tuple[str, bool, bool]]:
    """Each facet of one object: its name, whether the Value contains it, and whether it contains nothing else."""
    kind = KINDS[fact.kind]
    yield f"kind: {fact.kind} in {value}", bool(value.kind & (kind | VAGUE)), value.kind == kind
    if fact.kind != "tensor" or not value.kind & Kind.TENSOR:
        return
    grad, other = (Grad.LIVE, Grad.CUT) if fact.live else (Grad.CUT, Grad.LIVE)
    believed = value.grad if value.dtype != DType.INTEGER else Grad.CUT
    yield f"grad: {'live' if fact.live else 'cut'} in {value}", bool(believed & (grad | Grad.UNKNOWN)), not believed & (other | Grad.UNKNOWN)
    dtype = DType.INTEGER if fact.integer else DType.FLOAT
    yield f"dtype: {'integer' if fact.integer else 'float'} in {value}", not value.dtype or bool(value.dtype & dtype), value.dtype == dtype
    leaf = Leaf.LEAF if fact.leaf else Leaf.NONLEAF
    yield f"leaf: {'leaf' if fact.leaf else 'nonleaf'} in {value}", not value.leaf or bool(value.leaf & leaf), True


def storages(fact: Fact, value: Value, operands: dict[str, Value], trace: Trace) -> Iterator[tuple[str, bool, bool]]:
    """For each operand: whether the linter claims that the result shares its storage, and is it; and whether that is so."""
    for place, operand in operands.items():
        same = bool(value.refs & operand.refs)
        yield f"shares {place}", same or bool(owners(value.refs, trace) & owners(operand.refs, trace)), place in fact.shares
        if same:
            yield f"is {place}", True, place in fact.same


def owners(refs: frozenset[int], trace: Trace) -> frozenset[int]:
    """These tensors, and those whose storage they share."""
    found, rest = set[int](), list(refs)
    while rest:
        token = rest.pop()
        if token not in found:
            found.add(token)
            rest += trace.shares.get(token, ())
    return frozenset(found)


def shown(verdict: Verdict, what: Sequence[str]) -> str:
    call = verdict.call
    return f"{call.entry}: {'; '.join(call.operands)}; {call.mode}: {call.text}\n        {'; '.join(what)}"


def figures(found: Sequence[Verdict]) -> str:
    entries = {verdict.call.entry.rpartition(" ")[0] for verdict in found}
    tally = Counter("wrong" if v.wrong else "unknown" if v.unknown else "definite" for v in found)
    share = 100 * tally["definite"] / len(found)
    counts = f"{tally['definite']} definite ({share:.1f} %), {tally['unknown']} unknown, {tally['wrong']} wrong"
    return f"operators: {len(entries)} of {len(op_db)} entries tried in {len(found)} calls: {counts}"


def test_operators_lie_inside_what_the_linter_believes() -> None:
    found = verdicts()
    print("\n" + figures(found))
    for verdict in found:
        if verdict.unknown and not verdict.wrong:
            print("unknown " + shown(verdict, verdict.unknown))
    wrong = [shown(verdict, verdict.wrong) for verdict in found if verdict.wrong]
    assert not wrong, f"{figures(found)}\n" + "\n".join(wrong)


def test_operators_are_answered_definitely() -> None:
    found = verdicts()
    definite = sum(not v.wrong and not v.unknown for v in found)
    assert definite >= DEFINITE * len(found), figures(found)


def test_nearly_all_operators_are_tried() -> None:
    found = verdicts()
    assert len({v.call.entry.rpartition(" ")[0] for v in found}) >= DEFINITE * len(op_db), figures(found)


LIES: dict[str, dict[str, Any]] = {
    "live": {"live": False},
    "leaf": {"leaf": True},
    "integer": {"integer": True},
    "kind": {"kind": "container"},
    "shares": {"shares": frozenset()},
}


@pytest.mark.parametrize("lie", LIES)
def test_the_judge_sees_a_contradiction(lie: str) -> None:
    entry = next(e for e in op_db if e.name == "transpose")
    call = next(c for c in calls(entry, torch.float32, 1) if c.mode == "enable_grad" and "requires_grad" in c.operands[0])
    (true,) = judged([call])
    assert not true.wrong and not true.unknown
    (false,) = judged([call._replace(facts=(call.facts[0]._replace(**LIES[lie]), *call.facts[1:]))])
    assert false.wrong
