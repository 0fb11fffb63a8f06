"""Methods of tensors.

Here: `x.name(...)` for a tensor x, writes in place, changes of requires_grad, `.numpy()`. Not here: torch functions (torch_calls).
"""

from __future__ import annotations

import ast

from flake8_detach.knowledge import objects, operations, operators, outputs
from flake8_detach.knowledge.operations import Effect
from flake8_detach.trace import Role
from flake8_detach.value import (
    EMPTY,
    NONE,
    OTHER,
    TEXT,
    DType,
    Grad,
    Kind,
    Leaf,
    Value,
    constant,
    join,
)

from .builtins import Builtins
from .modules import FROZEN, TRAINABLE
from .state import RETAINED


class Tensors(Builtins):
    """Evaluates methods of tensors."""

    def tensor_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """A method of a tensor, by the table of exceptions, else DERIVE."""
        given = self.operands([*args, *keywords.values()])
        if name in ("copy_", "add_", "lerp_") and receiver.refs & self.roots.keys():
            self.note_weights_copied(receiver, given)
        if name == "zero_" and self.gradient_of:
            self.clear_by_hand(receiver, node)
        if name == "backward":
            if len(node.args) <= operations.BACKWARD_TAKES:  # else of an extension or a custom Function, not of a tensor
                self.backward(receiver, node, keywords)
            return NONE
        if name == "requires_grad_":
            flag = (args or [keywords.get("requires_grad", constant(True))])[0]
            self.record(Role.FLAG, node, receiver, values=(flag,), detail=("method", name))
            return self.set_requires_grad(receiver, flag, node)
        if name == "retain_grad":
            for token in receiver.refs:
                self.state.write((token, RETAINED), 1)
        if name == "numpy":
            return self.to_numpy(receiver, keywords, node)
        if name == "detach_":
            return receiver if self.inferring or EMPTY < receiver.refs <= self.trace.inferred else self.detach_itself(receiver, node)
        if name == "is_inference":
            self.trace.asked |= receiver.refs
        if name == "new_tensor" and args:
            self.note_rebuild(name, args[0], node)
        if name in ("new_tensor", "new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided", "new"):
            out = self.created(name, Effect.FRESH, [], keywords, node)
            return out._replace(dtype=receiver.dtype) if "dtype" not in keywords and out.grad == Grad.CUT else out
        if name in ("apply_", "map_"):
            return receiver
        if name == "keys" and not given:  # a tensor has none: this is a mapping after all
            return self.tuple_of(node, TEXT, None)
        if name == "copy":  # nor can it copy: an array, or a container
            return self.unknown(node, [receiver])
        effect = operations.of_method(name)
        if effect is None and operators.may_return_pair(name) and (args[:1] and args[0].kind == Kind.NUMBER or "dim" in keywords):
            effect = Effect.PAIR
        if effect is None and name in ("type", "to", "view") and self.to_integer(args, keywords):
            effect = Effect.INTEGER
        if effect is None and name == "type" and not args:
            return TEXT
        if effect is None and name.endswith("_") and not name.endswith("__"):
            return self.write_in_place(receiver, given, name, node)
        if effect is None and name in operations.CONVERSIONS:
            return self.converted(receiver, name, args, node)
        if effect == Effect.DETACH:
            function = self.here.function
            if function is not None and function.owner is not None and function.owner.is_module:
                self.record(Role.DETACH, node, receiver)
            return self.detach(receiver, node)
        if effect is None and operators.is_view(name):
            return self.result(name, Effect.VIEW, [receiver], node, args, keywords)
        operands = [receiver, *given] if effect in (None, Effect.PAIR, Effect.ROW, Effect.SPLIT, Effect.SEVERAL, Effect.DERIVE) else [receiver]
        out = self.result(name, effect or Effect.DERIVE, operands, node, args, keywords)
        return out._replace(kind=receiver.kind & (Kind.TENSOR | Kind.UNKNOWN)) if (effect or Effect.DERIVE) == Effect.DERIVE else out

    def converted(self, receiver: Value, name: str, args: list[Value], node: ast.Call) -> Value:
        """x.to(...), x.cuda() ...: live as x is; of what has the type or device already, x itself."""
        out = self.view(receiver, node)
        for token in out.refs:  # a copy, or the same object: in doubt no alias
            self.unshare(token)
        if out.grad == Grad.CUT and receiver.grad & Grad.LIVE and receiver.refs & self.trace.inferred:  # the flag is on the object alone
            out = out._replace(grad=receiver.grad | Grad.CUT, history=receiver.history)
        same = name in ("cpu", "float", "contiguous") or (name == "to" and bool(args) and all(a.const == "cpu" for a in args))
        if receiver.leaf & Leaf.LEAF and out.grad != Grad.CUT:
            out = out._replace(leaf=Leaf.LEAF | Leaf.NONLEAF)
            self.trace.moved |= out.refs if not same and receiver.leaf == Leaf.LEAF else EMPTY
        dtype = DType.FLOAT if name in outputs.FLOAT_TYPES or any(outputs.dtype_of(a.names) for a in args) else receiver.dtype
        if self.mode == Grad.CUT and name != "share_memory" and out.grad != Grad.CUT:
            # another dtype, device or layout makes a copy
            out = out._replace(grad=out.grad | Grad.CUT if same else Grad.CUT | Grad.UNKNOWN, leaf=Leaf.LEAF | receiver.leaf)
            out = out if same else out._replace(history=EMPTY)
        if dtype == DType.INTEGER and name in ("to", "type") and not all(isinstance(a.const, str) or "torch.device" in a.names for a in args):
            dtype = 0
        return out._replace(dtype=dtype)

    @staticmethod
    def to_integer(args: list[Value], keywords: dict[str, Value]) -> bool:
        """`.to(torch.long)`, `.type(torch.LongTensor)`."""
        names = {n for v in [*args[:1], *(keywords[k] for k in ("dtype",) if k in keywords)] for n in v.names}
        last = {n.rpartition(".")[2] for n in names}
        return bool(
            last
            & {"long", "int", "int64", "int32", "bool", "uint8", "LongTensor", "IntTensor", "ByteTensor", "BoolTensor", "int16", "int8"}
        )

    def to_numpy(self, receiver: Value, keywords: dict[str, Value], node: ast.Call) -> Value:
        """x.numpy(): raises for a live tensor while grad mode is on, unless force=True."""
        force = keywords.get("force")
        if force is None or force.const is False:
            self.record(Role.NUMPY, node, receiver)
        return Value(Kind.ARRAY, reach=receiver.reach)

    def distribution_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """rsample, log_prob, entropy carry the parameters' history; sample runs under no_grad."""
        as_tensor = receiver._replace(kind=Kind.TENSOR, names=frozenset())
        if name in objects.DIFFERENTIABLE_SAMPLES:
            return self.derive([as_tensor, *self.open(args)], node)
        integer = any(n.rpartition(".")[2] == "Categorical" for n in receiver.names)
        return self.plain(node, [as_tensor], integer)

    # -- in place ---------------------------------------------------------------------------------------------------------------------

    def write_in_place(self, receiver: Value, given: list[Value], name: str, node: ast.AST) -> Value:
        """x.add_(y): x becomes live when y is, outside no_grad; x itself is returned."""
        if name in ("resize_", "resize_as_"):  # of a tensor without history only, and nothing is written
            return receiver
        self.note_write(receiver, node, name, given)
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

    def rewritten(self, receiver: Value, new: Value) -> Value:
        """The tensor object itself changes its history (detach_, requires_grad_)."""
        out = new._replace(refs=receiver.refs)
        both = join(out, receiver)
        if out.grad == Grad.CUT and both.grad & Grad.LIVE:  # each is live only where another was meant
            both = both._replace(grad=Grad.CUT | Grad.UNKNOWN, history=EMPTY)
        now = out if len(receiver.refs) == 1 else both
        for address in receiver.refs:
            self.state.write_now(address, receiver, both if self.is_one_of_many(address) else now)
        for address in self.other_tokens(receiver) if self.itself else ():
            own = frozenset((address,))
            self.state.write_now(address, receiver._replace(refs=own), now._replace(refs=own))
        self.follow(receiver, now)
        return out

    def detach_itself(self, receiver: Value, node: ast.Call) -> Value:
        """x.detach_(). Of several tensors that x may be, it is not known which one loses its history; but x itself surely has none from here on."""
        alone = self.detach(receiver, node)
        out = self.rewritten(receiver, alone)
        several = len(receiver.refs) > 1 or any(map(self.is_one_of_many, receiver.refs))
        if not several or not receiver.grad & Grad.LIVE or not isinstance(node.func, ast.Attribute) or not isinstance(node.func.value, ast.Name):
            return out
        name = node.func.value.id
        self.state.write((self.here.outer.get(name, self.here.scope), name), alone)
        return alone

    def set_requires_grad(self, target: Value, flag: Value, node: ast.AST) -> Value:
        """x.requires_grad_(flag) or x.requires_grad = flag on a tensor."""
        modules = frozenset(m for t in target.refs for m in self.parameters.get(t, EMPTY))
        if modules and target.leaf == Leaf.LEAF:
            self.freeze_by_flag(Value(Kind.MODULE, refs=modules), flag if not self.is_single(target, node) else OTHER)
        if flag.const is True:
            if target.grad == Grad.LIVE:
                return target
            if target.grad & (Grad.LIVE | Grad.UNKNOWN):
                return self.rewritten(target, target._replace(grad=target.grad | Grad.LIVE))
            return self.rewritten(target, self.made_leaf(target, node))
        if flag.const is False and self.follows(target):
            return target
        if flag.const is False:
            return self.rewritten(target, target._replace(grad=Grad.CUT, history=EMPTY))
        return self.rewritten(target, target._replace(grad=target.grad | Grad.UNKNOWN | Grad.CUT))

    def is_single(self, target: Value, node: ast.AST) -> bool:
        """Whether one parameter of a module is meant, not each of them in turn: `x.weight`, `next(x.parameters())`, `parameters[0]`."""
        if target.refs <= self.single:
            return True
        goals = [g.value for g in node.targets if isinstance(g, ast.Attribute)] if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            goals = [node.func.value]
        return any(isinstance(g, (ast.Call, ast.Subscript)) for g in goals)

    def made_leaf(self, target: Value, node: ast.AST) -> Value:
        """A tensor that requires no grad gets the flag: the object itself is a leaf from here on, whatever made it."""
        leaf = self.leaf(node, [target])
        self.trace.leaves |= target.refs
        self.trace.moved -= target.refs
        return leaf._replace(reach=leaf.reach | target.reach, history=leaf.history | target.history | target.refs)

    def freeze_by_flag(self, module: Value, flag: Value) -> None:
        frozen = FROZEN if flag.const is False else TRAINABLE if flag.const is True else FROZEN | TRAINABLE
        self.freeze(module, frozen)
