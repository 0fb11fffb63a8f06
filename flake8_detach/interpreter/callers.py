"""Callers: who in the file calls a function, by name, and whether gradients are off where it does.

Here: a reading of the text alone, for functions that the interpretation does not reach by itself. Not here: who really is called (calls).
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from .records import Class, Function

SIMPLE: Final = frozenset((ast.Name, ast.Constant, ast.Load, ast.Store, ast.Del, str, type(None), ast.alias, ast.arg, ast.Pass, ast.Import, ast.ImportFrom))
"""What holds no call."""
COLLECTING: Final = frozenset(("append", "extend", "insert", "add", "pop"))
CALLED: Final = re.compile(r"\([\s\\]*(\w+)")
"""A call in a text that is read backwards: a search that begins at a fixed character costs a tenth."""
LINE_ENDS: Final = re.compile(r"\r\n?|\n")
"""What ends a line for `ast`."""
SWITCHES: Final = frozenset(("no_grad", "inference_mode"))


class Site(NamedTuple):
    """A call: the function whose text it stands in, whether on `self`, and whether below a switch that turns gradients off."""

    function: ast.AST | None
    own: bool
    guarded: bool


class Callers:
    """The calls of a file, by the name that is called."""

    def __init__(self, tree: ast.Module, calls: dict[str, list[int]], classes: Iterable[Class]) -> None:
        names = calls.keys()
        self.plain: dict[str, list[Site]] = {}
        self.dotted: dict[str, list[Site]] = {}  # of an attribute of something, as methods are called
        self.own: dict[str, dict[ast.ClassDef | None, list[Site]]] = {}  # on `self`, by the class whose text they stand in
        self.heirs: dict[ast.ClassDef | None, list[ast.ClassDef]] = {}
        for cls in classes:
            for ancestor in cls.mro():
                self.heirs.setdefault(ancestor.node, []).append(cls.node)
        self.lines = sorted({line for lines in calls.values() for line in lines})
        stack: list[tuple[ast.AST, ast.AST | None, ast.ClassDef | None, bool]] = [(tree, None, None, False)]
        while stack and self.lines:
            node, function, owner, guarded = stack.pop()
            kind = type(node)
            if kind is ast.Call:
                self._note(node, names, function, owner, guarded)  # type: ignore[arg-type]
            elif kind is ast.FunctionDef or kind is ast.AsyncFunctionDef:
                function = node if function is None else function
                guarded = guarded or any(_switches_off(d) for d in node.decorator_list)  # type: ignore[attr-defined]
            elif kind is ast.ClassDef:
                owner, function = node, None  # type: ignore[assignment]
            elif kind is ast.With:
                guarded = guarded or any(_switches_off(i.context_expr) for i in node.items)  # type: ignore[attr-defined]
            elif kind is ast.Attribute:
                stack.append((node.value, function, owner, guarded))  # type: ignore[attr-defined]
                continue
            for field in node._fields:  # and not whatever other plugins hang on a node: a parent leads round in circles
                value = getattr(node, field, None)
                if type(value) is list:
                    stack += [(v, function, owner, guarded) for v in value if self._may_hold_call(v)]
                elif isinstance(value, ast.AST) and self._may_hold_call(value):
                    stack.append((value, function, owner, guarded))

    def _may_hold_call(self, node: object) -> bool:
        """Whether a call of one of the names may stand below a node: by its lines, where it has any."""
        if node.__class__ in SIMPLE:
            return False
        first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
        if first is None or last is None:
            return True
        at = bisect_left(self.lines, first)
        return at < len(self.lines) and self.lines[at] <= last

    def _note(self, call: ast.Call, names: Collection[str], function: ast.AST | None, owner: ast.ClassDef | None, guarded: bool) -> None:
        callee = call.func
        if isinstance(callee, ast.Attribute) and callee.attr in names:
            own = isinstance(callee.value, ast.Name) and callee.value.id in ("self", "cls")
            sites = self.own.setdefault(callee.attr, {}).setdefault(owner, []) if own and owner in self.heirs else self.dotted.setdefault(callee.attr, [])
            sites.append(Site(function, own, guarded))
        elif isinstance(callee, ast.Name) and callee.id in names:
            self.plain.setdefault(callee.id, []).append(Site(function, False, guarded))

    def of(self, function: Function) -> Iterator[Site]:
        """The calls that may be of this function; those by itself do not count."""
        return (s for sites in self._lists(function) for s in sites if s.function is not function.node)

    def _lists(self, function: Function) -> Iterator[list[Site]]:
        """The same by the lists that they stand in, which functions of one name share."""
        name, cls = getattr(function.node, "name", ""), function.owner
        shared = self.plain if cls is None else self.dotted
        if name in shared:
            yield shared[name]
        if cls is not None and (own := self.own.get(name)):
            kin = dict.fromkeys([*(c.node for c in cls.mro()), *self.heirs.get(cls.node, ())])
            yield from (own[node] for node in kin if node in own)

    def surely(self, function: Function) -> bool:
        """Whether there is such a call, other than one on something else of what lists and sets have a method of the name of."""
        collecting = getattr(function.node, "name", "") in COLLECTING
        return any(s.own or not collecting for s in self.of(function))

    def guard(self, function: Function) -> bool:
        """Whether gradients are off at every call; of what back-propagates itself, the file does not show every call then."""
        if not any(self.of(function)) or not all(site.guarded for site in self.of(function)):
            return False
        return not any(getattr(n, "attr", "") == "backward" for n in ast.walk(function.node))

    def callers_first(self, tokens: list[int], functions: dict[int, Function]) -> list[int]:
        """The functions in an order in which those that call come before those that are called."""
        by_node: dict[ast.AST | None, int] = {functions[t].node: t for t in tokens}
        out: dict[int, None] = {}
        seen: set[int] = set()
        unread: dict[int, Iterator[Site]] = {}  # by list: functions of one name share what is left of it, the rest is seen
        stack = list(reversed(tokens))
        while stack:
            token = stack[-1]
            seen.add(token)
            rest = (unread.setdefault(id(sites), reversed(sites)) for sites in self._lists(functions[token]))
            callers = (by_node[s.function] for sites in rest for s in sites if s.function in by_node)
            caller = next((c for c in callers if c not in seen), None)
            if caller is not None:
                stack.append(caller)
            else:
                out.setdefault(stack.pop())
        return list(out)


def calls_in(source: str) -> dict[str, list[int]]:
    """The names that stand before a parenthesis in a text, with how far before its end each of them does."""
    backwards: dict[str, list[int]] = {}
    for match in CALLED.finditer(source[::-1]):
        backwards.setdefault(match[1], []).append(match.end(1))
    return {name[::-1]: places for name, places in backwards.items()}


def lines_of(calls: dict[str, list[int]], source: str) -> dict[str, list[int]]:
    """The same by the numbers, from 1, of the lines."""
    starts = [0, *(match.end() for match in LINE_ENDS.finditer(source))]
    return {name: [bisect_right(starts, len(source) - place) for place in places] for name, places in calls.items()}


def finds_grad_off(function: ast.AST) -> bool:
    """Whether a function switches gradients on for good, by a statement of its own before any that switches them off: they were off before."""
    for statement in getattr(function, "body", ()) if not isinstance(function, ast.Lambda) else ():
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) == "set_grad_enabled" and call.args:
            return isinstance(call.args[0], ast.Constant) and call.args[0].value is True
    return False


def _switches_off(node: ast.expr) -> bool:
    node = node.func if isinstance(node, ast.Call) else node
    return isinstance(node, ast.Attribute) and node.attr in SWITCHES or isinstance(node, ast.Name) and node.id in SWITCHES


__all__ = ["LINE_ENDS", "Callers", "calls_in", "finds_grad_off", "lines_of"]
