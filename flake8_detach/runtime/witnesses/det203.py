"""DET203 deepcopy_live: deepcopy met a tensor with history, and torch refused."""

from __future__ import annotations

from ..events import Raised
from ..run import Run

CODE = "DET203"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run

    def on_raised(self, event: Raised) -> None:
        if isinstance(event.error, RuntimeError) and str(event.error).startswith("Only Tensors created explicitly by the user"):
            self.run.report(CODE, event.site, f"RuntimeError: {str(event.error).split('.')[0]}")
