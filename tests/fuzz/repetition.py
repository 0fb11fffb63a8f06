"""Repetition: the findings of the same files by processes of their own, which share nothing with this one.

What lives here: how such a process is run and what it answered. What must not: the comparison (campaigns.py).
"""

from __future__ import annotations

import collections
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run(command: list[str], seed: str, text: str = "") -> str:
    environment = os.environ | {"PYTHONHASHSEED": seed}
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment, check=False, encoding="utf-8")
    if done.stderr:
        print(done.stderr[-2000:], flush=True)
    return done.stdout


def findings(paths: list[Path], seed: str) -> dict[str, object]:
    """The findings in each file, from a process of its own that reads the files in this order."""
    out = run([sys.executable, str(HERE / "trial.py")], seed, "\n".join(map(str, paths)))
    return {name: (reports, failure) for name, reports, failure in map(json.loads, out.splitlines())}


def flake8(folder: str, jobs: str, seed: str) -> dict[str, object]:
    """The lines of a real flake8 about each file."""
    out = run([sys.executable, "-m", "flake8", "--isolated", "--select=DET,E9", jobs, folder], seed)
    told: dict[str, object] = collections.defaultdict(str)
    for line in out.splitlines():
        name = line.partition(":")[0]
        told[name] = f"{told[name]}{line}\n" if "could not be analysed" not in line else f"{told[name]}{line} {jobs}\n"
    return told
