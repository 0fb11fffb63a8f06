"""DET502 cleared_before_step: gradients that no step had used were cleared, and the next step of their optimizer went without them.

The gradient of a leaf was made, then cleared, with no step of any optimizer in between; then the leaf's own optimizer stepped. Where the step found
nothing at all although another iteration had made the gradient, it is the step that stands in the wrong place (DET503).
"""

from __future__ import annotations

from ..events import BackwardDone, Clearing, Step, TorchCall
from ..gradients import Gradients, filled, parameters
from ..run import Run

CODE = "DET502"


class Witness:
    """A step of any optimizer closes the account of all leaves: what was made before it was not meant for a later step."""

    CALLS = frozenset({"set grad"})

    def __init__(self, run: Run) -> None:
        self.run = run
        self.gradients = Gradients(run)

    def on_backward_done(self, event: BackwardDone) -> None:
        backward = event.backward
        if backward.function == "backward" and event.error is None and backward.site is not None:
            self.gradients.made([t for t in backward.graph.leaves if filled(t)], backward.site)

    def on_clearing(self, event: Clearing) -> None:
        self.gradients.cleared([t for t in event.tensors if filled(t)], event.site)

    def on_torch_call(self, event: TorchCall) -> None:
        site = self.run.here()
        if site is None:
            return
        if event.args[1] is None:
            self.gradients.cleared([event.args[0]], site)
        else:
            # put back by hand: what was cleared before is not lost
            self.gradients.of(event.args[0]).dropped = None

    def on_step(self, event: Step) -> None:
        held = parameters(event.optimizer)
        if not event.done:
            now = self.gradients.turn()
            empty = not any(map(filled, held))
            for leaf in self.gradients.all(held):
                if leaf.dropped is not None and (leaf.dropped[1] == now or not empty):
                    what = "nothing else" if empty else "only what came later"
                    self.run.report(CODE, leaf.dropped[0], f"gradients that no step had used were cleared; the next step found {what}")
            return
        self.gradients.stepped(held)
        for other in self.gradients.leaves.values():
            other.sites, other.dropped = frozenset(), None
