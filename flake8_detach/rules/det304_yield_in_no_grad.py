"""`yield` or `await` inside a `with torch.no_grad()` block.

Harm: the mode belongs to the thread, not to the function: between two items the consumer's code runs with gradients off, and so do other tasks
while one awaits. After a `break` they stay off as long as the generator lives. Silent. The same with `inference_mode`, on all versions.

Bad:
    import torch
    def features(model, xs):
        with torch.no_grad():
            for x in xs:
                yield model(x)
    for y in features(torch.nn.Linear(2, 1), [torch.ones(3, 2)] * 2):
        y.sum()

Good:
    import torch
    @torch.no_grad()
    def features(model, xs):
        for x in xs:
            yield model(x)
    for y in features(torch.nn.Linear(2, 1), [torch.ones(3, 2)] * 2):
        y.sum()

Silent when: the decorator is on the generator function (it restores the mode at each yield); `@contextmanager` and pytest fixtures; the block is
closed before the yield.

Fix: Safe: the decorator instead of the block, in a generator that does nothing else. Elsewhere there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import modes
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace

MESSAGE = "`{word}` inside a block without gradients: {who} with gradients off: {cure}"
LOUD = False

WORDS = {
    "yield": ("the consumer's code runs", "decorate the function, or close the block before the `yield`"),
    "await": ("other tasks run meanwhile", "close the block before the `await`"),
}


def check(trace: Trace) -> Iterator[Finding]:
    """Each pause in such a block."""
    for event in trace.of(Role.SWITCH):
        if isinstance(event.detail, str) and event.detail in WORDS:
            who, cure = WORDS[event.detail]
            yield Finding(event.node, {"word": event.detail, "who": who, "cure": cure}, modes.narrowed(trace, event.node))
