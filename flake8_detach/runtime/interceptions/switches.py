"""Watches grad-mode switches as objects: made, entered, left, used as a decorator, destroyed.

The classes are those of torch.autograd.grad_mode. `set_grad_enabled` acts when it is made, so only its nesting is of interest.
"""

from __future__ import annotations

import functools
import itertools
import sys
import weakref
from dataclasses import dataclass
from typing import Any

import torch

from ..events import SwitchDropped, SwitchEntered, SwitchLeft, SwitchMade
from ..program import Site
from ..run import Run

CLASSES: tuple[type, ...] = (torch.no_grad, torch.enable_grad, torch.inference_mode, torch.set_grad_enabled)


@dataclass(slots=True)
class State:
    """What is known of one switch object."""

    number: int
    kind: str
    site: Site
    statement: tuple[int, int]
    entered: int = 0
    left: int = 0
    called: bool = False


def install(run: Run) -> None:
    """Wraps four methods of each class for the rest of the process."""
    switches = Switches(run)
    for cls in CLASSES:
        for name, watch in (("__init__", switches.made), ("__enter__", switches.enters), ("__exit__", switches.leaves), ("__call__", switches.called)):
            _wrap(run, cls, name, watch)


def _wrap(run: Run, cls: type, name: str, watch: Any) -> None:
    original = getattr(cls, name)

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not run.busy and type(self) is cls:
            watch(self, args, sys._getframe(1))
        return original(self, *args, **kwargs)

    setattr(cls, name, method)


class Switches:
    """The switch objects that the program's own lines made."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.states: dict[int, State] = {}
        self.numbers = itertools.count()

    def made(self, switch: Any, args: tuple[Any, ...], caller: Any) -> None:
        """A switch comes to be; those that torch or another library makes for itself are none of ours."""
        if not self.run.program.owns(caller.f_code):
            return
        state = State(next(self.numbers), type(switch).__name__, self.run.program.site(caller), (id(caller), self.run.clock))
        self.states[id(switch)] = state
        self.run.emit(SwitchMade(state.number, state.kind, state.site))
        weakref.finalize(switch, self._dropped, id(switch), state).atexit = False

    def enters(self, switch: Any, args: tuple[Any, ...], caller: Any) -> None:
        """A switch is entered, by a `with` of the program, an ExitStack, or by hand."""
        state = self.states.get(id(switch))
        if state is None:
            return
        state.entered += 1
        if self.run.program.owns(caller.f_code):
            site = self.run.program.with_statement(self.run.program.site(caller))
            self.run.emit(SwitchEntered(state.number, site, state.entered - state.left - 1))

    def leaves(self, switch: Any, args: tuple[Any, ...], caller: Any) -> None:
        """A switch is left."""
        state = self.states.get(id(switch))
        if state is not None:
            state.left += 1
            self.run.emit(SwitchLeft(state.number, bool(args and args[0] is not None)))

    def called(self, switch: Any, args: tuple[Any, ...], caller: Any) -> None:
        """A switch decorates a function."""
        state = self.states.get(id(switch))
        if state is not None:
            state.called = True

    def _dropped(self, key: int, state: State) -> None:
        self.states.pop(key, None)
        frame = self.run.frame()
        # destroyed before the next event of the program: nobody kept it
        if frame is not None and state.statement == (id(frame), self.run.clock):
            self.run.emit(SwitchDropped(state.kind, state.site, state.called or state.entered > 0, state.left > 0))
