"""DET102 live_total: from one iteration to the next a place came to hold a value that hangs on what it held before, and that history was
never used.

The iteration must have made a graph of its own (a way to a leaf), and the history must not run through a model: then it is a state, not a
total. Back-propagated after the iteration, it is accumulate-then-backward; otherwise every iteration's graph stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..events import Finished, Held, IterationEnd, Round
from ..graph import depends_on, kept_bytes, node_of, numbers, reaches_leaf
from ..program import Site
from ..run import Run

CODE = "DET102"

Place = tuple[int, object]


@dataclass(slots=True)
class Total:
    """What one line accumulated: the nodes of the total with the clock at the iteration's end, and the most that was alive at once."""

    ends: dict[int, int] = field(default_factory=dict)
    nodes: int = 0
    octets: int = 0


class Witness:
    """Compares what each place held at the end of one iteration with what it held at the end of the one before."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.previous: dict[Round, dict[Place, int]] = {}
        self.totals: dict[int, Total] = {}

    def on_iteration_end(self, event: IterationEnd) -> None:
        before, after = self.previous.get(event.round, {}), dict[Place, int]()
        for held in event.held:
            # what only a function that a model's call runs can reach dies with the call
            if not held.inside_model:
                place = held.road[-1].holder, held.road[-1].label
                after[place] = held.number
                if before.get(place, held.number) != held.number and self._grows(held, before[place], event.round.first):
                    self._note(held)
        self.previous[event.round] = after

    def _grows(self, held: Held, earlier: int, first: int) -> bool:
        node = node_of(held.tensor)
        if node is None or self.run.written_at(held.number) is not None:
            return False
        return depends_on(node, earlier, self.run.in_model) and reaches_leaf(node, first)

    def _note(self, held: Held) -> None:
        node = node_of(held.tensor)
        total = self.totals.setdefault(self.run.line_of_growth(held.road[-1], node), Total())
        total.ends[held.number] = self.run.clock
        self.run.concerns.add(held.number)
        history = len(numbers(node))
        if history > total.nodes:
            total.nodes, total.octets = history, kept_bytes(node)

    def on_finished(self, event: Finished) -> None:
        told = set[int]()
        for line, total in sorted(self.totals.items(), key=lambda item: min(item[1].ends)):
            # one history under two names is one total, told where it was bound first
            if not told >= total.ends.keys() and not any(self.run.visits.get(n, 0) > end for n, end in total.ends.items()):
                told |= total.ends.keys()
                self.run.totals.add(line)
                self.run.report(CODE, Site(line), f"its history grew to {total.nodes} graph nodes with {total.octets} bytes of activations")
