"""Watches the program line by line, by sys.settrace: functions that begin and return, iterations that end, exceptions, and what lines
stored.

Only frames of the program's own file are traced, in the main thread. An iteration ends when the loop's header runs again or the loop is
left.
"""

from __future__ import annotations

import contextlib
import dis
import inspect
import itertools
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, TracebackType
from typing import Any

import torch

from ..events import Activation, Comprehended, Held, IterationEnd, LineRan, Paused, Raised, Returned, Round
from ..graph import node_of, now, number, reaches_leaf
from ..program import Loop
from ..reach import Entry, Reach, Variable
from ..run import Run
from .functions import live_in

RESUMABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE | inspect.CO_ASYNC_GENERATOR
PAUSES = frozenset(dis.opmap[name] for name in ("YIELD_VALUE", "SEND", "YIELD_FROM") if name in dis.opmap)
COMPREHENSIONS = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})  # functions of their own before Python 3.12
RETURNED = "what it returned"
STILL = 64  # a line after which so often in a row neither a live tensor nor a new container was met is followed every SELDOM-th time
EARLY, SELDOM = 48, 32  # a survey follows each of a loop's first iterations, later every SELDOM-th

Tracer = Callable[[FrameType, str, Any], Any]


def install(run: Run, module: str) -> None:
    """Makes ready to trace the program, whose module is called `module`: `sys.settrace(run.lines.begins)` begins it."""
    run.lines = Lines(run, module)


