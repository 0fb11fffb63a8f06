"""DET103 stored_live: live tensors of different iterations came together in one container, or at one line's stores, and were never used again.

The store told is the one that attached the tensor to something older than the iteration. Each tensor must bring a graph of its own (a path to a leaf
made in the iteration). Back-propagated after the iteration, it was kept for a reason. A comprehension is a loop that stores.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import torch

from ..events import Comprehended, Finished, Held, IterationEnd, Link, Raised, Round
from ..graph import kept_bytes, node_of, number, numbers, reaches_leaf
from ..program import Site
from ..run import Run

CODE = "DET103"
STORES = frozenset({"__setitem__", "index_copy_", "index_put_", "copy_"})
UNCOPIED = ("Only Tensors created explicitly by the user", "Cowardly refusing to serialize non-leaf tensor")
APART = 3  # so many different holders filled by one line are a growing structure


@dataclass(slots=True)
class Store:
    """What one line stored: the nodes with the clock of the iteration's end, and the most that was alive at once."""

    ends: dict[int, int] = field(default_factory=dict)
    nodes: int = 0
    octets: int = 0
    grown: bool = False
    comprehended: bool = False


@dataclass(slots=True)
class Kept:
    """A live tensor that outlived the iteration `turn` of a loop: held by `holder` since `line` ran."""

    number: int
    holder: int
    line: int
    turn: int


