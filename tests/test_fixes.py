"""Fixes: what each edit writes, that nothing else changes, that files are safe, and that safe fixes change no result under real torch.

What lives here: everything that is promised of `flake8-detach fix`. What must not: which code a program deserves, which is the fixtures' matter.
"""

from __future__ import annotations

import ast
import os
import re
import stat
from collections import Counter
from functools import cache
from pathlib import Path

import fixed
import outcomes
import pytest
from fixed import ALL

import markers
from flake8_detach import manual, plugin, runtime
from flake8_detach.__main__ import main
from flake8_detach.edits.expressions import Refused
from flake8_detach.fixing import command, mending
from flake8_detach.fixing.changes import applied
from flake8_detach.fixing.mending import View, diagnosed, mended
from flake8_detach.fixing.source import Text, decoded
from flake8_detach.rule import Edit

each_fixture = pytest.mark.parametrize("path", ALL, ids=[path.stem for path in ALL])

HEAD = "import torch\nfrom torch import nn\nnet = nn.Linear(2, 1).requires_grad_(True)\nx = torch.ones(3, 2)\n"
LOOP = "opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)\nfor _ in range(3):\n"


def fix(source: str, unsafe: bool = False, without: str = "DET9") -> str:
    """A program after its fixes, all codes wanted but those that begin like this."""
    return mended(Text(source, "utf-8"), View("train.py", lambda _, reports: [r for r in reports if not r.code.startswith(without)]), unsafe).text


# -- what is written --------------------------------------------------------------------------------------------------------------------

