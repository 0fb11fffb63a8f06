"""What the interceptions tell the witnesses: one class per kind of event, facts only.

No event judges, and none keeps a tensor or a graph longer than the call that carries it: what a witness remembers of it is numbers and sites.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import FrameType, TracebackType
from typing import Any

import torch

from .graph import Graph
from .program import Loop, Site


@dataclass(slots=True, eq=False)
class Round:
    """A loop as it runs in one activation: `start` and `first` are the clock and the sequence number at the beginning of its current iteration."""

    loop: Loop
    start: int
    first: int
    turns: int = 0


@dataclass(slots=True, eq=False)
class Activation:
    """One running function of the program; `line` is where it stands, `inside_model` whether a module call runs it.

    `began` and `statement` are the sequence numbers at its beginning and at the beginning of its current statement.
    """

    name: str
    frame_id: int
    line: int
    inside_model: bool
    parameters: int
    began: int
    statement: int = 0
    rounds: list[Round] = field(default_factory=list)
    history: list[Round] = field(default_factory=list)


@dataclass(slots=True)
class TorchCall:
    """A torch function or a tensor method returned or raised; `before` says which tensor arguments were live when it was called."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    before: list[torch.Tensor]
    result: Any
    error: BaseException | None


@dataclass(slots=True)
class Backward:
    """`backward()` or `autograd.grad()` is about to run over `graph`; `inputs` are the tensors asked for, None for all leaves."""

    roots: list[torch.Tensor]
    inputs: list[torch.Tensor] | None
    graph: Graph
    site: Site | None
    create_graph: bool
    function: str


@dataclass(slots=True)
class BackwardDone:
    """The pass announced by `Backward` has ended, by `error` if not None."""

    backward: Backward
    error: BaseException | None


@dataclass(slots=True)
class Frame:
    """An activation at the moment of a module call, and the line where it stood."""

    activation: Activation
    line: int
    round: Round | None
    loops: list[Round]


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
    """`train(mode)` or `eval()` was called on a module by the innermost `activation`."""

    module: torch.nn.Module
    mode: bool
    activation: Activation | None


@dataclass(slots=True)
class Step:
    """`optimizer.step()` is about to run (`done` False) or has run."""

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
class StateRead:
    """`state_dict()` handed out these tensors."""

    tensors: list[torch.Tensor]


@dataclass(slots=True)
class SinkCall:
    """A call that shows or records values: `values` are the arguments that count, `shown` the live texts that were made while it ran."""

    name: str
    does: str
    site: Site
    values: list[Any]
    deep: bool
    text: bool
    template: Any
    fields: tuple[Any, ...]
    shown: list[str]


@dataclass(slots=True)
class SwitchMade:
    """A grad-mode switch object was made by the program, at `site`."""

    number: int
    kind: str
    site: Site


@dataclass(slots=True)
class SwitchEntered:
    """The switch `number` was entered by a `with` statement at `site`; `depth` counts how often it was entered before and not left."""

    number: int
    site: Site
    depth: int


@dataclass(slots=True)
class SwitchLeft:
    """The switch `number` was left."""

    number: int
    failed: bool


@dataclass(slots=True)
class SwitchDropped:
    """The switch `number` was destroyed while the statement that made it still ran: `used` if it was entered or called, `left` if it was left again."""

    kind: str
    site: Site
    used: bool
    left: bool


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
    """One step of the road to a live tensor: `holder` (an object, by id, or a frame) keeps a child under `label` since the clock stood at `time`."""

    holder: int
    label: object
    line: int
    time: int
    variable: bool
    known: bool


@dataclass(slots=True)
class Held:
    """A live tensor that the program can still reach, with the links of one road from a variable down to it, and all `holders` on any road."""

    tensor: torch.Tensor
    number: int
    road: list[Link]
    inside_model: bool
    holders: frozenset[int]


@dataclass(slots=True)
class IterationEnd:
    """One iteration of `round` has ended; `held` is every live tensor reachable now. `first_seen(holder)` is the clock when a holder was first met."""

    activation: Activation
    round: Round
    held: list[Held]
    first_seen: Callable[[int], int]

    def attachment(self, held: Held) -> Link | None:
        """The link by which `held` came to hang, in this iteration, on something older than it: a container, or a variable. None if none did."""
        for place in range(len(held.road) - 1, -1, -1):
            link = held.road[place]
            if link.variable or self.first_seen(link.holder) <= self.round.start:
                # of the links below the old holder the one made last completed the road
                latest = max(held.road[place:], key=lambda k: k.time)
                return replace(latest, holder=link.holder, label=link.label, variable=link.variable) if latest.time > self.round.start else None
        return None


@dataclass(slots=True)
class Comprehended:
    """A statement with a comprehension, at `line`, made a container that the program kept; `numbers` are its live tensors' nodes."""

    line: int
    numbers: list[int]
    inside_model: bool


@dataclass(slots=True)
class Returned:
    """A function of the program returned or yielded; `live` are the live tensors in what it handed out."""

    activation: Activation
    live: list[torch.Tensor]


@dataclass(slots=True)
class Finished:
    """The program has ended: what never happened is known now, unless it `failed` and broke off; `open` are the functions that it left so."""

    failed: bool
    open: list[Activation]
