"""DET307 grad_left_off: a backward pass began while gradients were off by a `set_grad_enabled(False)` that nothing had taken back."""

from __future__ import annotations

import torch

from ..events import Backward, GradSet, SwitchEntered
from ..program import Site
from ..run import Run

CODE = "DET307"


class Witness:
    """`off` is the statement in force: the number of its object, and where it stands."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.off: tuple[int, Site] | None = None

    def on_grad_set(self, event: GradSet) -> None:
        self.off = None if event.mode else (event.number, event.site)

    def on_switch_entered(self, event: SwitchEntered) -> None:
        if self.off is not None and self.off[0] == event.number:
            self.off = None

    def on_backward(self, event: Backward) -> None:
        if self.off is not None and not torch.is_grad_enabled() and not event.graph.nodes:
            self.run.report(CODE, self.off[1], "gradients were still off when a backward pass began, and it found no graph")
