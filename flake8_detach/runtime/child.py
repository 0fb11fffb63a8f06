"""The process in which the program runs: it imports torch, installs the interceptions, runs the program, and writes down what happened.

It is started by `process`, with one JSON argument: the program, its arguments, the scenarios to run (null for the whole program), the time limit, and
the file that receives one line of JSON per run. Scenarios run in forks of this process, so that torch is imported once and no run sees another's state.
"""

from __future__ import annotations

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

from .events import Finished, Warned
from .interceptions import attributes, backprop, functions, lines, modules, optimizers, sinks, switches
from .occurrence import Witnessed
from .program import Program
from .run import Run


class TimeLimit(BaseException):
    """Raised in the program when its time is up. Not an Exception: the program's own handlers are not meant for it."""


def main(request: dict[str, Any]) -> int:
    """Runs what `request` asks for; returns the program's exit status, or 0 after scenarios."""
    program = Program(request["path"])
    torch.set_num_threads(1)
    output, timeout = Path(request["output"]), request["timeout"]
    if request["scenarios"] is None:
        sys.argv = [request["path"], *request["args"]]
        witnessed = Stage(program, "__main__").observe(None, timeout)
        _write(output, None, witnessed)
        return witnessed.status
    perform(program, request["scenarios"], timeout, lambda scenario, witnessed: _write(output, scenario, witnessed))
    return 0


def perform(program: Program, scenarios: list[str], timeout: float, tell: Callable[[str, Witnessed], None]) -> None:
    """Runs the module-level code once, and each scenario in a fork of the process as it was then."""
    _warm_up()
    stage = Stage(program, Path(program.path).stem)
    before = stage.observe(None, timeout, finish=False)
    for scenario in scenarios:
        if before.error or before.timed_out or before.status:
            tell(scenario, before)
            continue
        child = os.fork()
        if child == 0:
            # the fork must never return into this process's own code
            try:
                tell(scenario, stage.observe(scenario, timeout))
            finally:
                sys.stdout.flush()
                _end_children()
                os._exit(0)
        os.waitpid(child, 0)


def _end_children() -> None:
    # os._exit runs no exit handlers, so nobody else ends the processes that a scenario left behind
    for process in multiprocessing.active_children():
        process.terminate()


def _warm_up() -> None:
    # the first optimizer of a process imports much of torch: once here, not once in every fork
    torch.optim.SGD([torch.zeros(1, requires_grad=True)]).zero_grad()


def _write(output: Path, scenario: str | None, witnessed: Witnessed) -> None:
    with output.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"scenario": scenario, **witnessed.to_json()}) + "\n")


class Stage:
    """The program's module and the run that watches it. `name` is the module's; a process has one Stage, for the interceptions last."""

    def __init__(self, program: Program, name: str) -> None:
        self.run = Run(program)
        self.module = types.ModuleType(name)
        self.module.__file__ = program.path
        sys.modules[name] = self.module
        sys.path.insert(0, str(Path(program.path).parent))
        for interception in (functions, backprop, modules, optimizers, attributes, switches, sinks):
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
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def _limit(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _time_is_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _time_is_up(number: int, frame: object) -> None:
    raise TimeLimit


def _watch_warnings(run: Run) -> None:
    original = warnings.showwarning

    def showwarning(message: Any, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
        if filename == run.program.path:
            run.emit(Warned(str(message), lineno))
        original(message, category, filename, lineno, file, line)

    warnings.showwarning = showwarning


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
