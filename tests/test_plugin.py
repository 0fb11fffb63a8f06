"""The plugin under the real flake8: positions, choosing codes, every way a file can come in, and what happens when the analysis fails.

What lives here: what a user of flake8 sees. What must not: which code a program deserves, which is the fixtures' matter.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from flake8.main.cli import main as flake8_main

from flake8_detach import analysis, plugin
from flake8_detach.analysis import Report

ROOT = Path(__file__).parent.parent
MISTAKE = "import torch\n\nw = torch.ones(3, requires_grad=True)\nprint(w.numpy())\n"
AT_W = (4, 7, "DET201")


def flake8(*arguments: str, cwd: Path, source: bytes = b"") -> list[str]:
    """The lines that a real flake8 process prints; anything on stderr fails."""
    command = [sys.executable, "-m", "flake8", "--isolated", *arguments]
    done = subprocess.run(command, cwd=cwd, input=source, capture_output=True, check=False)
    assert done.stderr == b""
    assert done.returncode in (0, 1)
    return done.stdout.decode().splitlines()


def places(lines: Sequence[str]) -> list[tuple[int, int, str]]:
    """(line, column, code) of flake8's default format."""
    fields = [line.split(":", 3) for line in lines]
    return [(int(row), int(column), text.split()[0]) for _, row, column, text in fields]


def lint(tmp_path: Path, source: bytes | str, *arguments: str) -> list[tuple[int, int, str]]:
    (tmp_path / "train.py").write_bytes(source if isinstance(source, bytes) else source.encode())
    return places(flake8(*(arguments or ("--select=DET",)), "train.py", cwd=tmp_path))


def test_version_names_the_plugin(tmp_path: Path) -> None:
    assert f"flake8-detach: {plugin.Plugin.version}" in " ".join(flake8("--version", cwd=tmp_path))


def test_the_readme_shows_what_its_command_prints() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = readme.partition("<!-- ci: lint -->\n```sh\n")[2].partition("\n```")[0]
    output = readme.partition("```text\n")[2].partition("```")[0]
    assert flake8(*command.partition("python -m flake8 ")[2].split(), cwd=ROOT) == output.splitlines()


def test_line_and_column_count_from_one(tmp_path: Path) -> None:
    assert lint(tmp_path, MISTAKE) == [AT_W]


def test_columns_are_characters(tmp_path: Path) -> None:
    assert lint(tmp_path, MISTAKE.replace("print(", "print('äöü€', ")) == [(4, 15, "DET201")]


def test_reported_by_default_beside_other_codes(tmp_path: Path) -> None:
    assert lint(tmp_path, MISTAKE + "x=1\n", "--max-line-length=100") == [AT_W, (5, 2, "E225")]


@pytest.mark.parametrize("option", ["--ignore=DET2", "--extend-ignore=DET201", "--select=DET1,E", "--per-file-ignores=train.py:DET"])
def test_deselected(tmp_path: Path, option: str) -> None:
    assert lint(tmp_path, MISTAKE, option) == []


@pytest.mark.parametrize(("comment", "expected"), [("noqa", []), ("noqa: DET201", []), ("noqa: DET", []), ("noqa: DET101", [AT_W])])
def test_noqa(tmp_path: Path, comment: str, expected: list[tuple[int, int, str]]) -> None:
    assert lint(tmp_path, MISTAKE.replace("())\n", f"())  # {comment}\n")) == expected


def test_noqa_of_a_whole_file(tmp_path: Path) -> None:
    assert lint(tmp_path, "# flake8: noqa: DET201\n" + MISTAKE) == []


def test_stdin_under_a_name(tmp_path: Path) -> None:
    found = flake8("--select=DET", "--stdin-display-name=shown.py", "-", cwd=tmp_path, source=MISTAKE.encode())
    assert places(found) == [AT_W]
    assert found[0].startswith("shown.py:")


def test_latin_1_with_a_coding_line(tmp_path: Path) -> None:
    source = "# -*- coding: latin-1 -*-\n" + MISTAKE.replace("print(", "print('äöü', ")
    assert lint(tmp_path, source.encode("latin-1")) == [(5, 14, "DET201")]


def test_latin_1_without_a_coding_line(tmp_path: Path) -> None:
    """flake8 falls back to latin-1 and still hands over a tree."""
    assert lint(tmp_path, MISTAKE.replace("print(", "print('äöü', ").encode("latin-1")) == [(4, 14, "DET201")]


def test_byte_order_mark(tmp_path: Path) -> None:
    source = "import torch; w = torch.ones(3, requires_grad=True); w.numpy()\n"
    assert lint(tmp_path, b"\xef\xbb\xbf" + source.encode()) == [(1, 54, "DET201")]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends(tmp_path: Path, end: str) -> None:
    assert lint(tmp_path, MISTAKE.replace("\n", end)) == [AT_W]


