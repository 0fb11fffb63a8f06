"""The Program: imports, definitions, calls of functions of the file, and where interpretation starts.

Here: the module body is run first; then every function that nothing in the file called is run with unknown arguments, methods on one object of
their class, twice where they leave something live on it. Not here: single statements and expressions.
"""
from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable

from flake8_detach.knowledge import objects, operations, sinks
from flake8_detach.trace import Role, Trace
from flake8_detach.value import EMPTY, NONE, OTHER, TEXT, Grad, Kind, Leaf, Value, constant, join_all

from .machine import DEPTH, Activation, Class, Function, FunctionNode, Loop
from .state import MODE, YIELD_MODE
from .statements import Statements

STATEMENT_FUEL = 60
"""How many statements are executed for each statement of the file, before calls are no longer followed."""


class Program(Statements):
    """Interprets one file."""

    def run(self) -> Trace:
        """Interpret the file and answer its trace."""
        tree = self.trace.tree
        self.fuel = 4000 + STATEMENT_FUEL * len(tree.body) * 10
        frame = self.frame(None, None, -1, "")
        self.activations.append(Activation(frame, 0, (0,), None, None, 0))
        scope = self.token(tree, "module")
        self.module_scope = scope
        self.activations[0] = Activation(frame, scope, (scope,), None, None, 0)
        self.exec_block(tree.body)
        self.state.dead = False
        self.state.write(MODE, self._module_mode())
        self.run_uncalled()
        return self.trace

    def _module_mode(self) -> int:
        """Grad mode after the module body: what a statement at top level left."""
        return self.mode

    # -- imports --------------------------------------------------------------------------------------------------------------------------
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
                if node.module:
                    self.stars.append(node.module)
                continue
            if node.level:
                value = self.foreign(alias.name)
            else:
                value = self.imported(f"{node.module}.{alias.name}")
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

    # -- definitions ------------------------------------------------------------------------------------------------------------------------
    def exec_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        owner = self.owner_of_scope.get(self.here.scope)
        mode, traits, plain = self.decorators(node)
        value = self.define(node, owner, mode, traits)
        if not plain:
            value = value._replace(kind=value.kind)
        self.bind_name(node.name, value, node)

    exec_AsyncFunctionDef = exec_FunctionDef

    @property
    def owner_of_scope(self) -> dict[int, Class]:
        return self.classes

    def decorators(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, frozenset[str], bool]:
        """What the decorators of a function say: its grad mode, and how it is bound."""
        mode, traits, plain = 0, set(), True
        for decorator in node.decorator_list:
            value = self.eval(decorator)
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
                plain = self.trait(value, decorator, traits) and plain
        return (mode if not isinstance(node, ast.AsyncFunctionDef) else 0), frozenset(traits), plain

    def trait(self, value: Value, decorator: ast.expr, traits: set[str]) -> bool:
        name = next(iter(value.names), "")
        known = {"builtins.staticmethod": "static", "builtins.classmethod": "class", "builtins.property": "property",
                 "functools.cached_property": "property", "contextlib.contextmanager": "contextmanager",
                 "contextlib.asynccontextmanager": "contextmanager"}  # fmt: skip
        if name in known:
            traits.add(known[name])
            return True
        if any(word in ast.unparse(decorator).lower() for word in ("no_grad", "inference", "nograd", "eval_mode", "evaluating")):
            traits.add("maybe no_grad")
        return False

    def define(self, node: FunctionNode, owner: object, mode: int, traits: frozenset[str]) -> Value:
        token = self.token(node, "function")
        args = node.args
        pairs = [*zip(reversed([*args.posonlyargs, *args.args]), reversed(args.defaults))]
        pairs += [(a, d) for a, d in zip(args.kwonlyargs, args.kw_defaults) if d is not None]
        defaults = tuple((a.arg, self.eval(d)) for a, d in pairs)
        scope = self.here.scope if not isinstance(owner, Class) else (self.here.scopes[1] if len(self.here.scopes) > 1 else self.here.scope)
        self.functions[token] = Function(node, scope, owner if isinstance(owner, Class) else None, defaults, mode, traits)
        self.closures[token] = self.here.scopes[1:] if isinstance(owner, Class) else self.here.scopes
        self.order.setdefault(token, None)
        return Value(Kind.FUNCTION, refs=frozenset((token,)))

    def exec_ClassDef(self, node: ast.ClassDef) -> None:
        token = self.token(node, "class")
        cls = self.describe(node, token)
        self.classes[token] = cls
        here = self.here
        scopes, scope = here.scopes, here.scope
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
            if names & objects.MODULE_BASES or any(objects.kind_of_class(n) == Kind.MODULE for n in names):
                module = True
            elif not found and not names & _PLAIN_BASES and not any(n.startswith(("typing.", "enum.", "collections.", "abc.")) for n in names):
                unknown = True
        if module:
            self.trace.model_classes.add(node.name)
        record = any("dataclass" in ast.unparse(d) for d in node.decorator_list)
        return Class(node, token, bases, frozenset(library), unknown, module, record)

    # -- calls of functions of the file ---------------------------------------------------------------------------------------------------
    def call_function(self, token: int, args: list[Value], keywords: dict[str, Value], node: ast.AST | None) -> Value:
        function = self.functions[token]
        self.called.add(id(function.node))
        running = sum(1 for a in self.activations if a.function is not None and a.function.node is function.node)
        if running > 1 or len(self.activations) > DEPTH or self.fuel < 0:
            given = self.open([*args, *keywords.values()], function.node)
            self.escape(given)
            return self.unknown(node or function.node, given)
        this = self.methods.get(token)
        if this is not None:
            args = [this, *args]
        elif args and function.owner is not None and "static" not in function.traits:
            this = args[0]
        return self.activate(function, token, args, keywords, node, this)

    def activate(
        self, function: Function, token: int, args: list[Value], keywords: dict[str, Value], node: ast.AST | None, this: Value | None
    ) -> Value:
        """Run a body in a frame of its own and join what its paths return."""
        owner = function.owner.node.name if function.owner is not None else ""
        parent = self.here.frame if node is not None else -1
        frame = self.frame(function.node, node, parent, owner)
        scope = self.frame_scope(frame)
        mark = self.state.mark()
        outer_loops = self.loops
        here = Activation(frame, scope, (scope, *self.closures_of(token, function)), function, this or self.here.this, mark)
        before = self.mode
        self.bind_arguments(function, scope, args, keywords, node)
        if function.mode:
            self.set_mode(function.mode)
        elif "maybe no_grad" in function.traits:
            self.set_mode(before | Grad.CUT)
        self.activations.append(here)
        if isinstance(function.node, ast.Lambda):
            here.returns.append(self.eval(function.node.body))
        else:
            self.exec_block(function.node.body)
        self.activations.pop()
        self.loops = outer_loops
        return self.finish(function, here, mark, before, node)

    def finish(self, function: Function, here: Activation, mark: int, before: int, node: ast.AST | None) -> Value:
        """Join the ways out of a body."""
        if not isinstance(function.node, ast.Lambda):
            if not self.state.dead:
                here.returns.append(NONE)
                here.exits.append(self.state.changed(mark))
            self.state.dead = False
            if here.exits:
                self.state.rollback(mark)
                self.state.merge(here.exits)
        if function.mode or "maybe no_grad" in function.traits:
            self.set_mode(before)
        if here.yields:
            return self.generated(function, here)
        value = join_all(here.returns) if here.returns else OTHER
        left = self.trace.left.setdefault(here.frame, set())
        for part in self.inside(value):
            if part.grad & (Grad.LIVE | Grad.UNKNOWN):
                left |= self.with_wholes(part.history | part.refs)
        return value

    def with_wholes(self, tokens: frozenset[int]) -> set[int]:
        """Tokens, and those of what they are parts of."""
        out: set[int] = set()
        for token in tokens:
            while token not in out:
                out.add(token)
                token = self.part_of.get(token, token)
        return out

    def generated(self, function: Function, here: Activation) -> Value:
        """Calling a generator function: a container of what it yields."""
        item = join_all(here.yields)
        value = self.tuple_of(function.node, item, None)
        self.trace.left.setdefault(here.frame, set()).update(t for part in self.inside(item) for t in part.reach)
        if "contextmanager" in function.traits:
            for address in value.refs:
                self.state.write((address, YIELD_MODE), here.yield_modes)
        return value

    def frame_scope(self, frame: int) -> int:
        """The address of a frame's variables."""
        return self.part(0, ("scope", frame))

    def closures_of(self, token: int, function: Function) -> tuple[int, ...]:
        return self.closures.get(token) or self.closures.get(self.token_of(function)) or (self.module_scope,)

    def token_of(self, function: Function) -> int:
        return next((t for t, f in self.functions.items() if f is function and t in self.closures), 0)

    def bind_arguments(self, function: Function, scope: int, args: list[Value], keywords: dict[str, Value], node: ast.AST | None) -> None:
        """Parameters by position, keyword, default, * and **."""
        spec = function.node.args
        names = [a.arg for a in (*spec.posonlyargs, *spec.args)]
        write = self.state.write
        defaults = dict(function.defaults)
        rest = dict(keywords)
        for index, name in enumerate(names):
            if index < len(args):
                value = args[index]
            elif name in rest:
                value = rest.pop(name)
            else:
                value = defaults.get(name) or rest.get("**") or self.parameter_value(function, index, name)
            write((scope, name), value)
        for parameter in spec.kwonlyargs:
            value = rest.pop(parameter.arg, None) or defaults.get(parameter.arg) or self.unknown(parameter)
            write((scope, parameter.arg), value)
        if spec.vararg is not None:
            write((scope, spec.vararg.arg), self.row(spec.vararg, args[len(names) :]))
        if spec.kwarg is not None:
            write((scope, spec.kwarg.arg), self.mapping(spec.kwarg, [(constant(k), v) for k, v in rest.items()]))

    def parameter_value(self, function: Function, index: int, name: str) -> Value:
        """What a parameter is when nobody gives it: by its annotation, else unknown."""
        spec = function.node.args
        parameter = [*spec.posonlyargs, *spec.args][index]
        out = self.unknown(parameter)._replace(grad=Grad.UNKNOWN)
        if parameter.annotation is not None:
            return self.annotated(out, parameter.annotation)
        return out

    def annotated(self, value: Value, annotation: ast.expr) -> Value:
        """An unknown value of an annotated kind."""
        found = self.eval(annotation) if isinstance(annotation, (ast.Name, ast.Attribute)) else OTHER
        name = next(iter(found.names), "")
        if name in ("torch.Tensor", "torch.FloatTensor"):
            return value._replace(kind=Kind.TENSOR)
        if name in ("builtins.int", "builtins.float", "builtins.bool"):
            return Value(Kind.NUMBER)
        if name == "builtins.str":
            return TEXT
        if name == "numpy.ndarray":
            return Value(Kind.ARRAY)
        if name in objects.MODULE_BASES:
            self.trace.modules |= value.refs
            return value._replace(kind=Kind.MODULE)
        if name.startswith("torch.optim.") and not name.startswith(objects.SCHEDULERS):
            return value._replace(kind=Kind.OPTIMIZER)
        if name in ("torch.LongTensor", "torch.BoolTensor"):
            return self.plain(annotation, integer=True)
        return value

    # -- what nobody calls ------------------------------------------------------------------------------------------------------------------
    def run_uncalled(self) -> None:
        """Run every function that was never reached, methods class by class; first those whose names nothing in the text calls."""
        done: set[int] = set()
        names = Counter(re.findall(r"\b(\w+)\s*\(", self.source))
        for attempt in range(4):  # bodies define functions of their own
            waiting = [t for t in self.order if t not in done and id(self.functions[t].node) not in self.called]
            if attempt == 0:
                waiting = [t for t in waiting if names[getattr(self.functions[t].node, "name", "")] < 2]
            done.update(waiting)
            by_class: dict[int, list[int]] = {}
            for token in waiting:
                owner = self.functions[token].owner
                if owner is not None:
                    by_class.setdefault(owner.address, []).append(token)
            for token in waiting:
                owner = self.functions[token].owner
                if owner is None:
                    if id(self.functions[token].node) not in self.called:
                        self.run_entry(token, [])
                elif owner.address in by_class:
                    self.run_class(self.classes[owner.address], by_class.pop(owner.address))

    def run_entry(self, token: int, args: list[Value]) -> Value:
        """One function with unknown arguments, in the mode its framework gives it."""
        function = self.functions[token]
        mark_mode = self.mode
        self.fuel = max(self.fuel, 600 + STATEMENT_FUEL * 40)
        name = getattr(function.node, "name", "")
        if name in objects.FRAMEWORK_NO_GRAD and function.owner is not None and (function.owner.unknown_base or function.owner.is_module):
            self.set_mode(Grad.CUT)
        value = self.call_function(token, args, {}, None)
        self.set_mode(mark_mode)
        self.escape(self.inside(value))
        return value

    def run_class(self, cls: Class, tokens: Iterable[int]) -> None:
        """All methods that nobody calls, on one object: each from the state after __init__, then again from all of them together."""
        self.fuel = max(self.fuel, 2000)
        this = self.prototype(cls)
        loop = Loop(self.token(cls.node, "life"), self.state.mark())
        self.trace.loops[loop.token] = (cls.node, self.here.frame)
        methods = [t for t in tokens if getattr(self.functions[t].node, "name", "") != "__init__" and id(self.functions[t].node) not in self.called]
        self.loops.append(loop)
        mark = self.state.mark()
        ends = []
        for token in methods:
            self.run_entry(token, self.self_argument(token, this, cls))
            ends.append(self.state.changed(mark))
            self.state.rollback(mark)
            self.state.dead = False
        first = len(self.trace.events)
        if ends:
            self.state.merge([{}, *ends])
        together = self.state.changed(mark)
        if self.second_life_matters(together, this):
            loop.number = 1
            self.tag(loop, together, first)
            for token in methods:
                again = self.state.mark()
                self.run_entry(token, self.self_argument(token, this, cls))
                self.state.rollback(again)
                self.state.dead = False
        self.loops.pop()

    def second_life_matters(self, together: dict[tuple[int, object], object], this: Value) -> bool:
        """Whether a method left something that may be live on the object."""
        return any(
            isinstance(slot, Value) and slot.grad & (Grad.LIVE | Grad.UNKNOWN) and slot.leaf != Leaf.LEAF and slot.kind & (Kind.TENSOR | Kind.UNKNOWN)
            for key, slot in together.items()
            if self.born.get(key[0], ()) == () and not isinstance(key[1], tuple | None) and not self._is_scope(key[0])
        )

    def _is_scope(self, address: int) -> bool:
        return self.trace.sites[address].node is None

    def self_argument(self, token: int, this: Value, cls: Class) -> list[Value]:
        function = self.functions[token]
        if "static" in function.traits:
            return []
        return [Value(Kind.CLASS, refs=frozenset((cls.address,)))] if "class" in function.traits else [this]

    def prototype(self, cls: Class) -> Value:
        """The object whose uncalled methods are run: made with unknown arguments."""
        init = self.find(cls, "__init__")
        address = self.token(cls.node, "prototype")
        self.instances[address] = cls
        value = self.instance_value(cls, address)
        for token in init.refs if init is not None else ():
            if token in self.functions:
                self.run_entry(token, [value])
        if init is None:
            self.fill_record(cls, address, [], {n: self.unknown(cls.node, tag=n) for n in cls.fields})
        return value


_PLAIN_BASES = frozenset("object Exception ValueError RuntimeError dict list tuple set str int float type torch.utils.data.Dataset torch.utils.data.IterableDataset"
                         " torch.autograd.Function abc.ABC Protocol torch.optim.Optimizer torch.utils.data.Sampler threading.Thread".split())


def canonical(dotted: str) -> str:
    """One spelling for what PyTorch exports under several."""
    for prefix, short in _PREFIXES:
        if dotted == prefix or dotted.startswith(prefix + "."):
            return short + dotted[len(prefix) :]
    return dotted


_PREFIXES = (
    ("torch.nn.modules.module", "torch.nn"),
    ("torch.nn.modules", "torch.nn"),
    ("torch.nn.parameter", "torch.nn"),
    ("torch.optim.optimizer", "torch.optim"),
    ("torch.utils.data.dataloader", "torch.utils.data"),
    ("torch.autograd.variable", "torch.autograd"),
    ("torch.nn.utils.clip_grad", "torch.nn.utils"),
)

__all__ = ["EMPTY", "Program", "operations"]
