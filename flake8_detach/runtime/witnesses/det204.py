"""DET204 float_of_live: Python asked a live tensor for a float while gradients were on, which torch warns about once per process.

The question counts where the program itself asks it, or torch's own scheduler does; a tracker that asks has its own way to show a value (DET101).
"""

from __future__ import annotations

import sys

import torch

from ..events import TorchCall
from ..run import Run

CODE = "DET204"
QUESTIONS = frozenset({"__float__", "__complex__"})


class Witness:
    CALLS = frozenset(QUESTIONS)

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_torch_call(self, event: TorchCall) -> None:
        if event.live and event.error is None and torch.is_grad_enabled() and self._is_direct():
            site = self.run.here()
            if site is not None:
                self.run.report(CODE, site, "UserWarning: Converting a tensor with requires_grad=True to a scalar")

    def _is_direct(self) -> bool:
        frame = sys._getframe(1)
        while frame.f_back is not None and "flake8_detach" in frame.f_code.co_filename:
            frame = frame.f_back
        while frame.f_back is not None and ("overrides" in frame.f_code.co_filename or frame.f_code.co_filename.endswith("_tensor.py")):
            frame = frame.f_back
        return self.run.program.owns(frame.f_code) or frame.f_code.co_filename.endswith("lr_scheduler.py")
