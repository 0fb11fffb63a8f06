"""Nesting: every construct of the grammar put into itself, as deep as flake8 itself can follow.

What lives here: the constructs, and the depth at which flake8 without this plugin gives up. What must not: what the analysis makes of them.
"""

from __future__ import annotations

from collections.abc import Callable

from flake8.plugins.pyflakes import FlakesChecker

from trial import TRAINING, parse

DEEPEST = 3000
"""Deeper than anything that Python's parser, with its own bounds (200 parentheses, 100 indentations), and pyflakes follow."""

Construct = Callable[[int], str]


def around(before: str, after: str, core: str = "loss") -> Construct:
    """An expression put into itself, and the result shown."""
    return lambda depth: f"x = {before * depth}{core}{after * depth}\nprint(x)\n"


def blocks(*headers: str, body: str = "total += loss") -> Construct:
    """Headers put below each other, one level of indentation each."""

    def nested(depth: int) -> str:
        lines = [" " * level + headers[level % len(headers)].format(level) for level in range(depth)]
        return "\n".join([*lines, " " * depth + body, ""])

    return nested


def closing(header: str, footer: str) -> Construct:
    """Blocks whose header needs an end: try."""

    def nested(depth: int) -> str:
        head = "".join(" " * level + header + "\n" for level in range(depth))
        tail = "".join(f"{' ' * level}{footer}\n{' ' * level} total += loss\n" for level in reversed(range(depth)))
        return f"{head}{' ' * depth}total += loss\n{tail}"

    return nested


def repeated(first: str, again: str) -> Construct:
    return lambda depth: first + again * depth


