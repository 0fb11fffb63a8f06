"""DET407 requires_grad_misplaced: an attribute that should have been `requires_grad` of a parameter was set elsewhere, and the parameter
kept its flag.

Seen by `__setattr__` of Tensor, Module and Optimizer, by tensors that state_dict() handed out, and by the TypeError of a misspelt keyword.
It is no mistake when all flags are as was meant.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

import torch

from ..events import Assigned, Raised, StateRead, TorchCall
from ..ownership import parameters_of
from ..run import Run

CODE = "DET407"
RIGHT = "requires_grad"
MARK = "_handed_out_by_state_dict"


class Witness:
    """A tensor that state_dict() handed out carries MARK, so that it is known again however long it lives."""

    CALLS = frozenset({f"set {RIGHT}", f"{RIGHT}_"})

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_assigned(self, event: Assigned) -> None:
        right = isinstance(event.target, torch.Tensor) and event.name == RIGHT
        of_its_own = event.own or isinstance(getattr(type(event.target), event.name, None), property)
        if right or of_its_own or not _meant(event.name):
            return
        wrong = [tensor for tensor in _tensors(event.target) if tensor.requires_grad != bool(event.value)]
        if wrong:
            kept = f"requires_grad of {len(wrong)} tensors is still {not event.value}"
            self.run.report(CODE, event.site, f"{type(event.target).__name__} took the attribute `{event.name}`, and {kept}")

    def on_state_read(self, event: StateRead) -> None:
        for tensor in event.tensors:
            tensor.__dict__[MARK] = True

    def on_torch_call(self, event: TorchCall) -> None:
        target = event.args[0] if event.args else None
        if isinstance(target, torch.Tensor) and MARK in target.__dict__:
            site = self.run.here()
            if site is not None and event.error is None:
                self.run.report(CODE, site, "the tensor came from state_dict(): the parameter of the module kept its flag")

    def on_raised(self, event: Raised) -> None:
        if isinstance(event.error, TypeError):
            words = re.findall(r"(?:'(\w+)'|(\w+)=\w+)", str(event.error))
            word = next((w for pair in words for w in pair if w and w != RIGHT and _meant(w)), None)
            if word is not None:
                self.run.report(CODE, event.site, f"TypeError: {str(event.error).splitlines()[0]}")


def _meant(name: str) -> bool:
    """Whether `name` is requires_grad or a misspelling of it."""
    return difflib.SequenceMatcher(None, name, RIGHT).ratio() > 0.84


def _tensors(target: Any) -> Iterable[torch.Tensor]:
    if isinstance(target, torch.Tensor):
        return [target]
    if isinstance(target, torch.nn.Module):
        return list(parameters_of(target))
    return [p for group in target.param_groups for p in group["params"]]
