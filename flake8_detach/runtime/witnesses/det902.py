"""DET902 retain_every_step: backward passes at one place left their graphs unfreed, and no later pass went through any of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from ..events import Backward, BackwardDone, Finished
from ..graph import kept_bytes
from ..program import Site
from ..run import Run

CODE = "DET902"


@dataclass(slots=True)
class Retained:
    """The graphs that the passes at one site left: the nodes of each, and the most bytes one of them kept."""

    graphs: list[set[int]] = field(default_factory=list)
    octets: int = 0
    used: bool = False


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.sites: dict[Site, Retained] = defaultdict(Retained)

    def on_backward(self, event: Backward) -> None:
        for retained in self.sites.values():
            if any(graph & event.visited for graph in retained.graphs):
                retained.used = True

    def on_backward_done(self, event: BackwardDone) -> None:
        backward = event.backward
        if event.error is not None or backward.site is None or backward.create_graph or backward.function != "backward":
            return
        if backward.whole and not backward.keeps:
            return  # it has freed all of its graph
        octets = sum(kept_bytes(root) for root in backward.graph.roots)
        if octets:
            retained = self.sites[backward.site]
            retained.graphs.append(set(backward.visited))
            retained.octets = max(retained.octets, octets)

    def on_finished(self, event: Finished) -> None:
        for site, retained in self.sites.items():
            if len(retained.graphs) > 1 and not retained.used:
                evidence = f"{len(retained.graphs)} graphs were left with up to {retained.octets} bytes of activations, and nothing used them"
                self.run.report(CODE, site, evidence)
