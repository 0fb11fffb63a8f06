"""An iterator over parameters (`ps = model.parameters()`) is used a second time, when it has nothing left to give.

Harm: the optimizer has taken all parameters out of it, so a clip over it clips nothing and returns 0 (a UserWarning since 2.8, silent before), a
second optimizer raises "got an empty parameter list", a loop over it does nothing. Mostly silent. Measured on torch 2.13.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    params = model.parameters()
    optimizer = torch.optim.SGD(params, lr=0.1)
    loss = model(torch.ones(3, 2)).mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(params, 1.0)
    optimizer.step()

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    params = list(model.parameters())
    optimizer = torch.optim.SGD(params, lr=0.1)
    loss = model(torch.ones(3, 2)).mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(params, 1.0)
    optimizer.step()

Silent when: the parameters are in a list; `model.parameters()` is called anew each time; the first use stands on one branch only.

Fix: Unsafe: `list(...)` where the iterator is made. The second use does something, as it should.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_detach.cures import spelling
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace

MESSAGE = "this iterator over parameters has given them all at line {line}, so nothing is left here: make it a `list(...)`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each use of an iterator that was used up."""
    for event in trace.of(Role.AGAIN):
        yield Finding(event.node, {"line": str(getattr(event.detail, "lineno", "?"))}, spelling.listed(_made(trace, event), safe=False))


def _made(trace: Trace, event: Event) -> ast.AST | None:
    """Where the one iterator is made."""
    nodes = [trace.sites[token].node for token in event.value.refs]
    return nodes[0] if len(nodes) == 1 and isinstance(nodes[0], ast.Call) else None
