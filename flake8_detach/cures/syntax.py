"""Syntax: what stands around a node, and by which name a module is known in a file.

Here: plain questions about the `ast` tree. Not here: what a value is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..trace import Trace

FunctionDef = ast.FunctionDef | ast.AsyncFunctionDef


def parent(trace: Trace, node: ast.AST) -> ast.AST | None:
    """The node that holds a node, None for the module; and where nobody watched, who asks for no edit anyway: the linter need not walk the tree."""
    if trace.seen is None:
        return None
    if not trace.parents:
        trace.parents = {id(child): one for one in ast.walk(trace.tree) for child in ast.iter_child_nodes(one)}
    return trace.parents.get(id(node))


def around(trace: Trace, node: ast.AST) -> Iterator[ast.AST]:
    """The node, and from inside out all that hold it."""
    one: ast.AST | None = node
    while one is not None:
        yield one
        one = parent(trace, one)


def statement(trace: Trace, node: ast.AST) -> ast.stmt | None:
    """The innermost statement that holds a node; None for the module."""
    return next((one for one in around(trace, node) if isinstance(one, ast.stmt)), None)


def block(trace: Trace, one: ast.stmt) -> list[ast.stmt]:
    """The statements among which a statement stands, itself included."""
    holder = parent(trace, one)
    bodies = (getattr(holder, name, None) for name in ("body", "orelse", "finalbody"))
    return next((body for body in bodies if isinstance(body, list) and any(s is one for s in body)), [])


def function(trace: Trace, node: ast.AST) -> FunctionDef | ast.Lambda | None:
    """The innermost function that a node stands in, not that function itself; None at module level."""
    holders = (one for one in around(trace, node) if one is not node)
    return next((one for one in holders if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))), None)


def holds(whole: ast.AST, node: ast.AST) -> bool:
    """Whether a node stands inside another, or is it."""
    return any(one is node for one in ast.walk(whole))


def is_alone(trace: Trace, one: ast.stmt) -> bool:
    """Whether a statement has its lines for itself, so that others can be put before and after it."""
    neighbours = block(trace, one)
    shares = any(s is not one and (s.lineno == one.end_lineno or s.end_lineno == one.lineno) for s in neighbours)
    holder = parent(trace, one)
    return bool(neighbours) and not shares and (holder is None or isinstance(holder, ast.Module) or getattr(holder, "lineno", 0) != one.lineno)


def module_name(trace: Trace, module: str) -> tuple[str, frozenset[str]]:
    """The name by which a module is known at the top of the file, and what must be imported for it."""
    for one in _imported(trace.tree.body):
        if isinstance(one, ast.Import):
            for alias in one.names:
                if alias.name == module and (alias.asname or "." not in module):
                    return alias.asname or module, frozenset()
                if alias.asname is None and alias.name.startswith(module.partition(".")[0] + ".") and "." not in module:
                    return module, frozenset()
        elif isinstance(one, ast.ImportFrom) and not one.level:
            for alias in one.names:
                if f"{one.module}.{alias.name}" == module:
                    return alias.asname or alias.name, frozenset()
    parent_module, _, last = module.rpartition(".")
    if not parent_module:
        return module, frozenset((module,))
    name, imports = module_name(trace, parent_module)
    return f"{name}.{last}", imports


def _imported(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those that are tried too: `try: import torch`."""
    for one in body:
        yield one
        if isinstance(one, ast.Try):
            yield from _imported(one.body)


def may_bind(trace: Trace, node: ast.AST, name: str) -> bool:
    """Whether a name can be bound where a node stands without hiding one from further out: its function binds it already, or there is none."""
    own = function(trace, node)
    if own is None:
        return True
    given = {a.arg for a in ast.walk(own.args) if isinstance(a, ast.arg)}
    said = {one for n in ast.walk(own) if isinstance(n, (ast.Global, ast.Nonlocal)) for one in n.names}
    return name in given | said or any(function(trace, n) is own for n in ast.walk(own) if isinstance(n, ast.Name) and n.id == name and _is_stored(n))


def names(node: ast.AST, stored: bool = False) -> set[str]:
    """The names that a node reads, or binds."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and _is_stored(n) is stored}


def _is_stored(name: ast.Name) -> bool:
    return not isinstance(name.ctx, ast.Load)


def is_free(trace: Trace, name: str) -> bool:
    """Whether nothing but an import binds a name in the file."""
    stores = (n.id for n in ast.walk(trace.tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load))
    others = (getattr(n, "arg", None) or getattr(n, "name", None) for n in ast.walk(trace.tree) if isinstance(n, (ast.arg, ast.FunctionDef, ast.ClassDef)))
    return name not in {*stores, *others}
