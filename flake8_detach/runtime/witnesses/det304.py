"""DET304 yield_in_no_grad: a generator or coroutine was entered with gradients on, and left by a yield or an await with gradients off."""

from __future__ import annotations

from ..events import Paused
from ..run import Run

CODE = "DET304"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run

    def on_paused(self, event: Paused) -> None:
        if event.before and not event.after:
            self.run.report(CODE, event.site, "gradients were on when it was entered and are off for whoever runs while it waits")
