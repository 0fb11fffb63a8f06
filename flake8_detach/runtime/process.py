"""Starts the process in which a program runs, limits its time, and reads what it wrote. Imports no torch: the caller need not have it."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .occurrence import Witnessed

GRACE = 15.0  # seconds beyond the limit for importing torch and for writing down what happened


class TorchMissing(RuntimeError):
    """PyTorch is not installed in this Python."""


def run_program(path: str, args: Sequence[str], timeout: float) -> Witnessed:
    """Runs the whole program, its standard streams passed through.

    Raises TorchMissing, OSError when the file cannot be read, SyntaxError or UnicodeDecodeError when it is no Python.
    """
    ast.parse(Path(path).read_bytes(), path)
    found, status = _start(path, args, None, timeout, quiet=False)
    return found.get(None, Witnessed(status=status, error=f"the process ended with status {status}"))


def run_scenarios(path: str, scenarios: Sequence[str], timeout: float) -> dict[str, Witnessed]:
    """Runs the module-level code and then one of the `scenarios` at a time, each afresh and silent; `timeout` is for each. Raises as run_program."""
    ast.parse(Path(path).read_bytes(), path)
    found, status = _start(path, (), scenarios, timeout, quiet=True)
    lost = f"the process ended with status {status} before it could say what happened"
    return {name: found.get(name, Witnessed(status=status, error=lost)) for name in scenarios}


def _start(
    path: str, args: Sequence[str], scenarios: Sequence[str] | None, timeout: float, quiet: bool
) -> tuple[dict[str | None, Witnessed], int]:
    if importlib.util.find_spec("torch") is None:
        raise TorchMissing("PyTorch is not installed: pip install 'flake8-detach[runtime]'")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "witnessed.jsonl"
        request = {"path": str(Path(path).resolve()), "args": list(args), "scenarios": scenarios, "timeout": timeout, "output": str(output)}
        command = [sys.executable, "-m", f"{__package__}.child", json.dumps(request)]
        status = _call(command, timeout * len(scenarios or [""]) + GRACE, quiet)
        return _read(output), status


def _call(command: list[str], timeout: float, quiet: bool) -> int:
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    silence = subprocess.DEVNULL if quiet else None
    try:
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, timeout=timeout, stdout=silence, stderr=silence, check=False)
    except subprocess.TimeoutExpired:
        # it did not even react to its own alarm: whatever it wrote until now stands
        return -1
    return done.returncode


def _read(output: Path) -> dict[str | None, Witnessed]:
    if not output.exists():
        return {}
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    return {row.pop("scenario"): Witnessed.from_json(row) for row in rows}
