"""DET302 dead_switch: a grad-mode switch that did nothing, crashed, or cannot switch back.

Seen on the switch objects: destroyed where they were made, without having been entered or called; an `inference_mode` that its own
destruction ended; entered again while entered; a class in the place of an object; a block that did nothing but create tensors; the
`volatile` flag.
"""

from __future__ import annotations

import ast
from typing import Any

import torch

from ..events import ModuleCall, Raised, SwitchDropped, SwitchEntered, SwitchLeft, TorchCall, Warned
from ..interceptions.switches import CLASSES
from ..program import Site
from ..run import Run

CODE = "DET302"
SETTER = "set_grad_enabled"  # it acts when it is made
ONLY_SHAPE = "_like"  # torch.zeros_like(x) and its kin read no more of a tensor than its shape and type
QUIET = frozenset({"_set_grad_enabled"})


class Block:
    """What happened in one `with` block so far: tensors created, and operations on tensors."""

    __slots__ = ("created", "site", "used")

    def __init__(self, site: Site) -> None:
        self.site, self.created, self.used = site, 0, 0


class Witness:
    """Follows the blocks that are open now, by the number of their switch."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.blocks: dict[int, Block] = run.blocks

    def on_switch_dropped(self, event: SwitchDropped) -> None:
        if event.kind == SETTER:
            return
        if not event.used:
            self.run.report(CODE, event.site, f"{event.kind}() was made and destroyed without being entered: the grad mode did not change")
        elif not event.left and event.kind == "inference_mode":
            self.run.report(CODE, event.site, "inference_mode() was destroyed right after __enter__(): its destructor restored the mode")

    def on_switch_entered(self, event: SwitchEntered) -> None:
        if event.depth > 0:
            self.run.report(CODE, event.site, "the same object was entered again inside itself: leaving it restores the wrong grad mode")
        self.blocks[event.number] = Block(event.site)

    def on_torch_call(self, event: TorchCall) -> None:
        if not self.blocks or event.name in QUIET:
            return
        uses = bool(event.tensors) and not event.name.endswith(ONLY_SHAPE)
        for block in self.blocks.values():
            block.used += uses
            block.created += not uses and isinstance(event.result, torch.Tensor)

    def on_module_call(self, event: ModuleCall) -> None:
        for block in self.blocks.values():
            block.used += 1

    def on_switch_left(self, event: SwitchLeft) -> None:
        block = self.blocks.pop(event.number, None)
        if block is not None and block.created and not block.used and not event.failed:
            evidence = f"the block created {block.created} tensors and did nothing else: creation records no graph anyway"
            self.run.report(CODE, block.site, evidence)

    def on_raised(self, event: Raised) -> None:
        if isinstance(event.error, (TypeError, AttributeError)):
            contexts = self.run.program.context_expressions(event.site)
            if any(_value(node, event.frame.f_locals, event.frame.f_globals) in CLASSES for node in contexts):
                self.run.report(CODE, self.run.program.with_statement(event.site), f"{type(event.error).__name__}: {event.error}")

    def on_warned(self, event: Warned) -> None:
        if "volatile was removed" in event.message:
            self.run.report(CODE, Site(event.line), f"UserWarning: {event.message}")


def _value(node: ast.expr, local: dict[str, Any], global_: dict[str, Any]) -> Any:
    """What a dotted name is bound to, without running code of the program."""
    if isinstance(node, ast.Name):
        return local.get(node.id, global_.get(node.id))
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, local, global_)
        return getattr(owner, node.attr, None) if owner is not None else None
    return None
