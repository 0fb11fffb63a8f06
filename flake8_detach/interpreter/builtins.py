"""Python's own functions and types: print, zip, sum, isinstance ...

Here: one `builtin_<name>` each, a few by groups. Not here: anything of a library.
"""

from __future__ import annotations

import ast
from typing import Final

from flake8_detach.knowledge import objects, sinks
from flake8_detach.trace import Role
from flake8_detach.value import EMPTY, NONE, NUMBER, OTHER, TEXT, Kind, Value, constant, join, join_all

from .libraries import Libraries
from .state import FROM_ZERO, LENGTH

PASS_THROUGH: Final = frozenset("list tuple set sorted reversed iter frozenset".split())
NUMBERS: Final = frozenset("len int float bool complex ord hash id round divmod isinstance issubclass hasattr callable any all".split())


class Builtins(Libraries):
    """Evaluates calls of builtins."""

    def call_builtin(self, name: str, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """Python's own functions."""
        method = getattr(self, "builtin_" + name, None)
        if method is not None:
            return method(args, keywords, node)  # type: ignore[no-any-return]
        if name in PASS_THROUGH:
            if name != "iter":
                self.consume_all(args, node)
            return self.rebuilt(args[0], node, name) if args else self.container(node, name)[1]
        if name in NUMBERS:
            if name in ("float", "complex"):
                self.note_number(args, node)
            return self.number(self.open(args))
        if name in ("str", "repr", "format", "ascii"):
            return self.builtin_text(name, args, node)
        if name == "abs" or name == "pow":
            return self.derive(args, node) if args and args[0].kind & (Kind.TENSOR | Kind.UNKNOWN) else NUMBER
        sink = sinks.of_function(name)
        if sink is not None:
            self.reach_sink(sink, args, keywords, node)
        return OTHER

    def builtin_text(self, name: str, args: list[Value], node: ast.expr) -> Value:
        return self.show([v for a in args[:1] for v in self.inside(a)]) if name != "format" else TEXT

    def rebuilt(self, value: Value, node: ast.expr, name: str) -> Value:
        """list(x), tuple(x) ...: a new container with the same items (and, of a display, the same places)."""
        count = self.length(value)
        if count is not None and name in ("list", "tuple"):
            return self.row(node, self.unpack(value, count, node))
        if value.kind & Kind.OTHER and not value.refs:
            return OTHER
        return self.tuple_of(node, self.items(value, node), None)

    def builtin_reveal(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """reveal(x): records what is believed of x, for the fixtures and the debugger; it is x."""
        if args:
            self.record(Role.REVEAL, node, args[0])
        return args[0] if args else OTHER

    def builtin_print(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        sink = sinks.of_function("print")
        if sink is not None:
            self.reach_sink(sink, args, {}, node)
        return NONE

    def builtin_dict(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        pairs = self.pairs(args[0], node) if args and args[0].kind & (Kind.CONTAINER | Kind.UNKNOWN | Kind.OBJECT) else []
        return self.mapping(node, [*pairs, *((constant(k), v) for k, v in keywords.items())])

    def builtin_range(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        out = self.tuple_of(node, NUMBER, None)
        return out._replace(names=frozenset((FROM_ZERO,))) if len(args) == 1 or args and args[0].const == 0 else out

    def builtin_enumerate(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        return self.tuple_of(node, self.pair(node, NUMBER, self.items(args[0], node)) if args else OTHER, None)

    def builtin_zip(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        if isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], ast.Starred) and args:
            return self.transposed(args[0], node)
        address, row = self.container(node, "zipped")
        for index, value in enumerate(args):
            self.put(address, constant(index), self.items(value, node))
        return self.tuple_of(node, row, None)

    def transposed(self, row: Value, node: ast.expr) -> Value:
        """zip(*rows): the columns."""
        count = self.length(row)
        if count is None:
            return self.tuple_of(node, self.tuple_of(node, self.items(row, node), None), None)
        address, out = self.container(node, "columns")
        for index, item in enumerate(self.unpack(row, count, node)):
            column, value = self.container(node, ("column", index))
            self.add_anywhere(column, item)
            self.put(address, constant(index), value)
        self.state.write((address, LENGTH), constant(count))
        return out

    def builtin_map(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        if len(args) < 2:
            return OTHER
        return self.one_shot(self.tuple_of(node, self.call(args[0], [self.items(a, node) for a in args[1:]], {}, node), None))

    def builtin_filter(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        return self.one_shot(self.tuple_of(node, self.items(args[1], node), None)) if len(args) > 1 else OTHER

    def builtin_next(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        return self.items(args[0], node) if args else OTHER

    def builtin_sum(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        self.consume_all(args[:1], node)
        parts = [self.items(args[0], node), *args[1:]] if args else []
        if any(p.kind & (Kind.TENSOR | Kind.UNKNOWN) for p in parts):
            out = self.derive(parts, node)
            return join(out, NUMBER) if len(parts) == 1 and self.may_be_empty(args[0]) else out
        return self.number(parts)

    def builtin_min(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        return join_all(args) if len(args) > 1 else self.items(args[0], node) if args else OTHER

    builtin_max = builtin_min

    def builtin_getattr(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        if len(args) > 1 and isinstance(args[1].const, str):
            return self.attribute(args[0], args[1].const, node)
        return self.any_field(args[0], node) if args else OTHER

    def any_field(self, value: Value, node: ast.expr) -> Value:
        """getattr(x, name) of an unknown name: any field of the object; which container it would be nobody can say."""
        found = [s for a in value.refs for n in self.fields.get(a, ()) if isinstance(s := self.state.store.get((a, n)), Value)]
        return join_all([*(s for s in found if s.kind != Kind.CONTAINER), self.unknown(node, [value])])

    def builtin_setattr(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        if len(args) > 2 and isinstance(args[1].const, str):
            self.write_attribute(args[0], args[1].const, args[2], node)
        elif len(args) > 2:
            self.trace.adopted |= args[2].refs
            self.write_any_field(args[0], args[2], node)
        return OTHER

    def write_any_field(self, target: Value, value: Value, node: ast.expr) -> None:
        """setattr(x, name, value) of an unknown name: a field of the same kind may be another now; a module is that module."""
        doubt = value if value.kind & (Kind.MODULE | Kind.NONE) else self.unknown(node, [value])
        for address in target.refs:
            if value.kind == Kind.MODULE:
                self.set_field(address, f"<{getattr(node, 'lineno', 0)}>", value)
            for name in list(self.fields.get(address, ())):
                old = self.state.store.get((address, name))
                if isinstance(old, Value) and old.kind & (value.kind | Kind.UNKNOWN | Kind.NONE):
                    self.state.write((address, name), join(old, doubt))

    def builtin_super(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        this = self.here.this
        return Value(Kind.OBJECT, names=frozenset(("builtins.super",)), refs=this.refs if this else EMPTY)

    def builtin_type(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        if args and args[0].kind == Kind.TENSOR:
            return Value(Kind.OTHER, names=frozenset(("type of tensor",)))
        return OTHER

    def builtin_vars(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        return self.attribute(args[0], "__dict__", node) if args else OTHER

    def builtin_isinstance(self, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        """What the kinds known rule out or in; a module evidence where a module is asked for."""
        if len(args) < 2:
            return NUMBER
        verdict = self.is_instance(args[0], self.inside(args[1]))
        return NUMBER if verdict is None else constant(verdict)

    def is_instance(self, value: Value, classes: list[Value]) -> bool | None:
        """Three-valued isinstance, for tensors, containers, numbers, text and classes of the file."""
        answers = [self.is_one(value, cls) for cls in classes]
        if any(a is True for a in answers):
            return True
        return False if answers and all(a is False for a in answers) else None

    def is_one(self, value: Value, cls: Value) -> bool | None:
        mask = objects.CLASS_KINDS.get(cls.name)
        if cls.kind & Kind.CLASS and cls.refs and not value.kind & (Kind.UNKNOWN | Kind.OTHER):
            mine = [self.instances.get(a) for a in value.refs]
            wanted = {self.classes.get(a) for a in cls.refs}
            if value.kind & ~(Kind.OBJECT | Kind.MODULE | Kind.CONTAINER):
                return False if not value.kind & (Kind.OBJECT | Kind.MODULE) else None
            return all(m is not None and any(w in m.mro() for w in wanted) for m in mine) if mine else None
        if mask is None or value.kind & (Kind.UNKNOWN | Kind.OTHER):
            return None
        if value.kind == mask:
            return True if cls.name in objects.WHOLE_CLASSES else None
        return None if value.kind & mask else False
