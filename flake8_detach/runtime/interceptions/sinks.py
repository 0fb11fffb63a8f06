"""Watches the calls that show or record values, as `knowledge.sinks` lists them: each function or method is wrapped when its module is
loaded.

Only calls that the program itself makes are told: what a library logs for itself is the library's business.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any

from ...knowledge import sinks
from ..events import SinkCall
from ..run import Run

UNTOUCHED = frozenset({"warnings"})  # a wrapper would be the line that every warning names
DEEPER = frozenset({"logging"})  # it looks up the caller's line: each of our frames is one more to skip


def install(run: Run) -> None:
    """Wraps the sinks of the modules that are loaded, and those of every module that is loaded later."""
    watch = Sinks(run)
    for name in wanted():
        if name in sys.modules:
            watch.wrap_all(sys.modules[name], name)
    sys.meta_path.insert(0, Finder(watch))


class Finder(MetaPathFinder):
    """Finds nothing itself: it asks the others, and has the sinks wrapped once the module has run."""

    def __init__(self, watch: Sinks) -> None:
        self.watch = watch

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """The other finders' spec for a module that has sinks, its loader followed by our wrapping; None for any other."""
        if fullname not in wanted():
            return None
        found = (finder.find_spec(fullname, path, target) for finder in sys.meta_path if finder is not self)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None and hasattr(spec.loader, "exec_module"):
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                self.watch.wrap_all(module, fullname)

            setattr(spec.loader, "exec_module", exec_module)  # noqa: B010 (see modules)
        return spec


class Sinks:
    """Wraps sinks for a run."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def wrap_all(self, module: ModuleType, module_name: str) -> None:
        """Wraps what `module` has of its sinks; what it lacks, another version has."""
        for inner, name, sink in wanted()[module_name]:
            owner: Any = module
            for part in filter(None, inner.split(".")):
                owner = inspect.getattr_static(owner, part, None)
            if owner is not None and isinstance(owner, ModuleType) is not bool(inner):
                self._wrap(owner, name, sink)

    def _wrap(self, owner: Any, name: str, sink: sinks.Sink) -> None:
        original = inspect.getattr_static(owner, name, None)
        if original is None or isinstance(original, type) or hasattr(original, "__watched__"):
            return
        wrapped: Any
        if isinstance(original, (classmethod, staticmethod)):
            bound = isinstance(original, classmethod)
            wrapped = type(original)(self._watched(original.__func__, sink, bound))
        elif isinstance(owner, (type, ModuleType)):
            wrapped = self._watched(original, sink, isinstance(owner, type))
        else:
            wrapped = self._watched(getattr(owner, name), sink, False)
        try:
            setattr(owner, name, wrapped)
        except (AttributeError, TypeError):
            # a type written in C has no place for a wrapper: this sink stays unseen
            return

    def _watched(self, original: Callable[..., Any], sink: sinks.Sink, bound: bool) -> Callable[..., Any]:
        run, deeper = self.run, sink.name.partition(".")[0] in DEEPER

        @functools.wraps(original, updated=())
        def watched(*args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1)
            if deeper:
                kwargs = {**kwargs, "stacklevel": kwargs.get("stacklevel", 1) + 1}
            if run.busy or not run.program.owns(caller.f_code):
                return original(*args, **kwargs)
            call = self._call(sink, args[bound:], kwargs, caller)
            run.sinks.append(call)
            try:
                return original(*args, **kwargs)
            finally:
                run.sinks.pop()
                with run.aside():
                    run.emit(call)

        setattr(watched, "__watched__", True)  # noqa: B010 (see modules)
        return watched

    def _call(self, sink: sinks.Sink, args: tuple[Any, ...], kwargs: dict[str, Any], caller: FrameType) -> SinkCall:
        given: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
        values = [value for argument, value in given if sink.takes(argument)]
        template: Any = None
        fields: tuple[Any, ...] = ()
        if sink.template is not None and len(args) > sink.template:
            template, fields = args[sink.template], args[sink.template + 1 :]
        site = self.run.program.site(caller)
        direct, deep = sink.role is sinks.Role.LOG, sink.inner is sinks.Role.LOG
        return SinkCall(sink.name, sink.does, site, values, direct, deep, sink.text, template, fields)


@functools.cache
def wanted() -> dict[str, list[tuple[str, str, sinks.Sink]]]:
    """The sinks that show or record, by module: the road from the module to their owner, their name, and what is known of them."""
    found: dict[str, list[tuple[str, str, sinks.Sink]]] = {}
    owners = ((owner.split("."), name) for table in sinks.TABLES for group in table for owner in group.of.split() for name in group.calls)
    for parts, name in owners:
        # the owner is a module, or a module and a class in it: which of them, the modules that are loaded will show
        for cut in range(len(parts), 0, -1) if parts[0] not in UNTOUCHED else ():
            module, inner = ".".join(parts[:cut]), ".".join(parts[cut:])
            sink = _look_up(module, inner, name)
            if sink is not None and (sink.role is sinks.Role.LOG or sink.text):
                found.setdefault(module, []).append((inner, name, sink))
    return found


def _look_up(module: str, inner: str, name: str) -> sinks.Sink | None:
    owner = f"{module}.{inner}" if inner else module
    if inner:
        return sinks.of_method(owner, name)
    return sinks.of_function(name if module == "builtins" else f"{module}.{name}")
