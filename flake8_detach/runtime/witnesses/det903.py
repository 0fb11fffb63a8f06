"""DET903 checkpoint_reentrant: torch.utils.checkpoint warned that it was not told which form to take."""

from __future__ import annotations

from ..events import Warned
from ..program import Site
from ..run import Run

CODE = "DET903"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run

    def on_warned(self, event: Warned) -> None:
        if "use_reentrant" in event.message:
            self.run.report(CODE, Site(event.line), f"UserWarning: {event.message.split('.')[0]}")
