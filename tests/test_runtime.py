"""Real torch as the judge: what happens when the fixtures run is what their marks say.

What lives here: the comparison of marks and runs, the examples of the pages, and what the command promises. What must not: anything that the
linter says.
"""

from __future__ import annotations

import os
import pkgutil
from functools import cache
from pathlib import Path

import pytest

import markers
from flake8_detach import manual, plugin, runtime
from flake8_detach.runtime import witnesses
from flake8_detach.runtime.command import main
from markers import PROGRAMS, RULES, Finding

pytest.importorskip("torch")

# A mark of a code without a witness asks nothing of torch yet.
WITNESSED = {module.name.upper() for module in pkgutil.iter_modules(witnesses.__path__)}
# What a loud mistake raises. Any other exception is a fault of the fixture.
LOUD = ("RuntimeError", "TypeError", "AttributeError", "ValueError")
CASES = [(path, scenario) for path in RULES for scenario in markers.scenarios(path)]

each_scenario = pytest.mark.parametrize("path, scenario", CASES, ids=[f"{path.stem}-{scenario.name}" for path, scenario in CASES])
each_file = pytest.mark.parametrize("path", RULES, ids=[path.stem for path in RULES])
each_program = pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])


@cache
def runs(path: Path) -> dict[str, runtime.Witnessed]:
    """Every scenario of the file, run once."""
    return runtime.scenarios(str(path), [scenario.name for scenario in markers.scenarios(path)])


@cache
def program_runs() -> dict[str, runtime.Witnessed]:
    """Every program, run once."""
    return runtime.programs([str(path) for path in PROGRAMS])


def happened(witnessed: runtime.Witnessed) -> set[Finding]:
    return {(occurrence.line, occurrence.code) for occurrence in witnessed.occurrences}


def expected(path: Path) -> set[Finding]:
    return {(line, code) for line, code in markers.seen_by_torch(path) if code in WITNESSED}


def last_line(error: str) -> str:
    """The exception's own line of a traceback: the last one that is not indented."""
    return [line for line in error.splitlines() if line and not line.startswith(" ")][-1]


@each_scenario
def test_scenario(path: Path, scenario: markers.Scenario) -> None:
    """On its own lines all marks and nothing else happen; on shared lines nothing that is not marked."""
    witnessed = runs(path)[scenario.name]
    found = happened(witnessed)
    assert markers.within(found, scenario.lines) == markers.within(expected(path), scenario.lines), witnessed
    assert found <= expected(path), witnessed


@each_scenario
def test_only_a_bad_scenario_raises(path: Path, scenario: markers.Scenario) -> None:
    """An exception is the harm that a mark names, and nothing else."""
    witnessed = runs(path)[scenario.name]
    assert not witnessed.timed_out
    if witnessed.error:
        assert scenario.name.startswith("bad_") and last_line(witnessed.error).startswith(LOUD), witnessed.error


@each_file
def test_shared_lines(path: Path) -> None:
    """Each mark on lines of no scenario is shown by one scenario at least."""
    found = {finding for witnessed in runs(path).values() for finding in happened(witnessed)}
    assert markers.shared(path, found) == markers.shared(path, expected(path))


@each_program
def test_program(path: Path) -> None:
    witnessed = program_runs()[str(path)]
    assert happened(witnessed) == expected(path), witnessed
    if witnessed.error:
        assert happened(witnessed) and last_line(witnessed.error).startswith(LOUD), witnessed.error


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], runtime.Witnessed]:
    """The Bad and the Good example of each rule's page, run once as a program."""
    folder = tmp_path_factory.mktemp("examples")
    paths = {(page.code, kind): folder / f"{page.code}_{kind}.py" for page in manual.pages() for kind in manual.CODE}
    for page in manual.pages():
        for kind in manual.CODE:
            paths[page.code, kind].write_text(page.sections[kind] + "\n", encoding="utf-8")
    found = runtime.programs(map(str, paths.values()))
    return {key: found[str(path)] for key, path in paths.items()}


