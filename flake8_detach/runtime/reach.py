"""What a program can still reach: the roads from its variables over containers and attributes to live tensors.

A breadth-first walk over ordinary Python objects, bounded in depth and number. It calls no code of the program: no property, no
`__getattr__`, no `__eq__`, no iterator. The links it walks are remembered with the line after which they were first seen: that is the line
that stored.
"""

from __future__ import annotations

import enum
import functools
import sys
from collections import OrderedDict, deque
from collections.abc import Iterable
from types import BuiltinFunctionType, CellType, CodeType, FrameType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any, NamedTuple

import torch

from .events import Held, Link
from .graph import node_of, number

# What these libraries keep is not the program's doing, and much to walk over.
LIBRARIES = tuple("torch.optim torch.utils logging matplotlib pandas numpy tqdm tensorboard threading multiprocessing io".split())
SKIPPED_ATTRIBUTES = frozenset({"_parameters", "_non_persistent_buffers_set", "_state_dict_hooks", "_load_state_dict_pre_hooks"})
# Every Module has these; most are empty for its whole life.
OFTEN_EMPTY = frozenset(name for name, value in vars(torch.nn.Module()).items() if isinstance(value, dict))
DICTIONARIES = (dict, OrderedDict)
SHORT = 24  # of a longer sequence a quick look takes the two ends
NEAR = 3  # so many links from its variables a quick look goes
WATCHED = 200


class Kind(enum.Enum):
    """How the children of an object are found."""

    NOTHING = enum.auto()
    TENSOR = enum.auto()
    SEQUENCE = enum.auto()
    MAPPING = enum.auto()
    SET = enum.auto()
    OBJECT = enum.auto()
    CLASS = enum.auto()
    FUNCTION = enum.auto()
    CELL = enum.auto()
    METHOD = enum.auto()
    PARTIAL = enum.auto()
    GENERATOR = enum.auto()


_EXACT: dict[type, Kind] = {
    FunctionType: Kind.FUNCTION,
    CellType: Kind.CELL,
    MethodType: Kind.METHOD,
    functools.partial: Kind.PARTIAL,
    GeneratorType: Kind.GENERATOR,
}
_KINDS: dict[type, Kind] = {}
_NOTHINGS: set[type] = set()  # those of them that are Kind.NOTHING
_NUMBERS_AND_TEXTS = (str, bytes, int, float, complex, type(None), range, slice, torch.Size, enum.Enum)
_PARTS_OF_PYTHON = (ModuleType, BuiltinFunctionType, CodeType, FrameType)


def kind_of(cls: type) -> Kind:
    """How to look into instances of `cls`."""
    kind = _KINDS.get(cls)
    if kind is None:
        kind = _KINDS[cls] = _kind_of(cls)
        if kind is Kind.NOTHING:
            _NOTHINGS.add(cls)
    return kind


def _kind_of(cls: type) -> Kind:
    if cls in _EXACT:
        return _EXACT[cls]
    if issubclass(cls, torch.Tensor):
        return Kind.TENSOR
    if issubclass(cls, _NUMBERS_AND_TEXTS) or issubclass(cls, _PARTS_OF_PYTHON):
        return Kind.NOTHING
    for base, kind in ((dict, Kind.MAPPING), ((list, tuple, deque), Kind.SEQUENCE), ((set, frozenset), Kind.SET), (type, Kind.CLASS)):
        if issubclass(cls, base):
            return kind
    if cls.__module__.startswith(LIBRARIES):
        return Kind.NOTHING
    return Kind.OBJECT


class Entry(NamedTuple):
    """One link met on a walk; `parent` is the entry of the holder, -1 for a variable."""

    holder: int
    label: object
    child: Any
    parent: int
    depth: int
    inside_model: bool


class Variable(NamedTuple):
    """A root: a variable of a running function (or of the module), and whether a module call runs that function."""

    owner: int
    name: str
    value: Any
    inside_model: bool


class Known:
    """A link as it was last seen."""

    __slots__ = ("line", "mark", "stayed", "sure", "time")

    def __init__(self, mark: tuple[int, int], line: int, time: int, sure: bool, stayed: bool) -> None:
        self.mark, self.line, self.time, self.sure, self.stayed = mark, line, time, sure, stayed


