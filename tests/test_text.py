"""Text as it comes: encodings, line ends, odd characters, syntax that this Python does not know; the columns are right in all of them.

What lives here: bytes in, and the places that a real flake8 process shows. What must not: which finding a program deserves. test_plugin.py has
the ways a file comes in; some encodings stand there already.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from test_plugin import AT_W, MISTAKE, flake8, places

from flake8_detach import __version__, analysis
from flake8_detach.__main__ import main
from flake8_detach.interpreter import machine, program

Place = tuple[int, int, str]

HEAD = "import torch\nw = torch.ones(3, requires_grad=True)\n"
JAPANESE = "損失ｿｰｽ表"  # half-width and full-width; the second byte of the last is a backslash in cp932

# (bytes of the file, the place of `w` in the call): counted by hand in characters, from 1.
TEXTS: dict[str, tuple[bytes, tuple[int, int]]] = {
    "utf-8 with a byte order mark": (b"\xef\xbb\xbf" + f"{HEAD}print('äöü', w.numpy())\n".encode(), (3, 14)),
    "utf-8 with a byte order mark and a coding line": (b"\xef\xbb\xbf# coding: utf-8\n" + f"{HEAD}print('äöü', w.numpy())\n".encode(), (4, 14)),
    "a byte order mark before the line itself": (b"\xef\xbb\xbf" + f"{HEAD}print('€', w.numpy())\n".replace("\n", ";", 2).encode(), (1, 63)),
    "latin-1 with a coding line": (f"# -*- coding: latin-1 -*-\n{HEAD}print('äöü', w.numpy())\n".encode("latin-1"), (4, 14)),
    "latin-1 with a coding line in line two": (f"#!/usr/bin/python\n# vim: fileencoding=latin-1\n{HEAD}print('é', w.numpy())\n".encode("latin-1"), (5, 12)),
    "latin-1 without a coding line": (f"{HEAD}print('äöü', w.numpy())\n".encode("latin-1"), (3, 14)),
    "utf-8 that calls itself something unknown": (f"# coding: nonsense\n{HEAD}print('a', w.numpy())\n".encode(), (4, 12)),
    "cp932 with a coding line": (f"# coding: cp932\n{HEAD}print('{JAPANESE}', w.numpy())\n".encode("cp932"), (4, 17)),
    "wide characters": (f"{HEAD}print('😀\U00020000', w.numpy())\n".encode(), (3, 13)),
    "combining characters": (f"{HEAD}print('e\u0301\u200d', w.numpy())\n".encode(), (3, 14)),
    "non-ascii names": (f"{HEAD}größe = 変数 = w\nprint(größe, 変数.numpy())\n".encode(), (4, 14)),
    "names in another normal form": (f"{HEAD}ﬁx = w\nprint(1, fix.numpy())\n".encode(), (4, 10)),  # NFKC of the ligature is "fi"
    "CRLF": (f"{HEAD}print('ä', w.numpy())\n".replace("\n", "\r\n").encode(), (3, 12)),
    "lone CR": (f"{HEAD}print('ä', w.numpy())\n".replace("\n", "\r").encode(), (3, 12)),
    "all line ends mixed": ("import torch\r\nw = torch.ones(3, requires_grad=True)\rprint('ä', w.numpy())\n".encode(), (3, 12)),
    "line ends within a text": (f"{HEAD}'''\r\n\r\n\r'''; print('ä', w.numpy())\n".encode(), (6, 17)),
    "form feeds": ("import torch\n\x0c\nw = torch.ones(3, requires_grad=True)\n\x0cprint('ä', w.numpy())\n".encode(), (4, 13)),
    "a form feed within a line": (f"{HEAD}print('ä',\x0c w.numpy())\n".encode(), (3, 13)),
    "what only Python's str takes for line ends": (f"{HEAD}'\x1c\x1d\x85\u2028\u2029'; print(w.numpy())\n".encode(), (3, 16)),
    "tabs": (f"{HEAD}if w is not None:\n\tif True:\n\t\tprint('ä',\tw.numpy())\n".encode(), (5, 14)),
    "no final newline": (f"{HEAD}print('ä', w.numpy())".encode(), (3, 12)),
    "no final newline in a comment": (f"{HEAD}print('ä', w.numpy())\n# ä".encode(), (3, 12)),
    "line continuation": (f"{HEAD}print('ä', \\\n  'ö', \\\n   w.numpy())\n".encode(), (5, 4)),
    "a continued token": (f"{HEAD}print('ä\\\nö', w.numpy())\n".encode(), (4, 5)),
    "line continuation with CRLF": (f"{HEAD}print('ä', \\\n   w.numpy())\n".replace("\n", "\r\n").encode(), (4, 4)),
    "a line of a megabyte": (f"{HEAD}x = '{'ä' * 500_000}'; print(w.numpy())\n".encode(), (3, 500_015)),
    "a text of many lines": (f"{HEAD}x = '''{'ä' * 9}\n".encode() + "ö\n".encode() * 9 + "ü'''; print('ß', w.numpy())\n".encode(), (13, 18)),
    "f-strings": (f"{HEAD}print(f'ä{{1}}ö', f'ü{{w.numpy()}}')\n".encode(), (3, 21)),
}
# flake8 reads its standard input by other code than files; bytes that are no text under their coding line end it there, with or without us.
FROM_STDIN = ["utf-8 with a byte order mark", "cp932 with a coding line", "wide characters", "CRLF", "lone CR", "all line ends mixed"]


NEXT_TO_NOTHING = [b"", b"\n", b"\r", b"\x0c", b"\xef\xbb\xbf", b"   ", b"# torch"]


def linted(folder: Path, texts: Sequence[bytes], select: str) -> list[list[Place]]:
    """What one run of flake8 says of each of these texts."""
    for number, text in enumerate(texts):
        (folder / f"{number}.py").write_bytes(text)
    lines = flake8(f"--select={select}", ".", cwd=folder)
    return [places([line for line in lines if line.startswith(f"./{number}.py:")]) for number in range(len(texts))]


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Place]]:
    return dict(zip(TEXTS, linted(tmp_path_factory.mktemp("texts"), [text for text, _ in TEXTS.values()], "DET")))


@pytest.mark.parametrize("name", TEXTS)
def test_columns(columns: dict[str, list[Place]], name: str) -> None:
    assert columns[name] == [(*TEXTS[name][1], "DET201")]


@pytest.mark.parametrize("name", FROM_STDIN)
def test_columns_from_stdin(tmp_path: Path, name: str) -> None:
    text, place = TEXTS[name]
    assert places(flake8("--select=DET", "-", cwd=tmp_path, source=text)) == [(*place, "DET201")]


def test_next_to_nothing(tmp_path: Path) -> None:
    assert linted(tmp_path, NEXT_TO_NOTHING, "DET,E9") == [[]] * len(NEXT_TO_NOTHING)


# What this Python has no tree for is for flake8 to report, in its own words; of the rest of the file nothing is said.
BROKEN = {
    "only a line continuation": b"\\\n",
    "syntax of no Python": MISTAKE.encode() + b"x ?= 1\n",
    "syntax of Python 2": MISTAKE.encode() + b"print w\n",
    "a tab error": f"{HEAD}if w:\n        x = 1\n\tprint(w.numpy())\n".encode(),
    "too many parentheses": MISTAKE.encode() + b"(" * 300 + b")" * 300,
    "too many indentations": MISTAKE.encode() + b"".join(b" " * n + b"if 1:\n" for n in range(150)) + b" " * 150 + b"1\n",
    "an open text": MISTAKE.encode() + b"'''",
    "an open parenthesis": MISTAKE.encode() + b"(",
    "random bytes": bytes(range(1, 256)) * 4,
}
WITH_NULLS = {
    "null bytes": MISTAKE.encode() + b"x = '\0'\n",
    "only null bytes": b"\0" * 1000,
    "utf-16": MISTAKE.encode("utf-16"),
}
try:
    ast.parse("\0")
except SyntaxError:
    BROKEN |= WITH_NULLS
except ValueError:  # Python 3.10: a null byte ends flake8 itself, whatever plugins it has
    pass
if sys.version_info < (3, 14):
    BROKEN["a template string"] = MISTAKE.encode() + b"x = t'{w}'\n"
if sys.version_info < (3, 12):
    BROKEN["a type statement"] = MISTAKE.encode() + b"type X[T] = list[T]\n"


def test_what_does_not_parse_is_flake8s_own(tmp_path: Path) -> None:
    """No silence, no traceback, no DET000."""
    told = dict(zip(BROKEN, linted(tmp_path, list(BROKEN.values()), "DET,E9")))
    codes = {name: {code for _, _, code in found} for name, found in told.items()}
    assert {name: found for name, found in codes.items() if not found or not found <= {"E902", "E999"}} == {}


class Novel(ast.stmt):
    """A statement of a Python to come."""

    _fields = ("value",)
    value: ast.expr


class NovelExpression(ast.expr):
    """An expression of a Python to come."""

    _fields = ("value",)
    value: ast.expr


def with_novelty(statement: bool) -> ast.Module:
    """The tree of MISTAKE with a node of no Python in its third line."""
    tree, novel = ast.parse(MISTAKE), Novel() if statement else NovelExpression()
    assert isinstance(tree.body[1], ast.Assign)
    novel.value = tree.body[1].value
    new = novel if isinstance(novel, Novel) else ast.Assign(targets=[ast.Name("y", ast.Store())], value=novel)
    tree.body.insert(2, ast.copy_location(new, tree.body[1]))
    return ast.fix_missing_locations(tree)


@pytest.mark.parametrize("statement", [True, False])
def test_syntax_of_a_python_to_come(statement: bool) -> None:
    """One line that says so, at the place: what the new node does with a tensor is not known, so nothing else may be said."""
    name = "Novel" if statement else "NovelExpression"
    [report] = analysis.check(with_novelty(statement), MISTAKE.splitlines(keepends=True), "train.py")
    assert report[:3] == (3, 0, "DET000")
    assert report.text == f"the file was not analysed: its syntax ({name} of Python's `ast`) is newer than flake8-detach {__version__}"


def test_syntax_of_a_python_to_come_in_a_file_without_torch() -> None:
    """Which is not analysed anyway."""
    assert analysis.check(with_novelty(True), ["import numpy\n"] * 4, "train.py") == []


def test_syntax_of_a_python_to_come_under_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """flake8 and `fix` print the line, `trace` says it in its own way; the file stays as it is."""
    path = tmp_path / "train.py"
    path.write_text(MISTAKE)
    novel = with_novelty(True)
    monkeypatch.setattr(ast, "parse", lambda *_, **__: novel)
    assert main(["check", "--isolated", str(path)]) == main(["fix", "--isolated", str(path)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(" the file")[0] for line in told] == [f"{path}:3:1: DET000"] * 2
    with pytest.raises(SystemExit):
        main(["trace", str(path)])
    assert f"{path}:3: flake8-detach does not know this syntax (Novel of" in capsys.readouterr().err
    assert path.read_text() == MISTAKE


# -- what is past a bound -------------------------------------------------------------------------------------------------------------------


def test_a_file_that_is_nested_too_deeply_gets_a_line() -> None:
    source = MISTAKE + "y = " + "+".join(["x"] * 2500) + "\n"
    assert analysis.check(ast.parse(source), source.splitlines(keepends=True), "train.py") == [
        (1, 0, "DET000", "the file was not analysed: it is nested too deeply")
    ]


def test_a_file_that_takes_too_many_steps_gets_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is known that does: the bound is taken down to it."""
    monkeypatch.setattr(program, "BASE_WORK", -(10**6))
    source = MISTAKE + "pair = [x, x]\nprint(pair)\n"
    assert analysis.check(ast.parse(source), source.splitlines(keepends=True), "train.py") == [
        (1, 0, "DET000", "the file was not analysed: it takes more steps than a file of its length is given")
    ]


