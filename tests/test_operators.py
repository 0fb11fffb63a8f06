"""The table of torch's operators: it is what the installed torch's own tables give, and real tensors behave as a sample of its rows says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from flake8_detach.knowledge import operators, saved
from flake8_detach.runtime.operators import TABLE, table

NUMBERS: dict[str, tuple[Any, ...]] = {"item": (), "numel": (), "dim": (), "is_complex": (), "is_contiguous": (), "equal": (torch.ones(3, 4),)}
UNDIFFERENTIABLE: dict[str, tuple[Any, ...]] = {"eq": (1,), "gt": (0.5,), "isnan": (), "nonzero": (), "any": (), "histc": (4,), "multinomial": (2,)}
VIEWS: dict[str, tuple[Any, ...]] = {
    "transpose": (0, 1), "permute": (1, 0), "view": (-1,), "expand": (3, 4), "squeeze": (), "unsqueeze": (0,), "narrow": (0, 0, 2), "t": (),
    "select": (0, 1), "diagonal": (), "unfold": (1, 2, 1), "swapaxes": (0, 1), "movedim": (0, 1), "reshape": (-1,), "flatten": (),
    "expand_as": (torch.ones(3, 4),), "view_as": (torch.ones(4, 3),), "unflatten": (1, (2, 2)), "ravel": (),
}
SPLITS: dict[str, tuple[Any, ...]] = {"chunk": (2,), "split": (2,), "unbind": (), "tensor_split": (2,), "hsplit": (2,)}
INPLACE: dict[str, tuple[Any, ...]] = {
    "add_": (1,), "mul_": (2,), "copy_": (torch.ones(3, 4),), "zero_": (), "fill_": (1,), "clamp_": (0, 1), "exp_": (), "relu_": (),
    "masked_fill_": (torch.ones(3, 4) > 0, 0.0), "lerp_": (torch.ones(3, 4), 0.5), "addcmul_": (torch.ones(3, 4), torch.ones(3, 4)),
}
PAIRS: dict[str, tuple[Any, ...]] = {"sort": (), "topk": (2,), "kthvalue": (1,), "mode": (), "cummax": (0,), "max": (1,), "min": (1,), "median": (1,)}
UNARY = """exp sigmoid tanh sqrt rsqrt reciprocal relu expm1 log log2 log1p sin cos tan abs square clamp_min std var prod norm sum mean cumsum
    neg clone transpose unsqueeze flip roll floor sign logsumexp cumprod gelu silu hardtanh softplus leaky_relu logsigmoid""".split()
UNARY_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "clamp_min": (0.5,), "transpose": (0, 1), "unsqueeze": (0,), "flip": ((0,),), "roll": (1,), "logsumexp": (0,), "cumprod": (0,),
    "cumsum": (0,),
}
BINARY = "mul div add sub mm bmm dot mv maximum atan2 mse_loss smooth_l1_loss matmul outer".split()


def live() -> torch.Tensor:
    return (torch.rand(3, 4) + 0.5).requires_grad_()


def kept(run: Callable[[], torch.Tensor], *tensors: torch.Tensor) -> set[int]:
    """What one operation saves: the places of the operands, -1 for its result."""
    found: list[torch.Tensor] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        found.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = run()
    places = {t.data_ptr(): n for n, t in enumerate(tensors)} | ({result.data_ptr(): -1} if result.numel() > 0 else {})
    return {places[t.data_ptr()] for t in found if t.data_ptr() in places}


def function(name: str) -> Callable[..., torch.Tensor]:
    found: Callable[..., torch.Tensor] = getattr(torch, name, None) or getattr(torch.nn.functional, name)
    return found


def test_the_table_is_what_the_installed_torch_gives() -> None:
    if torch.__version__.partition("+")[0] != operators.version():
        pytest.skip(f"the table is made from torch {operators.version()}")
    assert TABLE.read_text(encoding="utf-8") == table(), "run python -m flake8_detach.runtime.operators"


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str) -> None:
    assert operators.returns_number(name)
    receiver = torch.ones(1) if name == "item" else live()
    assert not isinstance(getattr(receiver, name)(*NUMBERS[name]), torch.Tensor)


@pytest.mark.parametrize("name", UNDIFFERENTIABLE)
def test_outputs_without_derivative(name: str) -> None:
    assert operators.returns_undifferentiable(name)
    assert not getattr(live(), name)(*UNDIFFERENTIABLE[name]).requires_grad


@pytest.mark.parametrize("name", VIEWS)
def test_views_share_storage_and_are_no_writes(name: str) -> None:
    assert operators.is_view(name)
    assert not operators.is_inplace(name)
    base = torch.ones(4, 3).t() if name in ("view_as",) else live()
    base = base.contiguous() if name == "view_as" else base
    view = getattr(base, name)(*VIEWS[name])
    assert view.untyped_storage().data_ptr() == base.untyped_storage().data_ptr()
    assert base._version == 0


@pytest.mark.parametrize("name", SPLITS)
def test_splits_are_several_views(name: str) -> None:
    assert operators.is_split(name)
    base = live()
    parts = getattr(base, name)(*SPLITS[name])
    assert {p.untyped_storage().data_ptr() for p in parts} == {base.untyped_storage().data_ptr()}


@pytest.mark.parametrize("name", INPLACE)
def test_writes_in_place_raise_the_version(name: str) -> None:
    assert operators.is_inplace(name)
    assert not operators.is_inplace(name.rstrip("_"))
    target = torch.rand(3, 4)
    assert getattr(target, name)(*INPLACE[name]) is target
    assert target._version > 0


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_of_values_and_indices(name: str) -> None:
    assert operators.returns_pair(name) or operators.may_return_pair(name)
    values, indices = getattr(live(), name)(*PAIRS[name])
    assert values.requires_grad
    assert not indices.requires_grad
    assert not indices.is_floating_point()


@pytest.mark.parametrize("name", UNARY)
def test_what_an_operation_of_one_tensor_saves(name: str) -> None:
    operand = live()
    seen = kept(lambda: function(name)(operand, *UNARY_ARGUMENTS.get(name, ())), operand)
    row = operators.named(saved.SPELLED.get(name, name))
    things = row.saves.get("self", frozenset()) | ({"self"} if name in saved.OPERAND else set())
    assert {"self": 0 in seen, "result": -1 in seen} == {"self": "self" in things, "result": "result" in things}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("which", [0, 1])
def test_what_an_operation_of_two_tensors_surely_saves(name: str, which: int) -> None:
    shapes = {"bmm": ((2, 3, 3), (2, 3, 3)), "dot": ((3,), (3,)), "mv": ((3, 3), (3,)), "outer": ((3,), (3,))}.get(name, ((3, 3), (3, 3)))
    pair = [torch.rand(*shape) + 0.5 for shape in shapes]
    pair[which].requires_grad_()
    seen = kept(lambda: function(name)(*pair), *pair)
    row = operators.named(name)
    if name in saved.EACH_OTHER:
        assert 1 - which in seen
        return
    expected = row.saves.get(row.parameters[which], frozenset()) if row.saves else frozenset()
    assert {n for n, parameter in enumerate(row.parameters[:2]) if parameter in expected} <= seen
    assert seen <= {-1 if t == "result" else row.parameters.index(t) for t in row.may_save if t == "result" or t in row.parameters[:2]}


def test_what_is_said_to_save_nothing_saves_nothing() -> None:
    for name in ("add", "sub", "sum", "mean", "eq", "neg", "clone"):
        operand = live()
        assert operators.saves_nothing(name)
        given = (operand, live()) if name in ("add", "sub", "eq") else (operand,)
        assert not kept(lambda name=name, given=given: function(name)(*given), *given)  # type: ignore[misc]
    assert operators.saves_nothing("cat")
    assert not operators.saves_nothing("mul")


def test_every_spelling_leads_to_a_row_that_saves() -> None:
    assert [name for name, operator in saved.SPELLED.items() if operator not in saved.EACH_OTHER and not operators.named(operator).saves] == []
