"""Evaluation passes: which model calls belong to an evaluation, by evidence, and in which frame their results end.

Here: the reading of the Trace that DET301 (and later DET305) share. A pass is the frame and the outermost loop in it in which a model is called
for its output alone. Evidence, strongest first: the model is put into eval() in that frame; the frame's name says so; it loops over a
validation or test loader; the model is in eval mode and its result ends here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final, NamedTuple

from .knowledge import idioms
from .trace import Event, Role, Trace, text
from .value import Grad, Kind, Training, Value

TEST_FILE: Final = re.compile(r"^(test_.*|.*_tests?|conftest)$")


class Pass(NamedTuple):
    """One model call as the pass sees it: the call in the pass's own frame, the group it is reported with, and what the pass is."""

    node: ast.expr
    group: tuple[int, int]
    what: str


def passes(trace: Trace) -> Iterator[Pass]:
    """Every model call that is part of an evaluation pass with gradients enabled."""
    if _is_test_file(trace):
        return
    busy = _frames_that_train(trace)
    for index, event in enumerate(trace.events):
        if event.role == Role.FORWARD and event.mode == Grad.LIVE and _wasted(trace, event):
            found = _locate(trace, event, index, busy)
            if found is not None:
                yield found


def names(trace: Trace, frame: int) -> str:
    """The names of a frame's function and class, and of those that call it, in snake case."""
    out = ""
    while frame >= 0:
        out += "_" + idioms.words(trace.function(frame).replace(".", "_"))
        frame = trace.frames[frame].parent
    return out + "_"


