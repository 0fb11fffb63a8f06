"""Draws the autograd graph that torch really built for the values of one line of the program, from their grad_fn back to the leaves.

The graph is read while it is there, into names and numbers, the first time that the line meets a live tensor: later it may carry the history
of all earlier times. Nothing of it is kept alive.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from ..picture import Edge, Look, Node, Picture
from .events import LineRan, TorchCall
from .graph import LEAF, node_of, number, parents
from .interceptions.functions import live_in
from .occurrence import Occurrence
from .run import Run

BOUND = 150  # nodes of a picture


class Drawing:
    """What is known of the line's first visit. Told like a witness, by the run's events."""

    def __init__(self, run: Run, line: int) -> None:
        self.run, self.line = run, line
        self.names = {n.id for n in ast.walk(run.program.tree) if isinstance(n, ast.Name) and n.lineno == line}
        self.visit = Visit()
        run.drawn = line
        run.listen(self)

    def on_torch_call(self, event: TorchCall) -> None:
        """A torch function ran: what it gave, or where that is not live, what it was given."""
        frame = self.run.frame()
        if self.run.drawn and frame is not None and frame.f_lineno == self.line:
            result = list(live_in((event.result,)))
            self.visit.add(result or event.live, self.run, _variables(frame))

    def on_line_ran(self, event: LineRan) -> None:
        """The line has run: a line without a torch function has at least its variables."""
        variables = _variables(event.frame)
        if not self.visit.nodes:
            self.visit.add(live_in(variables[name] for name in self.names & variables.keys()), self.run, variables)
        if self.visit.nodes:
            self.run.drawn = 0

    def picture(self, occurrences: Iterable[Occurrence]) -> Picture | None:
        """The picture, with the place of what happened on the line; None where the line made or used no live tensor."""
        if not self.visit.nodes:
            return None
        nodes, edges = list(self.visit.nodes.values()), list(self.visit.edges.values())
        codes = [one.code for one in occurrences if one.line == self.line]
        if codes:
            source = self.run.program.lines[self.line - 1].decode(errors="replace").strip()
            nodes.append(Node("place", f"{' '.join(codes)}\n{source}\nline {self.line}", Look.PLACE))
            edges += [Edge(key, "place", True) for key in self.visit.ends()]
        return Picture(f"{Path(self.run.program.path).name}:{self.line}, as torch built it", nodes, edges)


class Visit:
    """One time that the line runs: the graph of its values as plain data."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: dict[tuple[str, str], Edge] = {}
        self.roots: dict[str, None] = {}
        self.leaves: dict[int, str] = {}

    def add(self, tensors: Iterable[torch.Tensor], run: Run, variables: Mapping[str, Any]) -> None:
        """Add the graphs of tensors, whose leaves get their names from the variables."""
        names = _names_of_leaves(variables)
        for tensor in tensors:
            node = node_of(tensor)
            if node is None:
                self.roots[self._leaf(tensor, names)] = None
            else:
                self.roots[str(number(node))] = None
                self._explore(node, run, names)

    def _explore(self, root: Any, run: Run, names: dict[int, str]) -> None:
        rest = [root]
        while rest and len(self.nodes) < BOUND:
            node = rest.pop()
            key = str(number(node))
            if key in self.nodes:
                continue
            site, operation = run.births.get(number(node), (None, ""))
            made = f"\n{operation}, line {site.line}" if site is not None else ""
            self.nodes[key] = Node(key, f"{node.name()}{made}", Look.OPERATION)
            for parent in parents(node):
                if number(parent) != LEAF:
                    rest.append(parent)
                    self.edges[str(number(parent)), key] = Edge(str(number(parent)), key, True)
                elif hasattr(parent, "variable"):
                    leaf = self._leaf(parent.variable, names)
                    self.edges[leaf, key] = Edge(leaf, key, True)

    def _leaf(self, tensor: torch.Tensor, names: dict[int, str]) -> str:
        key = self.leaves.setdefault(id(tensor), f"leaf{len(self.leaves)}")
        self.nodes[key] = Node(key, f"{names.get(id(tensor), 'a leaf')}\n{tuple(tensor.shape)}", Look.PARAMETER)
        return key

    def ends(self) -> list[str]:
        """The roots that no other node is computed from."""
        used = {start for start, _ in self.edges}
        return [key for key in self.roots if key not in used] or list(self.roots)


def _variables(frame: FrameType) -> dict[str, Any]:
    return {**frame.f_globals, **frame.f_locals}


def _names_of_leaves(variables: Mapping[str, Any]) -> dict[int, str]:
    """Leaves by identity, called as the program reaches them: `w`, `model.0.weight`."""
    out: dict[int, str] = {}
    for name, value in variables.items():
        if isinstance(value, torch.nn.Module):
            with contextlib.suppress(AttributeError):  # as in parameters_of
                out.update({id(p): f"{name}.{path}" for path, p in value.named_parameters()})
        elif isinstance(value, torch.Tensor):
            out.setdefault(id(value), name)
    return out
