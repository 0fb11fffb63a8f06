"""The command line: its commands, each a short road to what does the work.

What lives here: names, arguments and exit statuses. What must not: the work itself, or an import that only one command needs.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from . import __version__

# Every family but the opt-in one, DET9: a prefix that covers an opt-in code would switch it on.
SELECTED = ",".join(f"DET{family}" for family in range(9))
FAILED = 2
INTERRUPTED = 130  # as shells have it: 128 and the number of the signal


def check(arguments: Sequence[str]) -> int:
    """flake8 with only our codes: check PATH... [flake8's own options]"""
    from flake8.main.cli import main as flake8

    return int(flake8([f"--select={SELECTED}", *arguments]))


def explain(arguments: Sequence[str]) -> int:
    """a rule's page: explain DET101"""
    from . import manual

    parser = argparse.ArgumentParser("flake8-detach explain", description="print what a rule says of itself")
    parser.add_argument("code", type=str.upper, help="a code, such as DET101")
    code = parser.parse_args(arguments).code
    found = {page.code: page for page in manual.pages()}
    if code not in found:
        parser.error(f"unknown code {code}; the codes are {', '.join(found)}")
    width = min(shutil.get_terminal_size().columns, 100)
    print(manual.explanation(found[code], width, bold=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    return 0


def rules(arguments: Sequence[str]) -> int:
    """all rules in one table, or as pages: rules [--markdown | --pages FOLDER]"""
    from . import manual

    parser = argparse.ArgumentParser("flake8-detach rules", description="print the table of the rules, or write a page for each")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as the table of the README")
    form.add_argument("--pages", type=Path, metavar="FOLDER", help="write one Markdown page for each rule, and an index, into this folder")
    chosen = parser.parse_args(arguments)
    if chosen.pages is None:
        print(manual.table(chosen.markdown))
        return 0
    try:
        manual.write(chosen.pages)
    except OSError as error:
        parser.error(f"--pages {chosen.pages}: {error.strerror}")
    return 0


def trace(arguments: Sequence[str]) -> int:
    """what the linter believes of values, and why: trace FILE[:LINE]"""
    from . import inspection, plugin
    from .inspection import beliefs

    parser = argparse.ArgumentParser("flake8-detach trace", description="print what the linter believes of the values of a file, and why")
    parser.add_argument("place", metavar="FILE[:LINE]", help="of a file, the names that are bound; of a line, all its expressions")
    try:
        path, line = inspection.place(parser.parse_args(arguments).place)
        print("\n".join(beliefs.told(inspection.inspect(path, line, plugin.configured()))))
    except inspection.Uninspectable as error:
        parser.error(str(error))
    return 0


def graph(arguments: Sequence[str]) -> int:
    """the autograd graph of a line's values, as the linter sees it: graph FILE:LINE [-o FILE.svg]"""
    from . import inspection, picture, plugin
    from .inspection import lineage

    parser = argparse.ArgumentParser("flake8-detach graph", description="draw the autograd graph of a line's values, as the linter sees it")
    parser.add_argument("place", metavar="FILE:LINE")
    parser.add_argument("-o", "--output", type=Path, help="a file, .dot or what Graphviz draws (.svg, .png, .pdf); default: DOT on standard output")
    chosen = parser.parse_args(arguments)
    try:
        path, line = inspection.place(chosen.place)
        if line is None:
            parser.error(f"{chosen.place}: which line? write {path}:LINE")
        drawn = lineage.graph(inspection.inspect(path, line, plugin.configured()))
        if drawn is None:
            parser.error(f"{chosen.place}: no tensor is computed or used there")
        picture.show(drawn, chosen.output)
    except (inspection.Uninspectable, picture.Undrawable) as error:
        parser.error(str(error))
    return 0


def fix(arguments: Sequence[str]) -> int:
    """apply the fixes of findings: fix [--unsafe] [--diff] PATH... [flake8's own options]"""
    from .fixing.command import main as run

    return run(arguments)


def witness(arguments: Sequence[str]) -> int:
    """run a program under real torch and print what happened: witness PROGRAM.py [ARGS...]"""
    from .runtime.command import main as run

    return run(arguments)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "check": check, "fix": fix, "explain": explain, "rules": rules, "trace": trace, "graph": graph, "witness": witness,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "flake8-detach",
        description="Find autograd mistakes in PyTorch code.",
        epilog="\n".join(f"  {name:<9}{command.__doc__}" for name, command in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the command takes; `flake8-detach COMMAND --help` says more")
    chosen = parser.parse_args(argv)
    try:
        status = COMMANDS[chosen.command](chosen.arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _ended(chosen.command, "interrupted", INTERRUPTED)
    except MemoryError:
        return _ended(chosen.command, "out of memory", FAILED)
    except SystemError as error:  # how Python ends where its own C code has found no memory
        return _ended(chosen.command, f"Python itself failed, perhaps for want of memory: {error}", FAILED)
    except (ImportError, SyntaxError) as error:
        if not _is_of_the_installation(error):
            raise
        return _ended(chosen.command, f"cannot be loaded: {error}", FAILED)
    except BrokenPipeError:
        _drop_output()  # who read it has seen enough
        return FAILED
    except OSError as error:
        _drop_output()
        return _ended(chosen.command, "out of memory" if error.errno == errno.ENOMEM else str(error), FAILED)
    except Exception as error:
        if not _hides_interrupt(error):
            raise
        return _ended(chosen.command, "interrupted", INTERRUPTED)


def _hides_interrupt(error: BaseException) -> bool:
    """Whether an interrupt came before an error: libcst's `record_syntactic_position` misses, on its way out, what it had not got to."""
    before = error.__context__
    while before is not None and not isinstance(before, KeyboardInterrupt):
        before = before.__context__
    return before is not None


def _drop_output() -> None:
    """What standard output still holds goes nowhere: at the end of the process it would fail once more."""
    with contextlib.suppress(OSError, ValueError):  # a test's standard output has no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_of_the_installation(error: ImportError | SyntaxError) -> bool:
    """Whether a package is missing, a compiled module finds no memory or no library of its own, or Python's parser no memory for a module of ours,
    which it then takes for invalid; anything else is a fault to be shown whole."""
    if isinstance(error, SyntaxError):
        return Path(error.filename or "").is_relative_to(Path(__file__).parent)
    missing = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] != __package__
    return missing or (error.path or "").endswith(tuple(EXTENSION_SUFFIXES))


def _ended(command: str, reason: str, status: int) -> int:
    print(f"flake8-detach {command}: {reason}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
