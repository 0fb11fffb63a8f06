"""Objects: attributes, and classes of the file with their instances.

Here: what `x.name` is, what a class is and what making an object of it does. Not here: modules as networks (modules), method calls (methods).
"""

from __future__ import annotations

import ast
from functools import lru_cache

from flake8_detach.knowledge import idioms, objects, operations
from flake8_detach.knowledge.operations import Effect
from flake8_detach.trace import Role
from flake8_detach.value import (
    EMPTY,
    NO_NAMES,
    OTHER,
    DType,
    Grad,
    Kind,
    Leaf,
    Value,
    constant,
    join_all,
)

from .notes import Notes
from .records import Class
from .state import FREEZING, LENGTH, RETAINED, TRAINING


@lru_cache(maxsize=2000)
def of_library(names: frozenset[str], attribute: str) -> Value:
    """An attribute of what goes by these dotted names; the same few are read in every file."""
    return Value(Kind.LIBRARY, names=frozenset(f"{name}.{attribute}" for name in names))


class Objects(Notes):
    """Attributes, classes and instances."""

    # -- attributes -------------------------------------------------------------------------------------------------------------------

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
            return of_library(value.names, name)
        if value.kind & Kind.CLASS:
            return self.class_attribute(value, name)
        return self.builtin_attribute(value, name, node)

    def builtin_attribute(self, value: Value, name: str, node: ast.expr) -> Value:
        """Attributes that no program text of the file gave."""
        if name == "training" and value.kind & (Kind.MODULE | Kind.OBJECT):
            return self.training_flag(value)
        if name == "__dict__":
            return Value(Kind.CONTAINER, refs=value.refs)
        if objects.DISTRIBUTION in value.names and name in objects.DIFFERENTIABLE_SAMPLES:
            return self.derive([value._replace(kind=Kind.TENSOR, names=NO_NAMES)], node)
        if name == "data" and value.kind & (Kind.TENSOR | Kind.UNKNOWN):
            self.note_data(value, node)
        if value.kind & Kind.TENSOR or (value.kind & Kind.UNKNOWN and name in ("data", "T", "shape", "grad", "is_cuda")):
            return self.tensor_attribute(value, name, node)
        if value.kind & Kind.MODULE:
            return self.module_attribute(value, name, node)
        if value.kind & (Kind.UNKNOWN | Kind.OBJECT | Kind.OPTIMIZER | Kind.LOADER) and value.refs:
            return self.current(self.attribute_piece(value, name))
        return Value(Kind.OTHER, reach=value.reach) if value.reach and value.kind & Kind.OTHER else OTHER

    def attribute_piece(self, value: Value, name: str) -> Value:
        """An attribute of something that the file does not show."""
        out = self.piece(value, name, Grad.UNKNOWN)
        if idioms.WEIGHTS.search(name):
            self.trace.weights |= out.refs
        return out

    def tensor_attribute(self, value: Value, name: str, node: ast.expr) -> Value:
        if name in ("grad", "_grad"):
            tokens = frozenset(self.part(a, "grad") for a in value.refs)
            self.trace.probed |= value.refs
            self.gradient_of.update((t, self.part_of[t]) for t in tokens)
            self.record(Role.PEEK, node, value)
            if value.leaf != Leaf.LEAF and not any((a, RETAINED) in self.state.store for a in value.refs):
                self.record(Role.GRAD, node, value)
            return Value(Kind.TENSOR | Kind.NONE, Grad.CUT, Leaf.LEAF, DType.FLOAT, tokens)
        if name == "requires_grad" and value.kind == Kind.TENSOR and value.grad in (Grad.LIVE, Grad.CUT):
            return constant(value.grad == Grad.LIVE)
        effect = operations.ATTRIBUTES.get(name)
        if effect is None:
            return self.piece(value, name) if value.kind & Kind.UNKNOWN else OTHER
        if effect == Effect.DETACH and value.kind & Kind.UNKNOWN:
            # `.data` of something unknown: a tensor's, or a part of a data set or a response
            return self.detach(value, node)._replace(kind=Kind.TENSOR | Kind.UNKNOWN)
        return self.result(name, effect, [value], node, (), {})

    # -- classes and instances --------------------------------------------------------------------------------------------------------

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
            self.closures[bound] = self.closures.get(token, ())
            tokens.add(bound)
        return found._replace(refs=frozenset(tokens))

    def find(self, cls: Class, name: str) -> Value | None:
        """A name in a class of the file or its ancestors in the file."""
        for ancestor in cls.mro():
            slot = self.state.store.get((ancestor.address, name))
            if isinstance(slot, Value):
                return slot
        return None

    def class_attribute(self, value: Value, name: str) -> Value:
        """What a class of the file, or one that it inherits from, has under a name."""
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
        return self.piece(value, name) if value.refs else OTHER

    def instantiate(self, cls: Class, args: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
        """A new object of a class of the file, its __init__ run."""
        address = self.token(node, ("instance", cls.address))
        self.instances[address] = cls
        self.born[address] = self.active_loops()
        self.earlier[address] = [
            (name, slot) for name in self.fields.get(address, ()) if isinstance(slot := self.state.store.get((address, name)), Value)
        ]
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
        if cls.is_module:
            self.note_fields(address, value, cls)
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
                if cls.library & {"typing.NamedTuple"}:
                    self.put(address, constant(index), value)

    def set_field(self, address: int, name: str, value: Value) -> None:
        self.fields.setdefault(address, {})[name] = None
        self.state.write((address, name), value)

    def pair(self, node: ast.AST, first: Value, second: Value) -> Value:
        """A tuple of two, at a place of its own."""
        address, value = self.container(node, ("pair", first.kind, tuple(sorted(first.refs))[:1]))
        self.put(address, constant(0), first)
        self.put(address, constant(1), second)
        self.state.write((address, LENGTH), constant(2))
        return value

    def idiom(self, node: ast.expr) -> str:
        """The last name by which an expression is called, for the idioms."""
        if isinstance(node, ast.Attribute):
            return node.attr
        return node.id if isinstance(node, ast.Name) else ""
