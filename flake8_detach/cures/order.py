"""Order: statements that are added to a training step or moved within it.

Here: where a call belongs, as the text of the program says it. All of these change what is trained, as they are meant to: none is safe. Not here:
what is in the wrong order (the rules).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..rule import Change, Edit
from ..trace import Event, Role, Trace
from .syntax import around, block, function, is_alone, module_name, statement


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


def moved(trace: Trace, what: ast.AST, where: ast.AST, after: bool) -> Edit | None:
    """A call that is a statement goes in front of, or behind, another statement of the same function."""
    one, other = _line(trace, what), statement(trace, where)
    if trace.seen is None or one is None or other is None or one is other or not is_alone(trace, other) or not _same_function(trace, one, other):
        return None
    return Edit((Change("moved_after" if after else "moved_before", one, (other,)),), safe=False)


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
    return Edit((Change("moved_before", one, (loop,)),), safe=False)


def carried_cut(trace: Trace, bind: ast.AST, backward: ast.AST) -> Edit | None:
    """`h = h.detach()` behind the backward that frees the graph of the state, for a plain name that is bound in the same function."""
    one, name = statement(trace, backward), _bound_name(trace, bind)
    if trace.seen is None or one is None or not name or not is_alone(trace, one) or not _same_function(trace, one, bind):
        return None
    return Edit((Change("after", one, (f"{name} = {name}.detach()",)),), safe=True)


def _bound_name(trace: Trace, node: ast.AST) -> str:
    """The name that an assignment binds; of several, the one that the node itself is."""
    if isinstance(node, ast.Name):
        return node.id
    one = statement(trace, node)
    targets = one.targets if isinstance(one, ast.Assign) else [one.target] if isinstance(one, (ast.AugAssign, ast.AnnAssign)) else []
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""


# -- training mode ----------------------------------------------------------------------------------------------------------------------


def put_into_eval(trace: Trace, call: ast.AST) -> Edit | None:
    """`model.eval()` in front of the pass that calls the model, and `model.train()` behind it where the model is trained elsewhere."""
    model = model_of(call)
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


def model_of(call: ast.AST) -> str:
    """The text of the model in `model(x)` or `model.forward(x)`."""
    called = call.func if isinstance(call, ast.Call) else None
    if isinstance(called, ast.Attribute) and called.attr == "forward":
        called = called.value
    return ast.unparse(called) if isinstance(called, (ast.Name, ast.Attribute)) else ""


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
    leaves = [n for s in block(trace, one) for n in ast.walk(s) if isinstance(n, (ast.Return, ast.Break, ast.Continue, ast.Yield))]
    if not is_alone(trace, last) or any(n is not last for n in leaves):
        return None
    return Edit((Change("before" if leaves else "after", last, (text,)),), safe=False)


# -- leaves -----------------------------------------------------------------------------------------------------------------------------


def bound_with(trace: Trace, nodes: Iterable[ast.AST | None], names: str, safe: bool) -> Edit | None:
    """The expression that a plain name is bound to gets methods, where every place that may have made the value is one."""
    changes = []
    for node in nodes:
        one = statement(trace, node) if node is not None else None
        if not isinstance(one, ast.Assign) or one.value is not node or not all(isinstance(t, (ast.Name, ast.Attribute)) for t in one.targets):
            return None
        changes.append(Change("methods", one.value, (names,)))
    return Edit(tuple(changes), safe) if changes and trace.seen is not None else None


def imported(trace: Trace, module: str) -> tuple[str, frozenset[str]]:
    """By which name a module is known, and what must be imported for it."""
    return module_name(trace, module)
