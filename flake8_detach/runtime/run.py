"""One observed run: the clock, the road of the events to the witnesses, what both kinds remember of the graph, and the occurrences.

The folder `witnesses` is the registry: each module there has a class Witness whose methods `on_<event>` receive that event, in the order of
the codes.
"""

from __future__ import annotations

import bisect
import importlib
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch

from . import witnesses
from .events import Activation, Link, SinkCall, TorchCall
from .graph import number, parents
from .occurrence import Occurrence
from .program import Program, Site

if TYPE_CHECKING:
    from .interceptions.lines import Lines

REMEMBERED = 200_000  # of so many nodes at least it is known where they were made, and when a backward pass visited them
STORES = frozenset({"__setitem__", "index_copy_", "index_put_", "copy_"})
IN_PLACE = re.compile(r"^__i\w+__$|[^_]_$")
REBUILT = "AsStridedBackward0"  # the node that autograd gives a view anew once its base was written
PAUSES = sys.version_info < (3, 12)  # since then Python changes the code of every function when a tracer comes or goes, which costs more than it saves


class Aside:
    """A context manager, written out because every torch call of the program enters it twice. It can be entered again, but not while it is open.

    Where that is cheap, tracing pauses in it: under a tracer every Python function that runs, ours too, costs several times as much.
    """

    __slots__ = ("guard", "run", "tracer", "was")

    def __init__(self, run: Run) -> None:
        self.run = run
        self.was = False
        self.tracer: Any = None
        self.guard = torch._C.DisableTorchFunction()

    def __enter__(self) -> None:
        self.tracer = sys.gettrace() if PAUSES else None
        if self.tracer is not None:
            sys.settrace(None)
        self.was = self.run.busy
        self.run.busy = True
        self.guard.__enter__()

    def __exit__(self, *exc: object) -> None:
        self.guard.__exit__(None, None, None)
        self.run.busy = self.was
        if self.tracer is not None:
            sys.settrace(self.tracer)


@cache
def witness_modules() -> list[Any]:
    """The modules of the witnesses, in the order of their codes."""
    names = sorted(module.name for module in pkgutil.iter_modules(witnesses.__path__))
    return [importlib.import_module(f"{witnesses.__name__}.{name}") for name in names]


