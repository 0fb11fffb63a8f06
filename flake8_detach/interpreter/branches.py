"""Branches: if, match, assert, and what a test says of the names in it.

Here: alternatives run from the same state and joined; narrowing. Not here: the truth of a test (judgements).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

from flake8_detach.knowledge import objects
from flake8_detach.value import (
    EMPTY,
    NONE,
    OTHER,
    Grad,
    Kind,
    Value,
)

from .assignments import Assignments
from .state import Difference, Key

TENSORS_HAVE: Final = frozenset("item detach cpu numpy tolist data requires_grad grad_fn device shape dtype size dim numel".split())
"""Attributes by which programs tell a tensor from a number: what lacks one is none."""


class Branches(Assignments):
    """Executes branches."""

    def exec_If(self, node: ast.If) -> None:
        truth = self.truth_of(self.eval(node.test))
        if truth is not None:
            self.refine(node.test, truth)
            self.exec_block(node.body if truth else node.orelse)
            return
        self.branch([(node.test, True, node.body), (node.test, False, node.orelse)])

    def branch(self, arms: list[tuple[ast.expr | None, bool, Sequence[ast.stmt]]]) -> None:
        """Run alternatives from the same state and join those that come through."""
        mark = self.state.mark()
        ends: list[Difference] = []
        outer, visit = self.path, self.visit(arms[0][0])
        alive: list[int] = []
        for number, (test, when, body) in enumerate(arms):
            if test is not None:
                self.refine(test, when)
            self.branches += 1
            self.path = (*outer, (visit, number))
            self.exec_block(body)
            self.branches -= 1
            if not self.state.dead:
                ends.append(self.state.changed(mark))
                alive.append(number)
            self.state.rollback(mark)
            self.state.dead = False
        self.path = self.rest_of(outer, visit, alive, len(arms))
        self.state.merge(ends)

    def exec_Assert(self, node: ast.Assert) -> None:
        self.eval(node.test)
        self.refine(node.test, True)

    def exec_Match(self, node: ast.Match) -> None:
        subject = self.eval(node.subject)
        mark = self.state.mark()
        ends: list[Difference] = []
        outer, visit = self.path, self.visit(None)
        for number, case in enumerate(node.cases):
            self.path = (*outer, (visit, number))
            self.bind_pattern(case.pattern, subject, node)
            if case.guard is not None:
                self.eval(case.guard)
            self.branches += 1
            self.exec_block(case.body)
            self.branches -= 1
            if not self.state.dead:
                ends.append(self.state.changed(mark))
            self.state.rollback(mark)
            self.state.dead = False
        self.path = outer
        last = node.cases[-1].pattern
        if not (isinstance(last, ast.MatchAs) and last.pattern is None):
            ends.append({})
        self.state.merge(ends)

    def bind_pattern(self, pattern: ast.pattern, subject: Value, node: ast.AST) -> None:
        """The names that a pattern captures."""
        if isinstance(pattern, ast.MatchAs):
            if pattern.pattern is not None:
                self.bind_pattern(pattern.pattern, subject, node)
            if pattern.name is not None:
                self.bind_name(pattern.name, subject, node)
        elif isinstance(pattern, ast.MatchSequence):
            for part, item in zip(pattern.patterns, self.unpack(subject, len(pattern.patterns), node)):
                self.bind_pattern(part, item, node)
        elif isinstance(pattern, ast.MatchMapping):
            for key, part in zip(pattern.keys, pattern.patterns):
                self.bind_pattern(part, self.element(subject, self.eval(key), node), node)
        elif isinstance(pattern, ast.MatchClass):
            for name, part in zip(pattern.kwd_attrs, pattern.kwd_patterns):
                self.bind_pattern(part, self.attribute(subject, name, pattern.cls), node)
        elif isinstance(pattern, ast.MatchOr):
            for part in pattern.patterns:
                self.bind_pattern(part, subject, node)
        elif isinstance(pattern, ast.MatchStar) and pattern.name is not None:
            self.bind_name(pattern.name, self.tuple_of(pattern, self.items(subject, node), None), node)

    # -- narrowing --------------------------------------------------------------------------------------------------------------------

    def refine(self, test: ast.expr, when: bool) -> None:
        """What a test says of the names in it on the branch where it is `when`."""
        if test.__class__ is ast.Name:
            if when:
                self.narrow(test, Kind.NONE, False)
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self.refine(test.operand, not when)
        elif isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) is when:
            for part in test.values:
                self.refine(part, when)
        elif isinstance(test, ast.Call) and test.args:
            self.refine_call(test, when)
        elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Is, ast.IsNot)):
            right = test.comparators[0]
            if isinstance(right, ast.Constant) and right.value is None:
                self.refine_none(test.left, isinstance(test.ops[0], ast.Is) is when)
            elif isinstance(test.ops[0], ast.Is) is not when:
                self.refine_type(test.left, right)
        elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Eq, ast.NotEq)):
            if isinstance(test.ops[0], ast.Eq) is not when:
                self.refine_type(test.left, test.comparators[0])
        elif isinstance(test, ast.Attribute) and test.attr == "requires_grad" and isinstance(test.value, ast.Name):
            if not when:
                self.narrow_grad(test.value)
        elif isinstance(test, ast.Attribute) and when:
            self.narrow(test, Kind.NONE, False)

    def refine_none(self, node: ast.expr, none: bool) -> None:
        """`x is None` is `none`; a tensor whose `grad_fn` is None has no history."""
        self.narrow(node, Kind.NONE, none)
        if none and isinstance(node, ast.Attribute) and node.attr == "grad_fn":
            self.narrow_grad(node.value)

    def refine_type(self, left: ast.expr, right: ast.expr) -> None:
        """`type(x) is torch.Tensor`, `type(x) == torch.Tensor` is false."""
        if isinstance(left, ast.Call) and isinstance(left.func, ast.Name) and left.func.id == "type" and left.args:
            if isinstance(right, (ast.Name, ast.Attribute)) and "torch.Tensor" in self.eval(right).names:
                self.narrow(left.args[0], Kind.TENSOR, False)

    def refine_call(self, test: ast.Call, when: bool) -> None:
        """isinstance(x, torch.Tensor), torch.is_tensor(x), hasattr(x, "item"), callable(getattr(x, "item", None))."""
        callee = self.eval(test.func) if isinstance(test.func, (ast.Name, ast.Attribute)) else OTHER
        if "builtins.callable" in callee.names and isinstance(test.args[0], ast.Call):
            test = test.args[0]
            callee = self.eval(test.func)
        if callee.names & {"torch.is_tensor", "torch.Tensor"}:
            self.narrow(test.args[0], Kind.TENSOR, when)
        elif callee.names & {"builtins.hasattr", "builtins.getattr"} and len(test.args) > 1:
            if not when and isinstance(test.args[1], ast.Constant) and test.args[1].value in TENSORS_HAVE:
                self.narrow(test.args[0], Kind.TENSOR, False)
        elif "builtins.isinstance" in callee.names and len(test.args) == 2:
            self.refine_instance(test.args[0], self.inside(self.eval(test.args[1])), when)

    def refine_instance(self, node: ast.expr, classes: list[Value], when: bool) -> None:
        """isinstance(node, classes) is `when`; an instance of a class that the file does not show may still be a tensor."""
        names = [c.name for c in classes]
        masks = [objects.CLASS_KINDS.get(name, 0) for name in names]
        mask = 0
        for name, kind in zip(names, masks):
            if when or name in objects.WHOLE_CLASSES or kind == Kind.CONTAINER:
                mask |= kind
        if mask == Kind.MODULE:
            if when:
                self.trace.modules |= self.eval(node).refs
        elif not when:
            self.narrow(node, mask, False)
        elif not masks or not all(masks):
            self.widen(node)
        elif not (mask & Kind.TENSOR and mask & Kind.CONTAINER):
            self.narrow(node, mask, True)

    def place(self, node: ast.expr) -> Key | None:
        """The store key of a name or of an attribute of one object."""
        if isinstance(node, ast.Name):
            for scope in self.here.scopes:
                if (scope, node.id) in self.state.store:
                    return (scope, node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Name, ast.Attribute)):
            owner = self.eval(node.value)
            if len(owner.refs) == 1:
                return (min(owner.refs), node.attr)
        return None

    def narrow(self, node: ast.expr, mask: int, inside: bool) -> None:
        """Keep, or take away, kinds of what a name holds."""
        key = self.place(node)
        slot = self.state.store.get(key) if key is not None else None
        if key is None or not isinstance(slot, Value):
            return
        if inside:
            kept = mask if slot.kind & (Kind.UNKNOWN | Kind.OTHER) else slot.kind & mask
            if mask == Kind.NONE:
                self.state.write(key, NONE)
            else:
                self.state.write(key, of_kind(slot, kept) if kept else OTHER)
        elif not slot.kind & ~mask:
            self.state.write(key, OTHER)  # the test knows better
        elif mask & Kind.TENSOR:
            self.state.write(key, slot._replace(kind=slot.kind & ~mask, grad=0, history=EMPTY))
        elif mask:
            self.state.write(key, of_kind(slot, slot.kind & ~mask))

    def widen(self, node: ast.expr) -> None:
        """What a name holds is an instance of a class that the file does not show: of a tensor, perhaps a subclass, perhaps something else."""
        key = self.place(node)
        slot = self.state.store.get(key) if key is not None else None
        if key is not None and isinstance(slot, Value) and slot.kind == Kind.TENSOR:
            self.state.write(key, slot._replace(kind=Kind.TENSOR | Kind.UNKNOWN))

    def narrow_grad(self, node: ast.expr) -> None:
        """`if not x.requires_grad`."""
        key = self.place(node)
        slot = self.state.store.get(key) if key is not None else None
        if key is not None and isinstance(slot, Value) and slot.kind & (Kind.TENSOR | Kind.UNKNOWN):
            self.state.write(key, slot._replace(grad=Grad.CUT, history=EMPTY))


def of_kind(value: Value, kind: int) -> Value:
    """A value known to be of fewer kinds; what is no tensor has no history."""
    if kind & (Kind.TENSOR | Kind.UNKNOWN):
        return value._replace(kind=kind)
    return value._replace(kind=kind, grad=0, history=EMPTY)
