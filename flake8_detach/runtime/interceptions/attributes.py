"""Watches the program set attributes of tensors, modules and optimizers.

A misspelt attribute of a tensor is an ordinary Python attribute, of which no torch function tells: `__setattr__` of the classes is wrapped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..events import Assigned
from ..run import Run


def install(run: Run) -> None:
    """Wraps `__setattr__` of Tensor, Module, Optimizer and the context of a custom Function for the rest of the process."""
    for cls in (torch.Tensor, torch.nn.Module, torch.optim.Optimizer, torch.autograd.function.BackwardCFunction):
        setattr(cls, "__setattr__", _watched(run, cls.__setattr__))  # noqa: B010 (see modules)


def _watched(run: Run, original: Callable[[Any, str, Any], None]) -> Callable[[Any, str, Any], None]:
    def set_attribute(self: Any, name: str, value: Any) -> None:
        original(self, name, value)
        if not run.busy:
            _tell(run, self, name, value)

    return set_attribute


def _tell(run: Run, target: Any, name: str, value: Any) -> None:
    frame = run.frame()
    if frame is None:
        return
    code = frame.f_code
    own = code.co_argcount > 0 and frame.f_locals.get(code.co_varnames[0]) is target
    with run.aside():
        run.emit(Assigned(target, name, value, run.program.site(frame), own))
