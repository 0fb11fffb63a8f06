"""DET413 modules_in_list: parameters in a plain container on a module got gradients, and no optimizer ever held them."""

from __future__ import annotations

import torch

from ..events import Assigned, Backward, Finished, OptimizerMade, Step
from ..ownership import Ownership, parameters_of, tensors_in
from ..run import Run

CODE = "DET413"


class Witness:
    """`assigned` are the plain containers that were put on modules."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.owned = Ownership()
        self.assigned: list[Assigned] = []

    def on_assigned(self, event: Assigned) -> None:
        plain = isinstance(event.value, (list, tuple)) or type(event.value) is dict
        if isinstance(event.target, torch.nn.Module) and plain and not event.name.startswith("_"):
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
            lost = [p for p in self.owned.lost(tensors_in(assigned.value)) if id(p) not in registered and isinstance(p, torch.nn.Parameter)]
            if lost:
                self.run.report(CODE, assigned.site, f"{len(lost)} parameters in `{assigned.name}` got gradients and never trained")
