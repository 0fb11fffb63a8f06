"""DET505 generator_not_detached: a backward pass whose gradients only one network's optimizer used went on into the network that made its input.

Seen call by call: the graph of a model's call hangs on the graph of an earlier one, the pass reached the leaves of both, and before the next pass
only the optimizer of the later model stepped, though the other's leaves have an optimizer too. Where a run of the same call was part of a pass
that the other optimizer used, the harm lies outside of what both runs share, if the input was made out there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..events import Backward, BackwardDone, Finished, Frame, ModuleCall, OptimizerMade, Step
from ..gradients import parameters
from ..graph import LEAF, Graph, number, parents
from ..program import Site
from ..run import Run

CODE = "DET505"
CALLS = 200  # so many of the last calls are remembered


@dataclass(slots=True)
class Fed:
    """A call of a model in a pass: its own leaves, and those that its input hangs on, with the calls that made it.

    `lonely` once its own optimizer has stepped, `wanted` once one of its input has.
    """

    call: ModuleCall
    own: set[int]
    input: set[int]
    makers: list[ModuleCall]
    lonely: bool = False
    wanted: bool = False


@dataclass(slots=True)
class Pass:
    """A backward pass that waits for its steps."""

    calls: list[Fed] = field(default_factory=list)
    stepped: bool = False


class Witness:
    """`held` are the leaves that have an optimizer at all, `shared` the places that led to calls whose input's optimizer used the pass."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.calls: list[ModuleCall] = []
        self.open: list[Pass] = []
        self.held: dict[int, int] = {}
        self.lonely: list[Fed] = []
        self.shared: list[Frame] = []

    def on_module_call(self, event: ModuleCall) -> None:
        self.calls.append(event)
        del self.calls[:-CALLS]

    def on_optimizer_made(self, event: OptimizerMade) -> None:
        self.held.update((id(p), id(event.optimizer)) for p in parameters(event.optimizer))

    def on_backward(self, event: Backward) -> None:
        if event.function != "backward" or not event.whole:
            return
        if any(p.stepped for p in self.open):
            self._settle()
        found = Pass()
        for call in self.calls:
            if event.visits(call.first, call.end):
                own, given = _leaves(event.graph, call)
                if given:
                    found.calls.append(Fed(call, own, given - own, [c for c in self.calls if c.end <= call.first]))
        self.open.append(found)

    def on_backward_done(self, event: BackwardDone) -> None:
        if event.error is not None and self.open:
            self.open.pop()

    def on_step(self, event: Step) -> None:
        if event.done:
            return
        held = set(map(id, parameters(event.optimizer)))
        for waiting in self.open:
            waiting.stepped = True
            for call in waiting.calls:
                if held & call.own:
                    call.lonely = True
                call.wanted |= bool(held & call.input)
                call.input -= held

    def on_finished(self, event: Finished) -> None:
        self._settle()
        for fed in self.lonely:
            site = self._place(fed)
            if site is not None:
                self.run.report(CODE, site, "the loss went on into the network that made this input, whose optimizer did not use it")

    def _settle(self) -> None:
        for waiting in self.open:
            for fed in waiting.calls:
                others = {self.held[n] for n in fed.input if n in self.held}
                if fed.lonely and not fed.wanted and others - {self.held.get(n) for n in fed.own}:
                    self.lonely.append(fed)
                elif fed.wanted and not fed.lonely:
                    self.shared += fed.call.frames
        self.open = [p for p in self.open if not p.stepped]

    def _place(self, fed: Fed) -> Site | None:
        """The innermost place on the way to a call that no other run of its function shares."""
        site = fed.call.site
        for frame in reversed(fed.call.frames):
            if not any(f.line == frame.line and f.activation is not frame.activation for f in self.shared):
                return site if frame is fed.call.frames[-1] else Site(frame.line)
            if any(f.activation is frame.activation for maker in fed.makers for f in maker.frames):
                return None
        return None


def _leaves(graph: Graph, call: ModuleCall) -> tuple[set[int], set[int]]:
    """The leaves that the nodes of a call use themselves, and those below what it was given."""
    own, given = set[int](), set[int]()
    inside = [node for n, node in graph.nodes.items() if call.first <= n < call.end]
    for node in inside:
        for parent in parents(node):
            current = number(parent)
            if current == LEAF:
                own.add(id(getattr(parent, "variable", None)))
            elif current < call.first:
                for below in graph.below(current):
                    variables = (getattr(p, "variable", None) for p in parents(graph.nodes[below]) if number(p) == LEAF)
                    given.update(id(v) for v in variables if v is not None)
    return own, given
