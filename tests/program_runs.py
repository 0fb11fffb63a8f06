"""Programs run under real torch: what every variable holds after every statement, and what the witness shows.

Here: probes (in a copy of the tree, never in the text that is analysed), programs mended until they run through, the variants in which their opaque
tests come out otherwise, and the witness in forks of this process. Not here: what the linter believes (program_beliefs), any comparison.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import re
import sys
import tempfile
import traceback
import types
import warnings
from collections.abc import Iterator
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from program_vocabulary import ROUNDS

from flake8_detach.runtime import child
from flake8_detach.runtime.interceptions.sinks import wanted
from flake8_detach.runtime.occurrence import Witnessed
from flake8_detach.runtime.run import witness_modules

MOST_PROBES, MOST_MENDS, DEEP = 3000, 60, 3
SEED: Final = "random.seed(0)"
TORCH_REFUSES: Final = re.compile(
    r"does not require grad|Can't call numpy|a leaf Variable|modified by an inplace operation|through the graph a second time|Inference tensors"
    r"|explicitly by the user|on inference tensor|only Tensors of floating point|you can only change requires_grad|outside InferenceMode"
)
"""What torch says where a loud code of the linter may apply; after any other exception the statement is taken out of the program."""
ITEMS: Final = re.compile(r"in ([\w.]+)\[-2:\]:")
"""What a loop over a list iterates: at most two items."""
Point = tuple[int, str]


class Fact(NamedTuple):
    """What one object is: kind, and of a tensor whether it requires grad, is a leaf and holds integers."""

    kind: str
    live: bool = False
    leaf: bool = False
    integer: bool = False


class Endless(BaseException):
    """A program that goes on and on."""


class Ran(NamedTuple):
    """One run: the facts by line and place, and the exception that ended it with the line at which it did."""

    facts: dict[Point, set[Fact]]
    probes: int
    lines: set[int]
    error: BaseException | None
    line: int


def fact(value: object) -> Fact | None:
    """What an object is, None where no Value says anything of such things."""
    if isinstance(value, torch.Tensor):
        floats = value.dtype.is_floating_point or value.dtype.is_complex
        return Fact("tensor", value.requires_grad, value.is_leaf, not floats)
    for kind, types_ in KINDS.items():
        if isinstance(value, types_):
            return Fact(kind)
    return None


KINDS: Final[dict[str, Any]] = {
    "number": (bool, int, float, complex),
    "text": str,
    "none": type(None),
    "container": (list, tuple, dict, set),
    "module": torch.nn.Module,
    "optimizer": torch.optim.Optimizer,
}


def places(name: str, value: object, own: frozenset[str], depth: int = 0) -> Iterator[tuple[str, object]]:
    """An object and what it holds, each under the expression by which a program reads it; `own`: the names of the program's classes."""
    yield name, value
    if depth < DEEP and isinstance(value, (list, tuple)):
        for index, item in enumerate(value[:3]):
            yield from places(f"{name}[{index}]", item, own, depth + 1)
    elif depth < DEEP and isinstance(value, dict):
        for key, item in list(value.items())[:4]:
            if isinstance(key, str):
                yield from places(f"{name}[{key!r}]", item, own, depth + 1)
    elif depth < DEEP and type(value).__name__ in own:
        held = {**vars(value), **getattr(value, "_parameters", {}), **getattr(value, "_modules", {})}
        for key, item in held.items():
            if not key.startswith("_") and key != "training":
                yield from places(f"{name}.{key}", item, own, depth + 1)


class Probing(ast.NodeTransformer):
    """Adds a probe after each statement, with the place of the statement."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if not isinstance(node, ast.ClassDef):
            for field in ("body", "orelse", "finalbody"):
                block = getattr(node, field, None)
                if isinstance(block, list):
                    setattr(node, field, [s for statement in block for s in self.probed(statement)])
        return node

    @staticmethod
    def probed(statement: ast.stmt) -> list[ast.stmt]:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            return [statement]
        leaves = isinstance(statement, (ast.Return, ast.Break, ast.Continue))
        probe = ast.parse(f"__probe__({statement.lineno}, {'{}' if leaves else 'locals()'})").body[0]
        for node in ast.walk(probe):
            ast.copy_location(node, statement)
        return [probe, statement] if leaves else [statement, probe]


@lru_cache(maxsize=1)
def probed(source: str) -> types.CodeType:
    """A program with probes, for all its seeds: it finds the seed under a name."""
    return compile(Probing().visit(ast.parse(source.replace(SEED, "random.seed(__seed__)"))), "generated.py", "exec")


def run(source: str, seed: int = 0) -> Ran:
    """Runs a program with probes. Its streams and warnings are swallowed, the grad mode is restored."""
    code = probed(source)
    own = frozenset(re.findall(r"^class (\w+)", source, re.M))
    facts: dict[Point, set[Fact]] = {}
    lines: set[int] = set()
    count = 0

    def probe(line: int, variables: dict[str, Any]) -> None:
        nonlocal count
        lines.add(line)
        with torch._C.DisableTorchFunction():
            for variable, value in list(variables.items()):
                if variable[:2] == "__" or isinstance(value, (types.ModuleType, types.FunctionType, type)):
                    continue
                for place, held in places(variable, value, own):
                    found = fact(held)
                    if found is not None:
                        count += 1
                        facts.setdefault((line, place), set()).add(found)
        if count > MOST_PROBES:
            raise Endless

    module = types.ModuleType("generated")
    module.__dict__.update(__probe__=probe, __seed__=seed)
    error: BaseException | None = None
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(code, module.__dict__)
        except (Exception, Endless) as raised:
            error = raised
        finally:
            torch.set_grad_enabled(True)
    return Ran(facts, count, lines, error, _line(error))


def _line(error: BaseException | None) -> int:
    """The line of the program at which an exception was raised."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    return next((f.lineno or 0 for f in reversed(frames) if f.filename == "generated.py"), 0)


