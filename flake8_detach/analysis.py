"""The assembly line on one screen: source -> gate -> interpretation -> Trace -> rules -> findings, positioned and sorted.

Here: the order of the steps. Not here: what any step does. The linter reads the `ast` tree that flake8 made anyway; nothing of the linted
program is imported or executed.
"""

from __future__ import annotations

import ast
import gc
import importlib
import re
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import accumulate
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from . import __version__
from .rule import Edit, Finding
from .settings import DEFAULT, Settings

RULES = Path(__file__).resolve().parent / "rules"
IMPORTS_TORCH = re.compile(
    r"^[^\S\n]*(?:from|import)\s[^#\n]*\b(torch|lightning|pytorch_lightning|accelerate|transformers|timm|torchvision)\b", re.M
)
IMPORTS_RIVAL = re.compile(r"^[^\S\n]*(?:from|import)\s+(?:paddle|oneflow|jittor|tinygrad|mxnet|mindspore|megengine|chainer)\b", re.M)
"""Frameworks whose parameters have a `zero_grad()` too, or that may have."""
IMPORTS_ALL = re.compile(r"^from\s+\S+\s+import\s+\*(?=.*\b(?:torch\.|nn\.Module\b|no_grad\b))", re.M | re.S)
"""A star import, above a use of torch: that is where torch comes from."""
TORCH_WORDS = ("torch.", "nn.Module", "no_grad")
"""One of which is that use: found in a tenth of the time."""
CAN_FIRE = re.compile(
    r"\bbackward\b|\.eval\(\)|no_grad|inference_mode|requires_grad|require_grad|required_grad|\.numpy\(|\bnp\.|\bplt\.|\bprint\(|\.add_scalar|volatile"
    r"|\.append\(|log|set_postfix|\.step\(|deepcopy|tensor\(|\bfloat\(|\.put|\.send\(|[dD]ropout|grad_enabled|state_dict|Parameter\(|Module\):|\bctx\b|\.data\b|checkpoint|\.detach\(|action"
    r"|\.(?:eval|train|step|zero_grad)\s*$",
    re.M,
)
OFTEN = ("Module):", "log", ".step(", ".eval()")
"""Of what CAN_FIRE looks for, what nearly every file has that it lets through: found in a tenth of its time."""
WORDS = (
    "backward .eval no_grad inference_mode requires_grad require_grad required_grad .numpy( np. plt. print( .add_scalar volatile .append("
    " set_postfix .step deepcopy tensor( float( .put .send( ropout grad_enabled state_dict Parameter( ctx .data checkpoint .detach( action"
    " .train .zero_grad"
).split()
"""One of which, or of OFTEN, stands in whatever CAN_FIRE finds."""

STACK = 4000
"""How many calls deep the analysis may stand. pyflakes, which spends two or more calls on a level of nesting, gets as deep as Python's usual 1000
let it; a comprehension in a comprehension costs the interpreter seven. Measured by tests/fuzz; far below what the C stack bears on any system."""


class Report(NamedTuple):
    """One line for flake8: line from 1, column from 0 in characters."""

    line: int
    column: int
    code: str
    text: str


class Diagnosis(NamedTuple):
    """A report, and what mends it."""

    report: Report
    edit: Edit | None


def check(tree: ast.Module, lines: Sequence[str], filename: str, settings: Settings = DEFAULT) -> list[Report]:
    """All findings of one file, sorted by place. `lines` are the file's lines with their ends, `filename` as flake8 shows it."""
    return sorted({report for report, _ in _diagnose(tree, lines, filename, settings, watch=False)})


def diagnose(tree: ast.Module, lines: Sequence[str], filename: str, settings: Settings = DEFAULT) -> list[Diagnosis]:
    """As `check`, each finding with the Edit that mends it, where there is one. Costs more: what expressions are worth is written down."""
    return sorted(_diagnose(tree, lines, filename, settings, watch=True), key=lambda found: found.report)


