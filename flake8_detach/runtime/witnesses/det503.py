"""DET503 step_out_of_order: an optimizer always stepped without any gradient, though each iteration made some after its step; or a scheduler in a
loop stepped before its optimizer ever had.
"""

from __future__ import annotations

from collections import defaultdict

from ..events import BackwardDone, Finished, Scheduling, Step
from ..gradients import Gradients, Turn, filled, parameters
from ..program import Site
from ..run import Run

CODE = "DET503"
EARLY = "the scheduler stepped before its optimizer's first step: the learning rate it started with was never used"
EMPTY = "no step here ever found a gradient: backward ran later in the iteration, and its gradients were cleared before the next step"


class Witness:
    """`fed` says of each site of a step whether it ever found a gradient; `late`, whether gradients came later in the same iteration.

    `running` are the sites of the steps that run now, by optimizer: a closure makes the gradients that its step uses.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.gradients = Gradients(run)
        self.stepped: set[int] = set()
        self.early: dict[int, Site] = {}
        self.fed: dict[Site, bool] = defaultdict(bool)
        self.late: set[Site] = set()
        self.running: dict[int, Site] = {}
        self.last: dict[int, tuple[Site, Turn | None]] = {}

    def on_scheduling(self, event: Scheduling) -> None:
        if not event.told and id(event.optimizer) not in self.stepped and self.gradients.turn() is not None:
            self.early.setdefault(id(event.optimizer), event.site)

    def on_step(self, event: Step) -> None:
        site, key = self.run.here(), id(event.optimizer)
        self.running.pop(key, None)
        if event.done or site is None:
            return
        self.running[key] = site
        self.stepped.add(key)
        if key in self.early:
            self.run.report(CODE, self.early.pop(key), EARLY)
        held = parameters(event.optimizer)
        self.fed[site] |= any(map(filled, held))
        self.last.update((id(p), (site, self.gradients.turn())) for p in held)

    def on_backward_done(self, event: BackwardDone) -> None:
        if event.backward.function != "backward" or event.error is not None:
            return
        for tensor in event.backward.graph.leaves:
            site, turn = self.last.get(id(tensor), (None, None))
            if site is not None and site in self.running.values():
                self.fed[site] = True
            elif site is not None and any(turn == running for running in self.gradients.turns()):  # also in a loop that the iteration runs
                self.late.add(site)

    def on_finished(self, event: Finished) -> None:
        for site, fed in self.fed.items():
            if not fed and site in self.late and not event.failed:
                self.run.report(CODE, site, EMPTY)
