"""DET202 live_into_numpy: NumPy, or a library on top of it, asked a live tensor for its array, and the refusal reached the program.

A library may ask and do without: only an exception that arrives at a line of the program counts, raised in `Tensor.__array__` or caused by
one that was.
"""

from __future__ import annotations

from types import TracebackType

from ..events import Raised
from ..run import Run

CODE = "DET202"


class Witness:
    """Reads the tracebacks of the exceptions that arrive."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_raised(self, event: Raised) -> None:
        error: BaseException | None = event.error
        traceback = event.traceback
        while error is not None:
            if "requires grad" in str(error) and _went_through_array(traceback):
                self.run.report(CODE, event.site, f"{type(event.error).__name__}: {event.error}")
            error = error.__cause__ or error.__context__
            traceback = error.__traceback__ if error is not None else None


def _went_through_array(traceback: TracebackType | None) -> bool:
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == "__array__":
            return True
        traceback = traceback.tb_next
    return False
