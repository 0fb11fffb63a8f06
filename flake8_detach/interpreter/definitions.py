"""Definitions: imports, functions and classes.

Here: what a name that is imported or defined stands for, and what decorators and bases say. Not here: calls of what is defined (activations).
"""

from __future__ import annotations

import ast
from typing import Any, Final

from flake8_detach.knowledge import objects, sinks
from flake8_detach.trace import Role, written
from flake8_detach.value import (
    OTHER,
    Grad,
    Kind,
    Value,
)

from .blocks import Blocks
from .records import Class, Function, FunctionNode
from .updates import AUTOCAST

_PLAIN_BASES = frozenset(
    "object Exception ValueError RuntimeError dict list tuple set str int float type torch.utils.data.Dataset torch.utils.data.IterableDataset"
    " torch.autograd.Function abc.ABC Protocol torch.optim.Optimizer torch.utils.data.Sampler threading.Thread".split()
)

_PREFIXES = (
    ("torch.nn.modules.module", "torch.nn"),
    ("torch.nn.modules", "torch.nn"),
    ("torch.nn.parameter", "torch.nn"),
    ("torch.optim.optimizer", "torch.optim"),
    ("torch.utils.data.dataloader", "torch.utils.data"),
    ("torch.autograd.variable", "torch.autograd"),
    ("torch.nn.utils.clip_grad", "torch.nn.utils"),
)


MATTERS: Final = frozenset(
    "no_grad inference_mode set_grad_enabled enable_grad detach item numpy tolist cpu eval train requires_grad requires_grad_ append backward".split()
)
"""Attributes by which a wrapper makes of what a function gives, or how it runs, something else."""


