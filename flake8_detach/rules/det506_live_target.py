"""A bootstrap target (`r + gamma * Q(next)`) enters the loss live.

Harm: where a separate target network makes it, its parameters collect gradients that nobody uses, and a backward through it is paid; where the
trained network itself makes it, the gradient is another one: the target is pulled towards the prediction. Silent. Measured on torch 2.13.

Bad:
    import copy
    import torch
    import torch.nn.functional as F
    net = torch.nn.Linear(2, 1)
    target_net = copy.deepcopy(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    reward = torch.ones(3, 1)
    for _ in range(3):
        target = reward + 0.9 * target_net(torch.ones(3, 2))
        loss = F.mse_loss(net(torch.ones(3, 2)), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

Good:
    import copy
    import torch
    import torch.nn.functional as F
    net = torch.nn.Linear(2, 1)
    target_net = copy.deepcopy(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    reward = torch.ones(3, 1)
    for _ in range(3):
        with torch.no_grad():
            target = reward + 0.9 * target_net(torch.ones(3, 2))
        loss = F.mse_loss(net(torch.ones(3, 2)), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

Silent when: the target is detached, made under no_grad or by a frozen network; the gradient goes through the target network to something that is
trained (an actor); two live branches are compared that are no bootstrap.

Fix: `.detach()` on the target: safe for a network that nobody trains, where the program reads no gradients; unsafe for the trained one, whose
training changes, as it should.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach import steps
from flake8_detach.cures import tensors
from flake8_detach.knowledge import idioms
from flake8_detach.rule import Edit, Finding
from flake8_detach.trace import Event, Made, Role, Trace
from flake8_detach.value import Value

MESSAGE = "the target enters the loss live (from {history}), {harm}: compute it under no_grad or `.detach()` it"
LOUD = False

WASTED = "so the target network collects gradients that nobody uses"
WRONG = "so the gradient also pulls the target towards the prediction"


def check(trace: Trace) -> Iterator[Finding]:
    """Each place where a live target meets the prediction that is trained."""
    optimized = frozenset(t for held in trace.optimized.values() for t in steps.owners(trace, held))
    for turn in steps.turns(trace):
        for index, backward in turn.of(Role.BACKWARD):
            stepping = steps.users(turn, index)
            trained = frozenset(t for e in stepping for t in steps.holdings(trace, e.value)) - {0}
            if trained:
                yield from _targets(trace, backward, trained, optimized)


def _targets(trace: Trace, backward: Event, trained: frozenset[int], optimized: frozenset[int]) -> Iterator[Finding]:
    for token, made in steps.graph(trace, backward.value):
        live = [(v, steps.trainers(trace, v)) for v in made.operands if v.history and trace.is_live(v)]
        if len(live) < 2:
            continue
        for target, made_by in live:
            if not any(owners & trained for value, owners in live if value is not target):
                continue
            if made_by and all(m not in optimized and trace.copies.get(m) for m in made_by):
                place = _assembly(trace, target, token, made)
                safe = not tensors.reads_gradients(trace)
                yield Finding(place, {"history": trace.history(target), "harm": WASTED}, _detached(trace, place, target, safe))
            elif made_by and made_by <= trained and _is_bootstrap(trace, target):
                place = _assembly(trace, target, token, made)
                yield Finding(place, {"history": trace.history(target), "harm": WRONG}, _detached(trace, place, target, safe=False))


def _assembly(trace: Trace, target: Value, token: int, meeting: Made) -> ast.AST:
    """The expression that makes the target, where it stands in the function that compares it."""
    for ref in target.refs:
        if trace.sites[ref].frame == trace.sites[token].frame and isinstance(node := trace.sites[ref].node, ast.expr):
            return node
    return meeting.node


def _detached(trace: Trace, place: ast.AST, target: Value, safe: bool) -> Edit | None:
    """`.detach()` on the target, where it is assembled or where it is compared."""
    whole = [place] if isinstance(place, ast.expr) else []
    return tensors.sharing(trace, whole, target, safe) or tensors.sharing(trace, tensors.arguments(place), target, safe)


def _is_bootstrap(trace: Trace, value: Value, depth: int = 4) -> bool:
    """Whether a value is a reward plus something live times a factor, possibly reshaped."""
    for ref in value.refs:
        made = trace.made.get(ref)
        if made is None:
            continue
        live = [v for v in made.operands if trace.is_live(v)]
        if isinstance(made.node, ast.BinOp) and isinstance(made.node.op, ast.Add) and len(live) == 1:
            sides = (made.node.left, made.node.right)
            return any(isinstance(s, (ast.Name, ast.Attribute, ast.Subscript)) and _is_reward(s) for s in sides)
        if len(live) == 1 and depth and _is_bootstrap(trace, live[0], depth - 1):
            return True
    return False


def _is_reward(node: ast.expr) -> bool:
    return any(idioms.REWARDS.search(name) for name in steps.names(node))
