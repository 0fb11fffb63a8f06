"""Objects: attributes, classes of the file and their instances, modules and their parameters.

Here: what `x.name` is, what a class is, what a module's call or parameters give. Not here: method calls by name (methods).
"""
from __future__ import annotations

import ast

from flake8_detach.knowledge import idioms, objects, operations, sinks
from flake8_detach.knowledge.operations import Effect
from flake8_detach.trace import Role
from flake8_detach.value import (
    EMPTY,
    NONE,
    NUMBER,
    OTHER,
    TEXT,
    UNSURE,
    DType,
    Grad,
    Kind,
    Leaf,
    Training,
    Value,
    constant,
    join_all,
)

from .containers import Containers
from .machine import Class
from .state import ABSENT, CHAIN, FREEZING, HOLDS, ITEMS, LENGTH, NOW, TRAINING

FROZEN, TRAINABLE = 1, 2
CALLABLE_PARTS = Kind.MODULE | Kind.OBJECT | Kind.UNKNOWN


class Objects(Containers):
    """Attributes, instances, modules."""

    # -- attributes -----------------------------------------------------------------------------------------------------------------
    def attribute(self, value: Value, name: str, node: ast.expr) -> Value:
        """value.name, properties run."""
        found: list[Value] = []
        for address in value.refs:
            slot = self.state.store.get((address, name))
            if isinstance(slot, Value):
                found.append(self.current(slot))
            elif address in self.instances:
                member = self.member(address, value, name, node)
                if member is not None:
                    found.append(member)
        if found:
            return join_all(found)
        if value.kind & Kind.LIBRARY and value.names:
            return Value(Kind.LIBRARY, names=frozenset(f"{n}.{name}" for n in value.names))
        if value.kind & Kind.CLASS:
            return self.class_attribute(value, name, node)
        return self.builtin_attribute(value, name, node)

    def builtin_attribute(self, value: Value, name: str, node: ast.expr) -> Value:
        """Attributes that no program text of the file gave."""
        if name == "training" and value.kind & (Kind.MODULE | Kind.OBJECT):
            return self.training_flag(value)
        if name == "__dict__":
            return Value(Kind.CONTAINER, refs=value.refs)
        if value.kind & Kind.TENSOR or (value.kind & Kind.UNKNOWN and name in ("data", "T", "shape", "grad", "is_cuda")):
            return self.tensor_attribute(value, name, node)
        if value.kind & Kind.MODULE:
            return self.module_attribute(value, name, node)
        if value.kind & (Kind.UNKNOWN | Kind.OBJECT | Kind.OPTIMIZER | Kind.LOADER) and value.refs:
            return self.current(self.piece(value, name, node)._replace(grad=Grad.UNKNOWN))
        return Value(Kind.OTHER, reach=value.reach) if value.kind & Kind.OTHER else OTHER

    def tensor_attribute(self, value: Value, name: str, node: ast.expr) -> Value:
        if name in ("grad", "_grad"):
            tokens = frozenset(self.part(a, "grad") for a in value.refs)
            return Value(Kind.TENSOR | Kind.NONE, Grad.CUT, Leaf.LEAF, DType.FLOAT, tokens)
        effect = operations.ATTRIBUTES.get(name)
        if effect is None:
            return self.piece(value, name, node) if value.kind & Kind.UNKNOWN else OTHER
        if effect == Effect.DETACH and value.kind & Kind.UNKNOWN:
            # `.data` of something unknown: a tensor's, or a part of a data set or a response
            return self.detach(value, node)._replace(kind=Kind.TENSOR | Kind.UNKNOWN)
        return self.effect(effect, [value], node)

    def module_attribute(self, value: Value, name: str, node: ast.expr) -> Value:
        """A parameter of a library module, or a part of one that the file does not show."""
        if name == "module" and not any(a in self.instances for a in value.refs):
            return value
        library = [n for n in value.names if n.startswith("torch.nn.")]
        if library and name in ("weight", "bias", "in_proj_weight") or name.startswith(("weight_", "bias_")):
            return self.parameter(value, name, node)
        if library and name in ("running_mean", "running_var"):
            return self.plain(node)
        if library:
            return NUMBER
        out = self.piece(value, name, node)
        return out._replace(grad=Grad.UNKNOWN)

    def parameter(self, module: Value, name: object, node: ast.AST) -> Value:
        """A parameter of a module: a live leaf, unless the module is frozen."""
        token = self.token(node, ("parameter", name))
        self.parameters[token] = self.parameters.get(token, EMPTY) | module.refs
        self.trace.leaves.add(token)
        own = frozenset((token,))
        frozen = self.freeze_state(module)
        grad = Grad.CUT if frozen == FROZEN else Grad.LIVE | Grad.CUT if frozen & FROZEN else Grad.LIVE
        return self.current(Value(Kind.TENSOR, grad, Leaf.LEAF, DType.FLOAT, own, own if grad & Grad.LIVE else EMPTY, own | module.reach))

    # -- state of modules -------------------------------------------------------------------------------------------------------------
    def freeze_state(self, module: Value) -> int:
        """FROZEN, TRAINABLE, both or 0 (never touched)."""
        out = 0
        for address in module.refs:
            slot = self.state.store.get((address, FREEZING), TRAINABLE)
            if isinstance(slot, int):
                out |= slot & ~ABSENT | (TRAINABLE if slot & ABSENT else 0)
        return out

    def freeze(self, module: Value, frozen: int) -> None:
        """requires_grad_(False / True) on a module and on all that it holds."""
        for address in self.with_parts(module):
            self.state.write((address, FREEZING), frozen)

    def training_state(self, module: Value) -> int:
        """Training.TRAIN, EVAL, both, or 0 where no call in the file sets it."""
        out = 0
        for address in module.refs:
            slot = self.state.store.get((address, TRAINING))
            while slot is None and address in self.part_of:
                address = self.part_of[address]
                slot = self.state.store.get((address, TRAINING))
            out |= slot if isinstance(slot, int) else 0
        return out

    def training_flag(self, module: Value) -> Value:
        state = self.training_state(module)
        return constant(state == Training.TRAIN) if state in (Training.TRAIN, Training.EVAL) else NUMBER

    def set_training(self, module: Value, state: int, node: ast.AST) -> None:
        """train() or eval(), which goes down to all parts."""
        self.record(Role.TRAINING, node, module, detail=state)
        for address in self.with_parts(module):
            self.state.write((address, TRAINING), state)

    def with_parts(self, module: Value) -> set[int]:
        """The addresses of a module and of the modules it holds."""
        seen: set[int] = set()
        rest = list(module.refs)
        while rest:
            address = rest.pop()
            if address in seen:
                continue
            seen.add(address)
            names: list[object] = [*self.fields.get(address, ()), ITEMS]
            for name in names:
                slot = self.state.store.get((address, name))
                if isinstance(slot, Value) and slot.kind & (Kind.MODULE | Kind.CONTAINER | Kind.UNKNOWN | Kind.TENSOR):
                    rest += slot.refs if len(slot.refs) < 20 else ()
        return seen

    # -- classes and instances ----------------------------------------------------------------------------------------------------------
    def member(self, address: int, this: Value, name: str, node: ast.expr) -> Value | None:
        """What the class of an instance gives under a name: a bound method, the value of a property, a class attribute."""
        found = self.find(self.instances[address], name)
        if found is None:
            return None
        me = this._replace(refs=frozenset((address,)))
        for token in found.refs:
            function = self.functions.get(token)
            if function is not None and "property" in function.traits:
                return self.call_function(token, [me], {}, node)
        return self.bind_method(found, me)

    def bind_method(self, found: Value, this: Value) -> Value:
        """A function found on a class, as a method of this object."""
        if not found.kind & Kind.FUNCTION:
            return found
        tokens = set()
        for token in found.refs:
            function = self.functions.get(token)
            if function is None or function.owner is None or "static" in function.traits:
                tokens.add(token)
                continue
            bound = self.part(token, ("self", min(this.refs, default=0)))
            self.functions[bound] = function
            self.methods[bound] = this
            tokens.add(bound)
        return found._replace(refs=frozenset(tokens))

    def find(self, cls: Class, name: str) -> Value | None:
        """A name in a class of the file or its ancestors in the file."""
        for ancestor in cls.mro():
            slot = self.state.store.get((ancestor.address, name))
            if isinstance(slot, Value):
                return slot
        return None

    def class_attribute(self, value: Value, name: str, node: ast.expr) -> Value:
        for address in value.refs:
            cls = self.classes.get(address)
            found = self.find(cls, name) if cls else None
            if found is not None and cls is not None:
                functions = [f for t in found.refs if (f := self.functions.get(t))]
                if any("class" in f.traits for f in functions):
                    return self.bind_method(found, value)
                return found
            if cls is not None and name == "apply" and any(n.endswith("autograd.Function") for n in cls.library):
                return Value(Kind.LIBRARY, names=frozenset(("torch.autograd.Function.apply",)))
        return self.piece(value, name, node) if value.refs else OTHER

    def instantiate(self, cls: Class, args: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
        """A new object of a class of the file, its __init__ run."""
        address = self.token(node, ("instance", cls.address))
        self.instances[address] = cls
        self.born[address] = self.active_loops()
        for name in self.fields.get(address, ()):
            self.state.delete((address, name))
        for name in (TRAINING, FREEZING):
            self.state.delete((address, name))
        value = self.instance_value(cls, address)
        if self.find(cls, "__init__") is not None:
            method = self.bind_method(self.find(cls, "__init__") or OTHER, value)
            for token in method.refs:
                self.call_function(token, [value, *args] if token not in self.methods else args, keywords, node)
        elif cls.is_record or cls.library & {"typing.NamedTuple", "NamedTuple"}:
            self.fill_record(cls, address, args, keywords)
        elif cls.unknown_base:
            self.escape(args)
        if cls.library & {"dict", "builtins.dict", "collections.OrderedDict", "collections.UserDict"}:
            for name, item in keywords.items():
                self.put(address, constant(name), item)
        return value

    def instance_value(self, cls: Class, address: int) -> Value:
        """The Value of an object of a class of the file."""
        kind = Kind.MODULE if cls.is_module else Kind.OBJECT
        if cls.library & {"dict", "builtins.dict", "list", "builtins.list", "collections.OrderedDict", "collections.UserDict"}:
            kind |= Kind.CONTAINER
        own = frozenset((address,))
        return Value(kind, 0, refs=own, reach=EMPTY, names=frozenset(cls.library))

    def fill_record(self, cls: Class, address: int, args: list[Value], keywords: dict[str, Value]) -> None:
        """A dataclass or NamedTuple stores its arguments under its annotated names."""
        names = [n for c in reversed(cls.mro()) for n in c.fields]
        given = dict(zip(names, args)) | keywords
        for index, name in enumerate(names):
            value = given.get(name) or self.find(cls, name)
            if value is not None:
                self.set_field(address, name, value)
                if not cls.is_record:
                    self.put(address, constant(index), value)

    def set_field(self, address: int, name: str, value: Value) -> None:
        self.fields.setdefault(address, {})[name] = None
        self.state.write((address, name), value)

    # -- calls of modules ---------------------------------------------------------------------------------------------------------------
    def call_module(self, module: Value, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """module(*args): the forward of a class of the file, or what the library's class does."""
        results: list[Value] = []
        self.forward_depth += 1
        for address in module.refs:
            cls = self.instances.get(address)
            method = (self.find(cls, "__call__") or self.find(cls, "forward")) if cls else None
            if cls is not None and method is not None:
                me = self.bind_method(method, module._replace(refs=frozenset((address,))))
                results += [self.call_function(t, args, keywords, node) for t in me.refs]
            elif self.children(address):
                results.append(self.call_chain(address, args, node))
        if not results or len(results) < len(module.refs):
            results.append(self.call_library_module(module, args, keywords, node))
        self.forward_depth -= 1
        out = join_all(results)
        if self.may_hold_parameters(module):
            self.record_forward(module, out, [*args, *keywords.values()], node)
        return out

    def record_forward(self, callee: Value, result: Value, given: list[Value], node: ast.expr) -> None:
        """Record the outermost call of a module (or of what may be one)."""
        if self.forward_depth == 0:
            self.record(Role.FORWARD, node, result, callee, tuple(given), self.training_state(callee))

    def children(self, address: int) -> list[Value]:
        """The modules of an nn.Sequential that was built from a display, in order."""
        slot = self.state.store.get((address, CHAIN))
        if not isinstance(slot, Value) or not isinstance(slot.const, int):
            return []
        found = [self.state.store.get((address, ("item", "int", i))) for i in range(slot.const)]
        return [v for v in found if isinstance(v, Value)]

    def call_chain(self, address: int, args: list[Value], node: ast.expr) -> Value:
        """Sequential: each child in turn."""
        out = args[0] if args else OTHER
        for index, child in enumerate(self.children(address)):
            kind = child.kind & (Kind.MODULE | Kind.OBJECT)
            out = self.call_module(child, [out], {}, node) if kind else self.derive([out, self.unknown(node, [out], child, ("child", index))], node)
        return out

    def call_library_module(self, module: Value, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """What a torch.nn class (or an unknown module) makes of its arguments."""
        operands = self.open([*args, *keywords.values()], node)
        last = {n.rpartition(".")[2] for n in module.names if n.startswith("torch.nn.")}
        root = self.module_result(module, operands, node, bool(last))
        if last & objects.RECURRENT:
            state: Value = self.derive([root], node, "state")
            if "LSTM" in last:
                state = self.pair(node, state, self.derive([root], node, "cell"))
            return self.pair(node, root, state)
        return self.pair(node, root, self.derive([root], node, "second")) if last & objects.PAIRED else root

    def pair(self, node: ast.AST, first: Value, second: Value) -> Value:
        """A tuple of two, at a place of its own."""
        address, value = self.container(node, ("pair", first.kind, tuple(sorted(first.refs))[:1]))
        self.put(address, constant(0), first)
        self.put(address, constant(1), second)
        self.state.write((address, LENGTH), constant(2))
        return value

    def module_result(self, module: Value, operands: list[Value], node: ast.expr, known: bool) -> Value:
        """The tensor a module gives: live by its parameters, or by what it is given."""
        plain = self.derive(operands, node)
        plain = plain._replace(kind=Kind.TENSOR, grad=plain.grad or Grad.CUT)
        if not self.may_hold_parameters(module) or self.mode == Grad.CUT:
            return plain._replace(carried=self._indirect(plain))
        frozen = self.freeze_state(module)
        if frozen == FROZEN:
            return plain._replace(carried=self._indirect(plain))
        token = self.token(node, "module", None if known else module)
        self.state.delete((token, NOW))
        own = frozenset((token,))
        self.parameters[token] = self.parameters.get(token, EMPTY) | module.refs
        grad = Grad.LIVE if known and self.mode == Grad.LIVE else Grad.UNKNOWN
        if frozen & FROZEN or self.mode & Grad.CUT:
            grad |= Grad.CUT
        if plain.grad == Grad.LIVE:
            grad = Grad.LIVE
        grad |= plain.grad & Grad.LIVE
        kind = Kind.TENSOR if known else Kind.UNKNOWN
        return Value(kind, grad, Leaf.NONLEAF, DType.FLOAT if known else 0, own, own | plain.history, own | plain.reach, self._indirect(plain))

    @staticmethod
    def _indirect(value: Value) -> frozenset:  # type: ignore[type-arg]
        return frozenset(c._replace(direct=False) for c in value.carried)

    def may_hold_parameters(self, module: Value) -> bool:
        """False only for library modules known to have none."""
        for address in module.refs:
            slot = self.state.store.get((address, HOLDS))
            if slot == 0:
                continue
            return True
        return not module.refs

    def idiom(self, node: ast.expr) -> str:
        """The last name by which an expression is called, for the idioms."""
        if isinstance(node, ast.Attribute):
            return node.attr
        return node.id if isinstance(node, ast.Name) else ""


__all__ = ["CALLABLE_PARTS", "FROZEN", "NONE", "TEXT", "TRAINABLE", "UNSURE", "Objects", "idioms", "sinks"]
