"""DET419 layer_in_forward: parameters that were made while a module's forward ran got gradients, and no optimizer ever held them."""

from __future__ import annotations

import torch

from ..events import Assigned, Backward, Finished, OptimizerMade, Step
from ..ownership import Ownership
from ..program import Site
from ..run import Run

CODE = "DET419"


class Witness:
    """`made` are the parameters that were made below a forward, and where the forward stood."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.owned = Ownership()
        self.made: list[tuple[torch.Tensor, Site]] = []

    def on_assigned(self, event: Assigned) -> None:
        if not isinstance(event.value, torch.nn.Parameter) or not isinstance(event.target, torch.nn.Module):
            return
        forward = next((a for a in reversed(self.run.stack) if a.name == "forward" and a.inside_model), None)
        if forward is not None:
            self.made.append((event.value, event.site if forward is self.run.stack[-1] else Site(forward.line)))

    def on_backward(self, event: Backward) -> None:
        self.owned.backward(event)

    def on_step(self, event: Step) -> None:
        self.owned.optimizer(event)

    def on_optimizer_made(self, event: OptimizerMade) -> None:
        self.owned.optimizer(event)

    def on_finished(self, event: Finished) -> None:
        for parameter, site in self.made:
            if self.owned.lost([parameter]):
                self.run.report(CODE, site, "parameters that forward made got gradients and never trained")
