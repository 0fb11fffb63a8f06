"""Modules: an nn.Module as a network — its modes, parameters and calls.

Here: training and frozen state, what a module's call gives, what a module of the library does. Not here: the methods every module has (networks).
"""

from __future__ import annotations

import ast
import copy

from flake8_detach.knowledge import objects
from flake8_detach.trace import Role
from flake8_detach.value import (
    EMPTY,
    NUMBER,
    OTHER,
    DType,
    Grad,
    Kind,
    Leaf,
    Training,
    Value,
    constant,
    join_all,
)

from .objects import Objects
from .state import ABSENT, CHAIN, FREEZING, HOLDS, HOOK, ITEMS, NOW, TRAINING

FROZEN, TRAINABLE = 1, 2


def averages(node: ast.AST | None) -> bool:
    """Whether the making of a loss leaves its reduction as it is by default: to one number."""
    return isinstance(node, ast.Call) and not any(k.arg in ("reduction", "reduce", "size_average", None) for k in node.keywords)


class Modules(Objects):
    """What modules are and what calling one gives."""

    def module_attribute(self, value: Value, name: str, node: ast.expr) -> Value:
        """A parameter of a library module, or a part of one that the file does not show."""
        library = [n for n in value.names if n.startswith("torch.nn.")]
        foreign = not any(a in self.instances for a in value.refs)
        if name == "module" and foreign:
            return value
        if library and name in ("weight", "bias", "in_proj_weight") or foreign and name.startswith(("weight_", "bias_")):
            return self.parameter(value, name, node)
        if library and name in ("running_mean", "running_var"):
            return self.plain(node)
        if library:
            return NUMBER
        return self.attribute_piece(value, name)

    def parameter(self, module: Value, name: object, node: ast.AST) -> Value:
        """A parameter of a module: a live leaf, unless the module is frozen."""
        self.trace.dressed |= module.refs
        token = self.token(node, ("parameter", name))
        self.parameters[token] = self.parameters.get(token, EMPTY) | module.refs
        if name not in ("parameters", "state"):
            self.single.add(token)
        self.trace.leaves.add(token)
        if EMPTY < module.refs <= self.trace.inferred:
            self.trace.inferred.add(token)
        own = frozenset((token,))
        frozen = self.freeze_state(module)
        grad = Grad.CUT if frozen == FROZEN else Grad.LIVE | Grad.CUT if frozen & FROZEN else Grad.LIVE
        if name == "parameters":
            grad = self.own_grads(module) or grad
        return self.current(Value(Kind.TENSOR, grad, Leaf.LEAF, DType.FLOAT, own, own if grad & Grad.LIVE else EMPTY, own | module.reach))

    def own_grads(self, module: Value) -> int:
        """Whether the parameters of a module's parts require grad, each by itself; 0 where the file shows none."""
        grad = 0
        for address in self.with_parts(module):
            if address in self.instances:
                slots = [self.state.store.get((address, name)) for name in self.fields.get(address, ())]
                for slot in slots:
                    grad |= self.current(slot).grad if isinstance(slot, Value) and slot.refs & self.trace.wrapped else 0
            elif self.state.store.get((address, HOLDS)) in (1, 1 | ABSENT):  # on a path on which there is no such module, it holds nothing
                frozen = self.freeze_state(module._replace(refs=frozenset((address,))))
                grad |= (Grad.CUT if frozen & FROZEN else 0) | (Grad.LIVE if frozen != FROZEN else 0)
        return grad

    # -- state ------------------------------------------------------------------------------------------------------------------------

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
        self.trace.dressed |= module.refs
        doubt = FROZEN if frozen == TRAINABLE and len(module.refs) > 1 else 0  # what was frozen before stays so where another module was meant
        for address in self.with_parts(module):
            self.state.write((address, FREEZING), frozen | self.freeze_state(Value(refs=frozenset((address,)))) & doubt)
            for name in self.fields.get(address, ()):
                slot = self.state.store.get((address, name))
                if isinstance(slot, Value) and slot.kind == Kind.TENSOR and slot.refs & self.trace.wrapped:
                    now = self.current(slot)
                    if now.leaf == Leaf.LEAF:  # and not made a result by a write in place
                        self.freeze_leaf(now, frozen, doubt)
        parts = self.with_parts(module)
        for token, modules in self.parameters.items():
            if modules and token in self.trace.leaves:  # a parameter that was read before
                self.freeze_read(token, modules, parts, frozen, doubt)

    def freeze_read(self, token: int, modules: frozenset[int], parts: set[int], frozen: int, doubt: int) -> None:
        """The same on a parameter of these modules: where only a part of them is meant, others of their parameters stay as they are."""
        own = frozenset((token,))
        now = self.current(Value(Kind.TENSOR, Grad.LIVE, Leaf.LEAF, DType.FLOAT, own, own, own))
        if not modules <= parts:
            if token in self.single or parts.isdisjoint(self.with_parts(Value(refs=modules))):
                return
            frozen |= (FROZEN if now.grad & Grad.CUT else 0) | (TRAINABLE if now.grad & Grad.LIVE else 0)
        self.freeze_leaf(now, frozen, doubt)

    def freeze_leaf(self, leaf: Value, frozen: int, doubt: int) -> None:
        """The same on a parameter that the module holds itself; `doubt` says that what was frozen before may have stayed so."""
        if leaf.grad & Grad.CUT:
            frozen |= doubt
        grad = {FROZEN: Grad.CUT, TRAINABLE: Grad.LIVE}.get(frozen, Grad.LIVE | Grad.CUT)
        if grad & Grad.LIVE:
            self.trace.leaves |= leaf.refs
        now = leaf._replace(grad=grad, history=EMPTY if grad == Grad.CUT else leaf.refs)
        for token in leaf.refs:
            self.state.write_now(token, leaf, now)
        self.follow(leaf, now)

    def training_state(self, module: Value) -> int:
        """Training.TRAIN, EVAL, both, or 0 where no call in the file sets it."""
        states = {address: self.state_set(address) for address in module.refs}
        out = 0
        for state in states.values():
            out |= state
        if out == Training.EVAL and any(not state and self.trains_as_made(address) for address, state in states.items()):
            out |= Training.TRAIN
        return out

    def state_set(self, address: int) -> int:
        """What a call of train() or eval() has said of a module, or of what it is a part of."""
        slot = self.state.store.get((address, TRAINING))
        while slot is None and address in self.part_of:
            address = self.part_of[address]
            slot = self.state.store.get((address, TRAINING))
        return slot if isinstance(slot, int) else 0

    def trains_as_made(self, address: int) -> bool:
        """Whether a module of which nothing was said is one that the file makes, around none that is in eval mode."""
        if address not in self.instances and (address, HOLDS) not in self.state.store:
            return False
        return not any(self.state_set(part) & Training.EVAL for part in self.with_parts(Value(Kind.MODULE, refs=frozenset((address,)))))

    def training_flag(self, module: Value) -> Value:
        state = self.training_state(module)
        return constant(state == Training.TRAIN) if state in (Training.TRAIN, Training.EVAL) else NUMBER

    def set_training(self, module: Value, state: int, node: ast.AST) -> None:
        """train() or eval(), which goes down to all parts."""
        self.record(Role.TRAINING, node, module, detail=state)
        for address in self.with_parts(module):
            self.state.write((address, TRAINING), state)

    def with_parts(self, module: Value, registered: bool = False) -> set[int]:
        """The addresses of a module and of the modules it holds; `registered`: only those that its parameters() go through."""
        seen: set[int] = set()
        rest = list(module.refs)
        while rest:
            address = rest.pop()
            if address in seen:
                continue
            seen.add(address)
            self.spend(1 + len(self.fields.get(address, ())))
            names: list[object] = [*self.fields.get(address, ()), ITEMS]
            for name in names:
                slot = self.state.store.get((address, name))
                if isinstance(slot, Value) and slot.kind & (Kind.MODULE | Kind.CONTAINER | Kind.UNKNOWN | Kind.TENSOR):
                    if registered and (slot.kind == Kind.CONTAINER or slot.kind == Kind.TENSOR and not slot.refs & self.trace.wrapped):
                        continue
                    rest += slot.refs if len(slot.refs) < 20 else ()
        return seen

    # -- calls ------------------------------------------------------------------------------------------------------------------------

    def call_module(self, module: Value, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """module(*args): the forward of a class of the file, or what the library's class does."""
        results: list[Value] = []
        self.trace.called |= module.refs
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Call):
            self.trace.at_once |= module.refs
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
        self.run_hooks(module, args, out, node)
        if self.may_hold_parameters(module):
            self.record_forward(module, out, [*args, *keywords.values()], node)
        return out

    def run_hooks(self, module: Value, args: list[Value], out: Value, node: ast.expr) -> None:
        """Forward hooks see what goes in and out."""
        for address in module.refs:
            hook = self.state.store.get((address, HOOK))
            if isinstance(hook, Value):
                self.call(hook, [module, self.row(node, args), out], {}, node)

    def record_forward(self, callee: Value, result: Value, given: list[Value], node: ast.expr) -> None:
        """Record the outermost call of a module (or of what may be one)."""
        if self.forward_depth == 0:
            self.note_fickle(callee)
            parts = [v for v in self.inside(result) if v.kind & (Kind.TENSOR | Kind.UNKNOWN)]
            output = join_all(parts) if parts else result
            self.record(Role.FORWARD, node, output, callee, tuple(self.open(given)), self.training_state(callee))

    def children(self, address: int) -> list[Value]:
        """The modules of an nn.Sequential that was built from a display, in order."""
        slot = self.state.store.get((address, CHAIN))
        if not isinstance(slot, Value) or not isinstance(slot.const, int):
            return []
        found = [self.state.store.get((address, ("item", "int", i))) for i in range(slot.const)]
        return [v for v in found if isinstance(v, Value)]

    def call_chain(self, address: int, args: list[Value], node: ast.expr) -> Value:
        """Sequential: each child in turn. One built in a loop around what an earlier round built holds itself: the inner call is unknown."""
        out = args[0] if args else OTHER
        if address in self.chaining:
            return self.derive([out, self.unknown(node, [out])], node)
        self.chaining.add(address)
        for index, child in enumerate(self.children(address)):
            at = self.link(node, index)
            kind = child.kind & (Kind.MODULE | Kind.OBJECT)
            out = self.call_module(child, [out], {}, at) if kind else self.derive([out, self.unknown(at, [out], child)], at)
        self.chaining.discard(address)
        return out

    def link(self, node: ast.expr, index: int) -> ast.expr:
        """A stand-in for a call of a chain: the place where one of its children makes its result."""
        known = self.links.get((id(node), index))
        if known is None:
            known = self.links[id(node), index] = ast.copy_location(copy.copy(node), node)
        return known

    def call_library_module(self, module: Value, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """What a torch.nn class (or an unknown module) makes of its arguments."""
        if self.forward_depth > 1 and any("Dropout" in n for n in module.names):
            self.note_dropout_layer(module, node)
        operands = self.open([*args, *keywords.values()])
        if module.names == {"torch.nn.Identity"} and args:
            return args[0]
        last = {n.rpartition(".")[2] for n in module.names if n.startswith("torch.nn.")}
        root = self.module_result(module, operands, node, bool(last))
        if len(last) == 1:
            self.how.update(dict.fromkeys(root.refs, next(iter(last))))
            if next(iter(last)).endswith("Loss") and all(averages(self.trace.sites[a].node) for a in module.refs):
                self.losses |= root.refs
        if last & objects.RECURRENT:
            state: Value = self.derive([root], node, "state")
            if "LSTM" in last:
                state = self.pair(node, state, self.derive([root], node, "cell"))
            return self.pair(node, root, state)
        return self.pair(node, root, self.derive([root], node, "second")) if last & objects.PAIRED else root

    def module_result(self, module: Value, operands: list[Value], node: ast.expr, known: bool) -> Value:
        """The tensor a module gives: live by its parameters, or by what it is given."""
        plain = self.derive(operands, node)
        if plain.kind != Kind.TENSOR:
            plain = plain._replace(kind=Kind.TENSOR)
        if not self.may_hold_parameters(module) or self.mode == Grad.CUT:
            return plain._replace(carried=self._indirect(plain))
        frozen = self.freeze_state(module)
        if frozen == FROZEN:
            self.trace.frozen |= plain.refs
            return plain._replace(carried=self._indirect(plain))
        if known and self.trace.inferred:
            self.note_meeting(operands, True, node)
        token = self.token(node, "module", None if known else module)
        self.state.delete((token, NOW))
        self.note_made(token, node, operands, Grad.LIVE if known and self.mode == Grad.LIVE else Grad.UNKNOWN)
        own = frozenset((token,))
        self.parameters[token] = self.parameters.get(token, EMPTY) | module.refs
        if self.lent:
            self.parameters[token] |= frozenset(o for m in module.refs for o in self.lent.get(m, EMPTY))
        grad = Grad.LIVE if known and self.mode == Grad.LIVE else Grad.UNKNOWN
        if frozen & FROZEN or self.mode & Grad.CUT:
            grad |= Grad.CUT
        if plain.grad == Grad.LIVE:
            grad = Grad.LIVE
        grad |= plain.grad & Grad.LIVE
        kind, leaf = Kind.TENSOR if known else Kind.UNKNOWN, Leaf.NONLEAF | (Leaf.LEAF if grad & Grad.CUT else 0)
        return Value(
            kind, grad, leaf, DType.FLOAT if known else 0, own, own | plain.history, own | plain.reach, self._indirect(plain)
        )

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
