"""Looking into the linter and into a run: what `trace` tells, what `graph` and `witness --graph` draw.

What lives here: that beliefs are told as they are, and that the linter's graph has the shape of torch's. What must not: what the beliefs should
be, which is the fixtures' matter.
"""

from __future__ import annotations

import ast
import shutil
import sys
from pathlib import Path

import pytest

from flake8_detach import analysis, inspection, picture
from flake8_detach.__main__ import main
from flake8_detach.inspection import beliefs, lineage
from flake8_detach.picture import Look
from flake8_detach.runtime.process import run_program

PROGRAMS = Path(__file__).parent.parent / "fixtures" / "programs"
NETWORK = """\
import torch
model = torch.nn.Linear(2, 1)
x = torch.ones(3, 2)
loss = model(x).mean()
cut = loss.detach()
with torch.no_grad():
    quiet = model(x)
loss.backward()
print("loss", loss)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(NETWORK)
    return tmp_path / "train.py"


def told(text: str, tmp_path: Path, line: int | None = None) -> list[str]:
    (tmp_path / "told.py").write_text(text)
    return list(beliefs.told(inspection.inspect(str(tmp_path / "told.py"), line)))


def status(*arguments: object) -> int | str | None:
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as end:
        return end.code


# -- trace ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (4, ["loss = tensor, live: it requires grad, not a leaf, float (grad mode on)", "from `model(x)`, line 4", "`torch.nn.Linear(2, 1)`, line 2"]),
        (4, ["x: tensor, cut: it requires no grad, leaf", "model: module, `torch.nn.Linear`", "backward() is called on it, so it must be live"]),
        (5, ["cut = tensor, cut: it requires no grad, leaf", "cut by `loss.detach()`, line 5"]),
        (7, ["quiet = tensor, cut", "(grad mode off)", "made by `model(x)`, line 7"]),
        (9, ["loss: tensor, live", "DET101 `print('loss', loss)` gets a tensor that requires grad"]),
    ],
)
def test_trace_tells_what_is_believed(tmp_path: Path, line: int, words: list[str]) -> None:
    text = "\n".join(told(NETWORK, tmp_path, line))
    assert [word for word in words if word not in text] == []


def test_trace_of_a_file_tells_the_names_and_the_findings(tmp_path: Path) -> None:
    lines = told(NETWORK, tmp_path)
    assert [line.split(" = ")[0].strip() for line in lines if " = " in line] == ["model", "x", "loss", "cut", "quiet"]
    assert sum("DET101" in line for line in lines) == 1


def test_trace_keeps_visits_apart(tmp_path: Path) -> None:
    lines = told("import torch\ntotal = 0\nw = torch.ones(3, requires_grad=True)\nfor _ in range(3):\n    total += w.sum()\n", tmp_path, 5)
    first = next(line for line in lines if line.strip().startswith("total:"))
    assert "number, 0" in first
    assert "or, at another visit: tensor, live" in lines[lines.index(first) + 1]
    assert any("depends on the iteration before of the loop on line 4" in line for line in lines)


def test_trace_says_what_it_does_not_know(tmp_path: Path) -> None:
    text = "\n".join(told("import torch\nfrom mylib import thing\ny = thing(torch.ones(3))\n", tmp_path, 3))
    assert "y = unknown, not known to require grad" in text
    assert "perhaps from `thing(torch.ones(3))`, line 3: the file does not show what it gives" in text


def test_trace_of_modes_of_modules(tmp_path: Path) -> None:
    text = told("import torch\nm = torch.nn.Dropout(0.5)\nm.eval()\nm(torch.ones(3))\n", tmp_path, 4)
    assert any("m: module, `torch.nn.Dropout`, in eval mode" in line for line in text)


@pytest.mark.parametrize("path", sorted(PROGRAMS.glob("*.py")), ids=lambda path: path.stem)
def test_watching_changes_no_finding(path: Path) -> None:
    """The watched interpretation comes to what the linter reports, and each tensor's words can be told."""
    seen = inspection.inspect(str(path), None)
    source = path.read_text(encoding="utf-8")
    reports = analysis.check(ast.parse(source), source.splitlines(keepends=True), str(path))
    assert [(f.node.lineno, f.code, f.message) for f in seen.findings] == [(r.line, r.code, r.text) for r in reports]
    assert list(beliefs.told(seen))


