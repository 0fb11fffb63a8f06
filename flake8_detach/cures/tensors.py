"""Tensors: expressions that are detached, cloned, read as numbers or given a graph.

Here: which expressions of a call, a store or an assignment are the live tensors that a finding is about, whenever they are evaluated. A value that
is a tensor at one visit and a number at another has no cure: `.detach()` would raise. Not here: statements.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ..rule import Change, Edit
from ..trace import Event, Role, Trace
from ..value import Kind, Value
from .sizes import is_single
from .syntax import is_free, module_name, parent

TENSOR = Kind.TENSOR | Kind.UNKNOWN
DEPTH = 12
SHOWS = frozenset("str repr format list tuple set dict sorted reversed join items values".split())
"""Calls whose result holds what they are given."""


def values(trace: Trace, node: ast.expr) -> list[Value]:
    """What an expression was worth at each visit."""
    return (trace.seen or {}).get(id(node), [])


def is_tensor(trace: Trace, node: ast.expr) -> bool:
    """Whether an expression is at every visit surely a tensor, and a live one at one of them."""
    seen = values(trace, node)
    return any(trace.is_live(v) for v in seen) and all(is_surely_tensor(trace, v) for v in seen)


def is_surely_tensor(trace: Trace, value: Value, depth: int = DEPTH) -> bool:
    """Whether all that a value may be are tensors; a product may be a number where each factor may be one, a sum of nothing is one."""
    if value.kind == Kind.UNKNOWN:
        return bool(value.refs) and all(_is_proven(trace, token, depth - 1) for token in value.refs)
    if value.kind != Kind.TENSOR or not depth:
        return False
    return all(_is_tensor_made(trace, token, depth - 1) for token in value.refs)


def _is_proven(trace: Trace, token: int, depth: int) -> bool:
    """Whether what an unknown place makes is used as only a tensor is, or is computed from such."""
    made = trace.made.get(token)
    if trace.lives(token) or token in trace.tensors:
        return True
    return made is not None and depth > 0 and any(is_surely_tensor(trace, v, depth) for v in made.operands)


def _is_tensor_made(trace: Trace, token: int, depth: int) -> bool:
    node, made = trace.sites[token].node, trace.made.get(token)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("sum", "max", "min"):
        return False
    if made is None or not isinstance(made.node, (ast.BinOp, ast.UnaryOp, ast.AugAssign)):
        return True
    return any(is_surely_tensor(trace, v, depth) for v in made.operands)


def may_live(trace: Trace, node: ast.expr) -> bool:
    """Whether an expression is at some visit a live tensor."""
    return any(v.kind & TENSOR and trace.is_live(v) for v in values(trace, node))


def live_parts(trace: Trace, roots: Iterable[ast.expr]) -> list[ast.expr] | None:
    """The outermost expressions that are live tensors in what is given; None where one is not always a tensor, or there is none."""
    found = [part for root in roots for part in _live_parts(trace, root)]
    return None if not found or None in found else [part for part in found if part is not None]


def _live_parts(trace: Trace, node: ast.expr, mixed: bool = False) -> Iterator[ast.expr | None]:
    if is_tensor(trace, node):
        yield node
    elif mixed and isinstance(node, (ast.BinOp, ast.UnaryOp)) and may_live(trace, node):
        for inner in (node.left, node.right) if isinstance(node, ast.BinOp) else (node.operand,):
            yield from _live_parts(trace, inner, mixed)
    elif may_live(trace, node) and not isinstance(node, (ast.IfExp, ast.JoinedStr)):
        yield node if mixed else None
    else:
        for inner in _inside(node) or _fields(trace, node):
            yield from _live_parts(trace, inner, mixed)


def _fields(trace: Trace, node: ast.expr) -> list[ast.expr]:
    """What an object of a class of the file is made of, where it is kept as it is: a named tuple or a data class."""
    made = isinstance(node, ast.Call) and any(v.kind == Kind.CLASS for v in values(trace, node.func))
    name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    shown = [c for c in trace.tree.body if isinstance(c, ast.ClassDef) and c.name == name]
    plain = any("dataclass" in ast.unparse(d) for c in shown for d in c.decorator_list) or any("NamedTuple" in ast.unparse(b) for c in shown for b in c.bases)
    return arguments(node) if made and plain else []


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
        return [] if _says_its_own_text(node) else list(node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.Add)):
        return [node.left, node.right]
    if isinstance(node, ast.Call) and name_of(node) in SHOWS:
        return arguments(node)
    return []


def _says_its_own_text(node: ast.JoinedStr) -> bool:
    """Whether an f-string has a `{x=}`: any change of the expression would show in its label."""
    pairs = zip(node.values, node.values[1:])
    return any(isinstance(a, ast.Constant) and isinstance(b, ast.FormattedValue) and str(a.value).endswith(f"{ast.unparse(b.value)}=") for a, b in pairs)


def arguments(node: ast.AST) -> list[ast.expr]:
    """All that a call is given."""
    return [*node.args, *(k.value for k in node.keywords)] if isinstance(node, ast.Call) else []


def name_of(node: ast.Call) -> str:
    """The last name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


