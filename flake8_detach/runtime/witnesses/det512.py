"""DET512 optimizer_in_loop: a line made an optimizer anew over the same parameters after the one before it had taken a single step.

The old one had a state (momentum, moments) that is lost; the parameters are as its step left them, so the training goes on.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

import torch

from ..events import OptimizerMade, Step
from ..gradients import parameters
from ..program import Site
from ..run import Run

CODE = "DET512"


def versions(held: list[torch.Tensor]) -> list[int | None]:
    """How often each tensor was written; inference tensors keep no count (torch.inference_mode's documentation page)."""
    return [None if tensor.is_inference() else tensor._version for tensor in held]


@dataclass(slots=True)
class Made:
    """An optimizer made at a site: how often it stepped, whether it then had a state, and the versions of its parameters."""

    optimizer: weakref.ref[torch.optim.Optimizer]
    held: list[int]
    steps: int = 0
    remembers: bool = False
    versions: list[int | None] = field(default_factory=list)


class Witness:
    """`made` is the last optimizer of each site."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.made: dict[Site, Made] = {}

    def on_optimizer_made(self, event: OptimizerMade) -> None:
        held = parameters(event.optimizer)
        before = self.made.get(event.site)
        if before is not None and before.steps == 1 and before.remembers and before.held == list(map(id, held)):
            if before.versions == versions(held):
                self.run.report(CODE, event.site, "the optimizer that this line made before had a state after its only step: it is lost")
        self.made[event.site] = Made(weakref.ref(event.optimizer), list(map(id, held)))

    def on_step(self, event: Step) -> None:
        if not event.done or isinstance(event.optimizer, torch.optim.LBFGS):
            return
        for made in self.made.values():
            if made.optimizer() is event.optimizer:
                made.steps += 1
                values = [v for state in event.optimizer.state.values() for name, v in state.items() if name != "step"]
                made.remembers = any(isinstance(v, torch.Tensor) for v in values)
                made.versions = versions(parameters(event.optimizer))
