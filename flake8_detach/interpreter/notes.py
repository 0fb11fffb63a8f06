"""Notes: what conversions, copies, sends and blocks leave in the Trace for the rules, one method for each thing that can happen.

Here: the records, and what has to be known of the operands to write them. Not here: who calls them (each where the thing happens, in one
line), and what is a mistake (the rules).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

from flake8_detach.knowledge import objects, operations, operators, saved
from flake8_detach.knowledge.pattern import Pattern
from flake8_detach.trace import Made, Role, written
from flake8_detach.value import EMPTY, OTHER, UNSURE, DType, Grad, Kind, Leaf, Value, constant

from .results import Results
from .state import CHAIN, ITEMS, LEFT_OFF, LENGTH

PENDING: Final = Grad.LIVE | Grad.UNKNOWN
SPECIFIER: Final = Pattern(r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?(?P<kind>[diouxXeEfFgGcrsa%])")
LIMIT: Final = 300  # how many objects a walk over what an object holds visits


class Notes(Results):
    """Writes events about conversions, copies and blocks."""

    # -- numbers ----------------------------------------------------------------------------------------------------------------------

    def note_number(self, values: list[Value], node: ast.AST) -> None:
        """float() or the like of what may be a live tensor."""
        for value in values:
            if value.kind & (Kind.TENSOR | Kind.UNKNOWN) and value.grad & PENDING:
                self.record(Role.NUMBER, node, value)

    def fields_shown(self, template: str, given: Value | list[Value], node: ast.AST) -> list[Value]:
        """What `%` shows as text; what it formats as a float is noted, and an integer is of no interest."""
        kinds = [m for m in SPECIFIER.finditer(template) if m["kind"] != "%"]
        if isinstance(given, Value):
            count = self.length(given) if given.kind & Kind.CONTAINER else 1
            given = [given] if count == 1 and not given.kind & Kind.CONTAINER else self.unpack(given, count, node) if count else [given]
        shown: list[Value] = []
        keyed = len(given) == 1 and bool(kinds) and kinds[0]["key"] is not None
        if "*" in template or len(kinds) != len(given) and not keyed:
            return [part for value in given for part in self.inside(value)]
        for place, match in enumerate(kinds):
            value = self.element(given[0], constant(match["key"]), node) if keyed else given[place]
            if match["kind"] in "eEfFgG":
                self.note_number([value], node)
            elif match["kind"] in "sra":
                shown += self.inside(value)
        return shown

    def is_scalar(self, value: Value, depth: int = 3) -> bool:
        """Whether every place that may have made the value makes a tensor without dimensions."""
        return bool(value.refs) and all(self.makes_scalar(token, depth) for token in value.refs)

    def makes_scalar(self, token: int, depth: int) -> bool:
        """Whether a place makes a loss, a reduction over everything, or what is computed of such and of numbers."""
        node = self.trace.sites[token].node
        if token in self.losses or _makes_scalar(node):
            return True
        operands = self.trace.made[token].operands if token in self.trace.made and isinstance(node, (ast.BinOp, ast.UnaryOp)) and depth else ()
        return bool(operands) and all(v.kind == Kind.NUMBER or v.kind == Kind.TENSOR and self.is_scalar(v, depth - 1) for v in operands)

    # -- copies, conversions and sends ------------------------------------------------------------------------------------------------

    def note_copy(self, value: Value, node: ast.AST) -> None:
        """copy.deepcopy: each tensor with history that the object is or holds."""
        for part in self.held(value):
            if part.grad & PENDING and part.leaf != Leaf.LEAF and part.kind & (Kind.TENSOR | Kind.UNKNOWN):
                self.record(Role.COPY, node, part, value)

    def held(self, value: Value) -> list[Value]:
        """The value, and all that it holds in attributes and elements, as far as the file shows."""
        out: list[Value] = []
        rest, seen = [value], set[int]()
        while rest and len(seen) < LIMIT:
            one = rest.pop()
            if one.kind & (Kind.TENSOR | Kind.UNKNOWN):
                out.append(self.current(one))
            for address in one.refs - seen if one.kind & (Kind.CONTAINER | Kind.OBJECT | Kind.MODULE) else EMPTY:
                seen.add(address)
                rest += self.parts_held(address)
        return out

    def parts_held(self, address: int) -> list[Value]:
        """The attributes and elements of one object; none where its class says itself how it is copied."""
        cls = self.instances.get(address)
        if cls is not None and any((c.address, "__deepcopy__") in self.state.store for c in cls.mro()):
            return []
        keys = self.item_keys.get(address, {})
        names: list[object] = [*self.fields.get(address, ()), *keys]
        if not keys:
            names.append(ITEMS)
        found = [self.state.store.get((address, name)) for name in names if name not in (LENGTH, CHAIN)]
        return [v for v in found if isinstance(v, Value)]

    def note_rebuild(self, name: str, value: Value, node: ast.AST) -> None:
        """torch.tensor(x) of a tensor, or of a list of tensors."""
        if value.kind & Kind.CONTAINER:
            parts = self.inside(value)
            if parts and all(p.kind & (Kind.TENSOR | Kind.NUMBER | Kind.UNKNOWN) for p in parts):
                for part in parts:
                    if part.kind == Kind.TENSOR and part.grad & PENDING:
                        self.record(Role.REBUILD, node, part, detail="list")
        elif name in ("tensor", "new_tensor") and (value.kind == Kind.TENSOR or _takes_device_of_itself(node)):
            self.record(Role.REBUILD, node, value, detail="tensor")

    def note_send(self, values: list[Value], node: ast.AST) -> None:
        """Objects are pickled for another process."""
        for value in values:
            for part in self.held(value):
                if part.grad & PENDING and part.leaf != Leaf.LEAF:
                    self.record(Role.SEND, node, part, value)

    # -- inference mode ---------------------------------------------------------------------------------------------------------------

    def note_meeting(self, operands: Sequence[Value], live: bool, node: ast.AST) -> None:
        """A tensor made under inference mode meets a live one in an operation that has to save it."""
        if self.mode != Grad.LIVE or self.inferring or not _saves(node):
            return
        inferred = self.trace.inferred
        strange = [v for v in operands if v.kind & Kind.TENSOR and v.refs & inferred]
        if strange:  # no gradient goes to a view without a history of its own, so nothing is saved for it
            operands = [v._replace(grad=Grad.CUT) if self.follows(v) else v for v in operands]
        made = Made(node, tuple(operands), Grad.LIVE, 0)
        if strange and not live and (operators.named(_named(node)).saves or _named(node) in saved.EACH_OTHER):  # it is known which operand it is
            kept = self.saved_by(-1, made)
            strange = [v for v in strange if v.refs & kept]
        if strange:
            others = tuple(v for v in operands if v.grad & PENDING and not v.refs & inferred)
            if live or others:
                self.record(Role.MEET, node, strange[0], OTHER, others, live)

    # -- blocks and decorators --------------------------------------------------------------------------------------------------------

    def note_pause(self, node: ast.AST, word: str) -> None:
        """A yield or await in a block with gradients switched off: whoever runs meanwhile has them off too."""
        function = self.here.function
        if function is None or not function.traits & {"contextmanager", "fixture"}:
            self.record(Role.SWITCH, node, OTHER, detail=word)

    def note_left_off(self, node: ast.AST, mode: int) -> None:
        """set_grad_enabled(...) as a statement: remembers which one switched gradients off until another switches them on."""
        if mode == Grad.CUT:
            self.state.write(LEFT_OFF, Value(refs=frozenset((self.token(node, "left off"),))))
        else:
            self.state.delete(LEFT_OFF)

    def note_trained(self, node: ast.AST) -> None:
        """A backward with gradients off: the statements that may have left them so."""
        slot = self.state.store.get(LEFT_OFF)
        if isinstance(slot, Value) and self.mode == Grad.CUT and not any(a.switched for a in self.activations):
            for token in slot.refs:
                statement = self.trace.sites[token].node
                if statement is not None:
                    self.record(Role.SWITCH, statement, OTHER, detail=("left off", node))

    # -- modes of modules -------------------------------------------------------------------------------------------------------------

    def note_layer(self, name: str, address: int, args: list[Value], keywords: dict[str, Value]) -> None:
        """A layer that works differently in train and eval mode."""
        default = objects.MODE_DEPENDENT.get(name)
        if default is None:
            self.trace.fickle.discard(address)
            return
        rate = keywords.get("p") or keywords.get("dropout") or (args[0] if args and "Dropout" in name else None)
        const = (rate.const if rate is not None else default) if rate is None or rate.const is not UNSURE else 0.5
        if name in objects.RECURRENT:  # between the layers: one alone has none
            layers = keywords.get("num_layers") or (args[2] if len(args) > 2 else constant(1))
            const = 0 if layers.const == 1 else const
        if const != 0 and (name not in objects.TRACKING or keywords.get("track_running_stats", OTHER).const is not False):
            self.trace.fickle.add(address)

    def note_fickle(self, module: Value) -> None:
        """A model is called: does it hold such a layer?"""
        fickle = self.trace.fickle
        if not fickle or module.refs & fickle:
            return
        rest, seen = list(module.refs), set[int]()
        while rest and len(seen) < LIMIT:
            address = rest.pop()
            if address in fickle:
                fickle |= module.refs
                return
            seen.add(address)
            for part in self.parts_held(address):
                if part.kind & (Kind.MODULE | Kind.CONTAINER):
                    rest += part.refs - seen

    def note_dropout(self, args: list[Value], keywords: dict[str, Value], node: ast.AST) -> None:
        """F.dropout: always on where `training=` is not given."""
        given = args[2] if len(args) > 2 else keywords.get("training") or keywords.get("**")
        this = self.here.this
        if given is not None:
            if this is not None and given.const is UNSURE:
                self.trace.fickle |= this.refs
            return
        rate = args[1] if len(args) > 1 else keywords.get("p")
        if (rate is None or rate.const != 0) and not self.reads_training():
            self.record(Role.DROPOUT, node, OTHER, detail="function")

    def note_dropout_layer(self, module: Value, node: ast.AST) -> None:
        """A dropout layer that is called in the function that has built it."""
        sites = [self.trace.sites[t] for t in module.refs]
        if sites and all(s.frame == self.here.frame and isinstance(s.node, ast.Call) for s in sites):
            if not any((t, "[training]") in self.state.store for t in module.refs) and not self.reads_training():
                self.record(Role.DROPOUT, node, module, detail="layer")

    def reads_training(self) -> bool:
        """Whether the running function, or one of its callers inside the model, looks at a training flag: the mode is heeded by hand."""
        for activation in reversed(self.activations):
            function = activation.function
            if function is None or function.owner is None:
                return False
            if _mentions_training(function.node):
                return True
        return False

    # -- attributes of the context of a custom Function -------------------------------------------------------------------------------

    def note_context(self, target: Value, name: str, value: Value, node: ast.AST) -> None:
        """ctx.name = tensor in the forward of a torch.autograd.Function."""
        function = self.here.function
        if function is None or function.owner is None or not any(n.endswith("autograd.Function") for n in function.owner.library):
            return
        spec = function.node.args.args
        context = self.state.store.get((self.here.scope, spec[0].arg)) if spec else None
        if getattr(function.node, "name", "") not in ("forward", "setup_context") or not isinstance(context, Value):
            return
        if context.refs & target.refs and value.kind & (Kind.TENSOR | Kind.UNKNOWN):
            self.record(Role.CONTEXT, node, value, target, detail=name)

    # -- `.data` ----------------------------------------------------------------------------------------------------------------------

    def note_data(self, value: Value, node: ast.expr) -> None:
        """x.data is read of what is or may be a tensor."""
        if isinstance(node, ast.Attribute):
            self.record(Role.DATA, node, value)

    def note_use_of_data(self, node: ast.Attribute) -> None:
        """x.data.name: what is taken of it tells what x is."""
        self.trace.data_used[id(node.value)] = node.attr

    def note_output(self, value: Value, node: ast.AST, frame: int) -> None:
        """What the forward of a model class gives."""
        for part in self.inside(value):
            if part.kind & Kind.TENSOR:
                self.record(Role.OUTPUT, node, part, detail=frame)


def _makes_scalar(node: ast.AST | None) -> bool:
    """Whether an expression is a reduction over everything, or a loss."""
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    if any(k.arg in ("dim", "axis", "reduction") for k in node.keywords):
        return False
    own = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in ("torch", "F")
    if name in ("mean", "sum", "norm", "prod", "max", "min", "logsumexp"):
        return len(node.args) == int(own)
    return name.endswith("loss") or name in ("cross_entropy", "criterion", "loss_fn", "binary_cross_entropy", "kl_div")


def _takes_device_of_itself(node: ast.AST) -> bool:
    """`torch.tensor(x, device=x.device)`: what has a device is a tensor."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    device = next((k.value for k in node.keywords if k.arg == "device"), None)
    return isinstance(device, ast.Attribute) and device.attr == "device" and written(device.value) == written(node.args[0])


def _saves(node: ast.AST) -> bool:
    """Whether an operation of several tensors keeps them for its backward."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        return isinstance(node.op, (ast.Mult, ast.Div, ast.MatMult, ast.Pow))
    name = _named(node)
    if not name:
        return False
    return not (name in operations.SAVES_NOTHING or operators.saves_nothing(name))


def _named(node: ast.AST) -> str:
    """The last name of what is called, "" where nothing is."""
    function = node.func if isinstance(node, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _mentions_training(node: ast.AST) -> bool:
    """Whether a function looks at something called training."""
    for inner in ast.walk(node):
        name = inner.attr if isinstance(inner, ast.Attribute) else inner.id if isinstance(inner, ast.Name) else ""
        if name in ("training", "train", "is_training", "is_train", "mode", "eval"):
            return True
    return False


__all__ = ["PENDING", "DType", "Notes"]
