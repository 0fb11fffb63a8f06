"""DET303 switch_on_coroutine: a grad-mode switch was applied to a coroutine function or to a class, which it does not reach."""

from __future__ import annotations

import inspect

from ..events import Decorated
from ..run import Run

CODE = "DET303"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run

    def on_decorated(self, event: Decorated) -> None:
        if inspect.isclass(event.target):
            self.run.report(CODE, event.site, f"{event.kind} wrapped the class {event.target.__name__} into a function")
        elif inspect.iscoroutinefunction(event.target) or inspect.isasyncgenfunction(event.target):
            self.run.report(CODE, event.site, f"{event.kind} wrapped the making of a coroutine: its body runs after the mode is restored")
