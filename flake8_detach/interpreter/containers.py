"""Containers: lists, tuples, dicts, sets, deques, and unknown objects used like them.

Here: how items are put in and taken out. A container is an address; under it the store holds `items` (the join of all it ever held), one
slot per constant key, and `length` of a display whose size is known. A container made in an iteration is new in each.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from flake8_detach.trace import Role
from flake8_detach.value import NUMBER, OTHER, TEXT, UNSURE, Grad, Kind, Value, constant, join, join_all

from .overwrites import PLAIN, Overwrites
from .state import ITEMS, LENGTH, LIVING, OPEN, Slot

WIDEST = 64
"""How many values a container is opened into; of more, their join."""
FEW = 5
NO_ITEMS = constant(0)._replace(names=frozenset(("empty",)))
"""Length of a list that is empty; where paths meet, its name stays: of what one of them leaves empty the sum may be the number 0."""
STORABLE = Kind.TENSOR | Kind.UNKNOWN | Kind.NUMBER | Kind.NONE


def item_key(key: object) -> object:
    """The name under which the store holds the element of a constant key."""
    return ("item", type(key).__name__, key)


def is_constant(key: Value) -> bool:
    """Whether a value is a constant under which a container holds an item."""
    return key.const is not UNSURE and isinstance(key.const, (int, str, float, bool, tuple, type(None)))


def family(template: str) -> object:
    """The name under which the store holds what was put in under keys that one template makes: `"loss/{}".format(scale)`."""
    return ("family", template)


def told_apart(items: list[Value]) -> list[Value]:
    """Items of which all plain ones (numbers, texts, None) are the same: of a long row of settings one stands for all."""
    if len(items) < FEW:
        return items
    plain = [v for v in items if not v.kind & ~PLAIN and not v.reach]
    return items if len(plain) < 2 else [v for v in items if v.kind & ~PLAIN or v.reach] + plain[:1]


def asks_for_length(test: ast.expr) -> bool:
    """Whether a test calls len()."""
    return any(isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len" for node in ast.walk(test))


class Containers(Overwrites):
    """Displays, subscripts, iteration."""

    def container(self, node: ast.AST, tag: object = "container") -> tuple[int, Value]:
        """A new empty container."""
        address = self.token(node, tag)
        if (address, ITEMS) in self.state.store or (address, LENGTH) in self.state.store:
            for name in (*self.fields.pop(address, ()), ITEMS, LENGTH, OPEN, LIVING):
                self.state.delete((address, name))
        self.born[address] = self.active_loops()
        if address in self.item_keys or address in self.templates:
            for key in (*self.item_keys.pop(address, ()), *self.templates.pop(address, ())):
                self.state.delete((address, key))
        return address, Value(Kind.CONTAINER, refs=frozenset((address,)))

    def tuple_of(self, node: ast.AST, item: Value, length: int | None) -> Value:
        address, value = self.container(node, ("of", item.kind))
        self.state.write((address, ITEMS), item)
        self.state.write((address, OPEN), 1)
        if length is not None:
            self.state.write((address, LENGTH), constant(length))
        return value

    def row(self, node: ast.AST, items: Sequence[Value], names: Sequence[str] = ()) -> Value:
        """A new container of these items, in order, also reachable by attribute names."""
        address, value = self.container(node, "row")
        self.fill(address, [(item_key(index), item) for index, item in enumerate(items)])
        self.state.write((address, LENGTH), constant(len(items)) if items else NO_ITEMS)
        for name, item in zip(names, items):
            self.state.write((address, name), item)
            self.fields.setdefault(address, {})[name] = None
        return value

    def mapping(self, node: ast.AST, pairs: Iterable[tuple[Value, Value]]) -> Value:
        """A new dict."""
        address, value = self.container(node, "dict")
        self.mappings.add(address)
        known: list[tuple[object, Value]] = []
        for key, item in pairs:
            if is_constant(key):
                known.append((item_key(key.const), item))
            else:
                self.put(address, key, item)
        self.fill(address, known)
        return value

    # -- in -------------------------------------------------------------------------------------------------------------------------
    def fill(self, address: int, items: list[tuple[object, Value]]) -> None:
        """Put items under constant keys, all at once."""
        if not items:
            return
        write = self.state.write
        for name, item in items:
            write((address, name), item)
        self.item_keys.setdefault(address, {}).update(dict.fromkeys([name for name, _ in items]))
        whole = join_all([item for _, item in items])
        self.add(address, whole)
        if whole.grad & Grad.LIVE and any(item.grad == Grad.LIVE for _, item in items):
            write((address, LIVING), 1)

    def put(self, address: int, key: Value, item: Value) -> None:
        """container[key] = item; an unknown key may be any."""
        if is_constant(key):
            name = item_key(key.const)
            self.item_keys.setdefault(address, {})[name] = None
            self.state.write((address, name), self.state.weigh(item))
            self.add(address, item)
        else:
            templates = key.names if key.kind == Kind.TEXT else ()
            for name in map(family, templates):
                old = self.state.store.get((address, name))
                self.templates.setdefault(address, {})[name] = None
                self.state.write((address, name), join(old, item) if isinstance(old, Value) else item)
            if not templates:
                self.doubt_items(address, key, item)
            self.add_anywhere(address, item)

    def doubt_items(self, address: int, key: Value, item: Value) -> None:
        """An item is put under an unknown key: each that stands under a constant one of its kind may be that item now."""
        known = self.item_keys.get(address, ())
        self.spend(len(known))
        for name in known:
            old = self.state.store.get((address, name))
            if isinstance(old, Value) and isinstance(name, tuple) and not key.kind & (Kind.NUMBER if name[1] == "str" else Kind.TEXT):
                self.state.write((address, name), join(old, item))

    def take_out(self, container: Value, key: Value) -> None:
        """del d[key], d.pop(key): what stood there matters to nothing any more. Where the length decides, the container is bounded."""
        loops = (self.trace.loops[loop.token][0] for loop in self.loops)
        tests = [*(self.trace.tests[visit] for visit, _ in self.path), *(node.test for node in loops if isinstance(node, ast.While))]
        if any(test is not None and asks_for_length(test) for test in tests):
            self.trace.bounded |= container.refs
        if len(container.refs) == 1 and is_constant(key) and container.refs <= self.mappings:
            (address,) = container.refs
            if (address, item_key(key.const)) in self.state.store:
                self.state.write((address, item_key(key.const)), NUMBER)

    def add_anywhere(self, address: int, item: Value) -> None:
        """One more item at an unknown place: from now on the constant keys do not tell all."""
        self.add(address, item)
        self.state.write((address, OPEN), 1)

    def add(self, address: int, item: Value) -> None:
        """Join an item to what the container ever held."""
        old = self.state.store.get((address, ITEMS))
        self.state.write((address, ITEMS), self.state.weigh(join(old, item)) if isinstance(old, Value) else item)
        if item.grad == Grad.LIVE:
            self.state.write((address, LIVING), 1)

    def store_item(self, container: Value, key: Value | None, item: Value, node: ast.AST) -> None:
        """Put an item into a container from program text: records the store where the container outlives an iteration."""
        outlived = self.outlived(container)
        if self.snapshots and item.kind & Kind.CONTAINER:
            self.note_kept(item, node)
        kept = self.keep(item, node)
        if outlived:
            self.record_store(node, container, kept, outlived, key)
        mark = self.token(node, "kept")
        for address in container.refs:
            self.trace.kept.setdefault(address, set()).add(mark)
            if key is None:
                self.add_anywhere(address, kept)
                self.state.write((address, LENGTH), NUMBER)
            else:
                self.put(address, key, kept)

    def record_store(self, node: ast.AST, container: Value, kept: Value, outlived: tuple[int, ...], key: Value | None) -> None:
        """Record each possibly live tensor that a stored value holds."""
        active = set(self.active_loops())
        one = all(active.issuperset(self.born[address]) for address in container.refs)  # and not each of the many that a loop has made
        overwritten = one and key is not None and key.const is not UNSURE
        for part in self.inside(kept):
            if part.grad & (Grad.LIVE | Grad.UNKNOWN) and not part.kind & ~STORABLE:
                token = self.token(node, "kept")
                self.record(Role.STORE, node, part, container, (Value(refs=frozenset((token,))),), (outlived, overwritten))

    def outlived(self, container: Value) -> tuple[int, ...]:
        """The running loops that are younger than the container, and those of which a pass before the present one has made it."""
        born = {loop for address in container.refs for loop in self.born[address]}
        if container.carried:
            born -= {carry.loop for carry in container.carried}
        return tuple(loop.token for loop in self.loops if loop.token not in born)

    def keep(self, item: Value, node: ast.AST) -> Value:
        """The item as the container holds it: marked with the place of the store, so that a later backward shows it was no leak."""
        token = self.token(node, "kept")
        if item.kind & (Kind.CONTAINER | Kind.OBJECT):
            self.mark_inside(item, token)
        elif item.grad & (Grad.LIVE | Grad.UNKNOWN):
            return item._replace(reach=item.reach | {token})
        return item

    def mark_inside(self, container: Value, token: int) -> None:
        """Mark everything that a stored container holds."""
        seen: set[int] = set()
        rest = list(container.refs)
        while rest:
            address = rest.pop()
            if address in seen:
                continue
            seen.add(address)
            cls = self.instances.get(address)
            fields = cls.fields if cls is not None and cls.is_record else ()
            names = (ITEMS, *self.item_keys.get(address, ()), *fields)
            self.spend(len(names))
            for name in names:
                slot = self.state.store.get((address, name))
                if not isinstance(slot, Value):
                    continue
                if slot.kind & Kind.CONTAINER:
                    rest += slot.refs
                elif slot.grad & (Grad.LIVE | Grad.UNKNOWN) and token not in slot.reach:
                    self.state.write((address, name), self.state.weigh(slot._replace(reach=slot.reach | {token})))

    # -- out ------------------------------------------------------------------------------------------------------------------------
    def items(self, value: Value, node: ast.AST) -> Value:
        """What iteration takes out of a value: of a mapping, its keys."""
        if value.kind & Kind.CONTAINER and value.refs and value.refs <= self.mappings:
            return TEXT
        return self.contents(value, node)

    def contents(self, value: Value, node: ast.AST) -> Value:
        """What an unknown subscript takes out of a value."""
        if value.kind & Kind.CONTAINER or any((a, ITEMS) in self.state.store for a in value.refs):
            found = [v for a in value.refs if isinstance(v := self.state.store.get((a, ITEMS)), Value)]
            if found:
                out = self.current(self.state.weigh(join_all(found)))
                if value.kind & Kind.UNKNOWN:  # whoever made it may have put in more
                    return join(out, self.piece(value, ITEMS))
                return join(out, OTHER) if len(found) < len(value.refs) else out
            if not value.kind & (Kind.UNKNOWN | Kind.TENSOR):
                return OTHER
        if value.kind & Kind.TENSOR:
            return self.view(value, node)
        if value.kind & Kind.TEXT:
            return TEXT
        if value.kind & Kind.UNKNOWN and value.refs:
            return self.piece(value, ITEMS)
        if value.kind & Kind.ARRAY:
            return Value(Kind.ARRAY | Kind.NUMBER)
        return NUMBER if value.kind & Kind.NUMBER else OTHER

    def piece(self, value: Value, name: object, grad: int = 0) -> Value:
        """A part of something unknown, pending its own evidence."""
        tokens = frozenset(self.part(a, name) for a in value.refs)
        out = Value(Kind.UNKNOWN, grad or value.grad or Grad.UNKNOWN, 0, 0, tokens, tokens, value.reach | tokens, value.carried)
        return self.state.weigh(out)

    def element(self, value: Value, key: Value, node: ast.AST) -> Value:
        """value[key]."""
        if value.kind & Kind.TENSOR:
            out = self.view(value, node)
            return join(out, self.element(value._replace(kind=Kind.CONTAINER), key, node)) if value.kind & Kind.CONTAINER else out
        if key.names and key.kind == Kind.TEXT:
            told = [v for a in value.refs for n in key.names if isinstance(v := self.state.store.get((a, family(n))), Value)]
            if told and len(told) == len(value.refs) * len(key.names):
                return self.current(self.state.weigh(join_all(told)))
        if key.const is not UNSURE:
            name = item_key(self._index(value, key.const))
            found = [v for a in value.refs if isinstance(v := self.state.store.get((a, name)), Value)]
            if found:
                others = (self.unplaced(a, name) for a in value.refs if (a, name) not in self.state.store)
                return self.current(self.state.weigh(join_all([*found, *(v for v in others if isinstance(v, Value))])))
        made = [self.make_item(a, key, node) for a in value.refs if a in self.factories]
        if made:
            return join_all(made)
        if value.kind == Kind.UNKNOWN and value.refs and value.refs <= self.trace.tensors:
            return self.view(value, node)
        if value.kind & Kind.UNKNOWN and value.refs:
            if key.const is not UNSURE and not any((a, OPEN) in self.state.store for a in value.refs):
                return self.current(self.piece(value, item_key(key.const)))
            if not any((a, ITEMS) in self.state.store for a in value.refs):
                return self.current(self.piece(value, ITEMS))
        return self.contents(value, node)

    def unplaced(self, address: int, name: object) -> Slot | None:
        """What may stand under a key of a container in which nothing was put there: any of its items where some, or all, have no places."""
        return self.state.anywhere((address, name)) if self.item_keys.get(address) else self.state.store.get((address, ITEMS))

    def make_item(self, address: int, key: Value, node: ast.AST) -> Value:
        """The item that a defaultdict makes for a key it lacks; of keys that are not known, one stands for all."""
        found = self.state.store.get((address, ITEMS))
        if isinstance(found, Value) and key.const is UNSURE:
            return self.current(found)
        factory = self.factories[address]
        if factory.kind & (Kind.CLASS | Kind.FUNCTION) and isinstance(node, ast.expr):
            item = self.call(factory, [], {}, node)
            self.live_as_long(item, frozenset((address,)))
        elif factory.names & {"builtins.list", "builtins.dict", "builtins.set"}:
            item = Value(Kind.CONTAINER, refs=frozenset((self.part(address, ("made", key.const if key.const is not UNSURE else None)),)))
        else:
            return NUMBER
        self.put(address, key, item)
        return item

    def live_as_long(self, item: Value, holders: frozenset[int]) -> None:
        """What a container is given where it lacks an item is as old as the container for all that comes later."""
        for inner in item.refs if item.kind & (Kind.CONTAINER | Kind.OBJECT) else ():
            self.born[inner] = tuple(t for t in self.born[inner] if any(t in self.born[a] for a in holders))

    def _index(self, value: Value, key: object) -> object:
        """A negative index counted from the front where the length is known."""
        if isinstance(key, int) and not isinstance(key, bool) and key < 0:
            for address in value.refs:
                length = self.state.store.get((address, LENGTH))
                if isinstance(length, Value) and isinstance(length.const, int):
                    return key + length.const
        return key

    def unpack(self, value: Value, count: int, node: ast.AST) -> list[Value]:
        """The values that a sequence of `count` targets gets."""
        return [self.element(value, constant(i), node) for i in range(count)]

    def length(self, value: Value) -> int | None:
        """How many items a container has, where it is known and the same for all it may be."""
        sizes = set()
        for address in value.refs:
            slot = self.state.store.get((address, LENGTH))
            sizes.add(slot.const if isinstance(slot, Value) else None)
        only = sizes.pop() if len(sizes) == 1 else None
        return only if isinstance(only, int) else None

    def may_be_empty(self, value: Value) -> bool:
        """Whether a path leaves a container without items that another has filled."""
        lengths = (self.state.store.get((address, LENGTH)) for address in value.refs)
        return any(isinstance(length, Value) and length.names >= NO_ITEMS.names for length in lengths)

    def open(self, values: Iterable[Value]) -> list[Value]:
        """Operands with the containers among them replaced by what they hold."""
        out: list[Value] = []
        for value in values:
            out += self.inside(value) if value.kind & (Kind.CONTAINER | Kind.OBJECT) else [value]
        return out

    def inside(self, value: Value, depth: int = 3) -> list[Value]:
        """The value, or all that a container holds, a few levels deep."""
        if value.kind & Kind.OBJECT and depth:
            return self.inside_record(value, depth) or [value]
        if not value.kind & Kind.CONTAINER or depth == 0:
            return [value]
        out: list[Value] = []
        self.spend(len(value.refs))
        sure, several = 0, len(value.refs) > 1
        for address in value.refs:
            start = len(out)
            slots = [self.state.store.get((address, name)) for name in self.item_keys.get(address, ())] or []
            found = [s for s in slots if isinstance(s, Value)]
            apart = len(found) == len(slots) and found and (address, OPEN) not in self.state.store
            if not apart:
                found = [s] if isinstance(s := self.state.store.get((address, ITEMS)), Value) else []
            self.spend(len(found))
            for item in told_apart(found):
                parts = self.inside(self.current(item), depth - 1)
                out += map(self.whole, parts) if not apart and self.holds_life(address) else parts
            sure += several and any(part.grad == Grad.LIVE for part in out[start:])
        if 0 < sure < len(value.refs):  # it is one of several containers, not all of them
            out = [part._replace(grad=Grad.LIVE | Grad.CUT) if part.grad == Grad.LIVE else part for part in out]
        return out if len(out) <= WIDEST else [join_all(out)]

    def holds_life(self, address: int) -> bool:
        """Whether something was put into a container that is surely live."""
        slot = self.state.store.get((address, LIVING))
        return isinstance(slot, int) and slot & 1 != 0

    def inside_record(self, value: Value, depth: int) -> list[Value]:
        """The fields of a dataclass or named tuple."""
        out: list[Value] = []
        for address in value.refs:
            cls = self.instances.get(address)
            if cls is not None and cls.is_record:
                fields = [s for name in cls.fields if isinstance(s := self.state.store.get((address, name)), Value)]
                out += [v for f in told_apart(fields) for v in self.inside(self.current(f), depth - 1)]
        return out

    @staticmethod
    def whole(item: Value) -> Value:
        """An item of a container that is used as a whole and holds something live: all items together are."""
        return item._replace(grad=item.grad & ~Grad.CUT) if item.grad & Grad.LIVE else item
