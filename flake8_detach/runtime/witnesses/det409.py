"""DET409 flag_on_non_leaf: requires_grad was set on a tensor that is no leaf, and torch refused."""

from __future__ import annotations

from ..events import Raised
from ..run import Run

CODE = "DET409"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run

    def on_raised(self, event: Raised) -> None:
        if isinstance(event.error, RuntimeError) and str(event.error).startswith("you can only change requires_grad flags of leaf variables"):
            self.run.report(CODE, event.site, f"RuntimeError: {str(event.error).splitlines()[0]}")
