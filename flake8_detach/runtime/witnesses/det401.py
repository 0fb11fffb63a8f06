"""DET401 backward_on_cut: backward() was called on a value that no parameter contributed to.

Loud: torch refuses a root that requires no grad. Silent: the root is a leaf itself, made to require grad, so nothing but itself gets a gradient;
or the optimizer that steps next finds no gradient at all, because the pass went only to parameters of others.
"""

from __future__ import annotations

from collections import defaultdict

import torch

from ..events import Backward, BackwardDone, Step
from ..program import Site
from ..run import Run

CODE = "DET401"


class Witness:
    """`fed` are the sites whose backward pass reached a real leaf at least once; `last` is the pass that ran last."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.last: tuple[Site, set[int], bool] | None = None
        self.had_gradient: set[int] = set()
        self.trained: dict[int, bool] = defaultdict(bool)

    def on_backward_done(self, event: BackwardDone) -> None:
        backward = event.backward
        if backward.function != "backward" or backward.site is None:
            return
        if isinstance(event.error, RuntimeError) and "does not require grad" in str(event.error):
            self.run.report(CODE, backward.site, f"RuntimeError: {event.error}")
        elif event.error is None and self._only_itself(backward):
            self.run.report(CODE, backward.site, "the root is a leaf that was made to require grad: no parameter got a gradient")
        if event.error is None:
            self.last = (backward.site, {id(leaf) for leaf in backward.graph.leaves}, self._reaches_parameter(backward))

    @staticmethod
    def _only_itself(backward: Backward) -> bool:
        return not backward.graph.roots and bool(backward.roots) and not any(isinstance(r, torch.nn.Parameter) for r in backward.roots)

    @staticmethod
    def _reaches_parameter(backward: Backward) -> bool:
        return any(isinstance(leaf, torch.nn.Parameter) for leaf in backward.graph.leaves)

    def on_step(self, event: Step) -> None:
        if event.done:
            return
        parameters = [p for group in event.optimizer.param_groups for p in group["params"]]
        if self.last is not None and not any(p.grad is not None for p in parameters):
            site, leaves, others = self.last
            if others and leaves.isdisjoint(map(id, parameters)):
                self.run.report(CODE, site, f"{type(event.optimizer).__name__}.step() then found no gradient in any of its {len(parameters)} parameters")
        self.last = None
