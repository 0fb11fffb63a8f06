"""Copies: tensors that are cloned, computed out of place, kept as a snapshot, or made leaves.

Here: edits that give the program another tensor than it had. Not here: what is only cut off from the graph (tensors).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..rule import Change, Edit
from ..trace import Event, Trace
from ..value import Leaf
from .syntax import function, is_alone, is_free, may_bind, module_name, statement
from .tensors import TENSOR, arguments, is_tensor, live_parts, name_of, values


def copied(trace: Trace, event: Event) -> Edit | None:
    """`copy.deepcopy(x)` of a tensor -> `x.detach().clone()`."""
    node = event.node
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords or not is_tensor(trace, node.args[0]):
        return None
    if any(v.leaf & Leaf.LEAF for v in values(trace, node.args[0])):
        return None  # the copy of a leaf is a leaf that requires grad
    return Edit((Change("argument_of", node), Change("methods", node, ("detach clone",))), True)


def rebuilt(trace: Trace, event: Event) -> Edit | None:
    """`torch.tensor(x)` -> `x.detach().clone()`; of a list of live scalars `torch.stack(...)`, which trains what was cut off."""
    node = event.node
    if trace.seen is None or not isinstance(node, ast.Call) or not node.args:
        return None
    if event.detail != "tensor":
        named = isinstance(node.func, ast.Attribute) and node.func.attr in ("tensor", "as_tensor") and not node.keywords
        parts = live_parts(trace, node.args)
        listed = isinstance(node.args[0], (ast.List, ast.Tuple)) and parts == node.args[0].elts
        whole = isinstance(node.args[0], (ast.Name, ast.ListComp))
        return Edit((Change("renamed", node.func, ("stack",)),), False) if named and (listed or whole) else None
    seen = values(trace, node.args[0])
    if any(v.kind & ~TENSOR for v in seen) or not isinstance(node.func, (ast.Name, ast.Attribute)) or name_of(node) != "tensor":
        return None  # `x.new_tensor(y)` takes its type from x
    return Edit((Change("copied", node),), True)


def cloned(trace: Trace, event: Event) -> Edit | None:
    """Operands that were made under inference mode are cloned."""
    if trace.seen is None:
        return None
    operands = [event.node.left, event.node.right] if isinstance(event.node, ast.BinOp) else arguments(event.node)
    if isinstance(event.node, ast.AugAssign):
        operands = [event.node.value]
    strange = [n for n in operands if (seen := values(trace, n)) and all(v.refs & trace.inferred and not v.kind & ~TENSOR for v in seen)]
    return Edit(tuple(Change("methods", n, ("clone",)) for n in strange), True) if strange else None


def of_its_own(trace: Trace, event: Event) -> Edit | None:
    """What is written to is cloned where its alias, a name, is made: `d = x.detach()` -> `d = x.detach().clone()`."""
    names = [n for n in ast.walk(event.node) if isinstance(n, ast.Name)] if not isinstance(event.node, ast.Call) else []
    target = event.node.func if isinstance(event.node, ast.Call) else None
    name = target.value if isinstance(target, ast.Attribute) else names[0] if names else None
    if trace.seen is None or not isinstance(name, ast.Name):
        return None
    bound = _bindings(trace, name)
    aliases = [one.value for one in bound if any(v.refs & trace.aliases for v in values(trace, one.value))]
    if len(bound) != 1 or len(aliases) != 1 or not isinstance(aliases[0], (ast.Call, ast.Attribute)):
        return None
    return Edit((Change("methods", aliases[0], ("clone",)),), safe=False)


def _bindings(trace: Trace, name: ast.Name) -> list[ast.Assign]:
    """The plain assignments of a name in the function that it is read in."""
    inside: ast.AST = function(trace, name) or trace.tree
    assigned = (n for n in ast.walk(inside) if isinstance(n, ast.Assign) and function(trace, n) is function(trace, name))
    return [one for one in assigned if any(isinstance(t, ast.Name) and t.id == name.id for t in one.targets)]


def gradient_retained(trace: Trace, node: ast.AST) -> Edit | None:
    """`x.retain_grad()` behind the only assignment of the name whose `.grad` is read."""
    name = node.value if isinstance(node, ast.Attribute) else None
    bound = _bindings(trace, name) if trace.seen is not None and isinstance(name, ast.Name) else []
    if len(bound) != 1 or not isinstance(name, ast.Name) or not is_alone(trace, bound[0]) or not is_tensor(trace, bound[0].value):
        return None
    return Edit((Change("after", bound[0], (f"{name.id}.retain_grad()",)),), safe=False)


def made_leaf(trace: Trace, nodes: Iterable[ast.AST | None]) -> Edit | None:
    """Where a tensor is computed that must be a leaf: `.detach().requires_grad_()`."""
    found = list(nodes)
    if trace.seen is None or not found or not all(isinstance(n, ast.expr) and is_tensor(trace, n) for n in found):
        return None
    return Edit(tuple(Change("methods", n, ("detach requires_grad_",)) for n in found if n is not None), safe=False)


def float_given(trace: Trace, node: ast.AST) -> Edit | None:
    """`torch.arange(3, requires_grad=True)` -> the same with a floating dtype: it raised."""
    if not isinstance(node, ast.Call) or not any(k.arg == "requires_grad" for k in node.keywords):
        return None
    if isinstance(node.func, ast.Attribute) and node.func.attr == "Parameter":
        return None
    name, imports = module_name(trace, "torch")
    return Edit((Change("given", node, ("dtype", f"{name}.float32")),), True, imports) if trace.seen is not None and is_free(trace, name) else None


def unflagged(trace: Trace, node: ast.AST, flag: object) -> Edit | None:
    """`x.requires_grad = False` on what was computed -> `x = x.detach()`."""
    one = statement(trace, node)
    target = one.targets[0] if isinstance(one, ast.Assign) and len(one.targets) == 1 else None
    if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call) and one.value is node:
        target = one.value.func
    owner = target.value if isinstance(target, ast.Attribute) else None
    if trace.seen is None or one is None or flag is not False or not isinstance(owner, ast.Name) or not is_tensor(trace, owner):
        return None
    if not may_bind(trace, one, owner.id):
        return None
    return Edit((Change("replaced", one, (f"{owner.id} = {owner.id}.detach()",)),), True)


def out_of_place(trace: Trace, node: ast.AST) -> Edit | None:
    """`x += y` -> `x = x + y`, `x.add_(y)` -> `x = x.add(y)`, and a copy before an element is written: what was saved stays."""
    one = statement(trace, node)
    if trace.seen is None or one is None:
        return None
    if isinstance(one, ast.AugAssign) and isinstance(one.target, ast.Name):
        return Edit((Change("out_of_place", one),), True)
    if isinstance(one, ast.Expr) and one.value is node and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner = node.func.value
        plain = isinstance(owner, ast.Name) and node.func.attr.endswith("_") and node.func.attr not in ONLY_IN_PLACE and may_bind(trace, one, owner.id)
        return Edit((Change("out_of_place", one),), True) if plain else None
    target = one.targets[0] if isinstance(one, ast.Assign) and len(one.targets) == 1 else getattr(one, "target", None)
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and is_alone(trace, one) and may_bind(trace, one, target.value.id):
        name = target.value.id
        return Edit((Change("before", one, (f"{name} = {name}.clone()",)),), True)
    return None


ONLY_IN_PLACE = frozenset("copy_ zero_ fill_ normal_ uniform_ random_ exponential_ set_ resize_ requires_grad_ detach_ retain_grad_".split())
"""Methods that have no form without the underscore, or another meaning."""


def snapshot(trace: Trace, node: ast.AST) -> Edit | None:
    """`best = model.state_dict()` -> `best = copy.deepcopy(model.state_dict())`."""
    name, imports = module_name(trace, "copy.deepcopy")
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "state_dict"]
    if trace.seen is None or not calls or not is_free(trace, name.partition(".")[0]):
        return None
    return Edit(tuple(Change("wrapped", one, (name,)) for one in calls), False, imports)
