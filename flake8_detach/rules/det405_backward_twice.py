"""A second `backward()` goes through a graph that the first has freed.

Harm: `RuntimeError: Trying to backward through the graph a second time` (loud, at this line).

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    loss = model(torch.ones(3, 2)).pow(2).mean()
    loss.backward()
    loss.backward()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    loss = model(torch.ones(3, 2)).pow(2).mean()
    loss.backward(retain_graph=True)
    loss.backward()

Silent when: the first keeps the graph; the forward pass ran again in between; the shared part saves nothing (sums, views, concatenations); the
graphs come from a list and may be different ones; a state is carried from one iteration to the next (DET104); the first was the loss of a
discriminator that received the live fake (DET505 says so, and its cure mends both).

Fix: Unsafe: `retain_graph=True` on the first `backward()`, which keeps its memory. The sum of the losses and one `backward()` is the better cure,
by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.adversaries import fed_in_vain
from flake8_detach.cures import spelling
from flake8_detach.rule import Edit, Finding
from flake8_detach.trace import Event, Role, Trace

MESSAGE = "this `backward()` goes through a graph that an earlier one has freed, which raises: sum the losses, or pass `retain_graph=True` before"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each backward through a surely freed graph."""
    freed = [e for e in trace.of(Role.FREED) if not any(carry.freed for carry in e.value.carried)]
    fakes = {ref for fed in fed_in_vain(trace) for ref in fed.fake.refs | fed.fake.history} if freed else set()
    yield from (Finding(e.node, {}, _retained(trace, e)) for e in freed if fakes.isdisjoint(e.value.history | e.value.reach))


def _retained(trace: Trace, second: Event) -> Edit | None:
    """The earlier backward passes through the graph keep it."""
    passes = trace.of(Role.BACKWARD)
    here = next(i for i, e in enumerate(passes) if e.node is second.node and e.value == second.value)
    shared = second.value.reach - trace.leaves
    first = {id(e.node): e.node for e in passes[:here] if not e.detail and e.value.reach & shared and e.node is not second.node}
    edits = [spelling.given(node, "retain_graph", "True", safe=False) for node in first.values()]
    changes = tuple(change for edit in edits if edit is not None for change in edit.changes)
    return Edit(changes, safe=False) if changes and None not in edits else None
