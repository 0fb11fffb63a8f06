"""DET306 train_mode_missing: a model that was trained in train mode was trained on in eval mode, with layers that the mode changes.

Told at the last `eval()` before the forward whose graph a backward pass went through and whose gradients an optimizer used.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from ..events import Backward, ModeCalled, Ran, Step
from ..ownership import modules_of, parameters_of
from ..program import Site
from ..run import Run

CODE = "DET306"


@dataclass(slots=True)
class Story:
    """A module: its last `eval()`, whether it was trained in train mode, and the graphs of its calls since, with the mode of each."""

    module: Any
    switched: Site | None = None
    trained: bool = False
    calls: list[tuple[int, int, Site | None]] = field(default_factory=list)
    pending: tuple[int, int, Site | None] | None = None


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.stories: dict[int, Story] = {}

    def _story(self, module: torch.nn.Module) -> Story:
        story = self.stories.get(id(module))
        if story is None or story.module() is not module:
            story = self.stories[id(module)] = Story(weakref.ref(module))
        return story

    def on_mode_called(self, event: ModeCalled) -> None:
        self._story(event.module).switched = None if event.mode else event.site

    def on_ran(self, event: Ran) -> None:
        if event.enabled and event.end > event.first and any(isinstance(m, (_NormBase, _DropoutNd)) for m in modules_of(event.module)):
            story = self._story(event.module)
            story.calls.append((event.first, event.end, None if event.module.training else story.switched))

    def on_backward(self, event: Backward) -> None:
        for story in self.stories.values():
            through = [call for call in story.calls if event.visits(call[0], call[1])]
            if through:
                story.pending = through[-1]
                story.calls = [call for call in story.calls if call not in through]

    def on_step(self, event: Step) -> None:
        """What was back-propagated trains only when an optimizer uses it."""
        held = {id(p) for group in event.optimizer.param_groups for p in group["params"]} if not event.done else set()
        for story in self.stories.values():
            module = story.module()
            if story.pending is None or module is None or not any(id(p) in held for p in parameters_of(module)):
                continue
            switched = story.pending[2]
            if switched is None:
                story.trained = True
            elif story.trained:
                self.run.report(CODE, switched, "a later step trained the model in eval mode, with its dropout or batch norm")
            story.pending = None
