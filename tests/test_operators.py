"""The table of torch's operators: it is what the installed torch's own tables give, and real tensors behave as a sample of its rows says.

Here: the table itself, numbers, and what operations keep for their backward. Not here: what they give (test_knowledge)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from flake8_detach.knowledge import operators, saved
from flake8_detach.runtime.operators import TABLE, table

NUMBERS: dict[str, tuple[Any, ...]] = {"item": (), "numel": (), "dim": (), "is_complex": (), "is_contiguous": (), "equal": (torch.ones(3, 4),)}
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
