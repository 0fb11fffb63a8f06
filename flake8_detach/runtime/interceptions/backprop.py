"""Watches every backward pass: `Tensor.backward`, `torch.autograd.backward`, `torch.autograd.grad`.

`Tensor.backward` calls `torch.autograd.backward`, so the two functions of `torch.autograd` are the only doors.
The graph is read before the pass runs, because the pass frees it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from ..events import Backward, BackwardDone
from ..graph import Graph, node_of, number
from ..run import Run


def install(run: Run) -> None:
    """Replaces both functions for the rest of the process."""
    for name in ("backward", "grad"):
        setattr(torch.autograd, name, _watched(run, name, getattr(torch.autograd, name)))


def _watched(run: Run, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def watched(*args: Any, **kwargs: Any) -> Any:
        if run.busy and not _of_the_program(run):
            return original(*args, **kwargs)
        with run.aside():
            event = _event(run, name, args, kwargs)
            run.emit(event)
        error: BaseException | None = None
        try:
            return original(*args, **kwargs)
        except BaseException as raised:
            error = raised
            raise
        finally:
            with run.aside():
                _count(run, event)
                run.emit(BackwardDone(event, error))
            del event, error

    return watched


def _of_the_program(run: Run) -> bool:
    # the only backward passes of our own making would be none: `busy` here means that torch calls itself inside an observed call
    return run.frame() is not None


def _event(run: Run, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Backward:
    roots = _tensors(args[0] if args else kwargs.get("tensors", kwargs.get("outputs")))
    if name == "grad":
        asked = args[1] if len(args) > 1 else kwargs.get("inputs")
        position = 4
    else:
        asked = kwargs.get("inputs")
        position = 3
    create_graph = bool(args[position] if len(args) > position else kwargs.get("create_graph", False))
    inputs = _tensors(asked) if asked is not None else None
    return Backward(roots, inputs, Graph(roots), run.here(), create_graph, name)


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [v for v in value or () if isinstance(v, torch.Tensor)]


def _count(run: Run, event: Backward) -> None:
    run.clock += 1
    for visited in visited_by(event):
        run.visits[visited] = run.clock


def visited_by(event: Backward) -> set[int]:
    """The nodes that the pass goes through: all, or with `inputs` those on the way to one of them."""
    nodes = event.graph.nodes
    if event.inputs is None:
        return set(nodes)
    goals = {id(tensor) for tensor in event.inputs}
    aims = {number(node) for tensor in event.inputs if (node := node_of(tensor)) is not None}
    reached: set[int] = set()
    for current in sorted(nodes):
        # ancestors have smaller numbers, so each node is decided after its parents
        parents = [parent for parent, _ in nodes[current].next_functions if parent is not None]
        if current in aims or any(number(p) in reached or id(getattr(p, "variable", None)) in goals for p in parents):
            reached.add(current)
    return reached
