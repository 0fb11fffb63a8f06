"""Choosing: flake8's own machinery says which files are read and which findings are wanted there.

Here: the calls into flake8 (7.x; it has no public interface for this): its options and configuration files, its paths, its noqa comments and its
decisions. Not here: an option, a comment or a path that we would read ourselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from flake8.discover_files import expand_paths
from flake8.formatting.base import BaseFormatter
from flake8.options.config import _find_config_file
from flake8.options.parse_args import parse_args
from flake8.plugins import reporter
from flake8.processor import FileProcessor
from flake8.style_guide import StyleGuideManager
from flake8.violation import Violation

from .. import settings
from ..analysis import Report
from .mending import View
from .source import Text


class Silent(BaseFormatter):  # type: ignore[misc]  # flake8 has no types
    """Takes what flake8 would report, and shows nothing."""

    def format(self, error: Violation) -> str | None:
        return None

    def handle(self, error: Violation) -> None:
        pass


class Choice:
    """What a command line and the configuration files choose."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Raises SystemExit, with flake8's own message, for a bad option, and flake8's ExecutionError for a bad configuration."""
        plugins, self.options = parse_args(arguments)
        self.formatter = reporter.make(plugins.reporters, self.options)
        self.shown = StyleGuideManager(self.options, self.formatter)
        self.silent = StyleGuideManager(self.options, Silent(self.options))
        self.settings = settings.of_options(self.options)

    @property
    def given(self) -> list[Path]:
        """The paths of the command line."""
        return [Path(name) for name in self.options.filenames or ["."]]

    def paths(self) -> Iterator[Path]:
        """The files to read."""
        options = self.options
        yield from map(
            Path,
            expand_paths(
                paths=options.filenames,
                stdin_display_name=options.stdin_display_name,
                filename_patterns=options.filename,
                exclude=(*options.exclude, *options.extend_exclude),
            ),
        )

    def view(self, filename: str) -> View:
        """How a file is looked at by these choices."""
        return View(filename, lambda text, reports: self.wanted(filename, text, reports), self.settings)

    def wanted(self, filename: str, text: Text, reports: list[Report]) -> list[Report]:
        """Those that flake8 would show."""
        return [report for report in reports if self._handle(self.silent, filename, text, [report])]

    def show(self, filename: str, text: Text, reports: list[Report]) -> None:
        """Prints them as flake8 would."""
        with self.shown.processing_file(filename):
            self._handle(self.shown, filename, text, reports)

    def _handle(self, guide: StyleGuideManager, filename: str, text: Text, reports: list[Report]) -> int:
        processor = FileProcessor(filename, self.options, lines=text.lines)
        if processor.should_ignore_file():
            return 0
        return sum(
            guide.handle_error(
                code=one.code,
                filename=filename,
                line_number=one.line,
                column_number=one.column,
                text=one.text,
                physical_line=processor.noqa_line_for(one.line),
            )
            for one in reports
        )


def configuration(folder: str) -> list[str]:
    """The options that make flake8, started anywhere, read the configuration that it would find when started in a folder."""
    found = _find_config_file(folder)
    return ["--isolated"] if found is None else [f"--config={found}"]


__all__ = ["Choice", "configuration"]
