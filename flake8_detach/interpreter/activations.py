"""Activations: calls of functions of the file, each run in a frame of its own.

Here: parameters, the grad mode of a function, its ways out, what a generator yields. Bounded by depth, recursion and fuel; past a bound the
result is unknown and the arguments have left the file.
"""

from __future__ import annotations

import ast
from typing import Final

from flake8_detach.knowledge import objects
from flake8_detach.value import (
    NONE,
    OTHER,
    TEXT,
    UNSURE,
    Grad,
    Kind,
    Value,
    constant,
    join,
    join_all,
)

from .machine import DEPTH
from .overwrites import PLAIN
from .records import Activation, Function
from .repeats import Repeats
from .state import FREEZING, NOW, TRAINING, YIELD_MODE
from .updates import AUTOCAST

UNDONE: Final = (TRAINING, FREEZING, NOW)
"""What a context manager may do before its yield and undo after it."""


class Activations(Repeats):
    """Runs functions of the file."""

    def call_function(self, token: int, args: list[Value], keywords: dict[str, Value], node: ast.AST | None) -> Value:
        function = self.functions.get(token)
        if function is None:
            return self.unknown(node or self.trace.tree, [*args, *keywords.values()])
        self.called.add(id(function.node))
        running = sum(1 for a in self.activations if a.function is not None and a.function.node is function.node)
        this = self.methods.get(token)
        if running > 1 or len(self.activations) > DEPTH or self.fuel < 0 or (node is not None and self.is_worn(function, this)):
            return self.not_followed(function, token, self.open([*args, *keywords.values()]), node)
        if node is not None and self.is_idle(function) and self.are_settings(given := self.open([*args, *keywords.values()])):
            return self.idle_result(function, given, node)
        if this is not None:
            args = [this, *args]
        elif args and function.owner is not None and "static" not in function.traits:
            this = args[0]
        return self.activate(function, token, args, keywords, node, this)

    def not_followed(self, function: Function, token: int, given: list[Value], node: ast.AST | None) -> Value:
        """A call past a bound: of a forward that has always given a live tensor, another; else unknown, and the arguments have left the file."""
        this = self.methods.get(token)
        if this is not None and isinstance(node, ast.expr) and self.gives_live(function):
            return self.module_result(this._replace(refs=frozenset(self.with_parts(this))), given, node, True)
        self.hand_over(function, given, node or function.node)
        return self.unknown(node or function.node, given)

    def activate(
        self, function: Function, token: int, args: list[Value], keywords: dict[str, Value], node: ast.AST | None, this: Value | None
    ) -> Value:
        """Run a body in a frame of its own and join what its paths return."""
        owner = function.owner.node.name if function.owner is not None else ""
        parent = self.here.frame if node is not None else -1
        since = len(self.trace.sites), len(self.trace.events)
        frame = self.frame(function.node, node, parent, owner)
        scope = self.frame_scope(frame)
        self.state.ended.discard(scope)
        mark = self.state.mark()
        outer_loops, path = self.loops, self.path
        scopes = (scope, *(self.closures.get(token) or (self.module_scope,)))
        depth = (self.branches, len(self.loops))
        here = Activation(frame, scope, scopes, function, this or self.here.this, mark)
        here.depth, here.since = depth, since
        before = self.mode
        for name in self.variables.get(scope, ()):
            self.state.delete((scope, name))
        rest = self.bind_arguments(function, scope, args, keywords, node)
        inferring = self.inferring
        self.inferring = (inferring or "inference" in function.traits) and "no inference" not in function.traits
        if function.mode:
            self.set_mode(function.mode)
        elif "maybe no_grad" in function.traits:
            self.set_mode(before | Grad.CUT)
        self.activations.append(here)
        self.bind_rest(function, scope, args, rest, node)
        casts = self.casts_of(function) if AUTOCAST in function.traits else []
        self.note_cast(casts, True)
        if isinstance(function.node, ast.Lambda):
            here.returns.append(self.eval(function.node.body))
        else:
            self.exec_block(function.node.body)
        self.note_cast(casts, False)
        self.activations.pop()
        self.inferring = inferring
        self.loops, self.path = outer_loops, path
        if scope not in self.captured:
            self.state.ended.add(scope)
        return self.finish(function, here, mark, before, node, [*args, *keywords.values()])

    def never_returned(self, function: Function, given: list[Value], node: ast.AST | None) -> Value:
        """What an abstract method gives, one whose every path raises: its override is code that the file may not show."""
        if function.owner is None or node is None:
            return OTHER
        operands = self.open(given)
        if isinstance(node, ast.expr):
            self.give_away(operands, node, getattr(function.node, "name", ""))
        return self.unknown(node, operands, tag="abstract")

    def finish(
        self, function: Function, here: Activation, mark: int, before: int, node: ast.AST | None, args: list[Value]
    ) -> Value:
        """Join the ways out of a body."""
        if not isinstance(function.node, ast.Lambda):
            if not self.state.dead:
                here.returns.append(NONE)
                here.exits.append(None)
            self.state.dead = False
            self.leave(here, mark)
        if function.mode or "maybe no_grad" in function.traits:
            self.set_mode(before)
        if here.yields:
            return self.generated(function, here)
        value = join_all(here.returns) if here.returns else self.never_returned(function, args, node)
        left = self.trace.left.setdefault(here.frame, set())
        if value.kind & ~PLAIN:
            for part in self.inside(value):
                if part.grad & (Grad.LIVE | Grad.UNKNOWN):
                    left |= self.with_wholes(part.history | part.refs)
        if function.owner is not None and function.owner.is_module and getattr(function.node, "name", "") == "forward":
            self.note_output(value, function.node, here.frame)
            if before == Grad.LIVE:
                kind, grad = self.gave.get(function.node, (0, 0))
                self.gave[function.node] = (kind | value.kind, grad | value.grad)
        if node is not None and function.node not in self.busy:
            self.note_idle(function, here, mark, value, args)
        return value

    def leave(self, here: Activation, mark: int) -> None:
        """Join the states of the ways out; where there is only the straight one, the state stays as it is."""
        if here.exits and here.exits != [None]:
            ends = [self.state.changed(mark) if end is None else end for end in here.exits]
            self.state.rollback(mark)
            self.state.merge(ends)

    def with_wholes(self, tokens: frozenset[int]) -> set[int]:
        """Tokens, and those of what they are parts of."""
        out: set[int] = set()
        for token in tokens:
            while token not in out:
                out.add(token)
                token = self.part_of.get(token, token)
        return out

    def generated(self, function: Function, here: Activation) -> Value:
        """Calling a generator function: a container of what it yields."""
        item = join_all(here.yields)
        value = self.tuple_of(function.node, item, None)
        self.trace.left.setdefault(here.frame, set()).update(t for part in self.inside(item) for t in part.reach)
        if "contextmanager" in function.traits:
            for address in value.refs:
                self.state.write((address, YIELD_MODE), here.yield_modes)
                undone = {k: slot for k, slot in here.at_yield.items() if k[1] in UNDONE and self.state.store.get(k) != slot}
                self.paused[address] = undone
        return value

    def frame_scope(self, frame: int) -> int:
        """The address of a frame's variables."""
        return self.part(0, ("scope", frame))

    # -- parameters -------------------------------------------------------------------------------------------------------------------

    def bind_arguments(self, function: Function, scope: int, args: list[Value], keywords: dict[str, Value], node: ast.AST | None) -> dict[str, Value]:
        """Parameters by position, keyword and default. Answers the keywords that none of them has taken."""
        spec = function.node.args
        names = [a.arg for a in (*spec.posonlyargs, *spec.args)]
        write = self.state.write
        defaults = dict(function.defaults) if node is not None else self.own_defaults(function)
        rest = dict(keywords)
        for index, name in enumerate(names):
            if index < len(args):
                value = args[index]
            elif name in rest:
                value = rest.pop(name)
            else:
                value = defaults.get(name) or rest.get("**") or self.parameter_value(function, index)
                if node is None and value.kind == Kind.NONE:  # nobody in the file calls it: somebody else fills the place
                    value = join(value, self.parameter_value(function, index))
            write((scope, name), value)
        for parameter in spec.kwonlyargs:
            value = rest.pop(parameter.arg) if parameter.arg in rest else defaults.get(parameter.arg) or self.unknown(parameter)
            write((scope, parameter.arg), value)
        return rest

    def bind_rest(self, function: Function, scope: int, args: list[Value], rest: dict[str, Value], node: ast.AST | None) -> None:
        """What `*args` and `**kwargs` collect: containers that the call makes."""
        spec, write = function.node.args, self.state.write
        if spec.vararg is not None:
            write((scope, spec.vararg.arg), self.row(spec.vararg, args[len(spec.posonlyargs) + len(spec.args) :]))
        if spec.kwarg is not None:
            known = self.mapping(spec.kwarg, [(constant(k), v) for k, v in rest.items()])
            write((scope, spec.kwarg.arg), self.unknown(spec.kwarg) if node is None else known)  # somebody else may give anything

    def own_defaults(self, function: Function) -> dict[str, Value]:
        """The defaults of a function that nothing in the file calls: None stands for what its callers give elsewhere."""
        known = ((name, value) for name, value in function.defaults if value.const is not None or not value.kind & Kind.NONE)
        return {name: value._replace(const=UNSURE) if isinstance(value.const, bool) else value for name, value in known}

    def parameter_value(self, function: Function, index: int) -> Value:
        """What a parameter is when nobody gives it: by its annotation, else unknown."""
        spec = function.node.args
        parameter = [*spec.posonlyargs, *spec.args][index]
        out = self.unknown(parameter)._replace(grad=Grad.UNKNOWN)
        if parameter.annotation is not None:
            return self.annotated(out, parameter.annotation)
        return out

    def annotated(self, value: Value, annotation: ast.expr) -> Value:
        """An unknown value of an annotated kind."""
        found = self.eval(annotation) if isinstance(annotation, (ast.Name, ast.Attribute)) else OTHER
        name = found.name
        if name in ("torch.Tensor", "torch.FloatTensor"):
            return value._replace(kind=Kind.TENSOR)
        if name in ("builtins.int", "builtins.float", "builtins.bool"):
            return Value(Kind.NUMBER)
        if name == "builtins.str":
            return TEXT
        if name == "numpy.ndarray":
            return Value(Kind.ARRAY)
        if name in objects.MODULE_BASES:
            self.trace.declared |= value.refs - self.trace.modules
            self.trace.modules |= value.refs
            return value._replace(kind=Kind.MODULE)
        if name.startswith("torch.optim.") and not name.startswith(objects.SCHEDULERS):
            return value._replace(kind=Kind.OPTIMIZER)
        if name in ("torch.LongTensor", "torch.BoolTensor"):
            return self.plain(annotation, integer=True)
        return value
