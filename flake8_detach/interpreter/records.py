"""Records: what the interpretation knows of the functions and classes of a file, of the calls and loops that run, and how it ends before the end.

Here: plain records that the chapters read and write. Not here: what happens when one of these runs.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from flake8_detach.value import Value

from .state import Difference

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Function(NamedTuple):
    """A function of the file as a value: its code, the scope it closes over, and what its decorators say."""

    node: FunctionNode
    scope: int
    owner: Class | None
    defaults: tuple[tuple[str, Value], ...]
    mode: int  # 0, or the grad mode its decorators switch to
    traits: frozenset[str]  # "static", "class", "property", "contextmanager"


class UnknownSyntax(Exception):
    """A node of a Python newer than this package: what it does is not known, so that nothing else can be said of the file."""

    def __init__(self, node: ast.stmt | ast.expr) -> None:
        super().__init__(type(node).__name__)
        self.node = node


class Class:
    """A class of the file: its bases (classes of the file first found by name), its scope, and whether it is an nn.Module."""

    __slots__ = ("address", "ancestors", "bases", "fields", "is_module", "is_record", "library", "node", "unknown_base")

    def __init__(
        self, node: ast.ClassDef, address: int, bases: list[Class], library: frozenset[str], unknown_base: bool, is_module: bool, is_record: bool
    ) -> None:
        self.node, self.address, self.bases, self.library, self.unknown_base = node, address, bases, library, unknown_base
        self.is_module, self.is_record = is_module, is_record
        self.fields: list[str] = []  # of a record
        self.ancestors: list[Class] = list(dict.fromkeys([self, *(c for base in bases for c in base.ancestors)]))

    def mro(self) -> list[Class]:
        """The class and its ancestors in the file, nearest first."""
        return self.ancestors


class Activation:
    """A running function: where its variables live and what it has returned so far."""

    __slots__ = (
        "at_yield", "depth", "exits", "frame", "function", "mark", "outer", "returns", "scope", "scopes", "since", "switched", "this", "yield_modes",
        "yields",
    )  # fmt: skip

    def __init__(self, frame: int, scope: int, scopes: tuple[int, ...], function: Function | None, this: Value | None, mark: int) -> None:
        self.frame, self.scope, self.scopes, self.function, self.this, self.mark = frame, scope, scopes, function, this, mark
        self.outer: dict[str, int] = {}  # names declared global or nonlocal -> the scope they live in
        self.returns: list[Value] = []
        self.exits: list[Difference | None] = []  # None: the state as it stands when the body is done
        self.depth = (0, 0)  # branches and loops around the call
        self.since = (0, 0)  # how many tokens and events there were before the call
        self.yields: list[Value] = []
        self.yield_modes = 0
        self.at_yield: Difference = {}  # what a context manager had done when it yielded
        self.switched = 0  # how many blocks with gradients switched off are open in it


class Loop:
    """A running loop: its token, the pass it is in, and the paths that left it."""

    __slots__ = ("began", "branches", "breaks", "continues", "freed", "frees_often", "head", "left", "mark", "meets_writes", "number", "singular", "token")

    def __init__(self, token: int, mark: int, branches: int, began: int) -> None:
        self.token, self.mark = token, mark
        self.began = began  # when, by the clock of the operations
        self.meets_writes = False  # a backward of the body goes through what was computed before the loop, or perhaps overwritten since
        self.number = 0
        self.branches = branches  # how many branches deep the loop stands
        self.singular = False  # the first pass goes another way, because it is the first
        self.freed: dict[int, int] = {}  # what a backward of the body went through -> when, by the clock of the operations, the last one did
        self.frees_often = False  # whether a loop in the body has run one
        self.head = 0  # when, by the clock of the state, the present pass began, and what the pass before had left to it
        self.left: Difference = {}
        self.breaks: list[Difference] = []
        self.continues: list[Difference] = []
