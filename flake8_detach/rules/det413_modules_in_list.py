"""Sub-modules or parameters of a Module are held in a plain list, tuple or dict.

Harm: `parameters()`, `state_dict()`, `to()`, `train()` and `eval()` do not see them: they get gradients and never train, are not saved and do not
move. Silent. Measured on torch 2.13.

Bad:
    import torch
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [torch.nn.Linear(2, 2) for _ in range(3)]
            self.head = torch.nn.Linear(2, 1)
        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return self.head(x)
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()

Good:
    import torch
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.ModuleList([torch.nn.Linear(2, 2) for _ in range(3)])
            self.head = torch.nn.Linear(2, 1)
        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return self.head(x)
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()

Silent when: the parts are registered elsewhere (`ModuleList`, `Sequential`, `add_module`, `setattr`), frozen, without parameters, or come from
outside the class; an optimizer is given their parameters by hand; the class is no Module.

Fix: Unsafe: `nn.ModuleList(...)` or its like. What is trained changes, as it should, and the keys of the `state_dict`.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import spelling
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace
from flake8_detach.value import Kind, Value

MESSAGE = "the {parts} in this plain {container} are not registered, so they do not train: use `{cure}`"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each attribute that holds loose modules or parameters when __init__ has ended."""
    held = {token for tokens in trace.optimized.values() for token in tokens}
    for event in trace.of(Role.FIELD):
        if event.value.kind != Kind.CONTAINER:
            continue
        loose = [v for v in event.values if not v.refs & trace.adopted and not _is_given(trace, v, held)]
        if loose:
            tensors = all(v.kind == Kind.TENSOR for v in loose)
            keyed = event.value.refs <= trace.mappings
            cure = ("nn.Parameter" if tensors else "nn.Module") + ("Dict" if keyed else "List")
            parts, container = "parameters" if tensors else "modules", "dict" if keyed else "list"
            whole = len(loose) == len(event.values)
            edit = spelling.registered(trace, event.node, cure.removeprefix("nn.")) if whole else None
            yield Finding(event.node, {"parts": parts, "container": container, "cure": cure}, edit)


def _is_given(trace: Trace, part: Value, held: set[int]) -> bool:
    """Whether an optimizer is given the parameters of a part by hand."""
    return bool(part.refs & held) or any(trace.parameters.get(t, frozenset()) & part.refs for t in held)
