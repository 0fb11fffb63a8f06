"""DET103 stored_live: live tensors of different iterations came together in one container, or by one line's stores, and were never used
again.

The line told is the store that attached the tensor to something older than the iteration. The tensor must have a graph of the iteration's
own (a way to a leaf). Back-propagated after the iteration, it was kept for a reason. A comprehension is a loop that stores: what it makes
counts when the function keeps it elsewhere than in a variable, or had used the graphs already. And so does what a module kept, or a
comprehension made, when copying or sending fails on it.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import torch

from ..events import Comprehended, Finished, Held, IterationEnd, Link, Raised, Round
from ..graph import kept_bytes, node_of, number, numbers, reaches_leaf
from ..program import Site
from ..run import Run

CODE = "DET103"
UNCOPIED = ("Only Tensors created explicitly by the user", "Cowardly refusing to serialize non-leaf tensor")
APART = 3  # so many holders that one line fills in as many iterations are a growing structure

Place = tuple[int, object]


@dataclass(slots=True)
class Store:
    """What one line stored: the nodes with the clock at the iteration's end, and the most that was alive at once."""

    ends: dict[int, int] = field(default_factory=dict)
    nodes: int = 0
    octets: int = 0
    idle: bool = False  # made by a comprehension, and not known to harm yet


@dataclass(slots=True)
class Kept:
    """A live tensor that outlived the iteration `turn` of a loop, since `line` attached it to `holder`."""

    number: int
    holder: int
    line: int
    turn: int


