"""Judgements: whether a value is true, how two compare, and what a text shows.

Here: three-valued answers (None: paths or ignorance leave it open), and the texts that f-strings and `%` make of tensors. Not here: what a
branch does with the answer (branches).
"""

from __future__ import annotations

import ast
from typing import Any, Final

from flake8_detach.value import (
    OTHER,
    TEXT,
    UNSURE,
    Grad,
    Kind,
    Leaf,
    Value,
    join_all,
)

from .state import FIRST, LATER
from .updates import Updates

OF_ZERO_ONLY: Final = frozenset({(ast.Gt, 0), (ast.NotEq, 0), (ast.GtE, 1), (ast.Eq, 0), (ast.LtE, 0), (ast.Lt, 1)})
"""Comparisons that say of a count whether it is zero."""


def template_of(node: ast.JoinedStr) -> str:
    """What an f-string says beside what it is given."""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


class Judgements(Updates):
    """Truth, comparison and text."""

    def compare(self, left: Value, operator: ast.cmpop, right: Value) -> bool | None:
        """The truth of a comparison of constants, None where it is not known."""
        if isinstance(operator, (ast.Is, ast.IsNot)):
            same = self.identical(left, right)
            return None if same is None else same is isinstance(operator, ast.Is)
        if left.names and (type(operator), right.const) in OF_ZERO_ONLY:
            above = self.is_above_zero(left)
            return above if above is None else above is not isinstance(operator, (ast.Eq, ast.Lt, ast.LtE))
        if left.const is UNSURE or right.const is UNSURE:
            if isinstance(operator, (ast.Eq, ast.NotEq)) and self.types_differ(left, right):
                return isinstance(operator, ast.NotEq)
            return None
        if isinstance(operator, (ast.Eq, ast.NotEq)):
            return (left.const == right.const) is isinstance(operator, ast.Eq)
        if isinstance(operator, (ast.In, ast.NotIn)) and isinstance(left.const, str) and isinstance(right.const, str):
            return (left.const in right.const) is isinstance(operator, ast.In)
        return None

    def types_differ(self, left: Value, right: Value) -> bool:
        """`type(h) == Variable`: a tensor's type is torch.Tensor, never torch.autograd.Variable."""
        return (
            left.names == {"type of tensor"}
            and right.names <= {"torch.autograd.Variable", "torch.autograd.variable.Variable"}
            and bool(right.names)
        )

    @staticmethod
    def identical(left: Value, right: Value) -> bool | None:
        """`left is right` for None and booleans."""
        if right.kind == Kind.NONE:
            if left.kind == Kind.NONE:
                return True
            return False if not left.kind & (Kind.NONE | Kind.UNKNOWN | Kind.OTHER) else None
        if isinstance(left.const, bool) and isinstance(right.const, bool):
            return left.const is right.const
        return None

    def truth_of(self, value: Value) -> bool | None:
        """Whether a value is true, None where paths or ignorance leave it open."""
        if value.const is not UNSURE:
            return bool(value.const)
        if value.names and value.kind == Kind.NUMBER:
            return self.is_above_zero(value)
        if value.kind & ~(Kind.FUNCTION | Kind.CLASS | Kind.MODULE):
            return None
        return True

    def is_above_zero(self, count: Value) -> bool | None:
        """Whether the count of a running loop is above zero. A test of it tells the first iteration from the later ones: they are run too."""
        for loop in self.loops:
            if loop.token in count.refs and count.names & {FIRST, LATER}:
                loop.singular |= FIRST in count.names
                return LATER in count.names
        return None

    # -- text -------------------------------------------------------------------------------------------------------------------------

    def eval_JoinedStr(self, node: ast.JoinedStr) -> Value:
        """An f-string: of a 0-dim tensor it shows the number, with `!r` or `=` the tensor's text."""
        shown: list[Value] = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = self.eval(part.value)
                if part.conversion == ord("r") or (value.kind & Kind.TEXT and value.history):
                    shown.append(value)
                elif value.kind == Kind.CONTAINER:
                    shown += self.inside(value)  # a list shows its items as repr() does
                if part.format_spec is not None:
                    self.eval(part.format_spec)
        text = self.show(shown)
        return text if text.history else text._replace(names=frozenset((template_of(node),)))

    def eval_TemplateStr(self, node: Any) -> Value:
        """A t-string (Python 3.14) shows nothing: it hands its values on."""
        self.escape([self.eval(part.value) for part in node.values if not isinstance(part, ast.Constant)])
        return OTHER

    def show(self, values: list[Value]) -> Value:
        """A text that shows tensors as `tensor(..., grad_fn=...)`: it keeps their liveness for the sink that prints it."""
        live = [v for v in values if v.grad & (Grad.LIVE | Grad.UNKNOWN) and v.leaf != Leaf.LEAF]
        if not live:
            return TEXT
        out = join_all(live)
        return Value(Kind.TEXT, out.grad, history=out.history, reach=out.reach)

    def percent(self, template: Value, right: Value, node: ast.AST) -> Value:
        """`"%s" % x` shows the tensor's text; with `%f` or `%d` it is a number."""
        if isinstance(template.const, str):
            return self.show([v for v in self.fields_shown(template.const, right, node) if v.kind & (Kind.TENSOR | Kind.UNKNOWN | Kind.TEXT)])
        return self.show([v for v in self.inside(right) if v.kind & (Kind.TENSOR | Kind.UNKNOWN | Kind.TEXT)])
