"""The analysis never raises, stays fast, and reports only places that exist, whatever it is given.

What lives here: programs that nobody would write, and all of the standard library. What must not: which finding a program deserves.
`DETACH_ROBUSTNESS=all` reads every file of the standard library and many more mutations; the default is a sample.
"""

from __future__ import annotations

import ast
import io
import os
import random
import re
import subprocess
import sys
import sysconfig
import time
import tokenize
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flake8_detach import analysis
from flake8_detach.analysis import Report

from trial import SECONDS_PER_FILE, TRAINING, try_text

ROOT = Path(__file__).parent.parent
ALL = os.environ.get("DETACH_ROBUSTNESS") == "all"
PROGRAMS = sorted((ROOT / "fixtures").rglob("*.py"))


def check(source: str) -> tuple[list[Report], float]:
    """The reports, checked to be well formed, and the seconds they took. What Python cannot parse is flake8's matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    lines = list(io.StringIO(source, newline=None))
    start = time.process_time()
    reports = analysis.check(tree, lines, "program.py")
    seconds = time.process_time() - start
    for line, column, code, text in reports:
        assert 1 <= line <= len(lines)
        assert 0 <= column <= len(lines[line - 1])
        assert re.fullmatch(r"DET[1-9][0-9]{2}", code)
        assert text.strip()
        assert text.encode().decode().isprintable()
    return reports, seconds


def parses(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def standard_library() -> list[Path]:
    """Every file, or every fortieth, of the standard library; its own tests of broken syntax are left out by `parses`."""
    root = Path(sysconfig.get_path("stdlib"))
    files = sorted(path for path in root.rglob("*.py") if "site-packages" not in path.parts and "dist-packages" not in path.parts)
    return files if ALL else files[::40]


def test_the_gate_opener_opens_the_gate() -> None:
    """Or this whole file would test nothing."""
    assert {report.code for report in check(TRAINING)[0]} >= {"DET101", "DET102", "DET201"}


def test_standard_library() -> None:
    """Read as it is, and again as if it trained a model; every name of it is unknown to the analysis."""
    for path in standard_library():
        source = path.read_text(encoding="utf-8", errors="replace")
        if not parses(source):
            continue
        assert check(source)[0] == [], path
        assert check(source + TRAINING)[1] < SECONDS_PER_FILE, path


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_truncated(path: Path) -> None:
    """A file cut off after any line, as an editor shows it while it is being typed."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    step = 1 if ALL else max(1, len(lines) // 12)
    for end in range(0, len(lines), step):
        source = "".join(lines[:end])
        for tail in ("", "        pass\n"):
            if parses(source + tail):
                check(source + tail)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_mutated(path: Path) -> None:
    """Tokens dropped, doubled, swapped and replaced at random, by a seed of the file's name."""
    chance = random.Random(path.stem)
    tokens = list(tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline))
    tried = 0
    for _ in range(1200 if ALL else 120):
        source = mutation(tokens, chance)
        if parses(source):
            check(source)
            tried += 1
        if tried == (100 if ALL else 6):
            break
    assert tried


def mutation(tokens: list[tokenize.TokenInfo], chance: random.Random) -> str:
    """One to four of the tokens that carry meaning changed; the layout is kept."""
    words = [(token.type, token.string) for token in tokens]
    meaning = [at for at, (kind, _) in enumerate(words) if kind in (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP)]
    for _ in range(chance.randint(1, 4)):
        at, other = chance.choice(meaning), chance.choice(meaning)
        change = chance.choice(["drop", "double", "swap", "replace", "replace"])
        if change == "drop":
            words[at] = (words[at][0], "")
        elif change == "double":
            words[at] = (words[at][0], f"{words[at][1]} {words[at][1]}")
        elif change == "swap":
            words[at], words[other] = words[other], words[at]
        else:
            same_sort = [place for place in meaning if words[place][0] == words[at][0]]
            words[at] = words[chance.choice(same_sort)]
    return tokenize.untokenize(words)


