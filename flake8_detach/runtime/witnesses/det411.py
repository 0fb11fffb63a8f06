"""DET411 forced_requires_grad: the flag was set on a tensor that was then itself the root of a backward pass, which reached nothing else."""

from __future__ import annotations

import weakref

import torch

from ..events import Backward, TorchCall
from ..ownership import Contributors
from ..program import Site
from ..run import Run

CODE = "DET411"
FLAGS = ("set requires_grad", "requires_grad_")


class Witness:
    """`flagged` are the leaves whose flag the program set, or that it made with the flag, and where."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.flagged: dict[int, tuple[weakref.ref[torch.Tensor], Site]] = {}
        self.contributors = Contributors.of(run)

    def on_torch_call(self, event: TorchCall) -> None:
        made = event.result if event.kwargs.get("requires_grad") else event.args[0] if event.name in FLAGS and event.args else None
        if isinstance(made, torch.Tensor) and made.requires_grad and made.is_leaf and (site := self.run.here()) is not None:
            self.flagged[id(made)] = (weakref.ref(made), site)

    def on_backward(self, event: Backward) -> None:
        for root in event.roots:
            tensor, site = self.flagged.get(id(root), (None, None))
            if tensor is None or site is None or tensor() is not root or event.graph.roots:
                continue
            if self.contributors.are_cut_from(root):
                self.run.report(CODE, site, "the flag was forced, and backward() reached this tensor and nothing else")
