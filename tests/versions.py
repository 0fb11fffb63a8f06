"""What happens when the fixtures run under another release of PyTorch, compared with the one that is installed here.

    python tests/versions.py --torch 2.8.0                            makes an environment with that release, and prints the differences
    python tests/versions.py --torch 2.1.2 --index-url https://download.pytorch.org/whl/cpu    the same, without the libraries of CUDA
    python tests/versions.py --python /usr/bin/python3.11             an environment that has its torch already

Here: the environment, one run of every witness under each release, and the comparison. Not here: what the marks of the fixtures say (test_runtime
holds the installed release to them). A difference is no failure: rules say in their docstrings where releases differ.
The witnesses need torch 2.3 (`torch.amp.GradScaler`, hooks of optimizers and modules); an older one is refused with the name it lacks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
CPU: Final = "https://download.pytorch.org/whl/cpu"
NEEDED: Final = ("matplotlib", "pandas", "tensorboard", "tqdm")
"""What the fixtures import, beside torch and NumPy."""
RUN: Final = "--run"

Happened = dict[str, list[str]]
"""File and scenario -> what happened: "line code", and the last line of an exception."""


def happened() -> Happened:
    """Every scenario and program of the fixtures, run under the torch of this Python."""
    import markers
    from flake8_detach import runtime

    found: Happened = {}
    for path in markers.RULES:
        ran = runtime.scenarios(str(path), [scenario.name for scenario in markers.scenarios(path)])
        found |= {f"{path.name} {name}": _told(witnessed) for name, witnessed in ran.items()}
    programs = runtime.programs([str(path) for path in markers.PROGRAMS])
    return found | {Path(path).name: _told(witnessed) for path, witnessed in programs.items()}


def _told(witnessed: object) -> list[str]:
    occurrences = sorted({(o.line, o.code) for o in witnessed.occurrences})  # type: ignore[attr-defined]
    error = str(witnessed.error)  # type: ignore[attr-defined]
    last = [line for line in error.splitlines() if line and not line.startswith(" ")][-1:]
    return [*(f"line {line} {code}" for line, code in occurrences), *(f"raises {line[:150]}" for line in last)]


def under(python: str) -> tuple[str, Happened]:
    """The release of torch of another Python, and what happens there. Raises CalledProcessError, whose output tells why it did not run."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    done = subprocess.run([python, str(Path(__file__)), RUN], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    version, found = json.loads(done.stdout.splitlines()[-1])
    return version, found


def environment(release: str, index: str | None) -> str:
    """The Python of an environment with this release of torch, made where it isn't there yet. Raises CalledProcessError where pip can't."""
    home = ROOT / ".venvs" / f"torch-{release}"
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (home / "complete").exists():
        venv.create(home, with_pip=True, clear=True)
        extra = ("--index-url", index, "--extra-index-url", "https://pypi.org/simple") if index else ()
        old = tuple(int(part) for part in release.split(".")[:2]) < (2, 3)  # compiled for NumPy 1
        subprocess.run([python, "-m", "pip", "install", "-q", f"torch=={release}", "numpy<2" if old else "numpy", *NEEDED, *extra], check=True)
        (home / "complete").touch()
    return str(python)


def differences(here: Happened, there: Happened, names: tuple[str, str]) -> list[str]:
    """One line for each thing that happens under one of them only."""
    out = []
    for place in sorted({*here, *there}):
        left, right = set(here.get(place, ["not run"])), set(there.get(place, ["not run"]))
        for name, only in ((names[0], left - right), (names[1], right - left)):
            out += [f"{place}: only on {name}: {thing}" for thing in sorted(only)]
    return out


def main(arguments: list[str]) -> int:
    """The command. 2: the other environment could not be made or did not run."""
    parser = argparse.ArgumentParser(description="Runs the witnesses on the fixtures under another release of PyTorch and prints the differences.")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--torch", metavar="RELEASE", help="the other release, such as 2.8.0")
    which.add_argument("--python", metavar="PATH", help="a Python that has another release")
    which.add_argument(RUN, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--index-url", metavar="URL", help=f"where to get torch from; {CPU} has builds for the CPU alone")
    given = parser.parse_args(arguments)
    if given.run:
        import torch

        from flake8_detach.runtime import child  # noqa: F401 - fails here and not in every run, where this torch lacks something

        print(json.dumps((torch.__version__, happened())))
        return 0
    try:
        version, there = under(given.python or environment(given.torch, given.index_url))
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"versions.py: {error}", file=sys.stderr)
        return 2
    mine, here = under(sys.executable)
    found = differences(here, there, (mine, version))
    print("\n".join([*found, f"{len(here)} runs on torch {mine} and on {version}: {len(found)} differences"]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
