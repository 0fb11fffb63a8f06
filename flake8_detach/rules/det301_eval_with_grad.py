"""An evaluation or inference pass runs a model with gradients enabled, and nothing of it is back-propagated.

Harm: every forward builds a graph that nobody uses: while the next batch runs, two graphs are alive (saved tensors 4, 8, 8, 8 against 0 under
no_grad), and all of them when results are kept. Silent: `eval()` does not switch gradients off. Measured on torch 2.13.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    def evaluate(loader):
        model.eval()
        right = 0
        for x in loader:
            right += (model(x) > 0).sum().item()
        return right
    evaluate([torch.ones(3, 2)] * 2)

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    @torch.no_grad()
    def evaluate(loader):
        model.eval()
        right = 0
        for x in loader:
            right += (model(x) > 0).sum().item()
        return right
    evaluate([torch.ones(3, 2)] * 2)

Silent when: no_grad or inference_mode holds here, in a decorator, a callee or every caller in the file; a framework's hook; the model is
frozen; a result is back-propagated, differentiated, or leaves live for a caller that the file does not show; a method of the model's own
that switches neither its mode nor gradients by itself; a hook of a base class of another file; a method that the file does not show
(`model.generate(x)`), which may guard itself; a block that switches gradients on by name; the single step of a policy (DET905); unit tests
and shape probes.

Fix: Safe: `@torch.no_grad()` on a function that does nothing else, else `with torch.no_grad():` around the loop or the statement.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import modes
from flake8_detach.passes import Pass, passes
from flake8_detach.rule import Finding
from flake8_detach.trace import Trace, text

MESSAGE = "{what} runs `{call}` with gradients enabled and nothing of it is back-propagated: put it under `torch.no_grad()`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """The first model call of each evaluation pass."""
    first: dict[tuple[int, int], Pass] = {}
    for one in passes(trace):
        place = (one.node.lineno, one.node.col_offset)
        known = first.get(one.group)
        if known is None or place < (known.node.lineno, known.node.col_offset):
            first[one.group] = one
    for one in first.values():
        yield Finding(one.node, {"what": one.what, "call": text(one.node)}, modes.around_pass(trace, one.node, one.frame))
