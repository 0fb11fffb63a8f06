"""Programs by chance: runnable PyTorch programs as text, drawn from a random source.

Here: how programs are composed of what the vocabulary has. Not here: whether a program runs through (program_runs takes away the statements that
raise), or what anybody says of it. A source of randomness is all that is taken: hypothesis gives one that it can shrink, the long profile one by number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random

from program_vocabulary import (
    BINARY,
    COMPUTED,
    CONTAINERS,
    CUTS,
    ELEMENTS,
    FLOATS,
    GROWTH,
    HEADER,
    INPLACE,
    INSIDE,
    MADE,
    MODES,
    ROUNDS,
    SINKS,
    TEST,
    TRAINING,
    UNARY,
)


def split(table: str) -> list[str]:
    return [entry.strip() for entry in table.split(" | ")] if "\n" not in table else split(" ".join(table.split()))


class Writer:
    """Writes one program. `size` bounds the statements of the module body."""

    def __init__(self, random: Random, size: int = 10) -> None:
        self.random = random
        self.size = size
        self.lines: list[str] = []
        self.depth = 0
        self.scopes: list[dict[str, str]] = [{}]  # names and their types; the innermost last
        self.functions: dict[str, tuple[str, str]] = {}  # name -> types of the parameters, of the result
        self.count = 0
        self.loops = 0

    # -- drawing ----------------------------------------------------------------------------------------------------------------------

    def one(self, table: str) -> str:
        return self.random.choice(split(table))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def visible(self, kind: str) -> list[str]:
        return [name for scope in self.scopes for name, k in scope.items() if k == kind]

    def name(self, kind: str) -> str:
        """A variable of a type; where there is none, an expression that makes one."""
        names = self.visible(kind)
        if names and self.chance(0.9):
            return self.random.choice(names[-4:])
        return self.parenthesized(self.expression(kind, 0))

    @staticmethod
    def parenthesized(text: str) -> str:
        return text if text.replace(".", "").isidentifier() or text[-1:] in ")]" and " " not in text and text[0] not in "-~[" else f"({text})"

    def targeted(self, template: str) -> str:
        """As `filled`, the first place, which stands at the beginning, with a variable; nothing where there is none."""
        names = self.visible(template[1])
        return self.random.choice(names) + self.filled(template[3:]) if names else "pass"

    def filled(self, template: str) -> str:
        """A template with a variable or a small expression in each place."""
        out, rest = "", template
        while "{" in rest:
            before, _, rest = rest.partition("{")
            if rest[:1] == "{":
                out, rest = out + before + "{", rest[1:]
                continue
            kind, _, rest = rest.partition("}")
            out += before + self.name(kind)
        return (out + rest).replace("}}", "}")

    # -- expressions ------------------------------------------------------------------------------------------------------------------

    def expression(self, kind: str, depth: int = 2) -> str:
        """An expression of a type."""
        if kind in CONTAINERS:
            return self.filled(self.one(CONTAINERS[kind]))
        if depth <= 0:
            return self.one(MADE[kind])
        ways: list[Callable[[], str]] = [lambda: self.filled(self.one(COMPUTED[kind]))] * 4
        if kind in FLOATS:
            ways += [lambda: self.one(UNARY).format(self.operand(kind, depth))] * 3
            ways += [lambda: self.one(BINARY).format(self.operand(kind, depth), self.operand(kind, depth))] * 2
            ways += [lambda: self.one(CUTS).format(self.operand(kind, depth)), lambda: self.one(MADE[kind])]
        if kind == "V" and any(self.visible(k) for k in INSIDE):
            ways += [self.taken_out] * 2
        callees = [name for name, (_, result) in self.functions.items() if result == kind]
        if callees:
            ways += [lambda: self.call(self.random.choice(callees))] * 3
        return self.random.choice(ways)()

    def operand(self, kind: str, depth: int) -> str:
        return self.name(kind) if self.chance(0.8) else self.parenthesized(self.expression(kind, depth - 1))

    def taken_out(self) -> str:
        return self.filled(self.one(INSIDE[self.random.choice([k for k in INSIDE if self.visible(k)])]))

    def call(self, name: str) -> str:
        return f"{name}({', '.join(self.operand(kind, 1) for kind in self.functions[name][0])})"

    # -- statements -------------------------------------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    @contextmanager
    def block(self, head: str, keep: bool) -> Iterator[None]:
        """An indented block; `keep`: what is bound in it is bound after it."""
        self.line(head)
        self.depth += 1
        before, start = dict(self.scopes[-1]), len(self.lines)
        yield
        if len(self.lines) == start:
            self.line("pass")
        self.depth -= 1
        if not keep:
            self.scopes[-1] = before

    def bind(self, kind: str, text: str) -> None:
        """Bind an old or a new name."""
        own = [name for name, k in self.scopes[-1].items() if k == kind]
        name = self.random.choice(own) if own and self.chance(0.35) else self.fresh(kind)
        self.line(f"{name} = {text}")
        self.scopes[-1][name] = kind

    def fresh(self, kind: str) -> str:
        self.count += 1
        return f"{kind.lower()}{self.count}"

    def statement(self) -> None:
        self.random.choice(self.choices())()

    def choices(self) -> Sequence[Callable[[], None]]:
        """What may stand here, the likely ones several times."""
        ways: list[Callable[[], None]] = [self.assignment] * 8 + [self.inplace] * 3 + [self.sink] * 2 + [self.backward, self.train, self.train]
        ways += [self.growth] * (2 if self.visible("L") or self.visible("D") else 0)
        if self.depth < 3:
            ways += [self.with_mode] * 2 + [self.branch] * 2 + [self.loop] * 2
        if self.loops and self.depth > 1:
            ways.append(self.leave_loop)
        return ways

    def assignment(self) -> None:
        kind = self.random.choice("VVVVMMSSSINBLDTPO"[: -1 if self.loops else None])  # DET512 is of the training that few programs do
        self.bind(kind, self.expression(kind))

    def inplace(self) -> None:
        kind = self.random.choice([k for k in FLOATS if self.visible(k)] or "V")
        if self.chance(0.3):
            self.line(self.targeted(self.one(ELEMENTS)))
        elif self.visible(kind):
            self.line(self.one(INPLACE).format(self.random.choice(self.visible(kind)), self.operand(kind, 1)))

    def growth(self) -> None:
        self.line(self.targeted(self.one(GROWTH)))

    def sink(self) -> None:
        self.line(self.filled(self.one(SINKS)))

    def backward(self) -> None:
        self.line(self.filled(self.one("{S}.backward() | {V}.sum().backward() | {S}.backward(retain_graph=True)")))

    def train(self) -> None:
        """One statement of training, a whole step, or a module frozen by its parameters."""
        if self.chance(0.6) or self.depth > 2:
            self.line(self.targeted(self.one(TRAINING)))
        elif self.chance(0.5):
            with self.block(f"for p in {self.name('P')}.parameters():", keep=True):
                self.line(self.one("p.requires_grad_(False) | p.requires_grad = False | p.requires_grad = True | p.data.mul_(0.9) | p.grad = None"))
        elif self.visible("O"):
            optimizer = self.random.choice(self.visible("O"))
            self.line(f"{optimizer}.zero_grad()")
            self.line(self.filled("F.mse_loss({P}({V}), {V}).backward()"))
            self.line(f"{optimizer}.step()")

    def with_mode(self) -> None:
        with self.block(f"with {self.one(MODES)}:", keep=True):
            self.several(3)

    def branch(self) -> None:
        with self.block(f"if {TEST}:", keep=False):
            self.several(2)
        if self.chance(0.5):
            with self.block("else:", keep=False):
                self.several(2)

    def loop(self) -> None:
        if self.visible("L") and self.chance(0.3):
            name, items = self.fresh("V"), self.random.choice(self.visible("L"))
            self.line(f"{items}.append({self.name('V')})")  # the linter takes it that a loop runs at least once
            with self.block(f"for {name} in {items}[-2:]:", keep=False):
                self.scopes[-1][name] = "V"
                self.repeated()
        else:
            with self.block(f"for _ in {ROUNDS}:", keep=True):
                self.repeated()

    def repeated(self) -> None:
        self.loops += 1
        self.several(4)
        self.loops -= 1

    def leave_loop(self) -> None:
        with self.block(f"if {TEST}:", keep=False):
            self.line(self.random.choice(["break", "continue"]))

    def several(self, most: int) -> None:
        for _ in range(self.random.randint(1, most)):
            self.statement()

    # -- programs ---------------------------------------------------------------------------------------------------------------------

    def function(self) -> None:
        """A function of one to three parameters, perhaps under a grad-mode decorator, perhaps with an early return."""
        name, result = f"f{len(self.functions)}", self.random.choice("VVMS")
        kinds = "".join(self.random.choice("VVMSL") for _ in range(self.random.randint(1, 3)))
        parameters = {self.fresh(kind): kind for kind in kinds}
        if self.chance(0.3):
            self.line(f"@{self.one(MODES)}")
        loops, self.loops, outer = self.loops, 0, self.scopes
        self.scopes = [dict(self.scopes[0]) if self.chance(0.3) else {}, parameters]
        with self.block(f"def {name}({', '.join(parameters)}):", keep=True):
            for _ in range(self.random.randint(0, 4)):
                self.statement()
            if self.chance(0.2):
                with self.block(f"if {TEST}:", keep=False):
                    self.line(f"return {self.expression(result)}")
            self.line(f"return {self.expression(result)}")
        self.scopes, self.loops = outer, loops
        self.functions[name] = (kinds, result)
        self.line("")

    def module_class(self) -> None:
        """A class of modules, and one of them."""
        name = self.fresh("P")
        with self.block(f"class {name.upper()}(nn.Module):", keep=True):
            with self.block("def __init__(self):", keep=True):
                self.line("super().__init__()")
                self.line("self.inner = nn.Linear(3, 3)")
                self.line(f"self.scale = {self.one('nn.Parameter(torch.ones(3)) | torch.ones(3) | nn.Parameter(torch.ones(3), requires_grad=False)')}")
            self.line("")
            self.method("def forward(self, v):", {"v": "V", "self.scale": "V", "self.inner": "P"}, "V")
        self.line(f"{name} = {name.upper()}()")
        self.scopes[-1][name] = "P"

    def plain_class(self) -> None:
        """A class with a state, one object of it, and its method among the functions."""
        name = self.fresh("O").replace("o", "k")
        with self.block(f"class {name.upper()}:", keep=True):
            with self.block("def __init__(self, v):", keep=True):
                self.line("self.state = v")
                self.line("self.items = [v]")
            self.line("")
            self.method("def turn(self, v):", {"v": "V", "self.state": "V", "self.items": "L"}, "V")
        self.line(f"{name} = {name.upper()}({self.one(MADE['V'])})")
        self.functions[f"{name}.turn"] = ("V", "V")

    def method(self, head: str, names: dict[str, str], result: str) -> None:
        loops, self.loops, outer = self.loops, 0, self.scopes
        self.scopes = [{}, names]
        if self.chance(0.2):
            self.line(f"@{self.one(MODES)}")
        with self.block(head, keep=True):
            for _ in range(self.random.randint(0, 3)):
                self.statement()
            self.line(f"return {self.expression(result)}")
        self.scopes, self.loops = outer, loops
        self.line("")

    def program(self) -> str:
        for define in self.random.choices([self.function, self.module_class, self.plain_class], k=self.random.choice([0, 1, 1, 2])):
            define()
        for kind in "VVMS":
            self.bind(kind, self.one(MADE[kind]))
        for _ in range(self.random.randint(self.size // 2, self.size)):
            self.statement()
        return HEADER + "\n" + "\n".join(line.rstrip() for line in self.lines) + "\n"


def program(random: Random, size: int = 10) -> str:
    """The text of a program."""
    return Writer(random, size).program()
