"""Programs interpreted: what the linter believes of every variable after every statement, and what it reports.

Here: an interpreter that looks at the store after each statement, and the alarms. Not here: what torch says, any comparison.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, NamedTuple

from flake8_detach import analysis
from flake8_detach.interpreter.program import Program
from flake8_detach.interpreter.records import Function, Loop
from flake8_detach.interpreter.state import Difference
from flake8_detach.trace import Trace
from flake8_detach.value import Value


class Believed(NamedTuple):
    """Of a program: at each asked line, the values of each asked place at all visits; the lines after which it goes on; those of functions of which not
    every call was followed; and the trace."""

    values: dict[tuple[int, str], list[Value]]
    lines: set[int]
    unfollowed: set[int]
    trace: Trace


class Probed(Program):
    """Interprets one file, and after each statement reads the places that are asked for as a program would read them."""

    def __init__(self, tree: ast.Module, source: str, asked: dict[int, dict[str, ast.expr]]) -> None:
        super().__init__(tree, "generated.py", source)
        self.asked = asked
        self.found: dict[tuple[int, str], list[Value]] = {}
        self.reached: set[int] = set()
        self.gives_up = False
        self.unfollowed: set[ast.AST] = set()

    def exec_block(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            super().exec_block([statement])
            if self.state.dead:
                return
            self.reached.add(statement.lineno)
            for place, node in self.asked.get(statement.lineno, {}).items():
                if self.is_bound(place):
                    self.found.setdefault((statement.lineno, place), []).append(self.eval(node))

    def call_chain(self, address: int, args: list[Value], node: ast.expr) -> Value:
        """A Sequential that was built in a loop around what an earlier round built: the linter does not follow what it runs."""
        self.gives_up = self.gives_up or address in self.chaining
        return super().call_chain(address, args, node)

    def loop(self, *given: Any) -> None:
        """Both passes in every round of the loop around it, where the linter has seen that another would tell nothing new."""
        self.steady.clear()
        super().loop(*given)

    def second_pass_matters(self, loop: Loop, end: Difference) -> bool:
        """Always: the linter leaves it out where nothing came from the first pass that could be live, and so believes nothing of it."""
        return True

    def not_followed(self, function: Function, token: int, given: list[Value], node: ast.AST | None) -> Value:
        """The linter knows what a call gives, and so believes nothing of what it does inside."""
        self.unfollowed.add(function.node)
        return super().not_followed(function, token, given, node)

    def idle_result(self, function: Function, given: list[Value], node: ast.AST) -> Value:
        """Likewise."""
        self.unfollowed.add(function.node)
        return super().idle_result(function, given, node)

    def is_bound(self, place: str) -> bool:
        """Whether the variable of a place is one of the function that runs: probes see no others."""
        name = place.partition(".")[0].partition("[")[0]
        return (self.here.scope, name) in self.state.store


def beliefs(source: str, asked: Sequence[tuple[int, str]]) -> Believed:
    """What the linter believes at the asked lines and places."""
    nodes: dict[int, dict[str, ast.expr]] = {}
    parsed: dict[str, ast.expr] = {}
    for line, place in asked:
        if place not in parsed:
            parsed[place] = ast.parse(place, mode="eval").body
        nodes.setdefault(line, {})[place] = parsed[place]
    probed = Probed(ast.parse(source), source, nodes)
    trace = probed.run()
    methods = [n for n in ast.walk(trace.tree) if isinstance(n, ast.FunctionDef) and (probed.gives_up or n in probed.unfollowed)]
    return Believed(probed.found, probed.reached, {line for m in methods for line in range(m.lineno, (m.end_lineno or 0) + 1)}, trace)


def alarms(source: str) -> set[tuple[int, str]]:
    """The lines and codes that the linter reports."""
    lines = source.splitlines(keepends=True)
    return {(report.line, report.code) for report in analysis.check(ast.parse(source), lines, "generated.py")}
