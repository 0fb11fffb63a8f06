"""Blocks: sequences of statements, with, try, and the ends of a path.

Here: context managers and grad mode, exceptions, return and raise. Not here: loops and branches.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from flake8_detach.knowledge import objects, operations
from flake8_detach.trace import Role
from flake8_detach.value import (
    EMPTY,
    NONE,
    OTHER,
    Grad,
    Kind,
    Value,
)

from .branches import TENSORS_HAVE
from .loops import Loops
from .records import UnknownSyntax
from .state import MODE, YIELD_MODE, Difference
from .updates import AUTOCAST

_UNCALLED = frozenset(
    "torch.no_grad torch.enable_grad torch.inference_mode torch.set_grad_enabled torch.autograd.no_grad torch.autograd.enable_grad".split()
)


NAMED = frozenset("backward step zero_grad eval train".split())
"""Methods whose name alone, as a statement, is a call forgotten."""


class Blocks(Loops):
    """Executes blocks."""

    def exec_block(self, body: Sequence[ast.stmt]) -> None:
        state, executors = self.state, self.executors
        for statement in body:
            if state.dead:
                return
            self.fuel -= 1
            method = executors.get(statement.__class__)
            if method is not None:
                method(self, statement)
            elif statement.__class__ is not ast.Pass:
                raise UnknownSyntax(statement)

    def exec_Expr(self, node: ast.Expr) -> None:
        self.statement = node.value
        value = self.eval(node.value)
        if value.kind & Kind.SWITCH and isinstance(node.value, ast.Call) and isinstance(value.const, tuple) and value.const[0] == "grad":
            if self.token(node.value, "switch") in value.refs:
                self.record(Role.SWITCH, node.value, value, detail="bare")
        elif value.kind & Kind.SWITCH and isinstance(value.const, tuple) and value.const[0] == "set":
            self.note_left_off(node.value, value.const[1])
        elif isinstance(node.value, ast.Attribute) and node.value.attr in NAMED:
            self.record(Role.NAMED, node.value, self.eval(node.value.value), detail=node.value.attr)
        elif isinstance(node.value, ast.Compare) and isinstance(node.value.left, ast.Attribute) and node.value.left.attr == "requires_grad":
            self.record(Role.FLAG, node.value, self.eval(node.value.left.value), detail=("comparison", "requires_grad"))

    # -- ends of a path ---------------------------------------------------------------------------------------------------------------

    def exec_Return(self, node: ast.Return) -> None:
        value = self.eval(node.value) if node.value is not None else NONE
        here = self.here
        here.returns.append(value)
        straight = here.depth == (self.branches, len(self.loops))
        here.exits.append(None if straight else self.state.changed(here.mark))
        self.state.dead = True

    def exec_Raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            self.eval(node.exc)
        self.state.dead = True

    # -- with -------------------------------------------------------------------------------------------------------------------------

    open_switches: frozenset[int] = EMPTY

    def exec_With(self, node: ast.With | ast.AsyncWith) -> None:
        """Grad mode is what it was before when the block ends, on every way out."""
        before, inferring = self.mode, self.inferring
        managers: list[Value] = []
        undo: Difference = {}
        for item in node.items:
            manager = self.eval(item.context_expr)
            managers.append(manager)
            self.record_with(manager, item.context_expr, node)
            undo.update((key, self.state.store.get(key)) for address in manager.refs for key in self.paused.get(address, ()))
            entered = self.enter(manager, item.context_expr)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, entered, node)
        exits, ways = len(self.here.exits), self.ways_out()
        opened = self.open_switches
        self.open_switches = opened | {t for m in managers if m.kind & Kind.SWITCH for t in m.refs}
        off = any(map(_is_off, managers))
        casts = [(m, item.context_expr) for m, item in zip(managers, node.items) if AUTOCAST in m.names]
        self.note_cast(casts, True)
        self.here.switched += off
        self.exec_block(node.body)
        self.here.switched -= off
        if undo or any(map(self.closer, managers)):
            self.on_every_way(ways, lambda: self.close(managers, undo))
        self.note_cast(casts, False)
        self.inferring = inferring
        self.open_switches = opened
        restores = [m.const[2] for m in managers if isinstance(m.const, tuple) and m.const[0] == "set"]
        after = restores[0] if restores else before
        self.set_mode(after)  # also on the way out by an exception
        self.restore_exits(after, exits)

    exec_AsyncWith = exec_With

    def closer(self, manager: Value) -> Value | None:
        """The `__exit__` of an object of a class of the file."""
        cls = self.instances.get(next(iter(manager.refs))) if len(manager.refs) == 1 else None
        return self.find(cls, "__exit__") if cls is not None else None

    def close(self, managers: list[Value], undo: Difference) -> None:
        """Leave the block of these managers, of which generators undo what they had done."""
        self.state.apply(undo)
        for manager in reversed(managers):
            method = self.closer(manager)
            if method is not None:
                self.call(self.bind_method(method, manager), [NONE] * 3, {}, ast.Constant(None))

    def ways_out(self) -> list[tuple[list[Any], int]]:
        """The lists of the ways that leave a block: by return, break or continue; and how many they hold."""
        lists: list[list[Any]] = [self.here.exits, *(ways for loop in self.loops for ways in (loop.breaks, loop.continues))]
        return [(ways, len(ways)) for ways in lists]

    def on_every_way(self, ways: list[tuple[list[Any], int]], last: Callable[[], None]) -> None:
        """Do what is done last in a block on the way that goes on, and put what that leaves on all others that left the block since."""
        dead, self.state.dead = self.state.dead, False
        mark = self.state.mark()
        last()
        left = self.state.changed(mark)
        for way in (way for lists, since in ways for way in lists[since:]):
            if way is not None:
                way.update(left)
        self.state.dead = self.state.dead or dead

    def restore_exits(self, mode: int, since: int) -> None:
        """Paths that left the block by return, break or continue also restore the mode."""
        for difference in self.here.exits[since:]:
            if difference is not None and MODE in difference:
                difference[MODE] = mode
        for loop in self.loops:
            for difference in (*loop.breaks, *loop.continues):
                if MODE in difference:
                    difference[MODE] = mode

    def record_with(self, manager: Value, node: ast.expr, block: ast.With | ast.AsyncWith) -> None:
        """What DET302 asks of a with statement over a grad-mode switch."""
        if manager.kind & Kind.LIBRARY and manager.names & _UNCALLED:
            self.record(Role.SWITCH, node, manager, detail="uncalled")
        elif manager.kind & Kind.SWITCH and isinstance(manager.const, tuple):
            if manager.refs & self.open_switches:
                self.record(Role.SWITCH, node, manager, detail="nested")
            elif manager.const[1] == Grad.CUT and self.only_creates(block.body):
                self.record(Role.SWITCH, node, manager, detail="creates")

    def only_creates(self, body: Sequence[ast.stmt]) -> bool:
        """Whether a block does nothing but make new tensors, which never have history."""
        for statement in body:
            value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
            if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute) or self.writes_tensor(statement):
                return False
            names = self.eval(value.func).names if isinstance(value.func.value, ast.Name) else frozenset()
            if not any(n.startswith("torch.") and n[6:] in operations.CREATORS for n in names):
                return False
            if any(self.computes(n) for a in [*value.args, *(k.value for k in value.keywords)] for n in ast.walk(a)):
                return False
        return True

    def writes_tensor(self, statement: ast.stmt) -> bool:
        """Whether an assignment is to an element of what may be a tensor."""
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        return any(isinstance(t, ast.Subscript) and self.eval(t.value).kind & (Kind.TENSOR | Kind.UNKNOWN) for t in targets)

    def computes(self, node: ast.AST) -> bool:
        """Whether a part of an expression calls something, or does an operation on a tensor."""
        if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Subscript)):
            return any(self.eval(n).kind & Kind.TENSOR != 0 for n in ast.walk(node) if isinstance(n, ast.Name))
        return isinstance(node, ast.Call)

    def enter(self, manager: Value, node: ast.AST) -> Value:
        """Enter a context manager: grad-mode switches switch, generator functions of the file run up to their yield."""
        if manager.kind & Kind.SWITCH and isinstance(manager.const, tuple):
            if any(name.endswith("inference_mode") for name in manager.names):
                self.inferring = manager.const[1] == Grad.CUT
            self.set_mode(manager.const[1])
            return manager
        if manager.names & (objects.SWITCH_OFF | objects.SWITCH_BY):
            self.set_mode(self.mode | Grad.CUT)  # one of several: `no_grad() if quiet else nullcontext()`
        for address in manager.refs:
            cls = self.instances.get(address)
            method = self.find(cls, "__enter__") if cls else None
            if method is not None:
                bound = self.bind_method(method, manager)
                return self.call(bound, [], {}, ast.Constant(None))
            slot = self.state.store.get((address, YIELD_MODE))
            if isinstance(slot, int):
                self.state.apply(self.paused.get(address, {}))
                self.set_mode(slot)
                return self.items(manager, node)
        if manager.kind & Kind.UNKNOWN and not manager.kind & (Kind.OBJECT | Kind.LIBRARY):
            called = node.func if isinstance(node, ast.Call) else node
            name = self.idiom(called) if isinstance(called, ast.expr) else ""
            if any(word in name.lower() for word in ("grad", "infer", "eval", "test", "predict", "freeze", "mode", "context", "ctx")):
                self.set_mode(self.mode | Grad.CUT)
        return manager

    # -- try --------------------------------------------------------------------------------------------------------------------------

    def exec_Try(self, node: ast.Try) -> None:
        mark, ways = self.state.mark(), self.ways_out()
        outer, visit = self.path, self.visit(None)
        alive: list[int] = []
        self.branches += 1
        self.exec_block(node.body)
        body_dead = self.state.dead
        body_end = self.state.changed(mark)
        self.state.dead = False
        self.state.rollback(mark)
        ends: list[Difference] = []
        if not body_dead:
            self.state.apply(body_end)
            self.path = (*outer, (visit, 0))
            self.exec_block(node.orelse)
            if not self.state.dead:
                ends.append(self.state.changed(mark))
                alive.append(0)
            self.state.rollback(mark)
            self.state.dead = False
        for number, handler in enumerate(node.handlers, 1):
            self.path = (*outer, (visit, number))
            self.state.merge([{}, body_end])
            if handler.name is not None:
                self.bind_name(handler.name, OTHER, handler)
            if handler.type is not None:
                self.eval(handler.type)
            self.refine_failed(node.body)
            self.exec_block(handler.body)
            if not self.state.dead and not (not body_dead and _imports_only(node)):
                ends.append(self.state.changed(mark))
                alive.append(number)
            self.state.rollback(mark)
            self.state.dead = False
        self.path = self.rest_of(outer, visit, alive, 1 + len(node.handlers))
        self.branches -= 1
        self.state.merge(ends)
        if node.finalbody:
            self.on_every_way(ways, lambda: self.exec_block(node.finalbody))

    exec_TryStar = exec_Try

    def refine_failed(self, body: Sequence[ast.stmt]) -> None:
        """`try: x.item()` has failed: x is no tensor."""
        value = getattr(body[0], "value", None)
        while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in TENSORS_HAVE:
            value = value.func.value
            if isinstance(value, ast.Name):
                self.narrow(value, Kind.TENSOR, False)


def _is_off(manager: Value) -> bool:
    """Whether a context manager switches gradients off."""
    return bool(manager.kind & Kind.SWITCH) and isinstance(manager.const, tuple) and manager.const[1] == Grad.CUT


def _imports_only(node: ast.Try) -> bool:
    """`try: import x except ImportError: x = None`: the import is what counts."""
    return all(isinstance(s, (ast.Import, ast.ImportFrom)) for s in node.body)
