"""A grad-mode switch that does nothing or crashes.

Harm: `torch.no_grad()` as a statement changes nothing; `with torch.no_grad:` raises TypeError; the context of a discarded
`inference_mode().__enter__()` is lost at once; `volatile=True` is ignored; a block that only creates tensors had no gradients to switch off;
one context object nested in itself leaves gradients off for good. Silent but for the crash. Measured on torch 2.13.
Before torch 2.1 `@torch.no_grad` without parentheses raised TypeError, and `@torch.set_grad_enabled(False)` switched the whole thread off (fixed by 2.7).

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    torch.no_grad()
    model(torch.ones(3, 2))

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    with torch.no_grad():
        model(torch.ones(3, 2))

Silent when: a decorator without parentheses (valid since torch 2.1); the manager is kept, returned, passed on or entered by an ExitStack;
`set_grad_enabled(...)` as a statement (it takes effect); a class of that name from another library.

Fix: Safe for the missing parentheses of a `with` and for a block that only creates tensors; unsafe for `torch.no_grad()` as a statement, which
becomes a block around what follows.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import modes
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text

MESSAGE = "`{code}` {fact}: {cure}"
LOUD = False

FACTS = {
    "bare": ("is never entered and changes nothing", "use it as `with ...:` or as a decorator"),
    "uncalled": ("in a `with` is not called and raises", "add `()`"),
    "volatile": ("has no effect since torch 0.4", "use `with torch.no_grad():`"),
    "lost": ("is discarded, so the mode is restored at once", "use it as `with ...:`"),
    "creates": ("encloses only tensor creation, which builds no graph", "move it to where the model runs"),
    "nested": ("is entered inside itself and leaves gradients off for good", "make a new context for each `with`"),
}


def check(trace: Trace) -> Iterator[Finding]:
    """Each dead switch."""
    for event in trace.of(Role.SWITCH):
        if isinstance(event.detail, str) and event.detail in FACTS:
            fact, cure = FACTS[event.detail]
            yield Finding(event.node, {"code": text(event.node), "fact": fact, "cure": cure}, modes.revived(trace, event.node, event.detail))
