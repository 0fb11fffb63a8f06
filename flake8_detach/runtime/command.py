"""The command `flake8-detach witness PROGRAM.py [ARGS...]`: runs a program under real PyTorch and prints what happened, one line per
finding; with `--graph LINE` it also draws the autograd graph that torch built for the values of that line.

The program keeps its standard streams and its exit status. The findings follow when it has ended, on standard error or in the file of
`--output`, in flake8's form `path:line:column: CODE evidence`. Status 124 means that the time limit ended the program, 2 a wrong call or
that torch is missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import picture
from . import TIMEOUT
from .occurrence import Witnessed
from .process import TorchMissing, run_program

TIMED_OUT = 124  # as timeout(1) has it
WRONG_CALL = 2


def main(argv: Sequence[str]) -> int:
    """Runs the command; returns the exit status."""
    options = _parser().parse_args(argv)
    try:
        witnessed = run_program(options.program, options.args, options.timeout, options.graph)
    except (TorchMissing, OSError, SyntaxError, UnicodeDecodeError) as error:
        print(f"flake8-detach witness: {error}", file=sys.stderr)
        return WRONG_CALL
    if witnessed.error:
        print(witnessed.error, end="", file=sys.stderr)
    if not _print(options.program, witnessed, options.output):
        return WRONG_CALL
    if options.graph and not _draw(options, witnessed.picture):
        return WRONG_CALL
    if witnessed.timed_out:
        print(f"flake8-detach witness: {options.program} was stopped after {options.timeout:g} seconds", file=sys.stderr)
        return TIMED_OUT
    return witnessed.status


def _parser() -> argparse.ArgumentParser:
    description = (
        "run a program under real PyTorch and print the mistakes that happened; this executes the program, as python PROGRAM.py would,"
        " in a process of its own: give it only what you would run yourself"
    )
    parser = argparse.ArgumentParser("flake8-detach witness", description=description)
    parser.add_argument("--timeout", type=float, default=TIMEOUT, help="seconds until the program is stopped (default: %(default)g)")
    parser.add_argument("--output", type=Path, help="write the findings to this file instead of standard error")
    parser.add_argument("--graph", type=_line, default=0, metavar="LINE", help="draw the graph of this line's values, as it was first")
    parser.add_argument("--graph-output", type=Path, help="where to: .dot or what Graphviz draws (.svg ...); default: DOT on standard output")
    parser.add_argument("program", help="the program, a Python file")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="its arguments")
    return parser


def _line(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no line number")
    return int(text)


def _draw(options: argparse.Namespace, drawn: picture.Picture | None) -> bool:
    """Shows the graph; tells on standard error why there is none."""
    try:
        if drawn is None:
            raise picture.Undrawable(f"{options.program}:{options.graph}: no tensor that requires grad was made or used there")
        picture.show(drawn, options.graph_output)
    except picture.Undrawable as error:
        print(f"flake8-detach witness: {error}", file=sys.stderr)
        return False
    return True


def _print(program: str, witnessed: Witnessed, output: Path | None) -> bool:
    """Whether the findings are where they were wanted; they go to standard error too where that file can't be written."""
    text = "".join(f"{program}:{o.line}:{o.column + 1}: {o.code} {o.evidence}\n" for o in witnessed.occurrences)
    try:
        if output is not None:
            output.write_text(text, encoding="utf-8")
            return True
    except OSError as error:
        print(f"flake8-detach witness: --output: {error}", file=sys.stderr)
    sys.stderr.write(text)
    return output is None