each_page = pytest.mark.parametrize("page", manual.pages(), ids=lambda page: page.code)


@each_page
def test_the_bad_example_of_a_page_shows_its_harm(page: manual.Page, examples: dict[tuple[str, str], runtime.Witnessed]) -> None:
    """But where no run of a fixture can show it. It raises only what is the harm."""
    witnessed = examples[page.code, "Bad"]
    [fixture] = [path for path in RULES if path.stem[:6].upper() == page.code]
    unseen = all(mark.word == "unseen" for mark in markers.marks(fixture) if mark.code == page.code)
    assert (page.code in {occurrence.code for occurrence in witnessed.occurrences}) is not unseen
    if witnessed.error:
        assert last_line(witnessed.error).startswith(LOUD), witnessed.error


@each_page
def test_the_good_example_of_a_page_shows_nothing(page: manual.Page, examples: dict[tuple[str, str], runtime.Witnessed]) -> None:
    """Of every code; of the opinionated ones only its own."""
    witnessed = examples[page.code, "Good"]
    others = set(plugin.opt_in_codes()) - {page.code}
    assert {occurrence.code for occurrence in witnessed.occurrences} - others == set(), witnessed
    assert not witnessed.error and not witnessed.timed_out


ONE_OF_TWO = """\
import torch

w = torch.ones(1, requires_grad=True)


def one():
    print(2 * w)


def other():
    w.numpy()


if __name__ == "__main__":
    other()
"""


def program(folder: Path, *lines: str) -> str:
    path = folder / "program.py"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return str(path)


