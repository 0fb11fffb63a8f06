"""A layer is replaced or added after the optimizer was built, and the optimizer is never told.

Harm: the optimizer goes on with the old parameters: the new ones get gradients and never move. Silent. Measured on torch 2.13.

Bad:
    import torch
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model[1] = torch.nn.Linear(2, 3)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.ones(3, 2)).mean().backward()
        optimizer.step()

Good:
    import torch
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    model[1] = torch.nn.Linear(2, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.ones(3, 2)).mean().backward()
        optimizer.step()

Silent when: the optimizer is built again or gets the new parameters by `add_param_group`; parameters only move or are loaded (`to`, `double`,
`load_state_dict`); the optimizer never steps afterwards; the new part has no parameters, or
the parameters of the whole module are frozen afterwards.

Fix: None: the optimizer has to be built after the change, or told by `add_param_group`.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach import index, steps
from flake8_detach.graphs import entry, is_optimized
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import Kind

MESSAGE = "the optimizer was built before this part of the model was replaced and never trains it: build the optimizer afterwards"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each replacement that no optimizer ever holds, while the old optimizer goes on stepping."""
    for number, event in enumerate(trace.events):
        if event.role != Role.REPLACED or event.passes or not _is_older(trace, event) or not _is_forgotten(trace, event):
            continue
        if _goes_on(trace, event, number) and not _is_frozen(trace, event, number):
            yield Finding(event.node, {})


def _is_older(trace: Trace, event: Event) -> bool:
    """Whether the optimizer was built before in the same run of the program's text."""
    start = entry(trace, event.frame)
    return all(entry(trace, trace.sites[token].frame) == start for token in event.values[0].refs)


def _is_forgotten(trace: Trace, event: Event) -> bool:
    return event.value.refs.isdisjoint(index.of(trace).built) and not is_optimized(trace, event.value) and not event.value.refs & trace.adopted


def _goes_on(trace: Trace, event: Event, number: int) -> bool:
    """Whether the optimizer that held the old part steps later."""
    return any(e.role == Role.STEP and e.value.refs & event.values[0].refs for e in trace.events[number:])


def _is_frozen(trace: Trace, event: Event, number: int) -> bool:
    """Whether the module that was given the new part is frozen as a whole afterwards, and the part, or what may be in it, is not set free again."""
    frozen = False
    for flag in trace.events[number:]:
        if flag.role != Role.FLAG or flag.detail[1] != "requires_grad":
            continue
        if not any(v.const is False for v in flag.values):
            if event.value.kind != Kind.TENSOR or flag.value.refs & event.value.refs:
                return False
        elif steps.owners(trace, flag.value.refs) & event.target.refs:
            frozen = True
    return frozen