SAFE = {
    "item of a scalar": ("print(net(x).mean())", "print(net(x).mean().item())"),
    "detach of another": ("print(net(x))", "print(net(x).detach())"),
    "in parentheses": ("print(net(x) + 1)", "print((net(x) + 1).detach())"),
    "inside a dict": ("print({'y': net(x)})", "print({'y': net(x).detach()})"),
    "sometimes a number": (
        "y = net(x).mean() if x.sum() > 0 else 0.0\nprint(y)",
        "y = net(x).mean() if x.sum() > 0 else 0.0\nprint(y.detach() if torch.is_tensor(y) else y)",
    ),
    "a factor that may be a number": (
        "def log(v, n):\n    print(v * n)\nlog(net(x), 2)\nlog(0.5, 2)",
        "def log(v, n):\n    print((v.detach() if torch.is_tensor(v) else v) * n)\nlog(net(x), 2)\nlog(0.5, 2)",
    ),
    "before numpy": ("a = net(x).numpy()", "a = net(x).detach().numpy()"),
    "before cpu": ("a = net(x).cpu().numpy()", "a = net(x).detach().cpu().numpy()"),
    "float": ("a = float(net(x).mean())", "a = net(x).mean().item()"),
    "math": ("import math\na = math.exp(net(x).mean())", "import math\na = math.exp(net(x).mean().detach())"),
    "percent": ("a = '%.2f' % net(x).mean()", "a = '%.2f' % net(x).mean().detach()"),
    "numpy function": ("import numpy as np\na = np.exp(net(x))", "import numpy as np\na = np.exp(net(x).detach())"),
    "nested edits": ("import numpy as np\nprint(np.exp(net(x).numpy()))", "import numpy as np\nprint(np.exp(net(x).detach().numpy()))"),
    "torch.tensor": ("a = torch.tensor(x)", "a = x.detach().clone()"),
    "torch.tensor with a dtype": (
        "a = torch.tensor(x, dtype=torch.float64, requires_grad=True)",
        "a = x.detach().clone().to(dtype=torch.float64).requires_grad_(True)",
    ),
    "deepcopy": ("import copy\na = copy.deepcopy(net(x))", "import copy\na = net(x).detach().clone()"),
    "write to a leaf": ("net.weight += 1", "with torch.no_grad():\n    net.weight += 1"),
    "with without a call": ("with torch.no_grad:\n    a = net(x)", "with torch.no_grad():\n    a = net(x)"),
    "integer that requires grad": ("a = torch.arange(3, requires_grad=True)", "a = torch.arange(3, requires_grad=True, dtype=torch.float32)"),
    "keyword": ("p = nn.Parameter(x, require_grad=False)", "p = nn.Parameter(x, requires_grad=False)"),
    "flag on a non-leaf": ("a = net(x)\na.requires_grad = False", "a = net(x)\na = a.detach()"),
    "overwritten result": ("a = net(x).exp()\na += 1\na.sum().backward()", "a = net(x).exp()\na = a + 1\na.sum().backward()"),
    "decorated evaluation": (
        "def evaluate(model):\n    # all of it\n    return model(x).argmax().item()\nevaluate(net)",
        "@torch.no_grad()\ndef evaluate(model):\n    # all of it\n    return model(x).argmax().item()\nevaluate(net)",
    ),
}  # fmt: skip
STEP = "    loss = net(x).mean()\n    opt.zero_grad()\n    loss.backward()\n    opt.step()\n"
IN_LOOP = {
    "total": ("total = 0\n", STEP + "    total += loss", "total += loss.detach()"),
    "sum": ("total = 0\n", STEP + "    total = total + 2 * loss", "total = total + (2 * loss).detach()"),
    "store": ("kept = []\n", STEP + "    kept.append((1, loss))", "kept.append((1, loss.detach()))"),
}
UNSAFE = {
    "missing parentheses": ("net(x).mean().backward()\nnet.zero_grad", "net(x).mean().backward()\nnet.zero_grad()"),
    "flag on a module": ("net.requires_grad = False", "net.requires_grad_(False)"),
    "misspelt flag": ("for p in net.parameters():\n    p.require_grad = False", "for p in net.parameters():\n    p.requires_grad = False"),
    "bare switch": (
        "def evaluate(model):\n    torch.no_grad()\n    # of the first\n    return model(x).argmax().item()\nevaluate(net)",
        "def evaluate(model):\n    # of the first\n    with torch.no_grad():\n        return model(x).argmax().item()\nevaluate(net)",
    ),
    "never cleared": (
        LOOP + "    loss = net(x).mean()\n    loss.backward()\n    opt.step()",
        LOOP + "    loss = net(x).mean()\n    opt.zero_grad()\n    loss.backward()\n    opt.step()",
    ),
    "cleared too early": (
        LOOP + "    net(x).mean().backward()\n    opt.zero_grad()  # now\n    opt.step()",
        LOOP + "    net(x).mean().backward()\n    opt.step()\n    opt.zero_grad()  # now",
    ),
    "step too early": (
        LOOP + "    opt.zero_grad()\n    loss = net(x).mean()\n    opt.step()\n    loss.backward()",
        LOOP + "    opt.zero_grad()\n    loss = net(x).mean()\n    loss.backward()\n    opt.step()",
    ),
    "clip too late": (
        LOOP + "    opt.zero_grad()\n    net(x).mean().backward()\n    opt.step()\n    nn.utils.clip_grad_norm_(net.parameters(), 1.0)",
        LOOP + "    opt.zero_grad()\n    net(x).mean().backward()\n    nn.utils.clip_grad_norm_(net.parameters(), 1.0)\n    opt.step()",
    ),
    "leaf rebound": (
        "w = torch.ones(2, requires_grad=True)\nfor _ in range(2):\n    (w * w).sum().backward()\n    w = w - 0.1 * w.grad",
        "w = torch.ones(2, requires_grad=True)\nfor _ in range(2):\n    (w * w).sum().backward()\n    with torch.no_grad():\n        w -= 0.1 * w.grad",
    ),
    "modules in a list": (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.parts = [nn.Linear(2, 2) for _ in range(3)]\n"
        "    def forward(self, x):\n        for part in self.parts:\n            x = part(x)\n        return x\nNet()(x)",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.parts = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])\n"
        "    def forward(self, x):\n        for part in self.parts:\n            x = part(x)\n        return x\nNet()(x)",
    ),
    "snapshot, with the import it needs": (
        "best = net.state_dict()\n" + LOOP + "    opt.zero_grad()\n    net(x).mean().backward()\n    opt.step()\nnet.load_state_dict(best)",
        "best = copy.deepcopy(net.state_dict())\n" + LOOP + "    opt.zero_grad()\n    net(x).mean().backward()\n    opt.step()\nnet.load_state_dict(best)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAFE)
def test_a_safe_fix_writes(name: str) -> None:
    before, after = SAFE[name]
    assert fix(f"{HEAD}{before}\n") == f"{HEAD}{after}\n"


@pytest.mark.parametrize("name", IN_LOOP)
def test_a_safe_fix_in_a_loop_writes(name: str) -> None:
    first, body, after = IN_LOOP[name]
    before = f"{HEAD}{first}{LOOP}{body}\n"
    *same, _ = before.splitlines()
    assert fix(before).splitlines() == [*same, f"    {after}"]


@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_fix_writes_only_when_asked(name: str) -> None:
    before, after = (f"{HEAD}{part}\n" for part in UNSAFE[name])
    assert fix(before, without="DET301") == before
    head = "import copy\n" if "copy" in after else ""
    assert fix(before, unsafe=True, without="DET301") == head + after


def test_an_import_goes_to_the_others() -> None:
    source = '"""What it is."""\nfrom __future__ import annotations\nfrom torch import nn\nnet = nn.Linear(2, 1)\nnet.requires_grad_()\nnet.weight += 1\n'
    assert fix(source) == source.replace("from torch", "import torch\nfrom torch").replace("net.weight +=", "with torch.no_grad():\n    net.weight +=")


def test_a_name_that_means_something_else_is_not_used() -> None:
    source = "from torch import nn\nnet = nn.Linear(2, 1)\nnet.requires_grad_()\ndef torch():\n    pass\nnet.weight += 1\n"
    assert fix(source) == source


def test_what_shares_a_line_with_an_edit_stays() -> None:
    out = fix(HEAD + "y = net(x).mean(); y.requires_grad = False; print(y.sum())\n")
    assert out == HEAD + "y = net(x).mean(); y = y.detach(); print(y.sum())\n"


def test_what_is_back_propagated_elsewhere_is_not_detached() -> None:
    """One place of the program stores for two callers: one of them needs the graph."""
    source = (
        HEAD + LOOP.replace("for", "def keep(where, what):\n    where.append(what)\nlogs = []\nfor")
        + "    graph = []\n    loss = net(x).mean()\n    keep(graph, loss)\n    opt.zero_grad()\n"
        + "    sum(graph).backward()\n    opt.step()\n    keep(logs, loss)\n"
    )
    assert "what.detach()" not in fix(source, unsafe=True)


@pytest.mark.parametrize("stubborn", [(), (9,), (12, 13, 14), (20, 50), (6, 69)])
def test_one_edit_that_fails_keeps_no_other_from_being_made(monkeypatch: pytest.MonkeyPatch, stubborn: tuple[int, ...]) -> None:
    """All others of many are made in one run, by far fewer readings than there are edits, though all the lines look alike."""
    tried = []

    def refusing(text: str, edits: list[Edit]) -> str:
        tried.append(len(edits))
        if any(text.splitlines()[change.node.lineno - 1] in said for edit in edits for change in edit.changes if isinstance(change.node, ast.expr)):
            raise Refused
        return applied(text, edits)

    lines = [f"print(net(x), {n in stubborn})" for n in range(64)]
    said = {line for line in lines if "True" in line}
    monkeypatch.setattr(mending, "applied", refusing)
    out = fix(HEAD + "\n".join(lines) + "\n")
    assert out.splitlines()[4:] == [line if line in said else line.replace("net(x)", "net(x).detach()") for line in lines]
    assert len(tried) <= 2 + 12 * len(stubborn)
    assert fix(out) == out


OUTER = HEAD + "def outer():\n    y = net(x).exp()\n    def inner():\n"
UNBOUND = {
    "a tensor of an outer function, written through .data": OUTER + "        y.data += 1\n    inner()\n    return y\n",
    "a tensor of an outer function, written in place": OUTER + "        y.add_(1)\n    inner()\n    y.sum().backward()\nouter()\n",
    "an element of a tensor of an outer function": OUTER + "        y[0] = 1\n    inner()\n    y.sum().backward()\nouter()\n",
    "the flag of a tensor of an outer function": OUTER + "        y.requires_grad = False\n    inner()\nouter()\n",
    "an optimizer made of what the loop binds": HEAD
    + "for n in range(3):\n    rate = 0.1 / (n + 1)\n    opt = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9)\n    opt.zero_grad()\n"
    + "    net(x).mean().backward()\n    opt.step()\n",
    "a call that reads what is bound in between": HEAD + LOOP
    + "    opt.zero_grad()\n    net(x).mean().backward()\n    opt.step()\n    limit = 1.0\n    nn.utils.clip_grad_norm_(net.parameters(), limit)\n",
}


def test_no_fix_leaves_a_name_bound_for_nothing() -> None:
    source = HEAD + LOOP + "    opt.zero_grad()\n    net(x).mean().backward(retain_graph=True)\n    opt.step()\n"
    assert fix(source, unsafe=True, without="DET301") == source.replace("retain_graph=True", "")
    named = source.replace("    net(x)", "    keep = True\n    net(x)").replace("=True)\n    opt", "=keep)\n    opt")
    assert fix(named, unsafe=True, without="DET301") == named


@pytest.mark.parametrize("name", UNBOUND)
def test_no_fix_makes_a_name_unbound(name: str) -> None:
    """What is said of these programs stays said: the edit would bind a name of an outer function, or read one that is not bound yet."""
    assert fix(UNBOUND[name], unsafe=True, without="DET301") == UNBOUND[name]
    assert diagnosed(Text(UNBOUND[name], "utf-8"), View("train.py", lambda _, reports: reports)) != []


def test_an_import_that_is_tried_counts() -> None:
    source = "import copy\ntry:\n    import torch\nexcept ImportError:\n    torch_is_here = False\n" + HEAD.replace("import torch\n", "") + "net.weight += 1\n"
    assert fix(source) == source.replace("net.weight +=", "with torch.no_grad():\n    net.weight +=")


# -- what is kept -----------------------------------------------------------------------------------------------------------------------

MISTAKE = HEAD + "print(net(x))  # said\n"
MENDED = HEAD + "print(net(x).detach())  # said\n"
AWKWARD = "if x is not None:\n\ty = net(x)\n\tprint( y ,\\\n\t\ty)   # \xe9\n\n\x0c\nz = '''\n  kept \t \n'''\n"


def written(tmp_path: Path, data: bytes, *arguments: str) -> bytes:
    """A file after the command."""
    path = tmp_path / "train.py"
    path.write_bytes(data)
    main(["fix", "--isolated", *arguments, str(path)])
    return path.read_bytes()


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1 with a line", "latin-1 without a line"])
@pytest.mark.parametrize("final", ["\n", "", "\n\n\n"], ids=["newline", "no newline", "blank lines"])
def test_bytes_are_kept(tmp_path: Path, end: str, encoding: str, final: str) -> None:
    """Tabs, odd spaces, a form feed, a backslash, an accent, and the end of the file."""
    first = "# -*- coding: latin-1 -*-\n" if encoding.endswith("with a line") else ""
    source = first + HEAD + AWKWARD + "print(net(x))" + final
    expected = source.replace("print(net(x))", "print(net(x).detach())").replace("( y ,\\\n\t\ty)", "( y.detach() ,\\\n\t\ty.detach())")
    codec = encoding.partition(" ")[0]
    assert written(tmp_path, source.replace("\n", end).encode(codec)) == expected.replace("\n", end).encode(codec)


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp932", "# -*- coding: cp932 -*-\n# 表示\nnot_the_end = '能力ソ'\n"),  # the second byte of the last character is a backslash
        ("euc-jp", "# -*- coding: euc-jp -*-\n# 表示\n"),
        ("utf-8-sig", "# coding: utf-8\n# é\n"),
        ("utf-8", "# line separators within a line: \x0b \x1c \x85 \u2028\ns = '''a\rb'''\n# a\r# b\n\x0c\n"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_other_bytes_are_kept(tmp_path: Path, codec: str, text: str, end: str) -> None:
    before = (text + MISTAKE).replace("\n", end).encode(codec)
    assert written(tmp_path, before) == (text + MENDED).replace("\n", end).encode(codec)


def test_mixed_line_ends_are_kept(tmp_path: Path) -> None:
    data = MISTAKE.replace("\n", "\r\n", 2).encode()
    assert written(tmp_path, data) == data.replace(b"print(net(x))", b"print(net(x).detach())")


def test_a_text_that_would_not_be_kept_is_left_alone(tmp_path: Path) -> None:
    data = MISTAKE.replace("\n", "\r").encode()
    assert written(tmp_path, data) == data


@each_fixture
def test_the_fixed_fixture_is_current(path: Path) -> None:
    """After a change that is meant: python tests/fixed.py, and read the diff."""
    assert fixed.target(path).read_text(encoding="utf-8") == fixed.after(path, unsafe=True).text


def test_nothing_else_is_in_the_folder_of_fixed_fixtures() -> None:
    assert {path.name for path in fixed.FIXED.iterdir() if path.suffix == ".py"} == {path.name for path in ALL}


@each_fixture
@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "unsafe"])
def test_a_second_fix_changes_nothing(path: Path, unsafe: bool) -> None:
    once = fixed.after(path, unsafe)
    again = mended(Text(once.text, "utf-8"), fixed.view(path), unsafe)
    assert again.text == once.text


