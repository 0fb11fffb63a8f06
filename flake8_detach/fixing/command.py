"""`flake8-detach fix PATH...`: the options, what is printed, the exit status.

Exit status, as ruff's: 0 when no finding is left, 1 when some are left (with --diff: when there is something to fix), 2 when a file could not be
read, mended or written, or an option is wrong.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from flake8.exceptions import ExecutionError

from . import files
from .changes import Unparsable
from .choosing import Choice
from .mending import Mended, mended
from .source import Text, decoded

NAME = "flake8-detach fix"


class Work:
    """The files of one command, one after the other, and what came of them."""

    def __init__(self, choice: Choice, unsafe: bool, diff: bool) -> None:
        self.choice, self.unsafe, self.diff = choice, unsafe, diff
        self.fixed = self.changed = self.left = self.waiting = 0
        self.failed = False
        self.done: set[Path] = set()

    def take(self, path: Path) -> None:
        """One file; a failure is told and leaves it as it is. Raises OSError where what is printed can't be, which is no failure of the file."""
        show: Callable[[], None] | None = None
        try:
            show = self._take(path)
        except files.Stale:
            self._fail(path, "it was changed meanwhile by somebody else and is left as they made it")
        except SyntaxError as error:
            self._fail(path, f"it is no valid Python ({f'line {error.lineno}: ' if error.lineno else ''}{error.msg})")
        except RecursionError:
            self._fail(path, "it is nested too deeply")
        except MemoryError:
            self._fail(path, "there is not enough memory for it")
        except (OSError, ValueError, Unparsable) as error:
            self._fail(path, str(error))
        if show is not None:
            try:
                show()
            except ValueError as error:  # the output's encoding has no such character
                self._fail(path, str(error))

    def _take(self, path: Path) -> Callable[[], None] | None:
        """What prints the outcome, None where there is nothing to print."""
        if not files.lies_within(path, self.choice.given):
            raise ValueError("it is a link out of the given paths")
        old = files.read(path)
        if old.path in self.done:
            return None
        self.done.add(old.path)
        text, name = decoded(old.data), str(path)
        new = mended(text, self.choice.view(name), self.unsafe)
        if new.text != text.text:
            if not self.diff:
                files.replace(old, text.encoded(new.text))
            self.changed += 1
        self.fixed += new.fixed
        self.left += len(new.left)
        self.waiting += sum(1 for d in new.left if d.edit is not None and not d.edit.safe and not self.unsafe)
        if self.diff:
            return partial(_show_changes, name, text, new)
        return partial(self.choice.show, name, text._replace(text=new.text), [d.report for d in new.left])

    def _fail(self, path: Path, reason: str) -> None:
        self.failed = True
        print(f"{NAME}: {path}: {reason}", file=sys.stderr)

    def summary(self) -> str:
        done = f"{'Would fix' if self.diff else 'Fixed'} {_count(self.fixed, 'finding')} in {_count(self.changed, 'file')}"
        left = f", {self.left} left" if self.left else ""
        return done + left + (f" ({self.waiting} with an unsafe fix: --unsafe)" if self.waiting else "")

    @property
    def status(self) -> int:
        return 2 if self.failed else int(self.changed > 0 if self.diff else self.left > 0)


def _show_changes(name: str, text: Text, new: Mended) -> None:
    lines = difflib.unified_diff(text.text.splitlines(True), new.text.splitlines(True), name, name)
    sys.stdout.writelines(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def main(arguments: Sequence[str]) -> int:
    """Raises SystemExit for a bad option."""
    parser = argparse.ArgumentParser(
        NAME,
        usage=f"{NAME} [--unsafe] [--diff] [flake8's own options] PATH...",
        description="Apply the fixes of findings: the safe ones, which change no value, no gradient and no output.",
        epilog="flake8's options and configuration (select, ignore, exclude, per-file-ignores, noqa ...) choose what is fixed; flake8 --help lists them.",
        allow_abbrev=False,
    )
    parser.add_argument("--unsafe", action="store_true", help="apply also the fixes that change what the program computes, as they are meant to")
    parser.add_argument("--diff", action="store_true", help="show what would be changed, and change nothing")
    own, rest = parser.parse_known_args(arguments)
    try:
        choice = Choice(rest)
    except (ExecutionError, ValueError) as error:  # ValueError: what flake8 raises for a code or number in its configuration that is none
        print(f"{NAME}: {error}", file=sys.stderr)
        return 2
    if not choice.options.filenames:
        parser.error("give at least one PATH")
    if "-" in choice.options.filenames:
        parser.error("PATH - (standard input) can't be fixed in place")
    work = Work(choice, own.unsafe, own.diff)
    choice.formatter.start()
    for path in choice.paths():
        work.take(path)
    choice.formatter.stop()
    print(work.summary(), file=sys.stderr)
    return work.status
