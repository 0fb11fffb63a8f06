"""Watches torch functions and tensor methods, by a TorchFunctionMode (https://docs.pytorch.org/docs/stable/torch.overrides.html).

Under a mode every `torch.*` function and every tensor method arrives here with its arguments, also the ones that Python calls implicitly
(`__repr__`, `__format__`, `__array__`, `__float__`). The inner calls of a function do not arrive: the mode is off while it runs.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ..events import TorchCall
from ..graph import node_of, number
from ..run import Run

# The calls of an optimizer's step are many, and none is the program's doing; a scheduler is given values of the program.
OPTIMIZERS = frozenset(str(path) for path in Path(torch.optim.__file__).parent.glob("*.py") if path.name != "lr_scheduler.py")

GLANCES = frozenset(
    [getattr(torch.Tensor, name) for name in "size dim ndimension numel nelement stride is_contiguous is_floating_point is_complex element_size".split()]
    + [getattr(torch.Tensor, name).__get__ for name in "shape dtype device ndim layout is_cuda is_sparse is_leaf requires_grad".split()]
)
"""What tells of a tensor its shape, type, place or flags, and has no result that could have a history."""


def install(run: Run) -> None:
    """Switches the mode on for the rest of the process, in this thread."""
    Watch(run).__enter__()  # type: ignore[no-untyped-call]


class Watch(TorchFunctionMode):
    """Emits a TorchCall per call, and notes where each live result was made."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.aside = run.aside()

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in GLANCES:
            for block in self.run.blocks.values():
                block.used += 1
            return func(*args, **kwargs)
        if self.run.busy or sys._getframe(1).f_code.co_filename in OPTIMIZERS:
            return func(*args, **kwargs)
        with self.aside:
            tensors = tensors_in(args, kwargs)
            live = [tensor for tensor in tensors if tensor.requires_grad]
            written = _node_number(args[0]) if live and args and live[0] is args[0] else -1
        error: BaseException | None = None
        result: Any = None
        try:
            result = func(*args, **kwargs)
        except BaseException as raised:
            error = raised
            raise
        finally:
            with self.aside:
                name = name_of(func)
                if live or type(result) is not torch.Tensor or result.requires_grad:
                    self._note(result, name)
                    if args and _node_number(args[0]) != written:
                        self._note(args[0], name)
                self.run.called(TorchCall(name, args, kwargs, tensors, live, result, error))
            # an exception that stays would keep every frame it went through
            del error
        return result

    def _note(self, result: Any, name: str) -> None:
        births = self.run.births
        for tensor in (result,) if isinstance(result, torch.Tensor) else live_in((result,)):
            born = _node_number(tensor)
            if born >= 0 and born not in births and (site := self.run.here()) is not None:
                births[born] = (site, name)


def _node_number(value: Any) -> int:
    node = node_of(value) if isinstance(value, torch.Tensor) else None
    return -1 if node is None else number(node)


@functools.lru_cache(4096)
def name_of(func: Callable[..., Any]) -> str:
    """The function's name; for an attribute of Tensor `get requires_grad` or `set requires_grad`."""
    name = getattr(func, "__name__", "")
    if name in ("__get__", "__set__", "__delete__"):
        return f"{name.strip('_')} {getattr(getattr(func, '__self__', None), '__name__', '')}"
    return str(name)


def tensors_in(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[torch.Tensor]:
    """The tensors in a call's arguments, looking into lists, tuples and dicts three levels deep."""
    found: list[torch.Tensor] = []
    for value in args if not kwargs else (*args, *kwargs.values()):
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple, dict)):
            _gather(value, 1, found)
    return found


def _gather(values: Any, depth: int, found: list[torch.Tensor]) -> None:
    for value in values.values() if isinstance(values, dict) else values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif depth and isinstance(value, (list, tuple, dict)):
            _gather(value, depth - 1, found)


def live_in(values: Iterable[Any], depth: int = 3) -> Iterator[torch.Tensor]:
    """The live tensors in `values`, looking into lists, tuples and dicts `depth` levels deep."""
    for value in values:
        if isinstance(value, torch.Tensor):
            if value.requires_grad:
                yield value
        elif depth and isinstance(value, (list, tuple)):
            yield from live_in(value, depth - 1)
        elif depth and isinstance(value, dict):
            yield from live_in(value.values(), depth - 1)
