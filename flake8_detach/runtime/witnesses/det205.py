"""DET205 tensor_of_tensor: a tensor was copied by a constructor that warns about it, or live tensors of a list came out of one cut."""

from __future__ import annotations

from typing import Any

import torch

from ..events import TorchCall
from ..run import Run

CODE = "DET205"
COPIES = {"tensor": 0, "new_tensor": 1}
LISTS = {**COPIES, "as_tensor": 0}


class Witness:
    CALLS = frozenset(LISTS)

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_torch_call(self, event: TorchCall) -> None:
        evidence = self._evidence(event) if event.error is None else ""
        site = self.run.here() if evidence else None
        if site is not None:
            self.run.report(CODE, site, evidence)

    @staticmethod
    def _evidence(event: TorchCall) -> str:
        place = LISTS[event.name]
        given: Any = event.args[place] if len(event.args) > place else event.kwargs.get("data")
        if isinstance(given, torch.Tensor):
            return "UserWarning: To copy construct from a tensor, it is recommended to use ..." if event.name in COPIES else ""
        if isinstance(given, (list, tuple)) and event.live and torch.is_grad_enabled() and not event.result.requires_grad:
            return f"{len(event.live)} live tensors went in, and the result does not require grad"
        return ""
