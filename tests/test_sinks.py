"""The tables of sinks against the laws they claim, and against the packages they speak of.

Here: laws over all rows, and a measurement of every row whose package is in the `test` extra: the role must be what really happens to a
live tensor, and must not happen to one without history. Not here: how each row is called (`sink_calls`), what the rules make of a role.
"""

from __future__ import annotations

import collections
import gc
import io
import logging
import math
import sys
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sink_calls import MEASURED, RECIPES, WRITERS, World, generic
from sink_outcomes import Box, Outcome, check, outcome, sensible, world

from flake8_detach.knowledge import sinks
from flake8_detach.knowledge.sinks import Role

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


def test_what_shows_text_says_so() -> None:
    assert [group for group in GROUPS if group.role is Role.TYPE_ERROR and group.text is not ("grad_fn" in group.does)] == []


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

ROLE_ROWS = [
    (owner, name, group)
    for owner, name, group in ROWS
    if owner in MEASURED and "numpy 1.26" not in group.source[:20] and (sys.version_info >= (3, 11) or name not in ("cbrt", "exp2"))
]


@pytest.fixture(autouse=True, scope="module")
def _elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the calls write goes to a directory of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("sinks"))
        yield


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")
    while WRITERS:
        WRITERS.pop().close()


@pytest.mark.parametrize(("owner", "name", "group"), ROLE_ROWS, ids=[f"{owner}.{name}" for owner, name, _ in ROLE_ROWS])
def test_the_role_is_what_happens(owner: str, name: str, group: Any) -> None:
    make = MEASURED[owner]
    recipe = RECIPES.get(f"{owner}.{name}") or RECIPES.get(name)
    bare, inside = generic(name)
    calls = [recipe] if recipe else sensible(bare, make)
    if group.role is Role.TYPE_ERROR:
        calls = calls or bare
    assert calls, "no call makes sense: add a recipe"
    check(group.role, group, [outcome(call, make, "live") for call in calls], [outcome(call, make, "cut") for call in calls])
    if group.inner is not None and (calls := [] if recipe else sensible(inside, make)):
        check(group.inner, group, [outcome(call, make, "live") for call in calls], [outcome(call, make, "cut") for call in calls])


TEMPLATES = [(owner, name, group.template) for owner, name, group in ROLE_ROWS if group.template is not None]


@pytest.mark.parametrize(("owner", "name", "place"), TEMPLATES, ids=[f"{owner}.{name}" for owner, name, _ in TEMPLATES])
def test_a_template_is_filled_as_percent_does(owner: str, name: str, place: int) -> None:
    before = [logging.INFO][:place]
    number = outcome(lambda o, w: getattr(o, name)(*before, "loss %f", w.s), MEASURED[owner], "live")
    assert number == Outcome(error="", warned=True, shown=False, kept=False, live=False)
    text = outcome(lambda o, w: getattr(o, name)(*before, "loss %s", w.s), MEASURED[owner], "live")
    assert text == Outcome(error="", warned=False, shown=True, kept=False, live=False)


TEXTS = [(owner, name) for owner, name, group in ROLE_ROWS if group.text and group.role is Role.TYPE_ERROR and name != "add_text"]


@pytest.mark.parametrize(("owner", "name"), TEXTS, ids=[".".join(pair) for pair in TEXTS])
def test_what_refuses_a_tensor_shows_its_text(owner: str, name: str) -> None:
    def call(receiver: Any, given: World) -> None:
        text = str(given.s)
        getattr(receiver, name)([text] if name == "writelines" else text)
        if isinstance(receiver, io.StringIO) and receiver is not sys.stdout:
            print(receiver.getvalue())

    assert outcome(call, MEASURED[owner], "live") == Outcome(error="", warned=False, shown=True, kept=False, live=False)


def test_an_array_comparison_swallows_the_error() -> None:
    live, cut = world("live", []), world("cut", [])
    assert np.array_equal(cut.v, cut.v)
    assert not np.array_equal(live.v, live.v)


def test_a_warning_keeps_its_message() -> None:
    """In `__warningregistry__`, where a warning is shown once for a place and its text."""
    saved: list[weakref.ref[Box]] = []
    registry: dict[object, object] = {}
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("default")
        warnings.warn_explicit(world("live", saved).s, UserWarning, "train.py", 1, registry=registry)  # type: ignore[arg-type]
    gc.collect()
    assert any(ref() is not None for ref in saved)
    registry.clear()


def test_number_sinks_take_a_number_without_a_word() -> None:
    """The cure of DET204 is silent."""
    given = world("live", [])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert float(given.s.item()) == pytest.approx(0.09)
        assert math.sqrt(given.s.item()) == pytest.approx(0.3)