# -- what Python knows and libcst, by which fixes are made, does not ------------------------------------------------------------------------

GAP = "(x): int = 1\n"  # libcst 1.9 has no name in parentheses before an annotation


def test_what_libcst_does_not_know_is_linted(tmp_path: Path) -> None:
    assert linted(tmp_path, [(MISTAKE + GAP).encode()], "DET,E9") == [[AT_W]]


def test_what_libcst_does_not_know_is_told_by_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line; the other files are fixed."""
    (tmp_path / "a.py").write_text(MISTAKE + GAP)
    (tmp_path / "b.py").write_text(MISTAKE)
    assert main(["fix", "--isolated", str(tmp_path)]) == 2
    told, summary = capsys.readouterr().err.splitlines()
    assert told.startswith(f"flake8-detach fix: {tmp_path / 'a.py'}: libcst ")
    assert "does not know its syntax (parser error: error at 5:" in told
    assert summary == "Fixed 1 finding in 1 file"
    assert (tmp_path / "a.py").read_text() == MISTAKE + GAP
    assert (tmp_path / "b.py").read_text() != MISTAKE


# -- the newest syntax, which not every Python parses --------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
@pytest.mark.parametrize(
    "text",
    [
        "type X[T] = list[T]\ndef f[T: int, *Ts, **P](x: X[T]) -> T: return x\nclass A[T]: pass\nprint(f(1), A[int]())\n",
        "type float[T: (print(w), 1)] = list[w.numpy()]\nfloat(w)\n",
    ],
)
def test_type_parameters(tmp_path: Path, text: str) -> None:
    """What a type alias stands for is not evaluated, and its name is no builtin any more."""
    assert linted(tmp_path, [(MISTAKE + text).encode()], "DET,E9") == [[AT_W]]


class Interpolation(ast.expr):
    _fields = ("value",)


class TemplateStr(ast.expr):
    _fields = ("values",)


def test_template_strings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.14's t"{w.numpy()}", here of stand-ins for its nodes: it evaluates its values and shows none of them."""
    monkeypatch.setattr(ast, "TemplateStr", TemplateStr, raising=False)
    machine.chapters.cache_clear()
    tree = ast.parse(MISTAKE + "print(f'{w}')\nprint(f'{w.numpy()}')\n")
    for print_ in tree.body[-2:]:
        assert isinstance(print_, ast.Expr) and isinstance(print_.value, ast.Call) and isinstance(print_.value.args[0], ast.JoinedStr)
        part, template = Interpolation(), TemplateStr()
        part.value, template.values = print_.value.args[0].values[0].value, [ast.Constant("a"), part]  # type: ignore[attr-defined]
        print_.value.args[0] = template
    found = analysis.check(ast.fix_missing_locations(tree), MISTAKE.splitlines(keepends=True) + ["\n"] * 2, "train.py")
    machine.chapters.cache_clear()
    assert [(line, code) for line, _, code, _ in found] == [(4, "DET201"), (6, "DET201")]
