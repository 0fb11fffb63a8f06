"""What the fixtures say about themselves: the marks at the ends of their lines, and whose scenario each line is (fixtures/README.md).

What lives here: the grammar of the marks, read strictly, and what they ask of each engine. What must not: any engine.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

FIXTURES = Path(__file__).parent.parent / "fixtures"
RULES = sorted((FIXTURES / "rules").glob("*.py"))
PROGRAMS = sorted((FIXTURES / "programs").glob("*.py"))
MARK = re.compile(r"(?P<code>DET[0-9]{3})(?: (?P<word>missed|false)| (?P<unseen>unseen): (?P<reason>\S.*))?")

Finding = tuple[int, str]


class Mark(NamedTuple):
    """One mark: `word` is "" where both engines say the code, else `missed`, `false` or `unseen` with its reason."""

    line: int
    code: str
    word: str = ""
    reason: str = ""


class Scenario(NamedTuple):
    """A top-level function without parameters, and its lines with those of its decorators."""

    name: str
    lines: range


@cache
def marks(path: Path) -> tuple[Mark, ...]:
    """All marks of a file. Raises ValueError for a comment that begins like a mark and is none."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT:
            found += [_mark(path, token.start[0], part.strip()) for part in token.string.split("#") if part.strip().startswith("DET")]
    return tuple(found)


def _mark(path: Path, line: int, text: str) -> Mark:
    match = MARK.fullmatch(text)
    if match is None:
        raise ValueError(f"{path}:{line}: not a mark: {text!r}")
    return Mark(line, match["code"], match["word"] or match["unseen"] or "", match["reason"] or "")


def seen_by_the_linter(path: Path) -> set[Finding]:
    """What the linter must say of the file: everything but what it is known to miss."""
    return {(mark.line, mark.code) for mark in marks(path) if mark.word != "missed"}


def seen_by_torch(path: Path) -> set[Finding]:
    """What must happen under torch: everything but false alarms and what one run cannot show."""
    return {(mark.line, mark.code) for mark in marks(path) if mark.word in ("", "missed")}


def debts(paths: Iterable[Path]) -> Counter[str]:
    """How often each of the three words is used."""
    return Counter(mark.word for path in paths for mark in marks(path) if mark.word)


@cache
def scenarios(path: Path) -> tuple[Scenario, ...]:
    """The scenarios of a file, in its order."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return tuple(Scenario(f.name, _lines(f)) for f in functions if not ast.unparse(f.args))


def _lines(function: ast.FunctionDef) -> range:
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return range(first, (function.end_lineno or first) + 1)


def within(findings: Iterable[Finding], lines: range) -> set[Finding]:
    """The findings on these lines."""
    return {(line, code) for line, code in findings if line in lines}


def shared(path: Path, findings: Iterable[Finding]) -> set[Finding]:
    """The findings on lines of no scenario: at least one scenario shows them."""
    own = [scenario.lines for scenario in scenarios(path)]
    return {(line, code) for line, code in findings if not any(line in lines for lines in own)}