def test_the_command_keeps_streams_status_and_arguments(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The program's output and exit status are its own; the findings follow on standard error."""
    leaf = "w = torch.ones(1, requires_grad=True)"
    path = program(tmp_path, "import sys, torch", leaf, "print(sys.argv[1:], 2 * w)", "print('to err', file=sys.stderr)", "sys.exit(3)")
    assert main([path, "--rate", "5"]) == 3
    output, errors = capfd.readouterr()
    assert output == "['--rate', '5'] tensor([2.], grad_fn=<MulBackward0>)\n"
    to_err, finding = errors.splitlines()
    assert to_err == "to err"
    assert finding.startswith(f"{path}:3:1: DET101 print() received a live tensor (MulBackward0)")


def test_the_command_shows_the_traceback_without_its_own_frames(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A program that raises looks as Python would show it, and the loud code is told at its line."""
    path = program(tmp_path, "import torch", "", "w = torch.ones(1, requires_grad=True)", "w.numpy()")
    assert main([path]) == 1
    errors = capfd.readouterr().err
    assert "RuntimeError: Can't call numpy() on Tensor that requires grad." in errors
    assert f'File "{path}", line 4' in errors and "flake8_detach" not in errors
    assert errors.splitlines()[-1].startswith(f"{path}:4:1: DET201 ")


UNPREPARED = """
import torch

class Part(torch.nn.Module):
    def __init__(self):
        self.factors = [torch.ones(2, requires_grad=True)]
        self.offset = torch.ones(2, requires_grad=True)

class Whole(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.part = Part()
        self.linear = torch.nn.Linear(2, 2)

    def forward(self, x):
        return self.linear(x) * self.part.factors[0] + self.part.offset

whole = Whole()
optimizer = torch.optim.SGD(whole.linear.parameters(), 0.1)
whole(torch.ones(2)).sum().backward()
optimizer.step()
whole.part.factors = [torch.ones(2) * 2]
try:
    whole.zero_grad()
except AttributeError:
    print("no parameters")
print(whole(torch.ones(2)))
"""

SPARSE = """
import torch

square = torch.sparse_coo_tensor([[0, 1], [1, 0]], [1.0, 2.0], (2, 2))
weight = torch.ones(2, 2, requires_grad=True)
product = torch.sparse.mm(square, weight) + torch.sparse.mm(square.to_sparse_csr(), weight)
product.sum().backward(retain_graph=True)
square.mul_(2)
print("no parameters")
print(product)
"""


@pytest.mark.parametrize("text", [UNPREPARED, SPARSE], ids=["Module.__init__ not called", "sparse tensors"])
def test_the_command_runs_what_torch_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str) -> None:
    """Modules that torch finds no parameters in, tensors without a storage: the program runs to its end, and what it shows is told."""
    path = program(tmp_path, text)
    assert main([path]) == 0
    output, errors = capfd.readouterr()
    assert output.startswith("no parameters\n")
    assert f"{path}:{len(text.splitlines())}:1: DET101 " in errors


def test_the_command_writes_findings_to_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, output = program(tmp_path, "import torch", "torch.no_grad()"), tmp_path / "findings.txt"
    assert main(["--output", str(output), path]) == 0
    assert output.read_text(encoding="utf-8").startswith(f"{path}:2:1: DET302 ")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("output", ["absent/findings.txt", "/dev/full"])
def test_findings_are_not_lost_with_their_file(tmp_path: Path, capfd: pytest.CaptureFixture[str], output: str) -> None:
    """The program has run: where the file can't be written, they go to standard error, and the status says so."""
    if output == "/dev/full" and not Path(output).exists():
        pytest.skip("no full device")
    path = program(tmp_path, "import torch", "torch.no_grad()")
    assert main(["--output", str(tmp_path / output), path]) == 2
    told, finding = capfd.readouterr().err.splitlines()
    assert told.startswith("flake8-detach witness: --output: [Errno ")
    assert finding.startswith(f"{path}:2:1: DET302 ")


def test_the_command_says_that_it_runs_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "this executes the program, as python PROGRAM.py would, in a process of its own" in told
    assert "--timeout" in told


def test_the_command_runs_only_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """In a process of its own: nothing of the current folder, whatever its name, and of the program's folder only what the program imports."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        for name in "torch numpy json ast neighbour sitecustomize usercustomize flake8_detach conftest".split():
            (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'tripwire')!r}, 'a').write('{folder.name}/{name} ')\n")
    monkeypatch.chdir(here)
    assert main([program(there, "import os, torch, neighbour", "print(os.getpid(), torch.ones(1, requires_grad=True) * 2)")]) == 0
    assert (tmp_path / "tripwire").read_text() == "there/neighbour "
    told = capfd.readouterr()
    assert int(told.out.split()[0]) != os.getpid()
    assert "program.py:2:1: DET101 " in told.err


def test_the_command_stops_a_program_and_tells_what_it_showed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = program(tmp_path, "import time, torch", "torch.no_grad()", "while True:", "    time.sleep(0.01)")
    assert main(["--timeout", "1", path]) == 124
    errors = capfd.readouterr().err
    assert f"{path}:2:1: DET302 " in errors and "was stopped after 1 seconds" in errors


@pytest.mark.parametrize("text", [None, "def broken(:"], ids=["no file", "no Python"])
def test_the_command_refuses_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None) -> None:
    path = str(tmp_path / "absent.py") if text is None else program(tmp_path, text)
    assert main([path]) == 2
    assert capsys.readouterr().err.startswith("flake8-detach witness: ")


def test_the_command_says_when_torch_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main([program(tmp_path, "print(1)")]) == 2
    assert "pip install 'flake8-detach[runtime]'" in capsys.readouterr().err


def test_witness_answers_for_one_scenario(tmp_path: Path) -> None:
    """The module-level code runs first, then the one function; `__name__` is not `__main__`."""
    path = program(tmp_path, ONE_OF_TWO)
    assert [(o.line, o.code) for o in runtime.witness(path, scenario="one")] == [(7, "DET101")]
    assert [(o.line, o.code) for o in runtime.witness(path, scenario="other")] == [(11, "DET201")]
    assert [(o.line, o.code) for o in runtime.witness(path)] == [(11, "DET201")]
