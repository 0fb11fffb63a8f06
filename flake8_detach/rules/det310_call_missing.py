"""`loss.backward`, `optimizer.step`, `optimizer.zero_grad`, `model.eval` or `model.train` is named, not called.

Harm: nothing happens and nothing says so: no gradient, no step, the wrong mode. Silent. All versions of torch.

Bad:
    import torch
    model = torch.nn.Linear(2, 1)
    model.eval

Good:
    import torch
    model = torch.nn.Linear(2, 1)
    model.eval()

Silent when: the object is not known to be a tensor, a module or an optimizer; the name is used in an expression.

Fix: Unsafe: the parentheses. Something runs that did not, as it should.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import spelling
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace, text
from flake8_detach.value import Kind

MESSAGE = "`{code}` names a method without calling it, which does nothing: add `()`"
LOUD = False
OWNERS = {
    "backward": Kind.TENSOR,
    "step": Kind.OPTIMIZER | Kind.SCHEDULER,
    "zero_grad": Kind.OPTIMIZER | Kind.MODULE,
    "eval": Kind.MODULE,
    "train": Kind.MODULE,
}


def check(trace: Trace) -> Iterator[Finding]:
    """Each method of a known object that stands as a statement."""
    for event in trace.of(Role.NAMED):
        if event.value.kind & OWNERS[event.detail] or _is_known(trace, event):
            yield Finding(event.node, {"code": text(event.node)}, spelling.called(event.node))


def _is_known(trace: Trace, event: Event) -> bool:
    """Whether an object that the file does not make is what has such a method, by what else is done with it."""
    if event.value.kind & ~Kind.UNKNOWN:
        return False
    if event.detail in ("eval", "train"):
        return trace.is_module(event.value)
    return event.detail in ("backward", "zero_grad")
