"""A live tensor reaches a print, logging, progress-bar or experiment-tracker call.

Harm: prints show `tensor(0.69, grad_fn=<NllLossBackward0>)` instead of the number; loggers that buffer records keep the graph alive; sinks
that detach by themselves (SummaryWriter, wandb) do no harm beyond the habit, and the message says so. Silent: PyTorch never warns.
Measured on torch 2.13 with the sinks of knowledge/sinks.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    loss = model(torch.ones(3, 2)).mean()
    print("loss", loss)

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    loss = model(torch.ones(3, 2)).mean()
    print("loss", loss.item())

Silent when: an f-string or a format spec shows a 0-dim tensor (that calls `item()`); the value is a leaf, or the whole result of a module
of another file that nobody in this one trains; `%f` makes it DET204; the sink is documented to detach (`LightningModule.log`); gradients
are off.

Fix: Safe: `.item()` for what surely has one element, `.detach()` for the rest. Values, gradients and output stay, but that the tensor's text loses
its `grad_fn`.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import tensors
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace, text
from flake8_detach.value import Grad, Kind, Leaf

MESSAGE = "`{call}` gets a tensor that requires grad (from {history}) and {does}: pass `.item()` or `.detach()`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each log call that a live non-leaf reaches."""
    for event in trace.of(Role.LOG):
        if event.mode == Grad.LIVE and event.value.leaf != Leaf.LEAF and trace.is_live(event.value) and not _is_report(trace, event):
            does = getattr(event.detail, "does", "")
            yield Finding(event.node, {"call": text(event.node), "history": trace.history(event.value), "does": does}, tensors.shown(trace, event.node))


def _is_report(trace: Trace, event: Event) -> bool:
    """Whether it is the whole result of a module of another file that nobody in this one trains or loads: it trains itself, and says how far it is."""
    if event.value.kind & Kind.TENSOR or event.value.refs & trace.proven or trace.of(Role.BACKWARD, Role.STEP, Role.OPTIMIZER):
        return False
    callees = [trace.sites[token].callee for token in event.value.refs]
    return all(c is not None and c.kind == Kind.UNKNOWN and not c.refs & trace.loaded for c in callees)
