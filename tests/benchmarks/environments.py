"""The environments that are compared: one virtual environment for each tool, so that no tool pays for another's imports.

Here: what each holds, how it is built, and the command that lints files in it. Not here: what a run costs. The environments are built once and
kept in a cache folder; only the package of this checkout is installed anew at every start of the benchmark, as a user gets it: not editable.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FLAKE8 = "flake8==7.3.0"
LIBCST = "libcst==1.8.6"
"""For our own environment, and for the floor. TorchFix 0.7.0 asks for libcst 1.5 and gets it."""


class Tool(NamedTuple):
    """A tool: its name in the tables, what pip installs for it, and the command to which the files are appended."""

    name: str
    requirements: tuple[str, ...]
    command: tuple[str, ...]
    plugin: str = ""


LINT = ("-m", "flake8", "--isolated", "-j1")
FLOOR = str(Path(__file__).with_name("floor.py"))
OURS, ALONE = "flake8 + flake8-detach", "flake8 alone"
TORCHFIX, PREFLIGHT, PARSE = "flake8 + TorchFix", "torch-preflight", "cst.parse_module"
TOOLS = {
    tool.name: tool
    for tool in (
        Tool(ALONE, (FLAKE8,), LINT),
        Tool(OURS, (FLAKE8, LIBCST), LINT, "flake8-detach"),
        Tool(TORCHFIX, (FLAKE8, "torchfix==0.7.0"), LINT, "TorchFix"),
        Tool(PREFLIGHT, ("torch-preflight==0.5.0",), ("-m", "torch_preflight", "check", "-j", "1", "--no-color", "--quiet")),
        Tool(PARSE, (FLAKE8, LIBCST), (FLOOR,)),
    )
}
PLUGINS = {tool.plugin for tool in TOOLS.values() if tool.plugin}


def python_of(tool: Tool, cache: Path) -> Path:
    """The interpreter of a tool's environment, built if it is not there. Raises CalledProcessError when pip fails."""
    key = hashlib.sha256("\n".join([sys.version, *tool.requirements]).encode()).hexdigest()[:12]
    home = cache / f"environment-{key}-{'own' if tool.name == OURS else 'plain'}"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        _pip(python, *tool.requirements)
        (home / "ready").touch()
    if tool.name == OURS:
        _pip(python, "--no-deps", "--force-reinstall", str(ROOT))
    return python


def _pip(python: Path, *what: str) -> None:
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what], check=True)


def command(tool: Tool, python: Path) -> list[str]:
    """What lints files when they are appended; nothing is found from the current folder or PYTHONPATH."""
    return [str(python), "-I", *tool.command]


def check_plugins(tool: Tool, python: Path) -> str:
    """What a tool says of its version. Raises ValueError when flake8 does not load exactly the plugin it is measured with."""
    if tool.command != LINT:
        return ", ".join(tool.requirements)
    text = _output([*command(tool, python), "--version"])
    if {plugin for plugin in PLUGINS if plugin.lower() in text.lower()} != {tool.plugin} - {""}:
        raise ValueError(f"{tool.name}: flake8 loads {text.strip()}")
    return text.strip().replace("\n", " ")


def _output(words: Sequence[str]) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
