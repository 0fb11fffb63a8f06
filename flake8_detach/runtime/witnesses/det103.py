"""DET103 stored_live: live tensors of different iterations came together in one container, or at one line's stores, and were never used again.

The store told is the one that attached the tensor to something older than the iteration. Each tensor must bring a graph of its own (a path to a leaf
made in the iteration). Back-propagated after the iteration, it was kept for a reason. A comprehension is a loop that stores.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass(slots=True)
class Kept:
    """A live tensor that outlived the iteration `turn` of a loop: held by `holder` since `line` ran."""

    holder: int
    line: int
    turn: int


class Witness:
    """Follows, loop by loop, what each iteration left behind."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.kept: dict[Round, dict[int, Kept]] = {}
        self.contents: dict[Round, dict[tuple[int, object], frozenset[int]]] = {}
        self.stores: dict[int, Store] = {}
        self.windows: set[int] = set()

    def on_iteration_end(self, event: IterationEnd) -> None:
        alive = {held.number: held for held in event.held if not held.inside_model}
        before = self.kept.get(event.round, {})
        kept = {n: k for n, k in before.items() if n in alive}
        self.windows |= _windows(before, kept)
        for n, held in alive.items():
            link = self._attached(event, held)
            if link is not None and n not in kept:
                kept[n] = Kept(link.holder, self._line(link, n), event.round.turns)
        self.kept[event.round] = kept
        for line, group in _growing(kept).items():
            self._note(line, [alive[n] for n in group], event)
        self._rebound(event, alive)
        self._written(event, alive)

    def _attached(self, event: IterationEnd, held: Held) -> Link | None:
        """The link of this iteration by which `held` hangs on a container older than the iteration; None when there is none."""
        if not self._fresh(held, event.round.first) or self.run.births.get(held.number, (None, ""))[1] in STORES:
            return None
        for link in reversed(held.road):
            if event.first_seen(link.holder) <= event.round.start or link.variable:
                return link if not link.variable and link.time > event.round.start else None
        return None

    @staticmethod
    def _fresh(held: Held, first: int) -> bool:
        node = node_of(held.tensor)
        return node is not None and held.number >= first and reaches_leaf(node, first)

    def _line(self, link: Link, born: int) -> int:
        birth = self.run.births.get(born)
        return link.line if link.known or birth is None else birth[0].line

    def _rebound(self, event: IterationEnd, alive: dict[int, Held]) -> None:
        """A variable whose tuple is made anew each time, with everything it held and one more."""
        before, now_ = self.contents.get(event.round, {}), dict[tuple[int, object], frozenset[int]]()
        for n, held in alive.items():
            root = held.road[0]
            if len(held.road) > 1:
                key = (root.holder, root.label)
                now_[key] = now_.get(key, frozenset()) | {n}
                if root.time > event.round.start and key in before and n not in before[key] and self._fresh(held, event.round.first):
                    self._extend(root.line, before[key], alive, held, event)
        self.contents[event.round] = now_

    def _extend(self, line: int, before: frozenset[int], alive: dict[int, Held], held: Held, event: IterationEnd) -> None:
        if before and before <= alive.keys() and all(alive[n].road[0].label == held.road[0].label for n in before):
            self._note(line, [held], event)

    def _written(self, event: IterationEnd, alive: dict[int, Held]) -> None:
        """A tensor used as a container: written by index, with the graph of each iteration."""
        for n, held in alive.items():
            site, operation = self.run.births.get(n, (None, ""))
            if site is not None and operation in STORES and event.round.turns and self._fresh(held, event.round.first):
                if event.first_seen(held.road[-1].holder) <= event.round.start or held.road[-1].variable:
                    self._note(site.line, [held], event)

    def _note(self, line: int, group: list[Held], event: IterationEnd) -> None:
        store = self.stores.setdefault(line, Store())
        store.grown = True
        nodes: set[int] = set()
        for held in group:
            store.ends.setdefault(held.number, self.run.clock)
            nodes |= numbers(node_of(held.tensor))
        if len(nodes) > store.nodes:
            store.nodes, store.octets = len(nodes), sum(kept_bytes(node_of(h.tensor)) for h in group)

    def on_comprehended(self, event: Comprehended) -> None:
        if len(set(event.numbers)) > 1 and not event.inside_model:
            store = self.stores.setdefault(event.line, Store())
            store.grown = True
            store.nodes = max(store.nodes, len(event.numbers))
            store.ends.update(dict.fromkeys(event.numbers, self.run.clock))

    def on_raised(self, event: Raised) -> None:
        """Copying or sending refused: the tensor that it stumbled over was stored somewhere."""
        if not isinstance(event.error, RuntimeError) or not str(event.error).startswith(UNCOPIED):
            return
        culprit = _refused(event.error)
        node = node_of(culprit) if culprit is not None else None
        if node is None:
            return
        for held in self.run.lines.reach.survey(self.run.lines.everything(), event.site.line, self.run.clock):
            links = [link for link in held.road if not link.variable]
            if held.number == number(node) and links:
                self.run.report(CODE, Site(self._line(links[-1], held.number)), f"the stored tensor cannot be copied: {str(event.error).split('.')[0]}")
                return

    def on_finished(self, event: Finished) -> None:
        told: set[int] = set()
        for line, store in sorted(self.stores.items(), key=lambda item: min(item[1].ends, default=0)):
            if not store.grown or line in self.run.totals or line in self.windows or set(store.ends) <= told:
                continue
            if any(self.run.visits.get(n, 0) > end for n, end in store.ends.items()):
                continue
            told |= set(store.ends)
            self.run.report(CODE, Site(line), f"{len(store.ends)} live tensors kept {store.nodes} graph nodes with {store.octets} bytes of activations")


def _windows(before: dict[int, Kept], kept: dict[int, Kept]) -> set[int]:
    """The lines that fill a holder which lost some of its tensors and kept others: it is bounded, as a deque with maxlen is."""
    lost = {k.holder for n, k in before.items() if n not in kept}
    return {k.line for k in kept.values() if k.holder in lost}


def _growing(kept: dict[int, Kept]) -> dict[int, list[int]]:
    """By line the tensors of different iterations that are together in one holder, or in many holders filled by one line."""
    by_holder: dict[int, list[int]] = {}
    by_line: dict[int, list[int]] = {}
    for n, k in kept.items():
        by_holder.setdefault(k.holder, []).append(n)
        by_line.setdefault(k.line, []).append(n)
    found: dict[int, list[int]] = {}
    for group in by_holder.values():
        if len({kept[n].turn for n in group}) > 1:
            for n in group:
                found.setdefault(kept[n].line, []).append(n)
    for line, group in by_line.items():
        if len({kept[n].holder for n in group}) >= APART and len({kept[n].turn for n in group}) >= APART:
            found.setdefault(line, group)
    return found


def _refused(error: BaseException) -> torch.Tensor | None:
    """The tensor that torch refused to copy or to send: the argument of its innermost function."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    names = ("self", "tensor")
    values = [traceback.tb_frame.f_locals.get(name) for name in names] if traceback is not None else []
    return next((v for v in values if isinstance(v, torch.Tensor)), None)
