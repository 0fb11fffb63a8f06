"""DET305 eval_mode_missing: an evaluation pass ran a model of which dropout or batch norm worked in train mode, and nothing trained on its results.

A pass is an evaluation when gradients are off or a running function says so by its name. Train mode that the same function has just asked for is meant.
"""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass, field
from typing import Any

import torch

from ..events import Activation, Backward, Finished, ModeCalled, Ran, TorchCall
from ..program import Loop, Site
from ..run import Run
from .det301 import NAMES
from .det309 import DROPOUTS

CODE = "DET305"
MEANT = frozenset("mc monte carlo dropout bayes bayesian uncertainty stochastic ensemble adapt bn recalibrate".split())


@dataclass(slots=True)
class Pass:
    """The calls of one function (and outermost loop in it): where the first was, and whether anything that trains used a result."""

    site: Site
    module: str
    used: bool = False
    spans: list[tuple[int, int]] = field(default_factory=list)


class Witness:
    """Follows what is computed from each pass's results: `tainted` maps a tensor to its pass."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.passes: dict[tuple[Activation, Loop | None], Pass] = {}
        self.tainted: dict[int, tuple[Any, Pass]] = {}
        self.asked: dict[int, Activation | None] = {}

    def on_mode_called(self, event: ModeCalled) -> None:
        self.asked[id(event.module)] = event.activation if event.mode else None

    def on_ran(self, event: Ran) -> None:
        if not event.drops or not event.frames or not event.module.training:
            return
        names = [_words(f.activation.name) for f in event.frames]
        owner = next((f for f, words in zip(reversed(event.frames), reversed(names)) if words & NAMES), None)
        if owner is None and event.enabled or any(words & MEANT for words in names):
            return
        owner = owner or event.frames[-1]
        if self.asked.get(id(event.module)) is owner.activation and owner.activation.name != "<module>":
            return
        site = event.site if owner is event.frames[-1] else Site(owner.line)
        loop = owner.rounds[0].loop if owner.rounds else None
        found = self.passes.setdefault((owner.activation, loop), Pass(site, type(event.module).__name__))
        found.spans.append((event.first, event.end))
        self._taint(event.output, found)

    def _taint(self, output: Any, source: Pass) -> None:
        for value in output if isinstance(output, (list, tuple)) else [output]:
            if isinstance(value, torch.Tensor):
                self.tainted[id(value)] = (weakref.ref(value), source)

    def _source(self, value: Any) -> Pass | None:
        known = self.tainted.get(id(value))
        return known[1] if known is not None and known[0]() is value else None

    def on_torch_call(self, event: TorchCall) -> None:
        if event.name in DROPOUTS and event.kwargs.get("training", True) and event.kwargs.get("p", 0.5) > 0:
            self.run.passes.drops = True
        if not self.tainted:
            return
        for value in (*event.args, *event.kwargs.values()):
            source = self._source(value)
            if source is not None:
                if any(v.requires_grad and v is not value for v in event.live):
                    source.used = True
                self._taint(event.result, source)

    def on_backward(self, event: Backward) -> None:
        for source in self.passes.values():
            source.used = source.used or any(event.visits(first, end) for first, end in source.spans)

    def on_finished(self, event: Finished) -> None:
        for source in self.passes.values():
            if not source.used:
                self.run.report(CODE, source.site, f"dropout or batch norm of {source.module} worked in train mode in an evaluation pass")


def _words(name: str) -> set[str]:
    return set(re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_"))
