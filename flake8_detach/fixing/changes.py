"""Changes applied: a module's text, the edits of its findings -> the text with these edits.

Here: how a node of `ast` is found in the CST, and the one transformer that applies everything on leave to the already-updated node, so that
nested edits compose. Not here: what an edit does to a node (`edits`), which edits are made (`mending`).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from typing import Any, Final

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from ..edits.expressions import EXPRESSIONS, Refused
from ..edits.statements import FUNCTIONS, SMALL_STATEMENTS, Statement, statement, within, without
from ..rule import Change, Edit

Place = tuple[int, int]
COUNTERPARTS: Final[dict[type[ast.AST], tuple[type[cst.CSTNode], ...]]] = {
    ast.Name: (cst.Name,),
    ast.Call: (cst.Call,),
    ast.Attribute: (cst.Attribute,),
    ast.Subscript: (cst.Subscript,),
    ast.BinOp: (cst.BinaryOperation,),
    ast.BoolOp: (cst.BooleanOperation,),
    ast.UnaryOp: (cst.UnaryOperation,),
    ast.Compare: (cst.Comparison,),
    ast.IfExp: (cst.IfExp,),
    ast.List: (cst.List,),
    ast.Tuple: (cst.Tuple,),
    ast.Dict: (cst.Dict,),
    ast.ListComp: (cst.ListComp,),
    ast.DictComp: (cst.DictComp,),
    ast.GeneratorExp: (cst.GeneratorExp,),
    ast.Expr: (cst.Expr,),
    ast.Assign: (cst.Assign,),
    ast.AnnAssign: (cst.AnnAssign,),
    ast.AugAssign: (cst.AugAssign,),
    ast.Return: (cst.Return,),
    ast.If: (cst.If,),
    ast.For: (cst.For,),
    ast.While: (cst.While,),
    ast.With: (cst.With,),
    ast.Try: (cst.Try,),
    ast.FunctionDef: (cst.FunctionDef,),
    ast.AsyncFunctionDef: (cst.FunctionDef,),
}
BLOCKS: Final = frozenset("within before after moved_before moved_after deleted without".split())
"""The kinds of changes that rearrange statements."""


class Unparsable(Exception):
    """A text that Python parses and libcst does not: its syntax is newer than libcst, or libcst has a gap there."""


class Source:
    """A module's text, its CST, and where each node of it stands."""

    def __init__(self, text: str) -> None:
        """Raises Unparsable, and Refused for what libcst would not give back as it was."""
        try:
            self.module = cst.parse_module(text)
        except cst.ParserSyntaxError as error:
            place = error.message.partition(": expected")[0]  # its own numbers of lines are not always right
            raise Unparsable(f"libcst {version('libcst')}, which makes the fixes, does not know its syntax ({place})") from error
        if self.module.code != text:
            raise Refused("its text would not be kept as it is")
        self.lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        wrapper = MetadataWrapper(self.module, unsafe_skip_copy=True)
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self._at: dict[Place, list[tuple[cst.CSTNode, Place]]] = {}
        for node, span in wrapper.resolve(PositionProvider).items():
            if isinstance(node, (cst.BaseExpression, cst.BaseSmallStatement, cst.BaseCompoundStatement)):
                self._at.setdefault((span.start.line, span.start.column), []).append((node, (span.end.line, span.end.column)))
        rest: list[cst.CSTNode] = [self.module]
        while rest:
            node = rest.pop()
            for child in node.children:
                self.parents[child] = node
                rest.append(child)

    def find(self, node: ast.AST) -> cst.CSTNode:
        """The CST node of a node that `ast` made of the same text. Raises Refused when there is none, or more than one."""
        start = self._place(getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
        end = self._place(getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0))
        kinds = COUNTERPARTS.get(type(node), ())
        found = [(one, stop) for one, stop in self._at.get(start, ()) if isinstance(one, kinds)]
        if isinstance(node, (ast.Tuple, ast.GeneratorExp)) and not found:  # `ast` counts their parentheses in
            inner = [(one, at) for at, ones in self._at.items() for one, stop in ones if start < at and stop < end and isinstance(one, kinds)]
            found = [(one, end) for one, _ in sorted(inner, key=lambda pair: pair[1])[:1]]
        if len(found) > 1:
            found = [(one, stop) for one, stop in found if stop == end]
        if len(found) != 1:
            raise Refused(f"no single {type(node).__name__} at {start}")
        return found[0][0]

    def statement(self, node: ast.AST) -> Statement:
        """The line or block of a statement. Raises Refused for one that shares its line with others."""
        found = self.find(node)
        if isinstance(found, cst.BaseSmallStatement):
            line = self.parents[found]
            if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
                raise Refused("it shares its line")
            found = line
        if not isinstance(self.parents[found], (cst.IndentedBlock, cst.Module)) or not isinstance(found, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
            raise Refused("it is no statement of a block")
        return found

    def _place(self, line: int, column: int) -> Place:
        """(line, column in characters) from the column in bytes of UTF-8."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return line, column if text.isascii() else len(text.encode()[:column].decode(errors="replace"))


class Applied(cst.CSTTransformer):
    """Applies changes of nodes and of statements."""

    def __init__(self, source: Source, changes: Iterable[Change]) -> None:
        super().__init__()
        self.nodes: dict[cst.CSTNode, list[Change]] = {}
        self.blocks: dict[cst.CSTNode, list[tuple[Change, list[Statement]]]] = {}
        for change in changes:
            if change.kind not in BLOCKS:
                self.nodes.setdefault(source.find(change.node), []).append(change)
                continue
            named = [source.statement(node) for node in (change.node, *change.arguments) if isinstance(node, ast.AST)]
            for one in named if change.kind.startswith("moved") else named[:1]:
                self.blocks.setdefault(source.parents[one], []).append((change, named))

    def on_leave(self, original_node: cst.CSTNode, updated_node: Any) -> Any:
        for change in self.nodes.get(original_node, ()):
            updated_node = _changed(updated_node, change)
        if original_node in self.blocks:
            updated_node = self._rearranged(original_node, updated_node)
        return updated_node

    def _rearranged(self, original: Any, updated: Any) -> Any:
        rows: list[tuple[Statement | None, list[Statement]]] = [(old, [new]) for old, new in zip(original.body, updated.body)]
        changes = list(dict.fromkeys((change, tuple(named)) for change, named in self.blocks[original]))
        for change, named in changes:
            rows = _rearranged(rows, change, named)
        body = [new for _, news in rows for new in news]
        return updated.with_changes(body=body or [statement("pass")])


def _changed(node: Any, change: Change) -> Any:
    function: Callable[..., Any] = EXPRESSIONS.get(change.kind) or SMALL_STATEMENTS.get(change.kind) or FUNCTIONS[change.kind]
    return function(node, *change.arguments)


Rows = list[tuple["Statement | None", list[Statement]]]


def _rearranged(rows: Rows, change: Change, named: Sequence[Statement]) -> Rows:
    """The rows (an original statement, what stands for it now) of one block after a change of its statements."""
    text = next((a for a in change.arguments if isinstance(a, str)), "")
    if change.kind.startswith("moved"):
        return _moved(rows, change.kind, *named)
    place = _index(rows, named[0])
    old, news = rows[place]
    if change.kind == "within":
        last = _index(rows, named[1])
        inside = [new for _, row in rows[place : last + 1] for new in row]
        return [*rows[:place], (old, [within(inside, text)]), *rows[last + 1 :]]
    if change.kind == "deleted":
        return _taken(rows, place)
    if change.kind == "without":
        return [*rows[:place], (old, [one for new in news for one in without(new)]), *rows[place + 1 :]]
    if change.kind == "before":
        first = news[0]
        added = statement(text).with_changes(leading_lines=first.leading_lines)
        return [*rows[:place], (old, [added, first.with_changes(leading_lines=()), *news[1:]]), *rows[place + 1 :]]
    return [*rows[:place], (old, [*news, statement(text)]), *rows[place + 1 :]]


def _moved(rows: Rows, kind: str, what: Statement, where: Statement) -> Rows:
    """A statement is taken out of the block, put in beside another, or both."""
    if any(old is what for old, _ in rows):
        rows = _taken(rows, _index(rows, what))
    place = next((n for n, (old, _) in enumerate(rows) if old is where), None)
    if place is None:
        return rows
    moved = what.with_changes(leading_lines=[line for line in what.leading_lines if line.comment is not None])
    if kind == "moved_after":
        return [*rows[: place + 1], (None, [moved]), *rows[place + 1 :]]
    first, *rest = rows[place][1]
    lines = first.leading_lines
    empty = [line for line in lines if line.comment is None]
    moved = moved.with_changes(leading_lines=[*empty, *moved.leading_lines])
    kept = first.with_changes(leading_lines=[line for line in lines if line.comment is not None])
    return [*rows[:place], (None, [moved]), (rows[place][0], [kept, *rest]), *rows[place + 1 :]]


def _taken(rows: Rows, place: int) -> Rows:
    """Without a row; the blank lines before it stay."""
    lines = [line for line in rows[place][1][0].leading_lines if line.comment is None]
    rows = [*rows[:place], *rows[place + 1 :]]
    if lines and place < len(rows):
        old, (first, *rest) = rows[place]
        rows[place] = (old, [first.with_changes(leading_lines=[*lines, *first.leading_lines]), *rest])
    return rows


def _index(rows: Rows, wanted: Statement) -> int:
    for number, (old, _) in enumerate(rows):
        if old is wanted:
            return number
    raise Refused("its statements stand in different blocks")


def applied(text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits made; what they don't touch is kept as it is. Raises Refused and Unparsable."""
    source = Source(text)
    changes = list(dict.fromkeys(change for edit in edits for change in edit.changes))
    module = source.module.visit(Applied(source, changes))
    return str(_with_imports(module, sorted({name for edit in edits for name in edit.imports})).code)


def _with_imports(module: cst.Module, names: Sequence[str]) -> cst.Module:
    """`import name` in front of the first import at the top of the module that is none of the future's."""
    if not names:
        return module
    body = list(module.body)
    place = next((n for n, one in enumerate(body) if _is_import(one)), None)
    if place is None:
        raise Refused("there is no import beside which another could stand")
    first = body[place]
    assert isinstance(first, cst.SimpleStatementLine)
    new = [statement(f"import {name}") for name in names]
    blank = [line for line in first.leading_lines if line.comment is None]
    body[place] = first.with_changes(leading_lines=[line for line in first.leading_lines if line.comment is not None])
    return module.with_changes(body=[*body[:place], new[0].with_changes(leading_lines=blank), *new[1:], *body[place:]])


def _is_import(node: cst.CSTNode) -> bool:
    if not isinstance(node, cst.SimpleStatementLine) or not isinstance(node.body[0], (cst.Import, cst.ImportFrom)):
        return False
    module = getattr(node.body[0], "module", None)
    return not (isinstance(module, cst.Name) and module.value == "__future__")
