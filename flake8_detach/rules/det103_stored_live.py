"""A live tensor is kept in a container that outlives the iteration and is never back-propagated.

Harm: the container keeps the graph of every iteration alive: only its nodes after a `backward()`, all saved activations without one. Silent.
Measured on torch 2.13: list, dict, set, deque, attribute, DataFrame row, `b[i] = loss` all keep it.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    losses = []
    for _ in range(3):
        loss = model(torch.ones(3, 2)).mean()
        loss.backward()
        model.zero_grad()
        losses.append(loss)

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    losses = []
    for _ in range(3):
        loss = model(torch.ones(3, 2)).mean()
        loss.backward()
        model.zero_grad()
        losses.append(loss.item())

Silent when: what is stored is later back-propagated (stack, sum), or leaves for code that the file does not show; the store is bounded
(`deque(maxlen=...)`, an overwritten key, a list that is shortened where its length says so); the tensor is a leaf, an integer or detached; inside a
module's forward.

Fix: Safe: `.detach()` on what is kept.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach.cures import tensors
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import Grad, Kind, Leaf

MESSAGE = "a tensor that requires grad is stored for longer than the iteration, {leak} (from {history}): store `.detach()` or `.item()`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each store of a live non-leaf that nobody back-propagates."""
    used = {id(e.node) for e in trace.of(Role.STORE) if e.values[0].refs & trace.backpropagated}  # by one of several callers
    for event in trace.of(Role.STORE):
        if id(event.node) in used:
            continue
        token = event.values[0].refs
        if event.value.leaf == Leaf.LEAF or not _is_live(trace, event) or not _lasts(trace, event):
            continue
        outlived, _ = event.detail
        spent = trace.is_passed_back([event.value], token) or (
            trace.is_spent(event.value, token) and (not outlived or trace.is_rebuilt(event.value, outlived))
        )
        if trace.is_comprehended(event) and not spent:
            continue
        if spent or (event.mode == Grad.LIVE and _stays(trace, event, token)):
            leak = "which keeps its graph's nodes alive" if spent else "which keeps its graph and activations alive"
            yield Finding(event.node, {"history": trace.history(event.value), "leak": leak}, tensors.stored(trace, event))


def _is_live(trace: Trace, event: Event) -> bool:
    return trace.is_live(event.value) and not trace.is_only_declared(event.value)


def _lasts(trace: Trace, event: Event) -> bool:
    """Whether the store grows: not a bounded container, not the same key again, not a module's own forward."""
    _, overwritten = event.detail
    bounded = "bounded" in event.target.names or event.target.refs & trace.bounded
    return not overwritten and not bounded and not trace.serves_forward(event.frame) and not _is_passing(trace, event)


def _is_passing(trace: Trace, event: Event) -> bool:
    """Whether the container is new in each call or iteration: a list of a method of a model, or one of which something is back-propagated."""
    made = event.target.refs
    listed = bool(made) and not event.target.kind & Kind.TENSOR
    if listed and trace.is_model_method(event.frame) and all(trace.is_made_below(a, event.frame) and trace.sites[a].node for a in made):
        return True
    return any(trace.born.get(a) and trace.kept.get(a, frozenset()) & trace.backpropagated for a in made)


def _is_made_in_comprehension(trace: Trace, event: Event) -> bool:
    """Whether a part of the graph is made anew for each item."""
    made = event.value.refs | (event.value.history - trace.leaves)
    return any(isinstance(trace.loops[loop][0], ast.expr) for token in made for loop in trace.born.get(token, ()))


def _stays(trace: Trace, event: Event, token: frozenset[int]) -> bool:
    """Whether the container is the file's own, and what it holds stays in the file."""
    outlived, _ = event.detail
    if outlived:
        own = trace.in_real_loop(event) and trace.is_rebuilt(event.value, outlived)
    else:  # an attribute is given a whole comprehension of live tensors
        own = trace.is_reached(event.frame) and event.value.kind == Kind.TENSOR and _is_made_in_comprehension(trace, event)
    return own and not (token & trace.escaped or trace.is_given_away(token))
