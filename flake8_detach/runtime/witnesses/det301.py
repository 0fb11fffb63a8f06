"""DET301 eval_with_grad: an evaluation pass built graphs, and no backward pass ever went through them.

A model call belongs to an evaluation when the model is in eval mode or a function on the way says so by its name. Its pass belongs to the
innermost function that says so or sets eval mode, or out of which no live result comes: a function that hands its result on is a helper of
its caller. There each run of a loop is a pass, told at its first call.
"""

from __future__ import annotations

import bisect
import re
from collections import defaultdict

from ..events import Activation, Backward, Finished, Frame, ModeSet, ModuleCall, Returned, Round
from ..graph import made_between
from ..program import Site
from ..run import Run

CODE = "DET301"
NAMES = frozenset(
    "eval evaluate evaluation evaluating val validate validation test testing predict prediction inference infer sample generate".split()
)

Call = tuple[ModuleCall, Frame]
Pass = tuple[Activation, "Round | None"]


class Witness:
    """Collects the model calls that belong to evaluations; `used` are those that a backward pass went through, by their first node."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.calls: list[ModuleCall] = []
        self.unused: list[ModuleCall] = []
        self.left: dict[int, set[Activation]] = defaultdict(set)
        self.switching: set[Activation] = set()

    def on_module_call(self, event: ModuleCall) -> None:
        if not event.training or _named_so(event):
            self.calls.append(event)
            self.unused.append(event)

    def on_mode_set(self, event: ModeSet) -> None:
        if not event.mode and event.activation is not None:
            self.switching.add(event.activation)

    def on_backward(self, event: Backward) -> None:
        self.unused = [call for call in self.unused if not event.visits(call.first, call.end)]

    def on_returned(self, event: Returned) -> None:
        made_here = self.calls[bisect.bisect_left(self.calls, event.activation.began, key=lambda call: call.first) :]
        for call in made_here:
            if any(made_between(tensor, call.first, call.end) for tensor in event.live):
                self.left[call.first].add(event.activation)

    def on_finished(self, event: Finished) -> None:
        passes: dict[Pass, list[Call]] = defaultdict(list)
        for call in self.calls:
            broken_off = event.failed and call.frames[-1].activation in event.open
            if not call.training or not broken_off:
                frame = self._owner(call)
                passes[frame.activation, frame.rounds[-1] if frame.rounds else None].append((call, frame))
        unused = {id(call) for call in self.unused}
        wasted = {key: calls for key, calls in passes.items() if all(id(call) in unused for call, _ in calls)}
        for calls in _joined(wasted):
            self._tell(calls)

    def _owner(self, call: ModuleCall) -> Frame:
        for frame in reversed(call.frames):
            activation = frame.activation
            if not activation.inside_model:
                if _evaluates(activation) or activation in self.switching or activation not in self.left[call.first]:
                    return frame
        return call.frames[0]

    def _tell(self, calls: list[Call]) -> None:
        call, frame = min(calls, key=lambda member: member[0].first)
        nodes = sum(c.end - c.first for c, _ in calls)
        site = call.site if frame is call.frames[-1] else Site(frame.line)
        mode = "training" if call.training else "eval"
        evidence = f"{call.module} in {mode} mode built {nodes} graph nodes in {len(calls)} calls, and no backward pass went through them"
        self.run.report(CODE, site, evidence)


def _joined(passes: dict[Pass, list[Call]]) -> list[list[Call]]:
    """The passes, a loop within a loop that has calls of its own being part of the outer one."""
    found: dict[Pass, list[Call]] = defaultdict(list)
    for (activation, round_), calls in passes.items():
        around = calls[0][1].rounds
        outermost = next((r for r in around if (activation, r) in passes), round_)
        found[activation, outermost].extend(calls)
    return list(found.values())


def _named_so(call: ModuleCall) -> bool:
    return any(_evaluates(frame.activation) for frame in call.frames)


def _evaluates(activation: Activation) -> bool:
    if activation.name.startswith("test") and activation.parameters == 0:
        # a unit test: it takes nothing, and tests code, not a model
        return False
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", activation.name).lower().split("_")
    return not NAMES.isdisjoint(words)
