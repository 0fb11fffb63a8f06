"""One observed run: the clock, the events' road to the witnesses, and the occurrences they report.

The folder `witnesses` is the registry: each module there has a class Witness whose methods `on_<event>` receive that event.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch

from . import witnesses
from .events import Activation, ModuleCall, SinkCall
from .occurrence import Occurrence
from .program import Program, Site


class Run:
    """State shared by interceptions and witnesses. `clock` counts program events; `stack` holds the program's running functions, outermost first."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.clock = 0
        self.busy = False
        self.stack: list[Activation] = []
        self.births: dict[int, tuple[Site, str]] = {}
        self.visits: dict[int, int] = {}
        self.model_calls: list[ModuleCall] = []
        self.sinks: list[SinkCall] = []
        self.totals: set[int] = set()
        self.open_modules = 0
        self.lines: Any = None
        self._found: dict[tuple[int, str], Occurrence] = {}
        self._handlers: dict[str, list[Callable[[Any], None]]] = defaultdict(list)
        for name in sorted(m.name for m in pkgutil.iter_modules(witnesses.__path__)):
            self._register(importlib.import_module(f"{witnesses.__name__}.{name}").Witness(self))

    def _register(self, witness: object) -> None:
        for name in dir(witness):
            if name.startswith("on_"):
                self._handlers[_event_name(name)].append(getattr(witness, name))

    def emit(self, event: object) -> None:
        """Hands `event` to every witness that has a method for its class."""
        for handler in self._handlers[type(event).__name__]:
            handler(event)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Our own torch operations: they neither reach the interceptions nor the program's modes."""
        was, self.busy = self.busy, True
        with torch._C.DisableTorchFunction():
            try:
                yield
            finally:
                self.busy = was

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

    def in_model(self, number: int) -> bool:
        """Whether the node `number` was made by a call of a model."""
        return any(call.first <= number < call.end for call in reversed(self.model_calls))


def _event_name(handler: str) -> str:
    return "".join(word.capitalize() for word in handler.split("_")[1:])
