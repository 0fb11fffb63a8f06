"""Method calls: `x.name(...)` by what x is.

Here: the dispatch, methods of objects of the file, super(), context managers' own methods. Not here: what the methods do (the chapters below).
"""

from __future__ import annotations

import ast

from flake8_detach.knowledge import objects, operations, sinks
from flake8_detach.trace import Role
from flake8_detach.value import (
    NONE,
    OTHER,
    Grad,
    Kind,
    Value,
    join_all,
)

from .guesses import Guesses
from .networks import MODULE_METHODS


class Methods(Guesses):
    """Dispatches method calls."""

    def call_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        if "builtins.super" in receiver.names:
            return self.call_super(name, args, keywords, node)
        own = self.own_method(receiver, name, args, keywords, node)
        if own is not None:
            return own
        if receiver.names:
            made = self.sink_method(receiver, name, args, keywords, node)
            if made is not None:
                return made
        kind = receiver.kind
        if kind & Kind.TENSOR and not kind & Kind.MODULE:
            out = self.tensor_method(receiver, name, args, keywords, node)
            if not kind & Kind.ARRAY or name in operations.NO_ARRAY or not out.kind & Kind.TENSOR:
                return out
            return out._replace(kind=out.kind | Kind.ARRAY)
        if kind & Kind.MODULE:
            return self.module_method(receiver, name, args, keywords, node)
        if kind & Kind.OPTIMIZER:
            return self.optimizer_method(receiver, name, args, keywords, node)
        if kind & Kind.CONTAINER:
            return self.container_method(receiver, name, args, keywords, node)
        if kind & Kind.SCALER:
            return self.scaler_method(receiver, name, args, keywords, node)
        if kind & Kind.SCHEDULER:
            if name == "step":
                self.scheduled(receiver, args, keywords, node)
            return OTHER
        if kind & Kind.CLASS and receiver.refs:
            return self.call(self.class_attribute(receiver, name), args, keywords, node)
        if kind & Kind.TEXT and not kind & Kind.UNKNOWN:
            return self.text_method(receiver, name, node)
        if objects.DISTRIBUTION in receiver.names:
            return self.distribution_method(receiver, name, args, keywords, node)
        if kind & (Kind.UNKNOWN | Kind.OBJECT):
            return self.unknown_method(receiver, name, args, keywords, node)
        if kind & Kind.SWITCH:
            return self.switch_method(receiver, name, args, node)
        if kind & (Kind.ARRAY | Kind.NUMBER | Kind.TEXT):
            return Value(Kind.ARRAY | Kind.NUMBER) if kind & Kind.ARRAY else OTHER
        return self.piece_call(receiver, name, args, keywords, node)

    def piece_call(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A method of an object that has nothing to do with tensors."""
        if receiver.kind & Kind.FUNCTION and receiver.refs:
            return self.call(receiver, args, keywords, node) if name in ("__call__", "apply") else OTHER
        return OTHER

    def own_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value | None:
        """A method of a class of the file, or a callable kept in an attribute."""
        results: list[Value] = []
        for address in receiver.refs:
            slot = self.state.store.get((address, name))
            cls = self.instances.get(address)
            if isinstance(slot, Value) and not receiver.kind & Kind.CLASS:
                results.append(self.call(slot, args, keywords, node))
                continue
            found = self.find(cls, name) if cls is not None else None
            if found is None:
                if name == "forward" and cls is not None:
                    return None
                continue
            forward = name == "forward" and receiver.kind & Kind.MODULE
            if forward:
                self.forward_depth += 1
            result = self.call(self.bind_method(found, receiver._replace(refs=frozenset((address,)))), args, keywords, node)
            if forward:
                self.forward_depth -= 1
                self.record_forward(receiver, result, [*args, *keywords.values()], node)
            results.append(result)
        return join_all(results) if results else None

    def call_super(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """super().name(...): the next class of the file that has it, on the same object."""
        function = self.here.function
        this = self.here.this
        if function is None or this is None or function.owner is None:
            return OTHER
        for ancestor in function.owner.mro()[1:]:
            slot = self.state.store.get((ancestor.address, name))
            if isinstance(slot, Value):
                return self.call(self.bind_method(slot, this), args, keywords, node)
        if name in MODULE_METHODS and this.kind & Kind.MODULE:
            return self.module_method(this, name, args, keywords, node)
        if name == "step" and self.is_scheduler(this):
            self.scheduled(this, args, keywords, node)
            return NONE
        if name == "__init__":
            if function.owner.library:
                self.note_schedule(this, args, keywords)
            if function.owner.unknown_base:
                self.escape([*args, *keywords.values()])
            return NONE
        if name == "forward" and any(objects.has_parameters(n) for n in function.owner.library):
            return self.module_result(this, self.open(args), node, True)
        return self.unknown(node, [*args, *keywords.values()])

    def sink_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value | None:
        """A sink among the methods of a library object, or one that makes another such object."""
        for owner in sorted(receiver.names):
            if owner.startswith("multiprocessing.") and receiver.kind & Kind.OBJECT:
                return self.send(owner[16:], name, args, node)
            sink = sinks.of_method(owner, name)
            if sink is not None:
                self.reach_sink(sink, args, keywords, node)
            made = sinks.class_of(f"{owner}.{name}")
            if made is not None:
                return self.library_object(made, args, keywords, node)
            if sink is not None and receiver.kind & Kind.OBJECT and not any(a in self.instances for a in receiver.refs):
                return OTHER
        return None

    def send(self, channel: str, name: str, args: list[Value], node: ast.Call) -> Value:
        """A method of a queue, connection or pool of multiprocessing."""
        if name in objects.CHANNELS.get(channel, "send").split():
            self.note_send(args[1:] if channel == "Pool" else args[:1], node)
        return self.unknown(node)

    def switch_method(self, receiver: Value, name: str, args: list[Value], node: ast.Call) -> Value:
        """__enter__ of a grad-mode switch, enter_context of an ExitStack."""
        if name == "__enter__":
            discarded = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call)
            lost = discarded and any(n.endswith("inference_mode") for n in receiver.names)
            if lost:
                self.record(Role.SWITCH, node, receiver, detail="lost")
            else:
                self.enter(receiver, node)
        elif name == "enter_context" and args:
            self.enter(args[0], node)
            return args[0]
        elif name == "__exit__":
            self.set_mode(Grad.LIVE)
        return OTHER
