"""A Module's attribute is a tensor that requires grad, or a converted Parameter, and is not registered as a parameter.

Harm: `self.w = nn.Parameter(...).to(device)` keeps the copy, a non-leaf, and `self.w = torch.randn(3, requires_grad=True)` a plain tensor:
`parameters()` and `state_dict()` lack both, so they never train, are not saved and do not move. Silent; on a CPU a `.to` that does nothing hides
it.

Bad:
    import torch
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.ones(3, requires_grad=True)
            self.head = torch.nn.Linear(3, 1)
        def forward(self, x):
            return self.head(x * self.scale)
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()

Good:
    import torch
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(3))
            self.head = torch.nn.Linear(3, 1)
        def forward(self, x):
            return self.head(x * self.scale)
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()

Silent when: the Parameter itself is registered too; an optimizer is given the tensor by hand; its own gradient is asked for (`.grad`,
`autograd.grad`); it was computed by a layer; the conversion is known to do nothing; the class is no Module.

Fix: Unsafe: `nn.Parameter(...)` around the tensor, with the conversion inside. It is trained, as it should be.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import spelling
from flake8_detach.rule import Finding
from flake8_detach.trace import Event, Role, Trace
from flake8_detach.value import EMPTY, Grad, Kind, Leaf, Value

MESSAGE = "{what} is not registered as a parameter, so it does not train: {cure}"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each tensor attribute that requires grad and is no Parameter when __init__ has ended."""
    held = {token for tokens in trace.optimized.values() for token in tokens}
    held |= {owner for token in held for owner in trace.shares.get(token, EMPTY)}
    for event in trace.of(Role.FIELD):
        value = event.value
        if value.kind != Kind.TENSOR or value.grad != Grad.LIVE or value.refs & (held | trace.probed):
            continue
        if (value.leaf == Leaf.NONLEAF or value.refs <= trace.moved) and _is_converted(trace, event, value, held):
            fields = {"what": "a converted `nn.Parameter`", "cure": "convert its data inside `nn.Parameter(...)`"}
            yield Finding(event.node, fields, spelling.converted_inside(event.node))
        elif value.leaf == Leaf.LEAF and not any(t in trace.wrapped or t in trace.parameters for t in value.refs) and _is_used(trace, value):
            fields = {"what": "a tensor made with requires_grad", "cure": "wrap it in `nn.Parameter(...)`"}
            yield Finding(event.node, fields, spelling.as_parameter(trace, event.node))


def _is_used(trace: Trace, value: Value) -> bool:
    """Whether something is computed from it with its gradient."""
    return any(v.refs & value.refs for token, made in trace.made.items() if token not in trace.aliases for v in made.operands)


def _is_converted(trace: Trace, event: Event, value: Value, held: set[int], depth: int = 4) -> bool:
    """Whether a tensor is computed from one Parameter alone, which is itself not kept."""
    live = [v for ref in value.refs for v in (trace.made[ref].operands if ref in trace.made else ()) if v.grad & Grad.LIVE]
    if len(live) != 1 or not depth:
        return False
    source = live[0]
    if source.refs & trace.wrapped:
        registered = event.detail if isinstance(event.detail, frozenset) else EMPTY
        if not all(_is_made_with(trace, token, made) for token in source.refs for made in value.refs):
            return False  # somebody else's parameter, given as an argument
        return not source.refs & (registered | held | trace.probed)
    return _is_converted(trace, event, source, held, depth - 1)


def _is_made_with(trace: Trace, token: int, made: int) -> bool:
    """Whether a place is in the `__init__` that another one was made in, or in what it calls."""
    frame = trace.sites[made].frame
    while frame > 0 and getattr(trace.frames[frame].function, "name", "") != "__init__":
        frame = trace.frames[frame].parent
    return frame <= 0 or trace.is_made_below(token, frame)
