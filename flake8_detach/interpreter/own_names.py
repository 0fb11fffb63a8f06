"""Own names: what the project says of its own functions and classes, which this file may not show.

Here: which calls a setting means, and what follows: a value is shown, cut, back-propagated, gradients are cleared, a class is a module. The
linter's interpreter is of this class only where the settings name something, so that nobody else pays. Not here: how a pattern is read (settings).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from flake8_detach.knowledge.sink import Role as SinkRole
from flake8_detach.knowledge.sink import Sink
from flake8_detach.settings import Named, Settings, find
from flake8_detach.value import EMPTY, NO_CARRY, NONE, Grad, Kind, Value, join_all

from .program import Program

SHOWS: Final = "shows or keeps it, as this project's settings say"
DEPTH: Final = 3  # how many containers deep a helper detaches


class OwnNames(Program):
    """Interprets one file with the project's settings."""

    def __init__(self, tree: ast.Module, filename: str, source: str, settings: Settings) -> None:
        super().__init__(tree, filename, source)
        self.settings = self.trace.settings = settings
        self.relative: dict[int, str] = {}  # what a relative import names -> its dotted name, from the dot on

    # -- names ------------------------------------------------------------------------------------------------------------------------

    def exec_ImportFrom(self, node: ast.ImportFrom) -> None:
        super().exec_ImportFrom(node)
        for alias in node.names if node.level else ():
            self.relative[self.part(0, ("foreign", alias.name))] = ".".join(["", *filter(None, [node.module]), alias.name])

    def names_of(self, callee: Value) -> list[str]:
        """The dotted names by which something is known: as it is imported, as it is defined."""
        out = [name for name in callee.names if not name.startswith(".")]
        for token in callee.refs:
            if token in self.relative:
                out.append(self.relative[token])
            elif token in self.functions:
                owner = self.functions[token].owner
                out.append(f"{owner.node.name}.{self.name_of(token)}" if owner is not None else self.name_of(token))
            elif token in self.classes:
                out.append(self.classes[token].node.name)
        return out

    def names_of_method(self, receiver: Value, name: str) -> list[str]:
        """The same for a method, by the class of its object."""
        owners = [cls.node.name for t in receiver.refs if (cls := self.instances.get(t)) is not None]
        made = [callee for t in receiver.refs if (callee := self.trace.sites[t].callee) is not None]
        for value in (receiver, *made):
            owners += self.names_of(value)
        return [f"{owner}.{name}" for owner in owners]

    # -- calls ------------------------------------------------------------------------------------------------------------------------

    def call(self, callee: Value, args: list[Value], keywords: dict[str, Value], node: ast.expr) -> Value:
        if not isinstance(node, ast.Call):
            return super().call(callee, args, keywords, node)
        names = [*self.names_of(callee), _spelled(node.func)]
        shown = any(t in self.functions or t in self.classes for t in callee.refs)
        out = self.told(names, args, keywords, node, shown)
        return out if out is not None else self.followed(super().call(callee, args, keywords, node), names, node)

    def call_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        names = [*self.names_of_method(receiver, name), _spelled(node.func)]
        shown = any(self.find(self.instances[t], name) is not None for t in receiver.refs if t in self.instances)
        out = self.told(names, args if args or keywords else [receiver], keywords, node, shown)
        return out if out is not None else self.followed(super().call_method(receiver, name, args, keywords, node), names, node)

    def followed(self, result: Value, names: list[str], node: ast.expr) -> Value:
        """The result of a call that was followed: the settings may know better that it has no history."""
        return self.cut(result, node) if find(self.settings.detachers, names) is not None else result

    def told(self, names: list[str], given: list[Value], keywords: dict[str, Value], node: ast.expr, shown: bool) -> Value | None:
        """What the settings say that a call gives, None where they say nothing; a function that the file shows is followed beside."""
        settings = self.settings
        logger = find(settings.loggers, names)
        if logger is not None:
            sink = Sink(names[-1], SinkRole.LOG, logger.arguments or None, SHOWS, SinkRole.LOG, None, True, False, "settings")
            self.reach_sink(sink, given, keywords, node)
        if find(settings.clearers, names) is not None:
            self.clear_for(given, node)
        elif not shown and find(settings.detachers, names) is not None:
            return self.cut(join_all([*given, *keywords.values()]), node)
        elif not shown and (own := find(settings.backpropagators, names)) is not None:
            for value in _chosen(own, given, keywords):
                self.backward(value, node, {})
        elif logger is None:
            return None
        return None if shown else NONE

    def clear_for(self, given: list[Value], node: ast.expr) -> None:
        """Gradients are cleared: of the optimizers, modules and parameters that are given, else of all there are."""
        targets = [v for v in given if v.kind & (Kind.OPTIMIZER | Kind.MODULE | Kind.PARAMETERS | Kind.TENSOR) or v.kind == Kind.UNKNOWN]
        for target in targets or [*(Value(Kind.OPTIMIZER, refs=frozenset((o,))) for o in self.optimized if o), Value()]:
            self.clear(target, node)

    def cut(self, value: Value, node: ast.expr, depth: int = DEPTH) -> Value:
        """A value without its history; of a container, one of values without theirs."""
        if value.kind & Kind.CONTAINER and depth:
            address, out = self.container(node, ("detached", depth))
            if value.refs <= self.mappings:
                self.mappings.add(address)
            for key, item in self.pairs(value, node):
                self.put(address, key, self.cut(item, node, depth - 1))
            return out
        if value.kind & Kind.TENSOR:
            return self.detach(value, node)
        return value._replace(grad=Grad.CUT if value.grad else 0, refs=EMPTY, history=EMPTY, carried=NO_CARRY)

    # -- classes ----------------------------------------------------------------------------------------------------------------------

    def is_module_base(self, base: ast.expr, names: set[str]) -> bool:
        if super().is_module_base(base, names):
            return True
        return find(self.settings.modules, [*self.names_of(self.eval(base)), _spelled(base)]) is not None


def _chosen(own: Named, given: list[Value], keywords: dict[str, Value]) -> Iterator[Value]:
    """The arguments that a setting means, by default the first."""
    for place in own.arguments or (0,):
        value = keywords.get(place) if isinstance(place, str) else given[place] if place < len(given) else None
        if value is not None:
            yield value


def _spelled(node: ast.expr) -> str:
    """A dotted name as it is written, empty for any other expression."""
    if isinstance(node, ast.Attribute):
        owner = _spelled(node.value)
        return f"{owner}.{node.attr}" if owner else node.attr
    return node.id if isinstance(node, ast.Name) else ""
