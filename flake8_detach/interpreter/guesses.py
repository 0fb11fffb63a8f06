"""Methods of values of which only the name of the method, or of the receiver, says anything.

Here: evidence by use (`x.eval()`, `x.parameters()`), optimizers and tensors by the names of their methods, sinks by habit. In doubt the result
is unknown and what was given has left the file.
"""

from __future__ import annotations

import ast
from typing import Final

from flake8_detach.knowledge import idioms, objects, operations, operators, sinks
from flake8_detach.knowledge.operations import Effect
from flake8_detach.trace import Role
from flake8_detach.value import (
    NONE,
    NUMBER,
    OTHER,
    Kind,
    Value,
    constant,
)

from .collections import CONTAINER_ADDS, Collections
from .state import ITEMS
from .updates import CLIPS

EVIDENCE: Final = frozenset("parameters named_parameters eval train named_modules".split())

TENSOR_LIKE: Final = frozenset(
    "mean sum max min abs norm pow sqrt log exp reshape flatten transpose dot std var prod cumsum repeat clip round clone t mm mul add sub div"
    " index_select masked_select topk sort copy_ add_ mul_ sub_ div_ zero_ fill_ clamp_ where scatter type_as expand_as view_as logit"
    " square item tile roll flip diag trace tril triu amax amin cross".split()
)


