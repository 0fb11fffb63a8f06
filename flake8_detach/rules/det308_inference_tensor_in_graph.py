"""A tensor made under `inference_mode` is used in autograd.

Harm: `RuntimeError: Inference tensors cannot be saved for backward.`, raised by the forward operation that has to save it; `.detach()` does not
help. Loud. From torch 1.9 on.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    with torch.inference_mode():
        target = torch.ones(3, 2) * 2
    loss = model(target).mean()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    with torch.inference_mode():
        target = torch.ones(3, 2) * 2
    loss = model(target.clone()).mean()

Silent when: it is cloned outside, read as a number, or meets no tensor that requires grad; the operation saves nothing (`+`, `-`); it is a view of
a normal tensor; the program asks `is_inference()`.

Fix: Safe: `no_grad` instead of `inference_mode`, or `.clone()`. The line raised.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import copies, modes
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace, text
from flake8_detach.value import Leaf

MESSAGE = "`{code}` has to save a tensor made under `inference_mode` for its backward, which raises: use `.clone()`, or make it under `no_grad`"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each operation in which one meets what is live."""
    for event in trace.of(Role.MEET):
        if _meets_live(trace, event) and not _is_asked(trace, event):
            yield Finding(event.node, {"code": text(event.node)}, modes.ordinary(trace, event.value.refs & trace.inferred) or copies.cloned(trace, event))


def _is_asked(trace: Trace, event: Event) -> bool:
    """Whether the program, or another method of the class, asks what kind of tensor it is."""
    owner = trace.frames[event.frame].owner
    return bool(event.value.refs & trace.asked) or (owner != "" and any(trace.frames[trace.sites[t].frame].owner == owner for t in trace.asked))


def _meets_live(trace: Trace, event: Event) -> bool:
    if event.value.leaf == Leaf.NONLEAF:
        return False
    return event.detail is True or any(trace.is_surely_live(value) for value in event.values)
