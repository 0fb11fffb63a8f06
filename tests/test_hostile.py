"""Linted code never runs: hostile files under flake8, with a tripwire that anything which runs would pull.

What lives here: that nothing of the linted folder is imported, executed or evaluated. What must not: `flake8-detach witness`, which runs a
program because it is asked to. What flake8 itself runs on demand, local plugins named in a configuration, is no part of this.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TRIPWIRE = "__import__('pathlib').Path({wire!r}).open('a').write(__name__ + ' ')"
SCRIPT = "import sys\nfrom flake8.main.cli import main\nsys.exit(main())\n"
"""What pip installs as `flake8`: Python puts the script's folder, and not the current one, on its path."""

VICTIM = """
import builtins
import os
import sys
import torch
import torch.nn as nn
from torch.utils.data import *
{pull}
os.system("echo os.system >> {wire}")
eval({pull!r})
exec({pull!r})
class Finder:
    @classmethod
    def find_spec(cls, *args):
        {pull}
sys.meta_path.insert(0, Finder)
sys.path_hooks.insert(0, lambda path: {pull})
builtins.__import__ = lambda *args: {pull}
sys.settrace(lambda *args: {pull})
sys.excepthook = lambda *args: {pull}
class Meta(type):
    def __new__(cls, *args, tag={pull}):
        {pull}
        return super().__new__(cls, *args)
    def __prepare__(*args, **kwargs):
        {pull}
        return {{}}
class Base:
    def __init_subclass__(cls, **kwargs):
        {pull}
    def __class_getitem__(cls, item):
        {pull}
    def __set_name__(self, owner, name):
        {pull}
    def __format__(self, spec):
        {pull}
    def __del__(self):
        {pull}
class Model(nn.Module, Base, metaclass=Meta, tag={pull}):
    field: {pull} = Base()
    parts = [{pull} for _ in range(2)]
    @property
    def loss(self):
        {pull}
    def __getattr__(self, name):
        {pull}
    def forward(self, x: {pull} = {pull}) -> {pull}:
        return x
def decorator(function):
    {pull}
    return function
@decorator
@(lambda function: {pull} or function)
def train(model, data):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    total = 0
    for x in data:
        loss = model(x).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss
    print(f"{{total:{{{pull}}}}} {{{pull}}}", "%s" % total, "{{0.__class__}}".format(total))
    getattr(model, "__class__")
    __import__("os").system("echo system >> {wire}")
with open({wire!r}, "a") as file:
    file.write("open")
assert {pull}
match {pull}:
    case _ if {pull}:
        pass
try:
    raise {pull}
except {pull}:
    pass
train(Model(), torch.load("model.pt"))
torch.ones(3, requires_grad=True).numpy()
"""

OURS = "torch libcst numpy lightning transformers pandas sitecustomize usercustomize conftest setup value trace".split()
"""Modules of the linted folder under names that Python or this package may be thought to import."""
SHADOWS = [*OURS, *"flake8_detach flake8 pyflakes ast re gc".split()]
"""And under names that `python -m flake8`, which puts the current folder in front, does import, with or without this package."""

CONFIGURATIONS = {
    "shell": "[flake8]\nmax-line-length = 100\nexclude = $(echo shell >> {wire}),`echo ticks >> {wire}`\nformat = default\n",
    "python": "[flake8]\nfilename = *.py\nper-file-ignores =\n    __import__('os').system('echo python >> {wire}').py: E501\n",
    "format": "[flake8]\nformat = %(path)s {{0.__class__.__init__.__globals__}} %(code)s\n",
    "codes": "[flake8]\nextend-select = {pull}\n",
    "numbers": "[flake8]\nmax-line-length = {pull}\n",
    "interpolation": "[flake8]\nmax-line-length = %(x)s\nx = ${{PATH}}\n",
    "options": "[flake8]\ndetach-loggers = __import__('os').system('echo options >> {wire}'):1\n",
    "options that evaluate": "[flake8]\ndetach-detachers = eval, exec, os.system, mylib.{pull}\n",
    "patterns": "[flake8]\ndetach-loggers = [z-a], [!], [[x]a, ***********************a, [a--z]x:1\n",
    "a pattern without end": "[flake8]\ndetach-modules = " + "*a" * 2000 + "b\n",
    "a number without end": "[flake8]\ndetach-loggers = show:" + "9" * 5000 + "\n",
    "ours": "[flake8-detach]\nplugins = {wire}\n[tool:flake8_detach]\nexec = {pull}\n",
}


