"""Calls of libraries beside torch: copies, containers of the standard library, namespaces, models of other packages.

Here: dotted names that are not below torch. Not here: sinks (knowledge/sinks), Python's own functions (builtins).
"""

from __future__ import annotations

import ast

from flake8_detach.knowledge import objects, operations
from flake8_detach.knowledge.operations import Effect
from flake8_detach.value import (
    OTHER,
    Kind,
    Training,
    Value,
    constant,
    join_all,
)

from .modules import FROZEN, TRAINABLE
from .records import Class
from .state import CHAIN, FREEZING, HOLDS, ITEMS, TRAINING
from .torch_calls import TorchCalls


class Libraries(TorchCalls):
    """Evaluates calls of other libraries."""

    def call_other_library(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """Libraries beside torch."""
        root = name.partition(".")[0]
        effect = operations.WRAPPERS.get(name)
        if name.endswith("amp.scale_loss") and args:
            return self.derive(args[:1], node)
        if effect == Effect.SECOND:
            return args[1] if len(args) > 1 else OTHER
        if effect == Effect.TUPLE:
            return args[0] if len(args) == 1 else self.row(node, args)
        if name == "functools.partial" and args:
            return args[0] if "use_reentrant" not in keywords else Value(Kind.OTHER)
        if name in ("copy.deepcopy", "copy.copy"):
            if name == "copy.deepcopy" and args:
                self.note_copy(args[0], node)
            return self.copied(args[0], node, name == "copy.deepcopy") if args else OTHER
        if name in ("collections.defaultdict", "collections.OrderedDict", "collections.deque", "collections.Counter"):
            out = self.container(node, name)[1] if not args or name.endswith("defaultdict") else self.copied(args[0], node)
            if not name.endswith("deque"):
                self.mappings |= out.refs
                for key, item in keywords.items():
                    for address in out.refs:
                        self.put(address, constant(key), item)
            if name.endswith("defaultdict") and args:
                self.factories.update(dict.fromkeys(out.refs, args[0]))
            return out._replace(names=frozenset(("bounded",))) if "maxlen" in keywords or len(args) > 1 else out
        if name in ("itertools.chain", "itertools.cycle", "itertools.islice") and args:
            out = self.tuple_of(node, join_all([self.items(a, node) for a in args if a.kind & ~Kind.NUMBER] or [OTHER]), None)
            return self.one_shot(out) if name == "itertools.chain" else out
        if name == "collections.namedtuple" and len(args) > 1:
            return self.named_tuple(args[1], node)
        if name == "functools.reduce" and len(args) > 1:
            item = self.items(args[1], node)
            return self.call(args[0], [item, item], {}, node)
        if name == "dataclasses.field":
            factory = keywords.get("default_factory")
            return self.call(factory, [], {}, node) if factory is not None else keywords.get("default", OTHER)
        if name in ("types.SimpleNamespace", "argparse.Namespace"):
            return self.namespace(keywords, node)
        given = self.open([*args, *keywords.values()])
        if root == "numpy" or root in ("math", "scipy"):
            return self.array(name, args) if root != "math" else self.number(given)
        if name.startswith("contextlib.") or name in ("contextlib.ExitStack",):
            return Value(Kind.SWITCH, names=frozenset((name,)))
        if name.startswith(objects.PROCESSES):
            return self.process_tool(name.rpartition(".")[2], args, keywords, node)
        if name.startswith(("torchvision.models.", "timm.create_model")):
            out = self.foreign_module(node)
            if objects.PRETRAINED.match(name):
                self.trace.fickle |= out.refs
            return out
        if objects.FEATURE_EXTRACTORS.match(name) and (args and args[0].kind & Kind.CONTAINER or "output_blocks" in keywords):
            out = self.foreign_module(node)
            asked = keywords.get("requires_grad", constant(False))
            self.freeze(out, FROZEN if asked.const is False else FROZEN | TRAINABLE)
            return out
        if objects.HUB_MODELS.match(name):
            return self.hub_model(node)
        if name.endswith("LightningModule"):
            return OTHER
        if name.startswith(objects.OPTIMIZERS) and objects.kind_of_class(name) == Kind.OPTIMIZER:
            return self.optimizer(name, args, keywords, node)
        if objects.SCHEDULE_MAKERS.match(name):
            return self.named_object(Kind.SCHEDULER, name, args, keywords, node)
        if root in operations.PURE_MODULES or name.startswith(operations.PURE_PARTS):
            return self.pure_result(name, args, given, node)
        result = self.unknown(node, given, Value(Kind.LIBRARY, names=frozenset((name,))))
        self.give_away(given, node, name.rpartition(".")[2])
        return result._replace(names=frozenset((name,))) if objects.TENSORDICT_MODULES.match(name) else result

    def named_tuple(self, names: Value, node: ast.expr) -> Value:
        """namedtuple("Point", "x y") or namedtuple("Point", ["x", "y"]): a class of records."""
        given = names.const.replace(",", " ").split() if isinstance(names.const, str) else [v.const for v in self.inside_list(names)]
        token = self.token(node, "class")
        shell = ast.copy_location(ast.ClassDef("namedtuple", [], [], [], []), node)
        fields = [name for name in given if isinstance(name, str)]
        self.classes[token] = cls = Class(shell, token, [], frozenset(("typing.NamedTuple",)), False, False, True)
        cls.fields = fields
        return Value(Kind.CLASS, refs=frozenset((token,)))

    def pure_result(self, name: str, args: list[Value], given: list[Value], node: ast.expr) -> Value:
        """What a harmless library hands back: a choice of what it was given, or something else."""
        if name in ("random.choice", "copy.copy") and args:
            return self.items(args[0], node) if name == "random.choice" else args[0]
        if name in ("random.sample", "random.choices", "itertools.islice", "heapq.nlargest") and args:
            return self.tuple_of(node, self.items(args[0], node), None)
        return Value(Kind.OTHER, reach=self.number(given).reach)

    def process_tool(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """Queues, pipes, pools and processes: what is put into them is pickled."""
        token = self.token(node, "process tool")
        if name in objects.CHANNELS or name == "Pipe":
            end = Value(Kind.OBJECT, refs=frozenset((token,)), names=frozenset((f"multiprocessing.{name}",)))
            return self.row(node, [end, end]) if name == "Pipe" else end
        if name in ("get_context", "Manager"):
            return Value(Kind.LIBRARY, names=frozenset(("multiprocessing",)))
        target = keywords.get("target")
        if name == "Process" and target is not None and target.kind & Kind.FUNCTION and "args" in keywords:
            given = keywords["args"]
            count = self.length(given)
            if count is not None:
                self.call(target, self.unpack(given, count, node), {}, node)
                return Value(Kind.OTHER)
        self.escape(self.open([*args, *keywords.values()]))
        return Value(Kind.OTHER)

    def namespace(self, keywords: dict[str, Value], node: ast.expr) -> Value:
        token = self.token(node, "namespace")
        for key, item in keywords.items():
            self.set_field(token, key, item)
        return Value(Kind.OBJECT, refs=frozenset((token,)))

    def hub_model(self, node: ast.expr) -> Value:
        """A pretrained model, handed over in eval mode."""
        out = self.foreign_module(node)
        self.trace.pretrained |= out.refs
        for address in out.refs:
            self.state.write((address, TRAINING), Training.EVAL)
        return out

    def foreign_module(self, node: ast.expr) -> Value:
        """A model of a library: a module with parameters whose code the file does not show."""
        token = self.token(node, "foreign")
        self.trace.modules.add(token)
        own = frozenset((token,))
        return Value(Kind.MODULE, refs=own, reach=own)

    def copied(self, value: Value, node: ast.expr, deep: bool = False) -> Value:
        """A copy: of a container a new one with the same items, of a tensor one with the same liveness, of a module a new module."""
        if value.kind & Kind.MODULE:
            return value._replace(refs=frozenset(self.copied_module(address, node) for address in value.refs))
        if value.kind & Kind.CONTAINER:
            address, out = self.container(node, "copy")
            if value.refs <= self.mappings:
                self.mappings.add(address)
            for key, item in self.pairs(value, node):
                self.put(address, key, self.without_snapshot(item, node) if deep and self.snapshots else item)
            return out
        return value

    def copied_module(self, address: int, node: ast.expr, depth: int = 4) -> int:
        """A copy of a module, with copies of the modules that it holds."""
        token = self.token(node, ("copy", address))
        self.trace.copies[token] = frozenset((address,))
        if address in self.instances:
            self.instances[token] = self.instances[address]
        for group in (self.holders, self.trace.fickle, self.trace.modules):
            if address in group:
                group.add(token)
        keys = self.item_keys.get(address, {})
        self.item_keys.setdefault(token, {}).update(keys)
        self.fields.setdefault(token, {}).update(self.fields.get(address, {}))
        for name in [*self.fields[token], ITEMS, HOLDS, CHAIN, FREEZING, *keys]:
            slot = self.state.store.get((address, name))
            if isinstance(slot, Value) and slot.kind & Kind.MODULE and depth:
                slot = slot._replace(refs=frozenset(self.copied_module(a, node, depth - 1) for a in slot.refs if a != address))
            if slot is not None:
                self.state.write((token, name), slot)
        return token
