"""Watches the calls that show or record values, as `knowledge.sinks` lists them: each listed function or method is wrapped when its module is loaded.

Only calls that the program itself makes are told: what a library logs for itself is the library's business.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ...knowledge import sinks
from ..events import SinkCall
from ..run import Run

UNTOUCHED = {"warnings"}  # a wrapper would be the line that every warning names
DEEPER = {"logging"}  # a caller's line is looked up: each of our frames is one more to skip

LOGGING = (sinks.Role.LOG,)
Path = tuple[str, str]  # an attribute path below the module, and the name of the call


def install(run: Run) -> None:
    """Wraps the sinks of the modules that are loaded, and those of every module that is loaded later."""
    watch = Sinks(run)
    for module in list(watch.wanted):
        if module in sys.modules:
            watch.wrap_all(sys.modules[module], module)
    sys.meta_path.insert(0, Finder(watch))


class Finder(MetaPathFinder):
    """Finds nothing itself: it asks the others, and lets the sinks be wrapped once the module has run."""

    def __init__(self, watch: Sinks) -> None:
        self.watch = watch

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """The other finders' spec for a module that has sinks, its loader followed by our wrapping; None for any other."""
        if fullname not in self.watch.wanted:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None:
                self._follow(spec, fullname)
                return spec
        return None

    def _follow(self, spec: ModuleSpec, fullname: str) -> None:
        loader = spec.loader
        if loader is None or not hasattr(loader, "exec_module"):
            return
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            self.watch.wrap_all(module, fullname)

        loader.exec_module = exec_module  # type: ignore[method-assign]


class Sinks:
    """The sinks of the tables by module. `calls` are those that run now, innermost last: a text made meanwhile belongs to the last."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.wanted: dict[str, list[Path]] = {}
        for table in sinks.TABLES:
            for group in table:
                for owner in group.of.split():
                    self._want(owner, list(group.calls))

    def _want(self, owner: str, names: list[str]) -> None:
        # the owner is a module, or a module and a class in it; which one shows when the module is loaded
        parts = owner.split(".")
        if parts[0] in UNTOUCHED:
            return
        for cut in range(len(parts), 0, -1):
            self.wanted.setdefault(".".join(parts[:cut]), []).extend((".".join(parts[cut:]), name) for name in names)

    def wrap_all(self, module: ModuleType, module_name: str) -> None:
        """Wraps what `module` has of its sinks; what it lacks, another version has."""
        for inner, name in self.wanted.get(module_name, ()):
            owner: Any = module
            for part in filter(None, inner.split(".")):
                owner = inspect.getattr_static(owner, part, None)
            if owner is None or isinstance(owner, ModuleType) is bool(inner):
                continue
            sink = _look_up(module_name, inner, name)
            if sink is not None and (sink.role in LOGGING or sink.text):
                self._wrap(owner, name, sink)

    def _wrap(self, owner: Any, name: str, sink: sinks.Sink) -> None:
        original = inspect.getattr_static(owner, name, None)
        if original is None or hasattr(original, "__watched__"):
            return
        deeper = sink.name.partition(".")[0] in DEEPER
        skip = 0 if isinstance(owner, ModuleType) else 1
        if isinstance(original, classmethod):
            wrapped: Any = classmethod(self._watched(original.__func__, sink, 1, deeper))
        elif isinstance(original, staticmethod):
            wrapped = staticmethod(self._watched(original.__func__, sink, 0, deeper))
        elif isinstance(owner, type) or isinstance(owner, ModuleType):
            if isinstance(original, type):
                return
            wrapped = self._watched(original, sink, skip, deeper)
        else:
            wrapped = self._watched(getattr(owner, name), sink, 0, deeper)
        try:
            setattr(owner, name, wrapped)
        except (AttributeError, TypeError):
            # a type of C has no place for a wrapper: its sink stays unseen
            return

    def _watched(self, original: Callable[..., Any], sink: sinks.Sink, skip: int, deeper: bool) -> Callable[..., Any]:
        @functools.wraps(original, updated=())
        def watched(*args: Any, **kwargs: Any) -> Any:
            run, caller = self.run, sys._getframe(1)
            if deeper:
                kwargs = {**kwargs, "stacklevel": kwargs.get("stacklevel", 1) + 1}
            if run.busy or not run.program.owns(caller.f_code):
                return original(*args, **kwargs)
            call = self._call(sink, args[skip:], kwargs, caller)
            run.sinks.append(call)
            try:
                return original(*args, **kwargs)
            finally:
                run.sinks.remove(call)
                with run.aside():
                    run.emit(call)
                del call

        watched.__watched__ = True  # type: ignore[attr-defined]
        return watched

    def _call(self, sink: sinks.Sink, args: tuple[Any, ...], kwargs: dict[str, Any], caller: Any) -> SinkCall:
        values = [v for i, v in enumerate(args) if sink.takes(i)] + [v for k, v in kwargs.items() if sink.takes(k)]
        template, fields = None, ()
        if sink.template is not None and len(args) > sink.template:
            template, fields = args[sink.template], args[sink.template + 1 :]
        direct = sink.role in LOGGING
        deep = sink.inner in LOGGING
        site = self.run.program.site(caller)
        return SinkCall(sink.name, sink.does, site, values if direct or sink.text else [], deep, sink.text, template, fields, [])


def _look_up(module: str, inner: str, name: str) -> sinks.Sink | None:
    if inner or module in ("sys.stdout", "sys.stderr"):
        return sinks.of_method(f"{module}.{inner}" if inner else module, name)
    return sinks.of_function(name if module == "builtins" else f"{module}.{name}")

