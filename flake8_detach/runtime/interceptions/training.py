"""Watches what a training step is made of beside backward and step: optimizers made, gradients cleared and clipped, schedules, scalers, autocast.

The methods and functions are wrapped in their classes and modules, for the rest of the process. What torch calls for its own purposes inside one of
them is not told: a scheduler steps once when it is made, `scaler.step` unscales by itself.
"""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Callable
from types import FrameType, GeneratorType
from typing import Any

import torch
from torch.amp import GradScaler
from torch.nn import utils
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from ..events import Casting, Clearing, Clipping, Exhausted, OptimizerMade, Scaling, Scheduling
from ..ownership import parameters_of
from ..program import Site
from ..run import Run

ITERATORS = (GeneratorType, itertools.chain, filter, map, zip)
CLIPS = ("clip_grad_norm_", "clip_grad_value_")


def install(run: Run) -> None:
    """Wraps all of it."""
    watch = Watch(run)
    _wrap(torch.optim.Optimizer, "__init__", watch.makes)
    _wrap(torch.optim.Optimizer, "zero_grad", watch.clears_optimizer)
    _wrap(torch.nn.Module, "zero_grad", watch.clears_module)
    _wrap(LRScheduler, "__init__", watch.makes_scheduler)
    for scheduler in (LRScheduler, ReduceLROnPlateau):
        _wrap(scheduler, "step", watch.schedules)
    for method in ("scale", "unscale_", "step"):
        _wrap(GradScaler, method, functools.partial(watch.scales, method))
    _wrap(torch.autocast, "__enter__", functools.partial(watch.casts, True))
    _wrap(torch.autocast, "__exit__", functools.partial(watch.casts, False))
    for name in CLIPS:
        for home in (utils, utils.clip_grad):
            _wrap(home, name, watch.clips)


def _wrap(home: Any, name: str, watched: Callable[..., Any]) -> None:
    original = getattr(home, name)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return watched(original, *args, **kwargs)

    setattr(home, name, wrapper)


class Watch:
    """`inside` counts the watched calls that run: only the outermost is the program's own."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.inside = 0

    def _tell(self, make: Callable[[Site], object]) -> None:
        site = self.run.here()
        if self.inside == 0 and not self.run.busy and site is not None:
            with self.run.aside():
                self.run.emit(make(site))

    def _within(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.inside += 1
        try:
            return original(*args, **kwargs)
        finally:
            self.inside -= 1

    def makes(self, original: Callable[..., Any], optimizer: Any, params: Any, *args: Any, **kwargs: Any) -> Any:
        """Optimizer.__init__; it has a list of what an iterator gives."""
        params, empty = _listed(params)
        if empty:
            self._tell(lambda site: Exhausted("optimizer", site))
        result = original(optimizer, params, *args, **kwargs)
        self._tell(lambda site: OptimizerMade(optimizer, site))
        return result

    def clears_optimizer(self, original: Callable[..., Any], optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Optimizer.zero_grad."""
        self._tell(lambda site: Clearing([p for group in optimizer.param_groups for p in group["params"]], site))
        return original(optimizer, *args, **kwargs)

    def clears_module(self, original: Callable[..., Any], module: Any, *args: Any, **kwargs: Any) -> Any:
        """Module.zero_grad."""
        self._tell(lambda site: Clearing(list(parameters_of(module)), site))
        return original(module, *args, **kwargs)

    def makes_scheduler(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A scheduler's __init__ steps it once."""
        return self._within(original, *args, **kwargs)

    def schedules(self, original: Callable[..., Any], scheduler: Any, *args: Any, **kwargs: Any) -> Any:
        """LRScheduler.step."""
        self._tell(lambda site: Scheduling(scheduler.optimizer, site, bool(args or kwargs)))
        return self._within(original, scheduler, *args, **kwargs)

    def scales(self, method: str, original: Callable[..., Any], scaler: Any, subject: Any, *args: Any, **kwargs: Any) -> Any:
        """scale, unscale_ and step of a GradScaler."""
        if not scaler.is_enabled():
            return original(scaler, subject, *args, **kwargs)
        if method == "scale":
            result = original(scaler, subject, *args, **kwargs)
            self._tell(lambda site: Scaling(method, float(scaler.get_scale()), result, site))
            return result
        factor = float(scaler.get_scale())
        self._tell(lambda site: Scaling(method, factor, subject, site))
        return self._within(original, scaler, subject, *args, **kwargs)

    def casts(self, entered: bool, original: Callable[..., Any], block: Any, *args: Any, **kwargs: Any) -> Any:
        """__enter__ and __exit__ of an autocast block."""
        if block._enabled and block._cache_enabled:
            function = self._decorated(sys._getframe(2))
            self._tell(lambda site: Casting(entered, function or self.run.program.with_statement(site)))
        return original(block, *args, **kwargs)

    def _decorated(self, frame: FrameType) -> Site | None:
        """The place of the decorators of the function that a block surrounds, if it was made by decoration."""
        function = frame.f_locals.get("func")
        code = getattr(function, "__code__", None)
        owned = code is not None and frame.f_code.co_name == "decorate_autocast" and self.run.program.owns(code)
        return Site(code.co_firstlineno, 1) if code is not None and owned else None

    def clips(self, original: Callable[..., Any], parameters: Any, limit: Any = None, *args: Any, **kwargs: Any) -> Any:
        """clip_grad_norm_ and clip_grad_value_; they have a list of what an iterator gives."""
        listed, empty = _listed(parameters)
        value = limit if limit is not None else kwargs.get("max_norm", kwargs.get("clip_value", 0.0))
        if empty:
            self._tell(lambda site: Exhausted("clip", site))
        self._tell(lambda site: Clipping(_tensors(listed), float(value), site))
        # torch itself is to see, and to say, that an iterator is empty
        given = parameters if empty else listed
        return self._within(original, given, *(() if limit is None else (limit,)), *args, **kwargs)


def _listed(parameters: Any) -> tuple[Any, bool]:
    """Parameters as they can be looked at twice, and whether they were an iterator with nothing left."""
    if not isinstance(parameters, ITERATORS):
        return parameters, False
    listed = list(parameters)
    return listed, not listed


def _tensors(values: Any) -> list[torch.Tensor]:
    return [values] if isinstance(values, torch.Tensor) else [v for v in values if isinstance(v, torch.Tensor)]
