"""DET104 state_not_detached: a backward pass went back into an earlier iteration, over a value carried past a backward pass that had been
there.

Torch raises "Trying to backward through the graph a second time" when something was saved there, and counts gradients again when nothing
was. Told at the line that bound the carried value.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from ..events import Backward, IterationEnd, Link, Round, TorchCall
from ..graph import node_of, now, number
from ..program import Site
from ..run import REMEMBERED, Run

CODE = "DET104"


@dataclass(slots=True)
class Carried:
    """A link that held a value at the end of an iteration of `round`."""

    link: Link
    round: Round


class Witness:
    """`carried` are by node the values that outlived their iteration, `passes` the sequence number when a backward pass visited a node."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.carried: dict[int, list[Carried]] = defaultdict(list)
        self.passes: dict[int, int] = {}

    def on_iteration_end(self, event: IterationEnd) -> None:
        for held in event.held:
            if not held.inside_model and held.number >= event.round.first:
                link = event.attachment(held)
                if link is not None:
                    self.carried[held.number].append(Carried(link, event.round))

    def on_torch_call(self, event: TorchCall) -> None:
        """The first use in a later iteration tells which of several names was the one that carried: not those that were bound anew
        meanwhile.
        """
        for tensor in event.live if self.carried else ():
            node = node_of(tensor)
            carried = self.carried.get(number(node), []) if node is not None else []
            if len(carried) > 1:
                holds = self.run.lines.variable_holds
                still = [c for c in carried if not c.link.variable or holds(c.link.holder, c.link.label, tensor)]
                self.carried[number(node)] = still or carried

    def on_backward(self, event: Backward) -> None:
        again = [self.passes[n] for n in event.visited if n in self.passes]
        if again:
            self._look_back(event, max(again))
        if not event.create_graph:
            self.passes.update(dict.fromkeys(event.visited, now()))
        for memory in (self.passes, self.carried):
            for old in sorted(memory)[:REMEMBERED] if len(memory) > 2 * REMEMBERED else ():
                del memory[old]

    def _look_back(self, event: Backward, moment: int) -> None:
        for old in event.graph.crossings(moment):
            # a loop that has ended carries nothing into its next iteration
            links = [c.link for c in self.carried.get(old, ()) if any(c.round in a.rounds for a in self.run.stack)]
            if links and not event.graph.below(old).isdisjoint(self.passes):
                line = self.run.line_of_growth(min(links, key=lambda link: link.time), event.graph.nodes[old])
                evidence = "a backward pass went through it into an earlier iteration, whose graph a backward pass had used already"
                self.run.report(CODE, Site(line), evidence)