@each_fixture
def test_what_was_fixed_is_found_no_more(path: Path) -> None:
    """Of each code, what is left is what has no fix."""
    found = Counter(one.report.code for one in fixed.findings(path))
    with_edit = Counter(one.report.code for one in fixed.findings(path) if one.edit is not None)
    left = Counter(one.report.code for one in fixed.after(path, unsafe=True).left)
    refused = Counter(one.report.code for one in fixed.after(path, unsafe=True).left if one.edit is not None)
    assert not left - (found - with_edit + refused)


@pytest.mark.parametrize("page", manual.pages(), ids=lambda page: page.code)
def test_the_page_says_how_safe_its_fixes_are(page: manual.Page) -> None:
    """Each of the words safe and unsafe stands there where fixtures have such a fix, none where a finding has no fix whatever it looks like."""
    edits = [one.edit for path in ALL for one in fixed.findings(path) if one.report.code == page.code and one.edit is not None]
    kinds = {"safe" if edit.safe else "unsafe" for edit in edits}
    said = set(re.findall(r"\b(?:un)?safe\b", page.sections["Fix"].lower()))
    assert said == kinds
    assert page.sections["Fix"].startswith("None: ") is (not kinds)


# -- how much is fixed, and what it does ------------------------------------------------------------------------------------------------


