"""Beliefs: what the linter takes a value for, in words, and why.

Here: the facets of a Value and the evidence of the Trace as sentences. Not here: any judgement; whoever reads this wants to know why a rule
speaks or is silent.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach.interpreter.observed import Seen
from flake8_detach.trace import Trace, text
from flake8_detach.value import UNSURE, DType, Grad, Kind, Leaf, Training, Value

from . import Inspection

LIMIT = 8  # how many places of a history are told
MODES = {Grad.LIVE: "on", Grad.CUT: "off"}


def told(inspection: Inspection) -> Iterator[str]:
    """The report: of one statement all its expressions, of a whole file the names that are bound; and the findings."""
    lines = {seen.node.lineno for seen in inspection.seen} | {found.node.lineno for found in inspection.findings}
    for number in sorted(lines):
        told_here = [*_values(inspection, number), *_found(inspection, number)]
        if told_here:
            yield f"{inspection.trace.filename}:{number}"
            yield from (f"  {one}" for one in told_here)


def _found(inspection: Inspection, line: int) -> Iterator[str]:
    for found in inspection.findings:
        if found.node.lineno == line:
            yield f"{found.code} {found.message}"


def _values(inspection: Inspection, line: int) -> Iterator[str]:
    """Each name or expression with what was believed of it, visit by visit where these differ."""
    visits: dict[str, dict[tuple[str, ...], None]] = {}
    for seen in sorted(inspection.seen, key=_position):
        if seen.node.lineno == line and (seen.bound or inspection.line is not None and not _goes_without_saying(seen)):
            about = tuple(description(inspection.trace, seen))
            visits.setdefault(f"{seen.bound} =" if seen.bound else f"{text(seen.node)}:", {})[about] = None
    for name, ways in visits.items():
        for number, (headline, *reasons) in enumerate(ways):
            yield f"{name} {headline}" if number == 0 else f"  or, at another visit: {headline}"
            yield from (f"    {reason}" for reason in reasons)


def _goes_without_saying(seen: Seen) -> bool:
    """Literals, and names of Python's own functions."""
    return isinstance(seen.node, ast.Constant) or any(name.startswith("builtins.") for name in seen.value.names)


def _position(seen: Seen) -> tuple[int, int, int]:
    """From the outermost expression inwards; what is bound comes last."""
    return (bool(seen.bound), seen.node.col_offset, -(seen.node.end_col_offset or 0))


# -- one value --------------------------------------------------------------------------------------------------------------------------


def description(trace: Trace, seen: Seen) -> list[str]:
    """A headline with the facets, then the reasons."""
    value = seen.value
    head = ", ".join(facets(trace, value))
    if value.kind & Kind.MODULE and seen.training:
        head += {Training.TRAIN: ", in train mode", Training.EVAL: ", in eval mode"}.get(seen.training, ", in train or eval mode")
    if value.kind & (Kind.TENSOR | Kind.UNKNOWN):
        head += f" (grad mode {MODES.get(seen.mode, 'on or off')})"
    return [head, *reasons(trace, value)]


def facets(trace: Trace, value: Value) -> list[str]:
    """What the value is, in words."""
    out = [" or ".join(_kinds(value))]
    names = sorted(f"`{name.lstrip('.')}`" for name in value.names if "." in name)  # others are marks of the interpreter
    if names:
        out.append(" or ".join(names))
    if value.const is not UNSURE and value.kind & (Kind.NUMBER | Kind.TEXT):
        out.append(repr(value.const))
    if value.kind & (Kind.TENSOR | Kind.UNKNOWN) and value.grad:
        out.append(_gradient(trace, value))
        if value.kind & Kind.TENSOR:
            out += [word for mask, word in ((Leaf.LEAF, "leaf"), (Leaf.NONLEAF, "not a leaf")) if value.leaf == mask]
            out += [word for mask, word in ((DType.FLOAT, "float"), (DType.INTEGER, "integer or boolean")) if value.dtype == mask]
    return out


def _kinds(value: Value) -> list[str]:
    words = {"UNKNOWN": "unknown", "OTHER": "no tensor", "NONE": "None", "LIBRARY": "of a library", "SWITCH": "context manager"}
    return [words.get(name, name.lower()) for name, bit in vars(Kind).items() if name.isupper() and value.kind & bit]


def _gradient(trace: Trace, value: Value) -> str:
    if value.dtype == DType.INTEGER:
        return "cut: it can't require grad"
    if trace.is_live(value):
        return "live on some paths, cut on others" if value.grad & Grad.CUT else "live: it requires grad"
    return "cut: it requires no grad" if value.grad == Grad.CUT else "not known to require grad"


def reasons(trace: Trace, value: Value) -> Iterator[str]:
    """Why: where a history comes from, what was cut, what is done later."""
    if not value.kind & (Kind.TENSOR | Kind.UNKNOWN):
        return
    lines = dict.fromkeys(filter(None, (_origin(trace, token) for token in sorted(value.history))))
    yield from list(lines)[:LIMIT]
    if len(lines) > LIMIT:
        yield f"and from {len(lines) - LIMIT} other places"
    if value.grad & Grad.CUT and not value.history:
        yield from _cuts(trace, value)
    if value.refs & trace.proven:
        yield "backward() is called on it, so it must be live"
    elif value.reach & trace.backpropagated and value.grad & (Grad.LIVE | Grad.UNKNOWN):
        yield "it, or something it is computed from, is back-propagated"
    for loop in sorted({carry.loop for carry in value.carried}):
        yield f"it depends on the iteration before of the loop on line {getattr(trace.loops[loop][0], 'lineno', 0)}"


def _origin(trace: Trace, token: int) -> str:
    """What one place of a history contributes."""
    node, callee = trace.sites[token].node, trace.sites[token].callee
    if node is None:
        return ""
    at = where(node)
    if token in trace.leaves:
        return f"from {at}: a leaf that requires grad"
    if token in trace.proven:
        return f"from {at}: back-propagated later, so live"
    if token in trace.parameters or (callee is not None and trace.is_module(callee)):
        made = sorted(where(n) for m in trace.parameters.get(token, ()) if (n := trace.sites[m].node) is not None)
        return f"from {at}: the result of a module with parameters{', made by ' + ', '.join(made) if made else ''}"
    if trace.lives(token):
        return f"from {at}: live"
    return f"perhaps from {at}: the file does not show what it gives"


def _cuts(trace: Trace, value: Value) -> Iterator[str]:
    """What took a value's history away, where an operation of the file did."""
    for token in sorted(value.refs):
        made = trace.made.get(token)
        if made is None or made.grad != Grad.CUT:
            continue
        if any(operand.grad & (Grad.LIVE | Grad.UNKNOWN) for operand in made.operands):
            off = trace.sites[token].mode == Grad.CUT
            yield f"cut by {where(made.node)}" + (": gradients are off there" if off else "")
        elif made.operands:
            yield f"made by {where(made.node)} of values that require no grad"


def where(node: ast.AST) -> str:
    """A place of the program: "`model(x)`, line 12"."""
    return f"`{spelled(node)}`, line {getattr(node, 'lineno', 0)}"


def spelled(node: ast.AST) -> str:
    """A node on one line; of a definition its name alone."""
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return f"def {node.name}"
    return "the file" if isinstance(node, ast.Module) else text(node).partition("\n")[0]
