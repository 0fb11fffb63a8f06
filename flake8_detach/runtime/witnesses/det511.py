"""DET511 loop_in_autocast: inside one autocast block a weight was used, changed by a step, and used again by way of the block's cache.

Autocast keeps the half-precision copy of a float32 leaf that requires grad until the outermost block ends.
"""

from __future__ import annotations

import torch

from ..events import Casting, Step, TorchCall
from ..gradients import parameters
from ..graph import is_leaf
from ..program import Site
from ..run import Run

CODE = "DET511"
CAST = frozenset("linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d matmul mm bmm addmm baddbmm __matmul__".split())


class Witness:
    """`used` are the leaves whose cast the open block holds, `stale` those of them that a step has changed since."""

    CALLS = frozenset(CAST)

    def __init__(self, run: Run) -> None:
        self.run = run
        self.blocks: list[Site] = []
        self.used: set[int] = set()
        self.stale: set[int] = set()

    def on_casting(self, event: Casting) -> None:
        if event.entered:
            self.blocks.append(event.site)
        elif self.blocks:
            self.blocks.pop()
        if not self.blocks:
            self.used.clear()
            self.stale.clear()

    def on_torch_call(self, event: TorchCall) -> None:
        if not self.blocks or not torch.is_autocast_enabled("cpu") and not torch.is_autocast_enabled("cuda"):
            return
        for tensor in event.live:
            if is_leaf(tensor) and tensor.dtype == torch.float32:
                if id(tensor) in self.stale:
                    self.run.report(CODE, self.blocks[0], "a weight was used again after a step, but as it was before: autocast had cached its cast")
                self.used.add(id(tensor))

    def on_step(self, event: Step) -> None:
        if event.done:
            self.stale.update(id(p) for p in parameters(event.optimizer) if id(p) in self.used)
