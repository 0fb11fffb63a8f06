"""A grad-mode switch decorates an `async def` or a class.

Harm: a decorated coroutine function only makes the coroutine without gradients, and its body runs with them, on every version of torch. Of a
class only `__init__` is wrapped, and the name is bound to a function: `isinstance` and subclassing fail. Silent
(a class: silent up to torch 1.13, UserWarning on 2.0 and 2.1, FutureWarning since 2.7).

Bad:
    import torch
    @torch.no_grad()
    async def answer(model, x):
        return model(x)

Good:
    import torch
    async def answer(model, x):
        with torch.no_grad():
            return model(x)

Silent when: functions, methods and generator functions are decorated.

Fix: Safe: the switch moves into the body as a block, where nothing is awaited in it. For a class there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import modes
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text

MESSAGE = "`@{code}` {fact}: {cure}"
LOUD = False

FACTS = {
    "coroutine": ("does not reach the body of an `async def`", "use `with ...:` inside it"),
    "class": ("on a class wraps `__init__` alone and turns the name into a function", "decorate its methods"),
}


def check(trace: Trace) -> Iterator[Finding]:
    """Each switch on a coroutine function or a class."""
    for event in trace.of(Role.SWITCH):
        if isinstance(event.detail, str) and event.detail in FACTS:
            fact, cure = FACTS[event.detail]
            yield Finding(event.node, {"code": text(event.node), "fact": fact, "cure": cure}, modes.on_coroutine(trace, event.node, event.detail))
