"""Calls: who is called, with what, and what is given to code that the file does not show.

Here: dispatch on the callee, arguments, backward, sinks. Not here: what a library call does (torch_calls, libraries, builtins), methods.
"""

from __future__ import annotations

import ast
from typing import Final

from flake8_detach.knowledge import idioms, objects, sinks
from flake8_detach.knowledge.sink import Role as SinkRole
from flake8_detach.knowledge.sink import Sink
from flake8_detach.trace import Role
from flake8_detach.value import (
    EMPTY,
    NUMBER,
    OTHER,
    Grad,
    Kind,
    Value,
    in_order,
    join,
    join_all,
)

from .comprehensions import Comprehensions
from .modules import FROZEN
from .state import EMPTIED, ITEMS, NOW

MAKES_ARRAYS: Final = frozenset(
    f"numpy.{name}"
    for name in "array asarray zeros ones empty full arange linspace stack concatenate vstack hstack hanning hamming blackman eye identity tile"
    " repeat loadtxt meshgrid random.rand random.randn random.uniform random.normal random.random load zeros_like ones_like full_like".split()
)

REDUCES: Final = frozenset(
    "prod sum mean median std var min max amin amax argmin argmax all any dot vdot inner trace norm det average ptp percentile quantile nanmean"
    " nansum nanmax nanmin nanstd nanmedian count_nonzero choice randint size ndim searchsorted interp trapz log2 item corrcoef".split()
)
"""NumPy functions that give a number where they reduce everything, whatever they are given."""

EVENTS: Final = {SinkRole.LOG: Role.LOG, SinkRole.ARRAY: Role.ARRAY, SinkRole.NUMBER: Role.NUMBER}
"""What is recorded for each role of a sink."""

DRAWS: Final = {"rand": 0, "randn": 0, "random": 0, "random_sample": 0, "normal": 2, "uniform": 2, "randint": 2, "beta": 2, "gamma": 2, "exponential": 1}
"""NumPy's random draws, with how many arguments at most they give one number and no array (numpy.random, "If size is None")."""


