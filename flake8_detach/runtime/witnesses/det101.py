"""DET101 logged_live: a live tensor was handed to a call that shows or records values, or its text was.

Seen at the sinks of `knowledge.sinks`. A value formatted as a number (`"%.3f" % loss`) is another matter, and so is an f-string of a 0-dim tensor.
"""

from __future__ import annotations

import re
from typing import Any

import torch

from ..events import SinkCall, TorchCall
from ..interceptions.functions import live_in
from ..run import Run

CODE = "DET101"
SPECIFIER = re.compile(r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?(?P<kind>[diouxXeEfFgGcrsa%])")
REMEMBERED = 200


class Witness:
    """Remembers the texts of live tensors that the program made, for they may reach a sink later, inside another text."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.texts: list[str] = []

    def on_torch_call(self, event: TorchCall) -> None:
        if event.name not in ("__repr__", "__format__") or not event.before or not isinstance(event.result, str):
            return
        if "grad_fn=" in event.result or "requires_grad=True" in event.result:
            self.texts = [*self.texts[-REMEMBERED:], event.result]
            for sink in self.run.sinks:
                sink.shown.append(event.result)

    def on_sink_call(self, event: SinkCall) -> None:
        evidence = self._evidence(event)
        if evidence:
            self.run.report(CODE, event.site, f"{event.name}() received {evidence}, and {event.does}")

    def _evidence(self, event: SinkCall) -> str:
        if event.template is not None and event.fields and isinstance(event.template, str):
            live: list[Any] = [v for v in _shown_fields(event.template, event.fields) if _live(v, 3)]
        else:
            live = [v for v in event.values if _live(v, 3 if event.deep else 0)]
        if live:
            return _described(live[0])
        if event.text:
            texts = [v for v in event.values if isinstance(v, str)]
            inside = next((t for t in self.texts for v in texts if t in v), None) or next(iter(event.shown), None)
            if inside is not None:
                return f"the text {_short(inside)!r}"
        return ""


def _live(value: Any, depth: int) -> bool:
    return any(True for _ in live_in((value,), depth))


def _shown_fields(template: str, fields: tuple[Any, ...]) -> list[Any]:
    """The fields that %-formatting shows as text: those of %s, %r and %a."""
    kinds = [m for m in SPECIFIER.finditer(template) if m["kind"] != "%"]
    if len(fields) == 1 and isinstance(fields[0], dict):
        return [fields[0].get(m["key"]) for m in kinds if m["kind"] in "sra"]
    return [field for m, field in zip(kinds, fields) if m["kind"] in "sra"]


def _described(value: Any) -> str:
    tensor = next(iter(live_in((value,))))
    if isinstance(tensor, torch.nn.Parameter):
        return "a parameter that requires grad"
    history = type(tensor.grad_fn).__name__ if tensor.grad_fn is not None else "requires_grad=True"
    return f"a live tensor ({history})"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) < 60 else line[:28] + "..." + line[-28:]
