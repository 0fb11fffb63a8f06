"""DET308 inference_tensor_in_graph: an operation had to save an inference tensor for its backward, and torch refused."""

from __future__ import annotations

from ..events import Raised
from ..run import Run

CODE = "DET308"


class Witness:
    def __init__(self, run: Run) -> None:
        self.run = run

    def on_raised(self, event: Raised) -> None:
        if isinstance(event.error, RuntimeError) and "Inference tensors cannot be saved for backward" in str(event.error):
            self.run.report(CODE, event.site, f"RuntimeError: {str(event.error).split('.')[0]}")
