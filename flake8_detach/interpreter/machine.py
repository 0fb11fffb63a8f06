"""The Machine: what all chapters of the interpreter share — the state, the frames, the tokens.

Here: bookkeeping and the forward declarations by which the chapters call each other (their order is in the package's docstring). Not here: the
meaning of any syntax or name.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property
from typing import Any

from flake8_detach.trace import Event, Frame, Role, Site, Trace
from flake8_detach.value import EMPTY, OTHER, Grad, Kind, Value

from .callers import calls_in
from .records import Activation, Class, Function, FunctionNode, Loop
from .state import AS_BOUND, ITEMS, LIVING, MODE, NOW, Difference, Exhausted, Key, State

Methods = dict[type[ast.AST], Callable[..., Any]]

UNSHOWN = {Grad.LIVE: Grad.UNKNOWN, Grad.CUT: Grad.CUT}
"""Grad mode -> the grad of what a call gives that the file does not show."""
DEPTH = 14
"""How deep calls are followed; deeper ones are unknown."""


@cache
def chapters(machine: type) -> tuple[Methods, Methods]:
    """The methods eval_<Node> and exec_<Node> of an interpreter class by the class of the node."""
    kinds = {name: kind for name, kind in vars(ast).items() if isinstance(kind, type) and issubclass(kind, ast.AST)}
    evaluators = {kind: method for name, kind in kinds.items() if (method := getattr(machine, f"eval_{name}", None)) is not None}
    executors = {kind: method for name, kind in kinds.items() if (method := getattr(machine, f"exec_{name}", None)) is not None}
    return evaluators, executors


class Machine:
    """State, frames, tokens; the chapters below add the meaning."""

    module_scope = 0

    def __init__(self, tree: ast.Module, filename: str, source: str = "") -> None:
        self.evaluators, self.executors = chapters(type(self))  # type: ignore[arg-type]  # mypy does not see that a class is hashable
        self.trace = Trace(tree, filename)
        self.source = source
        self.state = State()
        self.fuel = 0  # statements that may still be spent on following calls
        self.work = 0  # steps through the heap that the file may still cost
        self.functions: dict[int, Function] = {}
        self.methods: dict[int, Value] = {}  # token of a bound method -> its self
        self.classes: dict[int, Class] = {}
        self.instances: dict[int, Class] = {}
        self.fields: dict[int, dict[str, None]] = {}
        self.parameters = self.trace.parameters
        self.optimized = self.trace.optimized
        self.held_by: dict[int, set[int]] = {}  # module or leaf -> the optimizers that were ever given it
        self.born = self.trace.born
        self.mappings = self.trace.mappings
        self.item_keys: dict[int, dict[object, None]] = {}  # container -> the constant keys it was ever given
        self.templates: dict[int, dict[object, None]] = {}  # container -> the templates of keys it was ever given
        self.bound_at: dict[Key, ast.AST] = {}
        self.states: dict[tuple[int, Key], tuple[Value, ast.AST | None]] = {}  # what a loop's second pass finds under a key, and where it was written last
        self.part_of = self.trace.part_of
        self.pieces: dict[int, list[int]] = {}
        self.called: set[int] = set()
        self.gave: dict[ast.AST, tuple[int, int]] = {}  # forward -> the kinds and grads of what it gave while gradients were on
        self.times: dict[ast.AST, int] = {}  # function -> how often a call of it was followed
        self.idle: dict[ast.AST, tuple[int, Value]] = {}  # function of which nothing has come -> in how many calls, and what these gave
        self.busy: set[ast.AST] = set()  # functions of which something has come
        self.order: dict[int, None] = {}  # function values in the order of their definition
        self.closures: dict[int, tuple[int, ...]] = {}  # function, bound or not -> the scopes it closes over
        self.paused: dict[int, Difference] = {}  # context manager -> what it has done at its yield and undoes afterwards
        self.wrappers: dict[int, Value] = {}  # function -> what its decorators have made of it
        self.captured: set[int] = set()  # scopes that a function closes over
        self.stars: list[str] = []
        self.loops: list[Loop] = []
        self.steady: set[int] = set()  # loops whose second pass left what the first did
        self.unbound: set[str] = set()  # names that were read where nothing had bound them
        self.activations: list[Activation] = []
        self.variables: dict[int, dict[str, None]] = {}  # scope -> the names ever bound in it
        self.earlier: dict[int, list[tuple[str, Value]]] = {}  # fields of the object that a place made the time before
        self.factories: dict[int, Value] = {}  # defaultdict -> what makes its items
        self.snapshots: dict[int, frozenset[int]] = {}  # values of a state_dict() -> the modules whose storage they share
        self.lent: dict[int, frozenset[int]] = {}  # module -> the owners of the parameters that were put into it
        self.single: set[int] = set()  # parameters that are asked for one by one, by their names
        self.holders: set[int] = set()  # Sequential, ModuleList ...: modules whose parameters are those of their parts
        self.links: dict[tuple[int, int], ast.expr] = {}  # (call of a chain, number of the child) -> a place of its own
        self.literals: dict[int, Value] = {}
        self.forward_depth = 0
        self.chaining: set[int] = set()  # the Sequentials whose children are being called
        self.inferring = False  # inference mode is on
        self.loaded: set[int] = set()  # what torch.load gave: tensors without history, or a whole model
        self.iterators: set[int] = set()  # containers that give their items once
        self.used_up_at: dict[int, ast.AST] = {}  # iterator -> where it was first iterated to its end
        self.used_up_by: dict[int, tuple[int, int, tuple[int, ...]]] = {}  # iterator -> the node, frame and turns of its last use to the end
        self.gradient_of: dict[int, int] = {}  # what `.grad` gave -> the tensor
        self.branches = 0  # how many branches deep the present path is
        self.path: tuple[tuple[int, int], ...] = ()  # the arms that the present path stands in, or is left with
        self._tokens: dict[tuple[int, int, object], int] = {}
        self._frames: dict[tuple[int, int, int], int] = {}
        self.trace.sites.append(Site(None, 0, None, Grad.LIVE))
        self.state.store[MODE] = Grad.LIVE

    # -- what the chapters call of each other -------------------------------------------------------------------------------------
    def eval(self, node: ast.expr) -> Value:
        """The Value of an expression, with its effects done."""
        raise NotImplementedError

    def exec_block(self, body: Sequence[ast.stmt]) -> None:
        """Run statements until the end or until the path dies."""
        raise NotImplementedError

    def call(self, callee: Value, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """The Value of a call."""
        raise NotImplementedError

    def call_function(self, token: int, args: list[Value], keywords: dict[str, Value], node: ast.AST | None) -> Value:
        """Interpret a function of the file with these arguments."""
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Value, node: ast.AST) -> None:
        """Bind a value to an assignment target."""
        raise NotImplementedError

    def tuple_of(self, node: ast.AST, item: Value, length: int | None) -> Value:
        """A new container of like items."""
        raise NotImplementedError

    def row(self, node: ast.AST, items: Sequence[Value], names: Sequence[str] = ()) -> Value:
        """A new container of these items, in order, also reachable by attribute names."""
        raise NotImplementedError

    def write_in_place(self, receiver: Value, given: list[Value], name: str, node: ast.AST) -> Value:
        """What a tensor is after an operation in place with these operands."""
        raise NotImplementedError

    def refine(self, test: ast.expr, when: bool) -> None:
        """Narrow what a test says of the names in it."""
        raise NotImplementedError

    def narrow(self, node: ast.expr, mask: int, inside: bool) -> None:
        """Keep, or take away, kinds of what a name holds."""
        raise NotImplementedError

    def define(self, node: FunctionNode, owner: Class | None, mode: int, traits: frozenset[str]) -> Value:
        """A function of the file as a value."""
        raise NotImplementedError

    def write_attribute(self, target: Value, name: str, value: Value, node: ast.AST) -> None:
        """target.name = value."""
        raise NotImplementedError

    def enter(self, manager: Value, node: ast.AST) -> Value:
        """Enter a context manager."""
        raise NotImplementedError

    def note_meeting(self, operands: Sequence[Value], live: bool, node: ast.AST) -> None:
        """A tensor made under inference mode may meet a live one."""
        raise NotImplementedError

    def training_flag(self, module: Value) -> Value:
        """module.training."""
        raise NotImplementedError

    def module_attribute(self, value: Value, name: str, node: ast.expr) -> Value:
        """A part of a module that the file does not give it."""
        raise NotImplementedError

    def foreign_module(self, node: ast.expr) -> Value:
        """A model whose code the file does not show."""
        raise NotImplementedError

    def call_torch(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """A call below `torch.`."""
        raise NotImplementedError

    def call_other_library(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """A call of a library beside torch."""
        raise NotImplementedError

    def call_builtin(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """A call of one of Python's own functions."""
        raise NotImplementedError

    def call_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """receiver.name(*args)."""
        raise NotImplementedError

    def container_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A method of a list, dict, set or deque."""
        raise NotImplementedError

    def unknown_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A method of which only the names say anything."""
        raise NotImplementedError

    def note_kept(self, value: Value, node: ast.AST) -> None:
        """A container that holds a state_dict() is bound."""
        raise NotImplementedError

    def note_built(self, layer: Value, node: ast.AST) -> None:
        """A layer with parameters is made below a forward."""
        raise NotImplementedError

    def note_fields(self, address: int, this: Value, cls: Class) -> None:
        """What a module's __init__ left in its attributes."""
        raise NotImplementedError

    # -- the present --------------------------------------------------------------------------------------------------------------
    @property
    def here(self) -> Activation:
        return self.activations[-1]

    @property
    def mode(self) -> int:
        slot = self.state.store[MODE]
        return slot if slot.__class__ is int else Grad.UNKNOWN

    def set_mode(self, mode: int) -> None:
        """The grad mode from here on; under inference mode nothing is recorded whatever it is."""
        self.state.write(MODE, Grad.CUT if self.inferring else mode)

    def active_loops(self) -> tuple[int, ...]:
        return tuple([loop.token for loop in self.loops]) if self.loops else ()

    def record(self, role: str, node: ast.AST, value: Value, target: Value = OTHER, values: tuple[Value, ...] = (), detail: object = None) -> None:
        """Add an event to the trace, in the present frame, mode and loops."""
        turns = tuple([loop.number for loop in self.loops])
        passes = turns[-1] if turns else 0
        frame, loops = self.activations[-1].frame, self.active_loops()
        self.trace.events.append(Event(role, node, frame, self.mode, value, target, values, detail, loops, passes, self.path, turns))

    @cached_property
    def names_called(self) -> dict[str, list[int]]:
        """The names that stand before a parenthesis in the file's text, and where."""
        return calls_in(self.source)

    def is_scope(self, address: int) -> bool:
        """Whether an address holds the variables of an activation, and is no object."""
        return self.trace.sites[address].node is None

    def visit(self, test: ast.expr | None) -> int:
        """A number for one visit of a branch; its arms exclude each other."""
        self.trace.tests.append(test)
        return len(self.trace.tests) - 1

    @staticmethod
    def rest_of(outer: tuple[tuple[int, int], ...], visit: int, alive: list[int], arms: int) -> tuple[tuple[int, int], ...]:
        """The path after a branch: where all arms but one have left the block, what follows still stands in that one."""
        return (*outer, (visit, alive[0])) if len(alive) == 1 < arms else outer

    # -- identities -----------------------------------------------------------------------------------------------------------------
    def token(self, node: ast.AST | None, tag: object = "", callee: Value | None = None) -> int:
        """The identity of what a node makes in the present frame; the same at every visit."""
        frame = self.activations[-1].frame if self.activations else 0
        key = (id(node), frame, tag)
        found = self._tokens.get(key)
        if found is None:
            sites = self.trace.sites
            found = self._tokens[key] = len(sites)
            sites.append(Site(node, frame, callee, self.mode))
            self.born[found] = self.active_loops() if self.loops else ()
        elif callee is not None and self.trace.sites[found].callee is None:  # an earlier visit did not know who is called
            self.trace.sites[found] = self.trace.sites[found]._replace(callee=callee)
        return found

    def part(self, whole: int, name: object) -> int:
        """The identity of a part (attribute, element) of something unknown, the same wherever it is read."""
        key = (-whole, 0, name)
        found = self._tokens.get(key)
        if found is None:
            found = len(self.trace.sites)
            self._tokens[key] = found
            self.part_of[found] = whole
            self.pieces.setdefault(whole, []).append(found)
            site = self.trace.sites[whole]
            self.trace.sites.append(Site(site.node, site.frame, None, site.mode))
            self.born[found] = self.born[whole]
        return found

    def fresh(self, node: ast.AST, tag: object = "") -> int:
        """A token whose object is made anew now: what was written on an earlier object of this place is forgotten."""
        token = self.token(node, tag)
        if self.state.as_made and self.loops and isinstance(self.state.store.get((token, NOW)), Value):
            self.settle(token)
        self.forget(token)
        self.state.made_at[token] = self.state.clock
        if self.inferring:
            self.trace.inferred.add(token)
        return token

    def settle(self, token: int) -> None:
        """What a pass before has made of a place, and something still holds, stays as it was written in place last."""
        for loop in self.loops:
            for key, slot in list(self.still_held(loop, token)):
                loop.left[key] = now = self.current(slot)
                self.state.write(key, now)

    def still_held(self, loop: Loop, token: int) -> Iterator[tuple[Key, Value]]:
        """The keys under which the pass before has left the tensor of a place, and this one nothing else."""
        get = self.state.store.get
        return ((key, slot) for key, slot in loop.left.items() if isinstance(slot, Value) and token in slot.refs and get(key) is slot)

    def current(self, value: Value) -> Value:
        """A value as it is now: a tensor that was written in place, or whose flag was set, since it was bound."""
        raise NotImplementedError

    def forget(self, token: int) -> None:
        """The object of a place, and what was read of its parts, is made anew."""
        if self.state.as_made and (token, NOW) in self.state.store:
            self.state.write((token, NOW), AS_BOUND)  # no deletion: where paths meet, it must win over what was written before
        if token in self.item_keys:
            for key in (*self.item_keys.pop(token), ITEMS, LIVING):
                self.state.delete((token, key))
        if token in self.pieces:
            for part in self.pieces[token]:
                self.forget(part)

    def frame(self, function: FunctionNode | None, call: ast.AST | None, parent: int, owner: str) -> int:
        """The identity of an activation: function, call and parent frame."""
        key = (id(function), id(call), parent)
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = len(self.trace.frames)
            self.trace.frames.append(Frame(function, call, parent, owner))
        return found

    # -- plain values ---------------------------------------------------------------------------------------------------------------
    def unknown(self, node: ast.AST, given: Sequence[Value] = (), callee: Value | None = None, tag: object = "") -> Value:
        """The result of something the file does not show: pending evidence, and reachable from what was given."""
        token = self.token(node, tag, callee)
        self.forget(token)
        if self.inferring:
            self.trace.inferred.add(token)
        grad = UNSHOWN.get(self.mode, Grad.UNKNOWN | Grad.CUT)
        own = frozenset((token,))
        reach = own
        if given:
            self.trace.given[token] = tuple(given)
        for value in given:
            reach |= value.reach
        return self.state.weigh(Value(Kind.UNKNOWN, grad, 0, 0, own, own, reach))

    def spend(self, steps: int) -> None:
        """Count steps through the heap; raises Exhausted past the bound."""
        self.work -= steps
        if self.work < 0:
            raise Exhausted

    def escape(self, values: Sequence[Value]) -> None:
        """These values are now in hands that the file does not show."""
        for value in values:
            if value.grad & (Grad.LIVE | Grad.UNKNOWN):
                self.trace.escaped |= value.reach

    def event_use(self, node: ast.AST, values: Sequence[Value], callee: str) -> None:
        """Record that possibly live values are given to a call of unknown effect."""
        given = tuple(v for v in values if v.reach or v.refs)
        if given:
            self.record(Role.USE, node, given[0], values=given, detail=callee)


__all__ = ["DEPTH", "EMPTY", "Activation", "Class", "Function", "FunctionNode", "Loop", "Machine"]