def nested_blocks(depth: int, opening: str) -> str:
    return "".join(f"{' ' * level}{opening.format(level)}\n" for level in range(depth)) + f"{' ' * depth}loss = model(torch.ones(2))\n"


def fan_out(depth: int) -> str:
    """Each function calls the next twice: read naively, two to the power of the depth."""
    calls = "".join(f"def f{level}(x):\n    return f{level + 1}(x) + f{level + 1}(x * 2)\n" for level in range(depth))
    return f"{calls}def f{depth}(x):\n    return model(x)\nloss = f0(torch.ones(2))\nprint(loss)\n"


def grammar(count: int) -> str:
    """A parser by hand: every function calls several of the others, in loops, and hands on what they return."""
    rules = []
    for number in range(count):
        calls = [(number * step + 1) % count for step in (1, 2, 3, 5)]
        body = "".join(f"        token, value = g{call}(value)\n        found.append(token)\n" for call in calls)
        rules.append(f"def g{number}(value):\n    found = []\n    while value:\n{body}    return found, value\n")
    return "".join(rules) + "print(g0(model(torch.ones(2))))\n"


def branches(count: int) -> str:
    """One path after another forks: read path by path, two to the power of the count."""
    fork = "    if step % {0}:\n        v{0} = model(torch.ones(2))\n        total = total + v{0}\n"
    forks = "".join(fork.format(number) for number in range(2, count + 2))
    return f"total = 0\nfor step in range(3):\n{forks}    print(total)\n"


EXTREMES: dict[str, Callable[[], str]] = {
    "chain of calls": lambda: "x = model(torch.ones(2))" + ".relu()" * 160 + "\nprint(x)\n",
    "a call of many arguments": lambda: "print(" + "loss * 2, " * 3000 + ")\n",
    "chain of attributes": lambda: "x = model" + ".a" * 160 + "(1)\n",
    "chain of subscripts": lambda: "x = model(1)" + "[0]" * 160 + "\nprint(x)\n",
    "sum of terms": lambda: "x = " + " + ".join(["model(torch.ones(2))"] * 160) + "\nprint(x)\n",
    "conditions": lambda: "x = " + " if step else ".join(["loss"] * 90) + "\nprint(x)\n",
    "comparisons": lambda: "x = " + " < ".join(["loss"] * 500) + "\n",
    "nested calls": lambda: "x = " + "model(" * 80 + "1" + ")" * 80 + "\nprint(x)\n",
    "nested lists": lambda: "x = " + "[" * 90 + "loss" + "]" * 90 + "\nprint(x)\n",
    "nested lambdas": lambda: "x = " + "(lambda y: " * 80 + "loss" + ")" * 80 + "\nprint(x)\n",
    "nested comprehensions": lambda: "x = " + "[" * 60 + "loss" + " for _ in range(2)]" * 60 + "\nprint(x)\n",
    "nested ifs": lambda: nested_blocks(90, "if step > {}:"),
    "nested loops": lambda: nested_blocks(19, "for i{} in range(2):"),
    "nested whiles": lambda: nested_blocks(19, "while step > {}:"),
    "nested withs": lambda: nested_blocks(19, "with torch.no_grad() as c{}:"),
    "nested functions": lambda: nested_blocks(60, "def f{}():"),
    "nested classes": lambda: nested_blocks(60, "class C{}:"),
    "nested tries": lambda: "".join(f"{' ' * level}try:\n" for level in range(19))
    + " " * 19
    + "print(loss)\n"
    + "".join(f"{' ' * level}except E{level}:\n{' ' * level} total += loss\n" for level in reversed(range(19))),
    "elif chain": lambda: "if step == 0:\n    pass\n" + "".join(f"elif step == {n}:\n    total += loss\n" for n in range(1, 200)),
    "match arms": lambda: "match step:\n" + "".join(f"    case {n}:\n        total += loss\n" for n in range(200)),
    "forking paths": lambda: branches(60),
    "calls that double": lambda: fan_out(25),
    "calls in a circle": lambda: grammar(40),
    "recursion": lambda: "def f(x):\n    return f(x) if x else g(x)\ndef g(x):\n    return f(f(g(x)))\nprint(f(loss))\n",
    "a class of itself": lambda: "class A(A):\n    def f(self):\n        self.a = self\n        return self.f().a.f()\nprint(A().f())\n",
    "a loop through names": lambda: "a = b = c = loss\nwhile a:\n    a, b, c = b + a, c + b, a * c\n    print(a)\n",
    "a container of itself": lambda: "x = []\nfor _ in range(3):\n    x.append(x)\n    x[0] = x\n    x = [x, loss]\nprint(x)\n",
    "star of stars": lambda: "def f(*a, **k):\n    return f(*a, *a, **k, **k)\nprint(f(*[loss], **{'a': loss}))\n",
    "a large table": lambda: "x = {" + ", ".join(f"'k{n}': {n}" for n in range(5000)) + "}\nprint(x)\n",
    "many statements": lambda: "".join(f"x{n} = model(torch.ones({n}))\n" for n in range(3000)) + "print(x7)\n",
    "many functions": lambda: "".join(f"def f{n}(x):\n    y = x + {n}\n    print(y)\n    return y\n" for n in range(1000)),
    "many loops": lambda: "".join(f"for i in range({n}):\n    total = total + loss\n" for n in range(300)),
}


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes(name: str) -> None:
    _, seconds = check(TRAINING + EXTREMES[name]())
    assert seconds < SECONDS_PER_FILE


