"""Assignment: what each kind of target does with a value.

Here: names, attributes, subscripts, sequences, augmented assignment, del, global, nonlocal. Not here: control flow.
"""

from __future__ import annotations

import ast

from flake8_detach.knowledge import operations
from flake8_detach.trace import Role
from flake8_detach.value import (
    EMPTY,
    NO_CARRY,
    NUMBER,
    UNSURE,
    Carry,
    Grad,
    Kind,
    Leaf,
    Value,
    constant,
    join,
)

from .containers import item_key
from .methods import Methods
from .state import ITEMS, Key

_SLIPS = frozenset(
    "require_grad require_grads requires_grads required_grad requried_grad requires_gard requires_grd require_gradient requires_gradient"
    " reqires_grad requiers_grad requires_gradient_ need_grad requre_grad requres_grad require_grad_ requires_grade requir_grad requieres_grad"
    " requires_gradients".split()
)


class Assignments(Methods):
    """Executes assignments."""

    def exec_Assign(self, node: ast.Assign) -> None:
        value = self.eval(node.value)
        for target in node.targets:
            self.assign(target, value, node)

    def exec_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.eval(node.value), node)

    def exec_AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        old = self.eval(ast.copy_location(_as_load(target), target))
        value = self.eval(node.value)
        if old.kind & Kind.TENSOR and old.kind & Kind.NONE:
            old = old._replace(kind=old.kind & ~Kind.NONE)  # which has no such operation
        if old.kind & Kind.CONTAINER and not old.kind & Kind.TENSOR and isinstance(node.op, ast.Add):
            self.extend(old, [value], {}, _as_call(node))
            return
        if old.kind & Kind.TEXT and not old.kind & Kind.TENSOR:
            if value.kind & Kind.TEXT and value.history and isinstance(node.op, ast.Add):
                self.assign(target, join(old, value), node)
            return
        self.note_write(self.written(target, old), node, node.op.__class__.__name__, [value])
        new = self.binary(old, value, node, node.op)
        if old.kind == Kind.TENSOR and self.mode == Grad.CUT:
            return  # in place under no_grad: the object stays what it is
        if old.kind == Kind.TENSOR and old.grad == Grad.LIVE and old.leaf == Leaf.LEAF:
            return
        if old.kind == Kind.TENSOR and not new.grad & (Grad.LIVE | Grad.UNKNOWN):
            return
        if old.kind == Kind.TENSOR and old.refs:
            for token in new.refs:
                self.note_shared(token, old)
                self.note_itself(token, old)
            if isinstance(target, ast.Subscript) and self.eval(target.value).kind & Kind.TENSOR:
                new = new._replace(carried=NO_CARRY)  # a store into a part of a tensor, no total of its own
            self.overwrite(old, new, node)  # for the other names of the tensor; this one is bound anew
            if isinstance(target, ast.Name) and new.carried and not value.grad & (Grad.LIVE | Grad.UNKNOWN):
                self.state.write((self.here.outer.get(target.id, self.here.scope), target.id), new)
                return  # what is cut is no part of a total: nothing grows here
        if isinstance(target, ast.Subscript):
            self.add_to_item(target, new, value, node)
        else:
            self.assign(target, new, node)

    def written(self, target: ast.expr, old: Value) -> Value:
        """What `target += value` writes to in place: of `x[index]` that is a copy, x itself, to which the sum is given back."""
        if isinstance(target, ast.Subscript) and old.kind == Kind.TENSOR and self.trace.shares.keys().isdisjoint(old.refs):
            whole = self.eval(target.value)
            return whole if whole.kind == Kind.TENSOR else old
        return old

    def add_to_item(self, target: ast.Subscript, new: Value, term: Value, node: ast.AST) -> None:
        """container[key] += term: a running total where the container is older than the iteration; a tensor becomes live as a whole."""
        container, key = self.eval(target.value), self.eval(target.slice)
        if container.kind & Kind.TENSOR:
            if self.mode != Grad.CUT and not (container.grad == Grad.LIVE and container.leaf == Leaf.LEAF):
                self.overwrite(container, self.derive([container, term], node, "whole")._replace(carried=NO_CARRY), node)
            return
        if not container.kind & (Kind.CONTAINER | Kind.UNKNOWN | Kind.OBJECT):
            return
        outlived = self.outlived(container)
        if outlived and term.grad & (Grad.LIVE | Grad.UNKNOWN):
            carry = Carry(outlived[-1], (min(container.refs, default=0), ITEMS), False, True)
            new = self.grown(new._replace(carried=new.carried | {carry}), node)
        for address in container.refs:
            self.put(address, key, new)

    # -- targets ----------------------------------------------------------------------------------------------------------------------

    def assign(self, target: ast.expr, value: Value, node: ast.AST) -> None:
        if target.__class__ is ast.Name:
            self.bind_name(target.id, value, node)
        elif isinstance(target, ast.Attribute):
            self.write_attribute(self.eval(target.value), target.attr, value, node)
        elif isinstance(target, ast.Subscript):
            self.write_item(target, value, node)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.assign_sequence(target, value, node)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value, node)

    def assign_sequence(self, target: ast.Tuple | ast.List, value: Value, node: ast.AST) -> None:
        """a, *b = value."""
        starred = next((i for i, e in enumerate(target.elts) if isinstance(e, ast.Starred)), None)
        if starred is None:
            parts = self.unpack(value, len(target.elts), node)
        else:
            parts = [self.element(value, constant(i) if i < starred else NUMBER, node) for i in range(len(target.elts))]
            parts[starred] = self.tuple_of(target.elts[starred], self.items(value, node), None)
        for element, part in zip(target.elts, parts):
            self.assign(element, part, node)

    def bind_name(self, name: str, value: Value, node: ast.AST) -> None:
        here = self.activations[-1]
        scope = here.outer.get(name, here.scope)
        self.variables.setdefault(scope, {})[name] = None
        key = (scope, name)
        self.state.write(key, self.bound(key, value, node))

    def bound(self, key: Key, value: Value, node: ast.AST) -> Value:
        """The value as a place of the store holds it: notes where it was bound and whether it grows with each iteration."""
        if value.kind == Kind.TENSOR:
            old = self.state.store.get(key)
            if isinstance(old, Value) and old.leaf == Leaf.LEAF and old.grad & Grad.LIVE:
                value = self.note_rebound(old, value, node)
        if value.grad & (Grad.LIVE | Grad.UNKNOWN):
            self.bound_at[key] = node
            if value.carried:
                mine = {c.loop for c in value.carried if c.key == key}
                if mine and not any(c.key != key and c.loop in mine for c in value.carried):
                    return self.grown(value, node)
        elif value.kind & Kind.CONTAINER:
            self.bound_at[key] = node
            if self.snapshots:
                self.note_kept(value, node)
        return value

    def write_attribute(self, target: Value, name: str, value: Value, node: ast.AST) -> None:
        if name in ("requires_grad", "requires_grad_") or _misspelt(name):
            this = self.here.this
            own = (this is not None and bool(target.refs & this.refs)) or self.has_own(target, name)
            self.record(Role.FLAG, node, target, values=(value,), detail=("own attribute" if own else "attribute", name))
        if name == "requires_grad" and target.kind & (Kind.TENSOR | Kind.UNKNOWN) and not target.kind & (Kind.OBJECT | Kind.MODULE):
            self.flag_set(target, value, node)
            return
        if target.kind & Kind.UNKNOWN and value.kind & (Kind.TENSOR | Kind.UNKNOWN):
            self.note_context(target, name, value, node)
            if not target.kind & (Kind.OBJECT | Kind.MODULE):
                self.escape([value])
        if name == "grad" and value.kind & Kind.NONE:
            self.clear(target, node)
        elif name in ("grad", "_grad"):
            if isinstance(node, ast.Assign) and _is_zeros(node.value):
                self.clear(target, node)
            self.record(Role.GRAFT, node, target)
        if name == "data" and target.kind & (Kind.TENSOR | Kind.UNKNOWN):
            return
        if target.kind & Kind.MODULE and value.kind & Kind.TENSOR:
            self.lend(target, value)
        if self.optimized and (value.kind == Kind.MODULE or value.refs & self.trace.wrapped):
            self.note_replaced(target, value, node)
        if name == "__dict__" and value.kind & Kind.CONTAINER:
            for field, item in self.pairs(value, node):
                if isinstance(field.const, str):
                    self.write_attribute(target, field.const, item, node)
            return
        if value.kind & Kind.CONTAINER and value.names & {"comprehension"}:
            value = self.keep(value, node)
            self.record_store(node, target, value, (), None)
        for address in target.refs:
            key: Key = (address, name)
            kept = self.bound(key, value, node)
            self.fields.setdefault(address, {})[name] = None
            old = self.state.store.get(key)
            self.state.write(key, join(old, kept) if len(target.refs) > 1 and isinstance(old, Value) else kept)

    def has_own(self, target: Value, name: str) -> bool:
        """Whether the class of an object of the file defines an attribute of that name."""
        return any(a in self.instances and self.find(self.instances[a], name) is not None for a in target.refs)

    def flag_set(self, target: Value, flag: Value, node: ast.AST) -> None:
        """x.requires_grad = flag, on a tensor or on what may be one."""
        if target.kind & Kind.TENSOR:
            self.set_requires_grad(target, flag, node)
        elif flag.const is True and target.refs:
            leaf = self.leaf(node, [target])
            self.rewritten(target, leaf._replace(kind=target.kind | Kind.TENSOR))
        elif flag.const is False:
            self.freeze_by_flag(Value(Kind.MODULE, refs=target.refs), flag)
            modules = frozenset(m for t in target.refs for m in self.parameters.get(t, EMPTY))
            if modules:
                self.freeze_by_flag(Value(Kind.MODULE, refs=modules), flag)

    def write_item(self, target: ast.Subscript, value: Value, node: ast.AST) -> None:
        container = self.eval(target.value)
        key = self.eval(target.slice)
        if container.kind & Kind.TENSOR:
            if key.kind == Kind.TEXT:
                return  # no tensor
            self.note_write(container, node, "[]", [value])
            if not value.grad & (Grad.LIVE | Grad.UNKNOWN):
                return
            if self.mode == Grad.LIVE and self.outlived(container):
                value = self.keep(value, node)
                self.record_store(node, container, value, self.outlived(container), None)
            if self.mode != Grad.CUT and not (container.grad == Grad.LIVE and container.leaf == Leaf.LEAF):
                self.overwrite(container, self.derive([container, value], node)._replace(carried=NO_CARRY), node)
            return
        if container.kind & Kind.ARRAY and not container.kind & Kind.UNKNOWN:
            if value.kind & Kind.TENSOR and self.is_scalar(value):
                self.note_number([value], node)
            elif value.kind & Kind.TENSOR:
                self.record(Role.ARRAY, node, value, container, detail="array[...] = tensor")
            return
        if not container.kind & (Kind.CONTAINER | Kind.OBJECT | Kind.UNKNOWN | Kind.MODULE):
            return
        if self.optimized and container.kind & Kind.MODULE and value.kind == Kind.MODULE:
            self.note_replaced(container, value, node)
        for address in container.refs:
            place: object = item_key(key.const) if key.const is not UNSURE else ITEMS
            value = self.bound((address, place), value, node)
        if getattr(target.value, "attr", "") != "__dict__":
            self.store_item(container, key, value, node)
        elif isinstance(key.const, str):
            for address in container.refs:
                self.set_field(address, key.const, value)

    # -- del, global, nonlocal --------------------------------------------------------------------------------------------------------

    def exec_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.state.delete((self.here.scope, target.id))
            elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice):
                container = self.eval(target.value)
                for address in container.refs if container.kind & Kind.CONTAINER else ():
                    self.state.delete((address, ITEMS))
            elif isinstance(target, ast.Subscript):
                self.take_out(self.eval(target.value), self.eval(target.slice))

    def exec_Global(self, node: ast.Global) -> None:
        for name in node.names:
            self.here.outer[name] = self.module_scope

    def exec_Nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            for scope in self.here.scopes[1:]:
                if (scope, name) in self.state.store:
                    self.here.outer[name] = scope
                    break


def _misspelt(name: str) -> bool:
    """Whether an attribute name is a slip of `requires_grad`."""
    return name in _SLIPS


def _is_zeros(node: ast.expr) -> bool:
    """Whether an expression makes a tensor of zeros: `torch.zeros_like(p)`, `Variable(p.data.new(...).zero_())`."""
    while isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("zeros_like", "zeros", "new_zeros", "zero_"):
            return True
        if isinstance(node.func, ast.Attribute) and name in operations.CONVERSIONS:
            node = node.func.value
        elif name == "Variable" and node.args:
            node = node.args[0]
        else:
            return False
    return False


def _as_load(target: ast.expr) -> ast.expr:
    """An assignment target as the expression that reads it."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    if isinstance(target, ast.Subscript):
        return ast.Subscript(target.value, target.slice, ast.Load())
    return target


def _as_call(node: ast.AugAssign) -> ast.Call:
    """A stand-in call node at the place of an augmented assignment."""
    return ast.copy_location(ast.Call(node.value, [], []), node)
