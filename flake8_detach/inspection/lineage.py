"""Lineage: the autograd graph of some values as the linter sees it, from leaves and parameters to the place of a finding.

Here: the walk from values back over what made them. Not here: how a picture looks (picture). The real graph of a run is runtime/drawing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach.interpreter.observed import Seen
from flake8_detach.picture import Edge, Look, Node, Picture
from flake8_detach.value import Grad, Kind, Value

from . import Found, Inspection
from .beliefs import spelled

BOUND = 150  # nodes of a picture
PENDING = Grad.LIVE | Grad.UNKNOWN


class Lineage:
    """The picture while it grows."""

    def __init__(self, inspection: Inspection) -> None:
        self.trace, self.how = inspection.trace, inspection.how
        self.nodes: dict[str, Node] = {}
        self.edges: dict[tuple[str, str], Edge] = {}

    def add(self, value: Value) -> list[str]:
        """The nodes of what a value may be, with all that they were made from; their keys."""
        for token in sorted(value.refs):
            self._explore(token)
        return [key for token in sorted(value.refs) if (key := f"t{token}") in self.nodes]

    def mark(self, found: Found, value: Value, cut_here: bool) -> None:
        """The place of a finding that the value reaches."""
        key = f"{found.code}_{found.node.lineno}_{found.node.col_offset}"
        label = f"{found.code}\n{_headline(found.node)}"
        self.nodes[key] = Node(key, label, Look.PLACE)
        for start in self.add(value):
            self.edges[start, key] = Edge(start, key, True, cut_here)

    def _explore(self, root: int) -> None:
        rest = [root]
        while rest and len(self.nodes) < BOUND:
            token = rest.pop()
            node = self.trace.sites[token].node
            if f"t{token}" in self.nodes or node is None or isinstance(node, (ast.Module, ast.ClassDef)):
                continue
            self.nodes[f"t{token}"] = Node(f"t{token}", self._label(token, node), self._look(token))
            self._parameters(token)
            for operand in self._operands(token):
                for ref in sorted(operand.refs):
                    rest.append(ref)
                    live = bool(operand.grad & PENDING) and self._look(token) != Look.CUT and self._look(ref) != Look.CUT
                    self.edges[f"t{ref}", f"t{token}"] = Edge(f"t{ref}", f"t{token}", live)

    def _operands(self, token: int) -> tuple[Value, ...]:
        if token in self.trace.leaves:
            return ()
        made = self.trace.made.get(token)
        given = made.operands if made is not None else self.trace.given.get(token, ())
        return tuple(v for v in given if v.kind & (Kind.TENSOR | Kind.UNKNOWN))

    def _parameters(self, token: int) -> None:
        """The parameters of the modules whose call gave a result."""
        if token in self.trace.leaves or self._look(token) == Look.CUT:
            return
        callee = self.trace.sites[token].callee
        modules = self.trace.parameters.get(token) or (callee.refs if callee is not None and self.trace.is_module(callee) else frozenset())
        for module in sorted(modules):
            node = self.trace.sites[module].node
            if node is not None:
                self.nodes[f"p{module}"] = Node(f"p{module}", f"parameters of\n{_headline(node)}", Look.PARAMETER)
                self.edges[f"p{module}", f"t{token}"] = Edge(f"p{module}", f"t{token}", True)

    def _label(self, token: int, node: ast.AST) -> str:
        layer = self.how.get(token)
        return f"{layer} in\n{_headline(node)}" if layer else _headline(node)

    def _look(self, token: int) -> str:
        if token in self.trace.leaves:
            return Look.PARAMETER
        made = self.trace.made.get(token)
        if made is not None and made.grad & Grad.LIVE or self.trace.lives(token):
            return Look.OPERATION
        if made is None or made.grad & Grad.UNKNOWN:
            return Look.UNKNOWN if made is not None or token in self.trace.given or token in self.trace.part_of else Look.CUT
        return Look.CUT


def _headline(node: ast.AST) -> str:
    return f"{spelled(node)}\nline {getattr(node, 'lineno', 0)}"


def graph(inspection: Inspection) -> Picture | None:
    """The graph of the values of the lines that were asked for, with the findings on them; None where these have no tensor."""
    lineage = Lineage(inspection)
    seen = [s for s in inspection.seen if s.value.kind & (Kind.TENSOR | Kind.UNKNOWN)]
    for found in inspection.findings:
        for one in _reaching(inspection, found.node, seen):
            lineage.mark(found, one.value, "detach()" in found.message)
    if not lineage.nodes:
        for one in _outermost(s for s in seen if s.value.kind & Kind.TENSOR or s.value.grad & PENDING):
            lineage.add(one.value)
    if not lineage.nodes:
        return None
    edges = [e for e in lineage.edges.values() if e.start in lineage.nodes and e.end in lineage.nodes]
    return Picture(f"{inspection.trace.filename}:{inspection.line}, as flake8-detach sees it", list(lineage.nodes.values()), edges)


def _reaching(inspection: Inspection, node: ast.AST, seen: list[Seen]) -> list[Seen]:
    """The live values that go into a finding's place: its own, where it is one, else the outermost in it."""
    node = node.value if isinstance(node, (ast.AugAssign, ast.Assign, ast.AnnAssign)) and node.value is not None else node
    inside = {id(n) for n in ast.walk(node)}
    live = [s for s in seen if id(s.node) in inside and inspection.trace.is_live(s.value)]
    return [s for s in live if s.node is node] or list(_outermost(iter(live)))


def _outermost(seen: Iterator[Seen]) -> Iterator[Seen]:
    """Those that stand in no other of them."""
    found = list(seen)
    inner = {id(n) for s in found for n in ast.walk(s.node) if n is not s.node}
    return (s for s in found if id(s.node) not in inner)