def test_extremes_hide_nothing_else() -> None:
    """An extreme place may be given up on, but not the file: what stands before it is reported as ever."""
    usual = {(report.line, report.code) for report in check(TRAINING)[0]}
    lost = {name: usual - {(report.line, report.code) for report in check(TRAINING + extreme())[0]} for name, extreme in EXTREMES.items()}
    assert {name: places for name, places in lost.items() if places} == {}


HUGE = "0x" + "f" * 4000
"""More than the 4,300 decimal digits that Python writes out by itself."""

ODD_SOURCES = {
    "empty": "",
    "only a comment": "# torch\n",
    "only a docstring": "\"\"\"import torch\"\"\"\n",
    "star import": "from torch import *\nfrom torch.nn import *\nx = Linear(2, 1)(ones(2))\nprint(x.numpy())\n",
    "return at the top": "import torch\nreturn torch.ones(1)\n",
    "break at the top": "import torch\nbreak\ncontinue\nyield torch\nawait torch\n",
    "assignments to odd targets": (
        "import torch\n"
        "(a, *b), [c, (d,)] = torch.ones(2), torch.ones(2)\n"
        "a.b[c:d, ..., None].e = a\n"
        "del a.b, c[0], (d, b)\n"
    ),
    "odd decorators": "import torch\n@(lambda f: f)\n@torch.no_grad()(torch)\n@torch[0]\nclass A(*torch, metaclass=torch, **torch): pass\n",
    "positional only and defaults": (
        "import torch\n"
        "def f(a, /, b=torch.ones(1), *c, d: torch.Tensor = 1, **e) -> torch: return a, b, c, d, e\n"
        "f()\n"
        "f(1, 2, 3, d=4, z=5)\n"
    ),
    "wrong calls": "import torch\ntorch.ones()\nprint(*1, **2)\ntorch.nn.Linear()()()\ntorch.no_grad(1)(2)(3)\n(1)(2)\n'a'()\nNone()\n",
    "formats": (
        "import torch\n"
        "x = torch.ones(1)\n"
        "f'{x!r:{x}.{f\"{x}\"}} {{}} {x=}'\n"
        "'%s %(a)s %' % x\n"
        "'{} {0} {a.b[c]!r:{}}'.format(x)\n"
        "'{'.format(x)\n"
    ),
    "async": (
        "import torch\n"
        "async def f():\n"
        "    async with torch as t, t:\n"
        "        async for i in t:\n"
        "            yield [await j async for j in i]\n"
    ),
    "methods that are no functions": (
        "import torch\nclass A:\n    __init__ = f()\n    __call__ = torch\n"  # a call gives the first, a library the second
        "A()()\nA.__call__ = A()\nprint(A()())\n"
    ),
    "walrus everywhere": "import torch\nif (a := torch.ones(1)) and [b := a for _ in a] and (lambda: (c := b))():\n    print(a, b)\n",
    "globals": "import torch\ndef f():\n    global a\n    def g():\n        nonlocal b\n        a = b\n    b = a\n    g()\nf()\n",
    "try in a loop": (
        "import torch\n"
        "while 1:\n"
        "    try:\n"
        "        break\n"
        "    except* E as e:\n"
        "        pass\n"
        "    else:\n"
        "        x = 1\n"
        "    finally:\n"
        "        del x\n"
    ),
    "match": (
        "import torch\n"
        "match torch.ones(1):\n"
        "    case [a, *_, {'k': b, **c}] | torch.Size(d, e=1) as f if f:\n"
        "        print(f)\n"
        "    case None | 1 | 'a' | -1j:\n"
        "        pass\n"
    ),
    "shadowed": "import torch\ntorch = None\nprint = int = float = range = len = super = torch\nprint(float(int(range(len(super())))))\n",
    "surrogates and wide characters": "import torch\nx = torch.ones(1, requires_grad=True); '😀\\ud800'; print('é😀', x.numpy())\n",
    "an integer that Python does not write out": (
        "import torch\n"
        f"w = torch.ones({HUGE}, requires_grad=True)\n"
        f"print(w.numpy(), w[{HUGE}].numpy(), [w][{HUGE}], {{{HUGE}: w}}[{HUGE}].numpy(), torch.tensor(w, device=w[{HUGE}].device))\n"
        f"for i in range({HUGE}):\n"
        f"    w.sum().backward()\n"
        f"    if i % {HUGE} == 0:\n"
        f"        torch.optim.SGD([w], lr={HUGE}).step()\n"
        f"@f({HUGE})\n"
        "def f(): pass\n"
        f"@f({HUGE})\n"
        "class A: pass\n"
    ),
    "texts of lone surrogates and line ends": (
        "import torch\n"
        "f(f'\\n\\ud800{1}')(requires_grad=True).numpy()\n"
        "w = torch.ones(f'\\n{1}', requires_grad=True)\n"
        "w.numpy()\n"
        "v = torch.ones(f\"\"\"\n'{1}\"\"\", requires_grad=True)\n"
        "v.numpy()\n"
        "u = torch.ones('\\ud800', requires_grad=True)\n"
        "u.numpy()\n"
    ),
    "a Sequential around itself": (
        "import torch\nfrom torch import nn\nclass Net(nn.Module):\n    def __init__(self, blocks):\n        super().__init__()\n"
        "        self.layer = nn.Sequential(nn.Linear(2, 2))\n        for i in range(3):\n            self.layer = nn.Sequential(self.layer, nn.ReLU())\n"
        "    def forward(self, x):\n        return self.layer(x)\nprint(Net(1)(torch.ones(2)))\n"
    ),
    "line separators in strings": "import torch\nx = torch.ones(1, requires_grad=True)\n'''\u2028\x0c\x1c\x85'''; x.numpy()\n",
}


