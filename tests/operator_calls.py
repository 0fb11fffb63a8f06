"""The entries of PyTorch's own operator database, spelled as program text and run: what torch makes of every one of them.

Here: samples of op_db -> lines of source, the operands as torch sees them, and the facts of what came out. Not here: what the linter believes
of the same lines (test_knowledge). The operands' lines are text for the linter; torch gets the database's own tensors, of which they say the
truth: shape, strides, dtype, and whether they require grad and are leaves.
"""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import torch
from torch.testing._internal.common_methods_invocations import op_db

MODES: Final[dict[str, Callable[[], contextlib.AbstractContextManager[Any]]]] = {
    "enable_grad": torch.enable_grad,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
}
SYMBOLS: Final = {
    "add": "+", "sub": "-", "mul": "*", "matmul": "@", "mod": "%", "pow": "**", "lshift": "<<", "rshift": ">>", "and_": "&", "or_": "|",
    "xor": "^", "eq": "==", "ne": "!=", "ge": ">=", "gt": ">", "le": "<=", "lt": "<",
}
REFLECTED: Final = {
    "__radd__": "+", "__rsub__": "-", "__rmul__": "*", "__rmatmul__": "@", "__rmod__": "%", "__rpow__": "**", "__rdiv__": "/",
    "__rand__": "&", "__ror__": "|", "__rxor__": "^",
}
REORDERED: Final = {
    "where": "torch.where({1}, {0}, {2})",
    "nn.functional.embedding": "torch.nn.functional.embedding({1}, {0}{rest})",
    "nn.functional.embedding_bag": "torch.nn.functional.embedding_bag({1}, {0}{rest})",
    "polygamma": "torch.polygamma({1}, {0})",
    "special.polygamma": "torch.special.polygamma({1}, {0})",
    "einsum": "torch.einsum({1}, *{0})",
    "T": "{0}.T", "H": "{0}.H", "mT": "{0}.mT", "mH": "{0}.mH", "__getitem__": "{0}[{1}]",
    "randn": "torch.randn(*{0})", "zeros": "torch.zeros({0})", "ones": "torch.ones({0})", "empty": "torch.empty({0})",
}
"""Entries that the database calls through a wrapper of its own, as programs spell them."""


class Fact(NamedTuple):
    """What one object is: `place` is how the program names it; `same` and `shares` name the operands that it is, and whose storage it shares."""

    place: str
    kind: str
    live: bool = False
    leaf: bool = False
    integer: bool = False
    same: frozenset[str] = frozenset()
    shares: frozenset[str] = frozenset()


class Call(NamedTuple):
    """One call under one grad mode: its lines, what torch made, and the operands that it wrote to."""

    entry: str
    operands: tuple[str, ...]  # one line each
    mode: str
    text: str
    facts: tuple[Fact, ...]
    written: frozenset[str]


class Spelled(NamedTuple):
    """A sample as text: the statement, the operands by name, and whether the first is written to."""

    text: str
    tensors: dict[str, torch.Tensor]
    inplace: bool


class Unspellable(Exception):
    """An argument that no short program text makes: a function, a sparse tensor."""


class Writer:
    """Turns the arguments of a sample into text; its tensors get names."""

    def __init__(self) -> None:
        self.tensors: dict[str, torch.Tensor] = {}

    def text(self, value: object) -> str:
        if isinstance(value, torch.Tensor):
            return self._name(value)
        if isinstance(value, (list, tuple)):
            inside = [self.text(item) for item in value]
            return f"[{', '.join(inside)}]" if isinstance(value, list) else f"({', '.join(inside)}{',' * (len(inside) == 1)})"
        if isinstance(value, float) and (value != value or abs(value) == float("inf")):
            return f"float('{value}')"
        if value is None or value is Ellipsis or isinstance(value, (bool, int, float, complex, str)):
            return "..." if value is Ellipsis else repr(value)
        if isinstance(value, (torch.dtype, torch.memory_format, torch.layout)):
            return str(value)
        if isinstance(value, torch.device):
            return repr(str(value))
        if isinstance(value, slice):
            return f"slice({self.text(value.start)}, {self.text(value.stop)}, {self.text(value.step)})"
        raise Unspellable(type(value).__name__)

    def _name(self, tensor: torch.Tensor) -> str:
        if tensor.layout != torch.strided or tensor.is_quantized:
            raise Unspellable(str(tensor.layout))
        name = f"x{len(self.tensors)}"
        self.tensors[name] = tensor
        return name