class Reach:
    """The links seen so far. `module` is the name of the program's module: its own classes and functions are looked into as well."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.links: dict[tuple[int, object], Known] = {}
        self.first_seen: dict[int, int] = {}
        self.watched: list[Any] = []
        self.met_live = False

    def look(self, variables: Iterable[Variable], line: int, time: int) -> list[Entry]:
        """A quick look after `line` has run: near the variables, and into what held live tensors at the last survey.

        Returns the links to objects that were never met before; `met_live` says whether a live tensor was met.
        """
        self.met_live = False
        roots = [Entry(v.owner, v.name, v.value, -1, 0, v.inside_model) for v in variables]
        entries = self._walk([roots], NEAR, 400, False)
        if self.watched:
            self._unwatch()
            links = ((holder, *link) for holder in self.watched for link in self._children(holder, False))
            watched = [Entry(id(holder), label, child, -1, 1, False) for holder, label, child in links]
            entries += self._walk([watched], NEAR, 600, False)
        return [entry for entry in entries if self._meet(entry, line, time)]

    def _unwatch(self) -> None:
        # a holder that only we keep has died for the program; three references: the list, the loop variable, the call
        self.watched = [holder for holder in self.watched if sys.getrefcount(holder) > 3]

    def survey(self, variables: Iterable[Variable], since: int, line: int, time: int) -> list[Held]:
        """A thorough look from all variables: every live tensor that can be reached, with its road.

        Roads from variables that were bound before the clock stood at `since` are taken first: a name of this iteration hides no older
        holder.
        """
        groups: dict[tuple[bool, bool], list[Entry]] = {}
        for v in variables:
            known = self.links.get((v.owner, v.name))
            fresh = known is not None and known.time > since
            groups.setdefault((v.inside_model, fresh), []).append(Entry(v.owner, v.name, v.value, -1, 0, v.inside_model))
        entries = self._walk([groups[key] for key in sorted(groups)], 14, 20000, True)
        found = []
        for entry in entries:
            self._meet(entry, line, time)
            node = node_of(entry.child) if isinstance(entry.child, torch.Tensor) else None
            if node is not None:
                found.append((entry, number(node)))
        self._forget(entries)
        self._watch(entries, [entry for entry, _ in found])
        holders = _holders(entries)
        return [Held(e.child, n, self._road(e, entries), e.inside_model, _above(e, holders), _keeper(e, entries)) for e, n in found]

    def _forget(self, entries: list[Entry]) -> None:
        # an id is only as good as its object's life: what cannot be reached any more may be another object tomorrow
        alive = {e.holder for e in entries} | {id(e.child) for e in entries}
        self.first_seen = {holder: time for holder, time in self.first_seen.items() if holder in alive}

    def _watch(self, entries: list[Entry], held: list[Entry]) -> None:
        chosen: dict[int, Any] = {}
        for entry in held:
            if not _is_near(entry, entries):
                for parent in (entry.parent, entries[entry.parent].parent if entry.parent >= 0 else -1):
                    # nothing new comes into a tuple
                    if parent >= 0 and type(entries[parent].child) is not tuple and len(chosen) < WATCHED:
                        chosen[id(entries[parent].child)] = entries[parent].child
        self.watched = list(chosen.values())

    def _meet(self, entry: Entry, line: int, time: int) -> bool:
        """Remembers the link; returns whether its child is an object never met before."""
        holder, label, child, parent, _, _ = entry
        identity, new = id(child), False
        if isinstance(child, torch.Tensor):
            node = node_of(child)
            if node is None:
                return False
            mark = (identity, number(node))
            self.met_live = True
        else:
            mark = (identity, 0)
            if identity not in self.first_seen:
                self.first_seen[identity], new = time, True
        known = self.links.get((holder, label))
        if known is None or known.mark != mark:
            sure = known is not None or parent < 0 or self.first_seen.get(holder, time) < time
            stayed = known is not None and known.mark[0] == identity
            self.links[holder, label] = Known(mark, line, time, sure, stayed)
        return new

    def _road(self, entry: Entry, entries: list[Entry]) -> list[Link]:
        road = []
        while True:
            known = self.links[entry.holder, entry.label]
            road.append(Link(entry.holder, entry.label, known.line, known.time, entry.parent < 0, known.sure, known.stayed))
            if entry.parent < 0:
                return road[::-1]
            entry = entries[entry.parent]

    def _walk(self, groups: list[list[Entry]], depth: int, budget: int, whole: bool) -> list[Entry]:
        # this runs after nearly every line of the program: it calls as little as it can
        visited: set[int] = set()
        found: list[Entry] = []
        kinds, nothings, tensor, cls, make = _KINDS, _NOTHINGS, Kind.TENSOR, Kind.CLASS, tuple.__new__
        for group in groups:
            todo: deque[Entry] = deque(entry for entry in group if not self._is_nothing(entry.child))
            while todo and len(found) < budget:
                entry = todo.popleft()
                found.append(entry)
                _, _, value, _, level, inside = entry
                holder = id(value)
                if level < depth and holder not in visited and kinds[type(value)] is not tensor:
                    visited.add(holder)
                    # a named tuple made by its own constructor costs a call; there are millions
                    rest = (len(found) - 1, level + 1, inside)
                    for label, child in self._children(value, whole):
                        if type(child) not in nothings:
                            kind = kinds.get(type(child))
                            if kind is not None and kind is not cls or not self._is_nothing(child):
                                todo.append(make(Entry, (holder, label, child, *rest)))
        return found

    def _is_nothing(self, value: Any) -> bool:
        kind = kind_of(type(value))
        return kind is Kind.NOTHING or kind is Kind.CLASS and value.__module__ != self.module

    def _children(self, value: Any, whole: bool) -> Iterable[tuple[object, Any]]:
        kind = kind_of(type(value))
        if kind is Kind.SEQUENCE:
            return _elements(value, whole)
        if kind is Kind.MAPPING:
            return _items(value, whole)
        if kind is Kind.OBJECT:
            return _attributes(value, whole)
        if kind is Kind.SET:
            return [(id(v), v) for v in (value if whole else list(value)[:SHORT])]
        if kind is Kind.FUNCTION:
            return _cells(value) if value.__module__ == self.module else []
        return _others(value, kind)


def _holders(entries: list[Entry]) -> dict[int, set[int]]:
    """By object everything that holds it."""
    found: dict[int, set[int]] = {}
    for entry in entries:
        found.setdefault(id(entry.child), set()).add(entry.holder)
    return found


def _above(entry: Entry, holders: dict[int, set[int]]) -> frozenset[int]:
    """Everything that holds the entry's child, directly or not, by whatever road."""
    todo, seen = [id(entry.child)], set[int]()
    while todo:
        new = holders.get(todo.pop(), set()) - seen
        seen |= new
        todo.extend(new)
    return frozenset(seen)