@pytest.mark.parametrize("name", ODD_SOURCES)
def test_odd_sources(name: str) -> None:
    if parses(ODD_SOURCES[name]):
        check(ODD_SOURCES[name])


def copies(number: int) -> str:
    """A file of so many training functions, each with its own names."""
    body = TRAINING.replace("import torch\n", "").replace("\n", "\n    ")
    return "import torch\n" + "".join(f"def train{n}():{body}\n" for n in range(number))


def seconds_for(number: int) -> float:
    return min(check(copies(number))[1] for _ in range(3))


def test_time_is_linear() -> None:
    """Eight times the file takes about eight times as long; double that would mean a hidden square."""
    assert seconds_for(320) < 16 * seconds_for(40)


def seconds_for_a_line(findings: int) -> float:
    """One line with so many findings, its columns not those of its bytes."""
    text = "import torch\nw = torch.ones(3, requires_grad=True)\n'ä'; " + "w.numpy(); " * findings + "\n"
    reports, seconds = check(text)
    assert len(reports) == findings
    assert reports[-1][:2] == (3, len("'ä'; ") + len("w.numpy(); ") * (findings - 1))
    return seconds


def test_time_is_linear_in_the_findings_of_a_line() -> None:
    """A column counted from the line's beginning for each would make it square: 40 seconds for a line of a megabyte."""
    assert seconds_for_a_line(24_000) < 16 * min(seconds_for_a_line(3000) for _ in range(2))


