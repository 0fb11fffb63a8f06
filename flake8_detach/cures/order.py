"""Order: statements that are added to a training step or moved within it.

Here: where a call belongs, as the text of the program says it. All of these change what is trained, as they are meant to: none is safe. Not here:
what is in the wrong order (the rules).
"""

from __future__ import annotations

import ast

from ..rule import Change, Edit
from ..trace import Event, Role, Trace
from ..value import Carry, Kind
from . import tensors
from .syntax import around, block, function, holds, is_alone, names, parent, statement


def _line(trace: Trace, node: ast.AST) -> ast.stmt | None:
    """The statement that a call is, alone on its lines."""
    one = statement(trace, node)
    return one if isinstance(one, ast.Expr) and one.value is node and is_alone(trace, one) else None


def _same_function(trace: Trace, *nodes: ast.AST) -> bool:
    return len({id(function(trace, node)) for node in nodes}) == 1


def cleared_before(trace: Trace, backward: Event, step: Event) -> Edit | None:
    """`optimizer.zero_grad()` in front of the statement that back-propagates."""
    one = statement(trace, backward.node)
    name = optimizer_of(step)
    if trace.seen is None or one is None or not is_alone(trace, one) or not name or not _same_function(trace, one, step.node):
        return None
    return Edit((Change("before", one, (f"{name}.zero_grad()",)),), safe=False)


def optimizer_of(step: Event) -> str:
    """The text of the optimizer in `optimizer.step()` or `scaler.step(optimizer)`."""
    node = step.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return ""
    named = node.args[0] if step.target.refs and node.args else node.func.value
    return ast.unparse(named) if isinstance(named, (ast.Name, ast.Attribute)) else ""


def moved(trace: Trace, what: ast.AST, where: ast.AST | None, after: bool) -> Edit | None:
    """A call that is a statement goes in front of, or behind, another statement of the same function; with the `if` that holds nothing else."""
    one, other = _line(trace, what), statement(trace, where) if where is not None else None
    if trace.seen is None or one is None or other is None or one is other or not _same_function(trace, one, other):
        return None
    holder = parent(trace, one)
    while isinstance(holder, ast.If) and len(holder.body) == 1 and not holder.orelse and not holds(holder, other):
        one, holder = holder, parent(trace, holder)
    outside = [s for s in around(trace, other) if isinstance(s, ast.stmt)]
    if isinstance(one, ast.If):  # its condition need not hold where an inner block runs
        other = next((s for s in outside if any(s is n for n in block(trace, one))), other)
    if not is_alone(trace, one) or not is_alone(trace, other) or not _means_the_same(trace, one, other):
        return None
    return Edit((Change("moved_after" if after else "moved_before", one, (other,)),), safe=False)


def _means_the_same(trace: Trace, one: ast.stmt, other: ast.stmt) -> bool:
    """Whether nothing that a statement reads is bound between it and another."""
    first, last = sorted((one.lineno, other.lineno))
    read = names(one)
    inside = function(trace, one) or trace.tree
    bound = (n for n in ast.walk(inside) if isinstance(n, ast.Name) and n.id in read and not isinstance(n.ctx, ast.Load))
    return not any(first <= n.lineno <= last and not holds(one, n) for n in bound)


def inserted(trace: Trace, text: str, where: ast.AST, after: bool = False) -> Edit | None:
    """A statement in front of, or behind, the one that holds a node."""
    one = statement(trace, where)
    if trace.seen is None or one is None or not is_alone(trace, one):
        return None
    return Edit((Change("after" if after else "before", one, (text,)),), safe=False)


def before_loop(trace: Trace, node: ast.AST) -> Edit | None:
    """A statement of a loop's own body goes in front of the loop."""
    one = statement(trace, node)
    loop = next((s for s in around(trace, node) if isinstance(s, (ast.For, ast.While))), None)
    if trace.seen is None or one is None or loop is None or not any(s is one for s in loop.body) or not is_alone(trace, one) or not is_alone(trace, loop):
        return None
    bound = {n for s in (loop.target if isinstance(loop, ast.For) else loop.test, *(s for s in loop.body if s is not one)) for n in names(s, stored=True)}
    return Edit((Change("moved_before", one, (loop,)),), safe=False) if not names(one) & bound else None


