"""`.detach()`, `.data` or a NumPy round trip on the path through `forward` (opt-in).

Harm: what lies before the cut gets no gradient from here: a layer whose weight is used as `self.weight.data` stays as it was initialised, and a
model whose output is cut can't be trained at all. Silent as long as something else is live. All versions of torch.

Bad:
    import torch
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)
        def forward(self, x):
            return self.layer(x).detach().relu()
    Net()(torch.ones(3, 2))

Good:
    import torch
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)
        def forward(self, x):
            return self.layer(x).relu()
    Net()(torch.ones(3, 2))

Silent when: only a term is cut (stop-gradient, straight-through, vector quantisation); under no_grad; a write (`self.weight.data.clamp_()`); what
is cut is only kept or shown.

Fix: None: without the cut more is trained.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace, text
from flake8_detach.value import DType, Grad, Leaf

MESSAGE = "`{code}` cuts {what} off from the graph in `forward`, so {harm}"
LOUD = False
OPT_IN = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each cut that a model's output has passed, and each cut parameter that takes part in it."""
    cuts = [e for e in trace.of(Role.DETACH, Role.DATA, Role.NUMPY) if e.mode == Grad.LIVE and trace.is_model_method(e.frame)]
    if not cuts:
        return
    for output in (e for e in trace.of(Role.OUTPUT) if e.mode == Grad.LIVE):  # who calls with gradients off, trains nothing here
        for event in cuts:
            same = event.frame == output.detail and event.turns[: len(output.turns)] == output.turns  # in another iteration it may have been frozen
            if same and _passes(trace, event, output) and not trace.data_used.get(id(event.node), "").endswith("_"):
                leaf = event.value.leaf == Leaf.LEAF
                what, harm = ("a parameter", "it gets no gradient here") if leaf else ("the output", "nothing before it is trained")
                yield Finding(event.node, {"code": text(event.node), "what": what, "harm": harm})


def _passes(trace: Trace, event: Event, output: Event) -> bool:
    """Whether the output comes out of the cut, and not also around it."""
    made = event.value.refs | event.value.history
    if not trace.is_live(event.value):
        return False
    if event.value.leaf == Leaf.LEAF:
        used = event.value.refs & trace.parameters.keys() | event.value.refs & trace.leaves
        return bool(used & (trace.mixed | output.value.reach)) and not used & output.value.history
    if any(e.detail == event.frame and e.value.grad & (Grad.LIVE | Grad.UNKNOWN) for e in trace.of(Role.OUTPUT)):
        return False  # one output of several is cut
    return output.value.grad == Grad.CUT and output.value.dtype != DType.INTEGER and bool(made & output.value.reach)
