"""DET509 scaler_bypassed: an optimizer used gradients that still carried a GradScaler's scale, or a scaler's step divided gradients without one."""

from __future__ import annotations

from ..events import Scaling, Step
from ..gradients import filled, parameters
from ..run import Run
from .det508 import Scales

CODE = "DET509"


class Witness(Scales):
    """`through` is the optimizer that a scaler is about to step."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.run = run
        self.through: int | None = None

    def on_scaling(self, event: Scaling) -> None:
        if event.method == "step":
            self.through = id(event.subject)
            held = [self.gradients.of(p) for p in parameters(event.subject) if filled(p)]
            if held and not any(leaf.scale for leaf in held) and all(leaf.sites for leaf in held):
                self.run.report(CODE, event.site, f"scaler.step() divided gradients by {event.factor:g} that were never multiplied by it")
            for leaf in held:
                leaf.scale = 0.0
        super().on_scaling(event)

    def on_step(self, event: Step) -> None:
        site = self.run.here()
        if event.done:
            self.through = None
        elif self.through != id(event.optimizer) and site is not None:
            scale = max((self.gradients.of(p).scale for p in parameters(event.optimizer) if filled(p)), default=0.0)
            if scale > 0:
                self.run.report(CODE, site, f"step() used gradients that were {scale:g} times too large")