class Guesses(Collections):
    """Evaluates methods of unknown receivers."""

    def note_module(self, receiver: Value, name: str, node: ast.Call) -> None:
        """A method that only modules have; train() and eval() don't say that this one has parameters, unless its name says what it is."""
        spelled = self.idiom(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if name not in ("train", "eval") or idioms.is_model(spelled) and spelled != "module":
            self.trace.declared -= receiver.refs
        else:
            self.trace.declared |= receiver.refs - self.trace.modules
        self.trace.modules |= receiver.refs

    def unknown_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """x.name(...) where only the name of the method, or of x, says anything."""
        if name == "save_for_backward":
            self.trace.tensors |= {t for a in args for t in a.refs}
        if name in EVIDENCE:
            self.note_module(receiver, name, node)
        if name == "load_state_dict":
            self.restore(receiver, args, node)
            if isinstance(node.func, ast.Attribute) and idioms.MODELS.match(self.idiom(node.func.value)):
                self.trace.modules |= receiver.refs
        if receiver.kind & Kind.OBJECT and objects.LIGHTNING_BASES & receiver.names:
            return self.foreign_method(receiver, name, args, keywords, node)
        spelled = self.idiom(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if name in ("backward", "manual_backward", "backward_step"):
            if args and not idioms.ENGINES.match(spelled):
                self.back_propagated(args)
            elif len(node.args) <= operations.BACKWARD_TAKES:
                self.backward(args[0] if args else receiver, node, keywords)
            return NONE
        if name in ("step", "zero_grad"):
            return self.training_step(receiver, name, spelled, args, node)
        if name in ("train", "eval") and not args and (not receiver.kind & Kind.OBJECT or self.may_be_module(receiver)):
            return self.switch_training(receiver, name, args, keywords, node)
        if name in ("parameters", "named_parameters") and not args:
            return self.parameters_of(receiver, name, node)
        if name == "state_dict":
            return self.state_dict(receiver, keywords, node)
        if name == "scale" and len(args) == 1 and idioms.SCALERS.match(spelled):
            return self.scale(receiver, self.derive(self.open(args), node), node)
        if name == "unscale_" and args:
            self.record(Role.UNSCALE, node, args[0], receiver)
            return NONE
        if name == "scale_loss" and args:  # apex.amp
            return self.derive(args[:1], node)
        if name == "prepare" and args:
            return args[0] if len(args) == 1 else self.row(node, args)
        if name in operations.CONVERSIONS and not receiver.kind & Kind.OBJECT:
            if name == "cpu" and receiver.refs and receiver.refs <= self.trace.given.keys():
                self.trace.tensors |= receiver.refs
            return receiver
        if name == "requires_grad_":
            flag = (args or [keywords.get("requires_grad", constant(True))])[0]
            self.freeze_by_flag(receiver, flag)
            known = flag.const is False or bool(receiver.refs & self.trace.modules)
            return receiver if known else self.set_requires_grad(receiver, flag, node)
        sink = sinks.of_receiver(spelled, name) or sinks.of_method(None, name)
        if sink is None:
            return self.guessed_method(receiver, name, args, keywords, node)
        self.reach_sink(sink, args, keywords, node)
        return Value(Kind.OTHER)

    def training_step(self, receiver: Value, name: str, spelled: str, args: list[Value], node: ast.Call) -> Value:
        """step and zero_grad of what is called like an optimizer, or of a module."""
        if name == "zero_grad":
            self.clear(receiver, node)
            return NONE
        if receiver.kind & Kind.OBJECT and self.is_scheduler(receiver):
            self.scheduled(receiver, args, {}, node)
            return NONE
        result = self.call(args[0], [], {}, node) if args and args[0].kind & Kind.FUNCTION else None
        if idioms.OPTIMIZERS.match(spelled) and "sched" not in spelled.lower():
            self.stepped(receiver, node)
            return result or NONE
        if (
            args
            and args[0].kind & Kind.OPTIMIZER
            or (args and isinstance(node.args[0], ast.Name) and idioms.OPTIMIZERS.match(node.args[0].id))
        ):
            self.stepped(args[0], node, receiver)
            return NONE
        return self.guessed_method(receiver, name, args, {}, node)

    def guessed_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Tensor methods by name; container methods by name; anything else is code that the file does not show."""
        given = [*args, *keywords.values()]
        if self.is_part(receiver, name) or (len(args) > 1 and idioms.is_criterion(name)):
            return self.call(self.attribute(receiver, name, node.func), args, keywords, node)
        if receiver.reach or not receiver.kind & Kind.OBJECT:
            if name == "numpy" and not args:
                return self.to_numpy(receiver, keywords, node)
            if name in operations.TENSOR_ONLY or operations.of_method(name) or (name in TENSOR_LIKE and not receiver.kind & Kind.OBJECT):
                return self.guessed_tensor(receiver, name, args, keywords, node)
        if name == "put" and args and self.in_process():
            self.note_send(args[:1], node)
            return NONE
        if name in CONTAINER_ADDS and name != "put" and len(args) == 1 or name in ("extend", "items", "values", "keys", "popleft", "setdefault"):
            return self.container_method(receiver._replace(kind=receiver.kind | Kind.CONTAINER), name, args, keywords, node)
        if name == "update" and args and args[0].kind & Kind.CONTAINER and self.born_here(receiver):
            self.extend(receiver, args, keywords, node)
        if name in ("pop", "get") and not receiver.kind & Kind.OBJECT:
            self.escape(given)
            return self.element(receiver, args[0] if args else NUMBER, node)
        if name in CLIPS:
            self.consume_all(args[:1], node)
        if idioms.FREEZES.search(name):
            self.trace.perhaps_frozen |= receiver.refs
        operands = self.open(given)
        result = self.unknown(node, [receiver, *operands], receiver if name == "forward" else None)
        if (idioms.FORWARDS.match(name) and given) or name == "forward":
            self.record_method(receiver, name, result, given, node)
        self.give_away(operands, node, name)
        return result

    def is_part(self, receiver: Value, name: str) -> bool:
        """Whether `x.name(...)` calls no method but a network that x holds: by what else is done to it, or by its name."""
        if idioms.is_model(name):
            return True
        parts = (self._tokens.get((-a, 0, name)) for a in receiver.refs)
        return any(p in self.trace.modules for p in parts if p is not None)

    def may_be_module(self, receiver: Value) -> bool:
        """Whether an object's class has a `forward`, and a base that the file does not show."""
        classes = [self.instances.get(a) for a in receiver.refs]
        return bool(classes) and all(c is not None and c.unknown_base and self.find(c, "forward") is not None for c in classes)

    def in_process(self) -> bool:
        """Whether a method of a process of its own runs: a queue it was given leads to another one."""
        owner = self.here.function.owner if self.here.function is not None else None
        return owner is not None and any(n.endswith("multiprocessing.Process") for c in owner.mro() for n in c.library)

    def born_here(self, receiver: Value) -> bool:
        return any((a, ITEMS) in self.state.store for a in receiver.refs)

    def guessed_tensor(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A method that tensors have, on something unknown: whatever it is, the result inherits what is pending."""
        if name in ("sort", "mode", "data", "index_fill") or name.endswith("_") and not operators.is_inplace(name):
            return self.unknown(node, [receiver]) if name != "sort" else OTHER
        if name in operations.TENSOR_ONLY:
            self.trace.tensors |= receiver.refs
        out = self.tensor_method(receiver, name, args, keywords, node)
        effect = operations.of_method(name)
        if effect in (Effect.NUMBER, Effect.NUMBERS, Effect.ARRAY, Effect.PAIR, Effect.ROW, Effect.SPLIT, Effect.SEVERAL):
            return out
        return out._replace(kind=out.kind | Kind.UNKNOWN) if name not in operations.TENSOR_ONLY else out._replace(kind=Kind.TENSOR)
