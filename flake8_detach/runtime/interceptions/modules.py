"""Watches module calls, `train()` / `eval()` and `state_dict()`.

A call is a model's when the module has trainable parameters; only the outermost one is told, with the program's functions that led to it.
The hooks are those of torch.nn.modules.module.register_module_forward_hook, which see every module.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch.nn.modules import module as hooks

from ..events import Frame, ModeSet, ModuleCall, StateRead, StateUsed
from ..graph import now
from ..ownership import parameters_of, tensors_in
from ..run import Run
from .functions import live_in


def install(run: Run) -> None:
    """Registers global hooks, and wraps two methods of Module, for the rest of the process."""
    calls = Calls(run)
    hooks.register_module_forward_pre_hook(calls.begins)
    hooks.register_module_forward_hook(calls.ends, always_call=True)
    _watch_mode(run)
    _watch_state(run)
    _watch_use(run)


class Calls:
    """The module calls that run now, innermost last; those that are no model's outermost call have no ModuleCall."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.open: list[tuple[torch.nn.Module, ModuleCall | None]] = []
        self.models = 0  # how many of them have a ModuleCall

    def begins(self, module: torch.nn.Module, args: Any) -> None:
        """Before a forward."""
        call = None
        if not self.models and torch.is_grad_enabled():
            with self.run.aside():
                call = self._call(module) if any(p.requires_grad for p in parameters_of(module)) else None
        self.models += call is not None
        self.open.append((module, call))
        self.run.open_modules = len(self.open)

    def _call(self, module: torch.nn.Module) -> ModuleCall | None:
        site = self.run.here()
        if site is None:
            return None
        frames = [Frame(activation, activation.line, list(activation.rounds)) for activation in self.run.stack]
        return ModuleCall(type(module).__name__, module.training, now(), now(), frames, site)

    def ends(self, module: torch.nn.Module, args: Any, output: Any) -> None:
        """After a forward, also one that raised; what was still open above it ended without a word."""
        while self.open:
            opened, call = self.open.pop()
            if call is not None:
                self.models -= 1
                with self.run.aside():
                    self._tell(call, output)
            if opened is module:
                break
        self.run.open_modules = len(self.open)

    def _tell(self, call: ModuleCall, output: Any) -> None:
        call.end = now()
        # a forward that raised has no output, and no graph that anyone could use
        if call.end > call.first and next(live_in((_contents(output),)), None) is not None:
            self.run.model_ran(call.first, call.end)
            self.run.emit(call)


def _contents(output: Any) -> Any:
    if isinstance(output, (torch.Tensor, list, tuple, dict)) or not hasattr(output, "__dict__"):
        return output
    return list(vars(output).values())


def _watch_mode(run: Run) -> None:
    original = torch.nn.Module.train

    @functools.wraps(original)
    def train(self: torch.nn.Module, mode: bool = True) -> torch.nn.Module:
        if not run.busy:
            run.emit(ModeSet(bool(mode), run.stack[-1] if run.stack else None))
        return original(self, mode)

    setattr(torch.nn.Module, "train", train)  # noqa: B010 (a plain assignment to a method is no assignment to mypy)


def _watch_state(run: Run) -> None:
    original = torch.nn.Module.state_dict

    @functools.wraps(original)
    def state_dict(self: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        state = original(self, *args, **kwargs)
        if not run.busy:
            run.emit(StateRead([v for v in state.values() if isinstance(v, torch.Tensor)]))
        return state

    setattr(torch.nn.Module, "state_dict", state_dict)  # noqa: B010


def _watch_use(run: Run) -> None:
    load, save = torch.nn.Module.load_state_dict, torch.save

    @functools.wraps(load)
    def load_state_dict(self: torch.nn.Module, state: Any, *args: Any, **kwargs: Any) -> Any:
        _tell_use(run, state, "load_state_dict")
        return load(self, state, *args, **kwargs)

    @functools.wraps(save)
    def saved(value: Any, *args: Any, **kwargs: Any) -> Any:
        _tell_use(run, value, "torch.save")
        return save(value, *args, **kwargs)

    setattr(torch.nn.Module, "load_state_dict", load_state_dict)  # noqa: B010
    setattr(torch, "save", saved)  # noqa: B010


def _tell_use(run: Run, value: Any, function: str) -> None:
    if not run.busy:
        with run.aside():
            run.emit(StateUsed(tensors_in(value), function))
