"""The command line `flake8-detach`: what each command prints, and with which exit status.

What lives here: names, arguments, statuses. What must not: what a rule's page says (test_rules) or what a program does (test_runtime).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_detach import __version__, manual
from flake8_detach.__main__ import main

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


def test_explain_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("explain", "det201") == 0
    out = capsys.readouterr().out
    assert out.startswith("DET201 numpy_on_live (loud)\n")
    assert "Harm:" in out


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
