"""DET412 best_is_alias: the values of a state_dict() had changed with the model when they were restored or saved."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..events import StateRead, StateUsed
from ..graph import memory
from ..program import Site
from ..run import Run

CODE = "DET412"


@dataclass(slots=True)
class Copy:
    """A tensor as state_dict() handed it out at `site`, and its values at that time."""

    tensor: torch.Tensor
    values: torch.Tensor
    site: Site


class Witness:
    """`read` are all tensors that were handed out, by the memory they are in."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.read: dict[int, list[Copy]] = {}

    def on_state_read(self, event: StateRead) -> None:
        site = self.run.here()
        for tensor in event.tensors if site is not None else ():
            place = memory(tensor) if tensor.layout is torch.strided and tensor.is_floating_point() else 0
            if place:
                self.read.setdefault(place, []).append(Copy(tensor, tensor.clone(), site))  # type: ignore[arg-type]

    def on_state_used(self, event: StateUsed) -> None:
        for tensor in event.tensors:
            copies = self.read.get(memory(tensor), [])
            copy = next((c for c in copies if c.tensor is tensor), copies[0] if copies else None)
            if copy is not None and copy.values.shape == tensor.shape and not torch.equal(copy.values, tensor.detach()):
                self.run.report(CODE, copy.site, f"a tensor of {tuple(tensor.shape)} had changed with the model when {event.function} used it")
