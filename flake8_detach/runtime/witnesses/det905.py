"""DET905 acting_with_grad: a function that selects an action built a graph that left it with nothing, and that no backward pass ever used."""

from __future__ import annotations

import bisect
import re
import sys

from ..events import Activation, Backward, Finished, ModuleCall, Returned
from ..graph import made_between
from ..program import Site
from ..run import Run

CODE = "DET905"
ACTS = frozenset({"act", "action", "actions"})


class Witness:
    """The model calls of functions that act, oldest first, with where each is told; dropped are those that a live result came out of, and those
    that a backward pass went through: at once, for the run forgets old visits.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.calls: list[tuple[ModuleCall, Activation, Site]] = []

    def on_module_call(self, event: ModuleCall) -> None:
        for frame in reversed(event.frames):
            if ACTS & set(re.sub(r"([a-z])([A-Z])", r"\1_\2", frame.activation.name).lower().split("_")):
                site = event.site if frame is event.frames[-1] else Site(frame.line)
                self.calls.append((event, frame.activation, site))
                return

    def on_backward(self, event: Backward) -> None:
        # a call without an end this late is older than all that the pass visits
        place = bisect.bisect_right(self.calls, min(event.visited, default=sys.maxsize), key=lambda member: member[0].end)
        self.calls[place:] = [member for member in self.calls[place:] if not event.visits(member[0].first, member[0].end)]

    def on_returned(self, event: Returned) -> None:
        place = len(self.calls)
        # what a function began comes after all that its callers did
        while place and self.calls[place - 1][0].first >= event.activation.began:
            place -= 1
        self.calls[place:] = [
            (call, owner, site)
            for call, owner, site in self.calls[place:]
            if owner is not event.activation or not any(made_between(t, call.first, call.end) for t in event.live)
        ]

    def on_finished(self, event: Finished) -> None:
        for call, _, site in self.calls:
            self.run.report(CODE, site, f"{call.module} built {call.end - call.first} graph nodes for an action")
