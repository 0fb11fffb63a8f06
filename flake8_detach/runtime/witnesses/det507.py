"""DET507 optimizer_of_non_leaf: torch refused to optimize a tensor that is not a leaf."""

from __future__ import annotations

from ..events import Raised
from ..run import Run

CODE = "DET507"


class Witness:
    """The ValueError says it all."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_raised(self, event: Raised) -> None:
        if isinstance(event.error, ValueError) and "can't optimize a non-leaf Tensor" in str(event.error):
            self.run.report(CODE, event.site, f"ValueError: {event.error}")
