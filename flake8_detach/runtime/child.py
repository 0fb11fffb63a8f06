"""The process in which programs run: it imports torch, installs the interceptions, runs a program, and writes down what happened.

It is started by `process`, which describes the request. Scenarios, and programs of which there are several, run in forks of this process,
so that torch is imported once and no run sees another's state.
"""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
import signal
import sys
import traceback
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from .drawing import Drawing
from .events import Finished, Warned
from .interceptions import attributes, backprop, functions, layers, lines, modules, optimizers, sinks, switches, training
from .occurrence import INTERRUPTED, Witnessed
from .program import Program
from .run import Run

TORCH = str(Path(torch.__file__).parent)  # a warning that torch gives for its own line is about the program's

class TimeLimit(BaseException):
    """Raised in the program when its time is up. Not an Exception: the program's own handlers are not meant for it."""


Tell = Callable[[str, "str | None", Witnessed], None]


def main(text: str) -> int:
    """Runs what the request asks for; returns the program's exit status, or 0 when each run is apart."""
    request = json.loads(text)
    output, timeout = Path(request["output"]), request["timeout"]

    def tell(path: str, scenario: str | None, witnessed: Witnessed) -> None:
        with output.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"path": path, "scenario": scenario, **witnessed.to_json()}) + "\n")

    if not request["fork"]:
        (job,) = request["jobs"]
        return perform(job["path"], job["args"], job["scenarios"], timeout, tell, fork=False, draw=request["draw"])
    # many small runs, one after the other: more threads only cost
    torch.set_num_threads(1)
    _warm_up()
    for job in request["jobs"]:
        _apart(functools.partial(perform, job["path"], job["args"], job["scenarios"], timeout, tell, fork=True))
    return 0


def perform(path: str, args: list[str], scenarios: list[str] | None, timeout: float, tell: Tell, fork: bool, draw: int = 0) -> int:
    """Runs the whole program, or its module-level code once and each scenario after it; returns the exit status."""
    program = Program(path)
    sys.argv = [path, *args]
    if scenarios is None:
        stage = Stage(program, "__main__")
        drawing = Drawing(stage.run, draw) if draw else None
        witnessed = stage.observe(None, timeout)
        witnessed.picture = drawing.picture(witnessed.occurrences) if drawing is not None else None
        tell(path, None, witnessed)
        return witnessed.status
    stage = Stage(program, Path(path).stem)
    before = stage.observe(None, timeout, finish=False)
    broken = before.error or before.timed_out or before.status
    for scenario in scenarios:
        if broken:
            tell(path, scenario, before)
        elif fork:
            _apart(functools.partial(_perform_one, stage, scenario, timeout, tell))
        else:
            _perform_one(stage, scenario, timeout, tell)
    return 0


def _perform_one(stage: Stage, scenario: str, timeout: float, tell: Tell) -> None:
    tell(stage.run.program.path, scenario, stage.observe(scenario, timeout))


def _apart(work: Callable[[], object]) -> None:
    """Does `work` in a copy of this process, and waits for its end."""
    child = os.fork()
    if child == 0:
        # the copy must never return into this process's own code
        try:
            work()
        finally:
            sys.stdout.flush()
            _end_children()
            os._exit(0)
    os.waitpid(child, 0)


def _warm_up() -> None:
    # the first optimizer of a process imports much of torch: once here, not once in every fork
    torch.optim.SGD([torch.zeros(1, requires_grad=True)]).zero_grad()


def _end_children() -> None:
    # os._exit runs no exit handlers, so nobody else ends the processes that a scenario left behind
    for process in multiprocessing.active_children():
        process.terminate()


class Stage:
    """The program's module and the run that watches it. `name` is the module's; a process has one Stage, for the interceptions last."""

    def __init__(self, program: Program, name: str) -> None:
        self.run = Run(program)
        self.module = types.ModuleType(name)
        self.module.__file__ = program.path
        sys.modules[name] = self.module
        sys.path[0] = str(Path(program.path).parent)
        for interception in (functions, backprop, modules, layers, optimizers, training, attributes, switches, sinks):
            interception.install(self.run)
        _watch_warnings(self.run)
        lines.install(self.run, name)

    def observe(self, scenario: str | None, timeout: float, finish: bool = True) -> Witnessed:
        """Runs the module-level code, or one function of it, for at most `timeout` seconds; with `finish` nothing more will come."""
        witnessed = Witnessed()
        try:
            _limit(timeout)
            self._execute(scenario)
        except TimeLimit:
            witnessed.timed_out = True
        except SystemExit as stop:
            witnessed.status = _status(stop)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one must not lose what the first has ended
            witnessed.status, witnessed.error = INTERRUPTED, "flake8-detach witness: interrupted\n"
        except BaseException as error:
            # the program's own failure, of any kind: it is shown as Python would have shown it, and told
            witnessed.status, witnessed.error = 1, _traceback(error)
        finally:
            sys.settrace(None)
            _limit(0)
        if finish:
            failed = bool(witnessed.error) or witnessed.timed_out
            with self.run.aside():
                self.run.emit(Finished(failed, self.run.lines.open_at_error if failed else []))
        witnessed.occurrences = self.run.occurrences()
        return witnessed

    def _execute(self, scenario: str | None) -> None:
        program = self.run.program
        code = compile(program.source, program.path, "exec", dont_inherit=True) if scenario is None else None
        sys.settrace(self.run.lines.begins)
        if code is not None:
            exec(code, self.module.__dict__)
        else:
            self.module.__dict__[str(scenario)]()
        sys.settrace(None)


def _status(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code
    print(stop.code, file=sys.stderr)
    return 1


def _traceback(error: BaseException) -> str:
    """The text that Python would have shown, without the frames of this package; a failure of this package keeps them."""
    seen = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = seen
    while part is not None:
        if not any(_is_ours(frame.filename) and not _lets_through(frame.filename) for frame in part.stack):
            part.stack = traceback.StackSummary.from_list([f for f in part.stack if not _is_ours(f.filename)])
        part = part.__cause__ or part.__context__
    return "".join(seen.format())


def _is_ours(filename: str) -> bool:
    return filename.startswith(str(Path(__file__).parent))


def _lets_through(filename: str) -> bool:
    """Whether code of the program can run on top of this file's: that of the wrappers, not that of witnesses and of the line tracer."""
    return filename == __file__ or Path(filename).parent.name == "interceptions" and Path(filename).name != "lines.py"


def _limit(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _time_is_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _time_is_up(number: int, frame: object) -> None:
    raise TimeLimit


def _watch_warnings(run: Run) -> None:
    original = warnings.showwarning

    def showwarning(message: Any, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
        site = run.here() if filename.startswith(TORCH) else None
        if filename == run.program.path or site is not None:
            run.emit(Warned(str(message), lineno if site is None else site.line))
        original(message, category, filename, lineno, file, line)

    warnings.showwarning = showwarning

