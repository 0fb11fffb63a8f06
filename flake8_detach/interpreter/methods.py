"""Method calls: `x.name(...)` by what x is.

Here: methods of tensors, modules, optimizers, containers, objects of the file, library objects, and of values of which only the name of the
method says anything. Not here: calls of names (calls).
"""
from __future__ import annotations

import ast
from typing import Final

from flake8_detach.knowledge import idioms, objects, operations, sinks
from flake8_detach.knowledge.operations import Effect
from flake8_detach.trace import Role
from flake8_detach.value import EMPTY, NONE, NUMBER, OTHER, TEXT, DType, Grad, Kind, Leaf, Training, Value, constant, join, join_all

from .builtins import Builtins
from .state import ITEMS, NOW
from .objects import FROZEN, TRAINABLE

MODULE_METHODS: Final = frozenset(
    "parameters named_parameters buffers named_buffers children named_children modules named_modules train eval to cuda cpu half float double"
    " bfloat16 state_dict load_state_dict zero_grad requires_grad_ register_buffer register_parameter add_module register_module apply"
    " share_memory type register_forward_hook register_backward_hook register_full_backward_hook register_forward_pre_hook get_submodule"
    " extra_repr compile save_pretrained push_to_hub get_parameter to_empty ipu xpu named_modules".split()
)
CONTAINER_ADDS: Final = frozenset("append appendleft add put push".split())
EVIDENCE: Final = frozenset("parameters named_parameters eval train load_state_dict named_modules zero_grad".split())