class Definitions(Blocks):
    """Executes imports and definitions."""

    # -- imports ----------------------------------------------------------------------------------------------------------------------

    def exec_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self.bind_name(alias.asname, self.imported(alias.name), node)
            else:
                root = alias.name.partition(".")[0]
                self.bind_name(root, self.imported(root), node)

    def exec_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.stars.append("." * node.level + (node.module or ""))
                continue
            value = self.foreign(alias.name) if node.level else self.imported(f"{node.module}.{alias.name}")
            self.bind_name(alias.asname or alias.name, value, node)

    def imported(self, dotted: str) -> Value:
        """A library name; a module object with sinks is known by its class."""
        owner = sinks.OBJECTS.get(sinks.canonical(dotted))
        if owner is not None:
            return Value(Kind.OBJECT, names=frozenset((owner,)), refs=frozenset((self.part(0, dotted),)))
        return Value(Kind.LIBRARY, names=frozenset((canonical(dotted),)))

    def foreign(self, name: str) -> Value:
        """A name from another file of the project: nothing is known of it."""
        tokens = frozenset((self.part(0, ("foreign", name)),))
        return Value(Kind.UNKNOWN | Kind.LIBRARY, Grad.UNKNOWN, refs=tokens, history=tokens, reach=tokens, names=frozenset(("." + name,)))

    # -- functions --------------------------------------------------------------------------------------------------------------------

    def exec_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        owner = self.classes.get(self.here.scope)
        mode, traits, homemade = self.decorators(node)
        value = function = self.define(node, owner, mode, traits)
        for decorator in reversed(homemade):
            wrapper = self.wrapped(decorator, value, node)
            value = wrapper if traits <= {"maybe no_grad"} and wrapper.kind == Kind.FUNCTION and self.changes_results(decorator) else value
        if value is not function:
            self.put_in_place(value, function, owner)
        self.bind_name(node.name, value, node)

    exec_AsyncFunctionDef = exec_FunctionDef

    def put_in_place(self, wrapper: Value, function: Value, owner: Class | None) -> None:
        """What decorators have made of a function stands where it would: a method's wrapper is a method."""
        self.wrappers.update(dict.fromkeys(function.refs, wrapper))
        for token in wrapper.refs & self.functions.keys():
            self.functions[token] = self.functions[token]._replace(owner=owner)

    def wrapped(self, decorator: Value, function: Value, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Value:
        """What a decorator of the file gives, run also for what it does with the function; a wrapper is run only where it is called."""
        known = len(self.order)
        out = self.call(decorator, [function], {}, node.decorator_list[0])
        while len(self.order) > known:
            self.order.popitem()
        return out

    def changes_results(self, decorator: Value) -> bool:
        """Whether a decorator does what makes a difference to a tensor or a mode: others, that time or log a call, are looked through."""
        nodes = (inner for token in decorator.refs if token in self.functions for inner in ast.walk(self.functions[token].node))
        return any(isinstance(inner, ast.Attribute) and inner.attr in MATTERS for inner in nodes)

    def decorators(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, frozenset[str], list[Value]]:
        """What the decorators of a function say: its grad mode, how it is bound, and those that are functions of the file."""
        mode, homemade = 0, list[Value]()
        traits: set[str] = set()
        for decorator in node.decorator_list:
            value = self.eval(decorator)
            if isinstance(node, ast.AsyncFunctionDef):
                self.note_decorated(value, decorator, "coroutine")
            elif mode == 0 and any(n.endswith("inference_mode") for n in value.names):
                traits.add("no inference" if isinstance(value.const, tuple) and value.const[1] == Grad.LIVE else "inference")
            if value.kind & Kind.SWITCH and isinstance(value.const, tuple):
                mode = value.const[1]
                if value.const[0] == "set":
                    self.set_mode(value.const[2])
                self.record(Role.SWITCH, decorator, value, detail="decorator")
            elif value.names & objects.SWITCH_OFF:
                mode = Grad.CUT
            elif value.names & objects.SWITCH_ON:
                mode = Grad.LIVE
            else:
                self.trait(value, decorator, traits)
            if value.kind == Kind.FUNCTION:
                homemade.append(value)
        return (mode if not isinstance(node, ast.AsyncFunctionDef) else 0), frozenset(traits), homemade

    def note_decorated(self, value: Value, decorator: ast.expr, what: str) -> None:
        """A grad-mode switch on a coroutine or a class, which it does not reach."""
        if value.kind & Kind.SWITCH and isinstance(value.const, tuple) or value.names & (objects.SWITCH_OFF | objects.SWITCH_ON):
            self.record(Role.SWITCH, decorator, value, detail=what)

    def trait(self, value: Value, decorator: ast.expr, traits: set[str]) -> None:
        """How a decorator binds the function, or what its name promises."""
        name = value.name
        known = {"builtins.staticmethod": "static", "builtins.classmethod": "class", "builtins.property": "property",
                 "functools.cached_property": "property", "contextlib.contextmanager": "contextmanager",
                 "contextlib.asynccontextmanager": "contextmanager"}  # fmt: skip
        if name in known:
            traits.add(known[name])
            return
        if name == AUTOCAST:
            traits.add(AUTOCAST)
            return
        if "fixture" in written(decorator):
            traits.add("fixture")
        if any(word in written(decorator).lower() for word in ("no_grad", "inference", "nograd", "eval_mode", "evaluating")):
            traits.add("maybe no_grad")

    def define(self, node: FunctionNode, owner: object, mode: int, traits: frozenset[str]) -> Value:
        token = self.token(node, "function")
        args = node.args
        pairs = [*zip(reversed([*args.posonlyargs, *args.args]), reversed(args.defaults))]
        pairs += [(a, d) for a, d in zip(args.kwonlyargs, args.kw_defaults) if d is not None]
        defaults = tuple((a.arg, self.eval(d)) for a, d in pairs)
        scope = self.here.scope if not isinstance(owner, Class) else (self.here.scopes[1] if len(self.here.scopes) > 1 else self.here.scope)
        self.functions[token] = Function(node, scope, owner if isinstance(owner, Class) else None, defaults, mode, traits)
        self.closures[token] = self.here.scopes[1:] if isinstance(owner, Class) else self.here.scopes
        self.captured.update(self.here.scopes)
        self.order.setdefault(token, None)
        return Value(Kind.FUNCTION, refs=frozenset((token,)))

    def exec_TypeAlias(self, node: Any) -> None:
        """`type X = ...` (Python 3.12): what it stands for is evaluated when somebody asks, if ever."""
        self.bind_name(node.name.id, OTHER, node)

    # -- classes ----------------------------------------------------------------------------------------------------------------------

    def exec_ClassDef(self, node: ast.ClassDef) -> None:
        token = self.token(node, "class")
        cls = self.describe(node, token)
        self.classes[token] = cls
        here = self.here
        scopes, scope = here.scopes, here.scope
        for decorator in node.decorator_list:
            self.note_decorated(self.eval(decorator), decorator, "class")
        here.scopes, here.scope = (token, *scopes), token
        self.exec_block(node.body)
        here.scopes, here.scope = scopes, scope
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                cls.fields.append(statement.target.id)
        self.bind_name(node.name, Value(Kind.CLASS, refs=frozenset((token,))), node)

    def describe(self, node: ast.ClassDef, token: int) -> Class:
        """The record of a class: bases, and whether it is a module."""
        bases: list[Class] = []
        library: set[str] = set()
        unknown = module = False
        for base in node.bases:
            value = self.eval(base)
            found = [self.classes[t] for t in value.refs if t in self.classes]
            bases += found
            library |= value.names
            for cls in found:
                library |= cls.library
                unknown, module = unknown or cls.unknown_base, module or cls.is_module
            names = {n.replace("builtins.", "") for n in value.names}
            if self.is_module_base(base, names):
                module = True
            elif (
                not found
                and not names & _PLAIN_BASES
                and not any(n.startswith(("typing.", "enum.", "collections.", "abc.")) for n in names)
            ):
                unknown = True
        if module:
            self.trace.model_classes.add(node.name)
        if unknown:
            self.trace.heirs.add(node.name)
        record = any("dataclass" in written(d) for d in node.decorator_list) or bool(library & {"typing.NamedTuple"})
        return Class(node, token, bases, frozenset(library), unknown, module, record)


    def is_module_base(self, base: ast.expr, names: set[str]) -> bool:
        """Whether a base of these dotted names makes its heirs nn.Modules."""
        return bool(names & objects.MODULE_BASES) or any(objects.kind_of_class(n) == Kind.MODULE for n in names)


def canonical(dotted: str) -> str:
    """One spelling for what PyTorch exports under several."""
    for prefix, short in _PREFIXES:
        if dotted == prefix or dotted.startswith(prefix + "."):
            return short + dotted[len(prefix) :]
    return dotted
