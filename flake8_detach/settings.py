"""What the project says of its own names: the Settings, and the options of flake8 that fill them.

Here: the Settings, how an option's text becomes a part of them, how a pattern meets a name. Not here: what a name that a setting mentions does
(interpreter/own_names, passes), or flake8 (plugin).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final, NamedTuple


class Named(NamedTuple):
    """A pattern for dotted names, and which arguments of the call count: positions from 0 and keywords, none for the option's default."""

    pattern: str
    arguments: tuple[int | str, ...] = ()

    def matches(self, name: str) -> bool:
        """Whether a dotted name is meant: all of it, or by a pattern without a dot its last part.

        A name that begins with a dot was imported from a place that is known from there on: the rest of the pattern is not asked for.
        """
        if "." not in self.pattern:
            return fnmatchcase(name.rpartition(".")[2], self.pattern)
        if name.startswith("."):
            parts = name.strip(".").split(".")
            return fnmatchcase(".".join(parts), ".".join(self.pattern.split(".")[-len(parts) :]))
        return fnmatchcase(name, self.pattern)


class Settings(NamedTuple):
    """All that the project may say; passed on explicitly, and the same for every file of a run."""

    loggers: tuple[Named, ...] = ()
    evaluations: tuple[Named, ...] = ()
    detachers: tuple[Named, ...] = ()
    clearers: tuple[Named, ...] = ()
    backpropagators: tuple[Named, ...] = ()
    modules: tuple[Named, ...] = ()
    off: frozenset[str] = frozenset()  # codes that are not reported, so that their rules need not run

    @property
    def names(self) -> tuple[Named, ...]:
        """All names that are mentioned."""
        return self.loggers + self.evaluations + self.detachers + self.clearers + self.backpropagators + self.modules

    def are_mentioned(self, source: str) -> bool:
        """Whether a text holds the last word of a name."""
        return any(words(named.pattern)[-1] in source for named in self.names)


DEFAULT: Final = Settings()


def find(named: Iterable[Named], names: Sequence[str]) -> Named | None:
    """The first of the patterns that one of the names matches."""
    return next((one for one in named if any(one.matches(name) for name in names)), None)


# -- from text ------------------------------------------------------------------------------------------------------------------------

NAMED: Final = Settings._fields[:-1]
"""The settings that are names, each filled by the option of flake8 that is called `--detach-` and its name (plugin)."""
TAKE_ARGUMENTS: Final = ("loggers", "backpropagators")

DIGITS: Final = 3
"""Of a position: Python itself reads numbers of thousands of them only when asked to."""


class BadSetting(ValueError):
    """A value of an option that means nothing; its text names both."""


def read(values: Mapping[str, Sequence[str]], off: frozenset[str] = frozenset()) -> Settings:
    """The Settings that options say: a list of words for each of NAMED. Raises BadSetting."""
    return Settings(**{name: tuple(_named(name, word) for word in values.get(name, ())) for name in NAMED}, off=off)


def of_options(options: object, off: frozenset[str] = frozenset()) -> Settings:
    """The same of flake8's parsed options, which hold each as `detach_` and its name."""
    return read({name: getattr(options, f"detach_{name}") for name in NAMED}, off)


def _named(setting: str, word: str) -> Named:
    """`NAME` or `NAME:ARGUMENT:...`."""
    pattern, *arguments = word.split(":")
    if re.fullmatch(r"[\w*?\[\]!-]+(\.[\w*?\[\]!-]+)*", pattern) is None or not words(pattern):
        raise BadSetting(f"--detach-{setting}: {word!r} is not a dotted name (it may have the wildcards *, ? and [...], but not these alone)")
    if arguments and setting not in TAKE_ARGUMENTS:
        raise BadSetting(f"--detach-{setting}: {word!r}: this option takes names alone, without arguments")
    return Named(pattern, tuple(_argument(setting, word, argument) for argument in arguments))


def _argument(setting: str, word: str, argument: str) -> int | str:
    if argument.isdecimal() and len(argument) <= DIGITS and int(argument) > 0:
        return int(argument) - 1
    if not argument.isidentifier():
        raise BadSetting(f"--detach-{setting}: {word!r}: {argument!r} is neither a position (from 1) nor a keyword")
    return argument


def words(pattern: str) -> list[str]:
    """The parts of a pattern that are no wildcards."""
    return re.findall(r"[A-Za-z_]\w*", pattern)
