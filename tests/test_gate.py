"""The gate: which files are interpreted at all.

What lives here: files on either side of the gate. What must not: what the rules say of a file that is let through.
"""

from __future__ import annotations

import pytest

from flake8_detach import analysis

TRAINER = """
class Trainer:
    def step(self, x, y):
        self.model.zero_grad()
        loss = self.criterion(self.model(x), y)
        loss.backward()
        print(loss)
"""


@pytest.mark.parametrize("first", ["import torch", "import numpy", "from layers import *", "from torchvision.models import resnet18"])
def test_open(first: str) -> None:
    assert analysis.may_fire(f"{first}\n{TRAINER}")


@pytest.mark.parametrize("first", ["import paddle", "from mxnet import autograd", "from tinygrad.tensor import Tensor"])
def test_shut_for_rivals(first: str) -> None:
    assert not analysis.may_fire(f"{first}\n{TRAINER}")


def test_shut_where_nothing_is_trained() -> None:
    assert not analysis.may_fire("import logging\nlogging.info('torch')\nvalues.append(1)\n")
