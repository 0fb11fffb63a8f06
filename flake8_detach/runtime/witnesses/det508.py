"""DET508 clip_scaled_grads: gradients were clipped while they carried a GradScaler's scale, and the scaler's step used them so.

A backward pass whose graph holds the node of a scaled loss leaves scaled gradients; `unscale_` (they count as scaled by -1 then) and clearing take
the scale away.
"""

from __future__ import annotations

from ..events import BackwardDone, Clearing, Clipping, Scaling, Step
from ..gradients import Gradients, parameters
from ..graph import node_of, number
from ..program import Site
from ..run import Run

CODE = "DET508"
UNSCALED = -1.0


class Scales:
    """Which gradients carry a scale, shared with DET509."""

    def __init__(self, run: Run) -> None:
        self.gradients = Gradients(run)
        self.nodes: dict[int, float] = {}

    def on_scaling(self, event: Scaling) -> None:
        """A loss gets a scale, or gradients lose theirs."""
        if event.method == "scale":
            for loss in event.subject if isinstance(event.subject, (list, tuple)) else [event.subject]:
                node = node_of(loss)
                if node is not None:
                    self.nodes[number(node)] = event.factor
        elif event.method == "unscale_":
            for leaf in self.gradients.all(parameters(event.subject)):
                leaf.scale = UNSCALED if leaf.scale else 0.0

    def on_backward_done(self, event: BackwardDone) -> None:
        """Gradients of scaled losses are scaled."""
        backward = event.backward
        if backward.function == "backward" and event.error is None and backward.site is not None:
            scale = max((self.nodes[n] for n in backward.visited if n in self.nodes), default=0.0)
            for leaf in self.gradients.all(backward.graph.leaves):
                leaf.scale = max(leaf.scale, scale)
                leaf.sites |= {backward.site}

    def on_clearing(self, event: Clearing) -> None:
        """Nothing is left to carry a scale."""
        self.gradients.cleared(event.tensors, event.site)


class Witness(Scales):
    """`clipped` are the clips of scaled gradients since the last step, with the leaves they were about."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.run = run
        self.clipped: dict[Site, set[int]] = {}

    def on_clipping(self, event: Clipping) -> None:
        scaled = {id(t) for t in event.tensors if event.limit < self.gradients.of(t).scale}
        if scaled:
            self.clipped[event.site] = scaled

    def on_scaling(self, event: Scaling) -> None:
        super().on_scaling(event)
        if event.method == "step":
            held = set(map(id, parameters(event.subject)))
            for site, leaves in self.clipped.items():
                if leaves & held:
                    self.run.report(CODE, site, f"the gradients were {event.factor:g} times too large when they were clipped")

    def on_step(self, event: Step) -> None:
        if event.done:
            self.clipped.clear()
