"""Watches the program line by line, by sys.settrace: functions that begin and return, iterations that end, exceptions, and what each line stored.

Only frames of the program's own file are traced. An iteration ends when the loop's header runs again or the loop is left.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

import torch

from ..events import Activation, Comprehended, Held, IterationEnd, Raised, Returned, Round
from ..graph import node_of, now, number, reaches_leaf
from ..program import Loop
from ..reach import Reach, Variable
from ..run import Run
from .functions import live_in

RESUMABLE = 0x20 | 0x80 | 0x100 | 0x200  # inspect.CO_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR
COMPREHENSIONS = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})
RETURNED = "what it returned"
EARLY, SELDOM = 48, 32  # every one of a loop's first iterations is surveyed, later every SELDOM-th


def install(run: Run, module: str) -> None:
    """Makes ready to trace the program, whose module is called `module`: `sys.settrace(run.lines.begins)` begins it."""
    run.lines = Lines(run, module)


class Lines:
    """The running functions and where they stand. `position` is the line that ran last: what changed since was its doing."""

    def __init__(self, run: Run, module: str) -> None:
        self.run = run
        self.reach = Reach(module)
        self.frames: list[FrameType] = []
        self.suspended: dict[int, tuple[object, Activation]] = {}
        self.position = 0
        self.surveys: dict[Loop, int] = {}
        self.error: BaseException | None = None
        self.open_at_error: list[Activation] = []

    def begins(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any] | None:
        """The tracer of new frames."""
        if self.run.busy or not self.run.program.owns(frame.f_code):
            return None
        if event == "call":
            self._called(frame)
        return self.goes_on

    def goes_on(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any]:
        """The tracer of the program's frames."""
        if self.run.busy:
            return self.goes_on
        self.run.clock += 1
        with self.run.aside():
            if event == "line":
                self._line(frame)
            elif event == "return":
                self._returned(frame, arg)
            elif event == "exception":
                self._raised(frame, arg[1], arg[2])
        return self.goes_on

    def _called(self, frame: FrameType) -> None:
        code = frame.f_code
        earlier = self.suspended.get(id(frame))
        if earlier is not None and earlier[0] is code:
            activation = earlier[1]
        else:
            activation = Activation(code.co_name, id(frame), frame.f_lineno, self._inside_model(frame), code.co_argcount, now())
        self.run.stack.append(activation)
        self.frames.append(frame)
        self.position = frame.f_lineno

    def _inside_model(self, frame: FrameType) -> bool:
        if self.run.stack and self.run.stack[-1].inside_model or self.run.open_modules:
            return True
        names = frame.f_code.co_varnames
        return frame.f_code.co_name == "forward" and bool(names) and isinstance(frame.f_locals.get(names[0]), torch.nn.Module)

    def _line(self, frame: FrameType) -> None:
        self._unwind(frame)
        if not self.frames:
            return
        activation = self.run.stack[-1]
        self._look(frame, activation)
        self._loops(activation, frame)
        if frame.f_lineno not in (self.run.program.comprehension(activation.line) or ()):
            activation.statement = now()
        activation.line = self.position = frame.f_lineno

    def _unwind(self, frame: FrameType) -> None:
        # a generator that was closed, or a frame whose return went unseen under one of our own asides
        while self.frames and self.frames[-1] is not frame and frame in self.frames:
            self.frames.pop()
            self.run.stack.pop()

    def _returned(self, frame: FrameType, value: Any) -> None:
        self._unwind(frame)
        if not self.frames or self.frames[-1] is not frame:
            return
        self._look(frame, self.run.stack[-1], value)
        activation = self.run.stack.pop()
        self.frames.pop()
        if frame.f_code.co_flags & RESUMABLE:
            self.suspended[id(frame)] = (frame.f_code, activation)
        if self.frames:
            self.position = self.frames[-1].f_lineno
            self.run.emit(Returned(activation, list(live_in((value,)))))

    def _raised(self, frame: FrameType, error: BaseException, traceback: TracebackType) -> None:
        # it passes through every frame on its way out: only the innermost one of the program is where it happened
        if error is not self.error:
            self.error, self.open_at_error = error, list(self.run.stack)
            self.run.emit(Raised(error, traceback, frame, self.run.program.site(frame)))

    def _variables(self, frame: FrameType, inside: bool) -> Iterator[Variable]:
        code = frame.f_code
        if frame.f_locals is frame.f_globals:
            yield from (Variable(id(frame.f_globals), n, v, inside) for n, v in list(frame.f_globals.items()) if n[:2] != "__")
            return
        free = set(code.co_freevars)
        for name, value in list(frame.f_locals.items()):
            owner = self._owner(frame, name) if name in free else id(frame)
            yield Variable(owner, name, value, inside)

    def _owner(self, frame: FrameType, name: str) -> int:
        # a closure's variable belongs to the function that made it, when that function still runs
        for outer in reversed(self.frames):
            if name in outer.f_code.co_cellvars:
                return id(outer)
        return id(frame)

    def _globals(self, frame: FrameType) -> Iterator[Variable]:
        if frame.f_locals is not frame.f_globals:
            for name in frame.f_code.co_names:
                if name in frame.f_globals:
                    yield Variable(id(frame.f_globals), name, frame.f_globals[name], False)

    def _look(self, frame: FrameType, activation: Activation, value: Any = None) -> None:
        variables = [*self._globals(frame), *self._variables(frame, activation.inside_model)]
        if value is not None and frame.f_code.co_name not in COMPREHENSIONS:
            # what is handed out has a road too, though no name yet
            variables.append(Variable(id(frame), RETURNED, value, activation.inside_model))
        new = self.reach.look(variables, self.position, self.run.clock)
        statement = self.run.program.comprehension(self.position)
        if statement is not None and frame.f_code.co_name not in COMPREHENSIONS:
            for container in new:
                self._comprehended(container, activation, statement.start)

    def _comprehended(self, container: Any, activation: Activation, line: int) -> None:
        since = activation.statement
        nodes = [node for tensor in live_in((container,)) if (node := node_of(tensor)) is not None]
        numbers = [number(node) for node in nodes if number(node) >= since and reaches_leaf(node, since)]
        if len(set(numbers)) > 1:
            self.run.emit(Comprehended(line, numbers, activation.inside_model))

    def everything(self) -> list[Variable]:
        """All variables of the program, outermost function first."""
        found: list[Variable] = []
        for frame, activation in zip(self.frames, self.run.stack):
            found.extend(self._globals(frame))
            found.extend(self._variables(frame, activation.inside_model))
        return found

    def variable_holds(self, owner: int, name: object, tensor: torch.Tensor) -> bool:
        """Whether the variable still holds `tensor`, by itself or in a list, tuple or dict."""
        for frame in self.frames:
            if owner in (id(frame), id(frame.f_globals) if frame.f_locals is frame.f_globals else 0):
                return any(t is tensor for t in live_in((frame.f_locals.get(str(name)),)))
        return False

    def _loops(self, activation: Activation, frame: FrameType) -> None:
        line, rounds = frame.f_lineno, activation.rounds
        while rounds and not rounds[-1].loop.holds(line):
            self._iteration_ends(activation, rounds[-1])
            rounds.pop()
        for loop in self.run.program.loops_of(frame.f_code):
            if not loop.header(line):
                continue
            running = next((r for r in rounds if r.loop == loop), None)
            if running is None:
                rounds.append(Round(loop, self.run.clock, now()))
                self._survey(rounds[-1])
            elif not loop.header(activation.line) or loop.first == loop.last:
                self._iteration_ends(activation, running)

    def _iteration_ends(self, activation: Activation, round_: Round) -> None:
        held = self._survey(round_)
        if held is not None:
            self.run.emit(IterationEnd(activation, round_, held, self._first_seen))
        round_.start, round_.first, round_.turns = self.run.clock, now(), round_.turns + 1

    def _first_seen(self, holder: int) -> int:
        return self.reach.first_seen.get(holder, self.run.clock)

    def _survey(self, round_: Round) -> list[Held] | None:
        count = self.surveys[round_.loop] = self.surveys.get(round_.loop, 0) + 1
        if count > EARLY and count % SELDOM:
            return None
        return self.reach.survey(self.everything(), round_.start, self.position, self.run.clock)