CONSTRUCTS: dict[str, Construct] = {
    "method calls": around("", ".relu()"),
    "calls of unknown methods": around("", ".f()"),
    "calls of results": around("", "()", "model"),
    "attributes": around("", ".a"),
    "attributes called": around("", ".a(1)", "model"),
    "subscripts": around("", "[0]"),
    "slices": around("", "[1:2, ...]"),
    "subscripts of methods": around("", ".a[0]"),
    "sums": around("", " + loss"),
    "sums of calls": around("", " + model(loss)"),
    "sums of texts": around("", " + str(loss)", "'a'"),
    "formats": around("", " % loss", "'%s'"),
    "powers": around("loss ** ", ""),
    "negations": around("-", ""),
    "nots": around("not ", ""),
    "conditions": around("loss if step else ", ""),
    "conditions in the test": around("", " if loss else step"),
    "lambdas": around("lambda: ", ""),
    "lambdas called": around("(lambda y: ", ")(loss)"),
    "parentheses with and": around("(loss and ", ")"),
    "parentheses with comparisons": around("(loss < ", ")"),
    "calls": around("model(", ")"),
    "calls of unknowns": around("f(", ")"),
    "torch calls": around("torch.relu(", ")"),
    "prints": around("print(", ")"),
    "keyword calls": around("f(a=", ")"),
    "starred calls": around("f(*", ")"),
    "mapped calls": around("f(**", ")"),
    "lists": around("[", "]"),
    "tuples": around("(", ",)"),
    "sets": around("{", "}"),
    "dicts": around("{'a': ", "}"),
    "dict keys": around("{", ": 1}"),
    "dict unpackings": around("{**", "}"),
    "list unpackings": around("[*", "]"),
    "subscripts in subscripts": around("loss[", "]"),
    "comprehensions": around("[", " for _ in range(2)]"),
    "comprehensions of comprehensions": around("[loss for _ in ", "]"),
    "generators": around("sum(", " for _ in range(2))"),
    "dict comprehensions": around("{1: ", " for _ in range(2)}"),
    "conditions of comprehensions": around("[loss for _ in x if ", "]"),
    "comprehensions' fors": lambda depth: f"x = [loss {'for a in x ' * depth}]\nprint(x)\n",
    "walruses": around("(y := ", ")"),
    "texts side by side": around("", " 'a'", "'a'"),
    "f-strings": around("f'{", "}'"),  # in themselves from Python 3.12 on
    "f-strings' fields": lambda depth: f"print(f'{'{loss}' * depth}')\n",
    "awaits": lambda depth: f"async def f():\n    print({'(await ' * depth}loss{')' * depth})\n",
    "yields": lambda depth: f"def f():\n    print({'(yield ' * depth}loss{')' * depth})\n",
    "targets": lambda depth: f"{'(' * depth}x{',)' * depth} = loss\nprint(x)\n",
    "targets side by side": lambda depth: f"{'x = ' * depth}loss\nprint(x)\n",
    "attribute targets": lambda depth: f"model{'.a' * depth} = loss\nprint(model.a)\n",
    "deletions": lambda depth: f"del {'(' * depth}x{',)' * depth}\n",
    "annotations": lambda depth: f"x: {'list[' * depth}loss{']' * depth} = loss\nprint(x)\n",
    "decorators": lambda depth: "@torch.no_grad()\n" * depth + "def f():\n    return loss\nprint(f())\n",
    "decorators' calls": lambda depth: f"@{'f(' * depth}loss{')' * depth}\ndef g():\n    return loss\nprint(g())\n",
    "defaults": lambda depth: f"def f(a={'[' * depth}loss{']' * depth}):\n    print(a)\nf()\n",
    "bases": lambda depth: f"class A({'f(' * depth}loss{')' * depth}):\n    pass\nA()\n",
    "packages": lambda depth: f"import a{'.a' * depth}\nprint(a{'.a' * depth}(loss))\n",
    "patterns": lambda depth: f"match loss:\n    case {'[' * depth}x{']' * depth}:\n        print(x)\n",
    "class patterns": lambda depth: f"match loss:\n    case {'A(' * depth}x{')' * depth}:\n        print(x)\n",
    "alternatives": lambda depth: f"match step:\n    case 0{''.join(f' | {n}' for n in range(depth))}:\n        print(loss)\n",
    "ifs": blocks("if step > {}:"),
    "fors": blocks("for i{} in range(2):"),
    "fors over tensors": blocks("for i{} in loss:"),
    "whiles": blocks("while step > {}:"),
    "withs": blocks("with torch.no_grad() as c{}:"),
    "functions": blocks("def f{}():"),
    "async functions": blocks("async def f{}():", "async for i{} in loss:", "async with loss as c{}:"),
    "classes": blocks("class C{}:"),
    "modules": blocks("class C{}(torch.nn.Module):", "def forward(self, x=loss):"),
    "tries": closing("try:", "except E:"),
    "finallies": closing("try:", "finally:"),
    "matches": blocks("match loss:", "case x{}:"),
    "everything": blocks("if step > {}:", "for i{} in range(2):", "while step > {}:", "with torch.no_grad() as c{}:", "def f{}():", "class C{}:"),
    "elifs": repeated("if step == 0:\n    total += loss\n", "elif step == 1:\n    total += loss\n"),
    "elses": lambda depth: "".join(f"{' ' * n}if step:\n{' ' * n} total += loss\n{' ' * n}else:\n" for n in range(depth)) + " " * depth + "print(loss)\n",
    "loops one after another": repeated("", "for i in range(3):\n    total = total + loss\n"),
    "calls down a chain of functions": lambda depth: "".join(f"def f{n}(x):\n    return f{n + 1}(x) + x\n" for n in range(depth)) + "print(f0(loss))\n",
    "classes down a chain of bases": lambda depth: "class A0(torch.nn.Module): pass\n"
    + "".join(f"class A{n + 1}(A{n}): pass\n" for n in range(depth))
    + f"print(A{depth}()(loss).numpy())\n",
    "closures down a chain": lambda depth: "f0 = lambda: loss\n" + "".join(f"f{n + 1} = lambda: f{n}()\n" for n in range(depth)) + f"print(f{depth}())\n",
    "values out of values": lambda depth: "".join(f"x{n + 1} = x{n} * 2\n" for n in range(depth)) + f"print(x{depth}.numpy())\n",
    "containers in containers": lambda depth: "x = [loss]\n" + "x = [x]\n" * depth + "print(x)\n",
}


def program(name: str, depth: int) -> str:
    return TRAINING + ("x0 = loss\n" if name == "values out of values" else "") + CONSTRUCTS[name](depth)


def flake8_follows(text: str) -> bool:
    """Whether this Python's parser and flake8's own plugin for syntax trees get through a text."""
    tree = parse(text)
    if tree is None:
        return False
    try:
        list(FlakesChecker(tree, "program.py").run())
    except RecursionError:
        return False
    return True


def depths(name: str, deepest: int) -> list[int]:
    """Growing depths of a construct, the last being the deepest that flake8 follows, or `deepest`."""
    low, high = 1, deepest
    if flake8_follows(program(name, high)):
        low = high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if flake8_follows(program(name, middle)) else (low, middle)
    return sorted({max(1, low // part) for part in (16, 4, 2, 1)})
