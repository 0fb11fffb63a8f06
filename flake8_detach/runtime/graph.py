"""Reading autograd graphs: which nodes hang on a tensor, how old they are, which leaves they reach.

A node is named by its sequence number, which autograd counts up once per recorded operation
(https://docs.pytorch.org/docs/stable/generated/torch.autograd.graph.Node.html): a number keeps no graph alive, and a smaller number is an older node.
Nothing here changes a graph or keeps one.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    """All nodes and leaves that a backward pass from `roots` would visit. Hold it no longer than the pass itself."""

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
        todo, leaves = list(self.roots), set[int]()
        while todo:
            node = todo.pop()
            number_ = number(node)
            if number_ == LEAF:
                if id(node) not in leaves and hasattr(node, "variable"):
                    leaves.add(id(node))
                    self.leaves.append(node.variable)
            elif number_ not in self.nodes:
                self.nodes[number_] = node
                todo.extend(parents(node))

    def crossings(self, moment: int) -> list[int]:
        """The nodes older than `moment` that a younger node of this graph hands its gradient to."""
        young = [node for number_, node in self.nodes.items() if number_ >= moment]
        return sorted({number(p) for node in young for p in parents(node) if number(p) < moment})


def depends_on(node: Any, target: int, closed: Any = None) -> bool:
    """Whether the node numbered `target` is an ancestor of `node`, on a path without nodes for which `closed(number)` holds."""
    todo, seen = [node], set[int]()
    while todo:
        for parent in parents(todo.pop()):
            number_ = number(parent)
            if number_ == target:
                return True
            # ancestors are older: below the target's number there is nothing to find
            if target < number_ < LEAF and number_ not in seen and not (closed and closed(number_)):
                seen.add(number_)
                todo.append(parent)
    return False


def reaches_leaf(node: Any, since: int) -> bool:
    """Whether a leaf is reached from `node` over nodes made at or after `since`: whether that span made a graph of its own."""
    todo, seen = [node], set[int]()
    while todo:
        current = todo.pop()
        number_ = number(current)
        if number_ == LEAF:
            return True
        if number_ >= since and number_ not in seen:
            seen.add(number_)
            todo.extend(parents(current))
    return False


def numbers(node: Any, since: int = 0) -> set[int]:
    """The numbers of `node` and of its ancestors made at or after `since`."""
    todo, seen = [node], set[int]()
    while todo:
        current = todo.pop()
        number_ = number(current)
        if since <= number_ < LEAF and number_ not in seen:
            seen.add(number_)
            todo.extend(parents(current))
    return seen


def kept_bytes(node: Any) -> int:
    """The bytes of the activations that the graph below `node` still keeps for a backward pass (nothing after one ran)."""
    todo, seen, storages = [node], set[int](), dict[int, int]()
    while todo:
        current = todo.pop()
        if id(current) in seen or number(current) == LEAF:
            continue
        seen.add(id(current))
        for tensor in _saved(current):
            storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        todo.extend(parents(current))
    return sum(storages.values())


def _saved(node: Any) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    for name in dir(node):
        if not name.startswith("_saved_"):
            continue
        try:
            value = getattr(node, name)
        except RuntimeError:
            # "Trying to backward through the graph a second time": a backward pass has freed it
            continue
        found.extend(v for v in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(v, torch.Tensor) and not v.is_leaf)
    return found


def depends_on_range(tensor: torch.Tensor, first: int, end: int) -> bool:
    """Whether the history of `tensor` has a node numbered from `first` up to (not including) `end`."""
    root = node_of(tensor)
    return root is not None and any(n < end for n in numbers(root, since=first))
