"""The options, each with and without: what a setting changes in the findings, how it is read, and what a bad one says.

What lives here: the options of the plugin, in flake8's configuration and on its command line. What must not: which code a program deserves
without them, which is the fixtures' matter.
"""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from flake8.main.cli import main as flake8_main

from flake8_detach import analysis, plugin, settings

MODEL = "import torch\nmodel = torch.nn.Linear(2, 1)\nx = torch.ones(3, 2)\n"


class Case(NamedTuple):
    """A program, the setting, and the codes by line without and with it."""

    name: str
    option: str
    value: str
    without: list[tuple[int, str]]
    found: list[tuple[int, str]]
    program: str


CASES = [
    Case("a logger", "loggers", "mylib.track.metric", [], [(5, "DET101")], MODEL + "import mylib.track\nmylib.track.metric('loss', model(x).mean())\n"),
    Case(
        "a logger under another name", "loggers", "mylib.track.metric", [], [(5, "DET101")],
        MODEL + "from mylib.track import metric as note\nnote('loss', model(x).mean())\n",
    ),
    Case(
        "a logger of this project", "loggers", "mylib.track.*", [], [(5, "DET101")],
        MODEL + "from .track import metric\nmetric('loss', model(x).mean())\n",
    ),
    Case(
        "another place of this project", "loggers", "mylib.other.metric", [], [],
        MODEL + "from .track import metric\nmetric('loss', model(x).mean())\n",
    ),
    Case(
        "a logger's method", "loggers", "mylib.Board.put_scalar", [], [(6, "DET101")],
        MODEL + "import mylib\nboard = mylib.Board()\nboard.put_scalar('loss', model(x).mean())\n",
    ),
    Case(
        "a method by its name alone", "loggers", "put_scalar", [], [(5, "DET101")],
        MODEL + "def train(board):\n    board.put_scalar('loss', model(x).mean())\n",
    ),
    Case("values in a dict", "loggers", "put_*", [], [(5, "DET101")], MODEL + "import mylib\nmylib.put_all({'loss': model(x).mean()})\n"),
    Case("the argument that counts", "loggers", "metric:2:value", [], [(5, "DET101"), (6, "DET101")], MODEL + """\
        from mylib import metric
        metric('loss', model(x).mean())
        metric('loss', value=model(x).mean())
        metric(model(x).mean(), 1)
        """),
    Case("a logger of the file", "loggers", "Board.note", [], [(8, "DET101")], MODEL + """\
        class Board:
            def note(self, value):
                self.last = value.item()
        board = Board()
        board.note(model(x).mean())
        """),
    Case("an evaluation", "evaluations", "score_*", [], [(6, "DET301")], MODEL + """\
        def score_all(net: torch.nn.Module, batches):
            for batch in batches:
                print(net(batch).argmax().item())
        """),
    Case("an evaluation's method", "evaluations", "Runner.measure", [], [(9, "DET301")], MODEL + """\
        class Runner:
            def __init__(self):
                self.net = torch.nn.Linear(2, 1)
            def measure(self, batches):
                for batch in batches:
                    print(self.net(batch).argmax().item())
            def other(self, batches):
                for batch in batches:
                    print(self.net(batch).argmax().item())
        """),
    Case("a detaching helper", "detachers", "mylib.to_host", [], [(6, "DET401")], MODEL + """\
        from mylib import to_host
        loss = to_host(model(x).mean())
        loss.backward()
        """),
    Case("a detaching helper of containers", "detachers", "mylib.to_host", [], [(6, "DET401")], MODEL + """\
        from mylib import to_host
        losses = to_host({'a': [model(x).mean()]})
        losses['a'][0].backward()
        """),
    Case("what a helper keeps", "detachers", "strip", [(9, "DET101")], [], MODEL + """\
        from mylib import is_fast
        def strip(value):
            if is_fast():
                return value
            return value.detach()
        print('loss', strip(model(x).mean()))
        """),
    Case("a clearing helper", "clearers", "*.fresh", [(8, "DET501")], [], MODEL + """\
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        import mylib
        for _ in range(3):
            mylib.fresh()
            model(x).mean().backward()
            optimizer.step()
        """),
    Case("a clearing helper at the wrong time", "clearers", "mylib.fresh", [(7, "DET501")], [(8, "DET502")], MODEL + """\
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        import mylib
        for _ in range(3):
            model(x).mean().backward()
            mylib.fresh()
            optimizer.step()
        """),
    Case("a back-propagating helper", "backpropagators", "mylib.push", [], [(7, "DET501")], MODEL + """\
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        import mylib
        for _ in range(3):
            mylib.push(model(x).mean(), 1)
            optimizer.step()
        """),
    Case("the argument that is back-propagated", "backpropagators", "push:2", [], [(7, "DET501")], MODEL + """\
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        import mylib
        for _ in range(3):
            mylib.push(1, model(x).mean())
            optimizer.step()
        """),
    Case("a base class of modules", "modules", "mylib.nets.Base*", [], [(6, "DET414")], """\
        import torch
        from mylib.nets import BaseNet
        class Net(BaseNet):
            def __init__(self):
                super().__init__()
                self.scale = torch.ones(3, requires_grad=True)
            def forward(self, x):
                return x * self.scale
        """),
    Case("a file that does not import torch", "loggers", "mylib.metric", [], [(6, "DET101")], """\
        import mylib
        def train(step, batches):
            for batch in batches:
                loss = step(batch)
                loss.backward()
                mylib.metric(loss)
        """),
]  # fmt: skip


