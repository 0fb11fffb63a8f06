"""Methods of lists, dicts, sets, deques and texts.

Here: what they take in and give out. Not here: how containers are kept (containers).
"""

from __future__ import annotations

import ast
from typing import Final

from flake8_detach.value import (
    NONE,
    NUMBER,
    OTHER,
    TEXT,
    UNSURE,
    Grad,
    Kind,
    Value,
    constant,
    join,
    join_all,
)

from .containers import NO_ITEMS, item_key
from .networks import Networks
from .state import ITEMS, LENGTH, LIVING, OPEN

CONTAINER_ADDS: Final = frozenset("append appendleft add put push".split())


class Collections(Networks):
    """Evaluates methods of containers and texts."""

    visiting: ast.Call | None = None  # the `d.items()` of a loop that does the same with all items

    def container_method(self, receiver: Value, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Methods of list, dict, set and deque."""
        if name in CONTAINER_ADDS and args:
            self.store_item(receiver, None, args[-1], node)
            return NONE
        if name == "insert" and len(args) > 1:
            self.store_item(receiver, None, args[1], node)
            self.shift(receiver)
            return NONE
        if name in ("reverse", "sort", "remove"):
            self.shift(receiver)
            return NONE
        if name in ("extend", "update", "extendleft", "__iadd__"):
            self.extend(receiver, args, keywords, node)
            return NONE
        if name in ("items", "values", "keys", "pop", "popleft", "get", "setdefault", "copy", "popitem"):
            return self.read_container(receiver, name, args, node)
        if name == "clear":
            for address in receiver.refs:
                self.state.delete((address, ITEMS))
                self.state.delete((address, LIVING))
                self.state.write((address, LENGTH), NO_ITEMS)
            self.shift(receiver)
            return NONE
        if name in ("index", "count", "__len__"):
            return NUMBER
        if receiver.kind & Kind.UNKNOWN:
            return self.unknown_method(receiver, name, args, keywords, node)
        return OTHER

    def shift(self, receiver: Value) -> None:
        """The items of a list are at other places from now on: any may be anywhere."""
        for address in receiver.refs:
            for name in self.item_keys.get(address, ()):
                self.state.delete((address, name))
            self.state.write((address, OPEN), 1)

    def extend(self, receiver: Value, args: list[Value], keywords: dict[str, Value], node: ast.Call) -> None:
        """list.extend(xs), dict.update(d, k=v)."""
        for value in args:
            if value.kind & (Kind.CONTAINER | Kind.UNKNOWN | Kind.OBJECT) and self.pairs_known(value):
                for key, item in self.pairs(value, node):
                    self.store_item(receiver, key if isinstance(key.const, str) else None, item, node)
            else:
                self.store_item(receiver, None, self.contents(value, node), node)
        for name, item in keywords.items():
            if any(a in self.instances for a in receiver.refs):  # self.__dict__.update(...)
                for address in receiver.refs:
                    self.set_field(address, name, item)
            else:
                self.store_item(receiver, constant(name), item, node)

    def pairs_known(self, value: Value) -> bool:
        return any(self.item_keys.get(a) for a in value.refs) or any(self.fields.get(a) for a in value.refs if a in self.instances)

    def read_container(self, receiver: Value, name: str, args: list[Value], node: ast.Call) -> Value:
        """What dict and list methods take out."""
        if name == "items":
            pairs = self.pairs(receiver, node)
            key = pairs[0][0] if len(pairs) == 1 else TEXT
            found = [v for _, v in pairs]
            return self.tuple_of(node, self.pair(node, key, self.met(found) if node is self.visiting else join_all(found)), None)
        if name == "values":
            found = [v for _, v in self.pairs(receiver, node)]
            return self.row(node, found) if len(found) > 1 else self.tuple_of(node, join_all(found), None)
        if name == "keys":
            return self.tuple_of(node, TEXT, None)
        if name == "copy":
            return self.copied(receiver, node)
        if name in ("get", "setdefault") and args:
            return self.looked_up(receiver, name, args, node)
        key = args[0] if args and name == "pop" else NUMBER
        out = self.element(receiver, key, node)
        if name in ("pop", "popleft"):
            self.take_out(receiver, key)
        if name == "popleft" or (key.kind == Kind.NUMBER and key is not NUMBER and key.const != -1):
            self.shift(receiver)
        return out

    @staticmethod
    def met(items: list[Value]) -> Value:
        """What a loop over all of these meets: where one of them is surely live, a live one."""
        out = join_all(items)
        surely = any(v.grad == Grad.LIVE and v.kind == Kind.TENSOR for v in items)
        return out._replace(grad=out.grad & ~Grad.CUT) if surely else out

    def looked_up(self, receiver: Value, name: str, args: list[Value], node: ast.Call) -> Value:
        """dict.get(k, default), dict.setdefault(k, default)."""
        default = args[1] if len(args) > 1 else NONE
        if name == "setdefault":
            key = args[0].const
            there = [s for a in receiver.refs if key is not UNSURE and isinstance(s := self.state.store.get((a, item_key(key))), Value)]
            self.keep_earlier(default)
            if there:
                return self.current(join_all(there))
            for address in receiver.refs:
                self.put(address, args[0], default)
            self.mappings |= receiver.refs if not receiver.kind & Kind.UNKNOWN else set()
            self.live_as_long(default, receiver.refs)
            return self.element(receiver, args[0], node)
        found = self.element(receiver, args[0], node)
        return join(found, default) if found.kind != Kind.OTHER else default

    def keep_earlier(self, default: Value) -> None:
        """setdefault(k, Thing()): an object that the place made before is the one that stays."""
        for address in default.refs:
            for name, old in self.earlier.get(address, ()):
                new = self.state.store.get((address, name))
                self.state.write((address, name), join(old, new) if isinstance(new, Value) else old)

    def text_method(self, receiver: Value, name: str, node: ast.Call) -> Value:
        """str.format of a 0-dim tensor shows the number; a text is known by the template that makes it."""
        if name == "format" and isinstance(receiver.const, str):
            return TEXT._replace(names=frozenset((receiver.const,)))
        if name in ("split", "splitlines"):
            return self.tuple_of(node, TEXT, None)
        return TEXT if name not in ("count", "find", "index", "startswith", "endswith", "isdigit") else NUMBER
