"""DET406 alias_written: a saved tensor was overwritten through a detached alias, and a backward pass needed it.

Through `.detach()` torch refuses at the backward; through `.data` the gradients are wrong and nothing tells.
"""

from __future__ import annotations

from ..events import BackwardDone
from ..run import Run
from ..saved import Saved

CODE = "DET406"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.saved = Saved.of(run)

    def on_backward_done(self, event: BackwardDone) -> None:
        for write in self.saved.spoiled(event.backward, steps=False):
            if write.hidden and write.site is not None:
                end = f"{type(event.error).__name__} at the backward" if event.error else "the gradients are computed from the new values"
                self.run.report(CODE, write.site, f"{write.name} overwrote through an alias what {write.saver} had saved: {end}")
