"""DET414 parameter_lost: a tensor attribute of a module got its gradient, or its Parameter did, and no optimizer ever held it."""

from __future__ import annotations

import torch

from ..events import Assigned, Backward, Finished, OptimizerMade, Step
from ..ownership import Ownership, parameters_of
from ..run import Run

CODE = "DET414"


class Witness:
    """`assigned` are the live tensors that were put on modules as plain attributes."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.owned = Ownership()
        self.assigned: list[Assigned] = []

    def on_assigned(self, event: Assigned) -> None:
        value = event.value
        plain = isinstance(value, torch.Tensor) and not isinstance(value, torch.nn.Parameter) and value.requires_grad
        if isinstance(event.target, torch.nn.Module) and plain and event.own:
            self.assigned.append(event)

    def on_backward(self, event: Backward) -> None:
        self.owned.backward(event)

    def on_step(self, event: Step) -> None:
        self.owned.optimizer(event)

    def on_optimizer_made(self, event: OptimizerMade) -> None:
        self.owned.optimizer(event)

    def on_finished(self, event: Finished) -> None:
        for assigned in self.assigned:
            registered = set(map(id, parameters_of(assigned.target)))
            if any(id(leaf) not in registered for leaf in self.owned.lost([assigned.value])):
                self.run.report(CODE, assigned.site, f"`{assigned.name}` got a gradient and never trained: parameters() lacks it")