class Lines:
    """The running functions and where they stand. `position` is the line that ran last: what changed since was its doing."""

    def __init__(self, run: Run, module: str) -> None:
        self.run = run
        self.path = run.program.path
        self.guard = torch._C.DisableTorchFunction()  # not aside(): Python itself traces nothing while a tracer runs
        self.reach = Reach(module)
        self.frames: list[FrameType] = []
        self.suspended: dict[int, tuple[CodeType, Activation]] = {}
        self.modes: dict[int, bool] = {}  # resumable frame -> whether gradients were on when it was entered last
        self.position = 0
        self.surveys: dict[Loop, int] = {}
        self.still: dict[tuple[int, bool, bool], int] = {}
        self.open_at_error: list[Activation] = []

    def begins(self, frame: FrameType, event: str, arg: Any) -> Tracer | None:
        """The tracer of new frames. Nearly all are of libraries: this is called for every function of the process."""
        if frame.f_code.co_filename != self.path or self.run.busy:
            return None
        if event == "call":
            self._called(frame)
        return self.goes_on

    def goes_on(self, frame: FrameType, event: str, arg: Any) -> Tracer:
        """The tracer of the program's frames."""
        run = self.run
        if not run.busy:
            run.clock += 1
            run.busy = True
            try:
                with self.guard:
                    if event == "line":
                        self._line(frame)
                    elif event == "return":
                        self._returned(frame, arg)
                    elif event == "exception":
                        self._raised(frame, arg[1], arg[2])
            finally:
                run.busy = False
        return self.goes_on

    def _called(self, frame: FrameType) -> None:
        code = frame.f_code
        known, activation = self.suspended.get(id(frame), (None, None))
        if activation is None or known is not code:
            activation = Activation(code.co_name, frame.f_lineno, self._inside_model(frame), code.co_argcount, now())
        self.run.stack.append(activation)
        self.frames.append(frame)
        if code.co_flags & RESUMABLE:
            self.modes[id(frame)] = torch.is_grad_enabled()
        self.position = frame.f_lineno

    def _inside_model(self, frame: FrameType) -> bool:
        if self.run.open_modules or self.run.stack and self.run.stack[-1].inside_model:
            return True
        names = frame.f_code.co_varnames
        return frame.f_code.co_name == "forward" and bool(names) and isinstance(frame.f_locals.get(names[0]), torch.nn.Module)

    def _line(self, frame: FrameType) -> None:
        if not self._on_top(frame):
            return
        activation = self.run.stack[-1]
        if self.run.drawn == activation.line:
            self.run.emit(LineRan(frame))
        self._look(frame, activation)
        self._loops(activation, frame)
        if frame.f_lineno not in (self.run.program.comprehension(activation.line) or ()):
            activation.statement = now()
        activation.line = self.position = frame.f_lineno

    def _on_top(self, frame: FrameType) -> bool:
        if self.frames and self.frames[-1] is frame:
            return True
        # functions above it were closed from outside, as generators are, and said no goodbye
        if frame in self.frames:
            while self.frames[-1] is not frame:
                self.frames.pop()
                self.run.stack.pop()
        return bool(self.frames) and self.frames[-1] is frame

    def _returned(self, frame: FrameType, value: Any) -> None:
        if not self._on_top(frame):
            return
        if self.run.drawn == self.run.stack[-1].line:
            self.run.emit(LineRan(frame))
        self._look(frame, self.run.stack[-1], value)
        activation = self.run.stack.pop()
        self.frames.pop()
        if frame.f_code.co_flags & RESUMABLE:
            self.suspended[id(frame)] = (frame.f_code, activation)
            self._paused(frame)
        if self.frames:
            self.position = self.frames[-1].f_lineno
        self.run.emit(Returned(activation, list(live_in((value,)))))

    def _paused(self, frame: FrameType) -> None:
        before = self.modes.pop(id(frame), True)
        left_for_good = frame.f_code.co_code[frame.f_lasti] not in PAUSES
        # a context manager is entered to leave the mode changed
        managed = frame.f_back is not None and frame.f_back.f_code.co_filename == contextlib.__file__
        if not left_for_good and not managed:
            self.run.emit(Paused(self.run.program.site(frame), before, torch.is_grad_enabled()))

    def _raised(self, frame: FrameType, error: BaseException, traceback: TracebackType | None) -> None:
        inner = traceback.tb_next if traceback is not None else None
        while inner is not None:
            if self.run.program.owns(inner.tb_frame.f_code):
                # it is on its way out, and was told where it happened
                return
            inner = inner.tb_next
        self.open_at_error = list(self.run.stack)
        self.run.emit(Raised(error, traceback, frame, self.run.program.site(frame)))

    def _look(self, frame: FrameType, activation: Activation, value: Any = None) -> None:
        place = self.position, value is None, torch.is_grad_enabled()
        still = self.still.get(place, 0)
        if still > STILL and still % SELDOM:
            self.still[place] += 1
            activation.begun = True
            return
        variables = list(self._touched(frame, activation))
        apart = frame.f_code.co_name in COMPREHENSIONS
        if value is not None and not apart:
            # what is handed out has a road too, though no name yet
            variables.append(Variable(id(frame), RETURNED, value, activation.inside_model))
        new = self.reach.look(variables, self.position, self.run.clock)
        self.still[place] = 0 if new or self.reach.met_live else still + 1
        statement = self.run.program.comprehension(self.position)
        if statement is not None and not apart:
            for entry in new:
                self._comprehended(entry, activation, statement.start)

    def _touched(self, frame: FrameType, activation: Activation) -> Iterator[Variable]:
        """The variables that the statement before may have changed, or what they hold: those that it names, and all that a function begins with."""
        names = self.run.program.names(self.position)
        if names is None:
            yield from self._globals(frame)
        elif activation.begun and not _is_module(frame):
            held = frame.f_globals
            elsewhere = names & held.keys()
            if elsewhere:
                yield from (Variable(id(held), name, held[name], False) for name in sorted(elsewhere - frame.f_locals.keys()))
        yield from self._variables(frame, activation.inside_model, names if activation.begun else None)
        activation.begun = True

    def _comprehended(self, entry: Entry, activation: Activation, line: int) -> None:
        since = activation.statement
        nodes = [node for tensor in live_in((entry.child,)) if (node := node_of(tensor)) is not None]
        numbers = [number(node) for node in nodes if number(node) >= since and reaches_leaf(node, since)]
        if len(set(numbers)) > 1:
            self.run.emit(Comprehended(line, numbers, activation.inside_model, local=entry.depth == 0))

    def _variables(self, frame: FrameType, inside: bool, names: set[str] | None = None) -> Iterator[Variable]:
        held = frame.f_globals if _is_module(frame) else frame.f_locals
        free = frozenset(frame.f_code.co_freevars)
        for name in list(held) if names is None else sorted(names & held.keys()):
            if name[:2] != "__":
                yield Variable(self._owner(frame, name) if name in free else _scope(frame), name, held[name], inside)

    def _owner(self, frame: FrameType, name: str) -> int:
        # a closure's variable belongs to the function that made it, while that function runs
        return next((id(outer) for outer in reversed(self.frames) if name in outer.f_code.co_cellvars), id(frame))

    @staticmethod
    def _globals(frame: FrameType) -> Iterator[Variable]:
        if not _is_module(frame):
            for name in frame.f_code.co_names:
                if name in frame.f_globals:
                    yield Variable(id(frame.f_globals), name, frame.f_globals[name], False)

    def everything(self) -> list[Variable]:
        """All variables of the running functions, outermost function first."""
        pairs = zip(self.frames, self.run.stack)
        return list(itertools.chain.from_iterable((*self._globals(f), *self._variables(f, a.inside_model)) for f, a in pairs))

    def variable_holds(self, scope: int, name: object, tensor: torch.Tensor) -> bool:
        """Whether the variable still holds `tensor`, by itself or in a list, tuple or dict."""
        frame = next((f for f in self.frames if _scope(f) == scope), None)
        return frame is not None and any(t is tensor for t in live_in((frame.f_locals.get(str(name)),)))

    def _loops(self, activation: Activation, frame: FrameType) -> None:
        line, rounds = frame.f_lineno, activation.rounds
        while rounds and not rounds[-1].loop.holds(line):
            self._iteration_ends(rounds.pop())
        for loop in self.run.program.loops_of(frame.f_code) if line in self.run.program.headers else ():
            if loop.header(line):
                running = next((r for r in rounds if r.loop == loop), None)
                if running is None:
                    rounds.append(Round(loop, self.run.clock, now()))
                    self._survey(rounds[-1])
                elif not loop.header(activation.line) or loop.first == loop.last:
                    self._iteration_ends(running)

    def _iteration_ends(self, round_: Round) -> None:
        held = self._survey(round_)
        if held is not None:
            self.run.emit(IterationEnd(round_, held, lambda holder: self.reach.first_seen.get(holder, self.run.clock)))
        round_.start, round_.first, round_.turns = self.run.clock, now(), round_.turns + 1

    def _survey(self, round_: Round) -> list[Held] | None:
        count = self.surveys[round_.loop] = self.surveys.get(round_.loop, 0) + 1
        if count > EARLY and count % SELDOM:
            return None
        return self.survey(round_.start)

    def survey(self, since: int) -> list[Held]:
        """Every live tensor in reach; roads over variables bound at or before the clock `since` come first."""
        return self.reach.survey(self.everything(), since, self.position, self.run.clock)


def _is_module(frame: FrameType) -> bool:
    return frame.f_code.co_name == "<module>"


def _scope(frame: FrameType) -> int:
    """The identity of the frame's variables: a module's are those that its functions call global."""
    return id(frame.f_globals) if _is_module(frame) else id(frame)
