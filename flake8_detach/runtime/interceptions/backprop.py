"""Watches every backward pass: `Tensor.backward`, `torch.autograd.backward`, `torch.autograd.grad`.

`Tensor.backward` calls `torch.autograd.backward`, so the two functions of `torch.autograd` are the only doors.
The graph is read before the pass runs, because the pass frees it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from ..events import Backward, BackwardDone, GradientTaken
from ..graph import Graph
from ..run import Run

# The positions of `inputs`, `create_graph` and `retain_graph` among the arguments (https://docs.pytorch.org/docs/stable/autograd.html).
POSITIONS = {"backward": (5, 3, 2), "grad": (1, 4, 3)}


def install(run: Run) -> None:
    """Replaces both functions for the rest of the process."""
    for name in POSITIONS:
        setattr(torch.autograd, name, _watched(run, name, getattr(torch.autograd, name)))


def _watched(run: Run, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def watched(*args: Any, **kwargs: Any) -> Any:
        with run.aside():
            event = _event(run, name, args, kwargs)
            run.emit(event)
        error: BaseException | None = None
        result: Any = None
        try:
            result = original(*args, **kwargs)
            return result
        except BaseException as raised:
            error = raised
            raise
        finally:
            with run.aside():
                run.clock += 1
                run.visits.update(dict.fromkeys(event.visited, run.clock))
                run.emit(BackwardDone(event, error))
                if name == "grad" and event.site is not None and error is None:
                    run.emit(GradientTaken(_tensors(result), event.site))
                run.forget()
            # neither the graph nor the exception may live longer than the call
            del event, error, result

    return watched


def _event(run: Run, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Backward:
    roots = _tensors(args[0] if args else kwargs.get("tensors", kwargs.get("outputs")))
    place_of_inputs, place_of_create, place_of_retain = POSITIONS[name]
    asked = args[place_of_inputs] if len(args) > place_of_inputs else kwargs.get("inputs")
    create_graph = args[place_of_create] if len(args) > place_of_create else kwargs.get("create_graph", False)
    retained = args[place_of_retain] if len(args) > place_of_retain else kwargs.get("retain_graph")
    graph = Graph(roots)
    inputs = None if asked is None else _tensors(asked)
    visited = set(graph.nodes) if inputs is None else graph.between(inputs)
    keeps = bool(create_graph if retained is None else retained)
    return Backward(roots, inputs is None, graph, visited, run.here(), bool(create_graph), keeps, name, inputs or [])


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    values = value.values() if isinstance(value, dict) else value or ()
    return [v for v in values if isinstance(v, torch.Tensor)]
