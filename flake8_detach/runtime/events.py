"""What the interceptions tell the witnesses: one class per kind of event, facts only.

No event judges, and none outlives the call that carries it: what a witness remembers of it is numbers and sites, never a tensor or a graph.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import FrameType, TracebackType
from typing import Any

import torch

from .graph import Graph
from .program import Loop, Site


@dataclass(slots=True, eq=False)
class Round:
    """A loop as it runs once, from its first header to its end.

    `start` and `first` are the clock and the sequence number at the beginning of its current iteration, `turns` counts the iterations that
    ended.
    """

    loop: Loop
    start: int
    first: int
    turns: int = 0


@dataclass(slots=True, eq=False)
class Activation:
    """One running function of the program; `line` is where it stands, `inside_model` whether a module call runs it.

    `began` and `statement` are the sequence numbers at its beginning and at the beginning of its current statement, `begun` whether a line of it
    has run.
    """

    name: str
    line: int
    inside_model: bool
    parameters: int
    began: int
    statement: int = 0
    begun: bool = False
    rounds: list[Round] = field(default_factory=list)


@dataclass(slots=True)
class LineRan:
    """The line that is drawn has run in this frame, to its end or up to an exception."""

    frame: FrameType


@dataclass(slots=True)
class TorchCall:
    """A torch function or a tensor method returned or raised; `tensors` are those among its arguments, `live` those of them that were live before."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    tensors: list[torch.Tensor]
    live: list[torch.Tensor]
    result: Any
    error: BaseException | None


@dataclass(slots=True)
class Backward:
    """`backward()` or `autograd.grad()`, named by `function`, is about to visit the nodes `visited` of `graph`.

    `whole` says that gradients go to all leaves, not to chosen inputs, and `keeps` that the pass frees nothing of what it visits.
    """

    roots: list[torch.Tensor]
    whole: bool
    graph: Graph
    visited: set[int]
    site: Site | None
    create_graph: bool
    keeps: bool
    function: str
    inputs: list[torch.Tensor] = field(default_factory=list)
    _order: list[int] | None = None

    def visits(self, first: int, end: int) -> bool:
        """Whether the pass visits a node numbered from `first` up to (not including) `end`."""
        if self._order is None:
            self._order = sorted(self.visited)
        return bisect_left(self._order, first) < bisect_left(self._order, end)


@dataclass(slots=True)
class BackwardDone:
    """The pass announced by `backward` has ended, by `error` if not None."""

    backward: Backward
    error: BaseException | None


@dataclass(slots=True)
class Frame:
    """An activation at the moment of a module call: the line where it stood, and its loops, outermost first."""

    activation: Activation
    line: int
    rounds: list[Round]


@dataclass(slots=True, eq=False)
class ModuleCall:
    """An outermost call of a module that has trainable parameters: nodes from `first` up to (not including) `end` are its graph."""

    module: str
    training: bool
    first: int
    end: int
    frames: list[Frame]
    site: Site


@dataclass(slots=True)
class ModeSet:
    """`train(mode)` or `eval()` was called by the innermost `activation`."""

    mode: bool
    activation: Activation | None


@dataclass(slots=True)
class Step:
    """`optimizer.step()` is about to run, or (`done`) has run."""

    optimizer: torch.optim.Optimizer
    done: bool


@dataclass(slots=True)
class Assigned:
    """The program set attribute `name` of a tensor, module or optimizer; `own` says that the object's own method did."""

    target: Any
    name: str
    value: Any
    site: Site
    own: bool


@dataclass(slots=True)
class GradientTaken:
    """`autograd.grad()` at `site` has given these tensors."""

    results: list[torch.Tensor]
    site: Site


@dataclass(slots=True)
class StateUsed:
    """`load_state_dict()` or `torch.save()`, named by `function`, takes these tensors."""

    tensors: list[torch.Tensor]
    function: str


@dataclass(slots=True)
class StateRead:
    """`state_dict()` handed out these tensors."""

    tensors: list[torch.Tensor]


@dataclass(slots=True)
class SinkCall:
    """A call that shows or records values, named and described as `knowledge.sinks` does.

    `values` are the arguments that count: as tensors if `direct`, inside lists and dicts if `deep`, as texts if `text`. `fields` are those
    that fill the %-format `template`, `shown` the texts of live tensors that were made while it ran.
    """

    name: str
    does: str
    site: Site
    values: list[Any]
    direct: bool
    deep: bool
    text: bool
    template: Any
    fields: tuple[Any, ...]
    shown: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SwitchEntered:
    """The grad-mode switch `number` was entered at `site`; `depth` counts how often it was entered before and not left."""

    number: int
    site: Site
    depth: int


@dataclass(slots=True)
class SwitchLeft:
    """The switch `number` was left, by an exception if `failed`."""

    number: int
    failed: bool


@dataclass(slots=True)
class SwitchDropped:
    """A switch was destroyed while the statement that made it still ran; `used` if it was entered or called, `left` if left again."""

    kind: str
    site: Site
    used: bool
    left: bool


