"""`best = model.state_dict()` is kept while training goes on, and restored later.

Harm: the values of a `state_dict()` share memory with the parameters, so the kept dict follows the training, and restoring it restores the last
weights instead of the best. `.copy()` and `dict()` are no cure: they copy the dict, not the tensors. Silent on torch 1.12 to 2.15.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    best = None
    for _ in range(3):
        loss = model(torch.ones(3, 2)).mean()
        if best is None:
            best = model.state_dict()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.load_state_dict(best)

Good:
    import copy
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    best = None
    for _ in range(3):
        loss = model(torch.ones(3, 2)).mean()
        if best is None:
            best = copy.deepcopy(model.state_dict())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.load_state_dict(best)

Silent when: nothing trains between the two; the values are copied (`deepcopy`, `clone`) or moved (`cpu`, a copy from a GPU); the dict goes to
`torch.save` at once; the same run loads it again before anything trains; the file does not show that it is loaded or saved later.

Fix: Unsafe: `copy.deepcopy(...)`. What is restored changes, as it should, and the copy takes memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import copies
from flake8_detach.graphs import entry
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace

MESSAGE = "the kept `state_dict()` shares memory with the model and follows its training: keep `copy.deepcopy(...)` of it"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """The binding of each snapshot that is restored after a step, or in another life of the object that keeps it."""
    kept: dict[int, Event] = {}
    for event in trace.of(Role.KEPT):
        for token in event.values[0].refs:
            if token not in kept or (event.detail and not kept[token].detail):
                kept[token] = event
    undone = _undone(trace, kept)
    for event in trace.of(Role.RESTORED):
        all_of_it, late = event.values
        for token in all_of_it.refs & kept.keys():
            elsewhere = entry(trace, event.frame) != entry(trace, kept[token].frame)
            lasts = kept[token].detail and event.target.refs and elsewhere
            if (token in late.refs or lasts) and not (elsewhere and token in undone) and not _at_once(trace, token, event):
                yield Finding(kept[token].node, {}, copies.snapshot(trace, kept[token].node))


def _at_once(trace: Trace, token: int, restored: Event) -> bool:
    """Whether the turn of a loop (or the run) that gives the snapshot away has taken it itself, and no optimizer steps in between."""
    last = next(i for i, e in enumerate(trace.events) if e is restored)
    for event in reversed(trace.events[:last]):
        if event.role == Role.STEP:
            return False
        if event.role == Role.KEPT and event.loops == restored.loops and event.turns == restored.turns and token in event.values[1].refs:
            return entry(trace, event.frame) == entry(trace, restored.frame)
    return False


def _undone(trace: Trace, kept: dict[int, Event]) -> set[int]:
    """The snapshots that the same run surely restores before anything trains: they undo a change of its own."""
    return {
        token
        for event in trace.of(Role.RESTORED)
        for token in (event.values[0].refs - event.values[1].refs) & kept.keys()
        if entry(trace, event.frame) == entry(trace, kept[token].frame) and event.path[: len(kept[token].path)] == kept[token].path
    }