class Run:
    """What interceptions and witnesses share.

    `clock` counts the program's lines, calls and backward passes; `stack` has its running functions, outermost first; `births` says where a
    node was made and by which operation, `visits` when a backward pass last visited it; `sinks` are the sink calls that run now.
    """

    lines: Lines

    def __init__(self, program: Program) -> None:
        self.program = program
        self.clock = 0
        self.busy = False
        self.stack: list[Activation] = []
        self.births: dict[int, tuple[Site, str]] = {}
        self.visits: dict[int, int] = {}
        self.concerns: set[int] = set()
        self.sinks: list[SinkCall] = []
        self.open_modules = 0
        self.blocks: dict[int, Any] = {}  # the grad-mode blocks that are open now, as DET302 counts what happens in them
        self.contributors: Any = None  # the leaves that took part in operations, once a witness has asked for them
        self.saved: Any = None  # what the nodes of graphs saved, once a witness has asked for it
        self.passes: Any = None  # the module calls that run now, as interceptions.layers sees them
        self.setting_mode = False
        self.drawn = 0  # the line whose graph is to be drawn, 0 if none is or any more
        self.totals: set[int] = set()
        self._models: list[tuple[int, int]] = []
        self._found: dict[tuple[int, str], Occurrence] = {}
        self._handlers: dict[str, list[Callable[[Any], None]]] = defaultdict(list)
        self._choosy: list[tuple[frozenset[str], Callable[[Any], None]]] = []
        self._by_call: dict[str, list[Callable[[Any], None]]] = {}
        for module in witness_modules():
            self.listen(module.Witness(self))

    def listen(self, witness: object) -> None:
        """Hand the events to the methods `on_<event>` of a witness; of torch calls only those that its `CALLS` name, if it has these."""
        for name in dir(witness):
            if name == "on_torch_call" and hasattr(witness, "CALLS"):
                self._choosy.append((witness.CALLS, witness.on_torch_call))  # type: ignore[attr-defined]
            elif name.startswith("on_"):
                event = "".join(word.capitalize() for word in name.split("_")[1:])
                self._handlers[event].append(getattr(witness, name))

    def emit(self, event: object) -> None:
        """Hands `event` to every witness that has a method for its class."""
        for handler in self._handlers[type(event).__name__]:
            handler(event)

    def called(self, event: TorchCall) -> None:
        """As emit, for the event of which there are most."""
        handlers = self._by_call.get(event.name)
        if handlers is None:
            handlers = [*self._handlers["TorchCall"], *(handler for names, handler in self._choosy if event.name in names)]
            self._by_call[event.name] = handlers
        for handler in handlers:
            handler(event)

    def aside(self) -> Aside:
        """A context for our own torch operations: they neither reach the interceptions nor the program's modes."""
        return Aside(self)

    def report(self, code: str, site: Site, evidence: str) -> None:
        """Notes that `code` happened at `site`; the first evidence for a line stands."""
        column = site.column or self.program.indentation(site.line)
        self._found.setdefault((site.line, code), Occurrence(site.line, code, evidence, column))

    def occurrences(self) -> list[Occurrence]:
        """What was reported so far, in the order of the program's lines."""
        return sorted(self._found.values())

    def frame(self) -> FrameType | None:
        """The innermost running frame of the program."""
        return self.program.innermost(sys._getframe(1))

    def here(self) -> Site | None:
        """Where the program stands."""
        frame = self.frame()
        return self.program.site(frame) if frame is not None else None

    def model_ran(self, first: int, end: int) -> None:
        """A model made the nodes from `first` up to (not including) `end`."""
        self._models.append((first, end))

    def in_model(self, number: int) -> bool:
        """Whether a call of a model made the node `number`."""
        place = bisect.bisect_right(self._models, (number, sys.maxsize)) - 1
        return place >= 0 and number < self._models[place][1]

    def line_of(self, link: Link, born: int) -> int:
        """The line that put the value of node `born` under `link`: after which it was first seen, or if that is not sure, that made the
        value. What was written in place, such as by a function that was given it, was put there by the line that wrote.
        """
        birth = self.births.get(born)
        return link.line if birth is None or (link.known and not self.is_written(link, born)) else birth[0].line

    def is_written(self, link: Link, born: int) -> bool:
        """Whether a write in place to what `link` held already made node `born`."""
        return link.stayed and born in self.births and IN_PLACE.search(self.births[born][1]) is not None

    def line_of_growth(self, link: Link, node: Any) -> int:
        """As line_of, but before what was done in place to the end of that history alone, such as `total.mul_(0.9)`."""
        born = number(node)
        if born not in self.births and node.name() == REBUILT:
            written = self.births.get(number(parents(node)[0]))
            return written[0].line if written is not None else link.line
        if born not in self.births or (link.known and link.line != self.births[born][0].line and not self.is_written(link, born)):
            return self.line_of(link, born)
        above = parents(node)
        while len(above) == 1 and number(above[0]) in self.births and IN_PLACE.search(self.births[number(node)][1]):
            node, above = above[0], parents(above[0])
        return self.births[number(node)][0].line

    def written_at(self, number: int) -> Site | None:
        """Where node `number` was made, if it was made by writing into a part of a tensor."""
        site, operation = self.births.get(number, (None, ""))
        return site if operation in STORES else None

    def forget(self) -> None:
        """Drops what is known of old nodes once they are too many; `concerns` are the nodes that a witness still asks for."""
        del self._models[: -2 * REMEMBERED]
        for memory in (self.births, self.visits):
            if len(memory) > 2 * REMEMBERED:
                for number in sorted(memory)[:REMEMBERED]:
                    if number not in self.concerns:
                        del memory[number]