class Methods(Builtins):
    """Evaluates method calls."""

    def call_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        if "builtins.super" in receiver.names:
            return self.call_super(receiver, name, args, keywords, node)
        own = self.own_method(receiver, name, args, keywords, node)
        if own is not None:
            return own
        if receiver.names:
            made = self.sink_method(receiver, name, args, keywords, node)
            if made is not None:
                return made
        kind = receiver.kind
        if kind & Kind.TENSOR and not kind & Kind.MODULE:
            return self.tensor_method(receiver, name, args, keywords, node)
        if kind & Kind.MODULE:
            return self.module_method(receiver, name, args, keywords, node)
        if kind & Kind.OPTIMIZER:
            return self.optimizer_method(receiver, name, args, keywords, node)
        if kind & Kind.CONTAINER:
            return self.container_method(receiver, name, args, keywords, node)
        if kind & Kind.SCALER:
            return self.scaler_method(receiver, name, args, keywords, node)
        if kind & Kind.SCHEDULER:
            return OTHER
        if kind & Kind.CLASS and receiver.refs:
            return self.call(self.class_attribute(receiver, name, node), args, keywords, node)
        if kind & Kind.TEXT and not kind & Kind.UNKNOWN:
            return self.text_method(name, args, keywords, node)
        if "torch.distributions.Distribution" in receiver.names:
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

    def call_super(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
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
        if name == "__init__":
            if function.owner.unknown_base:
                self.escape([*args, *keywords.values()])
            return NONE
        if name == "forward" and any(objects.has_parameters(n) for n in function.owner.library):
            return self.module_result(this, self.open(args, node), node, True)
        return self.unknown(node, [*args, *keywords.values()])

    def sink_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value | None:
        """A sink among the methods of a library object, or one that makes another such object."""
        for owner in receiver.names:
            sink = sinks.of_method(owner, name)
            if sink is not None:
                self.reach_sink(sink, args, keywords, node)
            made = sinks.class_of(f"{owner}.{name}")
            if made is not None:
                return self.library_object(made, args, keywords, node)
            if sink is not None and receiver.kind & Kind.OBJECT and not any(a in self.instances for a in receiver.refs):
                return OTHER
        return None

    # -- tensors ----------------------------------------------------------------------------------------------------------------------------
    def tensor_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A method of a tensor, by the table of exceptions, else DERIVE."""
        given = self.open([*args, *keywords.values()], node)
        if name == "backward":
            self.backward(receiver, node, keywords)
            return NONE
        if name == "requires_grad_":
            flag = (args or [keywords.get("requires_grad", constant(True))])[0]
            return self.set_requires_grad(receiver, flag, node)
        if name == "numpy":
            return self.to_numpy(receiver, keywords, node)
        if name in ("detach_",):
            return self.rewritten(receiver, self.detach(receiver, node), node)
        if name in ("new_tensor", "new_zeros", "new_ones", "new_full", "new_empty", "new"):
            return self.created(name, Effect.FRESH, [], keywords, node)
        if name in ("apply_", "map_"):
            return receiver
        effect = operations.METHODS.get(name)
        if effect is None and name in operations.REDUCE_TO_PAIR and (args[:1] and args[0].kind == Kind.NUMBER or "dim" in keywords):
            effect = Effect.PAIR
        if effect is None and name in ("type", "to", "astype") and self.to_integer(args, keywords, receiver):
            effect = Effect.INTEGER
        if effect is None and name == "type" and not args:
            return TEXT
        if effect is None and name.endswith("_") and not name.endswith("__"):
            return self.write_in_place(receiver, given, name, node)
        if effect is None and name in operations.CONVERSIONS:
            return self.view(receiver, node)._replace(dtype=receiver.dtype if name not in ("float", "double", "half") else DType.FLOAT)
        if effect == Effect.DETACH:
            return self.detach(receiver, node)
        if effect is None and name in ("t", "view", "reshape", "squeeze", "unsqueeze", "transpose", "permute", "expand", "flatten", "narrow"):
            return self.view(receiver, node)
        operands = [receiver, *given] if effect in (None, Effect.PAIR, Effect.SPLIT, Effect.DERIVE) else [receiver]
        out = self.effect(effect or Effect.DERIVE, operands, node)
        return out._replace(kind=receiver.kind & (Kind.TENSOR | Kind.UNKNOWN)) if (effect or Effect.DERIVE) == Effect.DERIVE else out

    @staticmethod
    def to_integer(args: list[Value], keywords: dict[str, Value], receiver: Value) -> bool:
        """`.to(torch.long)`, `.type(torch.LongTensor)`."""
        names = {n for v in [*args[:1], *(keywords[k] for k in ("dtype",) if k in keywords)] for n in v.names}
        last = {n.rpartition(".")[2] for n in names}
        return bool(last & {"long", "int", "int64", "int32", "bool", "uint8", "LongTensor", "IntTensor", "ByteTensor", "BoolTensor", "int16", "int8"})

    def write_in_place(self, receiver: Value, given: list[Value], name: str, node: ast.AST) -> Value:
        """x.add_(y): x becomes live when y is, outside no_grad; x itself is returned."""
        if self.mode == Grad.CUT:
            return receiver
        reads_old = name not in ("copy_", "fill_", "zero_", "set_")
        if name in ("zero_", "fill_", "normal_", "uniform_", "random_", "bernoulli_", "exponential_") and not given:
            return receiver
        if given and not any(v.grad & (Grad.LIVE | Grad.UNKNOWN) for v in given):
            return receiver
        operands = [receiver, *given] if reads_old else [*given]
        new = self.derive(operands, node) if operands else self.plain(node)
        if receiver.grad == Grad.LIVE and receiver.leaf == Leaf.LEAF:
            return receiver
        return self.overwrite(receiver, new, node)

    def rewritten(self, receiver: Value, new: Value, node: ast.AST) -> Value:
        """The tensor object itself changes its history (detach_, requires_grad_)."""
        out = new._replace(refs=receiver.refs)
        for address in receiver.refs:
            self.state.write((address, NOW), out if len(receiver.refs) == 1 else join(out, receiver))
        return out

    def set_requires_grad(self, target: Value, flag: Value, node: ast.AST) -> Value:
        """x.requires_grad_(flag) or x.requires_grad = flag on a tensor."""
        modules = frozenset(m for t in target.refs for m in self.parameters.get(t, EMPTY))
        if modules and target.leaf == Leaf.LEAF:
            self.freeze_by_flag(Value(Kind.MODULE, refs=modules), flag)
        if flag.const is True:
            if target.grad & (Grad.LIVE | Grad.UNKNOWN):
                return self.rewritten(target, target._replace(grad=target.grad | Grad.LIVE), node)
            leaf = self.leaf(node, [target])
            return self.rewritten(target, leaf._replace(reach=leaf.reach | target.reach, history=leaf.history | target.history), node)
        if flag.const is False:
            return self.rewritten(target, target._replace(grad=Grad.CUT, history=EMPTY), node)
        return self.rewritten(target, target._replace(grad=target.grad | Grad.UNKNOWN | Grad.CUT), node)

    def freeze_by_flag(self, module: Value, flag: Value) -> None:
        frozen = FROZEN if flag.const is False else TRAINABLE if flag.const is True else FROZEN | TRAINABLE
        self.freeze(module, frozen)

    def to_numpy(self, receiver: Value, keywords: dict[str, Value], node: ast.Call) -> Value:
        """x.numpy(): raises for a live tensor while grad mode is on, unless force=True."""
        force = keywords.get("force")
        if force is None or force.const is False:
            self.record(Role.NUMPY, node, receiver)
        return Value(Kind.ARRAY, reach=receiver.reach)

    # -- modules ----------------------------------------------------------------------------------------------------------------------------
    def module_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A method that every nn.Module has; others are code that the file does not show."""
        if name in ("train", "eval"):
            return self.switch_training(receiver, name, args, keywords, node)
        if name in ("parameters", "named_parameters"):
            return self.parameters_of(receiver, name, node)
        if name in ("to", "cuda", "cpu", "half", "float", "double", "bfloat16", "type", "share_memory", "apply", "xpu", "to_empty", "compile"):
            return receiver
        if name == "forward":
            return self.call_module(receiver, args, keywords, node)
        if name == "requires_grad_":
            self.freeze_by_flag(receiver, (args or [keywords.get("requires_grad", constant(True))])[0])
            return receiver
        if name == "zero_grad":
            self.record(Role.CLEAR, node, receiver)
            return NONE
        if name == "state_dict":
            return self.state_dict(receiver, keywords, node)
        if name in ("register_buffer", "register_parameter", "add_module", "register_module"):
            if len(args) > 1 and isinstance(args[0].const, str):
                self.write_attribute(receiver, args[0].const, args[1], node)
            return NONE
        if name in ("children", "modules", "named_children", "named_modules"):
            return self.parts_of(receiver, name, node)
        if receiver.kind & Kind.CONTAINER:
            return self.container_method(receiver, name, args, keywords, node)
        if name in MODULE_METHODS:
            return OTHER
        return self.foreign_method(receiver, name, args, keywords, node)

    def foreign_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A method of a module (or object) that the file does not show."""
        given = [*args, *keywords.values()]
        operands = self.open(given, node)
        result = self.unknown(node, operands)
        if objects.LIGHTNING_BASES & receiver.names and name in ("log", "log_dict", "print", "manual_backward"):
            self.lightning_method(name, given, node, keywords)
            return NONE
        if (idioms.FORWARDS.match(name) and given) or name == "forward":
            self.record_forward(receiver, result, given, node)
        self.give_away(operands, node, name)
        return result

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
        return self.tuple_of(node, item, None)

    def parts_of(self, receiver: Value, name: str, node: ast.Call) -> Value:
        """children() and modules(): the module's parts, as one module that may be any of them."""
        refs = frozenset(self.with_parts(receiver)) if len(receiver.refs) < 4 else receiver.refs
        part = Value(Kind.MODULE | Kind.UNKNOWN, refs=frozenset(r for r in refs if r not in receiver.refs) or receiver.refs)
        return self.tuple_of(node, self.pair(node, TEXT, part) if name.startswith("named") else part, None)

    def state_dict(self, receiver: Value, keywords: dict[str, Value], node: ast.Call) -> Value:
        """state_dict(): detached values, unless keep_vars=True."""
        keep = keywords.get("keep_vars")
        if keep is not None and keep.const is not False:
            return self.tuple_of(node, self.parameter(receiver, "state", node), None)
        item = self.plain(node)._replace(names=frozenset(("state_dict",)))
        address, out = self.container(node, "state_dict")
        self.mappings.add(address)
        self.state.write((address, ITEMS), item)
        return out._replace(names=frozenset(("state_dict",)))

    # -- optimizers, scalers -----------------------------------------------------------------------------------------------------------------
    def optimizer_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """step, zero_grad ... of an optimizer."""
        if name == "step":
            result = self.call(args[0], [], {}, node) if args and args[0].kind & Kind.FUNCTION else NONE
            self.record(Role.STEP, node, receiver)
            return result
        if name == "zero_grad":
            self.record(Role.CLEAR, node, receiver)
            return NONE
        if name == "backward" and args:
            self.backward(args[0], node, keywords)
            return NONE
        if name == "add_param_group" and args:
            for value in self.open(args, node):
                held = value.refs | frozenset(m for t in value.refs for m in self.parameters.get(t, EMPTY))
                for token in receiver.refs:
                    self.optimized[token] = self.optimized.get(token, EMPTY) | held
            return NONE
        return OTHER

    def scaler_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """GradScaler: scale gives the loss back, step steps the optimizer."""
        if name == "scale" and args:
            return self.derive(args, node)
        if name == "step" and args:
            self.record(Role.STEP, node, args[0])
        return NONE

    # -- containers, text ----------------------------------------------------------------------------------------------------------------------
    def container_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Methods of list, dict, set and deque."""
        if name in CONTAINER_ADDS and args:
            self.store_item(receiver, None, args[-1], node)
            return NONE
        if name == "insert" and len(args) > 1:
            self.store_item(receiver, None, args[1], node)
            return NONE
        if name in ("extend", "update", "extendleft", "__iadd__"):
            self.extend(receiver, args, keywords, node)
            return NONE
        if name in ("items", "values", "keys", "pop", "popleft", "get", "setdefault", "copy", "popitem"):
            return self.read_container(receiver, name, args, node)
        if name == "clear":
            for address in receiver.refs:
                self.state.delete((address, ITEMS))
                for key in self.item_keys.get(address, ()):
                    self.state.delete((address, key))
            return NONE
        if name in ("index", "count", "__len__"):
            return NUMBER
        if receiver.kind & Kind.UNKNOWN:
            return self.unknown_method(receiver, name, args, keywords, node)
        return OTHER

    def extend(self, receiver: Value, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> None:
        """list.extend(xs), dict.update(d, k=v)."""
        for value in args:
            if value.kind & (Kind.CONTAINER | Kind.UNKNOWN | Kind.OBJECT) and self.pairs_known(value):
                for key, item in self.pairs(value, node):
                    self.store_item(receiver, key if isinstance(key.const, str) else None, item, node)
            else:
                self.store_item(receiver, None, self.contents(value, node), node)
        for name, item in keywords.items():
            if any(a in self.instances for a in receiver.refs):  # self.__dict__.update(...)
                for address in receiver.refs:
                    self.set_field(address, name, item)
            else:
                self.store_item(receiver, constant(name), item, node)

    def pairs_known(self, value: Value) -> bool:
        return any(self.item_keys.get(a) for a in value.refs) or any(self.fields.get(a) for a in value.refs if a in self.instances)

    def read_container(self, receiver: Value, name: str, args: list[Value], node: ast.Call) -> Value:
        """What dict and list methods take out."""
        if name == "items":
            pairs = self.pairs(receiver, node)
            key = pairs[0][0] if len(pairs) == 1 else TEXT
            return self.tuple_of(node, self.pair(node, key, join_all([v for _, v in pairs])), None)
        if name == "values":
            found = [v for _, v in self.pairs(receiver, node)]
            return self.row(node, found) if len(found) > 1 else self.tuple_of(node, join_all(found), None)
        if name == "keys":
            return self.tuple_of(node, TEXT, None)
        if name == "copy":
            return self.copied(receiver, node)
        if name in ("get", "setdefault") and args:
            return self.looked_up(receiver, name, args, node)
        key = args[0] if args and name == "pop" else NUMBER
        return self.element(receiver, key, node)

    def looked_up(self, receiver: Value, name: str, args: list[Value], node: ast.Call) -> Value:
        """dict.get(k, default), dict.setdefault(k, default)."""
        default = args[1] if len(args) > 1 else NONE
        if name == "setdefault":
            for address in receiver.refs:
                self.put(address, args[0], default)
            self.mappings |= receiver.refs if not receiver.kind & Kind.UNKNOWN else set()
            for inner in default.refs if default.kind & Kind.CONTAINER else ():
                self.born[inner] = tuple(t for t in self.born[inner] if any(t in self.born[a] for a in receiver.refs))
            return self.element(receiver, args[0], node)
        found = self.element(receiver, args[0], node)
        return join(found, default) if found.kind != Kind.OTHER else default

    def text_method(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """str.format of a 0-dim tensor shows the number."""
        if name in ("split", "splitlines"):
            return self.tuple_of(node, TEXT, None)
        return TEXT if name not in ("count", "find", "index", "startswith", "endswith", "isdigit") else NUMBER

    def distribution_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """rsample, log_prob, entropy carry the parameters' history; sample runs under no_grad."""
        as_tensor = receiver._replace(kind=Kind.TENSOR, names=frozenset())
        if name in objects.DIFFERENTIABLE_SAMPLES:
            return self.derive([as_tensor, *self.open(args, node)], node)
        return self.plain(node, [as_tensor])

    # -- unknown receivers ----------------------------------------------------------------------------------------------------------------------
    def unknown_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """x.name(...) where only the name of the method, or of x, says anything."""
        if name in EVIDENCE:
            self.trace.modules |= receiver.refs
        if receiver.kind & Kind.OBJECT and objects.LIGHTNING_BASES & receiver.names:
            return self.foreign_method(receiver, name, args, keywords, node)
        spelled = self.idiom(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if name in ("backward", "manual_backward", "backward_step"):
            if args and not idioms.ENGINES.match(spelled):
                self.back_propagated(args)
            else:
                self.backward(args[0] if args else receiver, node, keywords)
            return NONE
        if name in ("step", "zero_grad"):
            return self.training_step(receiver, name, spelled, args, node)
        if name in ("train", "eval") and not args and not receiver.kind & Kind.OBJECT:
            return self.switch_training(receiver, name, args, keywords, node)
        if name in ("parameters", "named_parameters") and not args:
            return self.parameters_of(receiver, name, node)
        if name == "state_dict":
            return self.state_dict(receiver, keywords, node)
        if name == "scale_loss" and args:  # apex.amp
            return self.derive(args[:1], node)
        if name == "prepare" and args:
            return args[0] if len(args) == 1 else self.row(node, args)
        if name in operations.CONVERSIONS and not receiver.kind & Kind.OBJECT:
            return receiver
        if name == "requires_grad_":
            flag = (args or [keywords.get("requires_grad", constant(True))])[0]
            self.freeze_by_flag(receiver, flag)
            return self.set_requires_grad(receiver, flag, node) if flag.const is not False else receiver
        sink = sinks.of_receiver(spelled, name) or sinks.of_method(None, name)
        if sink is None:
            return self.guessed_method(receiver, name, args, keywords, node)
        self.reach_sink(sink, args, keywords, node)
        return Value(Kind.OTHER)

    def training_step(self, receiver: Value, name: str, spelled: str, args: list[Value], node: ast.Call) -> Value:
        """step and zero_grad of what is called like an optimizer, or of a module."""
        if name == "zero_grad":
            self.record(Role.CLEAR, node, receiver)
            return NONE
        result = self.call(args[0], [], {}, node) if args and args[0].kind & Kind.FUNCTION else None
        if idioms.OPTIMIZERS.match(spelled) and "sched" not in spelled.lower():
            self.record(Role.STEP, node, receiver)
            return result or NONE
        if args and args[0].kind & Kind.OPTIMIZER or (args and isinstance(node.args[0], ast.Name) and idioms.OPTIMIZERS.match(node.args[0].id)):
            self.record(Role.STEP, node, args[0])
            return NONE
        return self.guessed_method(receiver, name, args, {}, node)

    def guessed_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Tensor methods by name; container methods by name; anything else is code that the file does not show."""
        given = [*args, *keywords.values()]
        if receiver.reach or not receiver.kind & Kind.OBJECT:
            if name == "numpy" and not args:
                return self.to_numpy(receiver, keywords, node)
            if name in operations.METHODS or name in operations.TENSOR_ONLY or (name in TENSOR_LIKE and not receiver.kind & Kind.OBJECT):
                return self.guessed_tensor(receiver, name, args, keywords, node)
        if name in CONTAINER_ADDS and len(args) == 1 or name in ("extend", "items", "values", "keys", "popleft", "setdefault"):
            return self.container_method(receiver._replace(kind=receiver.kind | Kind.CONTAINER), name, args, keywords, node)
        if name == "update" and args and args[0].kind & Kind.CONTAINER and self.born_here(receiver):
            self.extend(receiver, args, keywords, node)
        if name in ("pop", "get") and not receiver.kind & Kind.OBJECT:
            self.escape(given)
            return self.element(receiver, args[0] if args else NUMBER, node)
        operands = self.open(given, node)
        result = self.unknown(node, [receiver, *operands])
        if (idioms.FORWARDS.match(name) and given) or name == "forward":
            self.record_forward(receiver, result, given, node)
        self.give_away(operands, node, name)
        return result

    def born_here(self, receiver: Value) -> bool:
        return any((a, ITEMS) in self.state.store for a in receiver.refs)

    def guessed_tensor(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A method that tensors have, on something unknown: whatever it is, the result inherits what is pending."""
        if name in ("sort", "mode", "data", "index_fill") or name.endswith("_") and name not in operations.INPLACE_NAMES:
            return self.unknown(node, [receiver]) if name != "sort" else OTHER
        out = self.tensor_method(receiver, name, args, keywords, node)
        effect = operations.METHODS.get(name)
        if effect in (Effect.NUMBER, Effect.NUMBERS, Effect.ARRAY, Effect.PAIR, Effect.SPLIT):
            return out
        return out._replace(kind=out.kind | Kind.UNKNOWN) if name not in operations.TENSOR_ONLY else out._replace(kind=Kind.TENSOR)

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

    def enter(self, manager: Value, node: ast.AST) -> None:
        """Enter a context manager (statements)."""
        raise NotImplementedError


TENSOR_LIKE: Final = frozenset(
    "mean sum max min abs norm pow sqrt log exp reshape flatten transpose dot std var prod cumsum repeat clip round clone t mm mul add sub div"
    " index_select masked_select topk sort copy_ add_ mul_ sub_ div_ zero_ fill_ clamp_ where scatter type_as expand_as view_as logit"
    " square item tile roll flip diag trace tril triu amax amin cross".split()
)
__all__ = ["FROZEN", "Methods"]
