"""DET419 layer_in_forward: parameters that were made while a module's forward ran took part in a graph, and no optimizer ever held them.

No backward pass is needed to tell: where the program only calls the model, each call still makes other weights.
"""

from __future__ import annotations

import torch

from ..events import Assigned, Backward, Finished, OptimizerMade, Step
from ..ownership import Contributors, Ownership
from ..program import Site
from ..run import Run

CODE = "DET419"


class Witness:
    """`made` are the parameters that were made below a forward, and where the forward stood."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.owned = Ownership()
        self.contributors = Contributors.of(run)
        self.made: list[tuple[torch.Tensor, Site]] = []

    def on_assigned(self, event: Assigned) -> None:
        if not torch.is_grad_enabled() or not isinstance(event.value, torch.nn.Parameter) or not isinstance(event.target, torch.nn.Module):
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
            if parameter.requires_grad and id(parameter) in self.contributors.leaves and not self.owned.is_wanted(parameter):
                self.run.report(CODE, site, "parameters that forward made took part in a graph, and no optimizer holds them")
