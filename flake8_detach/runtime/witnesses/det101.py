"""DET101 logged_live: a live tensor was handed to a call that shows or records values, or its text was.

Seen at the sinks of `knowledge.sinks`. What %-formatting turns into a number (`"%.3f" % loss`) is another matter, and so is an f-string of
a 0-dim tensor, whose text shows no graph.
"""

from __future__ import annotations

import re
from typing import Any

from ..events import SinkCall, TorchCall
from ..interceptions.functions import live_in
from ..run import Run

CODE = "DET101"
SPECIFIER = re.compile(r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?(?P<kind>[diouxXeEfFgGcrsa%])")
REMEMBERED = 200


class Witness:
    """Remembers the texts of live tensors that the program made: they may reach a sink later, inside another text."""

    CALLS = frozenset({"__repr__", "__format__"})

    def __init__(self, run: Run) -> None:
        self.run = run
        self.texts: list[str] = []

    def on_torch_call(self, event: TorchCall) -> None:
        if event.live and isinstance(event.result, str):
            if "grad_fn=" in event.result:
                self.texts = [*self.texts[-REMEMBERED:], event.result]
                for sink in self.run.sinks:
                    sink.shown.append(event.result)

    def on_sink_call(self, event: SinkCall) -> None:
        evidence = self._live(event) or self._text(event)
        if evidence:
            self.run.report(CODE, event.site, f"{event.name}() received {evidence}, and {event.does}")

    @staticmethod
    def _live(event: SinkCall) -> str:
        if not event.direct:
            return ""
        if isinstance(event.template, str) and event.fields:
            values, depth = _shown_as_text(event.template, event.fields), 3
        else:
            values, depth = event.values, 3 if event.deep else 0
        # a leaf is shown for what it is: it has no history that anyone forgot to cut
        tensor = next((tensor for tensor in live_in(values, depth) if tensor.grad_fn is not None), None)
        return "" if tensor is None else f"a live tensor ({type(tensor.grad_fn).__name__})"

    def _text(self, event: SinkCall) -> str:
        if not event.text:
            return ""
        given = [value for value in event.values if isinstance(value, str)]
        texts = (text for text in reversed(self.texts) for value in given if text in value)
        text = next(texts, None) or next(iter(event.shown), None)
        return "" if text is None else f"the text {_short(text)!r}"


def _shown_as_text(template: str, fields: tuple[Any, ...]) -> list[Any]:
    """The fields that %-formatting shows as they are: those of %s, %r and %a."""
    specifiers = [match for match in SPECIFIER.finditer(template) if match["kind"] != "%"]
    if len(fields) == 1 and isinstance(fields[0], dict):
        return [fields[0].get(match["key"]) for match in specifiers if match["kind"] in "sra"]
    return [field for match, field in zip(specifiers, fields) if match["kind"] in "sra"]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) < 60 else line[:28] + "..." + line[-28:]
