"""The forms in which others read the findings: GitHub's annotations, the ready workflow, and `noqa` comments beside ruff.

What lives here: what needs no package but flake8 and ruff. What must not: tools that are installed for a test alone (tests/integrations).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOW = ROOT / "docs" / "pages" / "flake8-detach.yml"
MISTAKE = "import torch\n\nw = torch.ones(3, requires_grad=True)\nprint(w.numpy())\n"


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_workflow_annotates(tmp_path: Path) -> None:
    """The command of the workflow, as it stands there, run by a shell."""
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    command = workflow["jobs"]["lint"]["steps"][-1]["run"]
    assert command.startswith("flake8-detach check ")
    (tmp_path / "train.py").write_text(MISTAKE)
    here = f"'{sys.executable}' -m flake8_detach{command.removeprefix('flake8-detach')}"
    done = run("sh", "-c", here, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("::warning file=./train.py,line=4,col=7,title=DET201::`.numpy()` raises on a tensor that requires grad")
    assert len(done.stdout.splitlines()) == 1


def test_the_workflow_shows_the_command_of_its_page() -> None:
    command = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["lint"]["steps"][-1]["run"]
    assert f"\n{command}\n" in (WORKFLOW.parent / "hooks-and-ci.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("configuration", "complains"), [("", True), ('[lint]\nexternal = ["DET"]\n', False)])
def test_ruff_leaves_our_noqa_alone_once_told(tmp_path: Path, configuration: str, complains: bool) -> None:
    (tmp_path / "train.py").write_text(MISTAKE.replace("())\n", "())  # noqa: DET201\n"))
    (tmp_path / "ruff.toml").write_text(configuration)
    done = run(sys.executable, "-m", "ruff", "check", "--output-format=concise", "--select=RUF100,RUF102", "train.py", cwd=tmp_path)
    assert ("DET201" in done.stdout) is complains
    assert done.returncode == int(complains)