def seconds_at_the_gate(blank_lines: int) -> float:
    text = "# torch\n" + " \n" * blank_lines + "x.zero_grad()\n"
    start = time.process_time()
    assert analysis.may_fire(text) is False
    return time.process_time() - start


def test_blank_lines_pass_the_gate() -> None:
    """100,000 of them; each line's search for an import must end with the line."""
    assert seconds_at_the_gate(100_000) < 1


def loops_in_a_row(number: int) -> float:
    text = TRAINING + "for i in range(3):\n    total = total + loss\n" * number
    return min(check(text)[1] for _ in range(3))


def test_time_is_linear_in_loops_over_one_total() -> None:
    """A total that went through a thousand loops is no dearer than one that went through a hundred."""
    assert loops_in_a_row(1200) < 16 * loops_in_a_row(150)


SEVERAL_NAMES = """
import sys
import numpy as np
from torch import nn
kind = torch.long if len(sys.argv) > 1 else torch.float32
weights = torch.zeros(3, dtype=kind, requires_grad=True)
print(weights.numpy())
def show(x):
    if isinstance(x, torch.Tensor if len(sys.argv) > 2 else np.ndarray):
        return
    print(x.numpy())
show(torch.ones(3, requires_grad=True))
wrap = staticmethod if len(sys.argv) > 3 else property
Kind = nn.Module if len(sys.argv) > 3 else float
class Model(nn.Module):
    @wrap
    def scale(self):
        return torch.ones(3, requires_grad=True)
    def forward(self, x: Kind):
        return x
def train(model: Kind, data):
    loss = model(data)
    loss.backward()
    return loss.numpy()
def use(model: Model):
    print(model.scale.numpy())
    print(model.scale().numpy())
"""
"""Names of which each may be one of two: a set of them has no order that is the same in every run."""


def test_same_answer_under_every_hash_seed() -> None:
    program = f"import ast; from flake8_detach import analysis; t = {TRAINING + SEVERAL_NAMES!r}; "
    program += "print(analysis.check(ast.parse(t), t.splitlines(True), 'program.py'))"
    seeds = [os.environ | {"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)} for seed in range(6)]
    told = [subprocess.run([sys.executable, "-c", program], env=seed, capture_output=True, check=True).stdout for seed in seeds]
    assert b"DET" in told[0]
    assert set(told) == {told[0]}


def test_what_other_plugins_hang_on_the_tree() -> None:
    """flake8 gives all plugins one tree; pyflakes and others put parents on its nodes, some of which Python shares among all trees."""
    text = TRAINING + "def f(model):\n    print(model.a.b(torch.ones(2)).numpy())\ndef g(model):\n    model.eval()\n    return f(model)\n"
    plain, _ = check(text)
    verdict = try_text(text)  # which hangs them there
    assert verdict.failure == ""
    assert list(verdict.reports) == plain


def everything() -> Iterator[str]:
    yield from ODD_SOURCES.values()
    yield from (TRAINING + extreme() for extreme in EXTREMES.values())


def test_same_answer_twice() -> None:
    """Nothing is remembered from one file to the next."""
    sources = [source for source in everything() if parses(source)]
    assert [check(source)[0] for source in sources] == [check(source)[0] for source in reversed(sources)][::-1]
