"""Watches `optimizer.step()` of every optimizer, by the global hooks of torch.optim.optimizer (register_optimizer_step_pre_hook)."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from ..events import Step
from ..run import Run


def install(run: Run) -> None:
    """Registers both hooks for the rest of the process."""

    def before(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        with run.aside():
            run.emit(Step(optimizer, done=False))

    def after(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        with run.aside():
            run.clock += 1
            run.emit(Step(optimizer, done=True))

    register_optimizer_step_pre_hook(before)
    register_optimizer_step_post_hook(after)