def spellings(entry: Any, sample: Any) -> Iterator[Spelled]:
    """The ways in which programs call an entry: function, method, operator, in-place forms, and under its other names."""
    given = (sample.input, *sample.args)
    name = entry.name
    if name in REORDERED:
        rest = "".join(f", {{{n}}}" for n in range(2, len(given)))
        template = REORDERED[name].replace("{rest}", rest)
        if template.count("{") >= min(len(given), 2) or len(given) == 1:
            yield from _spelled(template, given, sample.kwargs)
        if name not in ("where", "zeros"):
            return
    every = "".join(f", {{{n}}}" for n in range(1, len(given)))
    for one in (entry, *entry.aliases):
        if _found(one.name) is not None:
            yield from _spelled(f"torch.{one.name}({{0}}{every})", given, sample.kwargs, one.name.endswith("_"))
        last = one.name.rpartition(".")[2]
        if isinstance(sample.input, torch.Tensor):
            if hasattr(torch.Tensor, last) and not last.startswith("__") and (one.method_variant is not None or _found(one.name) is None):
                yield from _spelled(f"{{0}}.{last}({every[2:]})", given, sample.kwargs, last.endswith("_"))
            if one.inplace_variant is not None and hasattr(torch.Tensor, last + "_"):
                yield from _spelled(f"{{0}}.{last}_({every[2:]})", given, sample.kwargs, True)
            if one.inplace_variant is not None and _found(one.name + "_") is not None:
                yield from _spelled(f"torch.{one.name}_({{0}}{every})", given, sample.kwargs, True)
            if name.startswith("nn.functional.") and one.inplace_variant is not None and "inplace" not in sample.kwargs:
                yield from _spelled(f"torch.{name}({{0}}{every}, inplace=True)", given, sample.kwargs, True)
    if isinstance(sample.input, torch.Tensor) and not sample.kwargs:
        yield from _operators(entry, given)


def _operators(entry: Any, given: tuple[Any, ...]) -> Iterator[Spelled]:
    """The entry as an operator of the language."""
    variant = getattr(entry.operator_variant, "__name__", "")
    if entry.name in REFLECTED and len(given) == 2:
        yield from _spelled(f"{{1}} {REFLECTED[entry.name]} {{0}}", given, {})
    if variant in SYMBOLS and len(given) == 2:
        yield from _spelled(f"{{0}} {SYMBOLS[variant]} {{1}}", given, {})
    if variant in SYMBOLS and len(given) == 2 and entry.inplace_operator_variant is not None:
        yield from _spelled(f"{{0}} {SYMBOLS[variant]}= {{1}}", given, {}, True)
    for name, text in (("neg", "-{0}"), ("invert", "~{0}"), ("abs", "abs({0})")):
        if variant == name:
            yield from _spelled(text, given, {})


def _spelled(template: str, given: tuple[Any, ...], keywords: dict[str, Any], inplace: bool = False) -> Iterator[Spelled]:
    writer = Writer()
    try:
        positional = [writer.text(value) for value in given]
        named = [f"{key}={writer.text(value)}" for key, value in keywords.items()]
    except Unspellable:
        return
    if named:
        head, _, tail = template.rpartition(")")
        template = f"{head}{'' if head.endswith('(') else ', '}{', '.join(named).replace('{', '{{').replace('}', '}}')}){tail}"
    text = template.format(*positional)
    yield Spelled(text if inplace and "= " in template and "(" not in template else f"r = {text}", writer.tensors, inplace)


def _found(name: str) -> Any:
    """torch.<name>, or None."""
    found: Any = torch
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def samples(entry: Any, dtype: torch.dtype, count: int) -> Iterator[Any]:
    """The first samples that differ in the kinds of their arguments and in the dimensions of their tensors."""
    supported = entry.supported_dtypes("cpu")
    if dtype == torch.float32 and dtype not in supported and torch.complex64 in supported:
        dtype = torch.complex64
    if dtype not in supported:
        return
    seen = set()
    grad = entry.supports_autograd and (dtype.is_floating_point or dtype.is_complex)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in itertools.islice(entry.sample_inputs("cpu", dtype, requires_grad=grad), 8 * count):
            key = str([_shape(value) for value in (sample.input, *sample.args)]) + str({k: _shape(v) for k, v in sample.kwargs.items()})
            if key not in seen:
                seen.add(key)
                yield sample
            if len(seen) == count:
                return


