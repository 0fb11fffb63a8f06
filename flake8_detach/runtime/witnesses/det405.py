"""DET405 backward_twice: backward() went through a graph that an earlier pass had freed, and torch refused.

A graph that was partly made after that earlier pass carries a state from one iteration into the next: that is DET104.
"""

from __future__ import annotations

from ..events import Backward, BackwardDone
from ..graph import LEAF, now
from ..run import Run

CODE = "DET405"


class Witness:
    """`freed` are the nodes that a pass went through, with the sequence number that the next node would have got then."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.freed: dict[int, int] = {}

    def on_backward_done(self, event: BackwardDone) -> None:
        backward = event.backward
        if isinstance(event.error, RuntimeError) and "backward through the graph a second time" in str(event.error):
            if backward.site is not None and self._is_whole(backward):
                self.run.report(CODE, backward.site, f"RuntimeError: {str(event.error).split(' (')[0]}")
        elif event.error is None:
            self.freed.update(dict.fromkeys(backward.visited, now()))

    def _is_whole(self, backward: Backward) -> bool:
        """Whether all of the graph was there when its older part was freed."""
        freed = [self.freed[n] for n in backward.graph.nodes if n in self.freed]
        return bool(freed) and max(n for n in backward.graph.nodes if n < LEAF) < max(freed)
