"""Methods of modules, optimizers and gradient scalers.

Here: what every nn.Module, Optimizer and GradScaler has. Not here: what a module is (modules).
"""

from __future__ import annotations

import ast
from typing import Final

from flake8_detach.knowledge import idioms, objects
from flake8_detach.trace import Role
from flake8_detach.value import (
    EMPTY,
    NONE,
    OTHER,
    TEXT,
    Kind,
    Training,
    Value,
    constant,
)

from .state import HOOK, ITEMS
from .tensors import Tensors

MODULE_METHODS: Final = frozenset(
    "parameters named_parameters buffers named_buffers children named_children modules named_modules train eval to cuda cpu half float double"
    " bfloat16 state_dict load_state_dict zero_grad requires_grad_ register_buffer register_parameter add_module register_module apply"
    " share_memory type register_forward_hook register_backward_hook register_full_backward_hook register_forward_pre_hook get_submodule"
    " extra_repr __setattr__ compile save_pretrained push_to_hub get_parameter to_empty ipu xpu named_modules".split()
)


class Networks(Tensors):
    """Evaluates methods of modules and of what trains them."""

    def module_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A method that every nn.Module has; others are code that the file does not show."""
        if name in ("train", "eval"):
            return self.switch_training(receiver, name, args, keywords, node)
        if name in ("parameters", "named_parameters"):
            return self.parameters_of(receiver, name, node)
        if name in (
            "to",
            "cuda",
            "cpu",
            "half",
            "float",
            "double",
            "bfloat16",
            "type",
            "share_memory",
            "apply",
            "xpu",
            "to_empty",
            "compile",
        ):
            self.note_narrow(receiver, name, args, keywords)
            return receiver
        if name == "forward":
            return self.call_module(receiver, args, keywords, node)
        if name == "requires_grad_":
            self.freeze_by_flag(receiver, (args or [keywords.get("requires_grad", constant(True))])[0])
            return receiver
        if name == "zero_grad":
            self.clear(receiver, node)
            return NONE
        if name == "state_dict":
            return self.state_dict(receiver, keywords, node)
        if name in ("register_buffer", "register_parameter", "add_module", "register_module"):
            self.trace.adopted |= frozenset(t for v in args[1:2] for t in v.refs)
            if len(args) > 1 and isinstance(args[0].const, str):
                self.write_attribute(receiver, args[0].const, args[1], node)
            return NONE
        if name == "register_forward_hook" and args and args[0].kind & Kind.FUNCTION:
            for address in receiver.refs:
                self.state.write((address, HOOK), args[0])
            return OTHER
        if name == "__setattr__" and len(args) > 1:
            return self.builtin_setattr([receiver, *args], {}, node)
        if name in ("children", "modules", "named_children", "named_modules"):
            return self.parts_of(receiver, name, node)
        if name == "load_state_dict":
            self.restore(receiver, args, node)
            return OTHER
        if receiver.kind & Kind.CONTAINER:
            return self.container_method(receiver, name, args, keywords, node)
        if name in MODULE_METHODS:
            return OTHER
        return self.foreign_method(receiver, name, args, keywords, node)

    def foreign_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A method of a module (or object) that the file does not show."""
        if name == "generate" and receiver.refs & self.trace.pretrained:
            return self.plain(node, (), True)  # it runs under no_grad
        if len(args) > 1 and idioms.is_criterion(name):
            return self.call(self.attribute(receiver, name, node.func), args, keywords, node)
        given = [*args, *keywords.values()]
        operands = self.open(given)
        result = self.unknown(node, operands)
        if objects.LIGHTNING_BASES & receiver.names and name in ("log", "log_dict", "print", "manual_backward"):
            self.lightning_method(name, given, node, keywords)
            return NONE
        if (idioms.FORWARDS.match(name) and given) or name == "forward":
            self.record_method(receiver, name, result, given, node)
        if idioms.FREEZES.search(name):
            self.trace.perhaps_frozen |= receiver.refs
        self.give_away(operands, node, name)
        return result

    def record_method(self, receiver: Value, name: str, result: Value, given: list[Value], node: ast.Call) -> None:
        """A method that runs a model by its name: whether it switches gradients off itself, the file does not show."""
        if name != "forward" and not idioms.MODELS.match(name):
            half = idioms.HALVES.match(name) and not any(v.kind & Kind.TEXT for v in self.inside(self.row(node, given)))
            own = self.training_state(receiver) == Training.EVAL or receiver.refs & self.trace.loaded or self.is_trained_part(receiver, name)
            if not half or not own:
                self.trace.unseen.add(id(node))
        self.record_forward(receiver, result, given, node)

    def is_trained_part(self, receiver: Value, name: str) -> bool:
        """Whether a method gives a part of the forward of a model that an optimizer of the file holds."""
        return idioms.PARTS.match(name) is not None and bool(self.holding(receiver.refs))

    def lightning_method(self, name: str, given: list[Value], node: ast.Call, keywords: dict[str, Value]) -> None:
        """LightningModule.log detaches by documentation; manual_backward back-propagates."""
        if name == "manual_backward" and given:
            self.backward(given[0], node, keywords)

    def switch_training(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """train(mode=True) and eval()."""
        flag = (args or [keywords.get("mode", constant(True))])[0] if name == "train" else constant(False)
        state = Training.TRAIN if flag.const is True else Training.EVAL if flag.const is False else Training.TRAIN | Training.EVAL
        self.set_training(receiver, state, node)
        return receiver

    def parameters_of(self, receiver: Value, name: str, node: ast.Call) -> Value:
        """model.parameters(): leaves that belong to the module."""
        item = self.parameter(receiver, "parameters", node)
        if name == "named_parameters":
            item = self.pair(node, TEXT, item)
        return self.one_shot(self.tuple_of(node, item, None))

    def parts_of(self, receiver: Value, name: str, node: ast.Call) -> Value:
        """children() and modules(): the module's parts, as one module that may be any of them."""
        refs = frozenset(self.with_parts(receiver)) if len(receiver.refs) < 4 else receiver.refs
        part = Value(Kind.MODULE | Kind.UNKNOWN, refs=frozenset(r for r in refs if r not in receiver.refs) or receiver.refs)
        return self.tuple_of(node, self.pair(node, TEXT, part) if name.startswith("named") else part, None)

    def state_dict(self, receiver: Value, keywords: dict[str, Value], node: ast.Call) -> Value:
        """state_dict(): detached values, unless keep_vars=True."""
        self.trace.dumped |= receiver.refs
        keep = keywords.get("keep_vars")
        if keep is not None and keep.const is not False:
            return self.tuple_of(node, self.parameter(receiver, "state", node), None)
        item = self.plain(node)._replace(names=frozenset(("state_dict",)))
        spelled = self.idiom(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if receiver.kind & Kind.MODULE or idioms.MODELS.match(spelled):
            self.take_snapshot(item, receiver)
        address, out = self.container(node, "state_dict")
        self.mappings.add(address)
        self.state.write((address, ITEMS), item)
        return out._replace(names=frozenset(("state_dict",)))

    # -- optimizers and scalers -------------------------------------------------------------------------------------------------------

    def optimizer_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """step, zero_grad ... of an optimizer."""
        if name == "step":
            result = self.call(args[0], [], {}, node) if args and args[0].kind & Kind.FUNCTION else NONE
            self.stepped(receiver, node)
            return result
        if name == "zero_grad":
            self.clear(receiver, node)
            return NONE
        if name == "backward" and args:
            self.backward(args[0], node, keywords)
            return NONE
        if name == "load_state_dict":
            self.trace.resumed |= receiver.refs
        if name == "add_param_group" and args:
            for value in self.open(args):
                held = value.refs | frozenset(m for t in value.refs for m in self.parameters.get(t, EMPTY))
                for token in receiver.refs:
                    self.hold(token, self.optimized.get(token, EMPTY) | held)
            return NONE
        return OTHER

    def scaler_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """GradScaler: scale gives the loss back, step steps the optimizer."""
        if name == "scale" and args:
            return self.scale(receiver, self.derive(self.open(args), node), node)
        if name == "step" and args:
            self.stepped(args[0], node, receiver)
        elif name == "unscale_" and args:
            self.record(Role.UNSCALE, node, args[0], receiver)
        return NONE
