"""An evaluation pass runs a model with dropout or batch norm that is never put into `eval()`.

Harm: dropout makes every prediction random; batch norm normalises by the evaluated batch and writes the validation data into its running
statistics, also under no_grad; a batch of one raises. Silent. All versions of torch.

Bad:
    import torch
    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Dropout(), torch.nn.Linear(4, 1))
    @torch.no_grad()
    def validate(loader):
        return sum(model(x).mean().item() for x in loader)
    validate([torch.ones(3, 2)] * 2)

Good:
    import torch
    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Dropout(), torch.nn.Linear(4, 1))
    @torch.no_grad()
    def validate(loader):
        model.eval()
        return sum(model(x).mean().item() for x in loader)
    validate([torch.ones(3, 2)] * 2)

Silent when: the file does not show that the model has such a layer; `eval()` or `train(mode)` is called on any path to the pass, or may be by code
that the file does not show; the model runs its own layers in a method of its own (its mode is its user's);
names that say the randomness is meant (Monte-Carlo dropout). Adding `eval()` changes results: unsafe, right.

Fix: Unsafe: `model.eval()` before the pass, and `model.train()` after it where the file trains. The results change, as they should.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import order
from flake8_detach.modes import in_train_mode
from flake8_detach.passes import Pass
from flake8_detach.rule import Finding
from flake8_detach.trace import Trace, text

MESSAGE = "{what} runs `{call}` in train mode, with its dropout or batch norm: call `eval()` before"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """The first model call of each evaluation pass in train mode."""
    first: dict[tuple[int, int], Pass] = {}
    for one in in_train_mode(trace) if trace.fickle else ():
        place = (one.node.lineno, one.node.col_offset)
        known = first.get(one.group)
        if known is None or place < (known.node.lineno, known.node.col_offset):
            first[one.group] = one
    for one in first.values():
        yield Finding(one.node, {"what": one.what, "call": text(one.node)}, order.put_into_eval(trace, one.node))
