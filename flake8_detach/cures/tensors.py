"""Tensors: expressions that are detached, cloned, read as numbers or given a graph.

Here: which expressions of a call, a store or an assignment are the live tensors that a finding is about, whenever they are evaluated. A value that
is a tensor at one visit and a number at another has no cure: `.detach()` would raise. Not here: statements.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ..rule import Change, Edit
from ..trace import Event, Role, Trace
from ..value import Kind, Leaf, Value
from .sizes import is_single
from .syntax import parent

TENSOR = Kind.TENSOR | Kind.UNKNOWN
SHOWS = frozenset("str repr format list tuple set dict sorted reversed join items values".split())
"""Calls whose result holds what they are given."""


def values(trace: Trace, node: ast.expr) -> list[Value]:
    """What an expression was worth at each visit."""
    return (trace.seen or {}).get(id(node), [])


def is_tensor(trace: Trace, node: ast.expr) -> bool:
    """Whether an expression is at every visit a tensor, and a live one at one of them."""
    seen = values(trace, node)
    sure = all(v.kind == Kind.TENSOR or (not v.kind & ~TENSOR and trace.is_live(v)) for v in seen)
    return bool(seen) and sure and any(trace.is_live(v) for v in seen)


def may_live(trace: Trace, node: ast.expr) -> bool:
    """Whether an expression is at some visit a live tensor."""
    return any(v.kind & TENSOR and trace.is_live(v) for v in values(trace, node))


def live_parts(trace: Trace, roots: Iterable[ast.expr]) -> list[ast.expr] | None:
    """The outermost expressions that are live tensors in what is given; None where one is not always a tensor, or there is none."""
    found = [part for root in roots for part in _live_parts(trace, root)]
    return None if not found or None in found else [part for part in found if part is not None]


def _live_parts(trace: Trace, node: ast.expr) -> Iterator[ast.expr | None]:
    if is_tensor(trace, node):
        yield node
    elif may_live(trace, node) and not isinstance(node, (ast.IfExp, ast.JoinedStr)):
        yield None
    else:
        for inner in _inside(node):
            yield from _live_parts(trace, inner)


def _inside(node: ast.expr) -> list[ast.expr]:
    """The expressions whose values are in the value of this one."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
        return [node.elt]
    if isinstance(node, ast.DictComp):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, (ast.Starred, ast.FormattedValue, ast.NamedExpr)):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return list(node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.Add)):
        return [node.left, node.right]
    if isinstance(node, ast.Call) and _name(node) in SHOWS:
        return arguments(node)
    return []


def arguments(node: ast.AST) -> list[ast.expr]:
    """All that a call is given."""
    return [*node.args, *(k.value for k in node.keywords)] if isinstance(node, ast.Call) else []


def _name(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


# -- detach -----------------------------------------------------------------------------------------------------------------------------


def detached(trace: Trace, roots: Iterable[ast.expr], safe: bool = True, names: str = "detach") -> Edit | None:
    """`.detach()` on each live tensor in what is given."""
    parts = live_parts(trace, roots) if trace.seen is not None else None
    return Edit(tuple(Change("methods", part, (names,)) for part in parts), safe) if parts else None


def shown(trace: Trace, node: ast.AST) -> Edit | None:
    """A call that shows tensors is given `.item()` of those that surely have one element, `.detach()` of the others."""
    parts = live_parts(trace, arguments(node)) if trace.seen is not None else None
    return Edit(tuple(Change("methods", part, ("item" if _all_single(trace, part) else "detach",)) for part in parts), True) if parts else None


def _all_single(trace: Trace, node: ast.expr) -> bool:
    """Whether an expression is at every visit a live tensor of one element: `.item()` gives a float."""
    return all(trace.is_live(v) and is_single(trace, v) for v in values(trace, node))


def converted(trace: Trace, node: ast.AST) -> Edit | None:
    """A call that converts tensors, or an assignment to an element of an array, gets them detached."""
    if isinstance(node, ast.BinOp):
        return detached(trace, [node.left, node.right])
    return detached(trace, arguments(node) or _right_side(trace, node))


def _right_side(trace: Trace, node: ast.AST) -> list[ast.expr]:
    """What is assigned, of an assignment or of its target."""
    holder = node if isinstance(node, ast.stmt) else parent(trace, node)
    return [holder.value] if isinstance(holder, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and holder.value is not None else []


def as_number(trace: Trace, node: ast.AST) -> Edit | None:
    """`float(x)` -> `x.item()`, and `.detach()` on what other calls make numbers of."""
    if trace.seen is None:
        return None
    plain = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float" and len(node.args) == 1 and not node.keywords
    if plain and isinstance(node, ast.Call) and is_tensor(trace, node.args[0]) and all(trace.is_live(v) for v in values(trace, node.args[0])):
        return Edit((Change("argument_of", node), Change("methods", node, ("item",))), True)
    return converted(trace, node)


def to_numpy(trace: Trace, node: ast.AST) -> Edit | None:
    """`x.cpu().numpy()` -> `x.detach().cpu().numpy()`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not is_tensor(trace, node.func.value):
        return None
    return Edit((Change("before_conversion", node, ("detach",)),), True)


# -- stores and totals ------------------------------------------------------------------------------------------------------------------


def stored(trace: Trace, event: Event) -> Edit | None:
    """What is put into a container or attribute is detached, if at no visit of this place it is back-propagated later."""
    kept = [e for e in trace.of(Role.STORE) if e.node is event.node]
    if trace.seen is None or any(e.values[0].refs & trace.backpropagated for e in kept):
        return None
    return detached(trace, arguments(event.node) or _right_side(trace, event.node))


def added(trace: Trace, event: Event) -> Edit | None:
    """The term that a running total gets is detached, or else the whole new total."""
    if trace.seen is None or any(e.values[0].refs & trace.backpropagated for e in trace.of(Role.GROW) if e.node is event.node):
        return None
    if isinstance(event.node, ast.Call):
        return detached(trace, arguments(event.node))
    value = next(iter(_right_side(trace, event.node)), None)
    holder = event.node if isinstance(event.node, ast.stmt) else parent(trace, event.node)
    if value is None:
        return None
    if isinstance(holder, ast.AugAssign):
        return detached(trace, [value], safe=not _may_alias(trace, holder.target))
    if isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub)) and isinstance(holder, ast.Assign):
        name = ast.unparse(holder.targets[0])
        for total, term in ((value.left, value.right), (value.right, value.left)):
            if ast.unparse(total) == name:
                return detached(trace, [term])
    return detached(trace, [value])


def _may_alias(trace: Trace, target: ast.expr) -> bool:
    """Whether a total that is added to in place may be a detached alias of something else."""
    written = [e for e in trace.of(Role.INPLACE) if e.node is target or e.node is parent(trace, target)]
    return any(v.refs & trace.aliases for e in written for v in (e.value, *e.values))


# -- copies -----------------------------------------------------------------------------------------------------------------------------


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
    if any(v.kind & ~TENSOR for v in seen):
        return None
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


