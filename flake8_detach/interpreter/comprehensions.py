"""Comprehensions: list, set, dict comprehensions and generator expressions, with their own scope.

Here: one run of the body for what the generators give. Not here: loops as statements (loops).
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from flake8_detach.knowledge import objects
from flake8_detach.value import Grad, Kind, Value

from .expressions import Expressions
from .records import Loop
from .state import ITEMS, LIVING


class Comprehensions(Expressions):
    """Evaluates comprehensions."""

    def eval_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
        if isinstance(node, ast.ListComp) and self.makes_optimizers(node):
            return self.row(node, self.one_by_one(node))
        address, value = self.container(node, "comprehension")
        value = value._replace(names=frozenset(("comprehension",)))
        lazy = isinstance(node, ast.GeneratorExp)
        if lazy:
            self.one_shot(value)
        source = self.comprehend(node.generators, lambda: self.add(address, self.produced(node.elt, value, node, lazy)), node)
        made = self.state.store.get((address, ITEMS))
        if isinstance(made, Value) and made.grad & Grad.LIVE and not node.generators[0].ifs and any(map(self.holds_life, source.refs)):
            self.state.write((address, LIVING), 1)  # what is made of its live items is live too
        return value

    def makes_optimizers(self, node: ast.ListComp) -> bool:
        """`[Adam(m.parameters()) for m in (encoder, decoder)]`: which optimizer holds which module is to be told apart."""
        first = node.generators[0]
        if len(node.generators) > 1 or first.ifs or not isinstance(first.iter, (ast.Tuple, ast.List)) or not isinstance(node.elt, ast.Call):
            return False
        if len(first.iter.elts) > 4 or not all(isinstance(e, (ast.Name, ast.Attribute)) for e in first.iter.elts):
            return False
        return any(objects.kind_of_class(n) == Kind.OPTIMIZER for n in self.eval(node.elt.func).names)

    def one_by_one(self, node: ast.ListComp) -> list[Value]:
        """The items of a comprehension over a display, each made in a frame of its own, so that they are different objects."""
        here, generator = self.here, node.generators[0]
        frame, scopes = here.frame, here.scopes
        scope = self.token(node, "scope")
        out: list[Value] = []
        for element in generator.iter.elts if isinstance(generator.iter, (ast.Tuple, ast.List)) else ():
            value = self.eval(element)
            here.frame, here.scopes = self.frame(None, element, frame, self.trace.frames[frame].owner), (scope, *scopes)
            self.bind_in(scope, generator.target, value, element)
            out.append(self.eval(node.elt))
            here.frame, here.scopes = frame, scopes
        return out

    def produced(self, element: ast.expr, container: Value, node: ast.expr, lazy: bool) -> Value:
        """One item of a comprehension; each iteration's stays in the container, unless a generator hands them on one by one."""
        item = self.eval(element)
        if lazy:
            return item
        item = self.keep(item, node)
        self.record_store(node, container, item, self.outlived(container), None)
        return item

    eval_SetComp = eval_ListComp

    eval_GeneratorExp = eval_ListComp

    def eval_DictComp(self, node: ast.DictComp) -> Value:
        address, value = self.container(node, "comprehension")
        self.mappings.add(address)
        value = value._replace(names=frozenset(("comprehension",)))
        self.comprehend(node.generators, lambda: self.put(address, self.eval(node.key), self.produced(node.value, value, node, False)), node)
        return value

    def comprehend(self, generators: list[ast.comprehension], body: Callable[[], None], node: ast.expr) -> Value:
        """Run the body of a comprehension once for what its generators give; its targets live in a scope of its own. Answers what the first iterates."""
        scope = self.token(node, "scope")
        here = self.here
        outer = here.scopes
        first = self.eval(generators[0].iter)
        here.scopes = (scope, *outer)
        loop = Loop(self.token(node, "loop"), self.state.mark(), self.branches, self.clock)
        self.trace.loops[loop.token] = (node, here.frame)
        if isinstance(node, ast.GeneratorExp):
            self.lazy.add(loop.token)
        self.loops.append(loop)
        try:
            for number, generator in enumerate(generators):
                iterable = first if number == 0 else self.eval(generator.iter)
                if self.iterators:
                    self.consume(iterable, generator.iter, generator.iter)
                self.bind_in(scope, generator.target, self.items(iterable, generator.iter), generator.iter)
                for test in generator.ifs:
                    self.eval(test)
                    self.refine(test, True)
            body()
        finally:
            self.loops.pop()
            here.scopes = outer
        return first

    def bind_in(self, scope: int, target: ast.expr, value: Value, node: ast.AST) -> None:
        """Bind a comprehension's target in its own scope."""
        if isinstance(target, ast.Name):
            self.state.write((scope, target.id), value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part, item in zip(target.elts, self.unpack(value, len(target.elts), node)):
                self.bind_in(scope, part.value if isinstance(part, ast.Starred) else part, item, node)
        else:
            self.assign(target, value, node)
