"""Programs of any size along one axis each: what time and memory must not explode over.

Here: generators of source text, and the table of the axes with the sizes they are measured at. Not here: measuring (growth), or what a program
deserves to be told. Every program starts with `TRAINING`, so that the gate opens and the rules have something to ask about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

TRAINING = """
import torch
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
total = 0
for step in range(3):
    loss = model(torch.ones(2)).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    total += loss
    print(loss, loss.numpy())
"""


class Axis(NamedTuple):
    """One way to grow: the program of a size, without `TRAINING`, and the sizes to measure."""

    name: str
    build: Callable[[int], str]
    sizes: tuple[int, ...]

    def program(self, size: int) -> str:
        return TRAINING + self.build(size)


LINES = (1000, 2000, 5000, 10_000, 20_000, 50_000)
MANY = (125, 250, 500, 1000, 2000)
FEW = (15, 30, 60, 120)
DEEP = (5, 10, 15, 19)
"""CPython compiles at most 20 blocks inside each other."""
CLOSED = (20, 40, 80, 160)
"""CPython's parser takes at most 200 open brackets; pyflakes, which flake8 runs anyway, ends in a RecursionError at somewhat longer chains."""
INDENTED = (12, 24, 48, 96)
"""CPython's tokenizer takes at most 100 levels of indentation."""


# -- length -----------------------------------------------------------------------------------------------------------------------------


