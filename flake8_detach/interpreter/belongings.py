"""Belongings: what a module registers, what an optimizer holds, and what of it is later replaced, kept or restored.

Here: the events about parameters as property: fields of a module after its __init__, parts replaced behind an optimizer's back, state_dict()
snapshots, leaves that are bound anew. Not here: what a module computes (modules), what happens to a tensor's storage (storage).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import takewhile

from flake8_detach.syntax import statements
from flake8_detach.trace import Role
from flake8_detach.value import EMPTY, OTHER, Kind, Value

from .modules import FROZEN, Modules
from .records import Class
from .state import EMPTIED, HOLDS, STEPPED


class Belongings(Modules):
    """Who holds which parameters."""

    # -- what a module registers ------------------------------------------------------------------------------------------------------

    def note_fields(self, address: int, this: Value, cls: Class) -> None:
        """After __init__: the attributes by which a module holds modules or parameters that it does not register."""
        fields = [(n, s) for n in self.fields.get(address, ()) if isinstance(s := self.state.store.get((address, n)), Value)]
        loose = [(n, s) for n, s in fields if s.kind == Kind.CONTAINER or (s.kind == Kind.TENSOR and s.grad == 1)]
        if not loose:
            return
        registered: set[int] = set()
        for _, slot in fields:
            if slot.kind & Kind.MODULE:
                registered |= self.with_parts(slot)
            elif slot.kind & Kind.TENSOR:
                registered |= slot.refs
        offered = {t for n, s in loose if s.kind == Kind.CONTAINER and hands_out(cls, n) for v in self.inside(s) for t in v.refs}
        for name, slot in loose:
            if slot.kind == Kind.TENSOR and slot.refs & offered:
                continue  # whoever asks for them trains them
            node = self.bound_at.get((address, name))
            parts = [v for v in self.members(slot) if self.is_own(v, cls, registered)] if slot.kind == Kind.CONTAINER else [slot]
            if parts and all(v.kind == Kind.TENSOR for v in parts) and slot.kind == Kind.CONTAINER and hands_out(cls, name):
                continue
            if node is not None and parts:
                self.record(Role.FIELD, node, slot, this, tuple(parts), frozenset(registered) - slot.refs)

    def members(self, container: Value, depth: int = 3) -> list[Value]:
        """What a plain container, and those in it, hold; a module is one thing, whatever it holds."""
        out: list[Value] = []
        for part in self.inside(container, 1):
            out += self.members(part, depth - 1) if part.kind == Kind.CONTAINER and depth else [part]
        return out

    def is_own(self, part: Value, cls: Class, registered: set[int]) -> bool:
        """Whether a part of a plain container trains, was made by the class's own __init__, and is registered nowhere."""
        if part.refs & registered or not part.refs or not all(self.is_made_by(t, cls) for t in part.refs):
            return False
        if part.kind == Kind.TENSOR:
            return part.refs <= self.trace.wrapped
        return not part.kind & ~(Kind.MODULE | Kind.CONTAINER) and self.surely_trains(part)

    def is_made_by(self, token: int, cls: Class) -> bool:
        """Whether a place is in the __init__ of a class, or in what that calls."""
        names = {c.node.name for c in cls.mro()}
        frames = (self.trace.frames[f] for f in self.trace.outward(self.trace.sites[token].frame))
        return any(f.owner in names and getattr(f.function, "name", "") == "__init__" for f in frames)

    def surely_trains(self, module: Value) -> bool:
        """Whether a module is known to hold parameters that require grad."""
        if not module.kind & Kind.MODULE or self.freeze_state(module) & FROZEN:
            return False
        store = self.state.store
        for address in self.with_parts(module):
            slot = store.get((address, HOLDS))
            leafs = [s for n in self.fields.get(address, ()) if isinstance(s := store.get((address, n)), Value)]
            if (slot == 1 and not self.is_holder(address)) or any(s.refs & self.trace.wrapped for s in leafs):
                return True
        return False

    def is_holder(self, address: int) -> bool:
        """Whether a module is a Sequential or a list, whose parameters are those of its parts."""
        return address in self.holders

    def note_built(self, layer: Value, node: ast.AST) -> None:
        """A layer with parameters is made below a forward: where the forward's own text makes it, and whether on a condition."""
        frames, frame, place, call, tested = self.trace.frames, self.here.frame, node, node, False
        while (function := frames[frame].function) is not None:
            tested = tested or is_tested(call, function)
            name = getattr(function, "name", "")
            if name == "forward":
                break
            call = frames[frame].call or call
            place = call if name == "__init__" else place
            frame = frames[frame].parent
        if frames[frame].owner in self.trace.model_classes:
            self.record(Role.BUILD, place, layer, detail=tested or self.is_guarded(frame))

    def is_guarded(self, forward: int) -> bool:
        """Whether a condition, or a decorator that may cache, stands between a running forward and the present place."""
        inner = list(takewhile(lambda a: a.frame != forward, reversed(self.activations)))
        start = next((a for a in self.activations if a.frame == forward), None)
        decorated = any(getattr(a.function.node, "decorator_list", ()) for a in inner if a.function is not None)
        return decorated or start is None or self.branches > start.depth[0]

    def lend(self, module: Value, parameter: Value) -> None:
        """layer.weight = other.weight: the layer computes with parameters that belong to others."""
        owners = frozenset(m for t in parameter.refs for m in self.parameters.get(t, EMPTY)) | (parameter.refs & self.trace.wrapped)
        self.trace.dressed |= module.refs
        for address in module.refs if owners else ():
            self.lent[address] = self.lent.get(address, EMPTY) | owners

    # -- what an optimizer holds ------------------------------------------------------------------------------------------------------

    def hold(self, optimizer: int, held: frozenset[int]) -> None:
        """An optimizer holds these modules and leaves."""
        for token in held:
            self.held_by.setdefault(token, set()).add(optimizer)
        self.optimized[optimizer] = held

    def holding(self, tokens: frozenset[int]) -> frozenset[int]:
        """The optimizers that hold some of these."""
        return frozenset(o for token in tokens for o in self.held_by.get(token, ()) if token in self.optimized[o])

    def note_replaced(self, target: Value, value: Value, node: ast.AST) -> None:
        """A module that an optimizer holds gets a new part with parameters."""
        if not target.refs or (value.kind == Kind.MODULE and not self.surely_trains(value)):
            return
        owners = self.with_wholes_of(target)
        holding = self.holding(owners) - self.holding(value.refs)
        if holding:
            self.record(Role.REPLACED, node, value, target, (Value(refs=holding),))

    def with_wholes_of(self, value: Value) -> frozenset[int]:
        """The tokens of a value, and of what it is a part of."""
        out: set[int] = set()
        for token in value.refs:
            while token not in out:
                out.add(token)
                token = self.part_of.get(token, token)
        return frozenset(out)

    def stepped(self, optimizer: Value, node: ast.AST, scaler: Value = OTHER) -> None:
        """An optimizer's step, perhaps by way of a GradScaler: the weights it holds are written in place."""
        self.record(Role.STEP, node, optimizer, scaler)
        if any(self.state.store.get((ref, EMPTIED)) == 1 for ref in optimizer.refs):
            return  # without gradients a step changes nothing
        held = frozenset(t for ref in optimizer.refs for t in self.optimized.get(ref, EMPTY))
        self.spoil(held, node, "step")
        if self.snapshots:
            self.weights_change(held)

    # -- state_dict() -----------------------------------------------------------------------------------------------------------------

    def take_snapshot(self, item: Value, module: Value) -> None:
        """state_dict(): its values share storage with the module's."""
        for token in item.refs:
            self.snapshots[token] = frozenset(self.with_parts(module)) if len(module.refs) < 4 else module.refs
            self.state.delete((token, STEPPED))

    def weights_change(self, held: frozenset[int], but: frozenset[int] = EMPTY) -> None:
        """Weights are written: the snapshots of these modules follow; where nothing is known of the writer, all do."""
        for token, modules in self.snapshots.items():
            if token not in but and (not held or held & modules or not self.trace.are_known(held)):
                self.state.write((token, STEPPED), 1)

    def snapshots_in(self, value: Value) -> frozenset[int]:
        """The snapshots whose tensors a value holds."""
        out: set[int] = set()
        for part in self.inside(value) if value.kind & Kind.CONTAINER else [value]:
            roots = frozenset(r for ref in part.refs for r in self.roots.get(ref, (ref,)))
            if roots <= self.snapshots.keys():  # else it may as well be a copy
                out |= roots
        return frozenset(out)

    def note_kept(self, value: Value, node: ast.AST) -> None:
        """A container that holds a snapshot is bound."""
        tokens = self.snapshots_in(value)
        if tokens:
            lasting = isinstance(node, ast.Assign) and any(isinstance(t, ast.Attribute) for t in node.targets)
            fresh = frozenset(t for t in tokens if not self.state.store.get((t, STEPPED)))
            self.record(Role.KEPT, node, value, values=(Value(refs=tokens), Value(refs=fresh)), detail=lasting)

    def restore(self, module: Value, args: list[Value], node: ast.AST) -> None:
        """load_state_dict(kept) or torch.save(kept): has training gone on since?"""
        tokens = frozenset(t for v in args[:1] for t in self.snapshots_in(v))
        self.trace.loaded |= module.refs
        self.trace.reloaded.update((ref, loop.token) for ref in module.refs for loop in self.loops)
        for token in tokens:
            parts = self.with_parts(module) if len(module.refs) < 4 else module.refs
            self.trace.copies.update((part, self.trace.copies.get(part, EMPTY) | self.snapshots[token]) for part in parts)
        if tokens:
            late = frozenset(t for t in tokens if self.state.store.get((t, STEPPED)))
            self.record(Role.RESTORED, node, module, values=(Value(refs=tokens), Value(refs=late)))
        if self.snapshots and module.refs:
            self.weights_change(module.refs, tokens)

    def note_weights_copied(self, target: Value, source: Sequence[Value]) -> None:
        """p_target.data.copy_(... p.data ...): a module is given the weights of another, all at once or little by little."""
        mine = frozenset(m for t in self.storage(target) for m in self.parameters.get(t, EMPTY))
        theirs = frozenset(m for v in source for t in v.reach for m in self.parameters.get(t, EMPTY)) - mine
        if mine and theirs:
            for part in self.with_parts(Value(Kind.MODULE, refs=mine)):
                self.trace.copies[part] = self.trace.copies.get(part, EMPTY) | theirs

    def without_snapshot(self, item: Value, node: ast.AST) -> Value:
        """An item of a deep copy has a storage of its own."""
        if not self.snapshots_in(item):
            return item
        if item.kind & Kind.CONTAINER:
            return item._replace(refs=EMPTY)
        return item._replace(refs=frozenset((self.token(node, "copied"),)))

    # -- leaves bound anew ------------------------------------------------------------------------------------------------------------

    def note_rebound(self, old: Value, value: Value, node: ast.AST) -> Value:
        """w = w - lr * w.grad: a name that held a leaf is bound to what was computed from it and its gradient.

        In a loop the name goes on as the leaf that was meant: one mistake is told once.
        """
        for ref in old.refs:
            gradient = self._tokens.get((-ref, 0, "grad"))
            if gradient is not None and value.refs and self.is_computed_from(value, gradient) and self.is_computed_from(value, ref):
                self.record(Role.REBIND, node, value, old, detail=self.is_read_later(node))
                return old._replace(refs=value.refs, history=old.history | value.refs) if self.loops else value
        return value

    def is_computed_from(self, value: Value, token: int, depth: int = 5) -> bool:
        """Whether a tensor is computed from another in a few steps, none of which is a detach."""
        if token in value.refs:
            return True
        if depth == 0:
            return False
        for ref in value.refs:
            made = self.trace.made.get(ref)
            if made is not None and any(self.is_computed_from(v, token, depth - 1) for v in made.operands):
                return True
        return False

    def is_read_later(self, node: ast.AST) -> bool:
        """Whether the loop that runs reads the assigned name after the assignment."""
        name = node.targets[0] if isinstance(node, ast.Assign) else None
        body = self.trace.loops[self.loops[-1].token][0] if self.loops else None
        if not isinstance(name, ast.Name) or not isinstance(body, (ast.For, ast.While)):
            return True
        last = node.end_lineno or 0 if isinstance(node, ast.Assign) else 0
        reads = (n for s in body.body for n in ast.walk(s) if isinstance(n, ast.Name) and n.id == name.id and isinstance(n.ctx, ast.Load))
        return any(n.lineno > last for n in reads)


def hands_out(cls: Class, name: str) -> bool:
    """Whether a method of a class returns the attribute of that name as it is, or items of it."""
    returned = (n.value for n in statements(cls.node) if isinstance(n, ast.Return))
    items = (v for r in returned for v in (r.elts if isinstance(r, (ast.List, ast.Tuple)) else [r]))
    bare = (v.value if isinstance(v, ast.Subscript) else v for v in items)
    return any(isinstance(v, ast.Attribute) and v.attr == name for v in bare)


def is_tested(place: ast.AST, function: ast.AST) -> bool:
    """Whether a place of a function's text stands below a test, whatever its outcome."""
    tests = (n for n in ast.walk(function) if isinstance(n, (ast.If, ast.Try, ast.IfExp)))
    return any(place is inner for test in tests for inner in ast.walk(test))
