"""One trial: a text goes through the analysis under watch, and the verdict says what came of it.

What lives here: what counts as a failure. What must not: where texts come from. flake8 turns an exception of the analysis into one DET000 line;
here it stays an exception, so that a failure comes with its traceback.

usage, for the repetitions: python trial.py < paths    prints one JSON line for each path, (path, findings), in the order given
"""

from __future__ import annotations

import ast
import io
import json
import re
import signal
import sys
import time
import traceback
import warnings
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from flake8.processor import FileProcessor

from flake8_detach import analysis
from flake8_detach.analysis import Report

SECONDS_PER_FILE = 10.0
REPORTED = re.compile(r"DET[1-9][0-9]{2}")
GIVEN_UP = "the file was not analysed: it "
"""How the one line begins that tells of a file past a bound."""

# What opens the gate on a file that has nothing to do with torch, and gives the rules something to ask about.
TRAINING = """
import torch
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
total = 0
for step in range(3):
    loss = model(torch.ones(2)).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    total += loss
    print(loss, loss.numpy())
"""


class TooSlow(BaseException):
    """The analysis took more than its seconds. No Exception: nothing that is tried may swallow it."""


class Verdict(NamedTuple):
    """What came of one text: `parsed` by this Python, the findings, the seconds of processor time, and the failure, "" for none."""

    parsed: bool
    reports: tuple[Report, ...] = ()
    seconds: float = 0.0
    failure: str = ""
    details: str = ""


@contextmanager
def watch(seconds: float) -> Iterator[None]:
    """Raises TooSlow in the body once it has used so much processor time; other processes on the machine don't count."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def parse(text: str) -> ast.Module | None:
    """The tree, or None where this Python has no tree for it: that is flake8's E999 and not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def hang_parents(tree: ast.Module) -> None:
    """What other plugins leave on the nodes of the tree that flake8 shares out, pyflakes among them: the way back up, also on the nodes that Python
    itself shares among all trees, such as ast.Load."""
    rest: list[ast.AST] = [tree]
    while rest:
        node = rest.pop()
        for name in node._fields:
            value = getattr(node, name, None)
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    vars(child)["parent"] = node
                    rest.append(child)


def lines_of(text: str) -> list[str]:
    """A text's lines as flake8 hands them over: it reads files with all line ends made "\\n"."""
    return list(io.StringIO(text, newline=None))


def read(path: Path) -> list[str]:
    """A file's lines as flake8 itself reads them: coding line, byte order mark, latin-1 where nothing else fits."""
    options = Namespace(hang_closing=False, indent_size=4, max_line_length=79, max_doc_length=None, verbose=0, disable_noqa=False)
    return list(FileProcessor(str(path), options).lines)


def try_text(text: str, seconds: float = SECONDS_PER_FILE) -> Verdict:
    """Analyse a text. Never raises for what the analysis does."""
    lines = lines_of(text)
    tree = parse("".join(lines))
    if tree is None:
        return Verdict(False)
    hang_parents(tree)
    start = time.process_time()
    try:
        with watch(seconds):
            reports = tuple(analysis.check(tree, lines, "program.py"))
    except TooSlow:
        return Verdict(True, seconds=seconds, failure=f"took more than {seconds:g} s", details=traceback.format_exc())
    except Exception as error:
        return Verdict(True, seconds=time.process_time() - start, failure=cause(error), details=traceback.format_exc(limit=-12))
    return Verdict(True, reports, time.process_time() - start, misplaced(reports, lines))


def cause(error: BaseException) -> str:
    """The sort of an exception and the innermost place of it: equal causes have equal names."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if not isinstance(error, RecursionError) else "some depth"
    return f"{type(error).__name__} at {place}"


def misplaced(reports: Sequence[Report], lines: Sequence[str]) -> str:
    """What is wrong with a report's form, or ""."""
    for line, column, code, text in reports:
        if not (1 <= line <= len(lines) and 0 <= column <= len(lines[line - 1])):
            return f"{code} at a place that does not exist: {line}:{column}"
        if not (REPORTED.fullmatch(code) or text.startswith(GIVEN_UP)) or not text.strip() or not text.isprintable():
            return f"a report of a wrong form: {code!r} {text!r}"
    return ""


def main() -> None:
    """The findings of files, for a comparison between processes."""
    for name in sys.stdin.read().splitlines():
        verdict = try_text("".join(read(Path(name))))
        print(json.dumps([name, verdict.reports, verdict.failure]))


if __name__ == "__main__":
    main()
