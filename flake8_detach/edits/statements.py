"""Statements: small ones, functions and their decorators, and what becomes of the statements of a block.

Here: edits of statements. Not here: expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import libcst as cst

from .expressions import SOLID, Refused, attribute_of, bare, in_parentheses, text_of

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement

# -- small statements -------------------------------------------------------------------------------------------------------------------


def flag_called(node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
    """`m.requires_grad = v` -> `m.requires_grad_(v)`."""
    if not isinstance(node, cst.Assign) or len(node.targets) != 1:
        raise Refused
    target = attribute_of(node.targets[0].target)
    return cst.Expr(cst.Call(target.with_changes(attr=cst.Name("requires_grad_")), [cst.Arg(bare(node.value))]))


def assigned(node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
    """`a == b` -> `a = b`."""
    if not isinstance(node, cst.Expr) or not isinstance(node.value, cst.Comparison) or len(node.value.comparisons) != 1:
        raise Refused
    left = node.value.left
    if not isinstance(left, (cst.Name, cst.Attribute)):
        raise Refused
    return cst.Assign([cst.AssignTarget(left)], node.value.comparisons[0].comparator)


def out_of_place(node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
    """`a += b` -> `a = a + b`, and the statement `a.add_(b)` -> `a = a.add(b)`."""
    if isinstance(node, cst.AugAssign) and isinstance(node.target, (cst.Name, cst.Attribute)):
        operator = OPERATORS.get(type(node.operator))
        if operator is None:
            raise Refused
        right = node.value if isinstance(node.value, (*SOLID, cst.Integer, cst.Float)) or node.value.lpar else in_parentheses(node.value)
        return cst.Assign([cst.AssignTarget(node.target)], cst.BinaryOperation(node.target, operator(), right))
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
        method = attribute_of(node.value.func)
        if isinstance(method.value, (cst.Name, cst.Attribute)) and method.attr.value.endswith("_"):
            call = node.value.with_deep_changes(method.attr, value=method.attr.value[:-1])
            return cst.Assign([cst.AssignTarget(method.value)], call)
    raise Refused


OPERATORS: Final[dict[type[cst.BaseAugOp], type[cst.BaseBinaryOp]]] = {
    cst.AddAssign: cst.Add,
    cst.SubtractAssign: cst.Subtract,
    cst.MultiplyAssign: cst.Multiply,
    cst.DivideAssign: cst.Divide,
    cst.PowerAssign: cst.Power,
}
IN_PLACE: Final = {binary: augmented for augmented, binary in OPERATORS.items()}


def in_place(node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
    """`a = a - b` -> `a -= b`."""
    if not isinstance(node, cst.Assign) or len(node.targets) != 1 or not isinstance(node.value, cst.BinaryOperation):
        raise Refused
    target, operator = node.targets[0].target, IN_PLACE.get(type(node.value.operator))
    if operator is None or text_of(target) != text_of(node.value.left):
        raise Refused
    return cst.AugAssign(target, operator(), bare(node.value.right))


def replaced(node: cst.BaseSmallStatement, text: str) -> cst.BaseSmallStatement:
    """Another statement."""
    line = cst.parse_statement(text)
    assert isinstance(line, cst.SimpleStatementLine)
    return line.body[0].with_changes(semicolon=node.semicolon)


Small = Callable[..., cst.BaseSmallStatement]
SMALL_STATEMENTS: Final[dict[str, Small]] = {f.__name__: f for f in (flag_called, assigned, out_of_place, in_place, replaced)}


# -- functions and blocks ---------------------------------------------------------------------------------------------------------------


def decorated(node: cst.FunctionDef, text: str) -> cst.FunctionDef:
    """The function with one more decorator, the innermost."""
    return node.with_changes(decorators=[*node.decorators, cst.Decorator(cst.parse_expression(text))])


def undecorated(node: cst.FunctionDef, text: str) -> cst.FunctionDef:
    """The function without the decorator of this text."""
    kept = [one for one in node.decorators if text_of(one.decorator) != text]
    if len(kept) != len(node.decorators) - 1:
        raise Refused
    return node.with_changes(decorators=kept)


FUNCTIONS: Final[dict[str, Callable[..., cst.FunctionDef]]] = {f.__name__: f for f in (decorated, undecorated)}


def within(statements: Sequence[Statement], text: str) -> cst.With:
    """The statements in the block of `with text:`. Blank lines and comments in front stay in front."""
    first = statements[0]
    lines = first.leading_lines
    body = [first.with_changes(leading_lines=()), *statements[1:]]
    return cst.With([cst.WithItem(cst.parse_expression(text))], cst.IndentedBlock(body), leading_lines=lines)


def without(node: Statement) -> list[Statement]:
    """What stands in the block of a `with`, without it."""
    if not isinstance(node, cst.With) or not isinstance(node.body, cst.IndentedBlock) or node.body.footer:
        raise Refused
    first, *rest = (one for one in node.body.body if isinstance(one, Statement))
    return [first.with_changes(leading_lines=(*node.leading_lines, *first.leading_lines)), *rest]


def statement(text: str) -> Statement:
    """A statement of its own line."""
    return cst.parse_statement(text)
