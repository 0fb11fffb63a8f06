"""DET418 stale_optimizer: a part was put into a model that an optimizer already held, got gradients, and no optimizer ever held it."""

from __future__ import annotations

import torch

from ..events import Assigned, Backward, Finished, OptimizerMade, Step
from ..ownership import Ownership, parameters_of, tensors_in
from ..run import Run

CODE = "DET418"


class Witness:
    """`assigned` are the parts that were put into modules of which an optimizer held other parameters."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.owned = Ownership()
        self.assigned: list[Assigned] = []

    def on_assigned(self, event: Assigned) -> None:
        part = isinstance(event.value, (torch.nn.Module, torch.nn.Parameter))
        if any(a.name == "forward" and a.inside_model for a in self.run.stack):
            return  # a part that each forward makes anew is DET419
        if isinstance(event.target, torch.nn.Module) and part and any(id(p) in self.owned.held for p in parameters_of(event.target)):
            self.assigned.append(event)

    def on_backward(self, event: Backward) -> None:
        self.owned.backward(event)

    def on_step(self, event: Step) -> None:
        self.owned.optimizer(event)

    def on_optimizer_made(self, event: OptimizerMade) -> None:
        self.owned.optimizer(event)

    def on_finished(self, event: Finished) -> None:
        for assigned in self.assigned:
            if self.owned.lost(tensors_in(assigned.value)):
                self.run.report(CODE, assigned.site, f"`{assigned.name}` was replaced behind the optimizer's back: it got gradients and never trained")
