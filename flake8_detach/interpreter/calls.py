"""Calls: who is called, with what, and what a library call does.

Here: dispatch on the callee, builtins, torch functions, constructors of library objects, sinks. Not here: method calls on values (methods).
"""
from __future__ import annotations

import ast
from typing import Final

from flake8_detach.knowledge import idioms, objects, operations, sinks
from flake8_detach.knowledge.operations import Effect
from flake8_detach.knowledge.sink import Role as SinkRole
from flake8_detach.knowledge.sink import Sink
from flake8_detach.trace import Role
from flake8_detach.value import EMPTY, NUMBER, OTHER, TEXT, UNSURE, DType, Grad, Kind, Leaf, Value, constant, join, join_all


from .expressions import Expressions
from .state import CHAIN, FREEZING, HOLDS, ITEMS, TRAINING
from .objects import FROZEN

PASS_THROUGH: Final = frozenset("list tuple set sorted reversed iter frozenset".split())
MAKES_ARRAYS: Final = frozenset(f"numpy.{n}" for n in "array asarray zeros ones empty full arange linspace stack concatenate vstack hstack".split())
NUMBERS: Final = frozenset("len int float bool complex ord hash id round divmod isinstance issubclass hasattr callable any all".split())


class Calls(Expressions):
    """Evaluates calls of names; methods are in the next chapter."""

    def eval_Call(self, node: ast.Call) -> Value:
        function = node.func
        if isinstance(function, ast.Attribute):
            receiver = self.eval(function.value)
            if not receiver.kind & Kind.LIBRARY or receiver.kind & (Kind.OBJECT | Kind.UNKNOWN):
                args, keywords = self.arguments(node)
                return self.call_method(receiver, function.attr, args, keywords, node)
            callee = self.attribute(receiver, function.attr, function)
        else:
            callee = self.eval(function)
        args, keywords = self.arguments(node)
        return self.call(callee, args, keywords, node)

    def call_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """receiver.name(*args)."""
        raise NotImplementedError

    def arguments(self, node: ast.Call) -> tuple[list[Value], dict[str, Value]]:
        """Positional and keyword arguments; `*xs` of unknown length gives one stand-in, `**d` what its constant keys say."""
        args: list[Value] = []
        keywords: dict[str, Value] = {}
        for arg in node.args:
            value = self.eval(arg)
            if isinstance(arg, ast.Starred):
                count = self.length(value)
                args += self.unpack(value, count, arg) if count is not None else [self.items(value, arg)]
            else:
                args.append(value)
        for keyword in node.keywords:
            value = self.eval(keyword.value)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
            else:
                for key, item in self.pairs(value, node):
                    keywords[key.const if isinstance(key.const, str) else "**"] = item
        return args, keywords

    def call(self, callee: Value, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        results: list[Value] = []
        given = [*args, *keywords.values()]
        if callee.kind & Kind.FUNCTION:
            results += [self.call_function(t, args, keywords, node) for t in sorted(callee.refs) if t in self.functions]
        if callee.kind & Kind.CLASS:
            results += [self.instantiate(self.classes[t], args, keywords, node) for t in sorted(callee.refs) if t in self.classes]
        if callee.kind & Kind.LIBRARY and callee.names:
            results += [self.call_library(name, args, keywords, node) for name in sorted(callee.names)]
        if callee.kind & Kind.MODULE:
            results.append(self.call_module(callee, args, keywords, node))
        elif callee.kind & Kind.OBJECT:
            results.append(self.call_object(callee, args, keywords, node))
        if results:
            return join_all(results)
        return self.call_unknown(callee, given, node, self.idiom(node.func) if isinstance(node, ast.Call) else "")

    def call_object(self, callee: Value, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """object(...): its __call__, or its forward where a base that the file does not show may be a module."""
        results = []
        for address in callee.refs:
            cls = self.instances.get(address)
            if cls is None:
                continue
            if self.find(cls, "__call__") is None and cls.unknown_base and self.find(cls, "forward") is not None:
                return self.call_module(callee, args, keywords, node)
            method = self.find(cls, "__call__")
            if method is not None:
                bound = self.bind_method(method, callee._replace(refs=frozenset((address,))))
                results += [self.call_function(t, args, keywords, node) for t in bound.refs]
        return join_all(results) if results else self.call_unknown(callee, [*args, *keywords.values()], node, "")

    def call_unknown(self, callee: Value, given: list[Value], node: ast.expr, name: str) -> Value:
        """A call of something that the file does not show."""
        if callee.kind == Kind.OTHER:
            return Value(Kind.OTHER)
        operands = self.open(given, node)
        if callee.kind & Kind.UNKNOWN and idioms.CRITERIA.match(name) and operands:
            out = self.derive([*operands, self.unknown(node, operands)], node)
            own = frozenset((self.token(node),))
            return out._replace(refs=own, grad=out.grad, carried=out.carried)
        result = self.unknown(node, operands, callee)
        self.record_forward(callee, result, given, node)
        self.give_away(operands, node, name)
        return result

    def give_away(self, operands: list[Value], node: ast.expr, name: str) -> None:
        """Values handed to a call that the file does not show; a name that says so back-propagates them."""
        if idioms.BACKPROPAGATES.search(name):
            self.back_propagated(operands)
        self.event_use(node, operands, name)

    def back_propagated(self, values: list[Value]) -> None:
        """Code that the file does not show probably back-propagates these: no leak, but no proof that they are live either."""
        for value in self.open(values, ast.Pass()):
            self.trace.backpropagated |= value.reach

    # -- library functions --------------------------------------------------------------------------------------------------------------
    def call_library(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """A call of a library function or class, by its dotted name."""
        if name.startswith("builtins."):
            return self.call_builtin(name[9:], args, keywords, node)
        sink = sinks.of_function(name)
        if sink is not None:
            self.reach_sink(sink, args, keywords, node)
        owner = sinks.class_of(name)
        if owner is not None:
            return self.library_object(owner, args, keywords, node)
        if name.startswith("torch."):
            return self.call_torch(name, args, keywords, node)
        if sink is not None and sink.role in (SinkRole.ARRAY, SinkRole.INERT) and name.startswith("numpy."):
            sure = name in MAKES_ARRAYS or any(a.kind & (Kind.ARRAY | Kind.CONTAINER) and not a.kind & Kind.NUMBER for a in args)
            return Value(Kind.ARRAY if sure else Kind.ARRAY | Kind.NUMBER, reach=self.number(self.open(args, node)).reach)
        return self.call_other_library(name, args, keywords, node)

    def library_object(self, owner: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """An object of a library class that has sinks among its methods; an iterable given to it comes out again by iteration."""
        if ", " in owner:
            return self.row(node, [self.library_object(one, [], {}, node) for one in owner.split(", ")])
        token = self.token(node, "library object" + owner)
        out = Value(Kind.OBJECT, refs=frozenset((token,)), names=frozenset((owner,)))
        if args and args[0].kind & (Kind.CONTAINER | Kind.UNKNOWN | Kind.LOADER):
            self.state.write((token, ITEMS), self.items(args[0], node))
        elif owner.endswith(".Axes"):
            self.state.write((token, ITEMS), out)
        return out

    def call_other_library(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """Libraries beside torch."""
        given = self.open([*args, *keywords.values()], node)
        root = name.partition(".")[0]
        effect = operations.WRAPPERS.get(name)
        if name.endswith("amp.scale_loss") and args:
            return self.derive(args[:1], node)
        if effect == Effect.TUPLE:
            return args[0] if len(args) == 1 else self.row(node, args)
        if name == "functools.partial" and args:
            return args[0]
        if name in ("copy.deepcopy", "copy.copy"):
            return self.copied(args[0], node) if args else OTHER
        if name in ("collections.defaultdict", "collections.OrderedDict", "collections.deque", "collections.Counter"):
            out = self.container(node, name)[1] if not args or name.endswith("defaultdict") else self.copied(args[0], node)
            if not name.endswith("deque"):
                self.mappings |= out.refs
            return out._replace(names=frozenset(("bounded",))) if "maxlen" in keywords or len(args) > 1 else out
        if name in ("itertools.chain", "itertools.cycle", "itertools.islice") and args:
            return self.tuple_of(node, join_all([self.items(a, node) for a in args if a.kind & ~Kind.NUMBER] or [OTHER]), None)
        if name in ("types.SimpleNamespace", "argparse.Namespace"):
            return self.namespace(keywords, node)
        if root == "numpy" or root in ("math", "scipy"):
            return Value(Kind.ARRAY | Kind.NUMBER, reach=self.number(given).reach) if root != "math" else self.number(given)
        if name.startswith("contextlib.") or name in ("contextlib.ExitStack",):
            return Value(Kind.SWITCH, names=frozenset((name,)))
        if name.startswith("torchvision.models.") or name.startswith("timm.create_model"):
            return self.foreign_module(node)
        if name.endswith("LightningModule"):
            return OTHER
        if name.startswith(objects.OPTIMIZERS) and objects.kind_of_class(name) == Kind.OPTIMIZER:
            return self.optimizer(args, keywords, node)
        if root in operations.PURE_MODULES or any(name.startswith(p + ".") for p in operations.PURE_MODULES if "." in p):
            return self.pure_result(name, args, given, node)
        result = self.unknown(node, given, Value(Kind.LIBRARY, names=frozenset((name,))))
        self.give_away(given, node, name.rpartition(".")[2])
        return result

    def pure_result(self, name: str, args: list[Value], given: list[Value], node: ast.expr) -> Value:
        """What a harmless library hands back: a choice of what it was given, or something else."""
        if name in ("random.choice", "copy.copy") and args:
            return self.items(args[0], node) if name == "random.choice" else args[0]
        if name in ("random.sample", "random.choices", "itertools.islice", "heapq.nlargest") and args:
            return self.tuple_of(node, self.items(args[0], node), None)
        return Value(Kind.OTHER, reach=self.number(given).reach)

    def namespace(self, keywords: dict[str, Value], node: ast.expr) -> Value:
        token = self.token(node, "namespace")
        for key, item in keywords.items():
            self.set_field(token, key, item)
        return Value(Kind.OBJECT, refs=frozenset((token,)))

    def foreign_module(self, node: ast.expr) -> Value:
        """A model of a library: a module with parameters whose code the file does not show."""
        token = self.token(node, "foreign")
        self.trace.modules.add(token)
        own = frozenset((token,))
        return Value(Kind.MODULE, refs=own, reach=own)

    def copied(self, value: Value, node: ast.expr) -> Value:
        """A copy: of a container a new one with the same items, of a tensor one with the same liveness, of a module a new module."""
        if value.kind & Kind.CONTAINER:
            address, out = self.container(node, "copy")
            if value.refs <= self.mappings:
                self.mappings.add(address)
            for key, item in self.pairs(value, node):
                self.put(address, key, item)
            return out
        if value.kind & Kind.MODULE:
            token = self.token(node, "copy")
            for address in value.refs:
                if address in self.instances:
                    self.instances[token] = self.instances[address]
                for name in [*self.fields.get(address, ()), ITEMS, HOLDS, CHAIN, *self.item_keys.get(address, ())]:
                    slot = self.state.store.get((address, name))
                    if slot is not None:
                        self.state.write((token, name), slot)
                self.fields.setdefault(token, {}).update(self.fields.get(address, {}))
            return value._replace(refs=frozenset((token,)))
        return value

    # -- torch ----------------------------------------------------------------------------------------------------------------------------
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
            return self.optimizer(args, keywords, node)
        if kind in (Kind.SCHEDULER, Kind.SCALER, Kind.LOADER):
            return self.named_object(kind, name, args, node)
        if name.startswith("torch.autograd."):
            return self.call_autograd(name[15:], args, keywords, node)
        if name.startswith("torch.distributions."):
            return self.distribution(name, args, keywords, node)
        if name.startswith(("torch.utils.data.", "torch.utils.model_zoo", "torch.multiprocessing", "torch.backends", "torch.profiler", "torch.utils.tensorboard")):
            return Value(Kind.OTHER) if not name.startswith("torch.utils.data.") else self.data_set(args, node)
        if name.startswith(("torch.hub.", "torch.jit.load")):
            return self.foreign_module(node)
        if name.startswith("torch.distributed."):
            wraps = name.rpartition(".")[2] in ("parallelize_module", "fully_shard", "FullyShardedDataParallel", "checkpoint_wrapper")
            return (args or [keywords.get("module", OTHER)])[0] if wraps else OTHER
        return self.torch_function(name, args, keywords, node)

    def torch_function(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """An operation: by the table of exceptions, else DERIVE."""
        short = name[6:]
        last = short.rpartition(".")[2]
        if short.startswith("nn.utils.") and last in ("clip_grad_norm_", "clip_grad_norm", "get_total_norm", "clip_grad_value_", "clip_grads_with_norm_"):
            return self.plain(node)
        if short.startswith("utils.checkpoint.checkpoint") and args:
            return self.call(args[0], args[1:], {}, node)
        if short in ("func.functional_call", "nn.utils.parameters_to_vector", "nn.utils.stateless.functional_call"):
            return self.leaf(node)._replace(leaf=Leaf.NONLEAF)
        given = self.open([*args, *keywords.values()], node)
        effect = operations.FUNCTIONS.get(short) or (operations.FUNCTIONS.get(last) if short.startswith(("special.", "nn.init.")) else None)
        if short.startswith("nn.init."):
            return args[0] if args else OTHER
        if last in ("Tensor", "FloatTensor", "DoubleTensor", "HalfTensor", "as_tensor", "asarray", "LongTensor", "IntTensor", "ByteTensor", "BoolTensor"):
            return self.legacy_tensor(last, args, keywords, node)
        if effect == Effect.FIRST:
            first = args[0] if args else keywords.get("module", OTHER)
            self.trace.modules |= first.refs
            return first
        if effect in (Effect.FRESH, Effect.INTEGER) and last in operations.CREATORS:
            return self.created(last, effect, args, keywords, node)
        if effect in (Effect.NUMBER, Effect.OTHER):
            return self.number(given) if effect == Effect.NUMBER else Value(Kind.OTHER)
        if effect is None and short[:1].isupper() and "." not in short:
            return OTHER
        if effect is None and last in operations.REDUCE_TO_PAIR and (len(args) > 1 and args[1].kind == Kind.NUMBER or "dim" in keywords):
            effect = Effect.PAIR
        if effect is None and last.endswith("_") and args and args[0].kind & Kind.TENSOR:
            return self.overwrite(args[0], self.derive(given, node), node)
        if "out" in keywords and keywords["out"].kind & Kind.TENSOR:
            return keywords["out"]
        out = self.effect(effect or Effect.DERIVE, given, node)
        return out._replace(kind=Kind.TENSOR) if out.kind == Kind.UNKNOWN and (effect or Effect.DERIVE) == Effect.DERIVE else self.tensor_if_torch(out)

    @staticmethod
    def tensor_if_torch(value: Value) -> Value:
        return value

    def requires(self, keywords: dict[str, Value]) -> bool | None:
        """The `requires_grad=` of a creation: None where it is not a constant."""
        flag = keywords.get("requires_grad")
        if flag is None:
            return False
        return flag.const if isinstance(flag.const, bool) else None

    def created(self, last: str, effect: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """torch.zeros, torch.tensor ...: a leaf, live when asked to be."""
        operands = self.open(args[:1], node) if last in ("tensor", "from_numpy") else []
        dtype = keywords.get("dtype")
        name = next(iter(dtype.names), "") if dtype else ""
        integer = effect == Effect.INTEGER or name.rpartition(".")[2] in ("long", "int", "int64", "int32", "bool", "uint8", "int8", "short")
        if effect == Effect.INTEGER and (name.rpartition(".")[2].startswith("float") or any(isinstance(a.const, float) for a in args)):
            integer = False
        out = self.plain(node, operands, integer)
        wanted = self.requires(keywords)
        if last in ("tensor", "full", "full_like", "zeros_like", "ones_like", "empty_like", "from_numpy") and not integer:
            out = out._replace(dtype=0) if not dtype else out
        if wanted:
            return self.leaf(node, operands)
        return out if wanted is False else join(out, self.leaf(node, operands))._replace(grad=Grad.UNKNOWN | Grad.CUT)

    def legacy_tensor(self, last: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """torch.Tensor(x), FloatTensor(x), as_tensor(x): of a tensor the same object or an alias, of anything else a new leaf."""
        given = self.open(args[:1], node)
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
            return self.plain(node)
        out = self.leaf(node, tag="parameter")
        return out if flag is None or flag.const is True else out._replace(grad=Grad.UNKNOWN | Grad.CUT)

    def library_module(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """An instance of a class of torch.nn."""
        address, _ = self.container(node, ("module", name))
        last = name.rpartition(".")[2]
        own = frozenset((address,))
        for key in (TRAINING, FREEZING, CHAIN):
            self.state.delete((address, key))
        out = Value(Kind.MODULE | (Kind.CONTAINER if last in objects.HOLDERS else 0), refs=own, names=frozenset((name,)))
        parts = args
        if last not in objects.HOLDERS:
            self.state.write((address, HOLDS), int(objects.has_parameters(name)))
            return out
        if last != "Sequential" and args:
            parts = self.inside_list(args[0])
            for key, item in self.pairs(args[0], node) if last.endswith("Dict") else ():
                self.put(address, key, item)
        elif len(args) == 1 and args[0].kind & Kind.CONTAINER:
            parts = self.inside_list(args[0])
        for index, part in enumerate(parts):
            self.put(address, constant(index), part)
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

    def optimizer(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """An optimizer over the parameters it is given: they are evidence that what they came from is a module that trains."""
        token = self.token(node, "optimizer")
        held: frozenset[int] = EMPTY
        for value in self.open([*args[:1], *(keywords[k] for k in ("params",) if k in keywords)], node):
            modules = frozenset(m for t in value.refs for m in self.parameters.get(t, EMPTY))
            held |= self.with_parts(Value(Kind.MODULE, refs=modules)) if modules else EMPTY
            held |= value.refs | frozenset(m for t in value.refs for m in self.parameters.get(t, EMPTY))
            for inner in self.inside(value):
                held |= inner.refs | frozenset(m for t in inner.refs for m in self.parameters.get(t, EMPTY))
        self.optimized[token] = held
        own = frozenset((token,))
        return Value(Kind.OPTIMIZER, refs=own, names=frozenset(("optimizer",)))

    def named_object(self, kind: int, name: str, args: list[Value], node: ast.expr) -> Value:
        token = self.token(node, "object")
        out = Value(kind, refs=frozenset((token,)), names=frozenset((name,)))
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

    def call_autograd(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """torch.autograd.*."""
        given = self.open([*args, *keywords.values()], node)
        if name == "Variable":
            return self.variable(args, keywords, node)
        if name == "backward":
            self.backward(args[0] if args else OTHER, node, keywords)
            return OTHER
        if name == "grad":
            outputs = self.open(args[:1] or [keywords.get("outputs", OTHER)], node)
            for value in outputs:
                self.trace.backpropagated |= value.reach
                self.trace.proven |= value.refs
            create = keywords.get("create_graph")
            live = create is not None and create.const is not False
            item = self.derive(given, node) if live else self.plain(node)
            return self.tuple_of(node, item._replace(kind=Kind.TENSOR), None)
        if name.startswith("functional.") and args:
            self.call(args[0], args[1:], {}, node)
            return self.plain(node)
        if name == "Function.apply":
            return self.derive(given, node)._replace(kind=Kind.TENSOR)
        return OTHER

    def variable(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """Variable(x): x, detached; with requires_grad=True a leaf. https://docs.pytorch.org/docs/2.13/autograd.html#variable-deprecated"""
        if "volatile" in keywords and keywords["volatile"].const is not False:
            self.record(Role.SWITCH, node, OTHER, detail="volatile")
        wanted = self.requires(keywords)
        operand = args[0] if args else OTHER
        if wanted:
            return self.leaf(node, self.open([operand], node))
        out = self.detach(operand, node)
        return out if wanted is False else out._replace(grad=Grad.CUT | Grad.UNKNOWN)

    def distribution(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """A distribution carries the history of its parameters."""
        own = self.derive(self.open([*args, *keywords.values()], node), node, "distribution")
        return own._replace(kind=Kind.OBJECT, names=frozenset(("torch.distributions.Distribution",)))

    def backward(self, value: Value, node: ast.AST, keywords: dict[str, Value]) -> None:
        """value.backward(): proves that the value was live, and that nothing it was computed from is a leak."""
        trace = self.trace
        for one in self.open([value], node):
            retain = keywords.get("retain_graph")
            self.record(Role.BACKWARD, node, one, detail=retain is not None and retain.const is not False)
            trace.backpropagated |= one.reach
            trace.proven |= one.refs
            roots = {t for t in one.history if t not in one.refs and trace.sites[t].callee is not None}
            if len(roots) == 1 and one.grad == Grad.UNKNOWN:
                trace.proven |= roots
            for carry in one.carried:
                if carry.freed and not (retain is not None and retain.const is not False):
                    state = self.states.get((carry.loop, carry.key), OTHER)
                    self.record(Role.CARRIED, self.bound_at.get(carry.key, node), state, detail=(carry, node))

    # -- grad-mode switches ---------------------------------------------------------------------------------------------------------------
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

    # -- sinks ------------------------------------------------------------------------------------------------------------------------------
    def reach_sink(self, sink: Sink, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> None:
        """Record what reaches a sink."""
        role = {SinkRole.LOG: Role.LOG, SinkRole.ARRAY: Role.ARRAY}.get(sink.role)
        inner = {SinkRole.LOG: Role.LOG, SinkRole.ARRAY: Role.ARRAY}.get(sink.inner) if sink.inner else None
        if role is None and inner is None and not sink.text:
            return
        given: list[tuple[int | str, Value]] = [*enumerate(args), *keywords.items()]
        for place, value in given:
            if not sink.takes(place):
                continue
            if value.kind & Kind.TEXT and not value.kind & Kind.TENSOR:
                if (role == Role.LOG or sink.text) and value.history:
                    self.record(Role.LOG, node, value, detail=sink)
            elif value.kind & (Kind.TENSOR | Kind.UNKNOWN):
                if role is not None:
                    self.record(role, node, value, detail=sink)
            elif value.kind & Kind.CONTAINER and inner is not None:
                for part in self.inside(value):
                    if part.kind & (Kind.TENSOR | Kind.UNKNOWN | Kind.TEXT) and part.history:
                        self.record(inner, node, part, value, detail=sink)
