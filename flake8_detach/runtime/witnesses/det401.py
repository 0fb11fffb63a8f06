"""DET401 backward_on_cut: backward() was called on a value to which no parameter contributed.

Loud: torch refuses a root that requires no grad. Silent: the root is a leaf itself, made to require grad, so that nothing but itself gets a
gradient; or the optimizer that steps next finds no gradient at all, because the pass went only to parameters of others.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..events import Backward, BackwardDone, Step
from ..ownership import Contributors
from ..program import Site
from ..run import Run

CODE = "DET401"


@dataclass(slots=True)
class Pass:
    """The backward pass that ran last: the leaves that it reached, by identity, and whether a parameter was among them."""

    site: Site
    leaves: set[int]
    parameters: bool


class Witness:
    """Remembers the pass that ran last, until an optimizer steps."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.last: Pass | None = None
        self.contributors = Contributors.of(run)

    def on_backward_done(self, event: BackwardDone) -> None:
        backward = event.backward
        if backward.function != "backward" or backward.site is None:
            return
        if isinstance(event.error, RuntimeError) and "does not require grad" in str(event.error):
            self.run.report(CODE, backward.site, f"RuntimeError: {event.error}")
        elif event.error is None:
            if _only_itself(backward) and any(map(self.contributors.are_cut_from, backward.roots)):
                self.run.report(CODE, backward.site, "the root is a leaf that was made to require grad: no parameter got a gradient")
            leaves = backward.graph.leaves
            self.last = Pass(backward.site, set(map(id, leaves)), any(isinstance(leaf, torch.nn.Parameter) for leaf in leaves))

    def on_step(self, event: Step) -> None:
        if event.done:
            return
        parameters = [p for group in event.optimizer.param_groups for p in group["params"]]
        last, self.last = self.last, None
        if last is not None and last.parameters and last.leaves.isdisjoint(map(id, parameters)) and all(p.grad is None for p in parameters):
            optimizer = type(event.optimizer).__name__
            self.run.report(CODE, last.site, f"{optimizer}.step() then found no gradient in any of its {len(parameters)} parameters")


def _only_itself(backward: Backward) -> bool:
    return not backward.graph.roots and bool(backward.roots) and not any(isinstance(root, torch.nn.Parameter) for root in backward.roots)