class Witness:
    """Follows, loop by loop, what each iteration left behind."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.kept: dict[Round, dict[tuple[int, int], Kept]] = {}
        self.contents: dict[Round, dict[tuple[int, object], set[int]]] = {}
        self.nodes: dict[int, Any] = {}
        self.stores: dict[int, Store] = {}
        self.windows: set[int] = set()

    def on_iteration_end(self, event: IterationEnd) -> None:
        held = [h for h in event.held if not h.inside_model]
        self.nodes = {h.number: node_of(h.tensor) for h in held}
        present = {(h.number, holder) for h in event.held for holder in h.holders}
        before = self.kept.get(event.round, {})
        kept = {pair: k for pair, k in before.items() if pair in present}
        self.windows |= _windows(before, kept)
        for h in held:
            link = self._attached(event, h)
            if link is not None and (h.number, link.holder) not in kept:
                kept[h.number, link.holder] = Kept(h.number, link.holder, self._line(link, h.number), event.round.turns)
        self.kept[event.round] = kept
        for line, group in _growing(list(kept.values())).items():
            self._note(line, group)
        self._rebound(event, held)
        self._written(event, held)
        self.nodes.clear()

    def _attached(self, event: IterationEnd, held: Held) -> Link | None:
        """The link of this iteration by which `held` hangs on a container older than the iteration; None when there is none."""
        if not self._fresh(held, event.round.first) or self.run.births.get(held.number, (None, ""))[1] in STORES:
            return None
        link = event.attachment(held)
        return link if link is not None and not link.variable else None

    @staticmethod
    def _fresh(held: Held, first: int) -> bool:
        node = node_of(held.tensor)
        return node is not None and held.number >= first and reaches_leaf(node, first)

    def _line(self, link: Link, born: int) -> int:
        birth = self.run.births.get(born)
        return link.line if link.known or birth is None else birth[0].line

    def _rebound(self, event: IterationEnd, held: list[Held]) -> None:
        """A variable whose tuple is made anew each time, with everything it held and one more."""
        before, after = self.contents.get(event.round, {}), dict[tuple[int, object], set[int]]()
        for h in held:
            if len(h.road) > 1:
                after.setdefault((h.road[0].holder, h.road[0].label), set()).add(h.number)
        for h in held:
            root = h.road[0]
            earlier = before.get((root.holder, root.label), set())
            grows = earlier < after.get((root.holder, root.label), set())
            if len(h.road) > 1 and earlier and grows and root.time > event.round.start and self._fresh(h, event.round.first):
                self._note(root.line, [h.number])
        self.contents[event.round] = after

    def _written(self, event: IterationEnd, held: list[Held]) -> None:
        """A tensor used as a container: written by index, with the graph of each iteration."""
        for h in held:
            site, operation = self.run.births.get(h.number, (None, ""))
            if site is not None and operation in STORES and event.round.turns and self._fresh(h, event.round.first):
                if h.road[-1].variable or event.first_seen(h.road[-1].holder) <= event.round.start:
                    self._note(site.line, [h.number])

    def _note(self, line: int, group: list[int]) -> None:
        store = self.stores.setdefault(line, Store())
        store.grown = True
        for n in group:
            store.ends.setdefault(n, self.run.clock)
        alive = [node for n in group if (node := self.nodes.get(n)) is not None]
        nodes = set[int]().union(*(numbers(node) for node in alive))
        if len(nodes) > store.nodes:
            store.nodes, store.octets = len(nodes), sum(map(kept_bytes, alive))

    def on_comprehended(self, event: Comprehended) -> None:
        if not event.inside_model:
            store = self.stores.setdefault(event.line, Store())
            store.grown = store.comprehended = True
            store.nodes = max(store.nodes, len(event.numbers))
            store.ends.update(dict.fromkeys(event.numbers, self.run.clock))

    def on_raised(self, event: Raised) -> None:
        """Copying or sending refused: the tensor that it stumbled over was stored somewhere."""
        if not isinstance(event.error, RuntimeError) or not str(event.error).startswith(UNCOPIED):
            return
        culprit = _refused(event.traceback)
        node = node_of(culprit) if culprit is not None else None
        if node is None or number(node) in self.run.visits:
            return
        for held in self.run.lines.reach.survey(self.run.lines.everything(), 0, event.site.line, self.run.clock):
            links = [link for link in held.road if not link.variable]
            if held.number == number(node) and links:
                self.run.report(CODE, Site(links[-1].line), f"the stored tensor cannot be copied: {str(event.error).split('.')[0]}")
                return

    def on_finished(self, event: Finished) -> None:
        told: set[int] = set()
        for line, store in sorted(self.stores.items(), key=lambda item: min(item[1].ends, default=0)):
            if not store.grown or line in self.run.totals or line in self.windows or set(store.ends) <= told:
                continue
            if any(self.run.visits.get(n, 0) > end for n, end in store.ends.items()):
                continue
            if event.failed and store.comprehended and not any(n in self.run.visits for n in store.ends):
                # the program broke off before it could use them
                continue
            told |= set(store.ends)
            self.run.report(CODE, Site(line), f"{len(store.ends)} live tensors kept {store.nodes} graph nodes with {store.octets} bytes of activations")


def _windows(before: dict[tuple[int, int], Kept], kept: dict[tuple[int, int], Kept]) -> set[int]:
    """The lines that fill a holder which lost some of its tensors and kept others: it is bounded, as a deque with maxlen is."""
    lost = {k.holder for pair, k in before.items() if pair not in kept}
    return {k.line for k in kept.values() if k.holder in lost}


def _growing(kept: list[Kept]) -> dict[int, list[int]]:
    """By line the tensors of different iterations that are together in one holder, or in many holders filled by one line."""
    by_holder: dict[int, list[Kept]] = {}
    by_line: dict[int, list[Kept]] = {}
    for k in kept:
        by_holder.setdefault(k.holder, []).append(k)
        by_line.setdefault(k.line, []).append(k)
    found: dict[int, list[int]] = {}
    for group in by_holder.values():
        if len({k.turn for k in group}) > 1:
            for k in group:
                found.setdefault(k.line, []).append(k.number)
    for line, group in by_line.items():
        if len({k.holder for k in group}) >= APART and len({k.turn for k in group}) >= APART:
            found.setdefault(line, [k.number for k in group])
    return found


def _refused(traceback: TracebackType | None) -> torch.Tensor | None:
    """The tensor that torch refused to copy or to send: the argument of its innermost function."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    names = ("self", "tensor")
    values = [traceback.tb_frame.f_locals.get(name) for name in names] if traceback is not None else []
    return next((v for v in values if isinstance(v, torch.Tensor)), None)
