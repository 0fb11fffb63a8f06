"""The reference implementation: programs run under real PyTorch, and what happened is said in the codes of the linter.

The only room of the package that imports torch, and only in the process that runs the program. Nothing of the linter is used here but its
table of sinks: the two engines must come to the same lines on their own. A witness judges by what torch did, never by the text of the
program.

    witness(path)                      all that happened when the program ran
    witness(path, scenario="bad_sum")  when only this function ran, after the module-level code
    scenarios(path, names)             the same for many functions, in one process
    programs(paths)                    many whole programs, in one process
    files({path: names or None})       many of both, in one process
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .occurrence import Occurrence, Witnessed
from .process import TorchMissing, run_files, run_program, run_programs, run_scenarios

__all__ = ["TIMEOUT", "Occurrence", "TorchMissing", "Witnessed", "files", "programs", "scenarios", "witness"]

TIMEOUT = 120.0


def witness(path: str, args: Sequence[str] = (), scenario: str | None = None, timeout: float = TIMEOUT) -> list[Occurrence]:
    """The codes that really happened when the program at `path` ran with `args`, by line; with `scenario` only that function of it.

    Raises TorchMissing, OSError, SyntaxError, UnicodeDecodeError. A program that fails or runs out of time still answers with what it
    showed.
    """
    if scenario is not None:
        return run_scenarios(path, [scenario], timeout)[scenario].occurrences
    return run_program(path, args, timeout).occurrences


def scenarios(path: str, names: Sequence[str], timeout: float = TIMEOUT) -> dict[str, Witnessed]:
    """What each of the functions `names` showed, each run afresh after the module-level code. Raises as witness does."""
    return run_scenarios(path, names, timeout)


def programs(paths: Iterable[str], timeout: float = TIMEOUT) -> dict[str, Witnessed]:
    """What each of the programs showed when it ran as `__main__`, silently and without arguments. Raises as witness does."""
    return run_programs(paths, timeout)


def files(wanted: Mapping[str, Sequence[str] | None], timeout: float = TIMEOUT) -> dict[tuple[str, str | None], Witnessed]:
    """For each path what its named functions showed, or with None the whole program. Raises as witness does."""
    return run_files(wanted, timeout)
