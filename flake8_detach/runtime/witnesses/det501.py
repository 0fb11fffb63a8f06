"""DET501 grads_never_cleared: a step was taken with a gradient that still held what an earlier step had already used.

Seen leaf by leaf: a backward pass adds to a gradient that was there at the last step of that leaf's optimizer, and the next step uses the
sum.
"""

from __future__ import annotations

import weakref

import torch

from ..events import Backward, Step
from ..program import Site
from ..run import Run

CODE = "DET501"


class Leaf:
    """One leaf: whether its optimizer has stepped since its gradient was last added to, and where an old gradient was added to first."""

    __slots__ = ("seen_at", "stale", "stepped", "tensor")

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = weakref.ref(tensor)
        self.stepped = False
        self.stale: Site | None = None
        self.seen_at: set[Site] = set()


class Witness:
    """Follows every leaf that a backward pass reached or an optimizer has, by identity."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.leaves: dict[int, Leaf] = {}

    def _leaf(self, tensor: torch.Tensor) -> Leaf:
        leaf = self.leaves.get(id(tensor))
        if leaf is None or leaf.tensor() is not tensor:
            leaf = self.leaves[id(tensor)] = Leaf(tensor)
        return leaf

    def on_backward(self, event: Backward) -> None:
        if event.function != "backward" or event.site is None or not event.whole:
            return
        for tensor in event.graph.leaves:
            leaf = self._leaf(tensor)
            if not _filled(tensor):
                leaf.stale = None
            elif leaf.stepped and leaf.stale is None and event.site in leaf.seen_at:
                # a loop: the same line has added to this gradient before
                leaf.stale = event.site
            leaf.stepped = False
            leaf.seen_at.add(event.site)

    def on_step(self, event: Step) -> None:
        for group in event.optimizer.param_groups:
            for tensor in group["params"]:
                leaf = self._leaf(tensor)
                if leaf.stale is not None and _filled(tensor):
                    norm = float(tensor.grad.norm()) if tensor.grad is not None else 0.0
                    evidence = f"step() used a gradient that holds earlier steps' gradients too (norm {norm:.3g}): nothing had cleared it"
                    self.run.report(CODE, leaf.stale, evidence)
                leaf.stepped |= event.done


def _filled(tensor: torch.Tensor) -> bool:
    gradient = tensor.grad
    if gradient is None:
        return False
    return bool(gradient._nnz()) if gradient.is_sparse else bool(gradient.count_nonzero())
