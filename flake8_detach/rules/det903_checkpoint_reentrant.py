"""`torch.utils.checkpoint.checkpoint` without `use_reentrant` (opt-in).

Harm: torch warns and uses the reentrant form, which leaves a block untrained when none of its inputs requires grad, and has further limits; the
default is to change. Loud since torch 2.1, silent before.

Bad:
    import torch
    from torch.utils.checkpoint import checkpoint
    model = torch.nn.Linear(2, 1)
    y = checkpoint(model, torch.ones(3, 2))

Good:
    import torch
    from torch.utils.checkpoint import checkpoint
    model = torch.nn.Linear(2, 1)
    y = checkpoint(model, torch.ones(3, 2), use_reentrant=False)

Silent when: `use_reentrant` is given, also by `functools.partial` or `**kwargs`; another function of that name.

Fix: Unsafe: `use_reentrant=False`, right for most code; gradients may appear that were missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import spelling
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text

MESSAGE = "`{call}` without `use_reentrant` warns and takes the reentrant form: pass `use_reentrant=False`"
LOUD = True
OPT_IN = True


def check(trace: Trace) -> Iterator[Finding]:
    """Each such call."""
    for event in trace.of(Role.CHECKPOINT):
        yield Finding(event.node, {"call": text(event.node)}, spelling.given(event.node, "use_reentrant", "False", safe=False))
