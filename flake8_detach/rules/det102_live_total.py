"""A running total (or moving average, minimum, concatenation) of live tensors outlives the iteration and is never back-propagated.

Harm: the graph of every iteration stays reachable from the total. After a `backward()` only the graph's nodes stay (a slow leak), without one
the saved activations stay too (a fast one). Silent. Measured on torch 2.13: 39 nodes after 5 iterations, or 5 MB an iteration.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    total = 0
    for _ in range(3):
        loss = model(torch.ones(3, 2)).mean()
        loss.backward()
        model.zero_grad()
        total += loss

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    total = 0
    for _ in range(3):
        loss = model(torch.ones(3, 2)).mean()
        loss.backward()
        model.zero_grad()
        total += loss.item()

Silent when: the total is back-propagated, or leaves for code that the file does not show; the term is detached, a number or an integer; the
addition runs under no_grad, or in a method of a model that nobody in the file calls; the total is reset in each iteration.

Fix: Safe: `.detach()` on what is added, or on the whole new total; unsafe for a total that may share its memory with another tensor.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach.cures import tensors
from flake8_detach.graphs import is_tool_of_model
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import Carry, Grad, Value

MESSAGE = "a running total keeps the graph of every iteration alive, {leak} (from {history}): add `.item()` or `.detach()`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each growing bind whose value nobody back-propagates."""
    states = {event.node for event in trace.of(Role.CARRIED)}
    through = {(c.loop, c.key) for event in trace.of(Role.GROW) for c in event.detail if not c.direct}  # a module is called on it: a state
    through |= trace.renewed - trace.lasting  # after the sum the iteration puts something else in its place
    for event in trace.of(Role.GROW):
        totals = [c for c in event.detail if c.direct and (c.loop, c.key) not in through] if event.node not in states else []
        if totals and event.mode == Grad.LIVE and trace.is_live(event.value):
            token = event.values[0].refs
            if not token & trace.backpropagated and _stays(trace, event, token, totals):
                slow = trace.is_spent(event.value, token) or _adds_passed_back(trace, event.value, token)
                leak = "its nodes only, since the parts are back-propagated" if slow else "with all saved activations"
                yield Finding(event.node, {"history": trace.history(event.value), "leak": leak}, tensors.added(trace, event))


def _stays(trace: Trace, event: Event, token: frozenset[int], totals: list[Carry]) -> bool:
    """Whether the total stays in the file, or is of no use to anyone outside; `totals`: by which of its carries it is one, and no state."""
    if _adds_passed_back(trace, event.value, token):
        return True
    grows = tuple(loop for c in totals for loop in _outlived(trace, event, c))
    if not trace.is_rebuilt(event.value, grows) and _is_local(trace, event) and not _is_tabled(trace, event):
        return False  # a sum over parameters, or over parts of one graph, in a local name: as a rule a penalty
    if trace.is_spent(event.value, token):
        return True
    if trace.serves_forward(event.frame) or trace.is_model_method(event.frame) or is_tool_of_model(trace, event.frame):
        return False
    return not (token & trace.escaped or trace.is_given_away(token))


def _adds_passed_back(trace: Trace, total: Value, token: frozenset[int]) -> bool:
    """Whether what is added, or the total itself, is back-propagated by itself."""
    added = (operand for ref in total.refs if ref in trace.made for operand in trace.made[ref].operands)
    return trace.is_passed_back([total, *added], token)


def _is_tabled(trace: Trace, event: Event) -> bool:
    """Whether a sum over parameters is an entry of a table, as statistics are."""
    return event.value.history <= trace.leaves and all(c.key[1] == "[items]" for c in event.detail)


def _is_local(trace: Trace, event: Event) -> bool:
    """Whether every place that grows belongs to the running function."""
    return all(trace.is_made_below(c.key[0], event.frame) or c.key[1] != "[now]" for c in event.detail)


def _outlived(trace: Trace, event: Event, carry: Carry) -> list[int]:
    """The loops whose iterations a total outlives: of an object all those that it is older than, of a name the one that carries it."""
    address = carry.key[0]
    if isinstance(trace.sites[address].node, (ast.Module, type(None))):
        return [carry.loop]
    return [carry.loop, *(loop for loop in event.loops if loop not in trace.born.get(address, ()))]
