"""`retain_graph=True` on every iteration, where nothing goes through the graph again (opt-in).

Harm: the graph of one iteration lives until the next one's loss replaces it: the peak of saved activations doubles (6, 12, 12 against 6, 6, 6),
and grows with every iteration where the loss is kept. Silent. It also hides a state that should have been detached (DET104).

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    for _ in range(3):
        model.zero_grad()
        loss = model(torch.ones(3, 2)).tanh().mean()
        loss.backward(retain_graph=True)

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    for _ in range(3):
        model.zero_grad()
        loss = model(torch.ones(3, 2)).tanh().mean()
        loss.backward()

Silent when: a later `backward()` or `autograd.grad` shares a part of the graph; a part is older than the iteration; a state is carried; the flag is
no constant.

Fix: Unsafe: without the flag. Where the rule speaks nothing needs it, but another file may go through the graph again.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import spelling
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace

MESSAGE = "`retain_graph=True` keeps this iteration's graph for nobody, and doubles the peak of memory: drop it"
LOUD = False
OPT_IN = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each backward in a loop that retains a graph which nothing uses again."""
    passes = trace.of(Role.BACKWARD, Role.DIFFERENTIATE)
    for event in passes:
        if event.role == Role.BACKWARD and event.detail and _is_own(trace, event) and not any(_shares(trace, event, e) for e in passes):
            yield Finding(event.node, {}, spelling.not_given(event.node, "retain_graph", safe=False))


def _is_own(trace: Trace, event: Event) -> bool:
    """Whether the whole graph is built anew in the innermost loop, and stays in the file."""
    loop = trace.inner_loop(event)
    grown = event.value.history - trace.leaves
    if loop is None or not grown or event.value.carried or not trace.is_live(event.value):
        return False
    return all(loop in trace.born.get(token, ()) for token in grown) and not grown & trace.escaped


def _shares(trace: Trace, event: Event, other: Event) -> bool:
    """Whether another pass goes through a part of the same graph."""
    return other.node is not event.node and bool(other.value.reach & event.value.reach - trace.leaves or not other.value.reach)
