"""DET901 dot_data: `.data` of a tensor was read by the program, and something other than its shape, type or place was asked of it."""

from __future__ import annotations

import sys
import weakref
from typing import Any

import torch

from ..events import TorchCall
from ..program import Site
from ..run import Run

CODE = "DET901"
READ = "get data"
METADATA = frozenset("size dim numel ndimension element_size stride data_ptr type get_device is_contiguous nelement".split()) | {
    f"get {name}" for name in "shape dtype device ndim layout is_cuda".split()
}


class Witness:
    """`waiting` maps what `.data` gave to where it was read."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.waiting: dict[int, tuple[Any, Site]] = {}

    def on_torch_call(self, event: TorchCall) -> None:
        if self.waiting and event.name not in METADATA:
            for value in (*event.args, *event.kwargs.values()):
                for one in value if isinstance(value, (list, tuple)) else [value]:
                    known = self.waiting.pop(id(one), None)
                    if known is not None and known[0]() is one:
                        self.run.report(CODE, known[1], f"`{event.name}` worked on what `.data` gave, unseen by autograd")
        if event.name == READ and isinstance(event.result, torch.Tensor):
            site = self._site()
            if site is not None:
                self.waiting[id(event.result)] = (weakref.ref(event.result), site)

    def _site(self) -> Site | None:
        frame = sys._getframe(1)
        while frame.f_back is not None and "flake8_detach" in frame.f_code.co_filename:
            frame = frame.f_back
        return self.run.program.site(frame) if self.run.program.owns(frame.f_code) else None