def test_the_settings_of_the_folder_count(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program.write_text("import torch\nimport mylib\nw = torch.ones(3, requires_grad=True)\nmylib.put(w * 2)\n")
    assert status("trace", "train.py:4") == 0
    assert "DET101" not in capsys.readouterr().out
    (program.parent / ".flake8").write_text("[flake8]\ndetach-loggers = mylib.put\n")
    assert status("trace", "train.py:4") == 0
    assert "DET101" in capsys.readouterr().out


# -- graph ------------------------------------------------------------------------------------------------------------------------------


def drawn(path: Path, line: int) -> picture.Picture:
    found = lineage.graph(inspection.inspect(str(path), line))
    assert found is not None
    return found


def test_graph_from_the_parameters_to_the_place(program: Path) -> None:
    graph = drawn(program, 9)
    looks = {node.label.replace("\n", " "): node.look for node in graph.nodes}
    assert looks == {
        "parameters of torch.nn.Linear(2, 1) line 2": Look.PARAMETER,
        "torch.ones(3, 2) line 3": Look.CUT,
        "Linear in model(x) line 4": Look.OPERATION,
        "model(x).mean() line 4": Look.OPERATION,
        "DET101 print('loss', loss) line 9": Look.PLACE,
    }
    label = {node.key: node.label.splitlines()[0] for node in graph.nodes}
    edges = {(label[e.start], label[e.end]): (e.live, e.cut_here) for e in graph.edges}
    assert edges == {
        ("parameters of", "Linear in"): (True, False),
        ("torch.ones(3, 2)", "Linear in"): (False, False),
        ("Linear in", "model(x).mean()"): (True, False),
        ("model(x).mean()", "DET101"): (True, True),
    }


def test_graph_without_a_finding_marks_no_cut(program: Path) -> None:
    graph = drawn(program, 5)
    assert {node.look for node in graph.nodes} == {Look.PARAMETER, Look.CUT, Look.OPERATION}
    assert not any(edge.cut_here for edge in graph.edges)
    assert [edge.live for edge in graph.edges if edge.end == next(n.key for n in graph.nodes if "detach" in n.label)] == [False]


def test_graph_of_a_loop_comes_back_to_itself(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\nw = torch.ones(3, requires_grad=True)\nt = 0\nfor _ in range(3):\n    t = t + w.sum()\nprint(t)\n")
    graph = drawn(tmp_path / "a.py", 6)
    assert [e.start for e in graph.edges if e.start == e.end] == [n.key for n in graph.nodes if n.label.startswith("t + w.sum()")]


def test_graph_prints_dot(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("graph", "train.py:9") == 0
    out = capsys.readouterr().out
    assert out.startswith("digraph {\n")
    assert out.count("detach() here") == 1


def test_labels_are_escaped(program: Path) -> None:
    program.write_text("import torch\nw = torch.ones(3, requires_grad=True)\nprint('\"\\\\N', w * 2)\n")
    text = picture.dot(drawn(program, 3))
    assert "\\\\" in text
    assert '\\"' in text


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graph_draws_an_image(program: Path) -> None:
    assert status("graph", "train.py:9", "-o", "graph.svg") == 0
    image = (program.parent / "graph.svg").read_text(encoding="utf-8")
    assert "<svg" in image
    assert "detach() here" in image


def test_graph_into_a_dot_file_needs_no_program(program: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "")
    assert status("graph", "train.py:9", "-o", "graph.dot") == 0
    assert (program.parent / "graph.dot").read_text(encoding="utf-8").startswith("digraph {\n")
    assert status("graph", "train.py:9", "-o", "graph.svg") == 2
    assert "`dot` is not installed" in capsys.readouterr().err
    assert not (program.parent / "graph.svg").exists()


def test_graph_says_what_is_missing(program: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "graphviz", None)
    assert status("graph", "train.py:9") == 2
    assert "flake8-detach[graph]" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["trace", "graph"])
@pytest.mark.parametrize(
    ("place", "named"),
    [("none.py:3", "none.py"), ("train.py:x", "'x' is no line number"), ("train.py:0", "'0'"), ("train.py:99", "no statement stands on line 99"),
     ("broken.py:1", "broken.py"), ("bytes.py:1", "bytes.py")],
)  # fmt: skip
def test_bad_places_name_themselves(program: Path, capsys: pytest.CaptureFixture[str], command: str, place: str, named: str) -> None:
    (program.parent / "broken.py").write_text("def (\n")
    (program.parent / "bytes.py").write_bytes(b"x = '\xff'\n")
    assert status(command, place) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(("place", "named"), [("train.py", "which line"), ("train.py:1", "no tensor")])
def test_graph_needs_a_line_with_tensors(program: Path, capsys: pytest.CaptureFixture[str], place: str, named: str) -> None:
    assert status("graph", place) == 2
    assert named in capsys.readouterr().err


# -- beside torch's own -------------------------------------------------------------------------------------------------------------------

BESIDE = """\
import torch
w = torch.ones(3, requires_grad=True)
b = torch.zeros(3, requires_grad=True)
kept = []
for _ in range(3):
    y = w * 2
    z = torch.relu(y + b)
    print(z)
    kept += [z, z.detach()]
total = z.sum()
total.numpy()
"""


def shape(graph: picture.Picture) -> tuple[list[int], int, int]:
    """The lines of the operations, how many leaves, how many edges along which gradients flow."""
    operations = sorted(int(n.label.rpartition("line ")[2]) for n in graph.nodes if n.look == Look.OPERATION)
    return operations, sum(n.look == Look.PARAMETER for n in graph.nodes), sum(e.live for e in graph.edges)


@pytest.mark.parametrize(("line", "code"), [(8, "DET101"), (11, "DET201")])
def test_the_linters_graph_has_the_shape_of_torchs(tmp_path: Path, line: int, code: str) -> None:
    (tmp_path / "beside.py").write_text(BESIDE)
    witnessed = run_program(str(tmp_path / "beside.py"), [], 120, draw=line)
    assert witnessed.picture is not None
    real, seen = witnessed.picture, drawn(tmp_path / "beside.py", line)
    assert shape(real) == shape(seen)
    places = [[n.label.partition("\n")[0] for n in graph.nodes if n.look == Look.PLACE] for graph in (real, seen)]
    assert places[0] == places[1] == [code]


def test_witness_draws_or_says_why_not(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plain.py").write_text("import torch\nw = torch.ones(3, requires_grad=True)\nx = torch.ones(3)\nprint(w)\nxs = [w]\n")
    assert status("witness", "--graph", "4", "--graph-output", tmp_path / "w.dot", tmp_path / "plain.py") == 0
    assert "w\n(3,)" in (tmp_path / "w.dot").read_text(encoding="utf-8")
    assert status("witness", "--graph", "5", "--graph-output", tmp_path / "xs.dot", tmp_path / "plain.py") == 0  # by its variables
    assert "w\n(3,)" in (tmp_path / "xs.dot").read_text(encoding="utf-8")
    assert status("witness", "--graph", "3", tmp_path / "plain.py") == 2
    assert "no tensor that requires grad" in capfd.readouterr().err
    assert status("witness", "--graph", "three", tmp_path / "plain.py") == 2
    assert "--graph" in capfd.readouterr().err
