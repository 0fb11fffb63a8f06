"""The tables of sinks against the laws they claim, and against the packages they speak of.

Here: laws over all rows, and a measurement of every row whose package is in the `test` extra: the role must be what really happens to a live
tensor. Not here: what the rules make of a role. A row is called with generic arguments; `RECIPES` holds the calls that need particular ones.
"""

from __future__ import annotations

import array
import cmath
import collections
import contextlib
import copy
import csv
import datetime
import decimal
import fractions
import gc
import io
import json
import logging
import math
import pickle
import pprint
import random
import statistics
import struct
import sys
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import matplotlib
import matplotlib.cm
import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
import tqdm
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.tensorboard import SummaryWriter

from flake8_detach.knowledge import sinks
from flake8_detach.knowledge.sinks import Role, Sink

matplotlib.use("Agg")

GROUPS = [group for table in sinks.TABLES for group in table]
ROWS = [(owner, name, group) for group in GROUPS for owner in group.of.split() for name in group.calls]
OWNERS = {owner for owner, _, _ in ROWS}


# Laws


def test_a_call_has_one_row() -> None:
    counted = collections.Counter(f"{owner}.{name}" for owner, name, _ in ROWS)
    assert [name for name, count in counted.items() if count > 1] == []


def test_every_group_says_what_it_does_and_how_that_is_known() -> None:
    assert [group for group in GROUPS if not group.does or group.does[0].isupper() or group.does.endswith(".")] == []
    assert [group for group in GROUPS if not group.source.startswith(("measured, ", "documented, ", "read in the source, "))] == []


def test_a_template_is_text_of_a_log() -> None:
    assert [group for group in GROUPS if group.template is not None and not (group.text and group.role is Role.LOG)] == []


def test_arguments_are_positions_and_keywords() -> None:
    for group in GROUPS:
        for arguments in filter(None, group.calls.values()):
            assert len(set(arguments)) == len(arguments) and all(isinstance(a, str) or a >= 0 for a in arguments)
    assert not any(arguments == () for group in GROUPS for arguments in group.calls.values())


def test_every_row_answers() -> None:
    for owner, name, group in ROWS:
        found = sinks.of_method(owner, name) or sinks.of_function(f"{owner}.{name}")
        assert found is not None and found.role is group.role, f"{owner}.{name}"


def test_aliases_resolve() -> None:
    """A canonical name is its own, and means something: it bears rows, or leads to what bears them."""
    known = {*OWNERS, *sinks.RETURNS, *sinks.RETURNS.values(), *(f"{owner}.{name}" for owner, name, _ in ROWS)}
    for spelled in sinks.ALIASES:
        name = sinks.canonical(spelled)
        assert name not in sinks.ALIASES and any(f"{one}.".startswith(f"{name}.") for one in known), spelled


def test_what_is_returned_has_sinks_or_leads_to_them() -> None:
    classes = {one for made in [*sinks.RETURNS.values(), *sinks.OBJECTS.values()] for one in made.split(", ")}
    assert [one for one in classes if one not in OWNERS and not any(key.startswith(f"{one}.") for key in sinks.RETURNS)] == []


def test_habits_vouch_for_rows_only() -> None:
    for owner, names in sinks.HABITS.items():
        assert [name for name in names if sinks.of_method(owner, name) is None] == [], owner
    assert set(sinks.RECEIVER_IDIOMS.values()) <= set(sinks.HABITS)
    assert [name for name, owner in sinks.DISTINCTIVE.items() if sinks.of_method(owner, name) is None] == []


@pytest.mark.parametrize("name", ["info", "log", "plot", "write", "update", "append", "step", "fit", "print"])
def test_a_common_method_name_alone_means_nothing(name: str) -> None:
    assert sinks.of_method(None, name) is None
    assert sinks.of_receiver("self", name) is None


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("print", "print"),
        ("tqdm.auto.tqdm.write", "tqdm.tqdm.write"),
        ("loguru.logger.info", "loguru.Logger.info"),
        ("lightning.pytorch.LightningModule.log", "pytorch_lightning.LightningModule.log"),
        ("matplotlib.pylab.plot", "matplotlib.pyplot.plot"),
        ("wandb.run.summary.update", "wandb.Summary.update"),
    ],
)
def test_functions_are_found_by_any_spelling(spelled: str, name: str) -> None:
    found = sinks.of_function(spelled)
    assert found is not None and found.name == name


