"""Reading autograd graphs: which nodes hang on a tensor, how old they are, which leaves they reach.

A node is named by its sequence number, which autograd counts up with every operation it records (torch.autograd.graph.Node): a number keeps
no graph alive, and a smaller number is an older node. Nothing here changes a graph or keeps one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import torch

LEAF = 2**64 - 1  # the sequence number of every AccumulateGrad node


def now() -> int:
    """The sequence number that the next recorded operation will get."""
    return int(torch.autograd._get_sequence_nr())  # type: ignore[attr-defined]


def number(node: Any) -> int:
    """The sequence number of a node; LEAF for the accumulator of a leaf."""
    return int(node._sequence_nr())


def node_of(tensor: torch.Tensor) -> Any | None:
    """The grad_fn of a live tensor, None for a leaf or a cut tensor."""
    if not tensor.requires_grad:
        return None
    try:
        return tensor.grad_fn
    except RuntimeError:
        # a view taken under no_grad and written to since: autograd refuses to rebuild its history, so it has none
        return None


def parents(node: Any) -> list[Any]:
    """The nodes that `node` hands its gradient to."""
    return [parent for parent, _ in node.next_functions if parent is not None]


class Graph:
    """All `nodes` by number, and all `leaves`, that a backward pass from the roots would visit. Not to be held longer than the pass."""

    def __init__(self, roots: Iterable[torch.Tensor]) -> None:
        self.nodes: dict[int, Any] = {}
        self.leaves: list[torch.Tensor] = []
        self.roots: list[Any] = []
        for root in roots:
            node = node_of(root)
            if node is not None:
                self.roots.append(node)
            elif root.requires_grad:
                self.leaves.append(root)
        self._explore()

    def _explore(self) -> None:
        todo, accumulators = list(self.roots), set[int]()
        while todo:
            node = todo.pop()
            current = number(node)
            if current == LEAF:
                if id(node) not in accumulators and hasattr(node, "variable"):
                    accumulators.add(id(node))
                    self.leaves.append(node.variable)
            elif current not in self.nodes:
                self.nodes[current] = node
                todo.extend(parents(node))

    def between(self, inputs: Iterable[torch.Tensor]) -> set[int]:
        """The nodes on the way from the roots to one of `inputs`: those that a pass for them visits."""
        tensors = list(inputs)
        goals = {id(tensor) for tensor in tensors}
        reached = {number(node) for tensor in tensors if (node := node_of(tensor)) is not None}
        for current in sorted(self.nodes):
            # parents are older, so they are decided before their children
            if any(number(p) in reached or id(getattr(p, "variable", None)) in goals for p in parents(self.nodes[current])):
                reached.add(current)
        return reached & self.nodes.keys()

    def crossings(self, moment: int) -> list[int]:
        """The nodes older than `moment` that a younger node hands its gradient to."""
        young = [node for current, node in self.nodes.items() if current >= moment]
        return sorted({number(p) for node in young for p in parents(node) if number(p) < moment})

    def below(self, start: int) -> set[int]:
        """The node `start` and all its ancestors."""
        todo, seen = [start], set[int]()
        while todo:
            current = todo.pop()
            if current in self.nodes and current not in seen:
                seen.add(current)
                todo.extend(map(number, parents(self.nodes[current])))
        return seen


def numbers(node: Any, since: int = 0) -> set[int]:
    """The numbers of `node` and of its ancestors made at or after `since`."""
    return _ancestry(node, lambda current: current >= since)[0]


def reaches_leaf(node: Any, since: int) -> bool:
    """Whether `node` reaches a leaf over nodes made at or after `since` alone: whether that span made a graph of its own."""
    return _ancestry(node, lambda current: current >= since)[1]


def depends_on(node: Any, target: int, closed: Callable[[int], bool]) -> bool:
    """Whether the node `target` is an ancestor of `node`, on a way without nodes for which `closed` holds."""
    return target in _ancestry(node, lambda current: current == target or current > target and not closed(current))[0]


def made_between(tensor: torch.Tensor, first: int, end: int) -> bool:
    """Whether the history of `tensor` has a node numbered from `first` up to (not including) `end`."""
    node = node_of(tensor)
    return node is not None and any(first <= current < end for current in numbers(node, since=first))


def _ancestry(start: Any, admits: Callable[[int], bool]) -> tuple[set[int], bool]:
    """`start` and its ancestors over admitted nodes, by number, and whether a leaf is among them."""
    todo, seen, leaf = [start], {number(start)}, False
    while todo:
        for parent in parents(todo.pop()):
            found = number(parent)
            if found == LEAF:
                leaf = True
            elif found not in seen and admits(found):
                seen.add(found)
                todo.append(parent)
    return seen, leaf


def kept_bytes(node: Any) -> int:
    """The bytes of the activations that the graph of `node` still keeps for a backward pass: none after one ran."""
    todo, seen, storages = [node], set[int](), dict[int, int]()
    while todo:
        current = todo.pop()
        if number(current) in seen or number(current) == LEAF:
            continue
        seen.add(number(current))
        for tensor in saved_by(current):
            storage = None if tensor.is_leaf else _storage(tensor)
            if storage is not None:
                storages[storage.data_ptr()] = storage.nbytes()
        todo.extend(parents(current))
    return sum(storages.values())


def memory(tensor: torch.Tensor) -> int:
    """Where a tensor has its values, a sparse one those that it stores: equal for all that share them, 0 if that cannot be said."""
    storage = _storage(tensor)
    return 0 if storage is None else storage.data_ptr()


def _storage(tensor: torch.Tensor) -> torch.UntypedStorage | None:
    try:
        if tensor.layout is not torch.strided:
            tensor = tensor._values() if tensor.is_sparse else tensor.values()
        return tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):
        # a layout that has neither a storage nor values
        return None


@functools.cache
def _fields(cls: type) -> list[str]:
    return [name for name in dir(cls) if name.startswith("_saved_")]


def saved_by(node: Any) -> list[torch.Tensor]:
    """What a node keeps for its backward pass, as tensors that share its memory."""
    found: list[torch.Tensor] = []
    fields = _fields(type(node))  # type: ignore[arg-type]  # a class is hashable
    for name in tuple(fields):
        try:
            value = getattr(node, name)
        except RuntimeError:
            # "Trying to backward through the graph a second time": a pass has freed it; or the operation that made the node has overwritten it
            continue
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += [v for v in value if isinstance(v, torch.Tensor)]
        elif value is not None:
            # a node's fields are typed: what is a number or a mode once is never a tensor
            fields.remove(name)
    return found


def is_leaf(tensor: torch.Tensor) -> bool:
    """Whether a tensor is a leaf. Torch refuses to say it of a view that was made without gradients and whose base was written since: it is none."""
    try:
        return tensor.is_leaf
    except RuntimeError:
        return False
