"""The Trace: what happened where, and the questions rules may ask of it.

Here: Event, Site and Frame (the records) and Trace (the questions). Not here: how a program is interpreted; no rule's decision. Distinct
visits of one place are kept apart and never joined facet by facet: "live under no_grad" and "cut under grad" must not read as "live under
grad". All questions are answered at the end, when all evidence is in: a value is live also by what is later done to it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from .settings import DEFAULT, Settings, find
from .value import EMPTY, DType, Grad, Kind, Training, Value


class Role:
    """What sort of thing happened."""

    FORWARD: Final = "forward"  # a module, or something that may be one, is called
    LOG: Final = "log"  # a value reaches a print, logging, progress or tracker call
    NUMPY: Final = "numpy"  # .numpy()
    ARRAY: Final = "array"  # an implicit conversion to NumPy
    BACKWARD: Final = "backward"
    STEP: Final = "step"  # an optimizer's step
    CLEAR: Final = "clear"  # gradients are cleared
    SWITCH: Final = "switch"  # a grad-mode switch is made, entered or lost; detail says which
    FLAG: Final = "flag"  # a requires_grad-like attribute or keyword is written; detail is its name
    TRAINING: Final = "training"  # train() or eval(); detail is Training
    STORE: Final = "store"  # a value is put into a container that is older than the iteration
    GROW: Final = "grow"  # a value is bound that depends on its own previous iteration
    CARRIED: Final = "carried"  # a backward through a graph that the iteration before has freed; node is the bind of the state
    USE: Final = "use"  # a value is given to a call that the file does not show
    REVEAL: Final = "reveal"  # reveal(x): what is believed of x
    NUMBER: Final = "number"  # float() or the like reads one number of a tensor
    COPY: Final = "copy"  # a tensor is, or hangs on, what deepcopy copies
    REBUILD: Final = "rebuild"  # torch.tensor() of a tensor, or of a list of tensors; detail says which
    SEND: Final = "send"  # a value goes to another process
    MEET: Final = "meet"  # a tensor made under inference mode meets a live one in an operation that saves it
    DROPOUT: Final = "dropout"  # a dropout that no eval() switches off
    NAMED: Final = "named"  # a method is named as a statement, not called; detail is its name
    CONTEXT: Final = "context"  # an attribute is set on the ctx of a custom autograd.Function; detail is its name
    DETACH: Final = "detach"  # detach() in the forward of a model class
    DATA: Final = "data"  # `.data` is read; detail is how
    CHECKPOINT: Final = "checkpoint"  # torch.utils.checkpoint without use_reentrant
    DIFFERENTIATE: Final = "differentiate"  # autograd.grad
    OUTPUT: Final = "output"  # what the forward of a model class returns
    LOOP: Final = "loop"  # a loop is entered; value is what it iterates
    OPTIMIZER: Final = "optimizer"  # an optimizer is made; values are what it is given; detail: whether it keeps a state
    SCHEDULE: Final = "schedule"  # a learning-rate scheduler's step; detail: whether it is told something
    CLIP: Final = "clip"  # gradients are clipped; values are the parameters; detail: kind, limit, whether the norm is unused
    SCALE: Final = "scale"  # a GradScaler (target) scales a loss
    UNSCALE: Final = "unscale"  # a GradScaler (target) divides the gradients of an optimizer by its scale
    PEEK: Final = "peek"  # the gradient of a parameter is read
    GRAFT: Final = "graft"  # a gradient is written by hand
    CAST: Final = "cast"  # an autocast block is entered (detail True) or left
    AGAIN: Final = "again"  # an iterator over parameters is used that was used up before; detail is where
    GRAD: Final = "grad"  # `.grad` is read
    INPLACE: Final = "inplace"  # a tensor is written in place; values are what is written; detail is how
    REBIND: Final = "rebind"  # a name or attribute (target: what it held) is bound to something computed from its own `.grad`
    FIELD: Final = "field"  # what a module's __init__ leaves in an attribute; values are the parts of a container
    REPLACED: Final = "replaced"  # a module (target) that an optimizer holds is given a new part
    BUILD: Final = "build"  # a library module with parameters is made
    KEPT: Final = "kept"  # a state_dict() is bound to a name, an attribute or a key
    RESTORED: Final = "restored"  # a kept state_dict() is loaded or saved; detail says whether an optimizer stepped meanwhile
    FREED: Final = "freed"  # a backward goes through a graph that an earlier one has freed
    SPOILED: Final = "spoiled"  # a backward needs a tensor that was overwritten since; detail is how; node the write


class Site(NamedTuple):
    """A place that makes values: its node, the frame it ran in, and what was called there."""

    node: ast.AST | None
    frame: int
    callee: Value | None
    mode: int


class Frame(NamedTuple):
    """One activation: the function (None at module level), the call that opened it, and the frame of that call (-1: nobody in the file)."""

    function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None
    call: ast.AST | None
    parent: int
    owner: str


class Event(NamedTuple):
    """One thing that happened: the subject `value`, the object it happened to or through (`target`), the other `values`."""

    role: str
    node: ast.AST
    frame: int
    mode: int
    value: Value
    target: Value
    values: tuple[Value, ...]
    detail: Any
    loops: tuple[int, ...]
    passes: int
    path: tuple[tuple[int, int], ...] = ()  # the arms of branches it stands in, outermost first: (visit of the branch, number of the arm)
    turns: tuple[int, ...] = ()  # for each of the loops, which pass of it this is


class Made(NamedTuple):
    """How a tensor was made: the place, the operands, whether the result was live, and its number in the order of making."""

    node: ast.AST
    operands: tuple[Value, ...]
    grad: int
    number: int


class Trace:
    """All events of one file in the order they were interpreted, and what is proven of the places values come from."""

    def __init__(self, tree: ast.Module, filename: str) -> None:
        self.tree = tree
        self.filename = filename
        self.settings: Settings = DEFAULT
        self.events: list[Event] = []
        self.sites: list[Site] = []
        self.frames: list[Frame] = []
        self.seen: dict[int, list[Value]] | None = None  # id of an expression -> its values at all visits; None: nobody asked to see them
        self.parents: dict[int, ast.AST] = {}  # id of a node -> the node that holds it, once a cure has asked
        self.loops: dict[int, tuple[ast.AST, int]] = {}
        self.tests: list[ast.expr | None] = []  # visit of a branch -> what it tests, None where that is no expression
        self.born: dict[int, tuple[int, ...]] = {0: ()}
        self.exhausted = ""  # why interpretation was given up, where it was
        self.proven: set[int] = set()
        self.modules: set[int] = set()
        self.declared: set[int] = set()  # modules of which only an annotation, or train() and eval(), say so: they may have no parameters
        self.leaves: set[int] = set()
        self.weights: set[int] = set()  # parts of unknown things that by their names are parameters, no modules
        self.model_classes: set[str] = set()
        self.heirs: set[str] = set()  # classes with a base that the file does not show
        self.part_of: dict[int, int] = {}
        self.parameters: dict[int, frozenset[int]] = {}  # place of a parameter or of a module's result -> the modules
        self.optimized: dict[int, frozenset[int]] = {}  # optimizer -> modules and leaves it holds; 0: and others
        self.backpropagated: set[int] = set()
        self.kept: dict[int, set[int]] = {}  # container -> the marks of what it was given
        self.escaped: set[int] = set()
        self.made: dict[int, Made] = {}  # tensor -> how it was made: the graph of what was computed from what, also across cuts
        self.given: dict[int, tuple[Value, ...]] = {}  # place of a call that the file does not show -> what it is given
        self.shares: dict[int, frozenset[int]] = {}  # tensor -> the tensors whose storage it is a view or a detached alias of
        self.aliases: set[int] = set()  # detached aliases: autograd does not see what is written through them
        self.gradients: dict[int, ast.AST] = {}  # results of autograd.grad without create_graph -> the call
        self.probed: set[int] = set()  # what autograd.grad was asked for, and what `.grad` was read of
        self.adopted: set[int] = set()  # modules and parameters given to a module holder, add_module or setattr
        self.lasting: set[tuple[int, Any]] = set()  # (loop, key) where a later pass leaves what is made of what the pass before had left
        self.renewed: set[tuple[int, Any]] = set()  # and where it leaves something else
        self.moved: set[int] = set()  # what a conversion made of a leaf: a copy, or where it does nothing the leaf itself
        self.forced: dict[int, ast.AST] = {}  # leaves that were made, with the flag, of something computed -> the call
        self.mappings: set[int] = set()  # containers that are iterated by key
        self.unseen: set[int] = set()  # ids of calls of named methods that the file does not show: they may guard themselves
        self.called: set[int] = set()  # modules that are called, `at_once` those called where they are made
        self.at_once: set[int] = set()
        self.dressed: set[int] = set()  # modules whose parameters the program looks at or sets
        self.wrapped: set[int] = set()  # leaves made by nn.Parameter
        self.left: dict[int, set[int]] = {}
        self.schedules: dict[int, frozenset[int]] = {}  # scheduler -> the optimizer whose learning rate it sets
        self.scaled: dict[int, frozenset[int]] = {}  # place where a loss is scaled -> the GradScaler
        self.resumed: set[int] = set()  # optimizers whose state is loaded
        self.loaded: set[int] = set()  # modules whose weights are loaded, `dumped` those whose state_dict() is taken
        self.dumped: set[int] = set()
        self.reloaded: set[tuple[int, int]] = set()  # (module, loop in which its weights are loaded)
        self.pretrained: set[int] = set()  # modules that a library hands over in eval mode
        self.frozen: set[int] = set()  # what frozen modules gave: live only if what they were given is
        self.perhaps_frozen: set[int] = set()  # what a method or function named freeze, that the file does not show, was called on
        self.narrow: set[int] = set()  # modules whose weights are made half precision
        self.copies: dict[int, frozenset[int]] = {}  # module -> the modules whose weights it was given
        self.bounded: set[int] = set()  # containers of which something is taken out where their length decides
        self.inferred: set[int] = set()  # places that make their tensors, or modules of the library, under inference mode
        self.asked: set[int] = set()  # places whose results the program asks `is_inference()`
        self.fickle: set[int] = set()  # modules that hold a layer which depends on train() and eval()
        self.tensors: set[int] = set()  # places of unknown things that are used as only tensors are
        self.mixed: set[int] = set()  # what cut operands of a live result were computed from: targets
        self.data_used: dict[int, str] = {}  # id of a `.data` node -> the method or attribute taken of it
        self.turns: Any = None  # the turns of the training loops, once somebody has asked for them (steps)
        self.reads_grad: bool | None = None  # whether the program reads `.grad`, once a cure has asked
        self.index: Any = None  # the events by loop and activation, once somebody has asked for them (index)
        self.conditions: dict[tuple[int, int], tuple[object, int]] = {}  # the arms of branches as tests and outcomes (steps)
        self.trained: frozenset[int] | None = None  # what is called for a result that is back-propagated, once somebody has asked (waste)
        self.gone_through: frozenset[int] | None = None  # what a backward goes through (waste)
        self.wholes: frozenset[int] | None = None  # what has a part that is a module (waste)
        self.detached: dict[int, list[Value]] | None = None  # frame -> what is detached in it (waste)
        self._live: dict[int, bool] = {}
        self.holdings: dict[frozenset[int], frozenset[int]] = {}  # what optimizers hold, as steps.holdings found it
        self._loop_starts: dict[object, int] | None = None
        self._by_roles: dict[tuple[str, ...], tuple[int, list[Event]]] = {}
        self._by_role: dict[str, list[Event]] = {}
        self._sorted = 0  # how many events are in it
        self._given_away: set[int] | None = None
        self._serving: set[int] | None = None  # functions that a forward runs
        self._backwards: dict[int, list[Event]] | None = None
        self._passed_back: dict[int, list[Event]] | None = None

    def of(self, *roles: str) -> list[Event]:
        """The events with one of these roles, in order."""
        if len(roles) == 1:
            return self._with(roles[0])
        known = self._by_roles.get(roles)
        if known is None or known[0] != len(self.events):
            known = self._by_roles[roles] = (len(self.events), [e for e in self.events if e.role in roles])
        return known[1]

    def _with(self, role: str) -> list[Event]:
        """The events of a role; all are sorted by role in one go, for most roles have none."""
        for event in self.events[self._sorted :]:
            self._by_role.setdefault(event.role, []).append(event)
        self._sorted = len(self.events)
        return self._by_role.get(role, [])

    def loop_starts(self) -> dict[object, int]:
        """For each loop, the index of the event by which it was entered for the last time."""
        if self._loop_starts is None:
            self._loop_starts = {e.detail: i for i, e in enumerate(self.events) if e.role == Role.LOOP}
        return self._loop_starts

    def is_live(self, value: Value) -> bool:
        """Whether there is evidence, by now or from the future, that it requires grad on some path."""
        if value.dtype == DType.INTEGER:
            return False
        if value.grad & Grad.LIVE:
            return True
        if not value.grad & Grad.UNKNOWN:
            return False
        return bool(value.refs & self.proven) or any(self.lives(token) for token in value.history)

    def prove(self, tokens: set[int]) -> None:
        """These places make live tensors."""
        self.proven |= tokens
        self._live.update(dict.fromkeys(tokens, True))

    def is_surely_live(self, value: Value) -> bool:
        """Live, and on no path known to be cut."""
        return self.is_live(value) and not value.grad & Grad.CUT and not value.kind & ~(Kind.TENSOR | Kind.UNKNOWN)

    def is_only_declared(self, value: Value) -> bool:
        """Whether all that makes a value live are modules that may have no parameters, such as a transform."""
        if value.grad & Grad.LIVE or value.refs & self.proven:
            return False
        callees = [self.sites[t].callee for t in value.history if self.lives(t)]
        return bool(callees) and all(c is not None and bool(c.refs) and c.refs <= self.declared for c in callees)

    def lives(self, token: int) -> bool:
        """Whether the place makes live tensors: back-propagated later, or a call of what is known to be a module with parameters."""
        known = self._live.get(token)
        if known is None:
            self._live[token] = known = self._lives(token)
        return known

    def _lives(self, token: int) -> bool:
        if token in self.proven:
            return True
        site = self.sites[token]
        if token in self.adopted:
            return False  # it becomes a part of a module: what was called is a class
        return site.callee is not None and site.mode == Grad.LIVE and self.is_module(site.callee)

    def is_module(self, callee: Value) -> bool:
        """Whether the file shows that this is an nn.Module whose call builds a graph."""
        return not callee.kind & Kind.FUNCTION and any(self._in_module(ref) for ref in callee.refs - self.weights)

    def _in_module(self, token: int) -> bool:
        """Whether a token is of a module, of what was given the weights of one, or of a part of these."""
        while token not in self.modules and not self.copies.get(token, EMPTY) & self.modules:
            if token not in self.part_of:
                return False
            token = self.part_of[token]
        return True

    def is_spent(self, value: Value, token: frozenset[int]) -> bool:
        """Whether what the value was computed from is back-propagated by itself, so that the value can't be any more."""
        if self._backwards is None:
            self._backwards = self._backwards_by("history")
        places = [p for p in value.history - self.leaves if p in self._backwards and (p in self.parameters or self.lives(p))]
        events = (e for place in places for e in self._backwards[place])
        return any(not e.value.reach & token and self.is_live(e.value) for e in events)

    def _backwards_by(self, facet: str) -> dict[int, list[Event]]:
        """The backward passes by each place in a facet of what they start from."""
        out: dict[int, list[Event]] = {}
        for event in self.of(Role.BACKWARD):
            for place in getattr(event.value, facet):
                out.setdefault(place, []).append(event)
        return out

    def is_passed_back(self, values: Iterable[Value], token: frozenset[int]) -> bool:
        """Whether one of these very tensors is back-propagated by itself: of a graph of nothing but leaves too."""
        if self._passed_back is None:
            self._passed_back = self._backwards_by("refs")
        places = (ref for value in values for ref in value.refs if ref in self._passed_back and ref not in self.leaves)
        return any(not event.value.reach & token for ref in places for event in self._passed_back[ref])

    def is_rebuilt(self, value: Value, loops: tuple[int, ...]) -> bool:
        """Whether an iteration of one of the loops builds a part of the value's graph anew."""
        return any(set(self.born.get(token, ())) & set(loops) for token in value.history - self.leaves)

    def is_comprehended(self, event: Event) -> bool:
        """Whether what a store outlives is no more than the iterations of a comprehension."""
        return bool(event.detail[0]) and all(isinstance(self.loops[t][0], ast.expr) for t in event.detail[0])

    def is_given_away(self, token: frozenset[int]) -> bool:
        """Whether something that carries the token is given to a call that the file does not show."""
        if self._given_away is None:
            given = (value for event in self.of(Role.USE) for value in event.values)
            live = (v for v in given if v.grad & (Grad.LIVE | Grad.UNKNOWN) or not v.grad and v.kind & ~Kind.NUMBER)
            self._given_away = {place for value in live for place in value.reach}
        return bool(token & self._given_away)

    def is_made_below(self, token: int, frame: int) -> bool:
        """Whether a place is in a frame, or in one that it called."""
        return frame in self.outward(self.sites[token].frame)

    def outward(self, frame: int) -> Iterator[int]:
        """A frame and those that led to it, the nearest first."""
        while frame >= 0:
            yield frame
            frame = self.frames[frame].parent

    def is_reached(self, frame: int) -> bool:
        """Whether the module body leads to a frame, so that the file shows how it is used."""
        return 0 in self.outward(frame)

    def are_known(self, tokens: frozenset[int]) -> bool:
        """Whether none of these is a module (or a part of one) that the file does not show."""
        return not any(self._in_module(token) for token in tokens)

    def is_model_method(self, frame: int) -> bool:
        """Whether a frame runs a method of a class of the file that is an nn.Module."""
        return self.frames[frame].owner in self.model_classes

    def in_forward(self, frame: int) -> bool:
        """Whether a frame runs inside a module's forward."""
        return any(getattr(self.frames[f].function, "name", "") == "forward" for f in self.outward(frame))

    def serves_forward(self, frame: int) -> bool:
        """Whether a function runs inside a forward, here or in another call of it: what it keeps are parts of one output."""
        if self._serving is None:
            self._serving = {id(f.function) for n, f in enumerate(self.frames) if f.owner and self.in_forward(n)}
        return id(self.frames[frame].function) in self._serving

    def inner_loop(self, event: Event) -> int | None:
        """The innermost loop of the program that the event runs in."""
        return next((t for t in reversed(event.loops) if not isinstance(self.loops[t][0], ast.ClassDef)), None)

    def is_statement(self, loop: int) -> bool:
        """Whether a loop is a `for` or `while`, and not a comprehension or the life of an object whose methods nobody calls."""
        return isinstance(self.loops[loop][0], (ast.For, ast.AsyncFor, ast.While))

    def born_in(self, value: Value) -> set[int]:
        """The loops that an object was made in."""
        return {loop for ref in value.refs for loop in self.born.get(ref, ())}

    def is_life(self, loop: int) -> bool:
        """Whether a loop is the life of an object whose methods nobody calls."""
        return isinstance(self.loops[loop][0], ast.ClassDef)

    def in_real_loop(self, event: Event) -> bool:
        """Whether the event runs in a loop of the program, and not only in the life of an object whose methods nobody calls."""
        return any(not isinstance(self.loops[token][0], ast.ClassDef) for token in event.detail[0])

    def function(self, frame: int) -> str:
        """The dotted name of a frame's function, empty at module level."""
        function = self.frames[frame].function
        name = getattr(function, "name", "<lambda>") if function is not None else ""
        return f"{self.frames[frame].owner}.{name}" if self.frames[frame].owner else name

    def is_own_evaluation(self, frame: int) -> bool:
        """Whether the project says of a frame's function that it evaluates a model."""
        return bool(self.settings.evaluations) and find(self.settings.evaluations, [self.function(frame)]) is not None

    def history(self, value: Value) -> str:
        """Where a value's history comes from, for a message: "`model(x)`, line 12"."""
        first, nodes = (True, 0), list[ast.expr]()  # those that make it before those that hand it on, then by line: only what is left is written out
        for token in value.history:
            node = self.sites[token].node
            makes = self.lives(token) or token in self.parameters or token in self.leaves
            if isinstance(node, ast.expr) and (makes or value.grad & Grad.LIVE):
                place = not makes, node.lineno
                if not nodes or place < first:
                    first, nodes = place, [node]
                elif place == first:
                    nodes.append(node)
        return f"`{min(map(text, nodes))}`, line {first[1]}" if nodes else "a parameter"


@lru_cache(maxsize=8)
def text(node: ast.AST) -> str:
    """The source of an expression on one line, shortened for a message. Remembered: each argument of a long call may be asked for the call's text."""
    out = written(node)
    return out if len(out) <= 40 else out[:37] + "..."


def written(node: ast.AST) -> str:
    """The source of an expression. Where it holds an integer of more digits than Python writes out (sys.set_int_max_str_digits), its place, which
    is like no other."""
    try:
        return ast.unparse(node)
    except ValueError:
        return f"... {getattr(node, 'lineno', 0)}:{getattr(node, 'col_offset', 0)}"


__all__ = ["Event", "Frame", "Made", "Role", "Site", "Trace", "Training", "text", "written"]
