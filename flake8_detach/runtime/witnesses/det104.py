"""DET104 state_not_detached: a backward pass went back into an earlier iteration, through a value carried over a backward pass that had been there.

Torch raises "Trying to backward through the graph a second time" when something was saved there, and counts gradients twice when nothing was.
Told at the line that bound the carried value.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from ..events import Backward, IterationEnd, Link, Round, TorchCall
from ..graph import node_of, now, number
from ..interceptions.backprop import visited_by
from ..program import Site
from ..run import Run

CODE = "DET104"


@dataclass(slots=True)
class Carried:
    """A link that held a value at the end of an iteration of `round`."""

    link: Link
    round: Round


class Witness:
    """`carried` maps the node of each value that outlived its iteration to the links that held it; `passes` has the sequence number at each pass."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.carried: dict[int, list[Carried]] = defaultdict(list)
        self.passes: dict[int, int] = {}

    def on_iteration_end(self, event: IterationEnd) -> None:
        for held in event.held:
            if held.inside_model or held.number < event.round.first:
                continue
            link = event.attachment(held)
            if link is not None:
                self.carried[held.number].append(Carried(link, event.round))

    def on_torch_call(self, event: TorchCall) -> None:
        """The first use in a later iteration tells which of several names was the one that carried: those bound anew meanwhile were not."""
        for tensor in event.before:
            node = node_of(tensor)
            carried = self.carried.get(number(node), ()) if node is not None else ()
            if len(carried) > 1:
                still = [c for c in carried if not c.link.variable or self.run.lines.variable_holds(c.link.holder, c.link.label, tensor)]
                self.carried[number(node)] = still or list(carried)

    def on_backward(self, event: Backward) -> None:
        visited = visited_by(event)
        again = [self.passes[n] for n in visited if n in self.passes]
        if again:
            self._look_back(event, max(again))
        if not event.create_graph:
            moment = now()
            self.passes.update(dict.fromkeys(visited, moment))

    def _look_back(self, event: Backward, moment: int) -> None:
        for old in event.graph.crossings(moment):
            links = [c.link for c in self.carried.get(old, ()) if any(c.round in a.rounds for a in self.run.stack)]
            if links and any(n in self.passes for n in _below(event, old)):
                evidence = "a backward pass went through it into an earlier iteration, whose graph a backward pass had used already"
                self.run.report(CODE, Site(self._line(links, old)), evidence)

    def _line(self, links: list[Link], born: int) -> int:
        link = min(links, key=lambda k: k.time)
        birth = self.run.births.get(born)
        return link.line if link.known or birth is None else birth[0].line


def _below(event: Backward, born: int) -> set[int]:
    nodes = event.graph.nodes
    todo, seen = [born], set[int]()
    while todo:
        current = todo.pop()
        if current in nodes and current not in seen:
            seen.add(current)
            todo.extend(number(p) for p, _ in nodes[current].next_functions if p is not None)
    return seen
