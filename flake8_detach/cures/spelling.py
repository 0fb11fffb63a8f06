"""Spelling: calls that lack their parentheses, keywords and names that are wrong, arguments that are missing.

Here: edits that a finding's node alone decides. Not here: what needs to know a value.
"""

from __future__ import annotations

import ast

from ..rule import Change, Edit
from ..trace import Event, Trace
from .syntax import function, is_alone, is_free, module_name, parent, statement


def called(node: ast.AST) -> Edit | None:
    """The parentheses: something runs that did not."""
    return Edit((Change("called", node),), safe=False) if isinstance(node, ast.Attribute) else None


def given(node: ast.AST, keyword: str, value: str, safe: bool) -> Edit | None:
    """A call with one more keyword."""
    return Edit((Change("given", node, (keyword, value)),), safe) if isinstance(node, ast.Call) else None


def not_given(node: ast.AST, keyword: str, safe: bool) -> Edit | None:
    """A call without a keyword; one that is given by a name stays, or that name might be bound for nothing."""
    if isinstance(node, ast.Call) and any(k.arg == keyword and isinstance(k.value, ast.Constant) for k in node.keywords):
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


def registered(trace: Trace, node: ast.AST, holder: str) -> Edit | None:
    """`self.layers = [...]` -> `self.layers = nn.ModuleList([...])`."""
    return wrapped(trace, node.value, "torch.nn", holder, safe=False) if isinstance(node, ast.Assign) and len(node.targets) == 1 else None


def as_parameter(trace: Trace, node: ast.AST) -> Edit | None:
    """`self.w = torch.zeros(3, requires_grad=True)` -> `self.w = nn.Parameter(torch.zeros(3))`."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call) or not any(k.arg == "requires_grad" for k in node.value.keywords):
        return None
    edit = wrapped(trace, node.value, "torch.nn", "Parameter", safe=False)
    return edit._replace(changes=(Change("not_given", node.value, ("requires_grad",)), *edit.changes)) if edit is not None else None


def converted_inside(node: ast.AST) -> Edit | None:
    """`self.w = nn.Parameter(x).to(d)` -> `self.w = nn.Parameter(x.to(d))`."""
    one: ast.AST | None = node.value if isinstance(node, ast.Assign) else None
    while isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and isinstance(one.func.value, ast.Call):
        one = one.func.value
    if not isinstance(node, ast.Assign) or one is node.value or not isinstance(one, ast.Call) or not ast.unparse(one.func).endswith("Parameter"):
        return None
    return Edit((Change("outside_in", node.value, (ast.unparse(one.func),)),), safe=False)


def saved(trace: Trace, node: ast.AST, events: list[Event]) -> Edit | None:
    """`ctx.x = x` -> `ctx.save_for_backward(x)`, and `ctx.x` in backward -> `ctx.saved_tensors[0]`; all tensors that a Function keeps (`events`) at once."""
    own = function(trace, node)
    holder = parent(trace, own) if own is not None else None
    if trace.seen is None or not isinstance(holder, ast.ClassDef) or "save_for_backward" in ast.unparse(holder):
        return None
    kept = {str(e.detail): statement(trace, e.node) for e in events if function(trace, e.node) is own}
    if not all(isinstance(one, ast.Assign) and len(one.targets) == 1 and is_alone(trace, one) for one in kept.values()):
        return None
    ones = [one for one in kept.values() if isinstance(one, ast.Assign)]
    target = ones[0].targets[0]
    if not isinstance(target, ast.Attribute) or not isinstance(target.value, ast.Name) or len(ones) != len(kept):
        return None
    reads = [n for n in ast.walk(holder) if isinstance(n, ast.Attribute) and n.attr in kept and isinstance(n.ctx, ast.Load)]
    if not reads or not all(getattr(function(trace, n), "name", "") == "backward" and isinstance(n.value, ast.Name) for n in reads):
        return None
    given = ", ".join(ast.unparse(one.value) for one in ones)
    names = list(kept)
    changes = [Change("replaced", ones[-1], (f"{target.value.id}.save_for_backward({given})",)), *(Change("deleted", one) for one in ones[:-1])]
    for read in reads:
        changes += [Change("renamed", read, ("saved_tensors",)), Change("item_of", read, (str(names.index(read.attr)),))]
    return Edit(tuple(changes), safe=True)
