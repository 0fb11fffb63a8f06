"""The first step of the process in which programs run: torch is imported, or one line says why it could not be.

What lives here: the ends that come before a program runs. What must not: torch at the top, or anything of the run itself.
"""

from __future__ import annotations

import signal
import sys

FAILED = 2


def main(request: str) -> int:
    """As `child.main`. Until torch is there an interrupt ends the process silently: the process that started it tells of that."""
    interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from . import child
    except (MemoryError, OSError, ImportError) as error:
        print(f"flake8-detach witness: torch cannot be loaded: {str(error) or 'out of memory'}", file=sys.stderr)
        return FAILED
    signal.signal(signal.SIGINT, interrupt)
    return child.main(request)