@dataclass(slots=True)
class Decorated:
    """A grad-mode switch was applied to `target`, a function or class."""

    kind: str
    target: Any
    site: Site


@dataclass(slots=True)
class GradSet:
    """`set_grad_enabled(mode)` took effect at `site`; the object that it made has this `number`."""

    number: int
    mode: bool
    site: Site


@dataclass(slots=True)
class Paused:
    """A generator or coroutine was left at `site` by a yield or an await: gradients were `before` on when it was entered last, and are
    `after` on now.
    """

    site: Site
    before: bool
    after: bool


@dataclass(slots=True)
class Ran:
    """An outermost module call has ended, in any grad mode: `drops` if a layer of it worked in train mode, `first` and `end` as in
    ModuleCall.
    """

    module: torch.nn.Module
    drops: bool
    enabled: bool
    first: int
    end: int
    frames: list[Frame]
    site: Site
    output: Any


@dataclass(slots=True)
class ModeCalled:
    """`train(mode)` or `eval()` was called on `module` by the program, at `site`."""

    module: torch.nn.Module
    mode: bool
    site: Site
    activation: Activation | None


@dataclass(slots=True)
class Raised:
    """An exception passed through the innermost program frame, at `site`; `traceback` begins at that frame."""

    error: BaseException
    traceback: TracebackType | None
    frame: FrameType
    site: Site


@dataclass(slots=True)
class Warned:
    """Python's warnings machinery showed this message for a line of the program."""

    message: str
    line: int


@dataclass(slots=True, frozen=True)
class Link:
    """One step of the road to a live tensor: `holder`, an object or a function's variables, keeps something under `label` since `line` at
    `time`.

    `known` says that the line is sure: the holder was in sight before it. `stayed`: it kept the same object before, which has got another history.
    """

    holder: int
    label: object
    line: int
    time: int
    variable: bool
    known: bool
    stayed: bool


@dataclass(slots=True)
class Held:
    """A live tensor that the program can still reach, with the links of one road from a variable down to it, and all `holders` on any road.

    `keeper` is the object at the road's end that has it, None if that is a variable.
    """

    tensor: torch.Tensor
    number: int
    road: list[Link]
    inside_model: bool
    holders: frozenset[int]
    keeper: Any


@dataclass(slots=True)
class IterationEnd:
    """One iteration of `round` has ended; `held` is every live tensor in reach. `first_seen` says at what clock a holder was first met."""

    round: Round
    held: list[Held]
    first_seen: Callable[[int], int]

    def old(self, link: Link) -> bool:
        """Whether the link's holder is older than the iteration."""
        return link.variable or self.first_seen(link.holder) <= self.round.start

    def attachment(self, held: Held) -> Link | None:
        """The link by which `held` came to hang, in this iteration, on something older than it; None if it did not."""
        place = next(i for i in reversed(range(len(held.road))) if self.old(held.road[i]))
        # of the links from there down the one made last completed the road
        latest = max(held.road[place:], key=lambda link: link.time)
        if latest.time <= self.round.start:
            return None
        old = held.road[place]
        return replace(latest, holder=old.holder, label=old.label, variable=old.variable)


@dataclass(slots=True)
class Comprehended:
    """A statement with a comprehension, at `line`, made a container that the program kept, `local` if in a variable of the function.

    `numbers` are the nodes of its live tensors.
    """

    line: int
    numbers: list[int]
    inside_model: bool
    local: bool


@dataclass(slots=True)
class Returned:
    """A function of the program returned or yielded; `live` are the live tensors in what it handed out."""

    activation: Activation
    live: list[torch.Tensor]


@dataclass(slots=True)
class Finished:
    """The program has ended: what never happened is known now, unless it `failed`; `open` are the functions that this broke off."""

    failed: bool
    open: list[Activation]


@dataclass(slots=True)
class OptimizerMade:
    """The program has made an optimizer at `site`."""

    optimizer: torch.optim.Optimizer
    site: Site


@dataclass(slots=True)
class Exhausted:
    """An optimizer or a clip, `taker`, is given at `site` an iterator over parameters that has nothing left."""

    taker: str
    site: Site


@dataclass(slots=True)
class Clearing:
    """The gradients of these tensors are about to be cleared, at `site`."""

    tensors: list[torch.Tensor]
    site: Site


@dataclass(slots=True)
class Clipping:
    """The gradients of these tensors are about to be clipped to `limit`, at `site`."""

    tensors: list[torch.Tensor]
    limit: float
    site: Site


@dataclass(slots=True)
class Scheduling:
    """A learning-rate scheduler is about to step at `site`; `told` says that it is given an epoch or a metric."""

    optimizer: torch.optim.Optimizer
    site: Site
    told: bool


@dataclass(slots=True)
class Scaling:
    """A GradScaler, switched on, has handled `subject`: `scale` made this loss, `unscale_` and `step` (before it runs) took this optimizer."""

    method: str
    factor: float
    subject: Any
    site: Site


@dataclass(slots=True)
class Casting:
    """An autocast block that caches was entered or left at `site`."""

    entered: bool
    site: Site
