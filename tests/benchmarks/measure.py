"""What a process costs: its CPU seconds and its peak memory, as the kernel counts them.

Here: starting a process and asking what it used. Not here: what is compared. A process inherits the peak memory of the one it is started from,
so that every process is started from a small one: this file, run as a script. `python measure.py LIMIT COMMAND...` prints a Cost as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ENVIRONMENT = {
    **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT") if name in os.environ},
    "PYTHONHASHSEED": "0",
}
"""What a measured process sees: nothing that makes Python or flake8 find more than is installed in their environment."""


MEMORY = 6 * 2**30
"""Bytes of address space past which a measured process gets no more."""


class Cost(NamedTuple):
    """CPU seconds of a process with those it waited for, its peak memory in MiB, and what it printed."""

    user: float
    system: float
    peak: float
    status: int
    output: str

    @property
    def cpu(self) -> float:
        return self.user + self.system


def together(costs: Sequence[Cost]) -> Cost:
    """Of processes that ran one after another: the sum of their times and of what they printed, the most of memory and status."""
    output = "".join(c.output for c in costs)
    return Cost(sum(c.user for c in costs), sum(c.system for c in costs), max(c.peak for c in costs), max(c.status for c in costs), output)


class Killed(Exception):
    """The process used up its CPU seconds, or was ended by another signal."""


class Failed(Exception):
    """The process ended with a status that says it did not do its work."""


def cost(command: Sequence[str | Path], limit: int = 3600, accept: Sequence[int] = (0, 1)) -> Cost:
    """Run a command to its end. Raises Killed past `limit` CPU seconds, Failed at a status that is not to be accepted."""
    words = [sys.executable, "-I", "-S", __file__, str(limit), *map(str, command)]
    run = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    used = Cost(*json.loads(run.stdout))
    if used.status < 0:
        raise Killed(f"{signal.Signals(-used.status).name} after {used.cpu:.0f} s of CPU: {' '.join(words[5:9])}")
    if used.status not in accept:
        raise Failed(f"status {used.status} of {' '.join(words[5:9])} ...\n{run.stderr[-2000:]}{used.output[-500:]}")
    return used


def _bound(limit: int) -> None:
    """What a process may use at most, so that one that explodes does not take the machine with it."""
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def main(limit: int, command: Sequence[str]) -> None:
    """The small process: starts the command, waits for it, tells what it used."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, preexec_fn=lambda: _bound(limit))
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps(Cost(used.ru_utime, used.ru_stime, used.ru_maxrss * unit / 2**20, process.returncode, text)))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
