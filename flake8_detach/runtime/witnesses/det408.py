"""DET408 integer_requires_grad: requires_grad was asked of a tensor that is not floating point, and torch refused."""

from __future__ import annotations

from ..events import Raised
from ..run import Run

CODE = "DET408"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run

    def on_raised(self, event: Raised) -> None:
        if isinstance(event.error, RuntimeError) and "ensors of floating point" in str(event.error) and "grad" in str(event.error):
            self.run.report(CODE, event.site, f"RuntimeError: {str(event.error).splitlines()[0]}")
