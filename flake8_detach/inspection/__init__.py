"""Looking into the linter: what it believes of the values of a file, and why. The room of the commands `trace` and `graph`.

Here: a file read and interpreted with an eye on some lines. Not here: how it is told (beliefs: in words; lineage: as a graph). Nothing of the
linter imports this room.
"""

from __future__ import annotations

import ast
import tokenize
from pathlib import Path
from typing import NamedTuple

from flake8_detach import analysis
from flake8_detach.interpreter import UnknownSyntax
from flake8_detach.interpreter.observed import Observed, Seen
from flake8_detach.settings import DEFAULT, Settings
from flake8_detach.trace import Trace


class Found(NamedTuple):
    """A finding with its node."""

    code: str
    node: ast.expr | ast.stmt
    message: str


class Inspection(NamedTuple):
    """A file with an eye on one of its lines, or (None) on all: what was seen there, and the findings; `how`: the layers of torch.nn by place."""

    line: int | None
    trace: Trace
    seen: list[Seen]
    findings: list[Found]
    how: dict[int, str]


class Uninspectable(Exception):
    """A file that can't be read, is no Python, or is too large; its text says which and why."""


def inspect(path: str, line: int | None, settings: Settings = DEFAULT) -> Inspection:
    """Interpret a file, with an eye on the statement at a line (of a compound one its head), or on all. Raises Uninspectable."""
    source = read(path)
    try:
        tree = ast.parse(source, path)
    except (SyntaxError, ValueError) as error:
        raise Uninspectable(f"{path}: {error}") from error
    lines = range(1, len(source) + 2) if line is None else lines_of_statement(tree, line)
    if not lines:
        raise Uninspectable(f"{path}: no statement stands on line {line}")
    observed = Observed(tree, path, source, settings, lines)
    try:
        trace = observed.run()
    except UnknownSyntax as unknown:
        raise Uninspectable(f"{path}:{unknown.node.lineno}: flake8-detach does not know this syntax ({unknown} of Python's `ast`)") from unknown
    if trace.exhausted:
        raise Uninspectable(f"{path}: the file was not analysed: {trace.exhausted}")
    findings = [found for found in _findings(trace, settings) if found.node.lineno in lines]
    return Inspection(line, trace, list(observed.seen), findings, observed.how)


def lines_of_statement(tree: ast.Module, line: int) -> range:
    """The lines of the innermost statement at a line, of a compound one those of its head; empty where there is none."""
    found = range(0)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and _first(node) <= line <= (node.end_lineno or 0):
            blocks = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
            end = min([(node.end_lineno or 0) + 1, *(max(_first(child), node.lineno + 1) for child in blocks)])
            if line < end:
                found = range(_first(node), end)
    return found


def _first(node: ast.stmt) -> int:
    """The line on which a statement begins, with its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def read(path: str) -> str:
    """The text of a Python file, by its own encoding. Raises Uninspectable."""
    try:
        with tokenize.open(path) as stream:
            return stream.read()
    except OSError as error:
        raise Uninspectable(f"{path}: {error.strerror}") from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise Uninspectable(f"{path}: {error}") from error


def _findings(trace: Trace, settings: Settings) -> list[Found]:
    found = [
        Found(code, finding.node, rule.MESSAGE.format(**finding.fields))
        for code, rule in analysis.rules().items()
        if code not in settings.off
        for finding in rule.check(trace)
    ]
    places = {(one.node.lineno, one.node.col_offset, one.code): one for one in reversed(found)}
    return [one for _, one in sorted(places.items())]


def place(text: str) -> tuple[str, int | None]:
    """`FILE` or `FILE:LINE`; a line from 1. Raises Uninspectable for a line that is none."""
    path, colon, line = text.rpartition(":")
    if not colon or Path(text).exists():
        return text, None
    if not line.isdecimal() or int(line) < 1:
        raise Uninspectable(f"{text}: {line!r} is no line number")
    return path, int(line)
