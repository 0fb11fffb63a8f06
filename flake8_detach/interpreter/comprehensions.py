"""Comprehensions: list, set, dict comprehensions and generator expressions, with their own scope.

Here: one run of the body for what the generators give. Not here: loops as statements (loops).
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from flake8_detach.value import (
    Value,
)

from .expressions import Expressions
from .machine import Loop


class Comprehensions(Expressions):
    """Evaluates comprehensions."""

    def eval_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
        address, value = self.container(node, "comprehension")
        value = value._replace(names=frozenset(("comprehension",)))
        lazy = isinstance(node, ast.GeneratorExp)
        if lazy:
            self.one_shot(value)
        self.comprehend(node.generators, lambda: self.add(address, self.produced(node.elt, value, node, lazy)), node)
        return value

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

    def comprehend(self, generators: list[ast.comprehension], body: Callable[[], None], node: ast.expr) -> None:
        """Run the body of a comprehension once for what its generators give; its targets live in a scope of its own."""
        scope = self.token(node, "scope")
        here = self.here
        outer = here.scopes
        first = self.eval(generators[0].iter)
        here.scopes = (scope, *outer)
        loop = Loop(self.token(node, "loop"), self.state.mark(), branches=self.branches)
        self.trace.loops[loop.token] = (node, here.frame)
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

    def bind_in(self, scope: int, target: ast.expr, value: Value, node: ast.AST) -> None:
        """Bind a comprehension's target in its own scope."""
        if isinstance(target, ast.Name):
            self.state.write((scope, target.id), value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part, item in zip(target.elts, self.unpack(value, len(target.elts), node)):
                self.bind_in(scope, part.value if isinstance(part, ast.Starred) else part, item, node)
        else:
            self.assign(target, value, node)
