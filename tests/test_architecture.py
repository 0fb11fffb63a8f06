"""The floors of the package: who may import whom, what is imported nowhere, and what a start of flake8 may cost.

What lives here: laws about the shape of the source, checked by walking its syntax. What must not: anything about behaviour.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "flake8_detach"

# From the ground up. A module imports lower floors, or its own room.
FLOORS = [
    ["settings", "value", "trace", "rule"],
    ["knowledge", "edits", "picture", "syntax", "index"],
    ["probes", "graphs", "waste"],
    ["passes"],
    ["modes"],
    ["steps"],
    ["periods", "adversaries"],
    ["cures"],
    ["interpreter", "rules"],
    ["analysis", "fixing"],
    ["inspection"],
    ["manual", "plugin", "language_server", "__main__"],
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
WORDS = {"settings", "value", "trace", "rule"}
# Rooms of one floor that may look next door; above all not the interpreter and the rules.
NEIGHBOURS = {
    ("trace", "value"), ("trace", "settings"), ("rule", "value"), ("rule", "trace"), ("fixing", "analysis"), ("__main__", "manual"),
    ("__main__", "plugin"), ("language_server", "manual"),
}  # fmt: skip
# The annex: it may use the words, the tables of sinks and the look of pictures; only the command line opens its door, and only when asked to.
ANNEX = "runtime"
ANNEX_TABLES = ("knowledge.sink", "picture")
ANNEX_DOOR = "__main__"
# Who may import a heavy package.
HEAVY = {
    "torch": {"runtime"},
    "libcst": {"edits", "fixing"},
    "numpy": {"runtime"},
    "pandas": {"runtime"},
    "graphviz": {"picture"},
    "matplotlib": {"runtime"},
    "pluggy": {"language_server"},
}
# What importing the plugin may add to a start of flake8, which has imported the standard library's part already.
IMPORT_BUDGET_MS = 5.0


class Import(NamedTuple):
    """One import statement of the package: of a module of ours (dotted, without the package's name), or of another package."""

    importer: str
    imported: str
    ours: bool
    lazy: bool

    @property
    def importer_room(self) -> str:
        return room(self.importer)

    @property
    def imported_room(self) -> str:
        return room(self.imported)


def room(module: str) -> str:
    return module.partition(".")[0]


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(module: str) -> Iterator[Import]:
    """What a module imports when it runs; imports for type checkers alone don't run."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    yield from _imports(module, tree.body, lazy=False)


def _imports(module: str, nodes: list[ast.stmt], lazy: bool) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (import_of(module, target, lazy) for target in targets(module, node))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from _imports(module, node.orelse, lazy)
        else:
            inner = [child for child in ast.walk(node) if isinstance(child, (ast.Import, ast.ImportFrom))]
            yield from _imports(module, list(inner), lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)))


def targets(module: str, node: ast.Import | ast.ImportFrom) -> list[str]:
    """The absolute dotted names that a statement may import."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    package = ["flake8_detach", *module.split(".")]
    if MODULES[module].name != "__init__.py":
        package.pop()
    base = [*package[: len(package) - node.level + 1], *filter(None, [node.module])] if node.level else [str(node.module)]
    return [".".join([*filter(None, base), alias.name]) for alias in node.names]


def import_of(module: str, target: str, lazy: bool) -> Import:
    top, _, inner = target.partition(".")
    if top != "flake8_detach":
        return Import(module, target, ours=False, lazy=lazy)
    while inner and inner not in MODULES:
        inner = inner.rpartition(".")[0]
    return Import(module, inner, ours=True, lazy=lazy)


IMPORTS = [found for module in MODULES for found in imports(module)]
OURS = [found for found in IMPORTS if found.ours and found.imported]
FOREIGN = [found for found in IMPORTS if not found.ours]


def allowed(found: Import) -> bool:
    importer, imported = found.importer_room, found.imported_room
    if importer == ANNEX:
        return imported == ANNEX or imported in WORDS or found.imported.startswith(ANNEX_TABLES)
    if imported == ANNEX:
        return importer == ANNEX_DOOR and found.lazy
    return importer == imported or (importer, imported) in NEIGHBOURS or FLOOR[imported] < FLOOR[importer]


def test_the_walk_sees_imports() -> None:
    """A law about imports is worth nothing if the walk finds none."""
    assert any(found.importer == "plugin" and found.imported == "analysis" and found.lazy for found in OURS)
    assert any(found.importer == "trace" and found.imported == "value" and not found.lazy for found in OURS)


def test_every_module_has_a_floor() -> None:
    assert {room(module) for module in MODULES} <= {"", ANNEX, *FLOOR}


def test_floors() -> None:
    assert [f"{found.importer} imports {found.imported}" for found in OURS if found.importer and not allowed(found)] == []


def test_the_package_itself_imports_nothing() -> None:
    assert [found for found in IMPORTS if not found.importer and found.imported != "__future__"] == []


def test_heavy_packages_stay_in_their_rooms() -> None:
    wrong = [found for found in FOREIGN if found.importer_room not in HEAVY.get(room(found.imported), {found.importer_room})]
    assert [f"{found.importer} imports {found.imported}" for found in wrong] == []


def test_nothing_opens_the_language_server() -> None:
    """It imports what only python-lsp-server brings, and is found by its entry point."""
    assert "language_server" in MODULES
    assert [found for found in OURS if found.imported == "language_server"] == []


def test_the_slow_parts_of_libcst_are_imported_nowhere() -> None:
    assert [found for found in FOREIGN if found.imported.startswith(("libcst.matchers", "libcst.codemod"))] == []


def test_no_import_cycles() -> None:
    """Every module can be imported first."""
    left = {module: {found.imported for found in OURS if found.importer == module and not found.lazy} - {module} for module in MODULES}
    while ready := {module for module, needs in left.items() if not needs & left.keys()}:
        left = {module: needs for module, needs in left.items() if module not in ready}
    assert left == {}


@pytest.mark.parametrize("path", [*MODULES.values(), *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_opens_with_its_law(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text or ast.get_docstring(ast.parse(text))


def test_every_rule_has_a_fixture_of_its_stem() -> None:
    rules = {path.stem for path in (PACKAGE / "rules").glob("det*.py")}
    assert rules == {path.stem for path in (ROOT / "fixtures" / "rules").glob("*.py")}
    assert [stem for stem in rules if not re.fullmatch(r"det[0-9]{3}_[a-z0-9]+(_[a-z0-9]+)*", stem)] == []


def test_top_level() -> None:
    """Nothing but the six; what is hidden, what tools leave, and the licence aside."""
    left_by_tools = {"build", "dist", "__pycache__", "LICENSE"}
    shown = {path.name for path in ROOT.iterdir() if not path.name.startswith(".") and path.suffix != ".egg-info"}
    assert shown - left_by_tools == {"pyproject.toml", "README.md", "flake8_detach", "tests", "fixtures", "docs"}


TIMED = """
import time
import flake8.main.cli, flake8.checker, ast, os, collections.abc, typing
start = time.perf_counter()
import flake8_detach.plugin
print((time.perf_counter() - start) * 1000)
"""


def test_importing_the_plugin_is_cheap() -> None:
    """The best of several runs: a busy machine only ever adds."""
    runs = [subprocess.run([sys.executable, "-c", TIMED], cwd=ROOT, capture_output=True, text=True, check=True).stdout for _ in range(5)]
    assert min(map(float, runs)) < IMPORT_BUDGET_MS
