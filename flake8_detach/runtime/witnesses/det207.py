"""DET207 live_to_process: a tensor with history was pickled for another process, and torch refused."""

from __future__ import annotations

from ..events import Raised
from ..run import Run

CODE = "DET207"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run

    def on_raised(self, event: Raised) -> None:
        if isinstance(event.error, RuntimeError) and str(event.error).startswith("Cowardly refusing to serialize non-leaf tensor"):
            self.run.report(CODE, event.site, f"RuntimeError: {str(event.error).split(',')[0]}")
