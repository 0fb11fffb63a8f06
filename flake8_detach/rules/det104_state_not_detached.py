"""A state is carried from one iteration into the next past a `backward()` without detach.

Harm: the second iteration's backward runs into the graph that the first has freed: `RuntimeError: Trying to backward through the graph a
second time`. With `retain_graph=True` memory and time grow with every iteration instead. Loud. Measured on torch 1.8 to 2.15.

Bad:
    import torch
    rnn = torch.nn.RNN(2, 3)
    h = torch.zeros(1, 1, 3)
    for x in [torch.ones(4, 1, 2)] * 3:
        rnn.zero_grad()
        y, h = rnn(x, h)
        y.sum().backward()

Good:
    import torch
    rnn = torch.nn.RNN(2, 3)
    h = torch.zeros(1, 1, 3)
    for x in [torch.ones(4, 1, 2)] * 3:
        rnn.zero_grad()
        y, h = rnn(x, h.detach())
        y.sum().backward()

Silent when: the state is detached, reset in the loop, or carried under no_grad; one backward follows an inner loop over time steps.

Fix: `h = h.detach()` after the `backward()`. Safe where the second `backward()` surely raised; unsafe where `retain_graph=True` or sums alone let
it train through all earlier iterations.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import order
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace
from flake8_detach.value import Grad

MESSAGE = "this state enters the next iteration with its graph, which `backward()` at line {line} has freed by then: carry `.detach()`"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each backward through a graph that an earlier iteration freed, at the bind of the state."""
    for event in trace.of(Role.CARRIED):
        carry, backward = event.detail
        if trace.is_surely_live(event.value) and event.mode == Grad.LIVE:
            yield Finding(event.node, {"line": str(backward.lineno)}, order.carried_cut(trace, event.node, backward, carry))