class Folder:
    """A folder of hostile files, a tripwire outside of it, and flake8 run in it."""

    def __init__(self, root: Path, shadows: list[str]) -> None:
        self.here, self.wire, self.script = root / "linted", root / "tripwire", root / "bin" / "flake8"
        self.pull = TRIPWIRE.format(wire=str(self.wire))
        self.here.mkdir()
        self.script.parent.mkdir()
        self.script.write_text(SCRIPT)
        self.write("victim.py", VICTIM)
        for name in shadows:
            self.write(f"{name}.py", "{pull}\nimport torch\nprint(torch.ones(3, requires_grad=True).numpy())\n")

    def write(self, name: str, text: str) -> None:
        (self.here / name).write_text(text.format(pull=self.pull, wire=self.wire))

    def run(self, *command: str) -> str:
        done = subprocess.run([sys.executable, *command], cwd=self.here, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    @property
    def pulled(self) -> str:
        return self.wire.read_text() if self.wire.exists() else ""


@pytest.mark.parametrize("name", ["victim", "torch", "flake8_detach"])
def test_the_tripwire_works(tmp_path: Path, name: str) -> None:
    """Or this whole file would test nothing."""
    folder = Folder(tmp_path, ["flake8_detach", "torch"])
    folder.run(f"{name}.py")
    assert folder.pulled


def test_nothing_runs(tmp_path: Path) -> None:
    folder = Folder(tmp_path, SHADOWS)
    told = folder.run(str(folder.script), "--isolated", "--select=DET,E9", "-j2", ".")
    assert folder.pulled == ""
    assert told.count("DET201") == len(SHADOWS) + 1
    assert "victim.py" in told
    assert "E9" not in told


def test_nothing_runs_in_front_of_the_path(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OURS)
    told = folder.run("-m", "flake8", "--isolated", "--select=DET,E9", ".")
    assert folder.pulled == ""
    assert told.count("DET201") == len(OURS) + 1


def test_nothing_runs_when_the_folder_is_a_package(tmp_path: Path) -> None:
    folder = Folder(tmp_path, SHADOWS)
    folder.write("__init__.py", "{pull}\n")
    folder.write("__main__.py", "{pull}\n")
    told = folder.run(str(folder.script), "--isolated", "--select=DET", str(folder.here))
    assert folder.pulled == ""
    assert told.count("DET201") == len(SHADOWS) + 1


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_no_configuration_runs(tmp_path: Path, name: str) -> None:
    """A wrong value ends in flake8's own words, a harmless one in the findings."""
    folder = Folder(tmp_path, ["torch"])
    folder.write(".flake8", CONFIGURATIONS[name])
    told = folder.run(str(folder.script), ".")
    assert folder.pulled == ""
    assert told
    assert "flake8_detach" not in told  # no traceback through this package


@pytest.mark.parametrize("command", ["check --isolated .", "fix --isolated --unsafe .", "trace victim.py", "trace victim.py:LAST", "graph victim.py:LAST"])
def test_no_command_runs_anything(tmp_path: Path, command: str) -> None:
    """But `witness`, which is asked to. They are started as pip's script is, which puts no folder of the user's on the path."""
    folder = Folder(tmp_path, SHADOWS)
    folder.script.write_text("import sys\nfrom flake8_detach.__main__ import main\nsys.exit(main())\n")
    before = (folder.here / "victim.py").read_text()
    told = folder.run(str(folder.script), *command.replace("LAST", str(len(before.splitlines()))).split())
    assert folder.pulled == ""
    assert any(word in told for word in ("requires_grad=True", "DET201", f"Fixed {len(SHADOWS) + 1} findings"))  # it was read
    assert "Traceback" not in told
    assert ((folder.here / "victim.py").read_text() != before) is command.startswith("fix")


def test_no_file_name_runs(tmp_path: Path) -> None:
    """A name is text, whatever a shell or a format would read in it."""
    folder = Folder(tmp_path, [])
    name = f"$(echo name >> {folder.wire.name}) `id` %s {{0}}.py"
    (folder.here / name).write_text("import torch\nprint(torch.ones(3, requires_grad=True).numpy())\n")
    told = folder.run(str(folder.script), "--isolated", "--select=DET", ".")
    assert name in told
    assert sorted(path.name for path in folder.here.iterdir()) == sorted([name, "victim.py"])