def for_idle(source: str, ran: set[int]) -> set[int]:
    """The lines of functions that code which never ran calls too, itself or by way of others: they ran, but not as that code would run them."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    idle = [function for function in functions if ran.isdisjoint(range(function.body[0].lineno, (function.end_lineno or 0) + 1))]
    out: set[int] = set()
    while idle:
        calls = [node.func for node in ast.walk(idle.pop()) if isinstance(node, ast.Call)]
        called = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
        more = [function for function in functions if function.name in called and function.lineno not in out]
        out.update(line for function in more for line in range(function.lineno, (function.end_lineno or 0) + 1))
        idle += more
    return out


class Settled(NamedTuple):
    """A program that runs through in all its variants, or up to something that torch refuses: its text, and one run for each seed."""

    source: str
    runs: dict[int, Ran]


def seeds(source: str) -> range:
    """The variants of a program: several where it has opaque tests."""
    return range(min(4, 1 + 2 * source.count("random.random()")))


def settled(source: str, loud: bool) -> Settled | None:
    """A program without the statements that raise; `loud`: those at which torch refuses stay. None where there is no end to it."""
    for _ in range(MOST_MENDS):
        runs: dict[int, Ran] = {}
        for seed in seeds(source):
            runs[seed] = ran = run(source, seed)
            if isinstance(ran.error, Endless):
                return None
            if ran.error is not None and not (loud and TORCH_REFUSES.search(str(ran.error))):
                source = without(source, ran.line)
                break
        else:
            return Settled(source, runs)
    return None


def without(source: str, line: int) -> str:
    """The program with `pass` instead of the innermost statement at a line."""
    found = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.stmt) and n.lineno <= line <= (n.end_lineno or 0)]
    node = max(found, key=lambda n: (n.lineno, n.col_offset))
    lines = source.split("\n")
    lines[node.lineno - 1 : node.end_lineno] = [" " * node.col_offset + "pass"] + [""] * ((node.end_lineno or 0) - node.lineno)
    return "\n".join(lines)


# -- the witness ----------------------------------------------------------------------------------------------------------------------------


@cache
def _warm() -> None:
    """Imports in this process what each fork would otherwise import for itself."""
    torch.set_num_threads(1)
    witness_modules()
    wanted()


class Shown(NamedTuple):
    """What the witness shows of one variant, by line and code, and whether an exception ended it."""

    alarms: set[tuple[int, str]]
    raised: bool


def witnessed(source: str, seed: int, rounds: int = 2) -> Shown:
    """What the witness shows when a variant of the program runs, with so many rounds of its loops, in a fork of this process. More rounds than the
    program has are also those of a loop over a list of one item: the linter does not count items."""
    _warm()
    if rounds > 2:
        source = ITEMS.sub(r"in (\1 * 2)[-2:]:", source)
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder) / "generated.py", Path(folder) / "witnessed.json"
        path.write_text(source.replace(SEED, f"random.seed({seed})").replace(ROUNDS, f"range({rounds})"), encoding="utf-8")
        child._apart(partial(_perform, str(path), output))
        found = Witnessed.from_json(json.loads(output.read_text(encoding="utf-8")))
    return Shown({(one.line, one.code) for one in found.occurrences}, bool(found.error))


def _perform(path: str, output: Path) -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115 # pytest has its own in their places

    def tell(path: str, scenario: str | None, found: Witnessed) -> None:
        output.write_text(json.dumps(found.to_json()), encoding="utf-8")

    child.perform(path, [], None, 60, tell, fork=False)
