"""Evaluation passes: which model calls belong to an evaluation, by evidence, and in which frame their results end.

Here: the reading of the Trace that DET301 and DET305 share. A pass is the frame and the outermost loop in it in which a model is called
for its output alone. Evidence, strongest first: the model is put into eval() in that frame; the frame's name says so; it loops over a
validation or test loader; the model is in eval mode and its result ends here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final, NamedTuple

from . import index as indices
from .graphs import entry
from .knowledge import idioms
from .knowledge.pattern import Pattern
from .probes import probes
from .syntax import statements
from .trace import Event, Role, Trace, text
from .value import Grad, Kind, Training, Value
from .waste import is_detached, is_wasted

TEST_FILE: Final = Pattern(r"^(test_.*|.*_tests?|conftest)$")
MEASURES: Final = Pattern(r"(^|_)(eval|evaluate|evaluation|valid|validate|validation)(_|$)")
"""Names of functions that do nothing but measure: what they give is looked at, not trained on."""


class Pass(NamedTuple):
    """One model call as the pass sees it: the call in the pass's own frame, the group it is reported with, what and where the pass is."""

    node: ast.expr
    group: tuple[int, int]
    what: str
    frame: int


def passes(trace: Trace) -> Iterator[Pass]:
    """Every model call that is part of an evaluation pass with gradients enabled."""
    if is_test_file(trace):
        return
    busy, tried = frames_that_train(trace), None
    for index, event in enumerate(trace.events):
        if event.role == Role.FORWARD and event.mode == Grad.LIVE and is_wasted(trace, event):
            found = _locate(trace, event, index, busy)
            if found is None or _acts(trace, event, found.frame) or _asks_for_gradients(trace, event, found.frame):
                continue
            tried = probes(trace) if tried is None else tried
            if index in tried:
                continue
            if entry(trace, found.frame) in busy or not _is_callers(trace, event, index, found.frame):
                yield found


def _is_callers(trace: Trace, event: Event, index: int, frame: int) -> bool:
    """Whether the grad mode of the pass that a frame makes is for others to decide, whom the file does not show.

    A method of a model that runs its own layers, unless it decides by itself; a hook that a base class of another file calls.
    (Not what a function that trains leads to: its backward shows that gradients are on.)
    """
    root = entry(trace, frame)
    if root == 0 or not is_own_method(trace, root, event.target.refs):
        return False
    if trace.frames[root].owner not in trace.model_classes and not _has_forward(trace, trace.frames[root].owner):
        return bool(idioms.HOOKS.search(trace.function(root).rpartition(".")[2]))
    if trace.function(root).endswith(".forward"):
        return True
    return leaves(trace, event, frame) or not (_put_into_eval(trace, event, index, frame, False) or _decides(trace, frame))


