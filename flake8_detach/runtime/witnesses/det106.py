"""DET106 tensor_on_ctx: a tensor was set as an attribute of the context of a custom Function, where autograd does not watch it."""

from __future__ import annotations

import torch

from ..events import Assigned
from ..run import Run

CODE = "DET106"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run

    def on_assigned(self, event: Assigned) -> None:
        if isinstance(event.target, torch.autograd.function.BackwardCFunction) and isinstance(event.value, torch.Tensor) and event.own:
            evidence = f"`{event.name}` holds a tensor that is not among the saved tensors, whose versions torch checks"
            self.run.report(CODE, event.site, evidence)
