"""Watches grad-mode switches as objects: made, entered, left, used as a decorator, destroyed.

The classes are those of torch.autograd.grad_mode; only objects that the program's own lines made are of interest.
"""

from __future__ import annotations

import functools
import itertools
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch

from ..events import Decorated, GradSet, SwitchDropped, SwitchEntered, SwitchLeft
from ..program import Site
from ..run import Run

CLASSES: tuple[type, ...] = (torch.no_grad, torch.enable_grad, torch.inference_mode, torch.set_grad_enabled)

Watch = Callable[[Any, tuple[Any, ...], FrameType], None]


@dataclass(slots=True)
class State:
    """What is known of one switch object; `moment` is the frame and the clock of its making."""

    number: int
    kind: str
    site: Site
    moment: tuple[int, int]
    entered: int = 0
    left: int = 0
    called: bool = False


def install(run: Run) -> None:
    """Wraps four methods of each class for the rest of the process."""
    switches = Switches(run)
    watches = {"__init__": switches.made, "__enter__": switches.enters, "__exit__": switches.leaves, "__call__": switches.called}
    for cls in CLASSES:
        for name, watch in watches.items():
            setattr(cls, name, _watched(run, cls, getattr(cls, name), watch))


def _watched(run: Run, cls: type, original: Callable[..., Any], watch: Watch) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not run.busy and type(self) is cls:
            watch(self, args, sys._getframe(1))
        return original(self, *args, **kwargs)

    return method


class Switches:
    """The switch objects that are alive, by identity."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.states: dict[int, State] = {}
        self.numbers = itertools.count()

    def made(self, switch: Any, args: tuple[Any, ...], caller: FrameType) -> None:
        """A switch comes to be; those that torch or another library makes for itself are none of ours."""
        if self.run.program.owns(caller.f_code):
            moment = (id(caller), self.run.clock)
            state = State(next(self.numbers), type(switch).__name__, self.run.program.site(caller), moment)
            self.states[id(switch)] = state
            if isinstance(switch, torch.set_grad_enabled) and args:
                self.run.emit(GradSet(state.number, bool(args[0]), state.site))
            weakref.finalize(switch, self._dropped, id(switch), state).atexit = False

    def enters(self, switch: Any, args: tuple[Any, ...], caller: FrameType) -> None:
        """A switch is entered, by a `with` of the program, an ExitStack, or by hand."""
        state = self.states.get(id(switch))
        if state is None:
            return
        state.entered += 1
        if self.run.program.owns(caller.f_code):
            site = self.run.program.with_statement(self.run.program.site(caller))
            self.run.emit(SwitchEntered(state.number, site, state.entered - state.left - 1))

    def leaves(self, switch: Any, args: tuple[Any, ...], caller: FrameType) -> None:
        """A switch is left."""
        state = self.states.get(id(switch))
        if state is not None:
            state.left += 1
            self.run.emit(SwitchLeft(state.number, bool(args and args[0] is not None)))

    def called(self, switch: Any, args: tuple[Any, ...], caller: FrameType) -> None:
        """A switch decorates a function."""
        state = self.states.get(id(switch))
        if state is not None:
            state.called = True
        # without parentheses the switch is made in its own `__new__`
        site = self.run.program.site(caller) if self.run.program.owns(caller.f_code) else self.run.here()
        if args and site is not None:
            self.run.emit(Decorated(type(switch).__name__, args[0], site))

    def _dropped(self, key: int, state: State) -> None:
        self.states.pop(key, None)
        frame = self.run.frame()
        # the program has had no event since: the statement that made it has not ended, and nobody kept it
        if frame is not None and state.moment == (id(frame), self.run.clock):
            self.run.emit(SwitchDropped(state.kind, state.site, state.called or state.entered > 0, state.left > 0))
