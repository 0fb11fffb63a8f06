"""Sizes: which tensors surely have a single element, so that `.item()` reads them.

Here: the evidence. Not here: what is done with it.
"""

from __future__ import annotations

import ast
from typing import Final

from ..trace import Made, Role, Trace
from ..value import EMPTY, Kind, Value

REDUCTIONS: Final = frozenset("mean sum prod max min norm var std median nanmean nansum".split())
KEEPS_SIZE: Final = frozenset("abs sqrt exp log log2 log10 log1p neg square pow add sub mul div detach clone cpu cuda to float double half".split())
LOSSES: Final = frozenset("cross_entropy binary_cross_entropy binary_cross_entropy_with_logits kl_div nll_loss".split())
REDUCE: Final = frozenset("reduction reduce size_average dim axis keepdim".split())
DEPTH: Final = 12


def is_single(trace: Trace, value: Value, depth: int = DEPTH) -> bool:
    """Whether every place that may have made a tensor gives one element."""
    return bool(value.refs) and all(_is_single(trace, token, depth) for token in value.refs)


def _is_single(trace: Trace, token: int, depth: int) -> bool:
    if token in _back_propagated_alone(trace):
        return True
    node = trace.sites[token].node
    if isinstance(node, ast.Call) and (_reduces(node) or _is_loss(trace, token, node)):
        return True
    made = trace.made.get(token)
    return made is not None and depth > 0 and _keeps_size(made.node) and _are_single(trace, made, depth - 1)


def _are_single(trace: Trace, made: Made, depth: int) -> bool:
    """Whether all operands are numbers or have one element."""
    tensors = [v for v in made.operands if v.kind != Kind.NUMBER]
    return bool(tensors) and all(not v.kind & ~(Kind.TENSOR | Kind.UNKNOWN) and is_single(trace, v, depth) for v in tensors)


def _back_propagated_alone(trace: Trace) -> frozenset[int]:
    """What `x.backward()` was called on without a gradient: torch refuses that for more than one element."""
    events = [e for e in trace.of(Role.BACKWARD) if isinstance(e.node, ast.Call) and not e.node.args and isinstance(e.node.func, ast.Attribute)]
    plain = [e for e in events if isinstance(e.node, ast.Call) and {k.arg for k in e.node.keywords} <= {"retain_graph", "create_graph"}]
    return EMPTY.union(*(e.value.refs for e in plain if e.node.func.attr == "backward"))  # type: ignore[attr-defined]


def _name(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


def _owner(node: ast.Call) -> str:
    return ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""


def _reduces(node: ast.Call) -> bool:
    """`x.mean()`, `torch.mean(x)`."""
    return _name(node) in REDUCTIONS and not node.keywords and len(node.args) == int(_owner(node) == "torch")


def _is_loss(trace: Trace, token: int, node: ast.Call) -> bool:
    """`F.mse_loss(x, y)`, or a loss module of torch, where nothing is said of a reduction."""
    if {k.arg for k in node.keywords} & (REDUCE | {None}) or any(isinstance(a, ast.Starred) for a in node.args):
        return False
    if _owner(node).rpartition(".")[2] in ("F", "functional"):
        return len(node.args) <= 2 and (_name(node) in LOSSES or _name(node).endswith("_loss"))
    callee = trace.sites[token].callee
    built = [trace.sites[t].node for t in callee.refs] if callee is not None else []
    return bool(built) and all(isinstance(b, ast.Call) and _builds_loss(b) for b in built)


def _builds_loss(node: ast.Call) -> bool:
    known = _owner(node).rpartition(".")[2] in ("nn", "torch")
    return known and _name(node).endswith("Loss") and not node.args and not {k.arg for k in node.keywords} & (REDUCE | {None})


def _keeps_size(node: ast.AST) -> bool:
    if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.AugAssign)):
        return not isinstance(getattr(node, "op", None), ast.MatMult)
    return isinstance(node, ast.Call) and _name(node) in KEEPS_SIZE
