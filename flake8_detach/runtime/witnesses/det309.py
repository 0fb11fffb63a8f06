"""DET309 dropout_always_on: a dropout dropped inside a model that is in eval mode."""

from __future__ import annotations

from ..events import ModeCalled, TorchCall
from ..run import Run

CODE = "DET309"
DROPOUTS = frozenset({"dropout", "dropout1d", "dropout2d", "dropout3d", "feature_dropout"})


class Witness:
    CALLS = DROPOUTS

    def __init__(self, run: Run) -> None:
        self.run = run
        self.asked: set[int] = set()

    def on_mode_called(self, event: ModeCalled) -> None:
        """A layer that the program itself put into train mode is meant to work."""
        if event.mode:
            self.asked.add(id(event.module))

    def on_torch_call(self, event: TorchCall) -> None:
        calls = self.run.passes
        if calls is None or not calls.open or calls.open[0].training:
            return
        if id(calls.open[-1]) in self.asked:
            return
        rate = event.kwargs.get("p", event.args[1] if len(event.args) > 1 else 0.5)
        site = self.run.here()
        if event.kwargs.get("training", True) and rate > 0 and site is not None:
            self.run.report(CODE, site, f"{event.name} worked with rate {rate} while the model was in eval mode")