@pytest.mark.parametrize(
    ("made", "by"),
    [
        ("logging.Logger", "logging.getLogger"),
        ("tqdm.tqdm", "tqdm.notebook.tqdm"),
        ("torch.utils.tensorboard.SummaryWriter", "tensorboardX.SummaryWriter"),
        (sinks.FIGURE_AND_AXES, "matplotlib.pyplot.subplots"),
        ("wandb.Run", "wandb.init"),
        ("sklearn.cluster.KMeans", "sklearn.cluster.KMeans"),
        (None, "numpy.array"),
        (None, "sklearn.metrics.f1_score"),
    ],
)
def test_classes_of_what_calls_return(made: str | None, by: str) -> None:
    assert sinks.class_of(by) == made


def test_estimators_share_their_methods() -> None:
    found = sinks.of_method("sklearn.linear_model.Ridge", "fit")
    assert found is not None and found.role is Role.ARRAY and found.takes("X") and not found.takes("sample_weight")


# Measurement

NUMPY = "Can't call numpy() on Tensor that requires grad"
FLOAT = "Converting a tensor with requires_grad=True to a scalar"


class World(NamedTuple):
    """The same three values as live tensors, as tensors without history, or as NumPy has them."""

    s: Any
    v: Any
    m: Any


Call = Callable[[Any, World], object]


class Box:
    """Stands for a tensor that autograd saved: it lives as long as the graph does."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor


class Outcome(NamedTuple):
    error: str  # "" where nothing was raised
    warned: bool  # float() was called on a live tensor
    shown: bool  # a tensor's text reached a stream
    kept: bool  # the graph outlived the call
    live: bool  # the result is a live tensor, or begins with one

    @property
    def converts(self) -> bool:
        return NUMPY in self.error


def world(kind: str, saved: list[weakref.ref[Box]]) -> World:
    def pack(tensor: torch.Tensor) -> Box:
        box = Box(tensor)
        saved.append(weakref.ref(box))
        return box

    def make(*shape: int) -> Any:
        # only inputs are saved: a saved output would hold its own graph
        leaf = torch.linspace(0.3, 0.7, math.prod(shape)).reshape(shape).requires_grad_()
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda box: box.tensor):
            tensor = leaf * leaf / (leaf * leaf).sum() if shape == (3,) else leaf * leaf
        return tensor if kind == "live" else tensor.detach() if kind == "cut" else tensor.detach().numpy().astype(float)

    matrix = make(3, 3)
    unit = torch.eye(3) if isinstance(matrix, torch.Tensor) else np.eye(3)
    return World(make() if kind != "plain" else 0.25, make(3), matrix @ matrix.T + unit)


class Stream(io.StringIO):
    """Takes all text of a call."""


@contextlib.contextmanager
def streams() -> Iterator[Stream]:
    out = Stream()
    handler = logging.StreamHandler(out)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            yield out
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def outcome(call: Call, owner: Any, kind: str) -> Outcome:
    """What happens when the call is made; its result is dropped before the graph is looked for."""
    saved: list[weakref.ref[Box]] = []
    given = world(kind, saved)
    error, live = "", False
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings(record=True) as caught, streams() as out:
            warnings.simplefilter("always")
            try:
                live = is_live(call(owner, given))
            except Exception as raised:
                error = f"{type(raised).__name__}: {raised}"
    finally:
        torch.set_warn_always(False)
    messages = [str(one.message) for one in caught]
    del given, caught
    gc.collect()
    text = "".join([out.getvalue(), *messages])
    return Outcome(error, any(FLOAT in m for m in messages), "grad_fn" in text, any(ref() is not None for ref in saved), live)


def is_live(result: object) -> bool:
    if isinstance(result, (list, tuple)) and result:
        return is_live(result[0])
    return isinstance(result, torch.Tensor) and result.requires_grad


A = np.array([0.2, 0.3, 0.5])
B = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0], [7.0, 8.0, 10.0]])


def generic(name: str) -> tuple[list[Call], list[Call]]:
    """Calls with a tensor as such, and calls with tensors in a list: those that make sense are told by trying them with arrays."""

    def calls(*arguments: Callable[[World], tuple[Any, ...]]) -> list[Call]:
        return [lambda owner, w, given=given: getattr(owner, name)(*given(w)) for given in arguments]

    bare = calls(
        lambda w: (w.s,),
        lambda w: (w.v,),
        lambda w: (w.m,),
        lambda w: (w.v, A),
        lambda w: (A, w.v),
        lambda w: (w.m, B),
        lambda w: (w.v, A, A),
        lambda w: (w.v, 1),
        lambda w: (1, w.s),
        lambda w: (w.s, 1),
    )
    inside = calls(lambda w: ([w.s, w.s],), lambda w: ([w.v, w.v],), lambda w: ([w.m, w.m],), lambda w: ([w.v, w.v], A))
    return bare, inside
