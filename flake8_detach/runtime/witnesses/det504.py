"""DET504 clip_out_of_order: a clip never met a gradient that a step still had to use.

Every time the clip ran, its gradients were missing, or had been used by a step already; and the same leaves did get gradients and steps.
"""

from __future__ import annotations

import math

from ..events import BackwardDone, Clearing, Clipping, Finished, Step
from ..gradients import Gradients, filled, parameters
from ..program import Site
from ..run import Run

CODE = "DET504"


class Witness:
    """`useful` says of each clip whether it ever met a fresh gradient, `trained` which leaves a step has moved."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.gradients = Gradients(run)
        self.useful: dict[Site, bool] = {}
        self.leaves: dict[Site, set[int]] = {}
        self.trained: set[int] = set()

    def on_backward_done(self, event: BackwardDone) -> None:
        backward = event.backward
        if backward.function == "backward" and event.error is None and backward.site is not None:
            self.gradients.made(backward.graph.leaves, backward.site)

    def on_clearing(self, event: Clearing) -> None:
        self.gradients.cleared(event.tensors, event.site)

    def on_step(self, event: Step) -> None:
        if event.done:
            held = parameters(event.optimizer)
            self.trained.update(id(p) for p in held if filled(p))
            self.gradients.stepped(held)

    def on_clipping(self, event: Clipping) -> None:
        if math.isinf(event.limit) or not event.tensors:
            return
        fresh = any(leaf.sites for leaf in self.gradients.all(event.tensors))
        self.useful[event.site] = self.useful.get(event.site, False) or fresh
        self.leaves.setdefault(event.site, set()).update(map(id, event.tensors))

    def on_finished(self, event: Finished) -> None:
        for site, useful in self.useful.items():
            if not useful and self.leaves[site] & self.trained:
                self.run.report(CODE, site, "whenever this clipped, its gradients were not made yet or a step had used them already")
