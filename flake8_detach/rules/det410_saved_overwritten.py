"""A tensor that autograd saved is changed in place before `backward()`.

Harm: `RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation` (loud, at the backward). So
does an optimizer's step between a forward pass and its backward, where the weights were saved.

Bad:
    import torch
    x = torch.nn.Linear(2, 3)(torch.ones(4, 2))
    y = torch.sigmoid(x)
    y += 1
    y.sum().backward()

Good:
    import torch
    x = torch.nn.Linear(2, 3)(torch.ones(4, 2))
    y = torch.sigmoid(x)
    y = y + 1
    y.sum().backward()

Silent when: the operation saves nothing (sums, linear layers' results, most normalisations' results); the write comes before the use, or
nothing of it is back-propagated; the write happens on one branch only.

Fix: Safe: the operation out of place, or a copy before an element is written. `backward()` raised. For an optimizer's step there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import copies
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text

MESSAGE = "{what}, and its `backward()` raises: {cure}"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each write, or step, between a forward pass that saved the tensor and its backward."""
    for event in trace.of(Role.SPOILED):
        how, backward, made = event.detail
        if how == "step":
            line = getattr(event.node, "lineno", 0)
            what = f"the optimizer's step at line {line} changed weights that this graph has saved"
            yield Finding(backward, {"what": what, "cure": "step after the last backward, or run the forward again"})
        elif how != "alias":
            what = f"this overwrites a tensor that `{text(made)}` (line {made.lineno}) has saved"
            yield Finding(event.node, {"what": what, "cure": "use the out-of-place operation"}, copies.out_of_place(trace, event.node))