class Calls(Comprehensions):
    """Dispatches calls."""

    def eval_Call(self, node: ast.Call) -> Value:
        function = node.func
        if function.__class__ is ast.Attribute:
            if isinstance(function.value, ast.Attribute) and function.value.attr == "data":
                self.note_use_of_data(function)
            receiver = self.eval(function.value)
            if not receiver.kind & Kind.LIBRARY or receiver.kind & (Kind.OBJECT | Kind.UNKNOWN):
                args, keywords = self.arguments(node)
                return self.call_method(receiver, function.attr, args, keywords, node)
            callee = self.attribute(receiver, function.attr, function)
        else:
            callee = self.eval(function)
        args, keywords = self.arguments(node)
        return self.call(callee, args, keywords, node)

    def arguments(self, node: ast.Call) -> tuple[list[Value], dict[str, Value]]:
        """Positional and keyword arguments; `*xs` of unknown length gives one stand-in, `**d` what its constant keys say."""
        args: list[Value] = []
        keywords: dict[str, Value] = {}
        for arg in node.args:
            value = self.eval(arg)
            if arg.__class__ is ast.Starred:
                count = self.length(value)
                args += self.unpack(value, count, arg) if count is not None else [self.items(value, arg)]
            else:
                args.append(value)
        for keyword in node.keywords:
            value = self.eval(keyword.value)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
            else:
                for key, item in self.pairs(value, node):
                    keywords[key.const if isinstance(key.const, str) else "**"] = item
        return args, keywords

    def call(self, callee: Value, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        if callee.kind == Kind.LIBRARY and len(callee.names) == 1:
            return self.call_library(callee.name, args, keywords, node)
        results: list[Value] = []
        if callee.kind & Kind.FUNCTION:
            results += [self.call_function(t, args, keywords, node) for t in sorted(callee.refs) if t in self.functions]
        if callee.kind & Kind.CLASS:
            results += [self.instantiate(self.classes[t], args, keywords, node) for t in sorted(callee.refs) if t in self.classes]
        if callee.kind & Kind.LIBRARY and callee.names:
            results += [self.call_library(name, args, keywords, node) for name in sorted(callee.names)]
        if callee.kind & Kind.MODULE:
            results.append(self.call_module(callee, args, keywords, node))
        elif callee.kind & Kind.OBJECT:
            results.append(self.call_object(callee, args, keywords, node))
        if results and not (callee.kind & Kind.FUNCTION and callee.kind & Kind.UNKNOWN):
            return join_all(results)
        given = [*args, *keywords.values()]
        if results:
            return join(join_all(results), self.unknown(node, given, callee))
        return self.call_unknown(callee, given, node, self.idiom(node.func) if isinstance(node, ast.Call) else "")

    def call_object(self, callee: Value, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """object(...): its __call__, or its forward where a base that the file does not show may be a module."""
        results = []
        for address in callee.refs:
            cls = self.instances.get(address)
            if cls is None:
                continue
            if self.find(cls, "__call__") is None and cls.unknown_base and self.find(cls, "forward") is not None:
                return self.call_module(callee, args, keywords, node)
            method = self.find(cls, "__call__")
            if method is not None:
                bound = self.bind_method(method, callee._replace(refs=frozenset((address,))))
                results += [self.call_function(t, args, keywords, node) for t in bound.refs]
        return join_all(results) if results else self.call_unknown(callee, [*args, *keywords.values()], node, "")

    # -- unknown callees --------------------------------------------------------------------------------------------------------------

    def call_unknown(self, callee: Value, given: list[Value], node: ast.expr, name: str) -> Value:
        """A call of something that the file does not show."""
        if callee.kind == Kind.OTHER:
            return Value(Kind.OTHER)
        operands = self.open(given)
        if callee.refs and callee.refs <= self.loaded:
            self.trace.modules |= callee.refs  # of what is pickled with torch.save, one calls models
        if callee.kind & Kind.UNKNOWN and idioms.CRITERIA.match(name) and operands:
            out = self.derive([*operands, self.unknown(node, operands)], node)
            own = frozenset((self.token(node),))
            self.note_same(self.token(node), out)
            return out._replace(refs=own, grad=out.grad, carried=out.carried)
        frozen = self.freeze_state(callee)
        if frozen == FROZEN:
            return self.unknown(node, operands)
        result = self.unknown(node, operands, callee)
        if frozen & FROZEN:
            result = result._replace(grad=result.grad | Grad.CUT)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Call) and isinstance(node.func.func, ast.Name) and node.func.func.id == "getattr":
            self.trace.unseen.add(id(node))
        self.record_forward(callee, result, given, node)
        self.give_away(operands, node, name)
        if callee.names and any(map(objects.TENSORDICT_MODULES.match, callee.names)):
            return result._replace(kind=Kind.UNKNOWN | Kind.OBJECT)
        return result

    def give_away(self, operands: list[Value], node: ast.expr, name: str) -> None:
        """Values handed to a call that the file does not show; a name that says so back-propagates them."""
        if idioms.BACKPROPAGATES.search(name):
            self.back_propagated(operands)
        if idioms.FREEZES.search(name):
            self.trace.perhaps_frozen |= EMPTY.union(*(v.refs for v in operands))
        if self.snapshots and "hook" not in name and idioms.TRAININGS.search(idioms.words(name)) and not _only_tells(name, operands):
            self.weights_change(frozenset(t for v in operands for t in v.refs))
        self.event_use(node, operands, name)

    def back_propagated(self, values: list[Value]) -> None:
        """Code that the file does not show probably back-propagates these: no leak, but no proof that they are live either."""
        for value in self.open(values):
            self.trace.backpropagated |= value.reach

    # -- library callees --------------------------------------------------------------------------------------------------------------

    def call_library(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """A call of a library function or class, by its dotted name."""
        if name.startswith("builtins."):
            return self.call_builtin(name[9:], args, keywords, node)
        sink = sinks.of_function(name)
        if sink is not None:
            self.reach_sink(sink, args, keywords, node)
            if sink.passes and args and self.may_pass(name, args[0]):
                same = self.view(args[0], node)
                return self.tuple_of(node, same, None) if "split" in name else same
        owner = sinks.class_of(name)
        if owner is not None:
            return self.library_object(owner, args, keywords, node)
        if name.startswith("torch."):
            return self.call_torch(name, args, keywords, node)
        if name.startswith("numpy.random.") and name[13:] in DRAWS and len(args) <= DRAWS[name[13:]] and "size" not in keywords:
            return NUMBER
        if sink is not None and sink.role in (SinkRole.ARRAY, SinkRole.INERT) and name.startswith("numpy."):
            return self.array(name, args)
        return self.call_other_library(name, args, keywords, node)

    @staticmethod
    def may_pass(name: str, value: Value) -> bool:
        """A function hands a tensor back; of NumPy's, which call a method of what they are given, also what may be one."""
        return value.kind == Kind.TENSOR or (name.startswith("numpy.") and value.kind & ~Kind.TENSOR == Kind.UNKNOWN)

    def array(self, name: str, args: list[Value]) -> Value:
        """What a NumPy function gives: an array, or of plain numbers, and of what it reduces, perhaps a number."""
        given = any(a.kind & (Kind.ARRAY | Kind.CONTAINER) and not a.kind & Kind.NUMBER for a in args)
        sure = name in MAKES_ARRAYS or given and name.rpartition(".")[2] not in REDUCES
        return Value(Kind.ARRAY if sure else Kind.ARRAY | Kind.NUMBER, reach=self.number(self.open(args)).reach)

    def library_object(self, owner: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """An object of a library class that has sinks among its methods; an iterable given to it comes out again by iteration."""
        if ", " in owner:
            return self.row(node, [self.library_object(one, [], {}, node) for one in owner.split(", ")])
        token = self.token(node, "library object" + owner)
        out = Value(Kind.OBJECT, refs=frozenset((token,)), names=frozenset((owner,)))
        if args and args[0].kind & (Kind.CONTAINER | Kind.UNKNOWN | Kind.LOADER):
            self.state.write((token, ITEMS), self.items(args[0], node))
        elif owner.endswith(".Axes"):
            self.state.write((token, ITEMS), out)
        return out

    # -- effects of calls -------------------------------------------------------------------------------------------------------------

    def backward(self, value: Value, node: ast.AST, keywords: dict[str, Value]) -> None:
        """value.backward(): proves that the value was live, and that nothing it was computed from is a leak."""
        trace = self.trace
        for one in self.open([value]):
            retain = keywords.get("retain_graph")
            self.note_trained(node)
            self.record(Role.BACKWARD, node, one, detail=retain is not None and retain.const is not False)
            for optimizer in sorted(self.state.emptied):
                self.state.delete((optimizer, EMPTIED))
            if one.grad != Grad.CUT:
                trace.backpropagated |= one.reach
            trace.proven |= one.refs
            pending = one.history - one.refs
            roots = {t for t in pending if (callee := trace.sites[t].callee) is not None and callee.kind == Kind.UNKNOWN}
            if len(pending) == 1 and pending <= trace.part_of.keys():
                roots = set(pending)  # a part of something unknown, and nothing else that could have a history
            if len(roots) == 1 and one.grad == Grad.UNKNOWN:
                trace.proven |= roots
            self.pass_back(one, node, self.keeps_graph(keywords))
            self.free(one)
            for carry in in_order(one.carried):
                if carry.freed and carry.loop in self.active_loops():  # a loop that has ended carries nothing into its next iteration
                    state, written = self.states.get((carry.loop, carry.key), (OTHER, None))
                    place = (carry.key[0], "tensor") if carry.key[1] is NOW else carry.key  # a write in place, or a bind
                    self.record(Role.CARRIED, written or self.bound_at.get(place, node), state, detail=(carry, node))

    @staticmethod
    def keeps_graph(keywords: dict[str, Value]) -> bool:
        """retain_graph=True or create_graph=True, or something that may be."""
        asked = [v for k in ("retain_graph", "create_graph", "retain_variables") if (v := keywords.get(k)) is not None]
        return any(v.const is not False and v.const is not None for v in asked)

    def free(self, loss: Value) -> None:
        """Note the graph as gone for the loops in each of whose iterations this backward surely runs."""
        for loop in self.loops:
            if loop.branches == self.branches:
                loop.freed.update(dict.fromkeys(loss.history, self.clock))
                loop.frees_often |= loop is not self.loops[-1]

    def reach_sink(self, sink: Sink, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> None:
        """Record what reaches a sink."""
        role = EVENTS.get(sink.role)
        inner = EVENTS.get(sink.inner) if sink.inner else None
        if role is None and inner is None and not sink.text:
            return
        given: list[tuple[int | str, Value]] = [*enumerate(args), *keywords.items()]
        template = args[sink.template].const if sink.template is not None and len(args) > sink.template else None
        if isinstance(template, str) and sink.template is not None and "%" in template:
            shown = self.fields_shown(template, args[sink.template + 1 :], node)
            given = [*enumerate(args[: sink.template + 1]), *((sink.template + 1, v) for v in shown), *keywords.items()]
        for place, value in given:
            if not sink.takes(place):
                continue
            if value.kind & Kind.TEXT and not value.kind & Kind.TENSOR:
                if (role == Role.LOG or sink.text) and value.history:
                    self.record(Role.LOG, node, value, detail=sink)
            elif value.kind & (Kind.TENSOR | Kind.UNKNOWN):
                if role is not None and not value.kind & Kind.OBJECT:
                    self.record(role, node, value, detail=sink)
            elif value.kind & Kind.CONTAINER and inner is not None:
                for part in self.inside(value):
                    if part.kind & (Kind.TENSOR | Kind.UNKNOWN | Kind.TEXT) and part.history:
                        self.record(inner, node, part, value, detail=sink)


def _only_tells(name: str, values: list[Value]) -> bool:
    """Whether a mode, a meter or a progress bar is set: `net.train(flag)`, `bar.update(1)`, `meter.update(targets, outputs.detach())`."""
    if name not in ("train", "update") or not values:
        return False
    numbers = all(not v.kind & ~(Kind.NUMBER | Kind.TEXT | Kind.NONE) for v in values)
    return numbers or name == "update" and any(v.kind == Kind.TENSOR and v.grad == Grad.CUT and v.reach for v in values)
