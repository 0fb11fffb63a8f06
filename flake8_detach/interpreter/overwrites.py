"""Overwrites: tensors that are written in place, and values that grow with each iteration.

Here: what a tensor is since it was last written, what a write does to those that share its storage, and what depends on its own previous iteration.
Not here: which operations write (tensors, assignments), what a backward needs unwritten (storage).
"""

from __future__ import annotations

import ast

from flake8_detach.trace import Role
from flake8_detach.value import EMPTY, DType, Grad, Kind, Leaf, Value, in_order, join

from .effects import Effects
from .state import AS_BOUND_TOO, NOW

PLAIN = Kind.NUMBER | Kind.TEXT | Kind.NONE
"""What has no storage: no write changes it."""


class Overwrites(Effects):
    """Writes in place."""

    def current(self, value: Value) -> Value:
        """A value as it is now: a tensor that was written in place, or whose flag was set, since it was bound."""
        if self.state.as_made and value.kind & (Kind.TENSOR | Kind.UNKNOWN):
            if len(value.refs) > 3:
                self.spend(len(value.refs) >> 2)
            for address in value.refs:
                slot = self.state.store.get((address, NOW))
                if isinstance(slot, Value):
                    if slot.names and slot.names >= AS_BOUND_TOO:
                        slot = join(value, slot._replace(names=slot.names - AS_BOUND_TOO))
                    plain = value.kind & PLAIN & ~slot.kind  # what it is where it is no tensor, no write has changed
                    value = slot if len(value.refs) == 1 else join(value, slot)
                    value = value._replace(kind=value.kind | plain) if plain else value
        return value

    def overwrite(self, old: Value, new: Value, node: ast.AST) -> Value:
        """An in-place write: the tensor object keeps its identity and becomes what `new` says."""
        out = new._replace(refs=old.refs, kind=old.kind, dtype=old.dtype, leaf=new.leaf)
        self.note_overwritten(old, new)
        if old.dtype == DType.INTEGER:
            out = out._replace(grad=Grad.CUT, history=frozenset(), leaf=Leaf.LEAF)
        if old.refs and self.brings_history(old, new):
            out = self.grown(out, node)
        for address in old.refs:
            slot = out if len(old.refs) == 1 and not self.is_one_of_many(address) else join(old, out)
            self.state.write_now(address, old, slot)
            self.bound_at[address, "tensor"] = node
            self.continued[address] = (self.clock, node)
        if out.grad & (Grad.LIVE | Grad.UNKNOWN):
            self.write_through(old, out, node)
        return out

    def note_itself(self, token: int, old: Value) -> None:
        """`x += y`: what the name is bound to goes by a token of its own, and is the object that it was."""
        if len(old.refs) == 1:
            (before,) = old.refs
            both = self.itself.setdefault(before, [before])
            self.itself[token] = both
            if token not in both:
                both.append(token)

    def other_tokens(self, value: Value) -> list[int]:
        """By which other tokens the same object goes: none of an object that a pass before had in the same place."""
        if len(value.refs) != 1:
            return []
        (own,) = value.refs
        all_, made_at = self.itself.get(own, []), self.state.made_at
        return [t for t in all_ if t != own and made_at.get(all_[0], 0) <= min(made_at.get(t, 0), made_at.get(own, 0))]

    def write_through(self, old: Value, out: Value, node: ast.AST) -> None:
        """What is written to a tensor is written to what it is a view of, and to all views of that."""
        for token in self.viewers(old):
            if token in self.trace.leaves and not isinstance(self.state.store.get((token, NOW)), Value):
                continue  # a leaf requires grad until something is done to it
            own = frozenset((token,))
            before = self.current(old._replace(refs=own, grad=Grad.CUT, history=EMPTY, leaf=Leaf.LEAF))
            made = self.trace.made.get(token)
            if before.grad & Grad.LIVE or (made is not None and made.grad != Grad.CUT):
                continue
            after = before._replace(grad=out.grad, leaf=out.leaf, history=out.history, reach=before.reach | out.reach)
            if token in self.trace.leaves:
                self.note_same(token, out)  # a result from here on
            one = len(old.refs) == 1 and not self.is_one_of_many(token)
            self.state.write_now(token, before, after if one else join(before, after))
            self.bound_at[token, "tensor"] = node

    def brings_history(self, old: Value, new: Value) -> bool:
        """Whether what is written to a tensor was computed from something live beside the tensor itself."""
        operands = [v for ref in new.refs if ref in self.trace.made for v in self.trace.made[ref].operands]
        return any(v.grad & (Grad.LIVE | Grad.UNKNOWN) and v.refs.isdisjoint(old.refs) for v in operands)

    def grown(self, value: Value, node: ast.AST) -> Value:
        """Record a value that depends on its own previous iteration, where it is bound, and mark it with that place."""
        running = set(self.active_loops())
        own = in_order(c for c in value.carried if c.loop in running)
        if not own or not value.grad & (Grad.LIVE | Grad.UNKNOWN):
            return value
        tokens = frozenset(self.growth(c.loop, c.key) for c in own)
        self.record(Role.GROW, node, value, detail=tuple(own), values=(Value(refs=tokens),))
        return value._replace(reach=value.reach | tokens)

    def growth(self, loop: int, key: tuple[int, object]) -> int:
        """The mark of what grows under a key with each iteration of a loop."""
        return self.part(loop, ("growth", key))
