"""DET402 grad_of_non_leaf: `.grad` was read on a live tensor that is no leaf and keeps no gradient: torch gave None, and a warning."""

from __future__ import annotations

import torch

from ..events import TorchCall
from ..run import Run

CODE = "DET402"
UPDATE = "_updates"


class Witness:
    CALLS = frozenset({"get grad"})

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_torch_call(self, event: TorchCall) -> None:
        if not isinstance(tensor := event.args[0], torch.Tensor):
            return
        if UPDATE in tensor.__dict__:
            return  # an update that is taken for its leaf is DET404
        site = self.run.here()
        if site is not None and tensor.requires_grad and not tensor.is_leaf and not tensor.retains_grad and event.result is None:
            self.run.report(CODE, site, f"`.grad` of the result of {tensor.grad_fn.name() if tensor.grad_fn else 'an operation'} is None")
