"""DET104 state_not_detached: a backward pass went back into an earlier iteration, through a value carried over a backward pass that had been there.

Torch raises "Trying to backward through the graph a second time" when something was saved there, and counts gradients twice when nothing was.
Told at the line that bound the carried value.
"""

from __future__ import annotations

from ..events import Backward, IterationEnd
from ..graph import now
from ..interceptions.backprop import visited_by
from ..program import Site
from ..run import Run

CODE = "DET104"


class Witness:
    """`carried` maps the node of each value that outlived its iteration to the line that bound it; `passes` has the sequence number at each pass."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.carried: dict[int, int] = {}
        self.passes: dict[int, int] = {}

    def on_iteration_end(self, event: IterationEnd) -> None:
        for held in event.held:
            if held.inside_model or held.number < event.round.first:
                continue
            link = next((k for k in reversed(held.road) if event.first_seen(k.holder) < event.round.start or k.variable), None)
            if link is not None and link.time >= event.round.start:
                birth = self.run.births.get(held.number)
                self.carried[held.number] = link.line if link.known or birth is None else birth[0].line

    def on_backward(self, event: Backward) -> None:
        visited = visited_by(event)
        again = [self.passes[n] for n in visited if n in self.passes]
        if again:
            self._look_back(event, max(again))
        if not event.create_graph:
            moment = now()
            self.passes.update(dict.fromkeys(visited, moment))

    def _look_back(self, event: Backward, moment: int) -> None:
        for number in event.graph.crossings(moment):
            if number in self.carried and any(n in self.passes for n in _below(event, number)):
                evidence = "a backward pass went through it into an earlier iteration, whose graph a backward pass had used already"
                self.run.report(CODE, Site(self.carried[number]), evidence)


def _below(event: Backward, number: int) -> set[int]:
    nodes = event.graph.nodes
    todo, seen = [number], set[int]()
    while todo:
        current = todo.pop()
        if current in nodes and current not in seen:
            seen.add(current)
            todo.extend(int(p._sequence_nr()) for p, _ in nodes[current].next_functions if p is not None)
    return seen
