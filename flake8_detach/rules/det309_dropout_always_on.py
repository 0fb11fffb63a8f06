"""`F.dropout(x)` without `training=`, or a dropout layer that is built in `forward`, inside a model.

Harm: the function's `training` is True by default and a fresh layer is in train mode, so `eval()` does not reach them: predictions stay random.
Silent. All versions of torch.

Bad:
    import torch
    import torch.nn.functional as F
    class Net(torch.nn.Module):
        def forward(self, x):
            return F.dropout(x, 0.3)
    Net().eval()(torch.ones(4))

Good:
    import torch
    import torch.nn.functional as F
    class Net(torch.nn.Module):
        def forward(self, x):
            return F.dropout(x, 0.3, training=self.training)
    Net().eval()(torch.ones(4))

Silent when: `training=` is given in any way; the function looks at a training flag; `p` is 0; `F.alpha_dropout` (off by default); names that say it
is meant (Monte-Carlo dropout, a prenet); outside of models.

Fix: Unsafe: `training=self.training` for the function: evaluation changes, as it should. For a layer that is built in `forward` there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_detach.cures import spelling
from flake8_detach.knowledge.pattern import Pattern
from flake8_detach.passes import names
from flake8_detach.rule import Finding
from flake8_detach.trace import Role, Trace, text

MESSAGE = "`{code}` drops in eval mode too: {cure}"
LOUD = False
CURES = {"function": "pass `training=self.training`", "layer": "build the layer in `__init__`"}
MEANT = Pattern(r"(^|_)(mc|monte|carlo|bayes\w*|prenet|uncertain\w*|stochastic|augment\w*|noise|noisy|corrupt\w*|always|ensemble)(_|$)")


def check(trace: Trace) -> Iterator[Finding]:
    """Each dropout of a model that its mode does not switch."""
    for event in trace.of(Role.DROPOUT):
        if trace.is_model_method(event.frame) and not MEANT.search(names(trace, event.frame)):
            yield Finding(event.node, {"code": text(event.node), "cure": CURES[event.detail]}, spelling.training_given(trace, event.node))
