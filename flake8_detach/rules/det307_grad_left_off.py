"""`torch.set_grad_enabled(False)` as a statement, and training after it.

Harm: everything that follows in the thread is computed without a graph: `loss.backward()` raises `element 0 of tensors does not require grad`,
far from the line that is to blame. New threads start with gradients on. All versions of torch.

Bad:
    import torch
    torch.set_grad_enabled(False)
    model = torch.nn.Linear(2, 1)
    model(torch.ones(3, 2)).mean().backward()

Good:
    import torch
    with torch.set_grad_enabled(False):
        model = torch.nn.Linear(2, 1)
    model(torch.ones(3, 2)).mean().backward()

Silent when: another statement switches gradients on again before anything trains; the argument is a condition; a `with` or a decorator; the program
only infers.

Fix: Unsafe: `with torch.set_grad_enabled(False):` around the rest of the block, where nothing in it is back-propagated.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import modes
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text

MESSAGE = "`{code}` leaves gradients off for `backward()` at line {line}: use it as `with ...:`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each statement under whose rule something is back-propagated."""
    for event in trace.of(Role.SWITCH):
        if isinstance(event.detail, tuple) and event.detail[0] == "left off":
            yield Finding(event.node, {"code": text(event.node), "line": str(event.detail[1].lineno)}, modes.entered(trace, event.node))
