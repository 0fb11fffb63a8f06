"""A command of flake8-detach that comes to a bad end at a chosen moment. Run as a process of its own.

usage: python doomed.py END WHEN COMMAND ARGS...
  kill N       SIGKILL at the Nth step (call of a function, or return) of all the replacing of files
  count 0      none: the number of those steps is printed at the end
  stop N       SIGINT at that step
  after S      SIGINT after S seconds
  memory MB    so much more memory than there is now, and no more
  full BYTES   no file may grow beyond that: as on a full disk
What lives here: how an end is brought about. What must not: what should come of it (interruption.py).
"""

from __future__ import annotations

import atexit
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from flake8_detach.__main__ import main

REPLACING = os.path.join("fixing", "files.py")  # noqa: PTH118  # compared with names of code


class Steps:
    """Counts the steps of `files.replace`, in C and in Python, and of what it calls; at the last one the signal comes."""

    def __init__(self, last: int, number: int) -> None:
        self.left, self.number, self.inside = last, number, False

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        replacing = code.co_name == "replace" and code.co_filename.endswith(REPLACING)
        self.inside = self.inside or replacing
        self.left -= self.inside
        if self.inside and self.left == 0 and self.number:
            sys.setprofile(None)
            os.kill(os.getpid(), self.number)
        if replacing and event == "return":
            self.inside = False


def limit_memory(megabytes: float) -> None:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
        now = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + int(megabytes * 2**20),) * 2)


def limit_files(size: float) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size),) * 2)


def interrupt_after(seconds: float) -> None:
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.daemon = True
    timer.start()


def count(_: float) -> None:
    steps = Steps(0, 0)
    atexit.register(lambda: print(-steps.left, file=sys.stderr))
    sys.setprofile(steps)


ENDS: dict[str, Callable[[float], object]] = {
    "kill": lambda step: sys.setprofile(Steps(int(step), signal.SIGKILL)),
    "stop": lambda step: sys.setprofile(Steps(int(step), signal.SIGINT)),
    "count": count,
    "after": interrupt_after,
    "memory": limit_memory,
    "full": limit_files,
}


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs in the background deaf to it
    ENDS[sys.argv[1]](float(sys.argv[2]))
    sys.exit(main(sys.argv[3:]))