def test_crlf_from_stdin(tmp_path: Path) -> None:
    assert places(flake8("--select=DET", "-", cwd=tmp_path, source=MISTAKE.replace("\n", "\r\n").encode())) == [AT_W]


def test_form_feed_and_tabs(tmp_path: Path) -> None:
    assert lint(tmp_path, MISTAKE.replace("print", "\x0c\nif w is not None:\n\tprint")) == [(6, 8, "DET201")]


def test_no_final_newline_and_backslash(tmp_path: Path) -> None:
    assert lint(tmp_path, MISTAKE.replace("print(", "print(1, \\\n   ").rstrip()) == [(5, 4, "DET201")]


def test_syntax_error_is_flake8s_own(tmp_path: Path) -> None:
    assert lint(tmp_path, MISTAKE + "def (\n", "--select=DET,E999")[0][2] == "E999"


def test_what_other_plugins_leave_on_nodes_is_no_code() -> None:
    """pyflakes 3 leaves each node's parent on it, on nodes such as Load(), which all trees share, even that of an earlier file."""
    source = "import torch\ndef f(net: torch.nn.Module, x):\n    net.eval()\n    y = net(x)\n    y.sum().backward()\n    print(y)  # as in f(net, x)\n"
    tree, other = ast.parse(source), ast.parse("with torch.no_grad():\n    f(1)\n")
    expected = analysis.check(ast.parse(source), source.splitlines(keepends=True), "train.py")
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            vars(node)["_pyflakes_parent"] = other
    assert analysis.check(tree, source.splitlines(keepends=True), "train.py") == expected != []


def test_two_processes(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.py").write_text(MISTAKE)
    assert places(flake8("--select=DET", "-j2", ".", cwd=tmp_path)) == [AT_W] * 4


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], []),
        (["--extend-select=DET901"], ["DET901"]),
        (["--extend-select=DET9"], ["DET901"]),
        (["--select=DET"], ["DET901"]),
        (["--select=DET", "--ignore=DET9"], []),
    ],
)
def test_opt_in_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], expected: list[str]
) -> None:
    monkeypatch.setattr(plugin, "opt_in_codes", lambda: ["DET901"])
    monkeypatch.setattr(analysis, "check", lambda *_: [Report(1, 0, "DET901", "a text")])
    assert [code for _, _, code in lint_here(tmp_path, capsys, *options)] == expected


def test_opt_in_codes_are_those_of_the_folder() -> None:
    stems = [path.stem for path in (ROOT / "flake8_detach" / "rules").iterdir() if path.stem.startswith("det9")]
    assert plugin.opt_in_codes() == sorted(stem[:6].upper() for stem in stems)


def test_an_internal_error_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object) -> list[Report]:
        raise RecursionError("too deep")

    monkeypatch.setattr(analysis, "check", fail)
    assert lint_here(tmp_path, capsys) == [(1, 1, "DET000")]


def test_an_internal_error_names_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "PACKAGE", Path(__file__).resolve().parent)
    def fail(*_: object) -> list[Report]:
        raise IndexError

    monkeypatch.setattr(analysis, "check", fail)
    [(line, column, text, _)] = plugin.Plugin(ast.parse(""), [], "train.py").run()
    assert (line, column) == (1, 0)
    assert text.startswith("DET000 the file could not be analysed (IndexError at test_plugin.py:")


def lint_here(tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[tuple[int, int, str]]:
    """flake8 in this process, where a test can replace parts of it."""
    (tmp_path / "train.py").write_text("import torch\n\nprint(torch)\n")
    flake8_main(["--isolated", *options, str(tmp_path / "train.py")])
    return places([line.removeprefix(str(tmp_path)) for line in capsys.readouterr().out.splitlines()])


IMPORTED = """
import sys
from flake8.main.cli import main
main(["--isolated", "--select=DET", *sys.argv[1:]])
print(sorted({name.partition(".")[0] for name in sys.modules} & {"libcst", "torch", "numpy", "pandas"}))
"""


@pytest.mark.parametrize(("source", "findings"), [("import numpy\n\nprint(numpy.ones(3).sum())\n", 0), (MISTAKE, 1)])
def test_linting_imports_no_heavy_package(tmp_path: Path, source: str, findings: int) -> None:
    (tmp_path / "train.py").write_text(source)
    done = subprocess.run([sys.executable, "-c", IMPORTED, "train.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == findings + 1
    assert done.stdout.splitlines()[-1] == "[]"
