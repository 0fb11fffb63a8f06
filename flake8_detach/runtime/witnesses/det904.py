"""DET904 cut_in_forward: in a model's forward a live tensor was detached, and the output did not reach what lay behind it any more.

A parameter must be reached by no other road; anything else counts when the output is cut off altogether.
"""

from __future__ import annotations

from typing import Any

import torch

from ..events import Ran, TorchCall
from ..graph import Graph
from ..program import Site
from ..run import Run

CODE = "DET904"
CUTS = frozenset({"detach", "get data"})


class Witness:
    """`cuts` are those of the model call that runs now: where, and whether of a parameter, which then is kept until the call has ended."""

    CALLS = frozenset(CUTS)

    def __init__(self, run: Run) -> None:
        self.run = run
        self.cuts: list[tuple[Site, torch.nn.Parameter | None]] = []

    def on_torch_call(self, event: TorchCall) -> None:
        if event.live and self.run.open_modules and torch.is_grad_enabled():
            site = self.run.here()
            if site is not None:
                value = event.live[0]
                self.cuts.append((site, value if isinstance(value, torch.nn.Parameter) else None))

    def on_ran(self, event: Ran) -> None:
        cuts, self.cuts = self.cuts, []
        if not cuts or not event.enabled:
            return
        outputs = list(_tensors(event.output))
        reached = {id(leaf) for leaf in Graph(outputs).leaves}
        for site, parameter in cuts:
            if parameter is not None and id(parameter) not in reached:
                self.run.report(CODE, site, "the output does not reach this parameter")
            elif parameter is None and outputs and not any(t.requires_grad for t in outputs):
                self.run.report(CODE, site, "the output does not require grad, and what was cut did")


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value] if value.is_floating_point() else []
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in _tensors(v)]
    return [t for v in value.values() for t in _tensors(v)] if isinstance(value, dict) else []
