"""Saved: which memory each node of a graph keeps for its backward pass, and what was written to it since.

Nothing here judges, and no tensor is kept alive longer than the memory it names could be used again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from .events import Backward, Step, TorchCall
from .graph import LEAF, node_of, number, parents
from .program import Site
from .run import Run


@dataclass(slots=True)
class Write:
    """A write to some memory: where (None: by an optimizer), by what, and whether autograd could not see it; `saver` had saved the memory."""

    clock: int
    site: Site | None
    name: str
    hidden: bool
    saver: str = ""


class Saved:
    """`kept` says of each node which memory it saved when; `written` what was written to it last."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.clock = 0
        self.kept: dict[int, tuple[int, str, list[tuple[int, bool]]]] = {}
        self.written: dict[int, Write] = {}
        self.holding: list[torch.Tensor] = []

    def called(self, event: TorchCall) -> None:
        """A torch function ran: what its new nodes saved, and what it wrote in place."""
        self.clock += 1
        target = event.args[0] if event.args else None
        if isinstance(target, torch.Tensor) and _writes(event.name):
            owner = any(t is target for t in event.live) or (target.is_leaf and target.requires_grad)
            self.written[_memory(target)] = Write(self.clock, self.run.here(), event.name, not owner)
        for tensor in (event.result, target):
            node = node_of(tensor) if isinstance(tensor, torch.Tensor) else None
            if node is not None:
                self._note(node)

    def stepped(self, event: Step) -> None:
        """An optimizer wrote its parameters."""
        self.clock += 1
        for group in event.optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.written[_memory(parameter)] = Write(self.clock, None, "step", False)

    def spoiled(self, backward: Backward) -> list[Write]:
        """What was written over memory that this pass needs."""
        found: list[Write] = []
        for visited in backward.visited:
            when, name, memories = self.kept.get(visited, (0, "", []))
            for memory, live in memories:
                write = self.written.get(memory)
                if write is not None and write.clock > when:
                    found.append(Write(write.clock, write.site, write.name, write.hidden and live, name))
        return found

    def _note(self, node: Any) -> None:
        todo = [node]
        while todo:
            current = todo.pop()
            if number(current) == LEAF or number(current) in self.kept:
                continue
            saved = _saved(current)
            self.holding += saved
            self.kept[number(current)] = (self.clock, current.name(), [(_memory(t), t.requires_grad) for t in saved])
            todo += parents(current)


def _writes(name: str) -> bool:
    inplace = name.endswith("_") and not name.endswith("__") and not name.startswith(("requires_grad", "retain", "detach", "share"))
    return inplace or name in ("__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__")


def _memory(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _saved(node: Any) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    for name in dir(node):
        if name.startswith("_saved_"):
            try:
                value = getattr(node, name)
            except RuntimeError:
                # freed, or overwritten by the very operation that made the node
                continue
            found += [v for v in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(v, torch.Tensor)]
    return found
