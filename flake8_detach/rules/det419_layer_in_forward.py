"""A layer with parameters is built inside `forward`.

Harm: each call makes new random weights that no optimizer holds: they never train, and the output changes from call to call. Silent. Measured on
torch 2.13.

Bad:
    import torch
    class Net(torch.nn.Module):
        def forward(self, x):
            return torch.nn.Linear(2, 1)(x)
    Net()(torch.ones(3, 2)).sum().backward()

Good:
    import torch
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.head = torch.nn.Linear(2, 1)
        def forward(self, x):
            return self.head(x)
    Net()(torch.ones(3, 2)).sum().backward()

Silent when: the layer has no parameters; it is built once, on a condition, and kept on the module; its weights are set from elsewhere; it is
frozen; gradients are off.

Fix: None: the construction has to move to `__init__`, with sizes that only the author knows.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text
from flake8_detach.value import Grad

MESSAGE = "`{layer}` is built in `forward`, so each call makes new weights that never train: build it in `__init__`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each layer with parameters that is made and used below a module's forward."""
    for event in trace.of(Role.BUILD):
        layer = event.value.refs
        used = trace.at_once if event.detail else trace.called
        if event.mode == Grad.LIVE and layer & used and not layer & trace.dressed:
            yield Finding(event.node, {"layer": text(event.node)})
