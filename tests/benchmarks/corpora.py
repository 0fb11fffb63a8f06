"""What is linted: folders of repositories, and what is made of them.

Here: choosing files. Not here: measuring. Files that this Python cannot parse are left out, since TorchFix ends flake8's run at them; so that the
process that measures stays small, they are parsed in another.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple


class Corpus(NamedTuple):
    """Files under a letter and a title."""

    letter: str
    title: str
    files: tuple[Path, ...]


PLAIN_FILES, EDITOR_LINES, LONG_LINES = 500, 500, 20_000
PARSE = """
import ast, json, sys, tokenize, warnings
warnings.simplefilter("ignore")
def lines(path):
    try:
        with tokenize.open(path) as file:
            text = file.read()
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return 0
    return text.count("\\n")
print(json.dumps([lines(path) for path in json.load(sys.stdin)]))
"""


def parsed_lines(paths: Sequence[Path]) -> dict[Path, int]:
    """The number of lines of each file that can be parsed and is not empty."""
    names = json.dumps([str(path) for path in paths])
    out = subprocess.run([sys.executable, "-c", PARSE], input=names, check=True, capture_output=True, text=True).stdout
    return {path: count for path, count in zip(paths, json.loads(out)) if count}


def folder(letter: str, root: Path) -> Corpus:
    """All Python files of a folder. Raises ValueError when there is none."""
    files = parsed_lines(sorted(root.rglob("*.py")))
    if not files:
        raise ValueError(f"no Python file below {root}")
    return Corpus(letter, root.resolve().name, tuple(files))


def plain(letter: str) -> Corpus:
    """Files of the standard library without the word torch, from all over it; its tests are as much of it as its modules."""
    root = Path(sysconfig.get_path("stdlib"))
    found = [path for path in sorted(root.rglob("*.py")) if not {"site-packages", "dist-packages", "lib2to3", "test"} & set(path.parts)]
    files = [path for path in parsed_lines(found) if "torch" not in text_of(path)]
    step = max(1.0, len(files) / PLAIN_FILES)
    chosen = tuple(files[int(n * step)] for n in range(min(PLAIN_FILES, len(files))))
    return Corpus(letter, f"{len(chosen)} files without torch (standard library)", chosen)


def editor_file(letter: str, files: Iterable[Path]) -> Corpus:
    """The file nearest to the length of one that is edited."""
    lengths = parsed_lines(list(files))
    path = min(lengths, key=lambda path: (abs(lengths[path] - EDITOR_LINES), path))
    return Corpus(letter, f"one file of {lengths[path]} lines ({path.parent.name}/{path.name}), cold", (path,))


def long_texts(files: Iterable[Path], length: int = LONG_LINES) -> Iterator[str]:
    """Files one after another, a new text where so many lines are reached; what remains is left out."""
    lines: list[str] = []
    for path in files:
        lines += [line for line in text_of(path).splitlines() if not line.startswith("from __future__")]
        if len(lines) >= length:
            yield "\n".join(lines) + "\n"
            lines = []


def long_file(letter: str, files: Iterable[Path], path: Path) -> Corpus:
    """One file of many lines, written to `path`. Raises ValueError when there are not enough of them."""
    text = next(long_texts(files), "")
    if not text:
        raise ValueError(f"there are not {LONG_LINES} lines of code")
    path.write_text(text, encoding="utf-8")
    return Corpus(letter, f"one file of {text.count(chr(10))} lines", (path,))


def text_of(path: Path) -> str:
    with tokenize.open(path) as file:
        return file.read()
