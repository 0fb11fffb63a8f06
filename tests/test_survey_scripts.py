"""The survey of real scripts, on a script made here: it runs twice, and what both engines say is compared.

What lives here: the driver's own promises. What must not: the repositories' scripts, which are no part of the tests.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("torch")
pytest.importorskip("resource", reason="the cost of a run is asked of the operating system")

SCRIPT = """\
import sys, torch

w = torch.ones(1, requires_grad=True)
for _ in range(1000):
    total = 2 * w
print(sys.argv[1:], total)
if len(sys.argv) > 5:
    x = torch.tensor(torch.ones(2))
    torch.no_grad()
"""


@pytest.fixture(scope="module")
def scripts() -> ModuleType:
    path = Path(__file__).parent / "survey" / "scripts.py"
    spec = importlib.util.spec_from_file_location("survey_scripts", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_script_is_run_twice_and_its_findings_compared(
    scripts: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line 6 is seen by both; lines 8 and 9 are not reached, so the linter alone has them; the clone is left as it was, one that is absent is told."""
    clone = tmp_path / "someone+thing"
    clone.mkdir()
    (clone / "train.py").write_text(SCRIPT, encoding="utf-8")
    known = scripts.Script("someone+thing", "train.py", "--epochs 1", shorter=("range(1000)", "range(3)"))
    monkeypatch.setattr(scripts, "SCRIPTS", (known, scripts.Script("someone+absent", "train.py", "")))
    assert scripts.main(tmp_path, []) == 1
    output, errors = capsys.readouterr()
    table = [line for line in output.splitlines() if line.startswith("| someone/thing train.py | ? |")]
    assert len(table) == 1 and table[0].endswith("| 1 | 2 | 0 |")
    told = [line.split(": ")[0] for line in output.splitlines() if line.startswith("train.py:")]
    assert told == ["train.py:6 DET101 agree", "train.py:8 DET205 static only", "train.py:9 DET302 static only"]
    assert "someone+absent has no train.py" in errors
    assert (clone / "train.py").read_text(encoding="utf-8") == SCRIPT and [path.name for path in clone.iterdir()] == ["train.py"]


def test_only_the_scripts_that_are_asked_for_run(scripts: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scripts.main(tmp_path, ["no such script"]) == 0
    assert capsys.readouterr().out.startswith(scripts.HEAD)
