"""The process in which the program runs: it imports torch, installs the interceptions, runs the program, and writes down what happened.

It is started by `process`, with one JSON argument: the program, its arguments, the scenarios to run (null for the whole program), the time limit, and
the file that receives one line of JSON per run. Scenarios run in forks of this process, so that torch is imported once and no run sees another's state.
"""

from __future__ import annotations

import json
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
    output = Path(request["output"])
    if request["scenarios"] is None:
        sys.argv = [request["path"], *request["args"]]
        witnessed = observe(program, None, request["timeout"])
        _write(output, None, witnessed)
        return witnessed.status
    for scenario in request["scenarios"]:
        _in_a_fork(program, scenario, request["timeout"], output)
    return 0


def _in_a_fork(program: Program, scenario: str, timeout: float, output: Path) -> None:
    child = os.fork()
    if child == 0:
        # the fork must never return into this process's own code
        try:
            _write(output, scenario, observe(program, scenario, timeout))
        finally:
            sys.stdout.flush()
            os._exit(0)
    os.waitpid(child, 0)


def _write(output: Path, scenario: str | None, witnessed: Witnessed) -> None:
    with output.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"scenario": scenario, **witnessed.to_json()}) + "\n")


def observe(program: Program, scenario: str | None, timeout: float) -> Witnessed:
    """Runs the program under all interceptions, or its module-level code and then one function of it; at most `timeout` seconds."""
    name = "__main__" if scenario is None else Path(program.path).stem
    module = types.ModuleType(name)
    module.__file__ = program.path
    sys.modules[name] = module
    sys.path.insert(0, str(Path(program.path).parent))
    run = Run(program)
    for interception in (functions, backprop, modules, optimizers, attributes, switches, sinks):
        interception.install(run)
    _watch_warnings(run)
    witnessed = Witnessed()
    _limit(timeout)
    try:
        _execute(run, module, scenario)
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
    with run.aside():
        run.emit(Finished())
    witnessed.occurrences = run.occurrences()
    return witnessed


def _execute(run: Run, module: types.ModuleType, scenario: str | None) -> None:
    code = compile(run.program.source, run.program.path, "exec", dont_inherit=True)
    lines.install(run, module.__name__)
    exec(code, module.__dict__)
    if scenario is not None:
        function: Callable[[], object] = module.__dict__[scenario]
        function()
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
