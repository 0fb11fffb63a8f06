"""Spelling: calls that lack their parentheses, keywords and names that are wrong, arguments that are missing.

Here: edits that a finding's node alone decides. Not here: what needs to know a value.
"""

from __future__ import annotations

import ast

from ..rule import Change, Edit
from ..trace import Trace
from .syntax import function, is_free, module_name, parent


def called(node: ast.AST) -> Edit | None:
    """The parentheses: something runs that did not."""
    return Edit((Change("called", node),), safe=False) if isinstance(node, ast.Attribute) else None


def given(node: ast.AST, keyword: str, value: str, safe: bool) -> Edit | None:
    """A call with one more keyword."""
    return Edit((Change("given", node, (keyword, value)),), safe) if isinstance(node, ast.Call) else None


def not_given(node: ast.AST, keyword: str, safe: bool) -> Edit | None:
    """A call without a keyword."""
    if isinstance(node, ast.Call) and any(k.arg == keyword for k in node.keywords):
        return Edit((Change("not_given", node, (keyword,)),), safe)
    return None


def training_given(trace: Trace, node: ast.AST) -> Edit | None:
    """`F.dropout(x)` -> `F.dropout(x, training=self.training)`."""
    inside = function(trace, node)
    this = inside.args.args[0].arg if inside is not None and inside.args.args else ""
    return given(node, "training", "self.training", safe=False) if this == "self" and isinstance(node, ast.Call) and _is_function(node) else None


def _is_function(node: ast.Call) -> bool:
    return (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")).startswith(("dropout", "feature_dropout"))


def keyword_respelt(node: ast.AST, name: str) -> Edit | None:
    """`f(require_grad=x)` -> `f(requires_grad=x)`: a keyword that nobody knows raised."""
    return Edit((Change("keyword_renamed", node, (name, "requires_grad")),), safe=True) if isinstance(node, ast.Call) else None


def assigned(trace: Trace, node: ast.AST) -> Edit | None:
    """The statement `x.requires_grad == v` -> `x.requires_grad = v`."""
    holder = node if isinstance(node, ast.stmt) else parent(trace, node)
    return Edit((Change("assigned", holder),), safe=False) if isinstance(holder, ast.Expr) else None


def flag_respelt(trace: Trace, node: ast.AST, cure: str) -> Edit | None:
    """A flag that PyTorch never reads as what it does read: on a module the method, on a tensor the attribute."""
    holder = node if isinstance(node, ast.stmt) else parent(trace, node)
    if not isinstance(holder, ast.Assign) or len(holder.targets) != 1 or not isinstance(holder.targets[0], ast.Attribute):
        return None
    if "(" in cure:
        return Edit((Change("flag_called", holder),), safe=False)
    return Edit((Change("renamed", holder.targets[0], ("requires_grad",)),), safe=False) if holder.targets[0].attr != "requires_grad" else None


def wrapped(trace: Trace, node: ast.AST | None, module: str, name: str, safe: bool) -> Edit | None:
    """`x` -> `module.name(x)`, the module imported where it is not."""
    if not isinstance(node, ast.expr):
        return None
    known, imports = module_name(trace, module)
    if not is_free(trace, known.partition(".")[0]):
        return None
    return Edit((Change("wrapped", node, (f"{known}.{name}",)),), safe, imports)


def listed(node: ast.AST | None, safe: bool) -> Edit | None:
    """`x` -> `list(x)`."""
    return Edit((Change("wrapped", node, ("list",)),), safe) if isinstance(node, ast.expr) else None
