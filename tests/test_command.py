"""The command line `flake8-detach`: what each command prints, and with which exit status.

What lives here: names, arguments, statuses. What must not: what a rule's page says (test_rules) or what a program does (test_runtime).
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from flake8_detach import __version__, manual
from flake8_detach.__main__ import COMMANDS, main

MISTAKE = "import torch\n\nw = torch.ones(3, requires_grad=True)\nprint(w.numpy())\nx=1\n"


def status(*arguments: str) -> int | str | None:
    """The exit status, however the command ends."""
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("--version") == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_check_reports_only_our_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.py").write_text(MISTAKE)
    assert status("check", "--format=%(row)d:%(code)s", str(tmp_path)) == 1
    assert capsys.readouterr().out == "4:DET201\n"


def test_check_of_a_clean_file(tmp_path: Path) -> None:
    (tmp_path / "clean.py").write_text("x=1\n")
    assert status("check", str(tmp_path)) == 0


def test_explain_prints_the_page(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert status("explain", "det201") == 0
    out = capsys.readouterr().out
    assert out.startswith("DET201 numpy_on_live (loud)\n")
    headings = [line for line in out.splitlines()[1:] if line and not line.startswith(" ")]
    assert headings == ["`.numpy()` on a live tensor with gradient mode enabled.", "What PyTorch does", "Bad", "Good", "Silent when", "Fix", "The code"]
    assert "since 0.1.0" in out
    prose = [line for line in out.splitlines() if not line.startswith("    ")]
    assert max(map(len, prose)) <= 60
    assert "\x1b" not in out


def test_explain_keeps_the_examples_as_they_are() -> None:
    page = next(page for page in manual.pages() if page.code == "DET201")
    text = manual.explanation(page, width=30, bold=True)
    assert textwrap.indent(page.sections["Bad"], "    ") in text
    assert text.startswith("\x1b[1mDET201 numpy_on_live (loud)\x1b[0m\n")


def test_an_opt_in_code_says_how_to_ask_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("explain", "DET901") == 0
    assert "extend-select = DET901" in " ".join(capsys.readouterr().out.split())


def test_rules_writes_the_pages(tmp_path: Path) -> None:
    stale = tmp_path / "rules" / "DET000.md"
    stale.parent.mkdir()
    stale.write_text("of a rule that is no more")
    (stale.parent / "own.md").write_text("kept")
    assert status("rules", "--pages", str(stale.parent)) == 0
    names = {path.name for path in stale.parent.iterdir()}
    assert names == {"index.md", "own.md", *(f"{page.code}.md" for page in manual.pages())}


def test_rules_into_a_file_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("a file")
    assert status("rules", "--pages", str(tmp_path / "taken")) == 2
    assert str(tmp_path / "taken") in capsys.readouterr().err


def test_rules_lists_every_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("rules") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [page.code for page in manual.pages()]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["explain", "DET999"], "DET999"),
        (["explain"], "code"),
        (["mend"], "mend"),
        (["rules", "--html"], "--html"),
        (["check", "--no-such-option"], "--no-such-option"),
        ([], "command"),
    ],
)
def test_bad_arguments_name_themselves(capsys: pytest.CaptureFixture[str], arguments: list[str], named: str) -> None:
    assert status(*arguments) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'libcst'", name="libcst"),
        ImportError("native.so: failed to map segment", name="libcst.native", path=f"/site-packages/libcst/native{EXTENSION_SUFFIXES[0]}"),
    ],
    ids=["a package that is missing", "a compiled module that does not load"],
)
def test_what_the_installation_lacks_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: ImportError) -> None:
    monkeypatch.setitem(COMMANDS, "fix", failing(error))
    assert status("fix", "train.py") == 2
    assert capsys.readouterr().err == f"flake8-detach fix: cannot be loaded: {error}\n"


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'flake8_detach.mending'", name="flake8_detach.mending"),
        ImportError("cannot import name 'mend' from 'flake8_detach.fixing'", name="flake8_detach.fixing", path="flake8_detach/fixing/__init__.py"),
        ImportError("raised by hand"),
    ],
    ids=["a module of ours that is missing", "a name that is missing", "anything else"],
)
def test_an_import_that_fails_by_our_own_fault_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, error: ImportError) -> None:
    monkeypatch.setitem(COMMANDS, "fix", failing(error))
    with pytest.raises(ImportError) as raised:
        status("fix", "train.py")
    assert raised.value is error


def test_an_interrupt_that_another_error_hides_is_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As libcst does, which looks up on its way out what it had not written down yet."""

    def interrupted(_: Sequence[str]) -> int:
        written: dict[str, int] = {}
        try:
            raise KeyboardInterrupt
        finally:
            written["a node"]

    monkeypatch.setitem(COMMANDS, "fix", interrupted)
    assert status("fix", "train.py") == 130
    assert capsys.readouterr().err == "flake8-detach fix: interrupted\n"


