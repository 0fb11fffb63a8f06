"""DET403 inplace_on_leaf: an in-place operation met a leaf that requires grad, or a view of one, and torch refused."""

from __future__ import annotations

from ..events import Raised
from ..run import Run

CODE = "DET403"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run

    def on_raised(self, event: Raised) -> None:
        if isinstance(event.error, RuntimeError) and "leaf Variable that requires grad is being used in an in-place operation" in str(event.error):
            self.run.report(CODE, event.site, f"RuntimeError: {str(event.error).splitlines()[0]}")
