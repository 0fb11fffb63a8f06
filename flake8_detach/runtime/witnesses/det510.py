"""DET510 parameters_exhausted: an optimizer or a clip was given an iterator of parameters that had nothing left."""

from __future__ import annotations

from ..events import Exhausted
from ..run import Run

CODE = "DET510"
HARM = {"clip": "nothing was clipped", "optimizer": "the optimizer got no parameters"}


class Witness:
    """A loop over such an iterator runs no line, so it can't be seen."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_exhausted(self, event: Exhausted) -> None:
        self.run.report(CODE, event.site, f"the iterator over parameters had nothing left: {HARM[event.taker]}")
