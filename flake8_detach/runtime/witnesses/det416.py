"""DET416 penalty_without_graph: the result of autograd.grad, which had no graph, was a term of a loss that was back-propagated.

The marks go with the tensors: a cut result of marked operands is marked; a sum of a marked and a live tensor is a loss with a dead term. A factor, a
number or a detached tensor is none.
"""

from __future__ import annotations

import torch

from ..events import Backward, GradientTaken, TorchCall
from ..run import Run

CODE = "DET416"
DEAD, TERM = "_gradient_without_graph", "_dead_term"
SUMS = frozenset("add sub __add__ __radd__ __sub__ __rsub__ __iadd__ sum stack cat add_".split())


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.terms = 0

    def on_gradient_taken(self, event: GradientTaken) -> None:
        for tensor in event.results:
            if not tensor.requires_grad:
                tensor.__dict__[DEAD] = event.site
                self.terms += 1

    def on_torch_call(self, event: TorchCall) -> None:
        result = event.result
        if not self.terms or not isinstance(result, torch.Tensor) or event.name in ("detach", "get data", "get grad"):
            return
        marks = [t.__dict__ for t in event.tensors]
        dead = next((marked[DEAD] for marked in marks if DEAD in marked), None)
        term = next((marked[TERM] for marked in marks if TERM in marked), None)
        if not result.requires_grad and dead is not None:
            result.__dict__[DEAD] = dead
        elif result.requires_grad and (term is not None or (dead is not None and event.name in SUMS)):
            result.__dict__[TERM] = term or dead

    def on_backward(self, event: Backward) -> None:
        for root in event.roots:
            site = root.__dict__.get(TERM) or root.__dict__.get(DEAD)
            if event.function == "backward" and site is not None:
                self.run.report(CODE, site, "the loss had a term made of this gradient, which has no graph: the term trained nothing")
