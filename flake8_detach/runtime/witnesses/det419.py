"""DET419 layer_in_forward: parameters that were made while a module's forward ran took part in a graph, and no optimizer ever held them.

No backward pass is needed to tell: where the program only calls the model, each call still makes other weights.
"""

from __future__ import annotations

import torch

from ..events import Assigned, Backward, Finished, OptimizerMade, Step, TorchCall
from ..ownership import Ownership, tensors_in
from ..program import Site
from ..run import Run

CODE = "DET419"


class Witness:
    """`made` are the parameters that were made below a forward, and where: of a layer of the program, where it was called for."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.owned = Ownership()
        self.used: set[int] = set()
        self.made: list[tuple[torch.Tensor, Site]] = []

    def on_assigned(self, event: Assigned) -> None:
        if not torch.is_grad_enabled() or not isinstance(event.value, torch.nn.Parameter) or not isinstance(event.target, torch.nn.Module):
            return
        stack = self.run.stack
        below = next((place for place in range(len(stack), 0, -1) if stack[place - 1].name == "forward" and stack[place - 1].inside_model), None)
        if below is not None:
            builder = next((place for place in range(below, len(stack)) if stack[place].name == "__init__"), None)
            self.made.append((event.value, event.site if builder is None else Site(stack[builder - 1].line)))

    def on_torch_call(self, event: TorchCall) -> None:
        """An operation that makes a graph: of initialisation, which only looks at a parameter or fills it, nothing hangs on it."""
        if self.made and event.live and any(t.grad_fn is not None for t in tensors_in(event.result)):
            kept = {id(parameter) for parameter, _ in self.made}  # of what is not kept, another may come to have the identity
            self.used.update(kept & {id(tensor) for tensor in event.live})

    def on_backward(self, event: Backward) -> None:
        self.owned.backward(event)

    def on_step(self, event: Step) -> None:
        self.owned.optimizer(event)

    def on_optimizer_made(self, event: OptimizerMade) -> None:
        self.owned.optimizer(event)

    def on_finished(self, event: Finished) -> None:
        for parameter, site in self.made:
            if parameter.requires_grad and id(parameter) in self.used and not self.owned.is_wanted(parameter):
                self.run.report(CODE, site, "parameters that forward made took part in a graph, and no optimizer holds them")
