"""Passes in the wrong mode: model calls of an evaluation in train mode, and of action selection with gradients.

Here: the reading of the Trace behind DET305 and DET905. What a pass is, and what says that one evaluates, is in passes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from . import index
from .graphs import entry
from .knowledge import idioms
from .knowledge.pattern import Pattern
from .passes import (
    Pass,
    frames_that_train,
    in_eval_loop,
    is_own_method,
    is_probe,
    is_test_file,
    is_unit_test,
    leaves,
    names,
    place,
)
from .trace import Event, Role, Trace
from .value import Grad, Training
from .waste import is_wasted

MEANT: Final = Pattern(
    r"(^|_)(mc|monte|carlo|dropout|bayes\w*|uncertain\w*|stochastic|ensemble|tta|adapt\w*|calibrat\w*|recalibrat\w*|update_bn|bn)(_|$)"
)
"""Names that say that train mode is meant."""

TRAININGS: Final = Pattern(r"(^|_)(fit|update|optimi[sz]e|backward|closure|attack|finetune)(_|$)")
SETS_MODE: Final = Pattern(r"eval|infer|mode|freeze|prepare", re.I)


def in_train_mode(trace: Trace) -> Iterator[Pass]:
    """Every call, in an evaluation pass, of a model that depends on its mode and on no path was put into eval()."""
    if is_test_file(trace):
        return
    busy = frames_that_train(trace)
    for event in trace.of(Role.FORWARD):
        if event.target.refs & trace.fickle and not event.detail & Training.EVAL:
            if not (event.value.refs | event.value.history - trace.leaves) & trace.backpropagated and _is_shown(trace, event):
                found = _train_mode_pass(trace, event, busy)
                if found is not None:
                    yield found


def _is_shown(trace: Trace, event: Event) -> bool:
    """Whether the file shows all that may have set the model's mode, and that train mode is not meant."""
    if MEANT.search(names(trace, event.frame)):
        return False
    root = entry(trace, event.frame)
    for token in event.target.refs:
        site = trace.sites[token]
        if isinstance(site.node, ast.ClassDef) or (root != 0 and not _made_with(trace, token, root)):
            return False
    return not any(_may_set_mode(trace, event))


def _may_set_mode(trace: Trace, event: Event) -> Iterator[bool]:
    """Of what may have set the mode of a model, whether it did so before a call of it, and since the last backward of the function."""
    place = index.of(trace)
    here = place.number(event)
    began = max((place.number(e) for e in trace.of(Role.BACKWARD) if e.frame == event.frame and place.number(e) < here), default=-1)
    for earlier in trace.of(Role.TRAINING):
        if earlier.frame == event.frame and earlier.value.refs & event.target.refs:
            yield began < place.number(earlier) < here
    for token in event.target.refs:
        yield from (began < place.number(e) < here for e in place.used.get(token, ()) if SETS_MODE.search(str(e.detail)))


def _made_with(trace: Trace, token: int, root: int) -> bool:
    """Whether a model was made below a frame that nobody in the file calls, or by the __init__ of its object."""
    if trace.is_made_below(token, root):
        return True
    frame = trace.sites[token].frame
    return frame != 0 and trace.frames[root].owner != "" and trace.frames[frame].owner == trace.frames[root].owner


def _train_mode_pass(trace: Trace, event: Event, busy: set[int]) -> Pass | None:
    """The nearest frame, from the call outwards, that says of itself that it evaluates; the mode of `self` is its owner's."""
    frame, node = event.frame, event.node
    while True:
        name = trace.function(frame).rpartition(".")[2]
        words = idioms.words(name)
        looped = in_eval_loop(trace, event, frame)
        if is_unit_test(trace, frame) or TRAININGS.search(words) and not looped and not trace.is_own_evaluation(frame):
            return None
        own = is_own_method(trace, frame, event.target.refs)
        named = (idioms.EVALUATIONS.search(words) and not is_probe(event, words) or trace.is_own_evaluation(frame)) and frame not in busy
        if not own and (named or looped):
            return place(trace, event, frame, node, f"`{name}`" if name else "this evaluation")
        up = trace.frames[frame]
        if up.parent < 0 or not isinstance(up.call, ast.expr):
            return None if own else _aside(trace, event, busy)
        frame, node = up.parent, up.call


def _aside(trace: Trace, event: Event, busy: set[int]) -> Pass | None:
    """A model that trains, run without gradients for something that nothing in training uses."""
    held = {token for tokens in trace.optimized.values() for token in tokens}
    made = event.value.refs | event.value.reach
    if event.mode != Grad.CUT or not event.target.refs & held or made & (trace.mixed | trace.escaped) or event.frame in busy:
        return None
    if any(v.reach & event.value.refs for e in trace.of(Role.USE) for v in e.values):
        return None
    frame, node = event.frame, event.node
    while trace.frames[frame].function is not None and isinstance(trace.frames[frame].call, ast.expr) and _hands_on(trace, frame, busy):
        frame, node = trace.frames[frame].parent, trace.frames[frame].call or node
    return place(trace, event, frame, node, f"`{trace.function(frame)}`" if frame else "this evaluation")


def _hands_on(trace: Trace, frame: int, busy: set[int]) -> bool:
    """Whether a frame is a helper of a caller that runs without gradients too."""
    parent = trace.frames[frame].parent
    return parent > 0 and parent not in busy


def acting(trace: Trace) -> Iterator[Pass]:
    """Every model call with gradients enabled in a function that selects an action, of which no live result comes out."""
    for event in trace.of(Role.FORWARD):
        if event.mode != Grad.LIVE or not is_wasted(trace, event):
            continue
        frame, node = event.frame, event.node
        while frame >= 0 and isinstance(node, ast.expr):
            name = trace.function(frame).rpartition(".")[2]
            if idioms.ACTS.search(idioms.words(name)) and not name.startswith("test") and not leaves(trace, event, frame) and not _kept(trace, event):
                found = place(trace, event, frame, node, f"`{name}`")
                if found is not None:
                    yield found
                break
            if not leaves(trace, event, frame):
                break
            node, frame = trace.frames[frame].call or event.node, trace.frames[frame].parent


def _kept(trace: Trace, event: Event) -> bool:
    """Whether something computed from the call is stored."""
    tokens = event.value.refs | event.value.history
    return any(tokens & (e.value.refs | e.value.history) for e in trace.of(Role.STORE))


__all__ = ["acting", "in_train_mode"]
