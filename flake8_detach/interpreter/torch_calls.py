"""Calls below `torch.`: operations, creation, modules, optimizers, autograd, grad-mode switches.

Here: what a dotted name below torch does. Not here: the table of exceptions (knowledge/operations), methods of tensors.
"""

from __future__ import annotations

import ast

from flake8_detach.knowledge import objects, operations, operators, outputs
from flake8_detach.knowledge.operations import Effect
from flake8_detach.trace import Role
from flake8_detach.value import (
    EMPTY,
    INTEGERS,
    NUMBER,
    OTHER,
    UNSURE,
    DType,
    Grad,
    Kind,
    Leaf,
    Value,
    constant,
    join,
)

from .calls import Calls
from .state import CHAIN, FREEZING, HOLDS, ITEMS, TRAINING
from .updates import CLIPS


class TorchCalls(Calls):
    """Evaluates calls of torch functions and classes."""

    def call_torch(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """A call below `torch.`."""
        if name in objects.SWITCH_OFF or name in objects.SWITCH_ON or name in objects.SWITCH_BY:
            return self.switch(name, args, node)
        if name == "torch.nn.Parameter" or name == "torch.nn.parameter.Parameter":
            return self.new_parameter(args, keywords, node)
        kind = objects.kind_of_class(name)
        if kind == Kind.MODULE:
            return self.library_module(name, args, keywords, node)
        if kind == Kind.OPTIMIZER:
            return self.optimizer(name, args, keywords, node)
        if kind in (Kind.SCHEDULER, Kind.SCALER, Kind.LOADER):
            return self.named_object(kind, name, args, keywords, node)
        if name in objects.AUTOCASTS:
            return self.autocast(args, keywords, node)
        if name.startswith("torch.autograd."):
            return self.call_autograd(name[15:], args, keywords, node)
        if name.startswith("torch.distributions."):
            return self.distribution(name, args, keywords, node)
        if name.startswith(
            (
                "torch.utils.data.",
                "torch.utils.model_zoo",
                "torch.backends",
                "torch.profiler",
                "torch.utils.tensorboard",
            )
        ):
            return Value(Kind.OTHER) if not name.startswith("torch.utils.data.") else self.data_set(args, node)
        if name.startswith(("torch.hub.", "torch.jit.load")):
            return self.foreign_module(node)
        if name.startswith("torch.utils.cpp_extension."):
            return self.unknown(node)  # a module of Python, whose functions nothing is known of
        if name == "torch.load":
            loaded = self.unknown(node)._replace(grad=Grad.CUT)  # tensors without history, or a whole model, whose use tells
            self.loaded |= loaded.refs
            return loaded
        if name.startswith("torch.multiprocessing."):
            return self.call_other_library(name, args, keywords, node)
        if name.startswith("torch.distributed."):
            wraps = name.rpartition(".")[2] in ("parallelize_module", "fully_shard", "FullyShardedDataParallel", "checkpoint_wrapper")
            return (args or [keywords.get("module", OTHER)])[0] if wraps else OTHER
        return self.torch_function(name, args, keywords, node)

    def torch_function(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """An operation: by the table of exceptions, else DERIVE."""
        short = name[6:]
        last = short.rpartition(".")[2]
        if short.startswith("nn.utils.") and last in (
            "clip_grad_norm_",
            "clip_grad_norm",
            "get_total_norm",
            "clip_grad_value_",
            "clip_grads_with_norm_",
        ):
            if last in CLIPS:
                self.clip(last, args, keywords, node)
            return self.plain(node)
        if short.startswith("utils.checkpoint.checkpoint") and args:
            if short == "utils.checkpoint.checkpoint" and not keywords.keys() & {"use_reentrant", "**"}:
                self.record(Role.CHECKPOINT, node, args[0])
            return self.call(args[0], args[1:], {}, node)
        if short in ("func.functional_call", "nn.utils.parameters_to_vector", "nn.utils.stateless.functional_call"):
            return self.leaf(node)._replace(leaf=Leaf.NONLEAF)
        given = self.operands([*args, *keywords.values()])
        effect = operations.of_function(short) or (operations.of_function(last) if short.startswith(("special.", "nn.init.")) else None)
        if short.startswith("nn.init._calculate"):
            return self.tuple_of(node, NUMBER, 2)
        if short.startswith("nn.init."):
            return args[0] if args else OTHER
        if last in (
            "Tensor",
            "FloatTensor",
            "DoubleTensor",
            "HalfTensor",
            "as_tensor",
            "asarray",
            "LongTensor",
            "IntTensor",
            "ByteTensor",
            "BoolTensor",
        ):
            return self.legacy_tensor(last, args, keywords, node)
        if last in operations.DROPOUTS and short.startswith("nn.functional."):
            self.note_dropout(args, keywords, node)
        dropout = last in outputs.DROPOUTS and short.startswith("nn.functional.")
        if dropout and args and self.is_off(last, args, keywords):
            return args[0] if last[-1] != "d" else self.perhaps_itself(args[0], self.view(args[0], node))  # those may add a dimension
        if effect == Effect.FIRST:
            first = args[0] if args else keywords.get("module", OTHER)
            self.trace.modules |= first.refs
            return first
        if effect == Effect.SECOND:
            return args[1] if len(args) > 1 else OTHER
        if effect == Effect.REPEAT and args:
            return args[0] if args[0].kind == Kind.CONTAINER else self.tuple_of(node, args[0], None)
        if last == "_ntuple":
            return Value(Kind.LIBRARY, names=frozenset(("torch.nn.utils._pair",)))
        if last == "normal" and any(v.kind & Kind.TENSOR for v in given):
            effect = None
        if effect in (Effect.FRESH, Effect.INTEGER) and last in operations.CREATORS:
            return self.created(last, effect, args, keywords, node)
        if short == "load":  # a tensor, a module, or anything that was pickled
            return self.unknown(node)
        if last == "save" and self.snapshots:
            self.restore(OTHER, args[:1], node)
        if short == "is_tensor" and args and args[0].kind == Kind.TENSOR:
            return constant(True)
        if effect in (Effect.NUMBER, Effect.OTHER):
            return self.number(given) if effect == Effect.NUMBER else Value(Kind.OTHER)
        if effect is None and (short[:1].isupper() and "." not in short or short.startswith(operations.DEVICES)):
            return OTHER
        if effect is None and self.gives_indices(last, args, keywords):
            effect = Effect.PAIR
        if effect is None and operators.may_return_pair(short) and (len(args) > 1 and args[1].kind == Kind.NUMBER or "dim" in keywords):
            effect = Effect.PAIR
        if keywords and "inplace" in keywords and keywords["inplace"].const is True and args:
            if args[0].kind == Kind.TENSOR:
                return self.write_in_place(args[0], [v for v in given[1:] if v.kind & Kind.TENSOR], last, node)
            self.note_write(args[0], node, last)
        if effect is None and last.endswith("_") and args and args[0].kind & Kind.TENSOR:
            return self.write_in_place(args[0], [v for v in given[1:] if v.kind & (Kind.TENSOR | Kind.UNKNOWN)], last, node)
        if "out" in keywords and keywords["out"].kind & Kind.TENSOR:
            return keywords["out"]
        if effect is None and given and all(v.kind in (Kind.NUMBER, Kind.NONE) for v in given):
            return self.unknown(node)  # no operation takes numbers alone: the file does not show what else they may be
        if effect is None and args and args[0].kind == Kind.UNKNOWN:
            self.trace.tensors |= args[0].refs
        views = effect is None and bool(args) and bool(args[0].kind & Kind.TENSOR) and operators.is_view(short)
        if short in outputs.COMPARED:
            given = [v for v in given if v is not self.argument(outputs.COMPARED[short], "target", args, keywords)]
        out = self.result(short, Effect.VIEW if views else effect or Effect.DERIVE, given, node, args, keywords)
        if dropout and given and self.argument(2, "training", args, keywords) is not None:
            out = self.perhaps_itself(given[0], out)
        if last == "where" and len(given) > 2 and not any(v.kind & Kind.TENSOR for v in given[1:]):
            out = out._replace(dtype=DType.FLOAT)
        return out._replace(kind=Kind.TENSOR) if out.kind == Kind.UNKNOWN and (effect or Effect.DERIVE) == Effect.DERIVE else out

    # -- creation ---------------------------------------------------------------------------------------------------------------------

    def requires(self, keywords: dict[str, Value]) -> bool | None:
        """The `requires_grad=` of a creation: None where it is not a constant."""
        flag = keywords.get("requires_grad")
        if flag is None:
            return False
        return flag.const if isinstance(flag.const, bool) else None

    def created(self, last: str, effect: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """torch.zeros, torch.tensor ...: a leaf, live when asked to be."""
        operands = self.open(args[:1]) if last in ("tensor", "from_numpy") else []
        if last == "tensor" and args:
            self.note_rebuild(last, args[0], node)
        dtype = keywords.get("dtype")
        name = dtype.name if dtype else ""
        integer = outputs.dtype_of(frozenset((name,))) is False
        if effect == Effect.INTEGER and not name:
            integer = not any(isinstance(a.const, float) for a in args)
        vague = dtype is not None and not name
        integer = integer and not vague
        out = self.plain(node, operands, integer)
        wanted = self.requires(keywords)
        if wanted and (integer or (not dtype and self.only_integers(last, args))):
            self.record(Role.FLAG, node, INTEGERS, detail=("creation", last))
        if last in ("tensor", "full", "full_like", "zeros_like", "ones_like", "empty_like", "from_numpy") and not integer:
            out = out._replace(dtype=0) if not dtype else out
        if last in ("zeros_like", "ones_like", "empty_like", "full_like", "randint_like") and args and not dtype:
            out = out._replace(dtype=args[0].dtype if args[0].kind == Kind.TENSOR else 0)
        if vague:
            out = out._replace(dtype=0)
        if wanted:
            return self.leaf(node, operands)
        return out if wanted is False else join(out, self.leaf(node, operands))._replace(grad=Grad.UNKNOWN | Grad.CUT)

    def only_integers(self, last: str, args: list[Value]) -> bool:
        """Whether torch.tensor([1, 2]), torch.full((2,), 1), torch.arange(3) are given nothing but integer constants."""
        if last not in ("tensor", "full", "arange"):
            return False
        given = self.open(args[1:2] if last == "full" else args[:1] if last == "tensor" else args)
        return bool(given) and all(isinstance(v.const, int) for v in given)

    def legacy_tensor(self, last: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """torch.Tensor(x), FloatTensor(x), as_tensor(x): of a tensor the same object or an alias, of anything else a new leaf."""
        given = self.open(args[:1])
        if args and args[0].kind & Kind.CONTAINER:
            self.note_rebuild(last, args[0], node)
        integer = last in ("LongTensor", "IntTensor", "ByteTensor", "BoolTensor")
        if len(args) == 1 and args[0].kind & (Kind.TENSOR | Kind.UNKNOWN) and args[0].reach and not integer:
            return args[0]._replace(kind=Kind.TENSOR)
        return self.plain(node, given, integer)._replace(dtype=DType.INTEGER if integer else 0)

    def new_parameter(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """nn.Parameter: a live leaf in every grad mode, unless requires_grad=False."""
        for keyword in keywords:
            if keyword != "requires_grad" and keyword != "data":
                self.record(Role.FLAG, node, OTHER, detail=("keyword", keyword))
        flag = keywords.get("requires_grad") or (args[1] if len(args) > 1 else None)
        if flag is not None and flag.const is False:
            out = self.plain(node)
            self.trace.wrapped |= out.refs
            return out
        out = self.leaf(node, tag="parameter")
        self.trace.wrapped |= out.refs
        if args and args[0].dtype == DType.INTEGER:
            self.record(Role.FLAG, node, args[0], detail=("creation", "Parameter"))
        return out if flag is None or flag.const is True else out._replace(grad=Grad.UNKNOWN | Grad.CUT)

    def variable(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """Variable(x): x, detached; with requires_grad=True a leaf. https://docs.pytorch.org/docs/2.13/autograd.html#variable-deprecated"""
        wanted = self.requires(keywords)
        operand = args[0] if args else OTHER
        if wanted:
            return self.leaf(node, self.open([operand]))
        out = self.detach(operand, node)
        if "volatile" in keywords and keywords["volatile"].const is not False:
            out = out._replace(reach=out.reach | out.refs)
            self.record(Role.SWITCH, node, out if keywords["volatile"].const is True else OTHER, detail="volatile")
        return out if wanted is False else out._replace(grad=Grad.CUT | Grad.UNKNOWN)

    # -- objects ----------------------------------------------------------------------------------------------------------------------

    def library_module(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """An instance of a class of torch.nn."""
        address, _ = self.container(node, ("module", name))
        last = name.rpartition(".")[2]
        own = frozenset((address,))
        if self.inferring:
            self.trace.inferred.add(address)
        for key in (TRAINING, FREEZING, CHAIN):
            self.state.delete((address, key))
        out = Value(Kind.MODULE | (Kind.CONTAINER if last in objects.HOLDERS else 0), refs=own, names=frozenset((name,)))
        parts = args
        if last not in objects.HOLDERS:
            holds = objects.has_parameters(name) and not any(k in keywords and keywords[k].const is False for k in ("affine", "elementwise_affine"))
            self.state.write((address, HOLDS), int(holds))
            self.note_layer(last, address, args, keywords)
            if holds and self.trace.in_forward(self.here.frame):
                self.note_built(out, node)
            return out
        self.holders.add(address)
        if last != "Sequential" and args:
            parts = self.inside_list(args[0])
            for name_, item in self.pairs(args[0], node) if last.endswith("Dict") else ():
                self.put(address, name_, item)
        elif len(args) == 1 and args[0].kind & Kind.CONTAINER:
            parts = self.inside_list(args[0])
        for index, part in enumerate(parts):
            self.put(address, constant(index), part)
            self.trace.adopted |= part.refs
        if last == "Sequential" and parts and len(parts) <= 24 and len(parts) == len(args):
            self.state.write((address, CHAIN), constant(len(parts)))
        holds = any(self.may_hold_parameters(p) or p.kind & ~Kind.MODULE for p in parts) or not parts
        self.state.write((address, HOLDS), int(holds))
        return out

    def inside_list(self, value: Value) -> list[Value]:
        """The items of a display in order, or the join of all of them."""
        count = self.length(value)
        if count is not None:
            return self.unpack(value, count, ast.Pass())
        return [self.items(value, ast.Pass())]

    def optimizer(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """An optimizer over the parameters it is given: they are evidence that what they came from is a module that trains."""
        token = self.token(node, "optimizer")
        held: frozenset[int] = EMPTY
        if args and self.iterators:
            self.consume_all(args[:1], node)
        given = self.open([*args[:1], *(keywords[k] for k in ("params",) if k in keywords)])
        for value in given:
            modules = frozenset(m for t in value.refs for m in self.parameters.get(t, EMPTY))
            held |= self.with_parts(Value(Kind.MODULE, refs=modules), registered=True) if modules else EMPTY
            if not (value.kind == Kind.TENSOR and value.leaf == Leaf.LEAF):
                held |= {0}
            held |= value.refs | frozenset(m for t in value.refs for m in self.parameters.get(t, EMPTY))
            for inner in self.inside(value):
                held |= inner.refs | frozenset(m for t in inner.refs for m in self.parameters.get(t, EMPTY))
        self.hold(token, held)
        out = Value(Kind.OPTIMIZER, refs=frozenset((token,)), names=frozenset(("optimizer",)))
        self.note_optimizer(out, name, given, keywords, node)
        return out

    def named_object(self, kind: int, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        token = self.token(node, "object")
        out = Value(kind, refs=frozenset((token,)), names=frozenset((name,)))
        if kind == Kind.SCHEDULER:
            self.note_schedule(out, args, keywords)
        elif kind == Kind.SCALER and any(v.const is False for v in (*args, *keywords.values())):
            return out._replace(names=out.names | {"disabled"})
        if kind == Kind.LOADER and args:
            item = self.items(args[0], node)
            if item.kind & (Kind.TENSOR | Kind.CONTAINER):
                self.state.write((token, ITEMS), item)
        return out

    def data_set(self, args: list[Value], node: ast.expr) -> Value:
        """TensorDataset(x, y): iteration gives rows of plain tensors."""
        token = self.token(node, "data")
        tensors = [a for a in args if a.kind & Kind.TENSOR]
        if tensors:
            self.state.write((token, ITEMS), self.row(node, tensors))
        return Value(Kind.LOADER, refs=frozenset((token,)))

    def distribution(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """A distribution carries the history of its parameters."""
        own = self.derive(self.open([*args, *keywords.values()]), node, "distribution")
        return own._replace(kind=Kind.OBJECT, names=frozenset((objects.DISTRIBUTION, name)))

    # -- autograd ---------------------------------------------------------------------------------------------------------------------

    def call_autograd(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """torch.autograd.*."""
        given = self.open([*args, *keywords.values()])
        if name == "Variable":
            return self.variable(args, keywords, node)
        if name == "backward":
            self.backward(args[0] if args else OTHER, node, keywords)
            return OTHER
        if name == "grad":
            self.record(Role.DIFFERENTIATE, node, (args or [keywords.get("outputs", OTHER)])[0])
            outputs = self.open(args[:1] or [keywords.get("outputs", OTHER)])
            self.trace.probed |= frozenset(t for v in self.open([*args[1:2], keywords.get("inputs", OTHER)]) for t in v.refs)
            for value in outputs:
                self.trace.backpropagated |= value.reach
                self.trace.proven |= value.refs
            create = keywords.get("create_graph")
            live = create is not None and create.const is not False
            item = self.derive(given, node) if live else self.plain(node)
            if create is None or create.const is False:
                self.trace.gradients.update(dict.fromkeys(item.refs, node))
            return self.tuple_of(node, item._replace(kind=Kind.TENSOR), None)
        if name.startswith("functional.") and args:
            self.call(args[0], args[1:], {}, node)
            return self.plain(node)
        if name == "Function.apply":
            return self.derive(given, node)._replace(kind=Kind.TENSOR)
        return OTHER

    def switch(self, name: str, args: list[Value], node: ast.expr) -> Value:
        """A grad-mode context manager or decorator; set_grad_enabled takes effect at once."""
        mode = Grad.CUT if name in objects.SWITCH_OFF else Grad.LIVE
        if name in objects.SWITCH_BY or name.endswith("inference_mode"):
            flag = args[0].const if args else (True if name.endswith("inference_mode") else UNSURE)
            mode = Grad.LIVE | Grad.CUT if not isinstance(flag, (bool, int)) else Grad.LIVE if flag else Grad.CUT
            if name.endswith("inference_mode"):
                mode = {Grad.LIVE: Grad.CUT, Grad.CUT: Grad.LIVE}.get(mode, mode)
        elif args:
            return args[0]
        token = self.token(node, "switch")
        if name in objects.SWITCH_BY:
            self.record(Role.SWITCH, node, OTHER, detail=("set", mode))
            before = self.mode
            self.set_mode(mode)
            return Value(Kind.SWITCH, refs=frozenset((token,)), names=frozenset((name,)), const=("set", mode, before))
        return Value(Kind.SWITCH, refs=frozenset((token,)), names=frozenset((name,)), const=("grad", mode))
