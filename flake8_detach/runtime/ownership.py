"""Ownership: which leaves a backward pass reached, and which of them an optimizer holds.

A leaf that was reached and that nobody holds at the end got gradients and never trained. Nothing here judges.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import torch

from .events import Backward, OptimizerMade, Step, TorchCall
from .graph import Graph, is_leaf
from .run import Run


class Ownership:
    """The leaves by identity; they are kept, so that no identity is used twice."""

    def __init__(self) -> None:
        self.reached: dict[int, torch.Tensor] = {}
        self.held: dict[int, torch.Tensor] = {}
        self.asked: set[int] = set()

    def backward(self, event: Backward) -> None:
        """A pass runs: to all leaves, or to those that `autograd.grad` is asked for."""
        if event.whole:
            self.reached.update((id(leaf), leaf) for leaf in event.graph.leaves)
        else:
            self.asked.update(map(id, event.inputs))

    def optimizer(self, event: OptimizerMade | Step) -> None:
        """An optimizer is made, or steps: it holds these."""
        self.held.update((id(p), p) for group in event.optimizer.param_groups for p in group["params"])

    def is_wanted(self, leaf: torch.Tensor) -> bool:
        """Whether an optimizer holds a leaf, or a derivative was asked for."""
        return id(leaf) in self.held or id(leaf) in self.asked

    def lost(self, tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
        """Those of the leaves below `tensors` that were reached, and that neither an optimizer nor a derivative wanted."""
        leaves = {id(leaf): leaf for tensor in tensors if tensor.requires_grad for leaf in Graph([tensor]).leaves}
        return [leaf for key, leaf in leaves.items() if key in self.reached and not self.is_wanted(leaf)]


class Contributors:
    """The parameters and live leaves that took part in operations, and the leaves that an optimizer holds; kept by identity."""

    def __init__(self) -> None:
        self.leaves: dict[int, torch.Tensor] = {}
        self.held: dict[int, torch.Tensor] = {}

    @staticmethod
    def of(run: Run) -> Contributors:
        """The one that listens to this run: witnesses share it."""
        if run.contributors is None:
            run.contributors = Contributors()
            run.listen(run.contributors)
        contributors: Contributors = run.contributors
        return contributors

    def on_torch_call(self, event: TorchCall) -> None:
        """An operation: these may have contributed to whatever is computed later."""
        if event.name in ("backward", "requires_grad_", "set requires_grad"):
            return
        for tensor in event.tensors:
            if id(tensor) not in self.leaves and (tensor.requires_grad or _is_parameter(tensor)) and is_leaf(tensor):
                self.leaves[id(tensor)] = tensor

    def on_optimizer_made(self, event: OptimizerMade) -> None:
        """An optimizer is made."""
        self.held.update((id(p), p) for group in event.optimizer.param_groups for p in group["params"])

    def are_cut_from(self, root: torch.Tensor) -> bool:
        """Whether a root that reaches nothing but itself could have reached something, and is not what is to be optimised."""
        return id(root) not in self.held and bool(self.leaves.keys() - {id(root)})


def _is_parameter(tensor: torch.Tensor) -> bool:
    # the class asks in Python whether something is its instance: not for the many that are plain tensors
    return type(tensor) is not torch.Tensor and isinstance(tensor, torch.nn.Parameter)


def parameters_of(module: torch.nn.Module) -> Iterator[torch.Tensor]:
    """A module's parameters, as far as torch can find them: it fails at a module, or a part of one, whose class never called `Module.__init__`."""
    with contextlib.suppress(AttributeError):
        yield from module.parameters()


def modules_of(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """A module and its parts, with the limits of parameters_of."""
    with contextlib.suppress(AttributeError):
        yield from module.modules()


def tensors_in(value: Any, depth: int = 3) -> list[torch.Tensor]:
    """The parameters and tensors that a value holds, through plain containers and modules."""
    if isinstance(value, torch.nn.Module):
        return list(parameters_of(value))
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict) and depth:
        return [t for v in value.values() for t in tensors_in(v, depth - 1)]
    if isinstance(value, (list, tuple)) and depth:
        return [t for v in value for t in tensors_in(v, depth - 1)]
    return []
