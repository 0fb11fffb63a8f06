"""Flake8's door: a tree and its lines in, flake8's tuples out.

What lives here: what flake8 must see of us (names, options, columns), and the wall that keeps an internal error from ending flake8's run.
What must not: anything that is needed only once a file is linted. flake8 imports this module at every start, even for `--version`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__

if TYPE_CHECKING:
    import ast
    from argparse import Namespace
    from collections.abc import Sequence

    from flake8.options.manager import OptionManager

    from .settings import Settings

PACKAGE = Path(__file__).resolve().parent
OPTIONS = {
    "loggers": "own loggers and trackers: NAME, or NAME:ARGUMENT:... where only these arguments are shown (a position from 1, or a keyword)",
    "evaluations": "own functions that evaluate a model",
    "detachers": "own functions whose result has no history, as that of detach() and item()",
    "clearers": "own functions that clear gradients: of what they are given, or of everything",
    "backpropagators": "own functions that call backward() on their first argument: NAME, or NAME:ARGUMENT for another one",
    "modules": "base classes, own or of other packages, whose heirs are nn.Modules",
}
"""Our options, `--detach-` and the name, with their help; each fills one of the Settings."""


class Plugin:
    """One file under flake8; flake8 passes the parameters by their names."""

    name = "flake8-detach"
    version = __version__
    settings: Settings | None = None  # flake8 has its options read once in each process, and makes one of us for each file

    def __init__(self, tree: ast.Module, lines: Sequence[str], filename: str) -> None:
        self.tree, self.lines, self.filename = tree, lines, filename

    @staticmethod
    def add_options(parser: OptionManager) -> None:
        parser.extend_default_ignore(opt_in_codes())
        for name, text in OPTIONS.items():
            parser.add_option(f"--detach-{name}", default="", metavar="NAMES", parse_from_config=True, comma_separated_list=True, help=text)

    @classmethod
    def parse_options(cls, parser: OptionManager, options: Namespace, filenames: object) -> None:
        """Take what flake8's configuration and command line say; a bad value ends flake8 with status 2."""
        from . import settings

        try:
            cls.settings = settings.of_options(options, unreported(options))
        except settings.BadSetting as error:
            parser.parser.error(str(error))

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Yield (line, column counted from 0, text, type): flake8 itself adds 1 to the column."""
        from . import analysis, settings

        try:
            reports = analysis.check(self.tree, self.lines, self.filename, self.settings or settings.DEFAULT)
        except Exception as error:
            yield 1, 0, f"DET000 {internal_error(error)}", Plugin
        else:
            for line, column, code, text in reports:
                yield line, column, f"{code} {text}", Plugin


def opt_in_codes() -> list[str]:
    """The codes of the family DET9, by file name alone: a rule is imported only when a file is linted."""
    return [code for code in codes() if code.startswith("DET9")]


def codes() -> list[str]:
    """All codes, by file name alone."""
    return sorted(path.name[:6].upper() for path in (PACKAGE / "rules").glob("det[0-9][0-9][0-9]_*.py"))


def unreported(options: Namespace) -> frozenset[str]:
    """The codes that flake8 would drop in every file, by its own `select` and `ignore`."""
    from flake8.style_guide import Decision, DecisionEngine

    engine = DecisionEngine(options)
    return frozenset(code for code in codes() if engine.decision_for(code) is not Decision.Selected)


def configured() -> Settings:
    """The settings that flake8 finds in the present folder's configuration; a bad one ends the process as it ends flake8."""
    from flake8.options.parse_args import parse_args

    from .settings import DEFAULT

    parse_args([])
    return Plugin.settings or DEFAULT


def internal_error(error: Exception) -> str:
    """What failed, and the innermost place of this package where it did."""
    place, trace = "", error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename).resolve()
        if path.is_relative_to(PACKAGE):
            place = f"{path.relative_to(PACKAGE).as_posix()}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"the file could not be analysed ({type(error).__name__} at {place}): please report it with the file"