def _shape(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return value.dim(), value.numel() > 0
    return [_shape(item) for item in value] if isinstance(value, (list, tuple)) else type(value).__name__


def calls(entry: Any, dtype: torch.dtype, count: int) -> Iterator[Call]:
    """Every spelling of the samples of an entry, with and without gradients, under every grad mode, as far as torch runs it."""
    name = f"{entry.name}{'/' * bool(entry.variant_test_name)}{entry.variant_test_name} {str(dtype)[6:]}"
    for sample in samples(entry, dtype, count):
        for spelled in spellings(entry, sample):
            floats = [n for n, t in spelled.tensors.items() if t.requires_grad]
            for live in dict.fromkeys((frozenset(floats), frozenset(floats[:1]), frozenset(floats[-1:]), frozenset[str]())):
                for mode in MODES:
                    with contextlib.suppress(Exception):  # torch refuses: a leaf written in place, a dtype without an implementation
                        yield run(name, spelled, live, mode)


def run(entry: str, spelled: Spelled, live: frozenset[str], mode: str) -> Call:
    """Runs one call. Raises what torch raises."""
    names = spelled.tensors
    namespace: dict[str, Any] = {"torch": torch}
    lines = []
    for name, tensor in names.items():
        own = tensor.detach()
        own = own.clone() if spelled.inplace else own
        own.requires_grad_(name in live)
        changed = spelled.inplace and name == "x0"
        namespace[name] = own.clone() if changed else own
        lines.append(f"{name} = {_made(own, name in live)}{'.clone()' * changed}")
    before = {name: namespace[name]._version for name in names}
    operands = dict(namespace)
    torch.manual_seed(0)
    with warnings.catch_warnings(), MODES[mode]():
        warnings.simplefilter("ignore")
        exec(compile(spelled.text, "operator", "exec"), namespace)
    written = frozenset(name for name in names if operands[name]._version != before[name])
    results = _facts("r", namespace["r"], {n: operands[n] for n in names}) if "r" in namespace else ()
    after = tuple(_fact(name, namespace[name], {}) for name in names)
    return Call(entry, tuple(lines), mode, spelled.text, (*results, *after), written)


def _made(tensor: torch.Tensor, live: bool) -> str:
    """An expression that makes a tensor like this one."""
    shape, dtype = tuple(tensor.shape), "" if tensor.dtype == torch.float32 else f", dtype={tensor.dtype}"
    flag = ", requires_grad=True" if live else ""
    if not tensor.is_contiguous():
        return f"torch.empty_strided({shape}, {tuple(tensor.stride())}{dtype}{flag})"
    return f"torch.zeros({shape}{dtype}{flag})"


def _facts(place: str, value: object, operands: dict[str, torch.Tensor], depth: int = 2) -> tuple[Fact, ...]:
    """The facts of a result, and of the items of one that is a container."""
    own = _fact(place, value, operands)
    if own.kind != "container" or not depth:
        return (own,)
    items = tuple(value)[:4] if isinstance(value, (tuple, list)) else ()
    inside = [fact for n, item in enumerate(items) for fact in _facts(f"{place}[{n}]", item, operands, depth - 1)]
    fields = dict.fromkeys(n for n in dir(value) if n in FIELDS) if isinstance(value, tuple) and type(value) is not tuple else ()
    named = [_fact(f"{place}.{n}", getattr(value, n), operands) for n in fields]
    return (own, *inside, *named)


FIELDS: Final = frozenset("values indices Q R U S Vh V sign logabsdet eigenvalues eigenvectors solution residuals L LU pivots P min max".split())


def _fact(place: str, value: object, operands: dict[str, torch.Tensor]) -> Fact:
    if isinstance(value, torch.Tensor):
        return Fact(
            place,
            "tensor",
            value.requires_grad,
            value.is_leaf,
            not (value.dtype.is_floating_point or value.dtype.is_complex),
            frozenset(n for n, t in operands.items() if t is value),
            frozenset(n for n, t in operands.items() if _address(t) == _address(value) != 0),
        )
    if isinstance(value, (bool, int, float, complex)):
        return Fact(place, "number")
    if isinstance(value, (tuple, list, dict)):
        return Fact(place, "container")
    return Fact(place, "text" if isinstance(value, str) else "none" if value is None else "other")


def _address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata if tensor.layout == torch.strided else 0


__all__ = ["MODES", "Call", "Fact", "calls", "op_db"]
