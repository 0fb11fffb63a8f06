"""The program under observation: its source, its loops, and which place of it a running frame stands at.

Only positions are read from the source, never meaning: what happened is for torch to say. Nothing here imports torch.
"""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)
DYNAMIC = frozenset({"eval", "exec", "globals", "locals", "vars"})  # with these a statement reaches variables that it doesn't name
SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return)


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A place of the program: 1-based line, 0-based column."""

    line: int
    column: int = 0


@dataclass(frozen=True, slots=True)
class Loop:
    """A `for` or `while` statement: the lines of its header and the last line of its body."""

    first: int
    body: int
    last: int

    def header(self, line: int) -> bool:
        """Whether `line` is in the loop's header, which runs once per iteration."""
        return self.first <= line < max(self.body, self.first + 1)

    def holds(self, line: int) -> bool:
        """Whether `line` is anywhere in the loop."""
        return self.first <= line <= self.last


class Program:
    """One source file. Raises OSError, SyntaxError or UnicodeDecodeError when it cannot be read."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.source = Path(path).read_bytes()
        self.lines = self.source.splitlines()
        self.tree = ast.parse(self.source, path)
        self._sites: dict[tuple[int, int], tuple[Site, CodeType]] = {}
        self._calls: dict[tuple[int, int], Site] = {}
        self._comprehending: dict[int, range] = {}
        self._withs: list[ast.With | ast.AsyncWith] = []
        self.loops: dict[int, list[Loop]] = {}
        self.headers: set[int] = set()  # the lines of the loops' headers
        self._names: dict[int, set[str]] = {}
        self._read()

    def _read(self) -> None:
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
                for line in _own_lines(node):
                    self._names.setdefault(line, set()).update(_own_names(node))
            if isinstance(node, ast.Call) and node.end_lineno is not None and node.end_col_offset is not None:
                self._calls[node.end_lineno, node.end_col_offset] = Site(node.lineno, node.col_offset)
            elif isinstance(node, (ast.With, ast.AsyncWith)):
                self._withs.append(node)
            elif isinstance(node, SIMPLE) and any(isinstance(part, COMPREHENSIONS) for part in ast.walk(node)):
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                self._comprehending.update(dict.fromkeys(lines, lines))
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) if not isinstance(node, ast.Module) else 0
                self.loops[first] = list(_own_loops(node))
                self.headers.update(line for loop in self.loops[first] for line in range(loop.first, max(loop.body, loop.first + 1)))

    def loops_of(self, code: CodeType) -> list[Loop]:
        """The loops written directly in the function (or module) of `code`, outermost first."""
        return self.loops.get(0 if code.co_name == "<module>" else code.co_firstlineno, [])

    def names(self, line: int) -> set[str] | None:
        """The variables that the statement at `line` names, without those of the statements inside it; None if it may reach any."""
        found = self._names.get(line, set())
        return None if found & DYNAMIC else found

    def comprehension(self, line: int) -> range | None:
        """The lines of the simple statement at `line` if it has a comprehension in it."""
        return self._comprehending.get(line)

    def owns(self, code: CodeType) -> bool:
        """Whether `code` was compiled from this file."""
        return code.co_filename == self.path

    def innermost(self, frame: FrameType | None) -> FrameType | None:
        """The innermost frame of this file at or below `frame`: torch's own lines are never where a mistake is."""
        while frame is not None and frame.f_code.co_filename != self.path:
            frame = frame.f_back
        return frame

    def site(self, frame: FrameType) -> Site:
        """Where `frame` stands: the beginning of the expression whose instruction runs (PEP 657), else the line alone."""
        code, place = frame.f_code, frame.f_lasti
        # the code is kept: another one must not get its identity
        site, _ = self._sites.get((id(code), place), (None, code))
        if site is None:
            site = self._site(code, place, frame.f_lineno or 0)
            self._sites[id(code), place] = site, code
        return site

    def _site(self, code: CodeType, place: int, lineno: int) -> Site:
        if sys.version_info < (3, 11) or place < 0:
            return Site(lineno)
        line, end, column, end_column = next(itertools.islice(code.co_positions(), place // 2, None))
        if line is None or column is None:
            return Site(lineno)
        found = Site(line, column)
        # CPython moves a method call's start to the attribute's line; the expression begins where its Call node does
        return min(found, self._calls.get((end or 0, end_column or 0), found))

    def indentation(self, line: int) -> int:
        """The column at which the text of `line` begins."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else b""
        return len(text) - len(text.lstrip())

    def with_statement(self, site: Site) -> Site:
        """The `with` statement that begins at `site` or whose header holds it, else `site` itself."""
        node = self._with_at(site)
        return site if node is None else Site(node.lineno, node.col_offset)

    def context_expressions(self, site: Site) -> list[ast.expr]:
        """The context expressions of the `with` statement at `site`, if one is there."""
        node = self._with_at(site)
        return [] if node is None else [item.context_expr for item in node.items]

    def _with_at(self, site: Site) -> ast.With | ast.AsyncWith | None:
        for node in self._withs:
            contexts = [item.context_expr for item in node.items]
            inside = any(Site(e.lineno, e.col_offset) <= site < Site(e.end_lineno or 0, e.end_col_offset or 0) for e in contexts)
            # before Python 3.11 only the line is known
            if inside or site in (Site(node.lineno, node.col_offset), Site(node.lineno)):
                return node
        return None


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A statement's nodes, without the statements inside it."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield from _own_nodes(child)


def _own_lines(node: ast.AST) -> range:
    """The lines of a simple statement, or of the header of a compound one."""
    lines = [(n.lineno, n.end_lineno or n.lineno) for n in _own_nodes(node) if n is not node and isinstance(n, (ast.expr, ast.pattern, ast.arg))]
    if isinstance(node, ast.stmt):
        lines.append((node.lineno, node.lineno if getattr(node, "body", None) else node.end_lineno or node.lineno))
    return range(min((first for first, _ in lines), default=0), max((last for _, last in lines), default=-1) + 1)


def _own_names(node: ast.AST) -> Iterator[str]:
    """The variables that a statement reads or binds."""
    for part in _own_nodes(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.alias):
            yield (part.asname or part.name).partition(".")[0]
        elif isinstance(part, ast.MatchMapping):
            yield part.rest or ""
        elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            yield part.name or ""


def _own_loops(function: ast.AST) -> list[Loop]:
    found: list[Loop] = []
    for node in ast.iter_child_nodes(function):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            last = max((n.end_lineno or 0) for n in node.body)
            found.append(Loop(node.lineno, node.body[0].lineno, last))
        found.extend(_own_loops(node))
    return sorted(found, key=lambda loop: (loop.first, -loop.last))
