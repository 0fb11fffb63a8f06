"""Observed: an interpretation that also writes down what it believes of the expressions and names of some lines.

Here: the record, and the two places where it is made. Not here: what is told of it (beliefs, lineage). The linter never uses this class.
"""

from __future__ import annotations

import ast
from collections.abc import Container
from typing import NamedTuple

from flake8_detach.settings import Settings
from flake8_detach.trace import written
from flake8_detach.value import Kind, Value

from .own_names import OwnNames


class Seen(NamedTuple):
    """What was believed at one visit of a place: of an expression, or of a name or attribute (`bound`) that was bound there.

    mode: the grad mode then; training: the training mode of a module, 0 where no call in the file sets it.
    """

    node: ast.expr | ast.stmt
    value: Value
    mode: int
    frame: int
    bound: str = ""
    training: int = 0


class Observed(OwnNames):
    """Interprets one file and records what it believes on `lines`."""

    def __init__(self, tree: ast.Module, filename: str, source: str, settings: Settings, lines: Container[int]) -> None:
        super().__init__(tree, filename, source, settings)
        self.lines = lines
        self.seen: dict[Seen, None] = {}  # equal visits collapse

    def note_seen(self, node: ast.expr | ast.stmt, value: Value, bound: str = "") -> None:
        """Write down a visit, if its line is asked for."""
        if node.lineno in self.lines:
            training = self.training_state(value) if value.kind & Kind.MODULE else 0
            self.seen[Seen(node, value, self.mode, self.here.frame, bound, training)] = None

    def eval(self, node: ast.expr) -> Value:
        value = super().eval(node)
        self.note_seen(node, value)
        return value

    def bind_name(self, name: str, value: Value, node: ast.AST) -> None:
        super().bind_name(name, value, node)
        if isinstance(node, (ast.expr, ast.stmt)) and not isinstance(node, (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef)):
            slot = self.state.store.get((self.here.outer.get(name, self.here.scope), name))
            self.note_seen(node, slot if isinstance(slot, Value) else value, name)

    def write_attribute(self, target: Value, name: str, value: Value, node: ast.AST) -> None:
        super().write_attribute(target, name, value, node)
        if isinstance(node, ast.Assign):
            targets = [t for t in node.targets if isinstance(t, ast.Attribute) and t.attr == name]
            self.note_seen(node, value, written(targets[0]) if targets else name)