def _is_test_file(trace: Trace) -> bool:
    """Whether the file holds unit tests: by its folder, or by its name and what it defines."""
    path = PurePath(trace.filename)
    if "tests" in path.parts:
        return True
    defined = [n.name for n in trace.tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    return bool(TEST_FILE.match(path.stem)) and any(n.startswith(("test_", "Test")) for n in defined)


def _wasted(trace: Trace, event: Event) -> bool:
    """Whether the call builds a graph and nothing of it is back-propagated, nor can be outside the file."""
    result = event.value
    tokens = result.refs | result.history
    if tokens & trace.backpropagated or tokens & trace.escaped:
        return False
    return builds_graph(trace, event)


def builds_graph(trace: Trace, event: Event) -> bool:
    """Whether what is called is known to be a model whose output requires grad."""
    called = event.node.func if isinstance(event.node, ast.Call) else None
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    if event.target.kind == Kind.UNKNOWN and idioms.MODELS.match(name) and any(v.kind & Kind.TENSOR for v in event.values):
        return True
    if event.target.kind & Kind.MODULE:
        return trace.is_live(event.value) or (trace.is_module(event.target) and event.value.grad & Grad.UNKNOWN != 0)
    return trace.is_module(event.target)


def _frames_that_train(trace: Trace) -> set[int]:
    """Frames in which, or below which, something is back-propagated."""
    out: set[int] = set()
    for event in trace.of(Role.BACKWARD, Role.STEP):
        frame = event.frame
        while frame >= 0 and frame not in out:
            out.add(frame)
            frame = trace.frames[frame].parent
    return out


def _locate(trace: Trace, event: Event, index: int, busy: set[int]) -> Pass | None:
    """The frame whose pass a model call belongs to: the nearest with evidence of its own, or where the result ends."""
    frame, node = event.frame, event.node
    while True:
        what = _evidence(trace, event, index, frame, busy)
        if what:
            return _pass(trace, event, frame, node, what)
        up = trace.frames[frame]
        if up.parent < 0 or not isinstance(up.call, ast.expr):
            return None
        if not _leaves(trace, event, frame) and not _only_forwards(trace, frame):
            return _quiet_end(trace, event, frame, node, busy)
        frame, node = up.parent, up.call


def _only_forwards(trace: Trace, frame: int) -> bool:
    return getattr(trace.frames[frame].function, "name", "") in ("forward", "__call__")


def _quiet_end(trace: Trace, event: Event, frame: int, node: ast.AST, busy: set[int]) -> Pass | None:
    """The result ends in a frame that says nothing itself: a pass when the model is in eval mode and nobody trains there."""
    name = idioms.words(trace.function(frame))
    outer = _outer_evidence(trace, event, frame, busy)
    if outer is not None:
        return outer
    if event.detail == Training.EVAL and frame not in busy and not idioms.TRAININGS.search(name):
        return _pass(trace, event, frame, node, f"`{trace.function(frame) or 'this script'}`")
    return None


def _outer_evidence(trace: Trace, event: Event, frame: int, busy: set[int]) -> Pass | None:
    """A caller that says of itself that it is an evaluation: the pass is its, though the result ends in a helper."""
    while trace.frames[frame].parent >= 0:
        node, frame = trace.frames[frame].call, trace.frames[frame].parent
        named = trace.frames[frame].function is not None and isinstance(node, ast.expr)
        what = _evidence(trace, event, trace.events.index(event), frame, busy) if named else ""
        if what and node is not None:
            return _pass(trace, event, frame, node, what)
    return None


def _evidence(trace: Trace, event: Event, index: int, frame: int, busy: set[int]) -> str:
    """What says that a frame is an evaluation, empty when nothing does."""
    name = trace.function(frame).rpartition(".")[2]
    words = idioms.words(name)
    if name.startswith("test_") or words in ("forward", "__call__", "__init__"):
        return ""
    label = f"`{name}`" if name else "this evaluation"
    if event.detail == Training.EVAL and _put_into_eval(trace, event, index, frame, frame in busy):
        return label
    if frame in busy:
        return label if event.detail == Training.EVAL and _in_eval_loop(trace, event, frame) else ""
    if idioms.EVALUATIONS.search(words) and not idioms.TRAININGS.search(words) and not _probe(trace, event, words):
        if not _leaves(trace, event, frame) or (event.detail == Training.EVAL and not trace.is_model_method(frame)):
            return label
    return label if _in_eval_loop(trace, event, frame) else ""


def _leaves(trace: Trace, event: Event, frame: int) -> bool:
    """Whether the result leaves the frame live."""
    return bool(trace.left.get(frame, set()) & (event.value.refs | event.value.history))


def _put_into_eval(trace: Trace, event: Event, index: int, frame: int, busy: bool) -> bool:
    """Whether a call of eval() in this frame, before the model call, is the last word on the model's mode in it.

    In a frame that also trains, the eval() must stand in the same training loop, or the call in a loop that does not train.
    """
    outermost = next((t for t in event.loops if trace.loops[t][1] == frame), None)
    for earlier in reversed(trace.events[:index]):
        if earlier.role == Role.TRAINING and earlier.frame == frame:
            if earlier.detail == Training.EVAL:
                return not busy or outermost is None or outermost in earlier.loops or not _trains_in(trace, outermost)
            if earlier.value.refs & event.target.refs:
                return False
    return False


def _in_eval_loop(trace: Trace, event: Event, frame: int) -> bool:
    """Whether the call runs in a loop of this frame over what is called a validation or test loader."""
    for token in event.loops:
        loop, owner = trace.loops[token]
        if owner == frame and isinstance(loop, (ast.For, ast.AsyncFor)):
            if any(idioms.LOADERS.search(n) for n in _names(loop.iter)) and not _trains_in(trace, token):
                return True
    return False


def _names(node: ast.expr) -> list[str]:
    return [n.id if isinstance(n, ast.Name) else n.attr for n in ast.walk(node) if isinstance(n, (ast.Name, ast.Attribute))]


def _trains_in(trace: Trace, loop: int) -> bool:
    return any(loop in e.loops for e in trace.of(Role.BACKWARD, Role.STEP))


def _probe(trace: Trace, event: Event, words: str) -> bool:
    """A `test()` that calls a model on made-up input outside any loop is a shape check."""
    return "test" in words and not event.loops and all(_made_up(v) for v in event.values if v.kind & (Kind.TENSOR | Kind.UNKNOWN))


def _made_up(value: Value) -> bool:
    return value.kind == Kind.TENSOR and value.grad == Grad.CUT and not value.reach


def _pass(trace: Trace, event: Event, frame: int, node: ast.AST, what: str) -> Pass | None:
    """The finding's place, one for each frame's function and outermost loop in it."""
    if not isinstance(node, ast.expr):
        return None
    loop = next(
        (id(trace.loops[t][0]) for t in event.loops if trace.loops[t][1] == frame and not isinstance(trace.loops[t][0], ast.ClassDef)), 0
    )
    return Pass(node, (id(trace.frames[frame].function), loop), what)


# -- passes in train mode -----------------------------------------------------------------------------------------------------------


def in_train_mode(trace: Trace) -> Iterator[Pass]:
    """Every call, in an evaluation pass, of a model that depends on its mode and on no path was put into eval()."""
    if _is_test_file(trace):
        return
    busy = _frames_that_train(trace)
    for index, event in enumerate(trace.events):
        if event.role == Role.FORWARD and event.target.refs & trace.fickle and not event.detail & Training.EVAL:
            if not (event.value.refs | event.value.history - trace.leaves) & trace.backpropagated and _is_shown(trace, event, index):
                found = _train_mode_pass(trace, event, busy)
                if found is not None:
                    yield found


def _is_shown(trace: Trace, event: Event, index: int) -> bool:
    """Whether the file shows all that may have set the model's mode, and that train mode is not meant."""
    if MEANT.search(names(trace, event.frame)):
        return False
    root = event.frame
    while trace.frames[root].parent >= 0:
        root = trace.frames[root].parent
    for token in event.target.refs:
        site = trace.sites[token]
        if isinstance(site.node, ast.ClassDef) or (root != 0 and not _made_with(trace, token, root)):
            return False
    for earlier in reversed(trace.events[:index]):
        if earlier.role == Role.TRAINING and earlier.frame == event.frame and earlier.value.refs & event.target.refs:
            return False
        if earlier.role == Role.USE and SETS_MODE.search(str(earlier.detail)) and any(v.refs & event.target.refs for v in earlier.values):
            return False
        if earlier.role == Role.BACKWARD and earlier.frame == event.frame:
            break
    return True


def _made_with(trace: Trace, token: int, root: int) -> bool:
    """Whether a model was made below a frame that nobody in the file calls, or by the __init__ of its object."""
    if trace.is_made_below(token, root):
        return True
    frame = trace.sites[token].frame
    return frame != 0 and trace.frames[root].owner != "" and trace.frames[frame].owner == trace.frames[root].owner


def _train_mode_pass(trace: Trace, event: Event, busy: set[int]) -> Pass | None:
    """The nearest frame, from the call outwards, that says of itself that it evaluates."""
    frame, node = event.frame, event.node
    while True:
        name = trace.function(frame).rpartition(".")[2]
        words = idioms.words(name)
        if name.startswith("test_") or TRAININGS.search(words):
            return None
        named = idioms.EVALUATIONS.search(words) and frame not in busy and not _probe(trace, event, words)
        if named or _in_eval_loop(trace, event, frame):
            return _pass(trace, event, frame, node, f"`{name}`" if name else "this evaluation")
        up = trace.frames[frame]
        if up.parent < 0 or not isinstance(up.call, ast.expr):
            return _aside(trace, event, busy)
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
    return _pass(trace, event, frame, node, f"`{trace.function(frame)}`" if frame else "this evaluation")


def _hands_on(trace: Trace, frame: int, busy: set[int]) -> bool:
    """Whether a frame is a helper of a caller that runs without gradients too."""
    parent = trace.frames[frame].parent
    return parent > 0 and parent not in busy


def acting(trace: Trace) -> Iterator[Pass]:
    """Every model call with gradients enabled in a function that selects an action, of which no live result comes out."""
    for event in trace.of(Role.FORWARD):
        if event.mode != Grad.LIVE or not _wasted(trace, event):
            continue
        frame, node = event.frame, event.node
        while frame >= 0 and isinstance(node, ast.expr):
            name = trace.function(frame).rpartition(".")[2]
            if ACTS.search(idioms.words(name)) and not name.startswith("test") and not _leaves(trace, event, frame) and not _kept(trace, event):
                found = _pass(trace, event, frame, node, f"`{name}`")
                if found is not None:
                    yield found
                break
            if not _leaves(trace, event, frame):
                break
            node, frame = trace.frames[frame].call or event.node, trace.frames[frame].parent


def _kept(trace: Trace, event: Event) -> bool:
    """Whether something computed from the call is stored."""
    tokens = event.value.refs | event.value.history
    return any(tokens & (e.value.refs | e.value.history) for e in trace.of(Role.STORE))


ACTS: Final = re.compile(r"(^|_)(act|actions?)(_|$)")

MEANT: Final = re.compile(r"(^|_)(mc|monte|carlo|dropout|bayes\w*|uncertain\w*|stochastic|ensemble|tta|adapt\w*|calibrat\w*|recalibrat\w*|update_bn|bn)(_|$)")
"""Names that say that train mode is meant."""

TRAININGS: Final = re.compile(r"(^|_)(fit|update|optimi[sz]e|backward|closure|attack|finetune)(_|$)")
SETS_MODE: Final = re.compile(r"eval|infer|mode|freeze|prepare", re.I)

__all__ = ["Pass", "acting", "builds_graph", "in_train_mode", "names", "passes", "text"]
