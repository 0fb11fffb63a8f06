"""Expressions: one `eval_<Node>` for each expression kind of the language.

Here: names, operators, displays, subscripts, conditionals. Not here: truth and text (judgements), comprehensions, calls. A node kind without a
method of its own is of a Python to come.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import cached_property
from typing import Final

from flake8_detach.trace import Role
from flake8_detach.value import (
    NONE,
    NUMBER,
    OTHER,
    TEXT,
    UNSURE,
    DType,
    Grad,
    Kind,
    Value,
    constant,
    join,
    join_all,
)

from .judgements import Judgements
from .records import UnknownSyntax
from .state import OPEN, Difference

BUILTINS: Final = {
    name: Value(Kind.LIBRARY, names=frozenset(("builtins." + name,)))
    for name in "print len range enumerate zip map filter sum min max abs round sorted reversed list tuple dict set frozenset float int bool str repr"
    " complex isinstance issubclass hasattr getattr setattr delattr type super iter next any all open id callable vars dir divmod pow ord chr"
    " hash input object staticmethod classmethod property bytes bytearray memoryview slice format globals locals exec eval exit quit"
    " NotImplementedError ValueError RuntimeError Exception KeyError TypeError StopIteration KeyboardInterrupt ImportError AssertionError"
    " IndexError AttributeError reveal __name__ __file__ NotImplemented".split()
}


class Expressions(Judgements):
    """Evaluates expressions."""

    def eval(self, node: ast.expr) -> Value:
        try:
            method: Callable[..., Value] = self.evaluators[node.__class__]
        except KeyError:
            raise UnknownSyntax(node) from None
        return method(self, node)

    # -- names and constants ----------------------------------------------------------------------------------------------------------

    def eval_Constant(self, node: ast.Constant) -> Value:
        known = self.literals.get(id(node))
        if known is None:
            known = self.literals[id(node)] = constant(node.value)
        return known

    def eval_Name(self, node: ast.Name) -> Value:
        here, name = self.activations[-1], node.id
        slot = self.state.store.get((here.scopes[0], name))
        if slot.__class__ is Value and name not in here.outer:  # most names are of the innermost scope
            return self.current(slot) if slot.kind & (Kind.TENSOR | Kind.UNKNOWN) else slot
        return self.lookup(name)

    def lookup(self, name: str) -> Value:
        """A variable by Python's rules: the scope declared, the local one, the enclosing ones, the module, builtins."""
        here, get = self.activations[-1], self.state.store.get
        for scope in here.scopes if name not in here.outer else (here.outer[name],):
            slot = get((scope, name))
            if slot.__class__ is Value:
                return self.current(slot) if slot.kind & (Kind.TENSOR | Kind.UNKNOWN) else slot
        self.unbound.add(name)
        if name in BUILTINS:
            return BUILTINS[name]
        for star in self.stars:
            if star.partition(".")[0] in ("torch", "numpy", "math"):
                return Value(Kind.LIBRARY | Kind.UNKNOWN, names=frozenset((f"{star}.{name}",)))
        if self.stars and name in self.torch_by_star:
            return Value(Kind.LIBRARY, names=frozenset((self.torch_by_star[name],)))
        tokens = frozenset((self.part(self.module_scope, ("global", name)),))
        return self.current(Value(Kind.UNKNOWN, Grad.UNKNOWN, refs=tokens, history=tokens, reach=tokens))

    @cached_property
    def torch_by_star(self) -> dict[str, str]:
        """What a star import of a file that is not shown can only have brought: torch, its usual short names, and what is used as only torch is."""
        used = re.findall(r"\b(\w+)\.(?:no_grad|inference_mode|set_grad_enabled|from_numpy)\(", self.source)
        return dict.fromkeys(used, "torch") | {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional"}

    def eval_Attribute(self, node: ast.Attribute) -> Value:
        if isinstance(node.value, ast.Attribute) and node.value.attr == "data":
            self.note_use_of_data(node)
        return self.attribute(self.eval(node.value), node.attr, node)

    def eval_NamedExpr(self, node: ast.NamedExpr) -> Value:
        value = self.eval(node.value)
        self.assign(node.target, value, node)
        return value

    # -- operators --------------------------------------------------------------------------------------------------------------------

    def eval_BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.eval(node.left), self.eval(node.right)
        if isinstance(node.op, ast.Add) and Kind.TEXT in (left.kind, right.kind):
            for side, value in ((node.left, left), (node.right, right)):
                if value.kind == Kind.UNKNOWN:
                    self.narrow(side, Kind.TEXT, True)  # what is added to a text is one
        if left.kind & Kind.TEXT and isinstance(node.op, (ast.Mod, ast.Add, ast.Mult)):
            return self.percent(left, right, node) if isinstance(node.op, ast.Mod) else join(left, right) if right.kind & Kind.TEXT else TEXT
        return self.binary(left, right, node, node.op)

    def binary(self, left: Value, right: Value, node: ast.AST, operator: ast.operator) -> Value:
        """left <operator> right, for everything but text."""
        kinds = left.kind | right.kind
        if kinds & Kind.CONTAINER and not kinds & (Kind.TENSOR | Kind.ARRAY) and isinstance(operator, (ast.Add, ast.Mult, ast.BitOr)):
            return self.concatenate(left, right, node)
        if kinds & Kind.ARRAY and left.kind & (Kind.ARRAY | Kind.OTHER | Kind.NUMBER) and not left.kind & Kind.TENSOR:
            if not right.kind & Kind.TENSOR or right.kind & (Kind.ARRAY | Kind.NUMBER):
                return Value(kinds & (Kind.ARRAY | Kind.NUMBER | Kind.OTHER))
        if kinds & Kind.TENSOR or (kinds & Kind.UNKNOWN and (left.reach or right.reach)):
            if left.kind == Kind.TENSOR and right.kind == Kind.ARRAY:
                self.record(Role.ARRAY, node, left, detail="`tensor * array`")
                if left.grad == Grad.LIVE:
                    return Value(Kind.ARRAY)
            out = self.derive([left, right], node)
            if isinstance(operator, ast.Div) and all(v.dtype == DType.INTEGER or v.kind == Kind.NUMBER for v in (left, right)):
                out = out._replace(dtype=DType.FLOAT)
            return out._replace(kind=out.kind | Kind.ARRAY) if kinds & Kind.ARRAY and Kind.TENSOR not in (left.kind, right.kind) else out
        if kinds & Kind.NUMBER or kinds & Kind.OTHER:
            out = self.number([left, right])
            if left.carried or right.carried:
                out = out._replace(carried=left.carried | right.carried)
            return out._replace(kind=Kind.OTHER) if kinds & Kind.OTHER else out
        return OTHER

    def concatenate(self, left: Value, right: Value, node: ast.AST) -> Value:
        """list + list, list * n, dict | dict."""
        own = self.token(node, "concatenated")
        self.lengthened(left, right, own, node)
        self.lengthened(right, left, own, node)
        operands = [v for v in (left, right) if v.kind & Kind.CONTAINER]
        held = [(self.named_items(v), self.contents(v, node)) for v in operands]  # before this place makes anew what it gave the pass before
        address, value = self.container(node, "concatenated")
        self.born[address] = tuple(t for t in self.active_loops() if any(t in self.born[a] for v in (left, right) for a in v.refs))
        for named, items in held:
            for name, item in named:
                self.put(address, name, item)
            self.add(address, items)
        return value

    def named_items(self, container: Value) -> list[tuple[Value, Value]]:
        """What a container holds under constant texts."""
        keys = ((a, name) for a in container.refs for name in self.item_keys.get(a, ()) if isinstance(name, tuple) and name[1] == "str")
        return [(constant(key[1][2]), slot) for key in keys if isinstance(slot := self.state.store.get(key), Value)]

    def lengthened(self, whole: Value, added: Value, own: int, node: ast.AST) -> Value:
        """`x = x + [y]`, `x = [*x, y]` in a loop: what is added to the list that this very place, `own`, gave the pass before is stored like what is
        appended. Answers it as it is kept."""
        if own not in whole.refs or not whole.kind & Kind.CONTAINER or not added.refs.isdisjoint(self.mappings) or not (outlived := self.outlived(whole)):
            return added
        kept = self.keep(added, node)
        self.record_store(node, whole, kept, outlived, None)
        return kept

    def eval_UnaryOp(self, node: ast.UnaryOp) -> Value:
        value = self.eval(node.operand)
        if isinstance(node.op, ast.Not):
            truth = self.truth_of(value)
            return NUMBER if truth is None else constant(not truth)
        if isinstance(node.op, ast.Invert):
            return self.plain(node, [value], True) if value.kind & Kind.TENSOR else value
        if isinstance(node.op, ast.USub) and isinstance(value.const, (int, float)) and not isinstance(value.const, bool):
            return constant(-value.const)
        if value.kind & (Kind.TENSOR | Kind.UNKNOWN):
            return self.derive([value], node)
        return value._replace(const=UNSURE)

    def eval_BoolOp(self, node: ast.BoolOp) -> Value:
        """`a and b`, `a or b`: later operands run under the condition of the earlier ones."""
        values: list[Value] = []
        wants = isinstance(node.op, ast.And)
        for operand in node.values:
            value = self.eval(operand)
            truth = self.truth_of(value)
            if truth is not None and truth is not wants:
                return join_all([*values, value])
            if truth is None or operand is node.values[-1]:
                values.append(value)
        return join_all(values) if values else NUMBER

    def eval_Compare(self, node: ast.Compare) -> Value:
        left = self.eval(node.left)
        rights = [self.eval(c) for c in node.comparators]
        if len(rights) == 1:
            known = self.compare(left, node.ops[0], rights[0])
            if known is not None:
                return constant(known)
        if isinstance(node.ops[0], (ast.Is, ast.IsNot, ast.In, ast.NotIn)):
            return NUMBER
        kinds = left.kind
        for right in rights:
            kinds |= right.kind
        if kinds & Kind.TENSOR:
            return self.plain(node, (left, *rights), True)
        if kinds & Kind.UNKNOWN:
            return self.plain(node, (left, *rights), True)._replace(kind=Kind.TENSOR | Kind.NUMBER | Kind.ARRAY)
        return NUMBER

    # -- displays and subscripts ------------------------------------------------------------------------------------------------------

    def eval_List(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        if ast.Starred in [e.__class__ for e in node.elts]:
            return self.with_starred(node)
        return self.row(node, [self.eval(e) for e in node.elts])

    def with_starred(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        """[a, *b, c]: read before this place makes anew what it gave the pass before, which may be b."""
        values = [(self.eval(e.value), True) if isinstance(e, ast.Starred) else (self.eval(e), False) for e in node.elts]
        own = self.token(node, "row")
        items: list[Value] = []
        for value, starred in values:
            added = value
            for whole, other in values:
                added = self.lengthened(whole, added, own, node) if other and whole is not value else added
            items.append(self.items(added, node) if starred else added)
        address, row = self.container(node, "row")
        for item in items:
            self.add(address, item)
        return row

    eval_Tuple = eval_List

    eval_Set = eval_List

    def eval_Dict(self, node: ast.Dict) -> Value:
        pairs: list[tuple[Value, Value]] = []
        for key, item in zip(node.keys, node.values):
            if key is not None:
                pairs.append((self.eval(key), self.eval(item)))
            else:
                pairs += self.pairs(self.eval(item), node)
        return self.mapping(node, pairs)

    def pairs(self, value: Value, node: ast.AST) -> list[tuple[Value, Value]]:
        """The (key, value) pairs of a dict, by constant keys where all are known."""
        out: list[tuple[Value, Value]] = []
        for address in value.refs:
            for name in self.item_keys.get(address, ()):
                slot = self.state.store.get((address, name))
                if isinstance(slot, Value) and isinstance(name, tuple):
                    out.append((constant(name[2]), slot))
            if value.kind & Kind.OBJECT or address in self.instances:
                for attr in self.fields.get(address, ()):
                    slot = self.state.store.get((address, attr))
                    if isinstance(slot, Value):
                        out.append((constant(attr), slot))
        if out and not any((a, OPEN) in self.state.store for a in value.refs):
            return out
        return [*out, (TEXT, self.contents(value, node))]

    def eval_Starred(self, node: ast.Starred) -> Value:
        return self.eval(node.value)

    def eval_Subscript(self, node: ast.Subscript) -> Value:
        value = self.eval(node.value)
        if isinstance(node.slice, ast.Slice):
            self.eval(node.slice)
            if value.kind & Kind.MODULE:
                return value
            if value.kind & Kind.CONTAINER:
                return self.slice_of(value, node)
            return self.view(value, node) if value.kind & Kind.TENSOR else self.element(value, NUMBER, node)
        key = self.eval(node.slice)
        if value.kind == Kind.TENSOR:
            return self.indexed(value, self.items(key, node) if isinstance(node.slice, ast.Tuple) else key, node)
        own = self.own_item(value, key, node) if value.kind & (Kind.OBJECT | Kind.MODULE) else None
        if own is not None:
            return own
        if value.kind & Kind.CLASS or value.names & {"typing.Optional"}:
            return value
        return self.element(value, key, node)

    def own_item(self, value: Value, key: Value, node: ast.expr) -> Value | None:
        """The __getitem__ of a class of the file."""
        for address in value.refs:
            found = self.find(self.instances[address], "__getitem__") if address in self.instances else None
            if found is not None:
                return self.call(self.bind_method(found, value), [key], {}, node)
        return None

    def slice_of(self, value: Value, node: ast.AST) -> Value:
        """A slice of a container is a new container with the same items; whether the live ones are among them, where only some are, is open."""
        item = self.items(value, node)
        if item.grad & Grad.LIVE and item.grad & Grad.CUT:
            item = item._replace(grad=item.grad & ~Grad.LIVE | Grad.UNKNOWN)
        return self.tuple_of(node, item, None)

    def eval_Slice(self, node: ast.Slice) -> Value:
        for part in (node.lower, node.upper, node.step):
            if part is not None:
                self.eval(part)
        return OTHER

    # -- conditional, lambda, coroutines ----------------------------------------------------------------------------------------------

    def eval_IfExp(self, node: ast.IfExp) -> Value:
        truth = self.truth_of(self.eval(node.test))
        if truth is not None:
            return self.eval(node.body if truth else node.orelse)
        value, other = self.both(node.test, node.body, node.orelse)
        return join(value, other)

    def both(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> tuple[Value, Value]:
        """Both branches of a conditional expression, each in its own state."""
        mark = self.state.mark()
        ends: list[Difference] = []
        values: list[Value] = []
        outer, visit = self.path, self.visit(test)
        for branch, when in ((body, True), (orelse, False)):
            self.refine(test, when)
            self.path = (*outer, (visit, int(not when)))
            values.append(self.eval(branch))
            ends.append(self.state.changed(mark))
            self.state.rollback(mark)
        self.path = outer
        self.state.merge(ends)
        return values[0], values[1]

    def eval_Lambda(self, node: ast.Lambda) -> Value:
        return self.define(node, None, 0, frozenset())

    def eval_Await(self, node: ast.Await) -> Value:
        if self.here.switched:
            self.note_pause(node, "await")
        return self.eval(node.value)

    def eval_Yield(self, node: ast.Yield) -> Value:
        value = self.eval(node.value) if node.value is not None else NONE
        self.here.yields.append(value)
        self.lazy.update(self.active_loops())
        self.here.yield_modes |= self.mode
        if self.here.function is not None and "contextmanager" in self.here.function.traits:
            self.here.at_yield = self.state.changed(self.here.mark)
        if self.here.switched:
            self.note_pause(node, "yield")
        return self.unknown(node)._replace(grad=Grad.CUT)

    def eval_YieldFrom(self, node: ast.YieldFrom) -> Value:
        value = self.eval(node.value)
        if self.here.switched:
            self.note_pause(node, "yield")
        self.here.yields.append(self.items(value, node))
        return OTHER
