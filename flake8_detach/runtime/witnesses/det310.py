"""DET310 call_missing: nothing happens at all, so a run has nothing to show; the scenarios say `unseen`.

A method that is read and dropped looks the same to torch as `hasattr` or `callable` looking at it, and an operation that should have followed leaves no trace.
"""

from __future__ import annotations

from ..run import Run

CODE = "DET310"


class Witness:
    """Hears of no event."""

    def __init__(self, run: Run) -> None:
        self.run = run
