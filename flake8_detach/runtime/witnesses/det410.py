"""DET410 saved_overwritten: backward() met a saved tensor that had been overwritten, and torch refused.

The place is the write; where an optimizer's step overwrote weights, it is the backward. A write through a detached alias is DET406.
"""

from __future__ import annotations

from ..events import BackwardDone
from ..run import Run
from ..saved import Saved

CODE = "DET410"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.saved = Saved.of(run)

    def on_backward_done(self, event: BackwardDone) -> None:
        if event.error is None:
            self.saved.forget(event.backward)  # here, since DET406 comes before
        if not isinstance(event.error, RuntimeError) or "modified by an inplace operation" not in str(event.error):
            return
        for write in self.saved.spoiled(event.backward, steps=True):
            site = write.site or event.backward.site
            if not write.hidden and site is not None:
                self.run.report(CODE, site, f"RuntimeError: {str(event.error).split(';')[0]}")