def test_an_error_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "fix", failing(KeyError("a node")))
    with pytest.raises(KeyError):
        status("fix", "train.py")


def failing(error: Exception) -> Callable[[Sequence[str]], int]:
    """A command that comes to this end."""

    def command(_: Sequence[str]) -> int:
        raise error

    return command


def test_a_missing_package_is_named_by_the_command_itself(tmp_path: Path) -> None:
    """As a process in which libcst cannot be found."""
    (tmp_path / "train.py").write_text(MISTAKE)
    hidden = "import sys; sys.modules['libcst'] = None; from flake8_detach.__main__ import main; sys.exit(main(['fix', 'train.py']))"
    done = subprocess.run([sys.executable, "-c", hidden], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["flake8-detach fix: cannot be loaded: import of libcst halted; None in sys.modules"]
    assert (tmp_path / "train.py").read_text() == MISTAKE


ENDINGS = {
    "check": ["check", "--isolated", "train.py"],
    "fix": ["fix", "--isolated", "--diff", "train.py"],
    "explain": ["explain", "DET101"],
    "rules": ["rules"],
    "trace": ["trace", "train.py"],
    "graph": ["graph", "train.py:3"],
}


def ending(folder: Path, command: str, output: int) -> tuple[int, str]:
    """The status of a command whose output goes there, and what it says on standard error."""
    (folder / "train.py").write_text(MISTAKE)
    start = [sys.executable, "-m", "flake8_detach", *ENDINGS[command]]
    done = subprocess.run(start, cwd=folder, stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
@pytest.mark.parametrize("command", ENDINGS)
def test_a_full_output_is_told_in_a_line(tmp_path: Path, command: str) -> None:
    with Path("/dev/full").open("w") as full:
        status, errors = ending(tmp_path, command, full.fileno())
    assert status == 2
    assert [line for line in errors.splitlines() if not line.startswith("Would fix ")] == [
        f"flake8-detach {command}: [Errno 28] No space left on device"
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are those of POSIX")
@pytest.mark.parametrize("command", ENDINGS)
def test_a_reader_that_leaves_is_no_mistake(tmp_path: Path, command: str) -> None:
    """As of `| head`: nothing is said."""
    reading, writing = os.pipe()
    os.close(reading)
    status, errors = ending(tmp_path, command, writing)
    os.close(writing)
    assert (status, [line for line in errors.splitlines() if not line.startswith("Would fix ")]) == (2, [])


@pytest.mark.parametrize("ours", [True, False])
def test_a_module_for_which_the_parser_has_no_memory(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ours: bool) -> None:
    """It takes the module for invalid; a text that is invalid in earnest is for the command to tell, and a fault where it does not."""
    error = SyntaxError("expected ':'", (manual.__file__ if ours else "train.py", 1, 1, "", 1, 1))
    monkeypatch.setitem(COMMANDS, "rules", failing(error))
    if ours:
        assert status("rules") == 2
        assert capsys.readouterr().err.startswith("flake8-detach rules: cannot be loaded: expected ':'")
    else:
        with pytest.raises(SyntaxError):
            status("rules")
