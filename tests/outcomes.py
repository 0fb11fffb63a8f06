"""What a program computes under plain torch: its output, its exception, and the tensors, numbers and gradients that it ends with.

What lives here: the run and the picture of its end, which tests compare before and after a fix. What must not: the linter, the witness, a fix.
Run as a program, it reads jobs (path and scenario or null) as JSON from its input and answers a line of JSON for each.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import io
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import types
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

LIMIT = 30
PRELOADED = ("torch", "torch._dynamo", "torch.optim", "numpy")
"""Imported once, before the fork: the first step of an optimizer would import the second."""
CLOCKS = ("time", "perf_counter", "process_time")
DEPTH = 5
Job = tuple[str, "str | None"]


class Outcome(NamedTuple):
    """The exception's type and last line ("" for none), where it was raised, what was printed, and what each name holds at the end."""

    error: str
    line: int
    printed: str
    state: dict[str, str]
    gradients: dict[str, str]  # the same with the gradients of leaves


def outcomes(jobs: Sequence[Job]) -> dict[Job, Outcome]:
    """Each program, or scenario of a file, run once in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, __file__, folder], input=json.dumps(list(jobs)), capture_output=True, text=True, timeout=LIMIT * (1 + len(jobs)), check=False
        )
        assert done.returncode == 0, done.stderr
        found: dict[Job, Outcome] = {}
        for number, job in enumerate(jobs):
            answer = Path(folder) / f"{number}.json"
            found[job] = Outcome(*json.loads(answer.read_text())) if answer.exists() else Outcome("it came to no end", 0, "", {}, {})
    return found


FICKLE = "differs from run to run"


def lasting(one: Outcome, other: Outcome) -> Outcome:
    """What two runs of the same program have in common: not the time, nor the name of a temporary folder."""
    state, gradients = (
        {name: value for name, value in mine.items() if value == theirs.get(name)}
        for mine, theirs in ((one.state, other.state), (one.gradients, other.gradients))
    )
    return one._replace(printed=one.printed if one.printed == other.printed else FICKLE, state=state, gradients=gradients)


def difference(before: Outcome, after: Outcome, codes: set[str]) -> str:
    """What a fix of these codes has changed, "" for nothing. DET101 is about the text of tensors, DET505 and DET506 about gradients that nobody uses."""
    if after.error:
        return "" if after.error == before.error else f"{before.error or 'no exception'} -> {after.error}"
    if before.error:
        return ""
    old, new = (one.state if codes & {"DET505", "DET506"} else one.gradients for one in (before, after))
    names = [name for name in old if old[name] != new.get(name)]
    told = "DET101" in codes or before.printed in (FICKLE, after.printed)
    return f"{names}" if names else "" if told else f"{before.printed!r} -> {after.printed!r}"


# -- in the child -----------------------------------------------------------------------------------------------------------------------


def picture(value: Any, grads: bool, depth: int = DEPTH, seen: frozenset[int] = frozenset()) -> str:
    """The contents of a value, bit for bit; of what is no data, its type."""
    import numpy
    import torch

    if id(value) in seen or depth < 0:
        return "..."
    seen |= {id(value)}
    if isinstance(value, torch.Tensor):
        data = _digest(value.detach().contiguous().cpu().numpy())
        leaf = grads and value.is_leaf and value.grad is not None
        return f"{data} grad {picture(value.grad, grads, depth, seen)}" if leaf else data
    if isinstance(value, numpy.ndarray):
        return _digest(value) if value.dtype != object else picture(value.tolist(), grads, depth, seen)
    if isinstance(value, torch.nn.Module):
        parts = {**dict(value.named_parameters()), **dict(value.named_buffers())}
        return picture({"training": value.training, **parts}, grads, depth - 1, seen)
    if isinstance(value, (str, bytes, bool, int, float, complex, type(None), numpy.generic)):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {picture(one, grads, depth - 1, seen)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(picture(one, grads, depth - 1, seen) for one in value) + "]"
    if type(value).__module__ in ("__main__", "scenario"):
        return picture(dict(vars(value)) if hasattr(value, "__dict__") else {}, grads, depth - 1, seen)
    return type(value).__name__


def _digest(array: Any) -> str:
    return f"{array.dtype}{array.shape} {hashlib.sha1(array.tobytes()).hexdigest()}"


def set_clocks() -> None:
    """A reading of a clock is a millisecond after the one before: what a program prints of the time it took is the same in every run."""
    for name in CLOCKS:
        setattr(time, name, functools.partial(next, itertools.count(1e9, 1e-3)))


def run(path: str, scenario: str | None) -> Outcome:
    """In this very process."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    random.seed(0)
    set_clocks()
    module = types.ModuleType("scenario" if scenario else "__main__")
    module.__file__, ends = path, {}
    sys.modules[module.__name__] = module
    sys.argv, sys.path[0] = [path], str(Path(path).parent)
    printed, error, line = io.StringIO(), "", 0

    def watch(frame: types.FrameType, event: str, _: object) -> None:
        if event == "return" and frame.f_code.co_name == scenario and frame.f_code.co_filename == path:
            ends.update(frame.f_locals)

    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(Path(path).read_bytes(), path, "exec"), module.__dict__)
            if scenario:
                sys.setprofile(watch)
                getattr(module, scenario)()
        except SystemExit:
            pass
        except Exception as raised:
            error = "".join(traceback.format_exception_only(raised)).strip()
            line = max((f.lineno or 0 for f in traceback.extract_tb(raised.__traceback__) if f.filename == path), default=0)
        finally:
            sys.setprofile(None)
    names = {**{k: v for k, v in vars(module).items() if not k.startswith("__")}, **ends}
    return Outcome(error, line, printed.getvalue(), *({name: picture(value, grads) for name, value in names.items()} for grads in (False, True)))


def main(folder: str) -> None:
    import matplotlib

    for name in PRELOADED:
        importlib.import_module(name)
    matplotlib.use("Agg")
    for number, (path, scenario) in enumerate(json.load(sys.stdin)):
        child = os.fork()
        if not child:
            os.setsid()
            signal.alarm(LIMIT)  # whoever waits for ever has no outcome but this
            (Path(folder) / f"{number}.json").write_text(json.dumps(run(path, scenario)))
            os._exit(0)
        os.waitpid(child, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what it has started and left


if __name__ == "__main__":
    main(sys.argv[1])
