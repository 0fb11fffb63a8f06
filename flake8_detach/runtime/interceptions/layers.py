"""Watches what depends on train and eval mode: dropout and batch norm as they run, and the calls that set the mode.

An outermost module call is told when it ends, in any grad mode, with whether a layer inside it worked in train mode. A dropout that runs while the
outermost module is in eval mode is told at once, as a TorchCall is.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch.nn.modules import module as hooks
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from ..events import Frame, ModeCalled, Ran
from ..graph import now
from ..run import Run


def install(run: Run) -> None:
    """Registers global hooks, and wraps `Module.train` and `Module.eval`, for the rest of the process."""
    calls = Calls(run)
    run.passes = calls
    hooks.register_module_forward_pre_hook(calls.begins)
    hooks.register_module_forward_hook(calls.ends, always_call=True)
    _watch_mode(run)


class Calls:
    """The module calls that run now, outermost first; `drops` says whether a layer of the outermost one worked in train mode so far."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.open: list[torch.nn.Module] = []
        self.drops = False
        self.first = 0
        self.frames: list[Frame] = []

    def begins(self, module: torch.nn.Module, args: Any) -> None:
        """Before a forward."""
        if not self.open:
            self.drops, self.first = False, now()
            self.frames = [Frame(a, a.line, list(a.rounds)) for a in self.run.stack]
        self.open.append(module)
        if module.training and (isinstance(module, _NormBase) and module.track_running_stats or isinstance(module, _DropoutNd) and module.p > 0):
            self.drops = True

    def ends(self, module: torch.nn.Module, args: Any, output: Any) -> None:
        """After a forward, also one that raised."""
        while self.open:
            opened = self.open.pop()
            if opened is module:
                break
        if not self.open:
            site = self.run.here()
            if site is not None:
                with self.run.aside():
                    self.run.emit(Ran(module, self.drops, torch.is_grad_enabled(), self.first, now(), self.frames, site, output))


def _watch_mode(run: Run) -> None:
    for name in ("train", "eval"):
        setattr(torch.nn.Module, name, _watched(run, getattr(torch.nn.Module, name), name))


def _watched(run: Run, original: Any, name: str) -> Any:
    @functools.wraps(original)
    def set_mode(self: torch.nn.Module, *args: Any, **kwargs: Any) -> torch.nn.Module:
        frame = run.frame()
        if not run.busy and frame is not None and not getattr(run, "setting_mode", False):
            mode = bool((args or [kwargs.get("mode", True)])[0]) if name == "train" else False
            run.emit(ModeCalled(self, mode, run.program.site(frame), run.stack[-1] if run.stack else None))
        before, run.setting_mode = run.setting_mode, True
        try:
            return original(self, *args, **kwargs)  # type: ignore[no-any-return]
        finally:
            run.setting_mode = before

    return set_mode
