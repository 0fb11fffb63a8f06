"""Interruption: `fix` is killed, stopped and starved in a folder of programs, and the folder is judged.

What lives here: the folder, the moments, and what may be left of it. What must not: how an end is brought about (doomed.py).
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from trial import TRAINING

DOOMED = Path(__file__).with_name("doomed.py")
FIX = ("fix", "--isolated", "--unsafe")
OURS = re.compile(r"\.flake8-detach-[0-9a-f]+\.tmp")
FILES = 10
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")
"""Before a command: permissions hold for root too, of whom they would not be asked."""
KILLS = ("kill at a moment", "kill at a step")
STARVING = ("stop at a step", "stop after seconds", "memory", "full disk", "read-only")
LARGEST_LIMIT = 120
"""Megabytes beyond what is taken at the start, with which `fix` comes through."""


def programs() -> dict[str, bytes]:
    """Small programs with findings to fix, of several encodings and line ends, and one with none."""
    texts = {f"p{number}.py": f"# program {number}\n{TRAINING}".encode() for number in range(FILES - 3)}
    odd = "# coding: latin-1\nname = 'é'\n" + TRAINING
    return {**texts, "latin.py": odd.encode("latin-1"), "returns.py": TRAINING.replace("\n", "\r\n").encode(), "clean.py": b"import torch\n"}


class End(NamedTuple):
    """What became of a process and of its folder."""

    status: int
    errors: str
    contents: dict[str, bytes]
    modes: set[int]


class Interruption:
    """The folder, before and after an undisturbed run; `steps` and `seconds` are what that takes."""

    def __init__(self) -> None:
        self.old = programs()
        began = time.monotonic()
        whole = self.run([sys.executable, "-m", "flake8_detach"])
        self.seconds = time.monotonic() - began
        self.new = whole.contents
        self.changed = [name for name in self.old if self.old[name] != self.new.get(name)]
        self.whole = whole
        self.steps = int(self.run([sys.executable, str(DOOMED), "count", "0"]).errors.splitlines()[-1])
        self.seen: Counter[str] = Counter()

    def run(self, start: Sequence[str], killed_after: float | None = None, read_only: bool = False) -> End:
        """One command in a fresh folder."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "programs")
            folder.mkdir()
            for path, data in self.old.items():
                (folder / path).write_bytes(data)
                (folder / path).chmod(0o444 if read_only else 0o640)
            folder.chmod(0o555 if read_only else 0o755)
            process = subprocess.Popen([*start, *FIX, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                _, errors = process.communicate(timeout=killed_after)
            except subprocess.TimeoutExpired:
                process.kill()
                _, errors = process.communicate()
            folder.chmod(0o755)
            files = list(folder.iterdir())
            return End(process.returncode, errors, {one.name: one.read_bytes() for one in files}, {one.stat().st_mode & 0o777 for one in files})

    def try_one(self, kind: str, chance: random.Random) -> tuple[str, str]:
        """The moment, and what is wrong after it, "" for nothing."""
        if kind == "kill at a moment":
            moment = chance.uniform(0, 1.1 * self.seconds)
            return f"{moment:.3f} s", self.wrong(kind, self.run([sys.executable, "-m", "flake8_detach"], killed_after=moment))
        if kind == "read-only":
            before = UNPRIVILEGED if os.geteuid() == 0 else ()
            return kind, self.wrong(kind, self.run([*before, sys.executable, "-m", "flake8_detach"], read_only=True))
        word, value = {
            "kill at a step": ("kill", float(chance.randint(1, self.steps))),
            "stop at a step": ("stop", float(chance.randint(1, self.steps))),
            "stop after seconds": ("after", chance.uniform(0, self.seconds)),
            "memory": ("memory", chance.uniform(1, LARGEST_LIMIT)),
            "full disk": ("full", float(chance.randint(0, max(map(len, self.new.values()))))),
        }[kind]
        return f"{word} {value:.3f}", self.wrong(kind, self.run([sys.executable, str(DOOMED), word, str(value)]))

    def wrong(self, kind: str, end: End) -> str:
        """What should not be so. Every file is old or new; a temporary file stays only after a kill, under a name that is no program's."""
        kill = kind in KILLS
        mixed = [name for name in self.old if end.contents.get(name) not in (self.old[name], self.new[name])]
        others = [name for name in end.contents if name not in self.old]
        self.seen[f"{kind}: {self.state(end, bool(others))}"] += 1
        if mixed:
            return f"{len(mixed)} files are neither old nor new"
        if any(not OURS.fullmatch(name) for name in others) or others and not kill:
            return f"files are left: {others}"
        if not end.modes <= ({0o640, 0o600} if kill else {0o640, 0o444}):
            return f"other permissions: {sorted(map(oct, end.modes))}"
        return "" if kill else self.badly_told(end)

    def state(self, end: End, leftover: bool) -> str:
        done = sum(end.contents.get(name) == self.new[name] for name in self.changed)
        word = "all" if done == len(self.changed) else "some" if done else "none"
        return f"{word} replaced{', a temporary file left' if leftover else ''}"

    def badly_told(self, end: End) -> str:
        """How an end is told: in lines of ours, and by a status."""
        lines = end.errors.splitlines()
        if "Traceback" in end.errors:
            return f"a traceback: {lines[-1]}"
        done = all(end.contents[name] == self.new[name] for name in self.old)
        if not done and not any(line.startswith("flake8-detach fix: ") for line in lines):
            return f"no message: status {end.status}, {lines[-1:]}"
        return "" if end.status in (self.whole.status, 2, 130) else f"status {end.status}: {lines[-1:]}"
