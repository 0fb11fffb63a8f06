"""DET102 live_total: from one iteration to the next a value at the same place came to hang on its own previous value, and that history was never used.

The history must be new (the iteration made a path to a leaf of its own), and must not run through a model, for then it is a state, not a total.
Back-propagated after the iteration, it is accumulate-then-backward; otherwise every iteration's graph stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..events import Finished, Held, IterationEnd, Round
from ..graph import depends_on, kept_bytes, node_of, numbers, reaches_leaf
from ..program import Site
from ..run import Run

CODE = "DET102"
STORES = frozenset({"__setitem__", "index_copy_", "index_put_", "copy_"})


@dataclass(slots=True)
class Total:
    """What one line accumulated: the nodes of the total with the clock of the iteration's end, and the most that was alive at once."""

    ends: dict[int, int] = field(default_factory=dict)
    nodes: int = 0
    octets: int = 0


class Witness:
    """Compares what each place held at the end of one iteration with what it held at the end of the one before."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.previous: dict[Round, dict[tuple[int, object], int]] = {}
        self.totals: dict[int, Total] = {}

    def on_iteration_end(self, event: IterationEnd) -> None:
        before = self.previous.get(event.round, {})
        for held in event.held:
            link = held.road[-1]
            earlier = before.get((link.holder, link.label))
            if earlier is not None and earlier != held.number and self._grows(event, held, earlier):
                self._note(held)
        self.previous[event.round] = {(h.road[-1].holder, h.road[-1].label): h.number for h in event.held}

    def _grows(self, event: IterationEnd, held: Held, earlier: int) -> bool:
        node = node_of(held.tensor)
        if node is None or _local_to_a_model(held) or self.run.births.get(held.number, (None, ""))[1] in STORES:
            return False
        return depends_on(node, earlier, self.run.in_model) and reaches_leaf(node, event.round.first)

    def _note(self, held: Held) -> None:
        node = node_of(held.tensor)
        total = self.totals.setdefault(self._line(held), Total())
        total.ends[held.number] = self.run.clock
        nodes = len(numbers(node))
        if nodes > total.nodes:
            total.nodes, total.octets = nodes, kept_bytes(node)

    def _line(self, held: Held) -> int:
        link = held.road[-1]
        birth = self.run.births.get(held.number)
        return link.line if link.known or birth is None else birth[0].line

    def on_finished(self, event: Finished) -> None:
        told: set[int] = set()
        for line, total in sorted(self.totals.items(), key=lambda item: min(item[1].ends)):
            # one history under two names is one total, told where it was bound first
            if told >= set(total.ends) or any(self.run.visits.get(n, 0) > end for n, end in total.ends.items()):
                continue
            told |= set(total.ends)
            self.run.totals.add(line)
            self.run.report(CODE, Site(line), f"its history grew to {total.nodes} graph nodes with {total.octets} bytes of activations")


def _local_to_a_model(held: Held) -> bool:
    """Whether only a function that a model's call runs can reach it: it dies with the call."""
    return held.inside_model
