"""DET404 leaf_rebound: an update was computed from a leaf and its gradient, and the leaf never got it.

The new tensor was dropped unused, or its own `.grad` was read, which is None, as if it were the leaf. A new tensor that is detached, made a leaf, or
used otherwise is no mistake.
"""

from __future__ import annotations

import weakref

import torch

from ..events import Finished, TorchCall
from ..graph import is_leaf
from ..program import Site
from ..run import Run

CODE = "DET404"
LEAF, GRADIENT, UPDATE = "_update_of", "_gradient_of", "_updates"


class Witness:
    """The tensors themselves carry the marks: a gradient, and what is computed from it, name their leaf; an update names the place it was made at."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.over = False
        self.marked = False  # nothing has to be looked for on tensors until the first mark
        self.used: set[int] = set()
        self.number = 0

    def on_torch_call(self, event: TorchCall) -> None:
        first = event.args[0] if event.args else None
        if event.name == "get grad" and isinstance(first, torch.Tensor):
            if isinstance(event.result, torch.Tensor) and is_leaf(first):
                event.result.__dict__[GRADIENT] = id(first)
                self.marked = True
            elif event.result is None and UPDATE in first.__dict__ and first.__dict__[UPDATE][1].turns():
                self._report(first.__dict__[UPDATE][1].site, "the new tensor was taken for the leaf, and has no gradient")
            return
        if not self.marked or event.name == "__set__" or event.name.startswith("get ") and event.name != "get data":
            return
        operands = [t for t in event.tensors if t is not event.result]
        for tensor in operands:
            if UPDATE in tensor.__dict__:
                self.used.add(tensor.__dict__[UPDATE][0])
        if isinstance(event.result, torch.Tensor) and event.result is not first and event.name not in ("detach", "get data"):
            self._mark(event.result, operands)

    def _mark(self, result: torch.Tensor, operands: list[torch.Tensor]) -> None:
        gradients = {t.__dict__[GRADIENT] for t in operands if GRADIENT in t.__dict__}
        if not gradients:
            return
        leaves = {id(t) for t in operands if is_leaf(t) and t.requires_grad} | {t.__dict__[LEAF] for t in operands if LEAF in t.__dict__}
        site = self.run.here()
        if gradients & leaves and site is not None:
            self.number += 1
            leaf = min(gradients & leaves)
            result.__dict__[UPDATE] = (self.number, Place(self.run, site))
            result.__dict__[LEAF] = leaf
            weakref.finalize(result, self._dropped, self.number, site).atexit = False
        elif len(gradients) == 1:
            result.__dict__[GRADIENT] = min(gradients)

    def _dropped(self, number: int, site: Site) -> None:
        if number not in self.used and not self.over and self.run.frame() is not None:
            self._report(site, "the update was computed and dropped: the leaf is as it was")

    def _report(self, site: Site, evidence: str) -> None:
        self.run.report(CODE, site, evidence)

    def on_finished(self, event: Finished) -> None:
        self.over = True


class Place:
    """Where an update was made."""

    def __init__(self, run: Run, site: Site) -> None:
        self.site = site
        self.run = run

    def turns(self) -> bool:
        """Whether it was made in a loop."""
        return any(activation.rounds for activation in self.run.stack)
