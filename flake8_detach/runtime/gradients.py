"""Gradients: what happened to the gradient of each leaf, as far as the witnesses of training steps ask.

A gradient is fresh from the backward pass that made it until a step uses it or something clears it. Nothing here judges, and no tensor is kept
alive.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch

from .program import Site
from .run import Run

Turn = tuple[int, int]


@dataclass(slots=True, eq=False)
class Leaf:
    """One leaf. `sites` are the backward passes whose gradients wait for a step, `turn` the iteration of the last; `dropped` is the clearing that
    threw such a gradient away, with the iteration of its backward pass."""

    tensor: weakref.ref[torch.Tensor]
    sites: frozenset[Site] = frozenset()
    turn: Turn | None = None
    dropped: tuple[Site, Turn | None] | None = None
    used: bool = False
    scale: float = 0.0


class Gradients:
    """The leaves that were met, by identity."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.leaves: dict[int, Leaf] = {}

    def of(self, tensor: torch.Tensor) -> Leaf:
        """What is known of a leaf."""
        leaf = self.leaves.get(id(tensor))
        if leaf is None or leaf.tensor() is not tensor:
            leaf = self.leaves[id(tensor)] = Leaf(weakref.ref(tensor))
        return leaf

    def all(self, tensors: Iterable[torch.Tensor]) -> Iterator[Leaf]:
        """What is known of several leaves."""
        return map(self.of, tensors)

    def made(self, tensors: Iterable[torch.Tensor], site: Site) -> None:
        """A backward pass at `site` has reached these leaves."""
        turn = self.turn()
        for leaf in self.all(tensors):
            leaf.sites |= {site}
            leaf.turn, leaf.used = turn, False

    def cleared(self, tensors: Iterable[torch.Tensor], site: Site) -> None:
        """The gradients of these leaves are thrown away."""
        for leaf in self.all(tensors):
            if leaf.sites:
                leaf.dropped = (site, leaf.turn)
            leaf.sites, leaf.turn, leaf.used, leaf.scale = frozenset(), None, False, 0.0

    def stepped(self, tensors: Iterable[torch.Tensor]) -> None:
        """An optimizer has used the gradients of these leaves; what was dropped before any step belongs to the past."""
        for leaf in self.all(tensors):
            leaf.sites, leaf.turn, leaf.dropped, leaf.used = frozenset(), None, None, True

    def turn(self) -> Turn | None:
        """The iteration of the innermost loop that runs now, of whatever function."""
        return next(self.turns(), None)

    def turns(self) -> Iterator[Turn]:
        """The iterations of all loops that run now, the innermost first."""
        return ((id(running), running.turns) for activation in reversed(self.run.stack) for running in reversed(activation.rounds))


def parameters(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """All tensors that an optimizer holds."""
    return [p for group in optimizer.param_groups for p in group["params"]]


def filled(tensor: torch.Tensor) -> bool:
    """Whether a leaf has a gradient that is not zero."""
    gradient = tensor.grad
    if gradient is None:
        return False
    return bool(gradient._nnz()) if gradient.is_sparse else bool(gradient.count_nonzero())
