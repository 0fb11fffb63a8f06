"""DET202 live_into_numpy: NumPy, or a library on top of it, asked a live tensor for its array, and the refusal reached the program.

A library may ask and do without: only an exception that arrives at a line of the program counts.
"""

from __future__ import annotations

from ..events import Raised, TorchCall
from ..run import Run

CODE = "DET202"


class Witness:
    """Keeps the last refusal until it is known whether it reaches the program."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.refusal: BaseException | None = None

    def on_torch_call(self, event: TorchCall) -> None:
        if event.name == "__array__" and event.before and isinstance(event.error, RuntimeError) and "requires grad" in str(event.error):
            self.refusal = event.error

    def on_raised(self, event: Raised) -> None:
        if self.refusal is not None and _caused(event.error, self.refusal):
            self.run.report(CODE, event.site, f"{type(event.error).__name__}: {event.error}")
            self.refusal = None


def _caused(error: BaseException | None, refusal: BaseException) -> bool:
    while error is not None:
        if error is refusal:
            return True
        error = error.__cause__ or error.__context__
    return False
