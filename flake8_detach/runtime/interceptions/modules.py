"""Watches module calls, `train()` / `eval()` and `state_dict()`.

A call counts as a model's when the module has trainable parameters; only the outermost call is told, with the program's frames that led to it.
The hooks are those of `torch.nn.modules.module.register_module_forward_hook`, which see every module.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch.nn.modules import module as hooks

from ..events import Frame, ModeSet, ModuleCall, StateRead
from ..graph import now
from ..run import Run
from .functions import live_in


def install(run: Run) -> None:
    """Registers global hooks, and wraps two methods of Module, for the rest of the process."""
    calls = Calls(run)
    hooks.register_module_forward_pre_hook(calls.begins)
    hooks.register_module_forward_hook(calls.ends, always_call=True)
    _watch_mode(run)
    _watch_state(run)


class Calls:
    """The module calls that run now. `depth` counts all, `model` the outermost with trainable parameters."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.open: list[tuple[torch.nn.Module, ModuleCall | None]] = []

    def begins(self, module: torch.nn.Module, args: Any) -> None:
        """Before a forward: remembers the frames when this is a model's outermost call."""
        with self.run.aside():
            call = None
            inside = any(outer is not None for _, outer in self.open)
            if not inside and torch.is_grad_enabled() and any(p.requires_grad for p in module.parameters()):
                call = self._call(module)
            self.open.append((module, call))
            self.run.open_modules = len(self.open)

    def _call(self, module: torch.nn.Module) -> ModuleCall | None:
        site = self.run.here()
        if site is None:
            return None
        frames = [Frame(a, a.line, a.rounds[-1] if a.rounds else None, list(a.rounds)) for a in self.run.stack]
        return ModuleCall(type(module).__name__, module.training, now(), now(), frames, site)

    def ends(self, module: torch.nn.Module, args: Any, output: Any) -> None:
        """After a forward, also one that raised: tells of the call when it made a graph."""
        with self.run.aside():
            while self.open:
                opened, call = self.open.pop()
                if call is not None:
                    call.end = now()
                    # a pass that raised has no output, and no graph that anyone could use
                    if call.end > call.first and next(iter(live_in((_contents(output),))), None) is not None:
                        self.run.model_calls.append(call)
                        self.run.emit(call)
                if opened is module:
                    break
            self.run.open_modules = len(self.open)


def _contents(output: Any) -> Any:
    if isinstance(output, (torch.Tensor, list, tuple, dict)):
        return output
    return list(vars(output).values()) if hasattr(output, "__dict__") else output


def _watch_mode(run: Run) -> None:
    original = torch.nn.Module.train

    @functools.wraps(original)
    def train(self: torch.nn.Module, mode: bool = True) -> torch.nn.Module:
        if not run.busy:
            run.emit(ModeSet(self, bool(mode), run.stack[-1] if run.stack else None))
        return original(self, mode)

    torch.nn.Module.train = train  # type: ignore[method-assign]


def _watch_state(run: Run) -> None:
    original = torch.nn.Module.state_dict

    @functools.wraps(original)
    def state_dict(self: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        state = original(self, *args, **kwargs)
        if not run.busy:
            run.emit(StateRead([v for v in state.values() if isinstance(v, torch.Tensor)]))
        return state

    torch.nn.Module.state_dict = state_dict  # type: ignore[method-assign]