# -- detach -----------------------------------------------------------------------------------------------------------------------------


def detached(trace: Trace, roots: Iterable[ast.expr], safe: bool = True, names: str = "detach") -> Edit | None:
    """`.detach()` on each live tensor in what is given."""
    parts = live_parts(trace, roots) if trace.seen is not None else None
    return Edit(tuple(Change("methods", part, (names,)) for part in parts), safe) if parts else None


def shown(trace: Trace, node: ast.AST) -> Edit | None:
    """A call that shows tensors is given `.item()` of those that surely have one element, `.detach()` of the others."""
    parts = live_parts(trace, arguments(node)) if trace.seen is not None else None
    if not parts:
        return guarded(trace, arguments(node))
    return Edit(tuple(Change("methods", part, ("item" if _all_single(trace, part) else "detach",)) for part in parts), True)


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


def guarded(trace: Trace, roots: Iterable[ast.expr]) -> Edit | None:
    """`.detach()` on the live tensors; a name that is sometimes something else gets it where it is a tensor."""
    roots = list(roots)
    edit = detached(trace, roots)
    if edit is not None or trace.seen is None:
        return edit
    mixed = [one for root in roots for one in _live_parts(trace, root, mixed=True)]
    test, imports = module_name(trace, "torch.is_tensor")
    if not mixed or not is_free(trace, test.partition(".")[0]):
        return None
    changes = [
        Change("methods", one, ("detach",)) if is_tensor(trace, one) else Change("if_tensor", one, (test, _brackets(trace, one)))
        for one in mixed
        if one is not None and (is_tensor(trace, one) or _may_be_repeated(one))
    ]
    return Edit(tuple(changes), True, imports) if len(changes) == len(mixed) else None


def _may_be_repeated(node: ast.expr) -> bool:
    """Whether an expression only reads: names, attributes, and items by name or constant."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, (ast.Name, ast.Constant)) and _may_be_repeated(node.value)
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and _may_be_repeated(node.value))


def _brackets(trace: Trace, node: ast.expr) -> str:
    """What a conditional expression needs around it in the place of a node."""
    return "()" if isinstance(parent(trace, node), (ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Subscript, ast.Starred)) else ""


def stored(trace: Trace, event: Event) -> Edit | None:
    """What is put into a container or attribute is detached, if at no visit of this place it is back-propagated later."""
    kept = [e for e in trace.of(Role.STORE) if e.node is event.node]
    if trace.seen is None or any(e.values[0].refs & trace.backpropagated for e in kept):
        return None
    if isinstance(event.node, ast.Call) and isinstance(event.node.func, (ast.List, ast.Tuple)):
        return guarded(trace, [event.node.func])  # the interpreter's own call for `x += [y]`
    return guarded(trace, arguments(event.node) or _right_side(trace, event.node))


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
        edit = guarded(trace, [value])
        return edit._replace(safe=not _may_alias(trace, holder.target)) if edit is not None else None
    if isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub)) and isinstance(holder, ast.Assign):
        name = ast.unparse(holder.targets[0])
        for total, term in ((value.left, value.right), (value.right, value.left)):
            if ast.unparse(total) == name:
                return guarded(trace, [term])
    return detached(trace, [value])


def _may_alias(trace: Trace, target: ast.expr) -> bool:
    """Whether a total that is added to in place may be a detached alias of something else."""
    written = [e for e in trace.of(Role.INPLACE) if e.node is target or e.node is parent(trace, target)]
    return any(v.refs & trace.aliases for e in written for v in (e.value, *e.values))


def sharing(trace: Trace, roots: Iterable[ast.expr], value: Value, safe: bool) -> Edit | None:
    """`.detach()` on those arguments that are one certain tensor."""
    ones = [root for root in roots if any(v.refs & value.refs for v in values(trace, root))]
    return detached(trace, ones, safe)


def reads_gradients(trace: Trace) -> bool:
    """Whether the program looks at gradients itself, so that it sees which networks got some."""
    if trace.reads_grad is None:
        trace.reads_grad = any(isinstance(n, ast.Attribute) and n.attr == "grad" for n in ast.walk(trace.tree))
    return trace.reads_grad
