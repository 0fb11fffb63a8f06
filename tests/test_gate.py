"""The gate: which files are interpreted at all.

What lives here: files on either side of the gate. What must not: what the rules say of a file that is let through.
"""

from __future__ import annotations

import re

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


def test_whatever_can_fire_holds_one_of_the_words() -> None:
    """The quick look for words before the search is a part of it: each of its alternatives holds one."""
    alternatives = re.split(r"\|(?![^(]*\)\\s)", analysis.CAN_FIRE.pattern)
    spelled = {re.sub(r"\[(.)\w+]|\\b|\\(?=\W)", r"\1", alternative) for alternative in alternatives}
    at_end = {one for one in spelled if one.startswith(".(?:")}
    texts = sorted(spelled - at_end) + [f".{word}\n" for one in at_end for word in re.findall(r"\w{3,}", one)]
    assert len(texts) > 30
    assert not [text for text in texts if not analysis.CAN_FIRE.search(text)]
    assert not [text for text in texts if not any(word in text for word in (*analysis.OFTEN, *analysis.WORDS))]