def _diagnose(tree: ast.Module, lines: Sequence[str], filename: str, settings: Settings, watch: bool) -> list[Diagnosis]:
    source = "".join(lines)
    if not may_fire(source) and not settings.are_mentioned(source):
        return []
    with _without_collection(), _deep_stack():
        return _reports(tree, lines, filename, source, settings, watch)


@contextmanager
def _without_collection() -> Iterator[None]:
    """No garbage collection meanwhile: the many small values live as long as the file's analysis, and looking through them costs a fifth."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _deep_stack() -> Iterator[None]:
    """Room for the deepest program that flake8 follows. Where even that is too little, the interpreter gives the file up."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(max(usual, STACK))
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


def _reports(tree: ast.Module, lines: Sequence[str], filename: str, source: str, settings: Settings, watch: bool) -> list[Diagnosis]:
    """Interpretation, then every rule that is not off."""
    from .interpreter import UnknownSyntax, interpret

    try:
        trace = interpret(tree, filename, source, settings, watch)
    except UnknownSyntax as unknown:
        line, column = unknown.node.lineno, unknown.node.col_offset
        text = f"the file was not analysed: its syntax ({unknown} of Python's `ast`) is newer than flake8-detach {__version__}"
        return [Diagnosis(Report(line, _column(lines, line, column), "DET000", text), None)]
    if trace.exhausted:
        return [Diagnosis(Report(1, 0, "DET000", f"the file was not analysed: {trace.exhausted}"), None)]
    return [
        Diagnosis(Report(line, _column(lines, line, column), code, rule.MESSAGE.format(**finding.fields)), finding.edit)
        for code, rule in rules().items()
        if code not in settings.off
        for (line, column), finding in _findings(rule, trace)
    ]


def may_fire(source: str) -> bool:
    """The gate: whether any rule could find something in a text."""
    if not _speaks_torch(source):
        return False
    return any(word in source for word in OFTEN) or any(word in source for word in WORDS) and CAN_FIRE.search(source) is not None


def _speaks_torch(source: str) -> bool:
    """Whether a text imports torch, or trains with what it is given by code that does: it clears gradients the way torch calls it."""
    if "torch" in source and IMPORTS_TORCH.search(source) is not None:
        return True
    brought = any(word in source for word in TORCH_WORDS) and IMPORTS_ALL.search(source) is not None
    return (".zero_grad(" in source or brought) and IMPORTS_RIVAL.search(source) is None


def _findings(rule: ModuleType, trace: object) -> Iterator[tuple[tuple[int, int], Finding]]:
    """A rule's findings by line and byte column, one for each place: the first, with the first edit that any has."""
    seen: dict[tuple[int, int], Finding] = {}
    for finding in rule.check(trace):
        place = (getattr(finding.node, "lineno", 0), getattr(finding.node, "col_offset", 0))
        if place not in seen:
            seen[place] = finding
        elif seen[place].edit is None and finding.edit is not None:
            seen[place] = seen[place]._replace(edit=finding.edit)
    yield from seen.items()


def _column(lines: Sequence[str], line: int, column: int) -> int:
    """A column in characters from the column in UTF-8 bytes that `ast` gives."""
    if not 0 < line <= len(lines) or lines[line - 1].isascii():
        return column
    return bisect_left(_starts(lines[line - 1]), column)


@lru_cache(maxsize=1)
def _starts(line: str) -> list[int]:
    """Where each character of a line begins, in UTF-8 bytes; counted once for all findings of a line, which may be a megabyte long."""
    return [0, *accumulate(len(character.encode(errors="surrogatepass")) for character in line)]


@cache
def rules() -> dict[str, ModuleType]:
    """The rules by code: the modules of the folder `rules/` named detNNN_slug.py."""
    names = sorted(p.stem for p in RULES.glob("det[0-9][0-9][0-9]_*.py"))
    return {name[:6].upper(): importlib.import_module(f"{__package__}.rules.{name}") for name in names}
