"""Starts the process in which programs run, limits its time, and reads what it wrote. Imports no torch: the caller need not have it.

The process is described to `child` by one JSON text: the `jobs` (a path, its arguments, its scenarios or null), the time limit, whether to
`fork` for each run, the line to `draw` or 0, and the file that receives one line of JSON per run.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .occurrence import INTERRUPTED, Witnessed

GRACE = 30.0  # seconds beyond the limit for importing torch and for writing down what happened
PATIENCE = 5.0  # seconds that an interrupted program has for writing it down, after the first interrupt and again after the second
START = "import sys; sys.path[0] = {root!r}; from {package}.start import main; sys.exit(main(sys.argv[1]))"

Job = tuple[str, Sequence[str], "Sequence[str] | None"]
Found = dict[tuple[str, "str | None"], Witnessed]


class TorchMissing(RuntimeError):
    """PyTorch is not installed in this Python."""


def run_program(path: str, args: Sequence[str], timeout: float, draw: int = 0) -> Witnessed:
    """Runs the whole program, its standard streams passed through, and draws the graph of the line `draw`, if that is not 0.

    Raises TorchMissing, OSError when the file cannot be read, SyntaxError or UnicodeDecodeError when it is no Python.
    """
    return _start([(path, args, None)], timeout, apart=False, draw=draw)[path, None]


def run_programs(paths: Iterable[str], timeout: float) -> dict[str, Witnessed]:
    """Runs whole programs one after the other, silently, each afresh; `timeout` is for each. Raises as run_program."""
    return {path: witnessed for (path, _), witnessed in _start([(path, (), None) for path in paths], timeout, apart=True).items()}


def run_scenarios(path: str, scenarios: Sequence[str], timeout: float) -> dict[str, Witnessed]:
    """Runs the module-level code, and each of the `scenarios` in a copy of the process as it is then, silently. Raises as run_program."""
    found = _start([(path, (), scenarios)], timeout, apart=True)
    return {scenario: found[path, scenario] for scenario in scenarios}


def run_files(wanted: Mapping[str, Sequence[str] | None], timeout: float) -> Found:
    """Runs programs, or scenarios of files, silently, each afresh; `timeout` is for each. Raises as run_program."""
    return _start([(path, (), names) for path, names in wanted.items()], timeout, apart=True)


def _start(jobs: list[Job], timeout: float, apart: bool, draw: int = 0) -> Found:
    for path, _, _ in jobs:
        ast.parse(Path(path).read_bytes(), path)
    if importlib.util.find_spec("torch") is None:
        raise TorchMissing("PyTorch is not installed: pip install 'flake8-detach[runtime]'")
    if apart and not hasattr(os, "fork"):
        single: list[Job] = [(path, args, names and [name]) for path, args, names in jobs for name in names or [""]]
        return {key: witnessed for job in single for key, witnessed in _call([job], timeout, fork=False, quiet=True).items()}
    return _call(jobs, timeout, fork=apart, quiet=apart, draw=draw)


def _call(jobs: list[Job], timeout: float, fork: bool, quiet: bool, draw: int = 0) -> Found:
    runs = [(path, name) for path, _, names in jobs for name in (names if names is not None else [None])]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "witnessed.jsonl"
        described = [{"path": str(Path(path).resolve()), "args": list(args), "scenarios": names} for path, args, names in jobs]
        request = json.dumps({"jobs": described, "timeout": timeout, "fork": fork, "output": str(output), "draw": draw})
        status = _run(request, timeout * (len(runs) + len(jobs)) + GRACE, quiet)
        told = _read(output)
    return {(path, name): told.get((str(Path(path).resolve()), name), _lost(status)) for path, name in runs}


def _run(request: str, limit: float, quiet: bool) -> int | None:
    """The exit status, None if the process had to be killed."""
    start = START.format(root=str(Path(__file__).parents[2]), package=__package__)
    silence = subprocess.DEVNULL if quiet else None
    try:
        process = subprocess.Popen([sys.executable, "-c", start, request], stdout=silence, stderr=silence)
        return _waited(process, limit, quiet)
    except subprocess.TimeoutExpired:
        # it did not even react to its own alarm: what it wrote until now stands
        return None


def _waited(process: subprocess.Popen[bytes], limit: float, quiet: bool) -> int:
    """The exit status. A program that is shown may write down what happened until an interrupt, which the terminal has sent it too."""
    with process:
        try:
            return process.wait(limit)
        except KeyboardInterrupt:
            if quiet:
                raise
            _patiently(process)
            return INTERRUPTED
        finally:
            process.kill()


def _patiently(process: subprocess.Popen[bytes]) -> None:
    """Waits for the end of an interrupted program, and interrupts it once more: Python sleeps through what comes just as it begins to wait."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    if process.returncode is None and os.name == "posix":
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)


def _lost(status: int | None) -> Witnessed:
    if status == INTERRUPTED:
        return Witnessed(status=status, error="flake8-detach witness: interrupted\n")
    if status is None:
        return Witnessed(status=1, error="the process was killed: it did not react to its time limit\n", timed_out=True)
    return Witnessed(status=status, error=f"the process ended with status {status} before it could say what happened\n")


def _read(output: Path) -> Found:
    if not output.exists():
        return {}
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    return {(row.pop("path"), row.pop("scenario")): Witnessed.from_json(row) for row in rows}