def carried_cut(trace: Trace, bind: ast.AST, backward: ast.AST, carry: Carry) -> Edit | None:
    """`h = h.detach()` behind the backward that frees the graph of the state, for a plain name that is bound in the same function.

    What is bound after the last backward is detached where it is bound. Safe where the second backward surely raises: not where the graph is
    kept, nor where only sums may lie between, which save nothing and let every iteration train all earlier ones again.
    """
    name, safe = carry.key[1], not carry.direct and "retain_graph" not in ast.unparse(backward)
    one, bound = statement(trace, backward), statement(trace, bind)
    if trace.seen is None or one is None or bound is None or not is_alone(trace, one) or not _same_function(trace, one, bind):
        return None
    last = max(e.node.lineno for e in trace.of(Role.BACKWARD) if _same_function(trace, one, e.node) and isinstance(e.node, ast.expr))
    if bound.lineno > last:
        return tensors.detached(trace, [bound.value], safe) if isinstance(bound, ast.Assign) else None
    stored = [n.id for n in ast.walk(bound) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    if isinstance(name, str) and stored.count(name) == 1 and _kinds(trace, one, name) in (Kind.TENSOR, Kind.UNKNOWN, tensors.TENSOR):
        return Edit((Change("after", one, (f"{name} = {name}.detach()",)),), safe)
    rows = [n for n in stored if _kinds(trace, one, n) == Kind.CONTAINER]
    if isinstance(name, tuple) and len(rows) == 1:
        return Edit((Change("after", one, (f"{rows[0]} = tuple(s.detach() for s in {rows[0]})",)),), safe)
    return None


def _kinds(trace: Trace, node: ast.AST, name: str) -> int:
    """What a name is wherever the function of a node reads it; that it was None before it was bound says nothing."""
    reads = [n for n in ast.walk(function(trace, node) or trace.tree) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
    kinds = 0
    for one in reads:
        for value in tensors.values(trace, one):
            kinds |= value.kind & ~Kind.NONE
    return kinds


# -- training mode ----------------------------------------------------------------------------------------------------------------------


def put_into_eval(trace: Trace, call: ast.AST) -> Edit | None:
    """`model.eval()` in front of the pass that calls the model, and `model.train()` behind it where the model is trained elsewhere."""
    model = model_of(trace, call)
    held = [one for one in around(trace, call) if isinstance(one, ast.stmt)]
    own = function(trace, call)
    inside = [one for one in held if own is None or any(one is inner for inner in ast.walk(own)) and one is not own]
    loops = [one for one in inside if isinstance(one, (ast.For, ast.While))]
    if trace.seen is None or not model or not inside:
        return None
    one = loops[-1] if loops and not _binds(loops[-1], model) else inside[0]
    if not is_alone(trace, one):
        return None
    changes = [Change("before", one, (f"{model}.eval()",))]
    if trace.of(Role.BACKWARD) and not isinstance(one, ast.Return):
        changes.append(Change("after", one, (f"{model}.train()",)))
    return Edit(tuple(changes), safe=False)


def model_of(trace: Trace, call: ast.AST) -> str:
    """The text of the model in `model(x)` or `model.forward(x)`; empty where it is called by way of something else."""
    called = call.func if isinstance(call, ast.Call) else None
    if isinstance(called, ast.Attribute) and called.attr == "forward":
        called = called.value
    if not isinstance(called, (ast.Name, ast.Attribute)):
        return ""
    return ast.unparse(called) if any(e.node is call for e in trace.of(Role.FORWARD)) else ""


def _binds(one: ast.AST, name: str) -> bool:
    """Whether a statement binds the first name of a dotted one."""
    first = name.partition(".")[0]
    return any(isinstance(n, ast.Name) and n.id == first and isinstance(n.ctx, ast.Store) for n in ast.walk(one))


def back_to_train(trace: Trace, switched: ast.AST) -> Edit | None:
    """`model.train()` at the end of the function, or of the loop's body, in which `model.eval()` is called."""
    one = _line(trace, switched)
    if trace.seen is None or one is None or not isinstance(switched, ast.Call) or not isinstance(switched.func, ast.Attribute):
        return None
    text = f"{ast.unparse(switched.func.value)}.train()"
    last = block(trace, one)[-1]
    if last is one:  # nothing follows that it could be for
        return Edit((Change("replaced", one, (text,)),), safe=False)
    leaves = [n for s in block(trace, one) for n in ast.walk(s) if isinstance(n, (ast.Return, ast.Break, ast.Continue, ast.Yield))]
    if not is_alone(trace, last) or any(n is not last for n in leaves):
        return None
    return Edit((Change("before" if leaves else "after", last, (text,)),), safe=False)


# -- scalers ----------------------------------------------------------------------------------------------------------------------------


def through_scaler(trace: Trace, step: Event, scaled: ast.AST) -> Edit | None:
    """`optimizer.step()` -> `scaler.step(optimizer)`, and `scaler.update()` behind it where the function has none."""
    one, scaler, optimizer = _line(trace, step.node), receiver(scaled), optimizer_of(step)
    if trace.seen is None or one is None or not scaler or not optimizer or not _same_function(trace, one, scaled):
        return None
    changes = [Change("replaced", one, (f"{scaler}.step({optimizer})",))]
    if f"{scaler}.update(" not in ast.unparse(function(trace, one) or trace.tree):
        changes.append(Change("after", one, (f"{scaler}.update()",)))
    return Edit(tuple(changes), safe=False)


def receiver(call: ast.AST) -> str:
    """The text of `x` in `x.name(...)`, where that is a name or attribute."""
    owner = call.func.value if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else None
    return ast.unparse(owner) if isinstance(owner, (ast.Name, ast.Attribute)) else ""


def scaled_before(trace: Trace, backward: ast.AST, scaler: str) -> Edit | None:
    """`loss.backward()` -> `scaler.scale(loss).backward()`."""
    if trace.seen is None or not scaler or not isinstance(backward, ast.Call) or not isinstance(backward.func, ast.Attribute):
        return None
    return Edit((Change("wrapped", backward.func.value, (f"{scaler}.scale",)),), safe=False)


def unscaled_before(trace: Trace, clip: ast.AST, step: Event) -> Edit | None:
    """`scaler.unscale_(optimizer)` in front of the clip; one that comes later goes there."""
    late = {id(e.node): e.node for e in trace.of(Role.UNSCALE) if e.frame == step.frame}
    if late:
        return moved(trace, next(iter(late.values())), clip, after=False) if len(late) == 1 else None
    scaler, optimizer = receiver(step.node), optimizer_of(step)
    return inserted(trace, f"{scaler}.unscale_({optimizer})", clip) if scaler and optimizer and _same_function(trace, clip, step.node) else None
