"""The command `flake8-detach fix`: what it chooses and says, where it is configured, and that files are safe with it.

What lives here: arguments, messages, statuses, links, permissions. What must not: what a fix writes into a program (test_fixes).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from fix_trials import HEAD, LOOP, MENDED, MISTAKE, written

from flake8_detach.__main__ import main
from flake8_detach.fixing import command, mending
from flake8_detach.fixing.mending import mended
from flake8_detach.fixing.source import decoded

TWO = HEAD + "print(net(x))\na = net(x).numpy()\n"


@pytest.mark.parametrize(
    ("source", "arguments", "fixed_lines"),
    [
        (TWO, [], 2),
        (TWO, ["--select=DET2"], 1),
        (TWO, ["--ignore=DET1"], 1),
        (TWO, ["--extend-ignore=DET1,DET201"], 0),
        (TWO, ["--per-file-ignores=train.py:DET201"], 1),
        (TWO.replace("numpy()", "numpy()  # noqa: DET201"), [], 1),
        (TWO.replace("numpy()", "numpy()  # noqa"), [], 1),
        (TWO.replace("numpy()", "numpy()  # noqa: DET101"), [], 2),
        (TWO.replace("numpy()", "numpy()  # noqa"), ["--disable-noqa"], 2),
        ("# flake8: noqa\n" + TWO, [], 0),
        ("# flake8: noqa: DET101\n" + TWO, [], 0),  # so flake8 itself: the whole file
        (HEAD + "a = x.data.cpu()\n", [], 0),
        (HEAD + "a = x.data.cpu()\n", ["--extend-select=DET901"], 1),
    ],
)
def test_flake8_says_what_is_wanted(tmp_path: Path, source: str, arguments: list[str], fixed_lines: int) -> None:
    before, after = source.encode(), written(tmp_path, source.encode(), *arguments)
    assert sum(a != b for a, b in zip(before.splitlines(), after.splitlines(), strict=True)) == fixed_lines


@pytest.mark.parametrize("name", ["setup.cfg", "tox.ini", ".flake8"])
@pytest.mark.parametrize(
    ("lines", "fixed_lines"),
    [
        ("extend-ignore = DET201", 1),
        ("ignore = DET1", 0),
        ("select = E,DET1", 1),
        ("select = E", 0),
        ("per-file-ignores =\n    other.py: DET1\n    */other/*: DET1", 1),
        ("per-file-ignores =\n    sub/*: DET1", 0),
        ("extend-exclude = sub", 0),
        ("filename = *.pyx", 0),
        ("disable-noqa = true", 2),
    ],
)
def test_each_file_of_flake8s_configures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, lines: str, fixed_lines: int) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(f"[flake8]\n{lines}\n")
    (tmp_path / "sub").mkdir()
    path, source = tmp_path / "sub" / "train.py", TWO.replace("numpy()", "numpy()  # noqa: DET201")
    path.write_text(source)
    main(["fix", "."])
    assert sum(a != b for a, b in zip(source.splitlines(), path.read_text().splitlines(), strict=True)) == fixed_lines


def test_a_bad_configuration_is_an_error_of_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".flake8").write_text("[flake8]\nextend-ignore = 1x\n")
    (tmp_path / "train.py").write_text(TWO)
    assert main(["fix", "."]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("flake8-detach fix: ") and "'1x'" in line and "extend-ignore" in line
    assert (tmp_path / "train.py").read_text() == TWO


def test_the_configuration_is_flake8s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".flake8").write_text("[flake8]\nextend-ignore = DET101\nexclude = old\nper-file-ignores = other.py:DET2\n")
    (tmp_path / "old").mkdir()
    for name in ("train.py", "other.py", "old/train.py"):
        (tmp_path / name).write_text(TWO)
    assert main(["fix", "."]) == 0
    assert (tmp_path / "train.py").read_text() == TWO.replace(".numpy()", ".detach().numpy()")
    assert (tmp_path / "other.py").read_text() == TWO
    assert (tmp_path / "old/train.py").read_text() == TWO


OWN = HEAD + "from mylib import Board, clear, is_fast, push, track\n"
OF_OWN_NAMES = [
    ("loggers=track", "track('loss', net(x).mean())", "track('loss', net(x).mean().item())"),
    ("loggers=mylib.Board.put:2", "Board().put('loss', net(x))", "Board().put('loss', net(x).detach())"),
    (
        "evaluations=score_*",
        "def score_all(model):\n    return model(x).argmax().item()\nscore_all(net)",
        "@torch.no_grad()\ndef score_all(model):\n    return model(x).argmax().item()\nscore_all(net)",
    ),
    (
        "backpropagators=mylib.push",
        LOOP + "    loss = net(x).mean()\n    push(loss)\n    opt.step()",
        LOOP + "    loss = net(x).mean()\n    opt.zero_grad()\n    push(loss)\n    opt.step()",
    ),
    (
        "clearers=clear",
        LOOP + "    net(x).mean().backward()\n    clear()\n    opt.step()",
        LOOP + "    net(x).mean().backward()\n    opt.step()\n    clear()",
    ),
    (
        "modules=Board",
        "class Net(Board):\n    def __init__(self):\n        super().__init__()\n        self.parts = [nn.Linear(2, 2) for _ in range(3)]\n"
        "    def forward(self, x):\n        for part in self.parts:\n            x = part(x)\n        return x\nNet()(x)",
        "class Net(Board):\n    def __init__(self):\n        super().__init__()\n        self.parts = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])\n"
        "    def forward(self, x):\n        for part in self.parts:\n            x = part(x)\n        return x\nNet()(x)",
    ),
]


@pytest.mark.parametrize(("option", "before", "after"), OF_OWN_NAMES, ids=[option for option, _, _ in OF_OWN_NAMES])
def test_what_only_own_names_show_is_fixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, before: str, after: str) -> None:
    """From the command line and from the configuration alike."""
    source, mended_source = f"{OWN}{before}\n", f"{OWN}{after}\n"
    assert written(tmp_path, source.encode(), "--unsafe").decode() != mended_source
    assert written(tmp_path, source.encode(), "--unsafe", f"--detach-{option}").decode() == mended_source
    (tmp_path / "tox.ini").write_text(f"[flake8]\ndetach-{option.replace('=', ' = ')}\n")
    (tmp_path / "train.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    assert main(["fix", "--unsafe", "train.py"]) == 0
    assert (tmp_path / "train.py").read_text() == mended_source


@pytest.mark.parametrize(
    ("option", "program"),
    [
        ("detachers=strip", "def strip(value):\n    if is_fast():\n        return value\n    return value.detach()\nprint(strip(net(x)))\n"),
        ("clearers=clear", LOOP + "    clear()\n    net(x).mean().backward()\n    opt.step()\n"),
    ],
)
def test_what_own_names_deny_is_left_alone(tmp_path: Path, option: str, program: str) -> None:
    source = (OWN + program).encode()
    assert written(tmp_path, source, "--unsafe") != source
    assert written(tmp_path, source, "--unsafe", f"--detach-{option}") == source


# -- what is said -----------------------------------------------------------------------------------------------------------------------


def test_the_statuses_and_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.py"
    path.write_text(TWO + "net.requires_grad = False\n")
    assert main(["fix", "--isolated", "--format=%(row)d:%(code)s", str(path)]) == 1
    out, errors = capsys.readouterr()
    assert out == "7:DET407\n"
    assert errors == "Fixed 2 findings in 1 file, 1 left (1 with an unsafe fix: --unsafe)\n"
    assert main(["fix", "--isolated", "--unsafe", str(path)]) == 0
    assert capsys.readouterr() == ("", "Fixed 1 finding in 1 file\n")
    assert main(["fix", "--isolated", "--unsafe", str(path)]) == 0
    assert capsys.readouterr() == ("", "Fixed 0 findings in 0 files\n")


def test_a_diff_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "train.py"
    path.write_text(MISTAKE.rstrip())
    assert main(["fix", "--isolated", "--diff", "train.py"]) == 1
    out, errors = capsys.readouterr()
    changes = [line for line in out.splitlines() if line.startswith(("+", "-", "\\"))]
    cut = "\\ No newline at end of file"
    assert changes == ["--- train.py", "+++ train.py", "-print(net(x))  # said", cut, "+print(net(x).detach())  # said", cut]
    assert errors == "Would fix 1 finding in 1 file\n"
    assert path.read_text() == MISTAKE.rstrip()
    path.write_text(MENDED)
    assert main(["fix", "--isolated", "--diff", "train.py"]) == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "PATH"),
        (["-"], "-"),
        (["--no-such-option", "a.py"], "--no-such-option"),
        (["--config=absent.cfg", "a.py"], "absent.cfg"),
        (["absent.py"], "absent.py"),
    ],
)
def test_bad_arguments_name_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status: object = main(["fix", *arguments])
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert named in capsys.readouterr().err


def test_one_bad_file_keeps_no_other_from_being_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("def broken(:\n")
    (tmp_path / "b.py").write_bytes(b"\x00\xff")
    (tmp_path / "c.py").write_text(MISTAKE)
    assert main(["fix", "--isolated", str(tmp_path)]) == 2
    errors = capsys.readouterr().err
    assert "a.py: it is no valid Python (line 1: " in errors
    assert "b.py: it is no valid Python (" in errors and "None" not in errors
    assert (tmp_path / "c.py").read_text() == MENDED


# -- files ------------------------------------------------------------------------------------------------------------------------------


def test_a_file_that_changes_meanwhile_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "train.py"
    path.write_text(MISTAKE)

    def slowly(*arguments: object) -> mending.Mended:
        path.write_text(MISTAKE + "# by somebody else\n")
        return mended(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(command, "mended", slowly)
    assert main(["fix", "--isolated", str(path)]) == 2
    assert "train.py: it was changed meanwhile" in capsys.readouterr().err
    assert path.read_text() == MISTAKE + "# by somebody else\n"
    assert [one.name for one in tmp_path.iterdir()] == ["train.py"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_file_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    path = tmp_path / "train.py"
    path.write_text(MISTAKE)
    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    assert main(["fix", "--isolated", str(path)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert path.read_text() == MISTAKE
    assert [one.name for one in tmp_path.iterdir()] == ["train.py"]


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600])
def test_permissions_are_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "train.py"
    path.write_text(MISTAKE)
    path.chmod(mode)
    assert main(["fix", "--isolated", str(path)]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_file_that_may_not_be_written_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "train.py"
    path.write_text(MISTAKE)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert main(["fix", "--isolated", str(path)]) == 2
    assert "train.py is not writable" in capsys.readouterr().err
    assert path.read_text() == MISTAKE


def test_a_link_that_is_given_leads_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text(MISTAKE)
    (tmp_path / "link.py").symlink_to("real.py")
    assert main(["fix", "--isolated", str(tmp_path / "link.py")]) == 0
    assert (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "real.py").read_text() == MENDED


def test_a_link_out_of_the_given_paths_is_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside.py"
    inside.mkdir()
    outside.write_text(MISTAKE)
    (inside / "link.py").symlink_to(outside)
    assert main(["fix", "--isolated", str(inside)]) == 2
    assert "link.py: it is a link out of the given paths" in capsys.readouterr().err
    assert outside.read_text() == MISTAKE


def test_a_folder_out_of_the_given_paths_is_not_entered_by_a_link(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "train.py").write_text(MISTAKE)
    (inside / "train.py").write_text(MISTAKE)
    (inside / "link").symlink_to(outside)
    assert main(["fix", "--isolated", str(inside)]) == 0
    assert (inside / "train.py").read_text() == MENDED
    assert (outside / "train.py").read_text() == MISTAKE


def test_a_file_with_two_names_is_fixed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text(MISTAKE)
    (tmp_path / "b.py").symlink_to("a.py")
    assert main(["fix", "--isolated", str(tmp_path)]) == 0
    assert capsys.readouterr().err == "Fixed 1 finding in 1 file\n"


def test_bytes_come_back_as_they_were() -> None:
    for data in (b"", b"x = 1\r\n", b"\xef\xbb\xbfx = 1", "# coding: cp1252\n# \u20ac\n".encode("cp1252"), b"\xff\xfe"):
        text = decoded(data)
        assert text.encoded(text.text) == data
