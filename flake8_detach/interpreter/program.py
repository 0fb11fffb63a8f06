"""The Program: where interpretation starts.

Here: the module body is run first; then every function that nothing in the file called is run with unknown arguments, methods on one object of
their class, twice where they leave something live on it. Not here: single statements and expressions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cached_property

from flake8_detach.knowledge import objects
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import (
    Grad,
    Kind,
    Leaf,
    Value,
    join_all,
)

from . import proofs
from .activations import Activations
from .callers import LINE_ENDS, Callers, finds_grad_off, lines_of
from .records import Activation, Class, Loop
from .state import Difference, Exhausted

BASE_FUEL, LINE_FUEL, ENTRY_FUEL = 1000, 8, 200
"""How many statements are executed before calls are no longer followed: so many, and so many for each line of the file; each function that
nobody calls may spend at least the last."""
BASE_WORK, LINE_WORK = 200_000, 200
"""How many steps through the heap a file may cost before it is given up."""


class Program(Activations):
    """Interprets one file."""

    def __init__(self, tree: ast.Module, filename: str, source: str = "") -> None:
        super().__init__(tree, filename, source)
        self.lived: dict[int, Difference] = {}  # class -> the tensors that methods have left on its object
        self.callers: Callers | None = None
        self.is_script = False

    def run(self) -> Trace:
        """Interpret the file and answer its trace."""
        tree = self.trace.tree
        lines = getattr(tree.body[-1], "end_lineno", 0) if tree.body else 0
        self.fuel = BASE_FUEL + LINE_FUEL * lines
        frame = self.frame(None, None, -1, "")
        self.activations.append(Activation(frame, 0, (0,), None, None, 0))
        scope = self.token(tree, "module")
        self.module_scope = scope
        self.activations[0] = Activation(frame, scope, (scope,), None, None, 0)
        self.work = BASE_WORK + LINE_WORK * lines
        try:
            self.run_all()
        except Exhausted:
            self.trace.exhausted = "it takes more steps than a file of its length is given"
        except RecursionError:
            self.trace.exhausted = "it is nested too deeply"
        proofs.follow(self.trace)
        return self.trace

    def run_all(self) -> None:
        """The module body, then what it did not reach."""
        self.exec_block(self.trace.tree.body)
        self.state.dead = False
        self.is_script = self.trains_when_imported()
        self.run_uncalled()

    def trains_when_imported(self) -> bool:
        """Whether the module body trains something unconditionally: nothing imports such a file for its functions."""
        trains = {getattr(self.outermost(e), "lineno", 0) for e in self.trace.of(Role.BACKWARD)}
        plain = (s for s in self.trace.tree.body if not isinstance(s, (ast.If, ast.Try)))
        return bool(trains) and any(s.lineno <= line <= (s.end_lineno or 0) for s in plain for line in trains)

    def outermost(self, event: Event) -> ast.AST | None:
        """The node of the module body by which an event came about."""
        node, frame = event.node, event.frame
        while frame > 0:
            node, frame = self.trace.frames[frame].call or node, self.trace.frames[frame].parent
        return node

    def run_uncalled(self) -> None:
        """Run every function that was never reached, methods class by class; first those that nothing in the file calls."""
        done: set[int] = set()
        for attempt in range(4):  # bodies define functions of their own
            waiting = [t for t in self.order if t not in done and id(self.functions[t].node) not in self.called]
            if attempt == 0 and waiting:
                self.callers = Callers(self.trace.tree, self.called_and_defined(), self.classes.values())
            if self.callers is not None:
                waiting = self.callers.callers_first(waiting, self.functions)
            if attempt == 0 and self.callers is not None:
                waiting = [t for t in waiting if not self.callers.surely(self.functions[t])]
            done.update(waiting)
            self.run_entries(waiting)

    def called_and_defined(self) -> dict[str, list[int]]:
        """The names of functions of the file that stand before a parenthesis elsewhere too, with the lines: the others are certainly not called."""
        defined = re.findall(r"def\s+(\w+)", self.source)  # no `\b` before it: a search that begins with letters takes a twentieth of the time
        return lines_of({name: places for name in defined if len(places := self.names_called.get(name, [])) > 1}, self.source)

    def run_entries(self, waiting: list[int]) -> None:
        by_class: dict[int, list[int]] = {}
        for token in waiting:
            owner = self.functions[token].owner
            if owner is not None:
                by_class.setdefault(owner.address, []).append(token)
        for token in waiting:
            owner = self.functions[token].owner
            if owner is None:
                if self.is_waiting(token):
                    self.run_entry(token, [])
            elif owner.address in by_class:
                self.run_class(self.classes[owner.address], by_class.pop(owner.address))

    def name_of(self, token: int) -> str:
        return getattr(self.functions[token].node, "name", "")

    def is_waiting(self, token: int) -> bool:
        return id(self.functions[token].node) not in self.called

    def run_entry(self, token: int, args: list[Value], lasting: bool = False) -> Value:
        """One function with unknown arguments, in the mode its framework gives it; `lasting`: the mode that it leaves stays."""
        function = self.functions[token]
        mark_mode = self.mode
        self.fuel = max(self.fuel, ENTRY_FUEL)
        name = getattr(function.node, "name", "")
        hook = name in objects.FRAMEWORK_NO_GRAD and function.owner is not None and (function.owner.unknown_base or function.owner.is_module)
        if hook or (self.callers is not None and self.callers.guard(function)) or finds_grad_off(function.node):
            self.set_mode(Grad.CUT)
        made_of_it = self.wrappers[token].refs if token in self.wrappers else (token,)
        value = join_all([self.call_function(t, args, {}, None) for t in made_of_it])
        if not lasting:
            self.set_mode(mark_mode)
        if not self.is_script:
            self.escape(self.inside(value))
        return value

    def run_class(self, cls: Class, tokens: Iterable[int]) -> None:
        """All methods that nobody calls, on one object: each from the state after __init__, then again from all of them together."""
        mode = self.mode
        this = self.prototype(cls)
        self.state.merge([{}, self.lived.get(cls.address, {})])
        loop = Loop(self.token(cls.node, "life"), self.state.mark(), self.branches, self.clock)
        self.trace.loops[loop.token] = (cls.node, self.here.frame)
        methods: list[int] = []
        self.loops.append(loop)
        mark = self.state.mark()
        ends = []
        for token in tokens:
            if self.name_of(token) == "__init__" or not self.is_waiting(token):
                continue  # a method before it may have called it
            methods.append(token)
            self.run_entry(token, self.self_argument(token, this, cls))
            ends.append(self.state.changed(mark))
            self.state.rollback(mark)
            self.state.dead = False
        if ends:
            self.state.merge([{}, *ends])
        together = self.state.changed(mark)
        self.lived[cls.address] = {k: s for k, s in together.items() if k[0] in this.refs and isinstance(s, Value) and s.kind & Kind.TENSOR}
        left = self.left_alive(together)
        if left:
            loop.number = 1
            self.tag(loop, together)
            for token in self.readers(methods, left):
                again = self.state.mark()
                self.run_entry(token, self.self_argument(token, this, cls))
                self.state.rollback(again)
                self.state.dead = False
        self.loops.pop()
        self.set_mode(mode)

    def left_alive(self, together: Difference) -> set[object]:
        """The names under which methods left something that may be live on the object: what a second life of it may matter for."""
        return {
            key[1]
            for key, slot in together.items()
            if isinstance(slot, Value)
            and slot.grad & (Grad.LIVE | Grad.UNKNOWN)
            and slot.leaf != Leaf.LEAF
            and slot.kind & (Kind.TENSOR | Kind.UNKNOWN)
            and self.born.get(key[0], ()) == ()
            and not isinstance(key[1], tuple | None)
            and not self.is_scope(key[0])
        }

    def readers(self, methods: list[int], left: set[object]) -> list[int]:
        """Those of the methods that name one of these attributes, or a method that does; all where the place has no name."""
        if not self.source or not all(isinstance(name, str) and name.isidentifier() for name in left):
            return methods
        names = {str(name) for name in left}
        words = {t: set(re.findall(r"\.(\w+)", self.text_of(t))) for t in methods}
        named: set[int] = set()
        while more := {t for t in methods if t not in named and not names.isdisjoint(words[t])}:
            named |= more
            names |= {self.name_of(t) for t in more}
        return [t for t in methods if t in named]

    @cached_property
    def source_lines(self) -> list[str]:
        """The lines as `ast` counts them."""
        return LINE_ENDS.split(self.source) if "\r" in self.source else self.source.split("\n")

    def text_of(self, token: int) -> str:
        """The source lines of a function."""
        node = self.functions[token].node
        return "\n".join(self.source_lines[node.lineno - 1 : node.end_lineno])

    def self_argument(self, token: int, this: Value, cls: Class) -> list[Value]:
        function = self.functions[token]
        if "static" in function.traits:
            return []
        return [Value(Kind.CLASS, refs=frozenset((cls.address,)))] if "class" in function.traits else [this]

    def prototype(self, cls: Class) -> Value:
        """The object whose uncalled methods are run: made with unknown arguments."""
        init = self.find(cls, "__init__")
        address = self.token(cls.node, "prototype")
        self.instances[address] = cls
        value = self.instance_value(cls, address)
        for token in init.refs if init is not None else ():
            if token in self.functions:
                self.run_entry(token, [value], lasting=True)
        if init is None:
            self.fill_record(cls, address, [], {n: self.unknown(cls.node, tag=n) for n in cls.fields})
        elif cls.is_module:
            self.note_fields(address, value, cls)
        self.prepare(cls, value)
        return value

    def prepare(self, cls: Class, this: Value) -> None:
        """What a test framework runs on an object before each of its tests."""
        for name in objects.PREPARES if cls.unknown_base or cls.library else ():
            found = self.find(cls, name)
            for token in found.refs if found is not None else ():
                if token in self.functions:
                    self.run_entry(token, self.self_argument(token, this, cls))
