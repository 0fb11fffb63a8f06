"""The discriminator's loss back-propagates into the generator: its fake input is not detached.

Harm: where the generator's gradients are cleared before its own `backward()`, training is bit-identical and only the work of one more backward
through the generator is wasted; where they are not, the generator also learns to please the discriminator's loss. Silent. Measured on torch 2.13.

Bad:
    import torch
    G, D = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)
    opt_g = torch.optim.SGD(G.parameters(), lr=0.1)
    opt_d = torch.optim.SGD(D.parameters(), lr=0.1)
    for _ in range(3):
        opt_d.zero_grad()
        D(G(torch.ones(4, 2))).mean().backward()
        opt_d.step()
        opt_g.zero_grad()
        (-D(G(torch.ones(4, 2))).mean()).backward()
        opt_g.step()

Good:
    import torch
    G, D = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)
    opt_g = torch.optim.SGD(G.parameters(), lr=0.1)
    opt_d = torch.optim.SGD(D.parameters(), lr=0.1)
    for _ in range(3):
        opt_d.zero_grad()
        D(G(torch.ones(4, 2)).detach()).mean().backward()
        opt_d.step()
        opt_g.zero_grad()
        (-D(G(torch.ones(4, 2))).mean()).backward()
        opt_g.step()

Silent when: both optimizers step on the same backward (a joint loss); the generator is frozen or runs under no_grad; the file does not show which
optimizer holds which network.

Fix: `.detach()` on the fake. Safe where it only saves work: the generator's gradients are cleared before its own `backward()`, and nothing else is
computed from that call; else unsafe.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.adversaries import DETACH, WASTED, Fed, fed_in_vain
from flake8_detach.cures import tensors
from flake8_detach.rule import Edit, Finding
from flake8_detach.trace import Role, Trace

MESSAGE = "this loop only steps the network called here, yet it back-propagates into the one that made its input, {harm} (from {history}): {cure}"
LOUD = False


def check(trace: Trace) -> Iterator[Finding]:
    """Each call of a network on the live output of another that the same backward feeds in vain."""
    for fed in fed_in_vain(trace):
        yield Finding(fed.node, {"history": trace.history(fed.fake), "harm": fed.harm, "cure": fed.cure}, _detached(trace, fed))


def _detached(trace: Trace, fed: Fed) -> Edit | None:
    """`.detach()` on the fake, where that is all there is to do: safe if only work is saved, which nobody sees, and nothing else trains on the fake."""
    if fed.cure != DETACH or trace.seen is None:
        return None
    uses = {id(e.node) for e in trace.of(Role.BACKWARD) if e.value.reach & fed.fake.refs}
    safe = fed.harm == WASTED and len(uses) == 1 and not tensors.reads_gradients(trace)
    return tensors.sharing(trace, tensors.arguments(fed.node), fed.fake, safe)