def _is_near(entry: Entry, entries: list[Entry]) -> bool:
    """Whether a quick look at the variables that a statement names would meet the entry: what a cell holds has another name where it is stored."""
    near = entry.depth <= NEAR
    while near and entry.parent >= 0:
        near = entry.label not in ("_modules", "cell")
        entry = entries[entry.parent]
    return near


def _keeper(entry: Entry, entries: list[Entry]) -> Any:
    return entries[entry.parent].child if entry.parent >= 0 else None


def _elements(value: Any, whole: bool) -> list[tuple[object, Any]]:
    size = len(value)
    if whole or size <= SHORT:
        return [] if _NOTHINGS.issuperset(map(type, value)) else list(enumerate(value))
    ends = [*range(2), *range(size - SHORT, size)]
    return [(i, value[i]) for i in ends]


def _items(value: dict[Any, Any], whole: bool) -> list[tuple[object, Any]]:
    if whole or len(value) <= 4 * SHORT:
        if _NOTHINGS.issuperset(map(type, dict.values(value))):
            return []
        return [(k if type(k) is str else _label(k), v) for k, v in dict.items(value)]
    last = [k for k, _ in zip(dict.__reversed__(value), range(SHORT))]
    return [(_label(k), dict.__getitem__(value, k)) for k in last]


def _label(key: object) -> object:
    # a key's own __hash__ and __eq__ are code of the program
    return key if type(key) in (str, int) else id(key)


def _attributes(value: Any, whole: bool) -> list[tuple[object, Any]]:
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        # a class with __slots__, or of C: it has no dictionary
        own = {}
    found = [
        (n, child)
        for n, child in list(own.items())
        if type(child) not in _NOTHINGS
        and n not in SKIPPED_ATTRIBUTES
        and (whole or n != "_modules")
        and (n not in OFTEN_EMPTY or type(child) not in DICTIONARIES or child)
    ]
    for name, descriptor in _slots(type(value)):  # type: ignore[arg-type]  # a class is hashable
        found.extend((name, child) for child in _slot(descriptor, value))
    return found


@functools.cache
def _slots(cls: type) -> list[tuple[str, Any]]:
    """The members of a class and of its bases that have no place in a dictionary."""
    found = []
    for base in cls.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            descriptor = base.__dict__.get(name)
            if descriptor is not None and type(descriptor).__name__ == "member_descriptor":
                found.append((name, descriptor))
    return found


def _slot(descriptor: Any, value: Any) -> list[Any]:
    try:
        return [descriptor.__get__(value)]
    except AttributeError:
        # the slot is empty
        return []


def _cells(function: FunctionType) -> list[tuple[object, Any]]:
    return [(f"closure {i}", cell) for i, cell in enumerate(function.__closure__ or ())]


def _others(value: Any, kind: Kind) -> list[tuple[object, Any]]:
    if kind is Kind.CELL:
        try:
            return [("cell", value.cell_contents)]
        except ValueError:
            # the cell is empty
            return []
    if kind is Kind.METHOD:
        return [("__self__", value.__self__)]
    if kind is Kind.PARTIAL:
        return [("func", value.func), ("args", value.args), ("keywords", value.keywords)]
    if kind is Kind.GENERATOR and value.gi_frame is not None:
        return list(value.gi_frame.f_locals.items())
    if kind is Kind.CLASS:
        return [(name, child) for name, child in list(vars(value).items()) if not name.startswith("__")]
    return []