def findings(program: str, given: settings.Settings) -> list[tuple[int, str]]:
    source = textwrap.dedent(program) if program.startswith(" ") else program.replace("\n        ", "\n")
    return [(r.line, r.code) for r in analysis.check(ast.parse(source), source.splitlines(keepends=True), "train.py", given)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_with_and_without(case: Case) -> None:
    assert findings(case.program, settings.DEFAULT) == case.without
    assert findings(case.program, settings.read({case.option: [case.value]})) == case.found


def test_every_option_has_a_case_that_it_changes() -> None:
    assert {case.option for case in CASES if case.without != case.found} == set(settings.NAMED)


def test_every_setting_has_its_option() -> None:
    assert tuple(plugin.OPTIONS) == settings.NAMED


def lint(tmp_path: Path, program: str, *options: str, configuration: str = "") -> int:
    (tmp_path / "train.py").write_text(program)
    (tmp_path / "setup.cfg").write_text(f"[flake8]\nselect = DET\n{configuration}")
    return int(flake8_main(["--config", str(tmp_path / "setup.cfg"), "--format=%(row)d:%(code)s", *options, str(tmp_path / "train.py")]))


LOGGING = MODEL + "import mylib\nmylib.metric('loss', model(x).mean())\nmylib.metric(model(x).mean(), 1)\nmylib.board(model(x).mean())\n"


@pytest.mark.parametrize("key", ["detach-loggers", "detach_loggers"])
@pytest.mark.parametrize("value", ["mylib.metric:2, mylib.board", "\n    mylib.metric:2\n    mylib.board"])
def test_from_the_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, value: str) -> None:
    assert lint(tmp_path, LOGGING, configuration=f"{key} = {value}\n") == 1
    assert capsys.readouterr().out.split() == ["5:DET101", "7:DET101"]


def test_the_command_line_goes_before_the_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(tmp_path, LOGGING, "--detach-loggers=mylib.board", configuration="detach-loggers = mylib.metric\n") == 1
    assert capsys.readouterr().out.split() == ["7:DET101"]


def test_a_setting_does_not_outlive_its_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lint(tmp_path, LOGGING, "--detach-loggers=mylib.board")
    assert lint(tmp_path, LOGGING) == 0
    assert plugin.Plugin.settings is not None
    assert plugin.Plugin.settings.names == ()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("loggers", "mylib.log()"),
        ("loggers", ".metric"),
        ("loggers", "*"),
        ("loggers", "metric:0"),
        ("loggers", "metric:-1"),
        ("loggers", "metric:"),
        pytest.param("loggers", f"metric:{'9' * 5000}", id="loggers-metric:9999..."),
        ("evaluations", "score all%"),
        ("evaluations", "score:1"),
        ("detachers", "a..b"),
        ("clearers", "fresh:optimizer"),
        ("backpropagators", "push:1.5"),
        ("modules", "BaseNet:1"),
    ],
)
@pytest.mark.parametrize("by_configuration", [False, True])
def test_a_bad_value_is_named_with_its_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, by_configuration: bool
) -> None:
    with pytest.raises(SystemExit) as end:
        if by_configuration:
            lint(tmp_path, MODEL, configuration=f"detach-{option} = {value}\n")
        else:
            lint(tmp_path, MODEL, f"--detach-{option}={value}")
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert f"--detach-{option}: " in said
    assert repr(value.split()[-1]) in said


# -- rules that are off -----------------------------------------------------------------------------------------------------------------


def explosive(_: object) -> None:
    raise AssertionError("a rule that is off was run")


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        ([], True),
        (["--extend-ignore=DET301"], False),
        (["--extend-ignore=DET3"], False),
        (["--select=DET1,DET2"], False),
        (["--ignore=DET301"], False),
        (["--select=DET3,DET0"], True),
        (["--per-file-ignores=other.py:DET301"], True),
    ],
)
def test_a_rule_that_flake8_would_not_report_is_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str], runs: bool
) -> None:
    rules = {**analysis.rules(), "DET301": SimpleNamespace(check=explosive)}
    monkeypatch.setattr(analysis, "rules", lambda: rules)
    (tmp_path / "train.py").write_text(MODEL + "print(model(x).numpy())\n")
    flake8_main(["--isolated", *options, str(tmp_path / "train.py")])
    assert ("DET000" in capsys.readouterr().out) is runs


@pytest.mark.parametrize(("options", "off"), [([], True), (["--extend-select=DET901"], False), (["--extend-select=DET9"], False), (["--select=DET"], False)])
def test_opt_in_rules_run_when_asked_for(tmp_path: Path, options: list[str], off: bool) -> None:
    (tmp_path / "train.py").write_text("x = 1\n")
    flake8_main(["--isolated", *options, str(tmp_path / "train.py")])
    assert plugin.Plugin.settings is not None
    assert ("DET901" in plugin.Plugin.settings.off) is off
    assert "DET101" not in plugin.Plugin.settings.off


# -- patterns -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("mylib.log", "mylib.log", True),
        ("mylib.log", "mylib.log.info", False),
        ("mylib.*", "mylib.log.info", True),
        ("log", "mylib.log", True),
        ("log", "mylib.catalog", False),
        ("*log", "mylib.catalog", True),
        ("Log", "mylib.log", False),
        ("mylib.tools.log", ".tools.log", True),
        ("mylib.tools.log", ".log", True),
        ("mylib.tools.log", ".other.log", False),
        ("mylib.l[ao]g", "mylib.log", True),
    ],
)
def test_a_pattern_meets_a_name(pattern: str, name: str, matches: bool) -> None:
    assert settings.Named(pattern).matches(name) is matches