def _decides(trace: Trace, frame: int) -> bool:
    """Whether a function leaves nothing to its callers: it puts its own model into eval mode, switches gradients off in part, or gives numbers."""
    words = {"no_grad", "inference_mode"} if trace.left.get(frame) else {"no_grad", "inference_mode", "item", "tolist"}
    for node in ast.walk(trace.frames[frame].function or trace.tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in words or called == "eval" and text(node) == "self.eval()" or any(k.arg == "volatile" for k in node.keywords):
                return True
    return False


def _has_forward(trace: Trace, owner: str) -> bool:
    """Whether a class of the file, whatever its bases are, defines `forward`."""
    classes = (n for n in trace.tree.body if isinstance(n, ast.ClassDef) and n.name == owner)
    return any(isinstance(n, ast.FunctionDef) and n.name == "forward" for c in classes for n in c.body)


def is_own_method(trace: Trace, frame: int, tokens: frozenset[int]) -> bool:
    """Whether a frame runs a method of a model class, or of one with a base that the file does not show, on models it did not make itself."""
    owner = trace.frames[frame].owner
    return (owner in trace.model_classes or owner in trace.heirs) and not any(trace.is_made_below(t, frame) for t in tokens)


def _acts(trace: Trace, event: Event, end: int) -> bool:
    """Whether the call selects an action, for a pass that only samples or generates: the one step of a policy is no evaluation."""
    if event.detail == Training.EVAL or re.search(r"eval|val|test|infer|predict|demo", trace.function(end), re.I) or trace.is_own_evaluation(end):
        return False
    frame = event.frame
    while frame >= 0 and not idioms.ACTS.search(idioms.words(trace.function(frame).rpartition(".")[2])):
        frame = trace.frames[frame].parent if frame != end else -1
    return frame >= 0


def _asks_for_gradients(trace: Trace, event: Event, end: int) -> bool:
    """Whether the call stands in a block that switches gradients on by name: they are meant."""
    frame, node = event.frame, event.node
    while True:
        function = trace.frames[frame].function or trace.tree
        blocks = (b for b in statements(function) if isinstance(b, ast.With) and b.lineno <= getattr(node, "lineno", 0) <= (b.end_lineno or 0))
        if any(text(item.context_expr).endswith(("enable_grad()", "set_grad_enabled(True)")) for b in blocks for item in b.items):
            return True
        if frame == end or trace.frames[frame].parent < 0:
            return False
        frame, node = trace.frames[frame].parent, trace.frames[frame].call or node


def names(trace: Trace, frame: int) -> str:
    """The names of a frame's function and class, and of those that call it, in snake case."""
    return "".join("_" + idioms.words(trace.function(f).replace(".", "_")) for f in trace.outward(frame)) + "_"


def is_test_file(trace: Trace) -> bool:
    """Whether the file holds unit tests: by its folder, or by its name and what it defines."""
    path = PurePath(trace.filename)
    if "tests" in path.parts:
        return True
    defined = [n.name for n in trace.tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    return bool(TEST_FILE.match(path.stem)) and any(n.startswith(("test_", "Test")) or n.endswith(("Test", "Tests", "TestCase")) for n in defined)


def is_unit_test(trace: Trace, frame: int) -> bool:
    """Whether a frame runs a `test_...` that a test runner calls: of a class of tests, or a function that the file gives no arguments."""
    owner, _, name = trace.function(frame).rpartition(".")
    call = trace.frames[frame].call
    given = isinstance(call, ast.Call) and bool(call.args or call.keywords)
    return name.startswith(("test_", "DISABLED_test_")) and ("test" in owner.lower() if owner else not given)


def frames_that_train(trace: Trace) -> set[int]:
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
    measured: Pass | None = None
    while True:
        what = _evidence(trace, event, index, frame, busy)
        if what:
            return place(trace, event, frame, node, what)
        if measured is not None and not leaves(trace, event, frame):
            return measured
        if measured is None and _measures(trace, event, frame, busy):
            measured = place(trace, event, frame, node, f"`{trace.function(frame)}`")
        up = trace.frames[frame]
        if up.parent < 0 or not isinstance(up.call, ast.expr):
            return _detached_end(trace, event, frame, node, busy)
        if _idles(trace, event, frame, busy):
            return place(trace, event, up.parent, up.call, "this evaluation")
        if not leaves(trace, event, frame) and not _only_forwards(trace, frame):
            return _quiet_end(trace, event, frame, node, busy)
        frame, node = up.parent, up.call


def _idles(trace: Trace, event: Event, frame: int, busy: set[int]) -> bool:
    """Whether a function that trains in another call of the file does not in this one: `run_epoch(val_loader, optimizer=None)`."""
    function = trace.frames[frame].function
    if function is None or frame in busy or leaves(trace, event, frame):
        return False
    return any(trace.frames[other].function is function for other in busy)


def _only_forwards(trace: Trace, frame: int) -> bool:
    return getattr(trace.frames[frame].function, "name", "") in ("forward", "__call__")


def _quiet_end(trace: Trace, event: Event, frame: int, node: ast.AST, busy: set[int]) -> Pass | None:
    """The result ends in a frame that says nothing itself: a pass when the model is in eval mode and nobody trains there."""
    name = idioms.words(trace.function(frame))
    outer = _outer_evidence(trace, event, frame, busy)
    if outer is not None:
        return outer
    if event.detail == Training.EVAL and frame not in busy and not idioms.TRAININGS.search(name):
        return place(trace, event, frame, node, f"`{trace.function(frame) or 'this script'}`")
    return None


def _detached_end(trace: Trace, event: Event, frame: int, node: ast.AST, busy: set[int]) -> Pass | None:
    """A function that nobody in the file calls runs a model that is in eval mode, and detaches what it gives: that is inference, with gradients on."""
    name = idioms.words(trace.function(frame).rpartition(".")[2])
    if event.detail != Training.EVAL or frame in busy or trace.frames[frame].function is None or leaves(trace, event, frame):
        return None
    if idioms.TRAININGS.search(name) or idioms.ACTS.search(name) or name in ("forward", "__call__", "__init__") or is_unit_test(trace, frame):
        return None
    return place(trace, event, frame, node, f"`{trace.function(frame)}`") if is_detached(trace, event, frame) else None


def _outer_evidence(trace: Trace, event: Event, frame: int, busy: set[int]) -> Pass | None:
    """A caller that says of itself that it is an evaluation: the pass is its, though the result ends in a helper."""
    number = indices.of(trace).number(event)
    while trace.frames[frame].parent >= 0:
        node, frame = trace.frames[frame].call, trace.frames[frame].parent
        named = trace.frames[frame].function is not None and isinstance(node, ast.expr)
        what = _evidence(trace, event, number, frame, busy) if named else ""
        if what and node is not None:
            return place(trace, event, frame, node, what)
    return None


def _evidence(trace: Trace, event: Event, index: int, frame: int, busy: set[int]) -> str:
    """What says that a frame is an evaluation, empty when nothing does."""
    name = trace.function(frame).rpartition(".")[2]
    words = idioms.words(name)
    if is_unit_test(trace, frame) or words in ("forward", "__call__", "__init__"):
        return ""
    label = f"`{name}`" if name else "this evaluation"
    if event.detail == Training.EVAL and _put_into_eval(trace, event, index, frame, frame in busy):
        return label
    if _is_volatile(trace, event) and not leaves(trace, event, frame):
        return label
    if frame in busy:
        return label if in_eval_loop(trace, event, frame) else ""
    named = idioms.EVALUATIONS.search(words) and not idioms.TRAININGS.search(words) and not is_probe(event, words)
    if named or trace.is_own_evaluation(frame):
        if not leaves(trace, event, frame) or (event.detail == Training.EVAL and not trace.is_model_method(frame)):
            return label
    return label if in_eval_loop(trace, event, frame) or _plays_back(trace, event, frame) else ""


def _measures(trace: Trace, event: Event, frame: int, busy: set[int]) -> bool:
    """Whether a function whose result is live says by its name that it validates: where the callers that the file shows end it, it was a measurement.
    Not a method: that of a policy which evaluates actions is called by its training, in another file."""
    owner, _, name = trace.function(frame).rpartition(".")
    words = idioms.words(name)
    if owner or frame in busy or not MEASURES.search(words) or idioms.TRAININGS.search(words):
        return False
    return not is_unit_test(trace, frame) and not is_probe(event, words)


def _plays_back(trace: Trace, event: Event, frame: int) -> bool:
    """Whether a script that only loads weights, and trains and saves nothing, runs the model in a loop."""
    if not event.target.refs & trace.loaded - trace.dumped or not trace.is_reached(frame) or trace.of(Role.BACKWARD, Role.STEP, Role.OPTIMIZER):
        return False
    if any(e.detail & Training.TRAIN for e in trace.of(Role.TRAINING)):
        return False
    return not leaves(trace, event, frame) and any(trace.loops[t][1] == frame and trace.is_statement(t) for t in event.loops)


def _is_volatile(trace: Trace, event: Event) -> bool:
    """Whether the model is given a `Variable(x, volatile=True)`, by which old programs said that no graph is wanted."""
    asked = (e.value.refs for e in trace.of(Role.SWITCH) if e.detail == "volatile")
    return any(v.reach & refs for refs in asked for v in event.values)


def leaves(trace: Trace, event: Event, frame: int) -> bool:
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
    handed_over = any(trace.sites[token].frame == frame for token in event.target.refs & trace.pretrained)
    return handed_over and (not busy or (outermost is not None and not _trains_in(trace, outermost)))


def in_eval_loop(trace: Trace, event: Event, frame: int) -> bool:
    """Whether the call runs in a loop of this frame over what is called a validation or test loader; in a comprehension, if gradients are off too."""
    for token in event.loops:
        loop, owner = trace.loops[token]
        if owner == frame and not _trains_in(trace, token) and any(idioms.LOADERS.search(n) for over in _iterated(loop, event) for n in _names(over)):
            return True
    return False


def _iterated(loop: ast.AST, event: Event) -> list[ast.expr]:
    """What a loop goes over."""
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        return [loop.iter]
    return [generator.iter for generator in getattr(loop, "generators", [])] if event.mode == Grad.CUT else []


def _names(node: ast.expr) -> list[str]:
    return [n.id if isinstance(n, ast.Name) else n.attr for n in ast.walk(node) if isinstance(n, (ast.Name, ast.Attribute))]


def _trains_in(trace: Trace, loop: int) -> bool:
    return any(loop in e.loops for e in trace.of(Role.BACKWARD, Role.STEP))


def is_probe(event: Event, words: str) -> bool:
    """A `test()` that calls a model on made-up input outside any loop is a shape check."""
    return "test" in words and not event.loops and all(_made_up(v) for v in event.values if v.kind & (Kind.TENSOR | Kind.UNKNOWN))


def _made_up(value: Value) -> bool:
    return value.kind == Kind.TENSOR and value.grad == Grad.CUT and not value.reach


def place(trace: Trace, event: Event, frame: int, node: ast.AST, what: str) -> Pass | None:
    """The finding's place, one for each frame's function and outermost loop in it."""
    if not isinstance(node, ast.expr):
        return None
    loop = next((id(trace.loops[t][0]) for t in event.loops if trace.loops[t][1] == frame and trace.is_statement(t)), 0)
    return Pass(node, (id(trace.frames[frame].function), loop), what, frame)


__all__ = [
    "Pass",
    "frames_that_train",
    "in_eval_loop",
    "is_own_method",
    "is_probe",
    "is_test_file",
    "is_unit_test",
    "leaves",
    "names",
    "passes",
    "place",
    "text",
]
