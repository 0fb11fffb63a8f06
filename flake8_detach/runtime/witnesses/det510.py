"""DET510 parameters_exhausted: an optimizer or a clip was given an iterator of parameters that had nothing left."""

from __future__ import annotations

from ..events import Clipping, OptimizerMade
from ..run import Run

CODE = "DET510"
EMPTY = "the iterator over parameters had nothing left"


class Witness:
    """A loop over such an iterator runs no line, so it can't be seen."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_clipping(self, event: Clipping) -> None:
        if event.empty:
            self.run.report(CODE, event.site, f"{EMPTY}: nothing was clipped")

    def on_optimizer_made(self, event: OptimizerMade) -> None:
        if event.empty:
            self.run.report(CODE, event.site, f"{EMPTY}: the optimizer got no parameters")
