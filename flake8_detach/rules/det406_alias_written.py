"""An in-place write through a detached alias of a tensor that autograd saved.

Harm: `x.detach()`, `x.data` and views of them share memory with `x`. A write between the forward and the backward pass gives wrong gradients,
silently through `.data`, or raises through `.detach()`. Measured on torch 2.13: 12 for 8.

Bad:
    import torch
    x = torch.nn.Linear(2, 3)(torch.ones(4, 2))
    y = torch.sigmoid(x)
    mask = y.detach()
    mask[mask < 0.5] = 0
    y.sum().backward()

Good:
    import torch
    x = torch.nn.Linear(2, 3)(torch.ones(4, 2))
    y = torch.sigmoid(x)
    mask = y.detach().clone()
    mask[mask < 0.5] = 0
    y.sum().backward()

Silent when: the alias is cloned or bound anew; the write comes before the use or after the backward; nothing saved the tensor; weights are
written on purpose.

Fix: Unsafe: `.clone()` on the alias. Whoever meant to write to the original does so no more.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import copies
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text

MESSAGE = "this writes through a detached alias to a tensor that `{saver}` (line {line}) has saved for backward: write to a `.clone()`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each write to an alias whose memory a later backward needs."""
    for event in trace.of(Role.SPOILED):
        how, _, made = event.detail
        if how == "alias":
            yield Finding(event.node, {"saver": text(made), "line": str(made.lineno)}, copies.of_its_own(trace, event))
