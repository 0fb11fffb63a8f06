"""DET506 live_target: a loss compared what is trained with a live value of a network that no optimizer holds and whose weights are copies.

The parameters of that network get gradients that nobody uses. Where the trained network itself makes the target, its gradient is one like any
other: one run can't tell that it was not meant.
"""

from __future__ import annotations

import torch

from ..events import Backward, OptimizerMade, Step, TorchCall
from ..gradients import parameters
from ..graph import Graph, is_leaf, node_of, number
from ..program import Site
from ..run import Run

CODE = "DET506"
COMPARISONS = frozenset("mse_loss smooth_l1_loss huber_loss l1_loss sub __sub__ __rsub__ cross_entropy binary_cross_entropy".split())


class Witness:
    """`compared` is what each comparison's node compared: the place of the target, its leaves and those of the prediction."""

    CALLS = COMPARISONS

    def __init__(self, run: Run) -> None:
        self.run = run
        self.held: set[int] = set()
        self.compared: dict[int, list[tuple[Site, list[torch.Size], set[int], set[int]]]] = {}
        self.visited: set[int] = set()

    def on_optimizer_made(self, event: OptimizerMade) -> None:
        self.held.update(map(id, parameters(event.optimizer)))

    def on_torch_call(self, event: TorchCall) -> None:
        computed = [t for t in event.live if not is_leaf(t)]
        if len(computed) < 2 or not isinstance(event.result, torch.Tensor):
            return
        node = node_of(event.result)
        if node is None:
            return
        graphs = [Graph([t]) for t in computed]
        for target, below in zip(computed, graphs):
            born = self.run.births.get(number(node_of(target)))
            leaves = set(map(id, below.leaves))
            others = {id(leaf) for other in graphs if other is not below for leaf in other.leaves}
            if born is not None:
                self.compared.setdefault(number(node), []).append((born[0], [p.shape for p in below.leaves], leaves, others))

    def on_backward(self, event: Backward) -> None:
        if event.function == "backward":
            self.visited = event.visited

    def on_step(self, event: Step) -> None:
        held = parameters(event.optimizer)
        shapes, own = {p.shape for p in held}, set(map(id, held))
        for node in self.visited & self.compared.keys() if not event.done else ():
            for site, below, leaves, others in self.compared[node]:
                if leaves and not leaves & self.held and others & own and shapes.issuperset(below):
                    self.run.report(CODE, site, f"{len(leaves)} parameters of the network that made the target got a gradient that nobody uses")
        if event.done:
            self.visited = set()
            self.compared.clear()
