"""The short profile of the kill campaign, the same every time; and that the campaign sees what is wrong.

What lives here: bad ends of `fix` and of `witness`. What must not: how they are brought about (doomed.py) and judged (interruption.py).
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interruption import DOOMED, End, Interruption

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and signals are those of Linux")

KILLS = 10


@pytest.fixture(scope="module")
def interruption() -> Interruption:
    return Interruption()


@pytest.fixture(autouse=True)
def interrupts_are_heard() -> Iterator[None]:
    """Also where the tests run in the background: a shell makes what it starts there deaf to them, and so is what that starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def doomed(end: str, when: float) -> list[str]:
    return [sys.executable, str(DOOMED), end, str(when)]


def test_every_file_is_old_or_new_after_a_kill(interruption: Interruption) -> None:
    for number in range(KILLS):
        end = interruption.run(doomed("kill", 1 + interruption.steps * number // KILLS))
        assert end.status == -signal.SIGKILL
        assert interruption.wrong("kill at a step", end) == ""
    assert {state for state in interruption.seen if "some replaced" in state}
    assert {state for state in interruption.seen if "temporary file left" in state}


@pytest.mark.parametrize(
    ("end", "when", "status", "message"),
    [
        ("stop", 0.5, 130, "interrupted"),
        ("full", 100, 2, "File too large"),
        ("full", 0, 2, "File too large"),
        ("memory", 2, 2, "memory|cannot be loaded"),  # the first thing that finds no room may be a library that Python loads
        ("memory", 16, 2, "memory|cannot be loaded"),
    ],
)
def test_a_bad_end_is_told_and_leaves_nothing(interruption: Interruption, end: str, when: float, status: int, message: str) -> None:
    ended = interruption.run(doomed(end, int(when * interruption.steps) if end == "stop" else when))
    assert interruption.wrong(end, ended) == ""
    assert (ended.status, bool(re.search(message, ended.errors))) == (status, True), ended.errors


def test_read_only(interruption: Interruption) -> None:
    assert interruption.try_one("read-only", random.Random(1)) == ("read-only", "")


def ends(whole: Interruption) -> Iterator[tuple[End, str]]:
    name, told = whole.changed[0], "flake8-detach fix: interrupted\n"
    yield End(130, told, whole.old, {0o640}), ""
    yield End(130, told, {**whole.old, name: whole.new[name][:50]}, {0o640}), "1 files are neither old nor new"
    yield End(130, told, {k: v for k, v in whole.old.items() if k != name}, {0o640}), "1 files are neither old nor new"
    yield End(130, told, {**whole.old, ".flake8-detach-0f.tmp": b""}, {0o640}), "files are left"
    yield End(130, told, whole.old, {0o640, 0o600}), "other permissions"
    yield End(1, "Traceback (most recent call last):\nKeyboardInterrupt\n", whole.old, {0o640}), "a traceback: KeyboardInterrupt"
    yield End(1, "", whole.old, {0o640}), "no message"
    yield End(-6, told, whole.old, {0o640}), "status -6"


def test_what_is_wrong_is_seen(interruption: Interruption) -> None:
    for end, wrong in ends(interruption):
        found = interruption.wrong("stop at a step", end)
        assert found.startswith(wrong) and bool(found) == bool(wrong)
    torn = End(-9, "", {**interruption.old, "p0.tmp.py": b""}, {0o640})
    assert interruption.wrong("kill at a step", torn) == "files are left: ['p0.tmp.py']"


# -- witness ----------------------------------------------------------------------------------------------------------------------------


ASLEEP = "print('ready', flush=True)\ntime.sleep(60)"
DEAF_ONCE = """def hear(number, frame):
    signal.signal(number, signal.default_int_handler)
signal.signal(signal.SIGINT, hear)
print('ready', flush=True)
while signal.getsignal(signal.SIGINT) is hear:
    time.sleep(0.01)
time.sleep(60)"""
"""As Python is to an interrupt that comes between its last look for one and the system call that waits, which is also why it sleeps in slices
until the first has come: a long sleep might take that for nothing, and `hear` would hear the second."""


@pytest.mark.parametrize("waits", [ASLEEP, DEAF_ONCE], ids=["heard", "heard the second time"])
def test_an_interrupted_program_is_told_in_one_line_and_its_findings_stand(tmp_path: Path, waits: str) -> None:
    pytest.importorskip("torch")
    program = tmp_path / "program.py"
    program.write_text(f"import signal, time, torch\nloss = torch.nn.Linear(2, 1)(torch.ones(2)).sum()\nprint(loss)\n{waits}\n")
    command = [sys.executable, "-m", "flake8_detach", "witness", str(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout and process.stdout.readline().startswith("tensor(")
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    told, finding = errors.splitlines()
    assert told == "flake8-detach witness: interrupted"
    assert finding.startswith(f"{program}:3:1: DET101 ")
    assert process.returncode == 130


@pytest.mark.parametrize("megabytes", [1, 30])
def test_a_program_without_memory_is_told_of(tmp_path: Path, megabytes: float) -> None:
    pytest.importorskip("torch")
    program = tmp_path / "program.py"
    program.write_text("import torch\n")
    done = subprocess.run([*doomed("memory", megabytes), "witness", str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and done.stderr.startswith("flake8-detach witness: ")
    assert "memory" in done.stderr or "failed to map" in done.stderr
