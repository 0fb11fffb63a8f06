"""Fixes: what each edit writes, that nothing else changes, and that safe fixes change no result under real torch.

What lives here: what is written into a program. What must not: what the command chooses and says (test_fix_command), or which code a program
deserves, which is the fixtures' matter.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import fixed
import outcomes
import pytest
from fix_trials import HEAD, LOOP, MENDED, MISTAKE, fix, written
from fixed import ALL

import markers
from flake8_detach import manual, plugin, runtime
from flake8_detach.edits.expressions import Refused
from flake8_detach.fixing import mending
from flake8_detach.fixing.changes import applied
from flake8_detach.fixing.mending import View, diagnosed, mended
from flake8_detach.fixing.source import Text
from flake8_detach.rule import Edit

each_fixture = pytest.mark.parametrize("path", ALL, ids=[path.stem for path in ALL])

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

AWKWARD = "if x is not None:\n\ty = net(x)\n\tprint( y ,\\\n\t\ty)   # \xe9\n\n\x0c\nz = '''\n  kept \t \n'''\n"


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
