"""A live non-leaf tensor is put on a queue, pipe or pool to another process.

Harm: pickling it raises `RuntimeError: Cowardly refusing to serialize non-leaf tensor which requires_grad`. With `queue.put` the error is only
printed by the feeder thread: the call returns and the reader waits for ever. no_grad around the call does not help. Torch 1.8 to 2.15.

Bad:
    import torch
    import torch.multiprocessing as mp
    here, there = mp.Pipe()
    model = torch.nn.Linear(2, 1)
    here.send(model(torch.ones(3, 2)))

Good:
    import torch
    import torch.multiprocessing as mp
    here, there = mp.Pipe()
    model = torch.nn.Linear(2, 1)
    here.send(model(torch.ones(3, 2)).detach())

Silent when: the tensor is a leaf, a parameter, detached or made under no_grad; the queue is one between threads (`queue.Queue`); nobody in the file
calls the method of a model that sends.

Fix: Safe: `.detach()` on what is sent. The line raised.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import tensors
from flake8_detach.graphs import is_tool_of_model
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text
from flake8_detach.value import Leaf

MESSAGE = "`{call}` pickles a tensor with history (from {history}), which raises or leaves the reader waiting: send `.detach()`"
LOUD = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each send of what is or holds a surely live non-leaf."""
    for event in trace.of(Role.SEND):
        if event.value.leaf == Leaf.LEAF or event.value.refs & trace.leaves or is_tool_of_model(trace, event.frame):
            continue
        if trace.is_surely_live(event.value):
            yield Finding(event.node, {"call": text(event.node), "history": trace.history(event.value)}, tensors.guarded(trace, tensors.arguments(event.node)))
