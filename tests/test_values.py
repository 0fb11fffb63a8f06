"""The hidden state in both worlds: what the linter believes of each `reveal`, and the object that torch makes, lie under the same marker.

The static half asks that the Value, printed, equals the marker; the runtime half executes each scenario and asks that the concrete object lies
inside it (soundness). `missed` after a marker: torch has the marked value, the linter is known to believe otherwise; strict like all such words.
"""

from __future__ import annotations

import ast
import builtins
import runpy
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from flake8_detach.interpreter import interpret
from flake8_detach.trace import Role
from flake8_detach.value import join_all

VALUES = Path(__file__).parent.parent / "fixtures" / "values"
FILES = sorted(VALUES.glob("*.py"))
OPPOSITES = (("live", "cut"), ("leaf", "nonleaf"), ("float", "integer"))
ANYTHING = {"unknown", "other", "object", "library"}


def markers(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Line, words and whether the linter is known to miss it, for each `reveal` of a file."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if "reveal(" in line and "  # " in line:
            words = line.rpartition("  # ")[2].strip()
            yield number, words.removesuffix(" missed"), words.endswith(" missed")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_linter_believes_what_the_marker_says(path: Path) -> None:
    source = path.read_text()
    trace = interpret(ast.parse(source), str(path), source)
    seen: dict[int, list[Any]] = {}
    for event in trace.of(Role.REVEAL):
        seen.setdefault(event.node.lineno, []).append(event.value)  # type: ignore[attr-defined]
    wrong = []
    for line, words, missed in markers(path):
        believed = set(str(join_all(seen[line])).split()) if line in seen else {"never", "reached"}
        if (believed == set(words.split())) is missed:
            wrong.append(f"{path.name}:{line}: marker {words!r}{' missed' if missed else ''}, believed {' '.join(sorted(believed))!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_torch_makes_what_the_marker_says(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {line: words for line, words, _ in markers(path)}
    seen: set[int] = set()
    wrong: list[str] = []

    def reveal(value: object) -> object:
        line = _caller_line(str(path))
        seen.add(line)
        if not lies_inside(value, set(expected[line].split())):
            wrong.append(f"{path.name}:{line}: marker {expected[line]!r}, torch has {type(value).__name__} {described(value)}")
        return value

    monkeypatch.setattr(builtins, "reveal", reveal, raising=False)
    namespace = runpy.run_path(str(path))
    for name in scenarios(path):
        torch.manual_seed(0)
        torch.set_grad_enabled(True)
        namespace[name]()
    assert not wrong, "\n".join(wrong)
    assert seen == set(expected), f"never reached: {sorted(set(expected) - seen)}"


def scenarios(path: Path) -> list[str]:
    """The top-level functions without parameters."""
    tree = ast.parse(path.read_text())
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and not ast.unparse(n.args)]


def _caller_line(filename: str) -> int:
    """The line of the innermost frame of the fixture."""
    import sys

    frame = sys._getframe()
    while frame.f_code.co_filename != filename:
        assert frame.f_back is not None
        frame = frame.f_back
    return frame.f_lineno


def described(value: object) -> str:
    """A concrete object in the words of a marker."""
    if not isinstance(value, torch.Tensor):
        return ""
    words = ["live" if value.requires_grad else "cut", "leaf" if value.is_leaf else "nonleaf"]
    return " ".join([*words, "float" if value.dtype.is_floating_point or value.dtype.is_complex else "integer"])


def kind_of(value: object) -> set[str]:
    """The kinds by which a marker may call a concrete object."""
    import numpy

    table: tuple[tuple[Any, set[str]], ...] = (
        (torch.Tensor, {"tensor"}),
        (torch.nn.Module, {"module"}),
        (torch.optim.Optimizer, {"optimizer"}),
        (numpy.ndarray, {"array"}),
        ((bool, int, float, complex, numpy.generic), {"number"}),
        (str, {"text"}),
        (type(None), {"none"}),
        ((list, tuple, dict, set, deque), {"container"}),
    )
    found: set[str] = set()
    for types, names in table:
        if isinstance(value, types):
            found |= names
    return found


def lies_inside(value: object, words: set[str]) -> bool:
    """Whether a concrete object is one of those that the words of a marker allow."""
    if not words & ANYTHING and not kind_of(value) & words:
        return False
    if not isinstance(value, torch.Tensor):
        return True
    facts = set(described(value).split())
    return all(not words & set(pair) or facts & set(pair) <= words for pair in OPPOSITES)