def test_the_share_of_findings_with_an_edit(capsys: pytest.CaptureFixture[str]) -> None:
    every = [one for path in ALL for one in fixed.findings(path)]
    edits = [one.edit for one in every if one.edit is not None]
    gone = sum(fixed.after(path, unsafe=True).fixed for path in ALL)
    with capsys.disabled():
        print(f"\nfixtures: {len(edits)} of {len(every)} findings have an edit, {sum(e.safe for e in edits)} a safe one; {gone} are gone after all fixes")
    assert len(edits) >= 0.72 * len(every)
    assert gone >= 0.72 * len(every)


Program = tuple[Path, "str | None"]


@cache
def changed(unsafe: bool) -> tuple[Program, ...]:
    """The scenarios and programs of the fixtures in which a fix is made."""
    out: list[Program] = []
    for path in ALL:
        safe = [one.report for one in fixed.findings(path) if one.edit is not None and (unsafe or one.edit.safe)]
        if safe and path in markers.PROGRAMS:
            out.append((path, None))
        elif safe:
            out += [(path, s.name) for s in markers.scenarios(path) if any(one.line in s.lines for one in safe)]
    return tuple(out)


def fixed_copy(folder: Path, path: Path, unsafe: bool) -> Path:
    copy = folder / path.name
    copy.write_text(fixed.after(path, unsafe).text, encoding="utf-8")
    return copy


