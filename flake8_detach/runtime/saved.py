"""Saved: which memory each node of a graph keeps for its backward pass, and what was written to it since.

Nothing here judges, and no tensor is kept alive.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch

from .events import Backward, Step, TorchCall
from .graph import LEAF, memory, node_of, number, parents, saved_by
from .program import Site
from .run import REMEMBERED, Run

NOTHING: tuple[int, str, list[tuple[int, bool]]] = (0, "", [])  # what many nodes saved: one object for all of them


@dataclass(slots=True)
class Write:
    """A write to some memory: where (None: by an optimizer), by what, and whether autograd could not see it; `saver` had saved the memory."""

    clock: int
    site: Site | None
    name: str
    hidden: bool
    saver: str = ""


class Saved:
    """`kept` says of each node which memory it saved when; `written` what a call wrote to memory last, `stepped` the same of optimizers.

    While a node can be visited its graph keeps what it saved, so the memory is nobody else's. Witnesses share the one of the run: see `of`.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.clock = 0
        self.kept: dict[int, tuple[int, str, list[tuple[int, bool]]]] = {}
        self.written: dict[int, Write] = {}
        self.stepped: dict[int, Write] = {}

    @staticmethod
    def of(run: Run) -> Saved:
        """The one that listens to this run."""
        if run.saved is None:
            run.saved = Saved(run)
            run.listen(run.saved)
        saved: Saved = run.saved
        return saved

    def on_torch_call(self, event: TorchCall) -> None:
        """A torch function ran: what its new nodes saved, and what it wrote in place."""
        self.clock += 1
        target = event.args[0] if event.args else None
        if _writes(event.name) and isinstance(target, torch.Tensor):
            owner = any(t is target for t in event.live) or (target.is_leaf and target.requires_grad)
            self.written[memory(target)] = Write(self.clock, self.run.here(), event.name, not owner)
        for tensor in (event.result, target):
            node = node_of(tensor) if isinstance(tensor, torch.Tensor) else None
            if node is not None:
                self._note(node)

    def on_step(self, event: Step) -> None:
        """An optimizer wrote its parameters."""
        if event.done:
            self.clock += 1
            for group in event.optimizer.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self.stepped[memory(parameter)] = Write(self.clock, None, "step", False)

    def spoiled(self, backward: Backward, steps: bool) -> list[Write]:
        """What was last written over memory that this pass needs: by a call, or with `steps` by an optimizer too."""
        found: list[Write] = []
        for visited in backward.visited:
            when, name, memories = self.kept.get(visited, NOTHING)
            for place, live in memories:
                writes = [self.written.get(place), self.stepped.get(place) if steps else None]
                write = max((w for w in writes if w is not None), key=lambda w: w.clock, default=None)
                if write is not None and write.clock > when:
                    found.append(Write(write.clock, write.site, write.name, write.hidden and live, name))
        return found

    def forget(self, backward: Backward) -> None:
        """Drops the nodes of a pass that has freed them: no other pass can visit them."""
        some = next((visited for visited in backward.visited if self.kept.get(visited, NOTHING)[2]), None)
        if some is not None and not saved_by(backward.graph.nodes[some]):
            for visited in backward.visited:
                self.kept.pop(visited, None)
        if len(self.kept) > 2 * REMEMBERED:
            for old in sorted(self.kept)[:REMEMBERED]:
                del self.kept[old]

    def _note(self, node: Any) -> None:
        if torch.jit.is_tracing():  # type: ignore[no-untyped-call, attr-defined]
            return  # what is asked of a tensor then becomes a part of the trace
        todo = [node]
        while todo:
            current = todo.pop()
            named = number(current)
            if named != LEAF and named not in self.kept:
                memories = [(place, t.requires_grad) for t in saved_by(current) if t.numel() and (place := memory(t))]
                self.kept[named] = (self.clock, current.name(), memories) if memories else NOTHING
                todo += parents(current)


@functools.cache
def _writes(name: str) -> bool:
    inplace = name.endswith("_") and not name.endswith("__") and not name.startswith(("requires_grad", "retain", "detach", "share"))
    return inplace or name in ("__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__")
