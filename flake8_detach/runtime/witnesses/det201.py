"""DET201 numpy_on_live: `.numpy()` was called on a live tensor with gradients enabled, and torch refused."""

from __future__ import annotations

from ..events import TorchCall
from ..run import Run

CODE = "DET201"


class Witness:
    """Hears of `.numpy()` itself; what NumPy asks of a tensor (`__array__`) is DET202."""

    CALLS = frozenset({"numpy"})

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_torch_call(self, event: TorchCall) -> None:
        if isinstance(event.error, RuntimeError) and "requires grad" in str(event.error):
            site = self.run.here()
            if site is not None:
                self.run.report(CODE, site, f"RuntimeError: {event.error}")
