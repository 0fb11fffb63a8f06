"""Every row of the tables of sinks whose package is no part of the `test` extra, against that real package, without a network.

    pip install '.[test,sinks]' && pytest tests/test_sink_packages.py

Here: what a live scalar and a live vector do there (keep the graph alive, show grad_fn, warn, raise, are detached) must be what the row says. A row
whose package isn't installed is skipped; the summary names the packages. Not here: how the calls are made (sink_recipes).
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sink_calls import MEASURED, Call, generic
from sink_outcomes import check, outcome
from sink_packages import DISTRIBUTIONS, UNMEASURED, maker
from sink_recipes import KEPT, RECIPES, metrics, updates, wide

from flake8_detach.knowledge import sinks
from flake8_detach.knowledge.sinks import Role

ROWS = [(owner, name, group) for table in sinks.TABLES for group in table for owner in group.of.split() for name in group.calls if owner not in MEASURED]
METRICS = ("torchmetrics", "ignite")

os.environ.update(WANDB_SILENT="true", WANDB_ERROR_REPORTING="false", COMET_LOGGING_CONSOLE="ERROR", HF_HUB_OFFLINE="1", AIM_ACCESS_TOKEN="")


@pytest.fixture(autouse=True, scope="module")
def _elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the calls write goes to a directory of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("sinks"))
        yield


@pytest.mark.parametrize(("owner", "name", "group"), ROWS, ids=[f"{owner}.{name}" for owner, name, _ in ROWS])
def test_the_role_is_what_happens(owner: str, name: str, group: Any) -> None:
    root = owner.partition(".")[0]
    if importlib.util.find_spec(root) is None:
        pytest.skip(f"{DISTRIBUTIONS.get(root, root)} is not installed")
    reason = UNMEASURED.get(root) or UNMEASURED.get(f"{owner}.{name}")
    if reason:
        pytest.skip(f"{owner}.{name}: {reason}")
    make, calls = metric(owner, name) if root in METRICS else (maker(owner, name), plausible(owner, name, group))
    if not calls:
        pytest.fail("no call makes sense: add a recipe")
    live = []
    for call in calls:
        live.append(outcome(call, make, "live"))
        KEPT.clear()
    cut = []
    for call in calls:
        cut.append(outcome(call, make, "cut"))
        KEPT.clear()
    check(group.role, group, live, cut)


def plausible(owner: str, name: str, group: Any) -> list[Call]:
    """The recipe of a row, or the calls that take plain numbers and arrays; of what refuses tensors, all."""
    full = f"{owner}.{name}"
    if full in RECIPES:
        return RECIPES[full]
    found = [call for call in wide(name) if not outcome(call, maker(owner, name), "plain").error][:4]
    return found or (generic(name)[0] if group.role is Role.TYPE_ERROR else [])


def metric(owner: str, name: str) -> tuple[Callable[[], Any], list[Call]]:
    """A metric as it may be made, and the batches that it takes."""
    for make in metrics(owner):
        calls = [call for call in updates(name) if not outcome(call, make, "cut").error][:2]
        KEPT.clear()
        if calls:
            return make, calls
    return maker(owner), []
