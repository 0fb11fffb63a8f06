"""Modes: statements and functions put under `torch.no_grad()`, and switches that are put right.

Here: how far a block reaches, and whether anything in it is back-propagated. Not here: the order of statements in a training step.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..rule import Change, Edit
from ..trace import Role, Trace
from .syntax import FunctionDef, around, block, function, holds, is_alone, is_free, may_bind, module_name, parent, statement

LEAVES_BLOCK = (ast.Yield, ast.YieldFrom, ast.Await)


def no_grad(trace: Trace) -> tuple[str, frozenset[str]] | None:
    """`torch.no_grad()` as this file must write it, and what it must import for that."""
    name, imports = module_name(trace, "torch")
    return (f"{name}.no_grad()", imports) if is_free(trace, name) else None


def around_pass(trace: Trace, node: ast.AST, frame: int) -> Edit | None:
    """An evaluation pass: its function is decorated where it does nothing else, or else its loop, or its statement, is put into a block."""
    if trace.seen is None:
        return None
    own = trace.frames[frame].function
    if isinstance(own, ast.FunctionDef) and holds(own, node) and _may_decorate(trace, own):
        return decorated(trace, own, safe=True)
    for one in _regions(trace, node):
        edit = in_block(trace, one, one, safe=True)
        if edit is not None:
            return edit
    return None


def _regions(trace: Trace, node: ast.AST) -> Iterator[ast.stmt]:
    """The statements of the same function that hold a node, the outermost loop first, then from inside out."""
    held = []
    for one in around(trace, node):
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            break
        if isinstance(one, ast.stmt):
            held.append(one)
    loops = [one for one in held if isinstance(one, (ast.For, ast.While))]
    return iter([*reversed(loops), *held])


def _may_decorate(trace: Trace, own: FunctionDef) -> bool:
    """Whether nothing that a function does is back-propagated, and its mode lasts exactly as long as it runs."""
    if any(isinstance(n, LEAVES_BLOCK) for n in ast.walk(own)) or own.name == "__init__":
        return False
    names = {ast.unparse(d).rpartition(".")[2] for d in own.decorator_list}
    return not names & {"property", "setter", "abstractmethod"} and not _trains(trace, own)


def in_block(trace: Trace, first: ast.stmt, last: ast.stmt, safe: bool, checked: bool = True) -> Edit | None:
    """Statements of one block put under no_grad, if nothing in them is back-propagated."""
    switch = no_grad(trace)
    among = block(trace, first)
    if switch is None or not is_alone(trace, first) or not is_alone(trace, last) or not any(s is last for s in among):
        return None
    places = [n for n, s in enumerate(among) if s is first or s is last]
    inside = among[places[0] : places[-1] + 1]
    if any(isinstance(n, LEAVES_BLOCK) for s in inside for n in ast.walk(s)) or any(isinstance(s, (ast.FunctionDef, ast.ClassDef)) for s in inside):
        return None
    if checked and any(_trains(trace, s) for s in inside):
        return None
    return Edit((Change("within", first, (last, switch[0])),), safe, switch[1])


def decorated(trace: Trace, own: ast.AST | None, safe: bool) -> Edit | None:
    """`@torch.no_grad()` on a function."""
    switch = no_grad(trace)
    if switch is None or not isinstance(own, ast.FunctionDef):
        return None
    return Edit((Change("decorated", own, (switch[0],)),), safe, switch[1])


def _trains(trace: Trace, region: ast.AST) -> bool:
    """Whether anything that is made, or called, in a region is back-propagated or differentiated, or something there asks for gradients."""
    nodes = {id(n) for n in ast.walk(region)}
    if any(_runs_in(trace, e.node, e.frame, nodes) for e in trace.of(Role.BACKWARD, Role.STEP, Role.DIFFERENTIATE, Role.GRAFT, Role.PEEK)):
        return True
    wanted = trace.backpropagated | trace.escaped
    return any(t < len(trace.sites) and _runs_in(trace, trace.sites[t].node, trace.sites[t].frame, nodes) and _is_made(trace, t) for t in wanted)


def _is_made(trace: Trace, token: int) -> bool:
    """Whether a place makes a tensor out of others: a model that is built, or a tensor that is only created, is the same without gradients."""
    made = trace.made.get(token)
    return made is None or any(v.history or v.refs for v in made.operands)


def _runs_in(trace: Trace, node: ast.AST | None, frame: int, nodes: set[int]) -> bool:
    """Whether a place lies in a region, or in a function that was called from there."""
    while True:
        if node is not None and id(node) in nodes:
            return True
        if frame < 0 or trace.frames[frame].parent < 0:
            return False
        node, frame = trace.frames[frame].call, trace.frames[frame].parent


# -- leaves written in place ------------------------------------------------------------------------------------------------------------


def around_write(trace: Trace, node: ast.AST) -> Edit | None:
    """An in-place write to a leaf, put under no_grad: it raised before."""
    one = statement(trace, node)
    if trace.seen is None or one is None or isinstance(one, (ast.For, ast.While, ast.If, ast.With, ast.Try, ast.FunctionDef, ast.ClassDef)):
        return None
    return in_block(trace, one, one, safe=True, checked=False)


def without_data(trace: Trace, node: ast.AST, written: bool) -> Edit | None:
    """`x.data` -> `x.detach()`, safe for what is only read; `x.data += y` -> `with torch.no_grad(): x += y`."""
    target = parent(trace, node.value) if isinstance(node, ast.Attribute) else None  # of what `+=` writes to, the interpreter reads a copy
    if not isinstance(target, ast.Attribute) or not isinstance(target.ctx, ast.Store):
        return Edit((Change("attribute_called", node, ("detach",)),), safe=not written)
    around_it = around_write(trace, target)
    if around_it is None or isinstance(target.value, ast.Name) and not may_bind(trace, target, target.value.id):
        return None
    return around_it._replace(changes=(Change("owner_of", target), *around_it.changes), safe=False)


def around_update(trace: Trace, node: ast.AST) -> Edit | None:
    """`w = w - lr * w.grad` -> `with torch.no_grad(): w -= lr * w.grad`."""
    one = statement(trace, node)
    if trace.seen is None or not isinstance(one, ast.Assign) or not isinstance(one.value, ast.BinOp):
        return None
    in_place = Change("in_place", one)
    if _is_guarded(trace, one):
        return Edit((in_place,), safe=False)
    around_it = in_block(trace, one, one, safe=False, checked=False)
    return around_it._replace(changes=(in_place, *around_it.changes)) if around_it is not None else None


def _is_guarded(trace: Trace, node: ast.AST) -> bool:
    withs = (one for one in around(trace, node) if isinstance(one, ast.With))
    return any("no_grad" in ast.unparse(item.context_expr) for one in withs for item in one.items)


# -- dead switches ----------------------------------------------------------------------------------------------------------------------


def revived(trace: Trace, node: ast.AST, detail: str) -> Edit | None:
    """A switch that does nothing is made one that does, where that is clear."""
    if trace.seen is None:
        return None
    if detail == "uncalled":
        return Edit((Change("called", node),), safe=True) if isinstance(node, (ast.Attribute, ast.Name)) else None
    if detail == "bare":
        return entered(trace, node)
    if detail == "creates":
        block_ = next((one for one in around(trace, node) if isinstance(one, ast.With)), None)
        return Edit((Change("without", block_),), safe=True) if block_ is not None and len(block_.items) == 1 else None
    return None


def entered(trace: Trace, node: ast.AST) -> Edit | None:
    """`torch.no_grad()` as a statement -> a block around what follows it."""
    one = statement(trace, node)
    among = block(trace, one) if one is not None else []
    if one is None or not isinstance(one, ast.Expr) or one.value is not node or one is among[-1]:
        return None
    rest = among[next(n for n, s in enumerate(among) if s is one) + 1 :]
    around_rest = in_block(trace, rest[0], rest[-1], safe=False)
    if around_rest is None:
        return None
    within = around_rest.changes[0]
    text = ast.unparse(node)
    return Edit((Change("deleted", one), within._replace(arguments=(rest[-1], text))), safe=False)


def on_coroutine(trace: Trace, node: ast.AST, detail: str) -> Edit | None:
    """`@torch.no_grad()` on an `async def` -> a block in it, where nothing is awaited meanwhile."""
    own = parent(trace, node)
    if trace.seen is None or detail != "coroutine" or not isinstance(own, ast.AsyncFunctionDef):
        return None
    body = own.body[1:] if ast.get_docstring(own) is not None else own.body
    around_it = in_block(trace, body[0], body[-1], safe=True) if body else None
    if around_it is None or not isinstance(node, ast.expr):
        return None
    text = ast.unparse(node)
    within = around_it.changes[0]._replace(arguments=(body[-1], text if isinstance(node, ast.Call) else f"{text}()"))
    return Edit((Change("undecorated", own, (text,)), within), safe=True)


def narrowed(trace: Trace, node: ast.AST) -> Edit | None:
    """A generator that yields inside `with torch.no_grad():` gets the decorator instead, where the block is all that it does."""
    own = function(trace, node)
    blocks = [one for one in around(trace, node) if isinstance(one, ast.With) and "no_grad" in ast.unparse(one.items[0].context_expr)]
    if trace.seen is None or not isinstance(own, ast.FunctionDef) or len(blocks) != 1 or len(blocks[0].items) != 1 or not isinstance(node, ast.Yield):
        return None
    rest = [s for s in own.body if s is not blocks[0] and not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    if parent(trace, blocks[0]) is not own or any(isinstance(n, ast.Call) for s in rest for n in ast.walk(s)):
        return None
    text = ast.unparse(blocks[0].items[0].context_expr)
    return Edit((Change("without", blocks[0]), Change("decorated", own, (text,))), safe=True)


def ordinary(trace: Trace, tokens: frozenset[int]) -> Edit | None:
    """`inference_mode` -> `no_grad` where tensors were made that autograd needs later: slower, otherwise the same."""
    found: dict[int, ast.expr] = {}
    for token in tokens:
        site = trace.sites[token]
        switch = _inference(trace, site.node) if site.node is not None else None
        if switch is None:
            return None
        found[id(switch)] = switch
    changes = tuple(Change("renamed", one, ("no_grad",)) for one in found.values())
    return Edit(changes, safe=True) if changes else None


def _inference(trace: Trace, node: ast.AST) -> ast.expr | None:
    """The name `torch.inference_mode` of the block or decorator around a node, called without arguments."""
    for one in around(trace, node):
        items = [item.context_expr for item in one.items] if isinstance(one, ast.With) else getattr(one, "decorator_list", [])
        for item in items:
            called = item.func if isinstance(item, ast.Call) and not item.args and not item.keywords else item
            if isinstance(called, ast.Attribute) and called.attr == "inference_mode":
                return called
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return None
    return None
