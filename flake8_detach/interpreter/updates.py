"""Updates: the parts of a training step — optimizers made, gradients cleared, clipped, scaled and written, schedules, autocast, iterators used up.

Here: the records, and what has to be known of the operands to write them. Not here: who holds which parameters (belongings), in which order
the parts belong (the rules, by way of steps).
"""

from __future__ import annotations

import ast
from typing import Final

from flake8_detach.knowledge import objects
from flake8_detach.trace import Role, written
from flake8_detach.value import OTHER, UNSURE, Kind, Leaf, Value

from .belongings import Belongings
from .records import Function
from .state import EMPTIED, RETAINED, SPENT

AUTOCAST: Final = "autocast"  # the name of an autocast block that casts and caches
CLIPS: Final = {"clip_grad_norm_": "norm", "clip_grad_norm": "norm", "clip_grad_value_": "value", "clip_grads_with_norm_": "norm"}

NETS: Final = 16
"""Of how many modules at most, cleared in a loop, the parts are looked up."""


class Updates(Belongings):
    """Writes the events of training steps."""

    statement: ast.AST | None = None  # the expression that is a statement of its own: nobody uses its value

    # -- optimizers and schedules -----------------------------------------------------------------------------------------------------

    def note_optimizer(self, optimizer: Value, name: str, given: list[Value], keywords: dict[str, Value], node: ast.expr) -> None:
        """An optimizer is made; detail says whether it keeps a state between its steps. Since torch 1.13 it takes tensors that are no leaves for
        leaves where retain_grad() was called."""
        forgets = name.endswith(".SGD") and keywords.get("momentum", OTHER).const in (0, 0.0, UNSURE) and "**" not in keywords
        keeps = not forgets and not name.endswith(".LBFGS")
        retained = Leaf.LEAF | Leaf.NONLEAF
        taken = tuple(v._replace(leaf=retained) if any((ref, RETAINED) in self.state.store for ref in v.refs) else v for v in given)
        self.record(Role.OPTIMIZER, node, optimizer, values=taken, detail=keeps)

    def note_schedule(self, scheduler: Value, args: list[Value], keywords: dict[str, Value]) -> None:
        """A learning-rate scheduler is made for an optimizer."""
        for value in (*args, *keywords.values()):
            if value.kind & Kind.OPTIMIZER or value is keywords.get("optimizer"):
                for token in scheduler.refs:
                    self.trace.schedules[token] = value.refs

    def is_scheduler(self, value: Value) -> bool:
        """Whether an object is a scheduler of torch, or of a class of the file that is derived from one."""
        if value.kind & Kind.SCHEDULER:
            return True
        return any(n.startswith(objects.SCHEDULERS) for c in map(self.instances.get, value.refs) if c for b in c.mro() for n in b.library)

    def scheduled(self, scheduler: Value, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> None:
        """A scheduler's step; detail says whether it is told the epoch or a metric."""
        self.record(Role.SCHEDULE, node, scheduler, detail=bool(args or keywords))

    # -- gradients --------------------------------------------------------------------------------------------------------------------

    def clear(self, target: Value, node: ast.AST) -> None:
        """Gradients are cleared: of an optimizer, of a module with all its parts, or of a parameter."""
        parts = frozenset(self.with_parts(target)) if target.kind & Kind.MODULE and len(target.refs) <= NETS else target.refs
        self.record(Role.CLEAR, node, target, values=(Value(refs=parts),))
        for optimizer in sorted(self.optimized.keys() & target.refs | self.holding(parts)):
            held = self.optimized[optimizer]
            if optimizer in target.refs or (0 not in held and held and held <= parts):
                self.state.write((optimizer, EMPTIED), 1)

    def clear_by_hand(self, gradient: Value, node: ast.AST) -> None:
        """p.grad.zero_(), also through `.data` or detach()."""
        owners = frozenset(self.gradient_of[r] for t in gradient.refs for r in self.roots.get(t, (t,)) if r in self.gradient_of)
        if owners:
            self.clear(Value(Kind.TENSOR, refs=owners), node)

    def clip(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> None:
        """Gradients are clipped; detail is the kind, the limit, and whether nobody uses the norm."""
        given = args[0] if args else keywords.get("parameters", OTHER)
        limit = args[1] if len(args) > 1 else keywords.get("max_norm", keywords.get("clip_value", OTHER))
        self.consume(given, node.args[0] if isinstance(node, ast.Call) and node.args else None, node)
        self.record(Role.CLIP, node, given, values=tuple(self.open([given])), detail=(CLIPS[name], limit, node is self.statement))

    # -- gradient scalers -------------------------------------------------------------------------------------------------------------

    def scale(self, scaler: Value, loss: Value, node: ast.AST) -> Value:
        """scaler.scale(loss): what is back-propagated from here on gives scaled gradients."""
        if "disabled" in scaler.names:
            return loss
        token = self.token(node, "scaled")
        self.trace.scaled[token] = scaler.refs
        self.record(Role.SCALE, node, loss, scaler)
        return loss._replace(reach=loss.reach | {token})

    # -- autocast ---------------------------------------------------------------------------------------------------------------------

    def autocast(self, args: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
        """A torch.autocast object; one that is off, or that keeps no cache, is of no interest."""
        off = any(keywords.get(k, OTHER).const is False for k in ("enabled", "cache_enabled")) or any(a.const is False for a in args)
        return Value(Kind.SWITCH, refs=frozenset((self.token(node, AUTOCAST),)), names=frozenset((AUTOCAST + " off" * off,)))

    def note_cast(self, managers: list[tuple[Value, ast.expr]], entered: bool) -> None:
        """Autocast blocks are entered or left."""
        for manager, node in managers:
            if AUTOCAST in manager.names:
                self.record(Role.CAST, node, manager, detail=entered)

    def casts_of(self, function: Function) -> list[tuple[Value, ast.expr]]:
        """The decorators of a function that are autocast blocks."""
        decorators = getattr(function.node, "decorator_list", [])
        cast = Value(Kind.SWITCH, names=frozenset((AUTOCAST,)))
        return [(cast, d) for d in decorators if AUTOCAST in written(d)]

    def note_narrow(self, module: Value, name: str, args: list[Value], keywords: dict[str, Value]) -> None:
        """A module's weights become half precision: autocast has nothing to cast."""
        names = {n.rpartition(".")[2] for v in (*args, *keywords.values()) for n in v.names}
        if name in ("half", "bfloat16") or names & {"half", "float16", "bfloat16"}:
            self.trace.narrow |= module.refs

    # -- iterators --------------------------------------------------------------------------------------------------------------------

    def one_shot(self, value: Value) -> Value:
        """This container is an iterator: it gives its items once."""
        for address in value.refs:
            self.iterators.add(address)
            self.state.delete((address, SPENT))
        return value

    def consume(self, value: Value, source: ast.expr | None, node: ast.AST) -> None:
        """Something is iterated to its end; a second time, an iterator over parameters gives nothing."""
        if value.kind != Kind.CONTAINER or len(value.refs) != 1 or isinstance(source, ast.Call):
            return
        (address,) = value.refs
        if address not in self.iterators:
            return
        use = (id(node), self.here.frame, tuple([loop.number for loop in self.loops]))
        spent = self.state.store.get((address, SPENT))
        if spent == 1 and self.used_up_by.get(address) == use:
            return  # the same call, of another class that its name may mean
        if spent == 1 and any(t in self.parameters for part in self.inside(value) for t in part.refs):
            self.record(Role.AGAIN, node, value, detail=self.used_up_at.get(address, node))
        self.used_up_at.setdefault(address, node)
        self.used_up_by[address] = use
        self.state.write((address, SPENT), 1)

    def consume_all(self, values: list[Value], node: ast.AST) -> None:
        """The arguments of a function that iterates each of them."""
        sources = node.args if isinstance(node, ast.Call) else []
        if self.iterators:
            for value, source in zip(values, sources):
                self.consume(value, source, node)


__all__ = ["AUTOCAST", "CLIPS", "Updates"]
