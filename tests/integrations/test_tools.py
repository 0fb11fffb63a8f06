"""The tools around flake8, each driven for real: pre-commit, nbQA, the SARIF formatter, the site of the documentation.

What lives here: what needs a package of the extra `integrations`; a test is skipped where its package is missing. What must not: editors.
`python -m pip install -e ".[test,integrations]" && python -m pytest tests/integrations` runs all.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
MISTAKE = "import torch\n\nw = torch.ones(3, requires_grad=True)\nprint(w.numpy())\n"
PROJECT = [".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE", "flake8_detach"]


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed (extra `integrations`)")


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, **environment}
    return subprocess.run([str(part) for part in command], cwd=cwd, env=surroundings, capture_output=True, text=True, check=False)


# -- pre-commit -------------------------------------------------------------------------------------------------------------------------


def repository(folder: Path, files: list[Path]) -> Path:
    """A git repository with these files, committed."""
    folder.mkdir(exist_ok=True)
    for path in files:
        subprocess.run(["cp", "-r", path, folder], check=True)
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "--allow-empty", "-m", "files"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a git repository of its own."""
    return repository(tmp_path_factory.mktemp("project"), [ROOT / name for name in PROJECT])


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A repository in which a Python file and another one are staged."""
    folder = repository(tmp_path / "sample", [])
    (folder / "train.py").write_text(MISTAKE)
    (folder / "notes.md").write_text("# Notes\n")
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    return folder


def try_repo(project: Path, sample: Path, hook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    home = str(project.parent)  # the environments that it installs are kept for the next test, not in the user's folder
    return run(sys.executable, "-m", "pre_commit", "try-repo", project, hook, *arguments, cwd=sample, PRE_COMMIT_HOME=home, PYTHONPATH="")


@needs("pre_commit")
def test_the_hook_reports_what_is_staged(project: Path, sample: Path) -> None:
    done = try_repo(project, sample, "flake8-detach")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "train.py:4:7: DET201 " in done.stdout


@needs("pre_commit")
@pytest.mark.parametrize("hook", ["flake8-detach", "flake8-detach-fix"])
def test_a_hook_when_no_python_file_is_staged(project: Path, sample: Path, hook: str) -> None:
    """The one with the mistake lies there, untracked."""
    subprocess.run(["git", "rm", "-q", "--cached", "train.py"], cwd=sample, check=True)
    done = try_repo(project, sample, hook)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(no files to check)Skipped" in done.stdout
    assert (sample / "train.py").read_text() == MISTAKE


@needs("pre_commit")
def test_the_hook_that_fixes(project: Path, sample: Path) -> None:
    done = try_repo(project, sample, "flake8-detach-fix")
    assert done.returncode == 1, done.stdout + done.stderr
    assert (sample / "train.py").read_text() == MISTAKE.replace("w.numpy", "w.detach().numpy")
    subprocess.run(["git", "add", "-A"], cwd=sample, check=True)
    again = try_repo(project, sample, "flake8-detach-fix")
    assert again.returncode == 0, again.stdout + again.stderr


def test_every_hook_is_a_command_of_ours() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert {hook["entry"].split()[0] for hook in hooks} == {"flake8-detach"}
    assert {hook["id"] for hook in hooks} == {"flake8-detach", "flake8-detach-fix"}


# -- notebooks ----------------------------------------------------------------------------------------------------------------------------

CELLS = [
    "%matplotlib inline\nimport torch\nfrom torch import nn\n\nmodel = nn.Linear(2, 1)",
    "!ls\ntotal = 0\nfor _ in range(3):\n    loss = model(torch.ones(3, 2)).mean()\n    loss.backward()\n    total += loss",
    "%%time\nprint('mean', total / 3)",
]


@needs("nbqa")
@needs("nbformat")
def test_a_notebook(tmp_path: Path) -> None:
    """Written by nbformat, as Jupyter writes it: text, magics and a shell command among the cells; findings by cell and line."""
    import nbformat

    cells = [nbformat.v4.new_markdown_cell("# Training"), *map(nbformat.v4.new_code_cell, CELLS)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "training.ipynb")
    done = run(sys.executable, "-m", "nbqa", "flake8", "--select=DET", "training.ipynb", cwd=tmp_path)
    places = [line.split(" ")[:2] for line in done.stdout.splitlines()]
    assert places == [["training.ipynb:cell_2:6:5:", "DET102"], ["training.ipynb:cell_3:2:1:", "DET101"]], done.stdout + done.stderr


# -- SARIF --------------------------------------------------------------------------------------------------------------------------------


@needs("flake8_sarif_reporter")
def test_sarif(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(MISTAKE)
    command = [sys.executable, "-m", "flake8_detach", "check", "--format=sarif", "--exit-zero", "."]
    done = run(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    [result] = report["runs"][0]["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert report["version"] == "2.1.0"
    assert (result["ruleId"], region["startLine"], region["startColumn"]) == ("DET201", 4, 7)
    assert "`.detach().numpy()`" in result["message"]["text"]


# -- the site -----------------------------------------------------------------------------------------------------------------------------


@needs("mkdocs")
def test_the_site_is_built(tmp_path: Path) -> None:
    """`strict` makes an error of each broken link."""
    done = run(sys.executable, "-m", "mkdocs", "build", "--config-file", ROOT / "docs" / "mkdocs.yml", "--site-dir", tmp_path / "site", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "rules" / "DET102" / "index.html").read_text(encoding="utf-8")
    assert "What PyTorch does" in page
    assert (tmp_path / "site" / "flake8-detach.yml").exists()