def test_no_safe_fix_changes_a_result(tmp_path: Path) -> None:
    """Tensors, gradients and numbers are equal bit for bit, and so is the output but for the text of tensors; an exception may only go away."""
    pytest.importorskip("torch")
    programs = changed(unsafe=False)
    copies = {path: fixed_copy(tmp_path, path, unsafe=False) for path, _ in programs}
    before = outcomes.outcomes([(str(path), name) for path, name in programs])
    again = outcomes.outcomes([(str(path), name) for path, name in programs])
    after = outcomes.outcomes([(str(copies[path]), name) for path, name in programs])
    wrong = []
    for path, name in programs:
        same = outcomes.lasting(before[str(path), name], again[str(path), name])
        difference = outcomes.difference(same, after[str(copies[path]), name], codes(path, name))
        if difference:
            wrong.append((path.stem, name, difference))
    assert wrong == [], "\n".join(map(str, wrong))
    assert len(programs) > 100


def codes(path: Path, scenario: str | None) -> set[str]:
    """What is found in a scenario or program."""
    lines = next((s.lines for s in markers.scenarios(path) if s.name == scenario), None)
    return {one.report.code for one in fixed.findings(path) if lines is None or one.report.line in lines}


def test_what_is_fixed_runs_and_is_clean_for_torch(tmp_path: Path) -> None:
    """The witness sees in a fixed scenario only what the linter still says, or is known to miss."""
    pytest.importorskip("torch")
    copies = {path: fixed_copy(tmp_path, path, unsafe=True) for path, _ in changed(unsafe=True)}
    wrong = []
    for (path, name), witnessed in _witnessed(copies).items():
        allowed = {one.report.code for one in fixed.after(path, unsafe=True).left} | {mark.code for mark in markers.marks(path) if mark.word == "missed"}
        seen = {occurrence.code for occurrence in witnessed.occurrences} - (set(plugin.opt_in_codes()) - {path.stem[:6].upper()})
        if seen - allowed or (witnessed.error and not allowed):
            wrong.append((path.stem, name, seen, witnessed.error[-300:]))
    assert wrong == [], "\n".join(map(str, wrong))


def _witnessed(copies: dict[Path, Path]) -> dict[Program, runtime.Witnessed]:
    programs = changed(unsafe=True)
    names = {path: [name for one, name in programs if one == path and name] for path in copies}
    found = runtime.files({str(copy): names[path] or None for path, copy in copies.items()})
    return {(path, name): found[str(copies[path]), name] for path, name in programs}


# -- what is chosen ---------------------------------------------------------------------------------------------------------------------

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
