"""What a call does with a live tensor: raise, warn, show its text, keep its graph, hand it back; and what each role of a row asks of that.

Here: one call made and watched, and the comparison with a row. Not here: which calls are made (sink_calls, sink_packages).
"""

from __future__ import annotations

import contextlib
import gc
import io
import itertools
import logging
import math
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sink_calls import Call, World

from flake8_detach.knowledge.sinks import Role

NUMPY = "Can't call numpy() on Tensor that requires grad"
FLOAT = "Converting a tensor with requires_grad=True to a scalar"


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


@contextlib.contextmanager
def streams() -> Iterator[io.StringIO]:
    """All text of a call: what is printed, and what the root logger is told."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    # pytest's own handler keeps every record, with the tensors in it
    root.handlers, root.level = [handler], logging.DEBUG
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            yield out
    finally:
        root.handlers, root.level = handlers, level


def outcome(call: Call, owner: Callable[[], Any], kind: str) -> Outcome:
    """What happens when the call is made; its result is dropped before the graph is looked for."""
    saved: list[weakref.ref[Box]] = []
    given = world(kind, saved)
    error, live = "", False
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings(record=True) as caught, streams() as out:
            warnings.simplefilter("always")
            receiver = owner()
            try:
                live = is_live(call(receiver, given))
            except Exception as raised:
                error = f"{type(raised).__name__}: {raised}"
    finally:
        torch.set_warn_always(False)
    messages = [str(one.message) for one in caught]
    del given, caught
    for wait in (0.0, 0.1):  # a thread of the library may be at work with it
        if any(ref() is not None for ref in saved):
            time.sleep(wait)
            gc.collect()
    text = "".join([out.getvalue(), *messages])
    return Outcome(error, any(FLOAT in m for m in messages), "grad_fn" in text, any(ref() is not None for ref in saved), live)


def is_live(result: object) -> bool:
    if isinstance(result, (pd.DataFrame, pd.Series)):
        return is_live(list(result.to_numpy().ravel()))
    if isinstance(result, (list, tuple)) and result:
        return is_live(result[0])
    return isinstance(result, torch.Tensor) and result.requires_grad


def sensible(calls: list[Call], owner: Callable[[], Any]) -> list[Call]:
    """The first few calls that an array, or a number, can be given to."""
    return list(itertools.islice((call for call in calls if not outcome(call, owner, "plain").error), 3))


def check(role: Role, group: Any, live: list[Outcome], cut: list[Outcome]) -> None:
    """Whether the outcomes are what a role and the group's clause say, and not so for a tensor without history."""
    match role:
        case Role.ARRAY if "answers False" in group.does:
            assert not any(one.error for one in live)
        case Role.ARRAY if "unrecognized input" in group.does:
            assert all(one.error for one in live)
            assert not any(one.error for one in cut)
        case Role.ARRAY:
            assert any(one.converts for one in live)
            assert not any(one.converts for one in cut)
        case Role.NUMBER:
            assert any(one.warned for one in live)
            assert not any(one.warned for one in cut)
        case Role.TYPE_ERROR:
            assert all(one.error and not one.converts for one in live)
            assert all(one.error for one in cut)
        case Role.LOG:
            assert not all(one.error for one in live)
            assert any(one.shown for one in live) is ("grad_fn" in group.does)
            assert not any(one.kept for one in live)
        case Role.KEEPS:
            assert any(one.kept or one.live for one in live)
        case Role.INERT:
            assert not any(one.error or one.warned or one.shown or one.kept for one in live)
            assert any(one.live for one in live) is group.passes