def training_functions(lines: int) -> str:
    """Each function trains its own model."""
    body = TRAINING.replace("import torch\n", "").replace("\n", "\n    ").rstrip(" ")
    return "".join(f"def train{n}():{body}\n" for n in range(lines // (body.count("\n") + 2)))


def training_script(lines: int) -> str:
    """One model after the other is trained by the module body."""
    body = TRAINING.replace("\nimport torch\n", "")
    for name in ("model", "optimizer", "total"):
        body = body.replace(name, name + "{0}")
    return "".join(body.format(n) for n in range(lines // body.count("\n")))


def adversaries(lines: int) -> str:
    """Each function trains two networks against each other, and back-propagates into the generator in vain."""
    text = (
        "def train{0}():\n"
        "    made, judge = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)\n"
        "    first = torch.optim.SGD(made.parameters(), lr=0.1)\n"
        "    second = torch.optim.SGD(judge.parameters(), lr=0.1)\n"
        "    for step in range(3):\n"
        "        second.zero_grad()\n"
        "        judge(made(torch.ones(4, 2))).mean().backward()\n"
        "        second.step()\n"
        "        first.zero_grad()\n"
        "        (-judge(made(torch.ones(4, 2))).mean()).backward()\n"
        "        first.step()\n"
    )
    return "".join(text.format(n) for n in range(lines // text.count("\n")))


def module_classes(lines: int) -> str:
    """Each class is a module of two layers; each but the first holds one of the class before it."""
    text = (
        "class Net{0}(torch.nn.Module):\n"
        "    def __init__(self, width=8):\n"
        "        super().__init__()\n"
        "        self.inner = {1}\n"
        "        self.layer = torch.nn.Linear(width, width)\n"
        "        self.hidden = None\n"
        "    def forward(self, x):\n"
        "        self.hidden = self.inner(x)\n"
        "        x = torch.relu(self.layer(self.hidden))\n"
        "        return x + self.hidden\n"
    )
    return "".join(text.format(n, f"Net{n - 1}(width)" if n % 10 else "torch.nn.Linear(width, width)") for n in range(lines // 10))


def statements(lines: int) -> str:
    """No function at all: a notebook that was saved as a script."""
    four = "x{0} = model(torch.ones({0}))\ny{0} = x{0} * 2 + {0}\nseen = [y{0}, 'x{0}']\nprint(len(seen))\n"
    return "".join(four.format(n) for n in range(lines // 4))


def running_statements(lines: int) -> str:
    """Every statement needs the one before it, so that the history of the last value holds the whole file."""
    return "x = model(torch.ones(2))\n" + "x = x * 2 + loss\n" * lines + "print(x)\n"


def blank_lines(lines: int) -> str:
    return "\n" * lines + "print(loss)\n"


def comments(lines: int) -> str:
    return "# from here on nothing but import torch\n" * lines + "print(loss)\n"


def plain_functions(lines: int) -> str:
    """Code that has nothing to do with torch, in a file that has."""
    text = (
        "def read{0}(path, limit={0}):\n"
        "    rows = []\n"
        "    for line in open(path):\n"
        "        if len(rows) < limit:\n"
        "            rows.append(line.split())\n"
        "    return rows\n"
    )
    return "".join(text.format(n) for n in range(lines // 6))


# -- blocks -----------------------------------------------------------------------------------------------------------------------------


def nested_blocks(depth: int, opening: str) -> str:
    """`opening` once on every level, a loss computed on the last."""
    return "".join(f"{' ' * level}{opening.format(level)}\n" for level in range(depth)) + f"{' ' * depth}loss = model(torch.ones(2))\n"


def rotating_loops(depth: int) -> str:
    """On every level the loops hand variables around, so that one pass over a body never is enough."""
    loop = "{0}for i{1} in range(2):\n{0} a{1}, b, c = b, c, a{2} + loss\n"
    loops_in_loops = "".join(loop.format(" " * level, level, max(level - 1, 0)) for level in range(depth))
    return f"a0 = b = c = 0\n{loops_in_loops}{' ' * depth}total += a{depth - 1} + b\nprint(total)\n"


def nested_tries(depth: int) -> str:
    tries = "".join(f"{' ' * level}try:\n" for level in range(depth))
    handlers = "".join(f"{' ' * level}except E{level}:\n{' ' * level} total += loss\n" for level in reversed(range(depth)))
    return f"{tries}{' ' * depth}print(loss)\n{handlers}"


def nested_branches(depth: int) -> str:
    """Both arms go on, each with its own value of a variable."""
    down = "".join(f"{' ' * level}if step > {level}:\n{' ' * level} x{level} = loss\n" for level in range(depth))
    up = "".join(f"{' ' * level}else:\n{' ' * level} x{level} = total\n" for level in reversed(range(depth)))
    return f"{down}{' ' * depth}pass\n{up}print(x0)\n"


def forks(count: int) -> str:
    """One path after another forks: read path by path, two to the power of the count."""
    fork = "    if step % {0}:\n        v{0} = model(torch.ones(2))\n        total = total + v{0}\n"
    return "total = 0\nfor step in range(3):\n" + "".join(fork.format(number) for number in range(2, count + 2)) + "    print(total)\n"


def forks_of_one_variable(count: int) -> str:
    """Each arm gives the same variable another value made from it."""
    fork = "if step % {0}:\n    x = x * {0}\nelse:\n    x = x + loss\n"
    return "x = model(torch.ones(2))\n" + "".join(fork.format(number) for number in range(2, count + 2)) + "print(x)\n"


def early_returns(count: int) -> str:
    exits = "".join(f"    if x == {n}:\n        return model(x) + {n}\n" for n in range(count))
    return f"def f(x):\n{exits}    return x\nprint(f(loss))\n"


def early_continues(count: int) -> str:
    exits = "".join(f"    if x == {n}:\n        total += loss\n        {'break' if n % 2 else 'continue'}\n" for n in range(count))
    return f"for x in range(9):\n{exits}    print(total)\n"


def tries(count: int) -> str:
    return "".join(f"try:\n    x{n} = model(torch.ones({n}))\nexcept E{n}:\n    x{n} = None\nfinally:\n    total = total + loss\n" for n in range(count))


def withs(count: int) -> str:
    return "".join(f"with torch.set_grad_enabled(step > {n}) as c{n}:\n    x{n} = model(torch.ones(2))\n" for n in range(count))


def elifs(count: int) -> str:
    return "if step == 0:\n    pass\n" + "".join(f"elif step == {n}:\n    total += loss\n" for n in range(1, count))


def cases(count: int) -> str:
    return "match step:\n" + "".join(f"    case {n}:\n        total += loss\n" for n in range(count))


def loops(count: int) -> str:
    return "".join(f"for i in range({n}):\n    total = total + loss\n" for n in range(count))


def joined_variables(count: int) -> str:
    """A loop moves each of its variables to the next: what the first holds reaches the last only in the last pass."""
    moves = "".join(f"    v{n} = v{n - 1}\n" for n in reversed(range(1, count)))
    return f"{'v' + ' = v'.join(map(str, range(count)))} = None\nwhile step:\n{moves}    v0 = model(torch.ones(2))\nprint(v{count - 1})\n"


def mixed_variables(count: int) -> str:
    """In each pass each variable takes something from two others."""
    mixes = "".join(f"    v{n} = v{(n * 7 + 1) % count} + v{(n * 3 + 2) % count}\n" for n in range(count))
    return f"{'v' + ' = v'.join(map(str, range(count)))} = loss\nfor step in range(9):\n{mixes}print(v0)\n"


# -- functions --------------------------------------------------------------------------------------------------------------------------


def call_chain(count: int) -> str:
    calls = "".join(f"def f{n}(x):\n    return f{n + 1}(x * 2)\n" for n in range(count))
    return f"{calls}def f{count}(x):\n    return model(x)\nprint(f0(loss))\n"


def call_chain_backwards(count: int) -> str:
    """Each function calls the one defined before it."""
    calls = "".join(f"def f{n}(x):\n    return f{n - 1}(x * 2)\n" for n in range(1, count + 1))
    return f"def f0(x):\n    return model(x)\n{calls}print(f{count}(loss))\n"


def calls_that_double(count: int) -> str:
    """Each function calls the next twice: read naively, two to the power of the count."""
    calls = "".join(f"def f{n}(x):\n    return f{n + 1}(x) + f{n + 1}(x * 2)\n" for n in range(count))
    return f"{calls}def f{count}(x):\n    return model(x)\nprint(f0(torch.ones(2)))\n"


def calls_of_the_two_next(count: int) -> str:
    """As many paths as Fibonacci's numbers, each with its own argument."""
    calls = "".join(f"def f{n}(x):\n    print(x)\n    return f{n + 1}(x + {n}) * f{n + 2}([x])\n" for n in range(count))
    return f"{calls}def f{count}(x):\n    return model(x)\ndef f{count + 1}(x):\n    return x\nprint(f0(torch.ones(2)))\n"


def loops_through_calls(count: int) -> str:
    """Each function calls the next in a loop: loops in loops, as deep as calls are followed."""
    calls = "".join(f"def f{n}(x):\n    for i in range(3):\n        x = f{n + 1}(x) + x\n    return x\n" for n in range(count))
    return f"{calls}def f{count}(x):\n    return model(x)\nprint(f0(loss))\n"


def branches_through_calls(count: int) -> str:
    calls = "".join(f"def f{n}(x):\n    if step > {n}:\n        return f{n + 1}(x)\n    return f{n + 1}(x * 2)\n" for n in range(count))
    return f"{calls}def f{count}(x):\n    return model(x)\nprint(f0(loss))\n"


def calls_in_a_circle(count: int) -> str:
    """A parser by hand: every function calls several of the others, in loops, and hands on what they return."""
    rules = []
    for number in range(count):
        calls = [(number * step + 1) % count for step in (1, 2, 3, 5)]
        body = "".join(f"        token, value = g{call}(value)\n        found.append(token)\n" for call in calls)
        rules.append(f"def g{number}(value):\n    found = []\n    while value:\n{body}    return found, value\n")
    return "".join(rules) + "print(g0(model(torch.ones(2))))\n"


def mutual_recursion(count: int) -> str:
    """Each function calls itself, the one before and the one after."""
    text = "def f{0}(x):\n    if x:\n        return f{1}(x)\n    return f{2}(f{0}(x * 2))\n"
    return "".join(text.format(n, (n - 1) % count, (n + 1) % count) for n in range(count)) + "print(f0(loss))\n"


def callers_of_one(count: int) -> str:
    """One function of thirty statements, called from everywhere with its own argument."""
    body = "".join(f"    y = y + model(x) * {n}\n" for n in range(30))
    return f"def f(x):\n    y = x\n{body}    return y\n" + "".join(f"def g{n}(x):\n    return f(model(torch.ones({n})))\n" for n in range(count))


def nested_functions(depth: int) -> str:
    opening = "".join(f"{' ' * level}def f{level}(x{level}):\n" for level in range(depth))
    calls = "".join(f"{' ' * level}f{level}(x{level - 1})\n" for level in reversed(range(1, depth)))
    return f"{opening}{' ' * depth}print({', '.join(f'x{level}' for level in range(depth))})\n{calls}f0(loss)\n"


def decorators(count: int) -> str:
    wrap = "def wrap(f):\n    def inner(*a, **k):\n        return f(*a, **k)\n    return inner\n"
    return wrap + "@wrap\n" * count + "def f(x):\n    return model(x)\nprint(f(loss))\n"


def function_values(count: int) -> str:
    """A table of functions, called through a loop over it."""
    functions = "".join(f"def f{n}(x):\n    return x + {n}\n" for n in range(count))
    return f"{functions}table = [{', '.join(f'f{n}' for n in range(count))}]\nfor f in table:\n    print(f(loss))\n"


# -- classes ----------------------------------------------------------------------------------------------------------------------------


def methods(count: int) -> str:
    """Methods that leave tensors on their object and read what the others left."""
    each = "    def m{0}(self, x):\n        self.a{0} = model(x)\n        self.total += self.a{1}\n        return self.m{1}(self.a{0})\n"
    return "class A:\n    def __init__(self):\n        self.total = 0\n" + "".join(each.format(n, (n + 1) % count) for n in range(count))


def methods_that_nobody_calls(count: int) -> str:
    each = "    def m{0}(self, x):\n        self.a{0} = model(x)\n        self.total += self.a{1}\n"
    return "class A:\n    def __init__(self):\n        self.total = 0\n" + "".join(each.format(n, (n + 1) % count) for n in range(count))


def heirs(count: int) -> str:
    """Each class calls the one above it."""
    first = "class A0:\n    def __init__(self):\n        self.a0 = 0\n    def f(self):\n        return loss\n"
    each = (
        "class A{0}(A{1}):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.a{0} = loss\n"
        "    def f(self):\n"
        "        return super().f() + self.a{1}\n"
    )
    return first + "".join(each.format(n + 1, n) for n in range(count)) + f"print(A{count}().f())\n"


def layers(count: int) -> str:
    """One module of many layers, trained as a whole."""
    fields = "".join(f"        self.l{n} = torch.nn.Linear(2, 2)\n" for n in range(count))
    calls = "".join(f"        x = self.l{n}(x)\n" for n in range(count))
    init = f"    def __init__(self):\n        super().__init__()\n{fields}"
    made = f"class Net(torch.nn.Module):\n{init}    def forward(self, x):\n{calls}        return x\n"
    return f"{made}net = Net()\nfor p in net.parameters():\n    p.requires_grad = False\nnet.eval()\nprint(net(torch.ones(2)))\n"


def models(count: int) -> str:
    """Many models trained together."""
    made = "".join(f"m{n} = torch.nn.Linear(2, 2)\no{n} = torch.optim.SGD(m{n}.parameters(), lr=0.1)\n" for n in range(count))
    steps = "".join(f"    l{n} = m{n}(torch.ones(2)).sum()\n    o{n}.zero_grad()\n    l{n}.backward()\n    o{n}.step()\n" for n in range(count))
    return f"{made}for step in range(3):\n{steps}"


# -- expressions ------------------------------------------------------------------------------------------------------------------------


def method_chain(count: int) -> str:
    return f"x = model(torch.ones(2)){'.relu()' * count}\nprint(x)\n"


def terms(count: int) -> str:
    return f"x = {' + '.join(['model(torch.ones(2))'] * count)}\nprint(x)\n"


def nested_parentheses(count: int) -> str:
    return f"x = {'(1 + ' * count}loss{')' * count}\nprint(x)\n"


def nested_calls(count: int) -> str:
    return f"x = {'model(' * count}loss{')' * count}\nprint(x)\n"


def nested_lists(count: int) -> str:
    return f"x = {'[' * count}loss{']' * count}\nprint(x)\n"


def nested_dicts(count: int) -> str:
    return f"x = {'{1: loss, 2: ' * count}loss{'}' * count}\nprint(x)\n"


def nested_lambdas(count: int) -> str:
    return f"x = {'(lambda y: ' * count}loss{')' * count}\nprint(x)\n"


def nested_comprehensions(count: int) -> str:
    return f"x = {'[' * count}loss{' for _ in range(2)]' * count}\nprint(x)\n"


def comprehension_of_many_loops(count: int) -> str:
    loops_in_one = " ".join(f"for x{n} in [x{n - 1}, loss]" for n in range(1, count))
    return f"x = [x{count - 1} for x0 in [loss] {loops_in_one}]\nprint(x)\n"


def conditions(count: int) -> str:
    return f"x = {' if step else '.join(['loss'] * count)}\nprint(x)\n"


def table(count: int) -> str:
    return "x = {" + ", ".join(f"'k{n}': loss" for n in range(count)) + "}\nprint(x['k1'])\n"


def matrix(count: int) -> str:
    return "x = [" + ", ".join(f"[{n}, loss, 'a']" for n in range(count)) + "]\nfor a in x:\n    print(a)\n"


def appends(count: int) -> str:
    return "x = []\n" + "x.append(model(torch.ones(2)))\n" * count + "print(sum(x))\n"


def written_keys(count: int) -> str:
    return "x = {}\nfor step in range(2):\n" + "".join(f"    x['k{n}'] = model(torch.ones(2)) + x['k{max(n - 1, 0)}']\n" for n in range(count)) + "print(x)\n"


def arguments(count: int) -> str:
    names = ", ".join(f"a{n}" for n in range(count))
    return f"def f({names}):\n    return {names}\nprint(f({', '.join(['loss'] * count)}))\n"


def format_fields(count: int) -> str:
    return f"print(f\"{'{loss} ' * count}\")\n"


def all_axes() -> Iterator[Axis]:
    """Every axis; those of a file's length first."""
    yield from (
        Axis(build.__name__.replace("_", " "), build, LINES)
        for build in (training_functions, training_script, adversaries, module_classes, statements, running_statements, plain_functions, blank_lines, comments)
    )
    yield from (
        Axis(name, partial(nested_blocks, opening=opening), DEEP)
        for name, opening in {
            "nested for": "for i{} in range(2):",
            "nested for over names": "for i{} in ('a', 'b', 'c'):",
            "nested while": "while step > {}:",
            "nested with": "with torch.no_grad() as c{}:",
        }.items()
    )
    yield from (Axis(build.__name__.replace("_", " "), build, DEEP) for build in (rotating_loops, nested_tries))
    yield from (Axis(build.__name__.replace("_", " "), build, INDENTED) for build in (nested_branches, nested_functions))
    yield from (Axis(build.__name__.replace("_", " "), build, MANY) for build in BY_COUNT)
    yield Axis("models", models, FEW)
    yield from (Axis(build.__name__.replace("_", " "), build, CLOSED) for build in BY_DEPTH)


BY_COUNT = (
    *(forks, forks_of_one_variable, early_returns, early_continues, tries, withs, cases, loops, joined_variables, mixed_variables),
    *(call_chain, call_chain_backwards, calls_that_double, calls_of_the_two_next, loops_through_calls, branches_through_calls),
    *(calls_in_a_circle, mutual_recursion, callers_of_one, function_values),
    *(methods, methods_that_nobody_calls, heirs, layers, table, matrix, appends, written_keys, arguments, format_fields),
)
BY_DEPTH = (
    *(method_chain, terms, nested_parentheses, nested_calls, nested_lists, nested_dicts, nested_lambdas),
    *(comprehension_of_many_loops, nested_comprehensions, conditions, elifs, decorators),
)
AXES = {axis.name: axis for axis in all_axes()}
