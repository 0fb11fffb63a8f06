"""DET301 eval_with_grad: an evaluation pass built graphs, and no backward pass ever went through them.

A pass is an evaluation when the model is in eval mode or the function says so by its name. It belongs to the innermost function that says so,
or out of which no live result comes; a function that hands its result on is a helper of its caller's pass. Within a function each run of a loop is a pass.
"""

from __future__ import annotations

import bisect
import re
from collections import defaultdict

from ..events import Activation, Backward, Finished, Frame, ModeSet, ModuleCall, Returned, Round
from ..graph import depends_on_range
from ..interceptions.backprop import visited_by
from ..program import Site
from ..run import Run

CODE = "DET301"
NAMES = frozenset("eval evaluate evaluation evaluating val validate validation test testing predict prediction inference infer sample generate".split())


class Witness:
    """Collects the model calls of the run, which functions set eval mode, and out of which functions each call's graph went."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.calls: list[ModuleCall] = []
        self.used: set[int] = set()
        self.left: dict[int, set[Activation]] = defaultdict(set)
        self.switching: set[Activation] = set()

    def on_module_call(self, event: ModuleCall) -> None:
        self.calls.append(event)

    def on_mode_set(self, event: ModeSet) -> None:
        if not event.mode and event.activation is not None:
            self.switching.add(event.activation)

    def on_backward(self, event: Backward) -> None:
        visited = sorted(visited_by(event))
        for call in self.calls:
            place = bisect.bisect_left(visited, call.first)
            if place < len(visited) and visited[place] < call.end:
                self.used.add(call.first)

    def on_returned(self, event: Returned) -> None:
        made_here = [c for c in self.calls if c.first >= event.activation.began and any(f.activation is event.activation for f in c.frames)]
        for call in made_here:
            if any(depends_on_range(tensor, call.first, call.end) for tensor in event.live):
                self.left[call.first].add(event.activation)

    def on_finished(self, event: Finished) -> None:
        passes: dict[tuple[Activation, Round | None], list[tuple[ModuleCall, Frame]]] = defaultdict(list)
        for call in self.calls:
            broken_off = event.failed and call.frames[-1].activation in event.open
            if not call.training or any(_evaluates(f.activation) for f in call.frames) and not broken_off:
                frame = self._owner(call)
                passes[frame.activation, frame.round].append((call, frame))
        wasted = {key: members for key, members in passes.items() if all(call.first not in self.used for call, _ in members)}
        for (activation, round_), members in list(wasted.items()):
            outer = _pass_around(activation, round_, members, wasted)
            if outer is not None:
                wasted[activation, outer].extend(wasted.pop((activation, round_)))
        for members in wasted.values():
            self._tell(members)

    def _owner(self, call: ModuleCall) -> Frame:
        for frame in reversed(call.frames):
            if frame.activation.inside_model and frame is not call.frames[0]:
                continue
            if _evaluates(frame.activation) or frame.activation in self.switching or frame.activation not in self.left[call.first]:
                return frame
        return call.frames[0]

    def _tell(self, members: list[tuple[ModuleCall, Frame]]) -> None:
        call, frame = min(members, key=lambda member: member[0].first)
        nodes = sum(c.end - c.first for c, _ in members)
        site = call.site if frame is call.frames[-1] else Site(frame.line)
        mode = "training" if call.training else "eval"
        evidence = f"{call.module} in {mode} mode built {nodes} graph nodes in {len(members)} calls, and no backward pass went through them"
        self.run.report(CODE, site, evidence)


def _pass_around(
    activation: Activation,
    round_: Round | None,
    members: list[tuple[ModuleCall, Frame]],
    passes: dict[tuple[Activation, Round | None], list[tuple[ModuleCall, Frame]]],
) -> Round | None:
    """The outermost loop around `round_` that has calls of its own: the inner loop is part of its pass."""
    if round_ is None:
        return None
    around = members[0][1].loops
    return next((r for r in around if r is not round_ and (activation, r) in passes), None)


def _evaluates(activation: Activation) -> bool:
    if activation.name.startswith("test") and activation.parameters == 0:
        # a unit test: it takes nothing, and tests code, not a model
        return False
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", activation.name).lower().split("_")
    return not NAMES.isdisjoint(words)