class Witness:
    """Follows, loop by loop, what each iteration left behind; `windows` are lines that fill bounded holders."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.kept: dict[Round, dict[tuple[int, int], Kept]] = {}
        self.contents: dict[Round, dict[Place, set[int]]] = {}
        self.containers: dict[Round, list[weakref.ref[torch.Tensor]]] = {}
        self.stores: dict[int, Store] = {}
        self.windows: set[int] = set()

    def on_iteration_end(self, event: IterationEnd) -> None:
        held = [h for h in event.held if not h.inside_model]
        nodes = {h.number: node_of(h.tensor) for h in held}
        fresh = [h for h in held if h.number >= event.round.first and reaches_leaf(nodes[h.number], event.round.first)]
        for line, group in [*self._collected(event, fresh), *self._rebound(event, held, fresh), *self._written(event, fresh)]:
            self._note(line, {n: nodes[n] for n in group if n in nodes})

    def _collected(self, event: IterationEnd, fresh: list[Held]) -> list[tuple[int, list[int]]]:
        """Containers that hold tensors of several iterations."""
        present = {(h.number, holder) for h in event.held for holder in h.holders}
        before = self.kept.get(event.round, {})
        kept = {pair: k for pair, k in before.items() if pair in present}
        self.windows |= _windows(before, kept)
        for h in fresh:
            link = self._container(event, h)
            if link is not None and (h.number, link.holder) not in kept:
                kept[h.number, link.holder] = Kept(h.number, link.holder, self.run.line_of(link, h.number), event.round.turns)
        self.kept[event.round] = kept
        return _growing(list(kept.values()))

    def _container(self, event: IterationEnd, held: Held) -> Link | None:
        link = event.attachment(held)
        return None if link is None or link.variable or self.run.written_at(held.number) is not None else link

    def _rebound(self, event: IterationEnd, held: list[Held], fresh: list[Held]) -> list[tuple[int, list[int]]]:
        """Variables whose tuple is made anew each time, with everything it held and one more."""
        before, after = self.contents.get(event.round, {}), dict[Place, set[int]]()
        for h in held:
            if len(h.road) > 1:
                after.setdefault((h.road[0].holder, h.road[0].label), set()).add(h.number)
        self.contents[event.round] = after
        found = []
        for h in fresh:
            root = h.road[0]
            earlier = before.get((root.holder, root.label), set())
            if len(h.road) > 1 and root.time > event.round.start and earlier and earlier < after[root.holder, root.label]:
                found.append((root.line, [h.number]))
        return found

    def _written(self, event: IterationEnd, fresh: list[Held]) -> list[tuple[int, list[int]]]:
        """Tensors used as containers: written into, part by part, in this iteration and in one before."""
        sites = [(site, h) for h in fresh if event.old(h.road[-1]) and (site := self.run.written_at(h.number)) is not None]
        before = self.containers.get(event.round, [])
        self.containers[event.round] = [weakref.ref(h.tensor) for _, h in sites]
        return [(site.line, [h.number]) for site, h in sites if any(known() is h.tensor for known in before)]

    def _note(self, line: int, nodes: dict[int, Any]) -> None:
        store = self.stores.setdefault(line, Store())
        for n in nodes:
            store.ends.setdefault(n, self.run.clock)
        self.run.concerns.update(nodes)
        history = len(set[int]().union(*map(numbers, nodes.values())))
        if history > store.nodes:
            store.nodes, store.octets = history, sum(map(kept_bytes, nodes.values()))

    def on_comprehended(self, event: Comprehended) -> None:
        if not event.inside_model:
            used = any(n in self.run.visits for n in event.numbers)
            store = self.stores.setdefault(event.line, Store(idle=event.local and not used))
            store.nodes = max(store.nodes, len(event.numbers))
            store.ends.update(dict.fromkeys(event.numbers, self.run.clock))
            self.run.concerns.update(event.numbers)

    def on_raised(self, event: Raised) -> None:
        """Copying or sending refused: the tensor that it stumbled over was stored somewhere."""
        culprit = _refused(event.traceback) if str(event.error).startswith(UNCOPIED) else None
        node = node_of(culprit) if culprit is not None else None
        if node is None or number(node) in self.run.visits:
            return
        evidence = f"what it stored cannot be copied: {str(event.error).split('.')[0]}"
        for line, store in self.stores.items():
            if number(node) in store.ends:
                self.run.report(CODE, Site(line), evidence)
        for held in self.run.lines.survey(0):
            if held.number == number(node) and isinstance(held.keeper, torch.nn.Module):
                self.run.report(CODE, Site(held.road[-1].line), evidence)

    def on_finished(self, event: Finished) -> None:
        told = set[int]()
        for line, store in sorted(self.stores.items(), key=lambda item: min(item[1].ends)):
            known = told >= store.ends.keys() or line in self.run.totals or line in self.windows
            if not known and not store.idle and not self._used(store) and not (event.failed and self._early(store)):
                told |= store.ends.keys()
                evidence = f"{len(store.ends)} live tensors kept {store.nodes} graph nodes with {store.octets} bytes of activations"
                self.run.report(CODE, Site(line), evidence)

    def _used(self, store: Store) -> bool:
        return any(self.run.visits.get(n, 0) > end for n, end in store.ends.items())

    def _early(self, store: Store) -> bool:
        # a program that broke off may not have come to use what it made at once
        return len(set(store.ends.values())) == 1 and not any(n in self.run.visits for n in store.ends)


def _windows(before: dict[tuple[int, int], Kept], kept: dict[tuple[int, int], Kept]) -> set[int]:
    """The lines that fill a holder which lost some of its tensors and kept others: it is bounded, as a deque with maxlen is."""
    lost = {k.holder for pair, k in before.items() if pair not in kept}
    return {k.line for k in kept.values() if k.holder in lost}


def _growing(kept: list[Kept]) -> list[tuple[int, list[int]]]:
    """By line the tensors of different iterations that are together in one holder, or in many holders filled by one line."""
    by_holder: dict[int, list[Kept]] = {}
    by_line: dict[int, list[Kept]] = {}
    for k in kept:
        by_holder.setdefault(k.holder, []).append(k)
        by_line.setdefault(k.line, []).append(k)
    together = {holder for holder, group in by_holder.items() if len({k.turn for k in group}) > 1}
    found = []
    for line, group in by_line.items():
        apart = min(len({k.holder for k in group}), len({k.turn for k in group})) >= APART
        numbers_ = [k.number for k in group if apart or k.holder in together]
        if numbers_:
            found.append((line, numbers_))
    return found


def _refused(traceback: TracebackType | None) -> torch.Tensor | None:
    """The tensor that torch refused to copy or to send: the argument of its innermost function."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    values = [traceback.tb_frame.f_locals.get(name) for name in ("self", "tensor")] if traceback is not None else []
    return next((value for value in values if isinstance(value, torch.Tensor)), None)
