"""The table of torch's operators, derived from the tables that torch itself is generated from.

    python -m flake8_detach.runtime.operators          writes flake8_detach/knowledge/operators.txt anew
    python -m flake8_detach.runtime.operators --print  prints it instead

Here: the only reader of `native_functions.yaml`, `tags.yaml` and `derivatives.yaml`, which the torch wheel carries in its package torchgen, and
of the type promotion that torch's reference implementations (torch._refs) declare. Not here: what the rows mean for the linter
(knowledge/operators reads them). Facts that the files do not hold (composite operators, functions written in Python) are not guessed: such
an operator has outputs `?` and no saves.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

TABLE: Final = Path(__file__).parent.parent / "knowledge" / "operators.txt"
MODULES: Final = {"nn": "nn.functional.", "linalg": "linalg.", "fft": "fft.", "special": "special."}
"""`python_module` of native_functions.yaml -> the module's name below torch; other modules are not spelled in Python code."""

SHAPES: Final = (
    r"\b(?:zeros_like|to_args_sizes|to_args_sizes_symint|to_args_scalartypes|TensorGeometry)\({0}\)|\b{0}(?:\.|->)(?:sizes|sym_sizes|options|numel"
    r"|sym_numel|scalar_type|dim|strides|sym_strides|layout|is_conj|sym_blocksize|requires_grad)\(\)|\b{0}(?:\.|->)(?:size|sym_size)\(-?\w+\)"
)
"""Parts of a formula that need a tensor's shape or type only, which are kept instead of the tensor (`saved_variables` in torch's generator)."""

REFERENCES: Final = {"__init__.py": "", "special/__init__.py": "special.", "nn/functional/__init__.py": "nn.functional.", "linalg/__init__.py": "linalg."}
"""Files of torch._refs, and the module whose functions each is the reference of."""

HEAD: Final = "# Made from the tables of torch {} by `python -m flake8_detach.runtime.operators`: name, flags, outputs, fields, tensors, saves."


class Derivative(NamedTuple):
    """One entry of derivatives.yaml: the formula for each input (and for forward mode, each output); which outputs are differentiable."""

    formulas: dict[str, str]
    outputs: list[bool] | None


class Overload(NamedTuple):
    """What the tables say of one overload of an operator."""

    flags: frozenset[str]
    outputs: str
    fields: tuple[str, ...]  # the names of the outputs in a named tuple
    parameters: tuple[str, ...]
    tensors: frozenset[str]  # those parameters that are tensors
    saves: dict[str, frozenset[str]]  # differentiable input -> what is kept when it is live; with `?` where that depends
    known: bool  # whether derivatives.yaml has it


def table() -> str:
    """The whole table, as the file holds it."""
    import torch

    rows = defaultdict[str, list[Overload]](list)
    functions, derivatives = _read()
    for function in functions:
        overload = _overload(function, derivatives)
        for name in _spellings(function):
            rows[name].append(overload)
    release = torch.__version__.partition("+")[0]
    floats = _floats()
    return "\n".join([HEAD.format(release), *(_row(name, rows[name], name.removesuffix("_") in floats) for name in sorted(rows))]) + "\n"


def _floats() -> set[str]:
    """The operators whose reference says that of integers they give floats: the decorator names the promotion INT_TO_FLOAT."""
    import torch._refs

    root, found = Path(torch._refs.__file__).parent, set[str]()
    for file, module in REFERENCES.items():
        for node in ast.parse((root / file).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and any("INT_TO_FLOAT" in ast.unparse(d) for d in node.decorator_list):
                found.add(module + node.name)
    return found


def _read() -> tuple[list[Any], dict[str, Derivative]]:
    import torchgen
    import yaml
    from torchgen.gen import parse_native_yaml

    packaged = Path(torchgen.__file__).parent / "packaged"
    native = packaged / "ATen" / "native"
    functions = parse_native_yaml(str(native / "native_functions.yaml"), str(native / "tags.yaml")).native_functions
    entries = yaml.safe_load((packaged / "autograd" / "derivatives.yaml").read_text(encoding="utf-8"))
    return functions, {name: derivative for entry in entries for name, derivative in [_derivative(entry)]}


def _derivative(entry: dict[str, Any]) -> tuple[str, Derivative]:
    given = entry.get("dispatch", {}).get("Default", entry)
    formulas = {key: str(formula) for keys, formula in given.items() for key in keys.replace(" ", "").split(",")}
    outputs = entry.get("output_differentiability")
    return entry["name"].partition("(")[0], Derivative(formulas, None if outputs is None else [word is not False for word in outputs])


def _spellings(function: Any) -> Iterator[str]:
    """How Python code spells an operator: the function's name below torch, or the method's bare name, which mostly are the same.

    Not listed: private ones, backward formulas, `out=` variants, variants that torch generates, and those with names of dimensions.
    """
    name = str(function.func.name.name)
    if name.startswith("_") or "_backward" in name or function.func.kind().name == "out" or "generated" in function.tags:
        return
    if any("Dimname" in str(a.type) for a in function.func.arguments.flat_all):
        return
    module = function.python_module
    if module is None:
        yield name
    elif module in MODULES:
        yield MODULES[module] + name.removeprefix(module + "_")


def _overload(function: Any, derivatives: dict[str, Derivative]) -> Overload:
    schema = function.func
    inplace = schema.kind().name == "inplace"
    name = str(schema.name)
    composite = function.has_composite_implicit_autograd_kernel
    derivative = derivatives.get(name) or (derivatives.get(_functional(name)) if inplace else None)
    if composite:  # a formula, if there is one, is for nested tensors and other backends
        derivative = None
    parameters = tuple(a.name for a in schema.arguments.flat_all)
    tensors = [a.name for a in schema.arguments.flat_all if a.type.is_tensor_like()]
    formulas = {i: f for i, f in derivative.formulas.items() if i in tensors and f != "non_differentiable"} if derivative else {}
    results = _results(schema)
    saves = {i: _saved(f, tensors, results, original=inplace) for i, f in formulas.items()}
    marks = _marks(schema, formulas, derivative, composite)
    fields = tuple(r.name or "-" for r in schema.returns) if len(schema.returns) > 1 else ()
    return Overload(_flags(function, schema, inplace), _outputs(schema, marks), fields, parameters, frozenset(tensors), saves, derivative is not None)


def _functional(name: str) -> str:
    """The out-of-place operator whose formula an in-place one has: `mul_.Tensor` -> `mul.Tensor`."""
    base, dot, overload = name.partition(".")
    return base.removesuffix("_") + dot + overload


def _flags(function: Any, schema: Any, inplace: bool) -> frozenset[str]:
    found = set()
    if inplace:
        found.add("inplace")
        if "inplace_view" in function.tags:
            found.add("metadata")
    elif function.is_view_op:
        found.add("split" if any(r.type.is_list_like() for r in schema.returns) else "view")
    if not any(a.type.is_tensor_like() for a in schema.arguments.flat_all):
        found.add("creates")
    return frozenset(found)


def _outputs(schema: Any, marks: str) -> str:
    """The outputs as the table has them: a mark for each tensor, with a star for a list of tensors; `-` for what is no tensor."""
    marked = zip(marks, schema.returns)
    return "".join((m if r.type.is_tensor_like() else "-") + "*" * bool(r.type.is_list_like()) for m, r in marked) or "-"


def _marks(schema: Any, formulas: dict[str, str], derivative: Derivative | None, composite: bool) -> str:
    """For each output: T differentiable; F not; N an operator without any formula; `?` a composite one, of which the tables tell nothing."""
    count = len(schema.returns)
    if derivative is None:
        return ("?" if composite else "N") * count
    if derivative.outputs is not None:
        return "".join("T" if word else "F" for word in derivative.outputs)
    if not formulas:
        return "F" * count
    if count == 1 or any(re.search(r"\bgrads\b|\bgrad_(?!input)\w+", f) for f in formulas.values()):
        return "T" * count
    return "T" + "F" * (count - 1)  # a formula of `grad` alone: the first output's


def _results(schema: Any) -> dict[str, str]:
    """The names that a formula may use for the outputs -> result, result1 ..."""
    out = {"result": "result"} if len(schema.returns) == 1 else {}
    for index, given in enumerate(schema.returns):
        place = f"result{index or ''}"
        out[f"result{index}"] = place
        if given.name:
            out[given.name] = place
    return out


def _saved(formula: str, tensors: list[str], results: dict[str, str], original: bool) -> frozenset[str]:
    """What a formula keeps; where it hangs on a condition, with a question mark. In place, the operand as it was is kept as a copy."""
    formula = re.sub(r'not_implemented\([^)]*\)|"[^"]*"', "", formula) if not formula.startswith('"') else formula
    found = set()
    for name in [*tensors, *results]:
        if name == "self" and original:
            continue
        rest = re.sub(SHAPES.format(re.escape(name)), "", formula)
        wrapped = re.sub(rf"wrap_opt_if\({re.escape(name)},", "", rest)
        if re.search(rf"(?<![\w.>]){re.escape(name)}\b(?!\()", wrapped):
            found.add(results.get(name, name))
        elif wrapped != rest:
            found.add(results.get(name, name) + "?")
    return frozenset(found)


def _row(name: str, overloads: Iterable[Overload], floats: bool) -> str:
    given = list(overloads)
    counts = {len(o.outputs) for o in given if o.known and "T" in o.outputs}  # an overload without a formula is made of one that has one
    telling = [o for o in given if o.known or len(o.outputs) not in counts]
    flags = set[str]().union(*(o.flags for o in given)) - ({"creates"} if any(o.tensors for o in given) else set())
    flags |= {"floats"} if floats else set()
    fields = next((o.fields for o in given if set(o.fields) - {"-"}), ())
    outputs = "|".join(sorted({o.outputs for o in telling}, key=lambda text: (len(text), text)))
    formulas = [o for o in given if o.saves]
    longest = max(formulas or given, key=lambda o: len(o.saves)).parameters
    saves = ";".join(f"{i}:{','.join(kept)}" for i in _inputs(formulas) if (kept := _kept(i, formulas)))
    return "\t".join((name, ",".join(sorted(flags)) or "-", outputs, ",".join(fields) or "-", ",".join(longest) if saves else "-", saves or "-"))


def _inputs(overloads: list[Overload]) -> list[str]:
    return sorted({i for o in overloads for i in o.saves})


def _kept(name: str, overloads: list[Overload]) -> list[str]:
    """What all overloads that can keep a thing keep of it for one input; what only some of them keep has a question mark."""
    concerned = [o for o in overloads if name in o.saves]
    things = {thing.removesuffix("?") for o in concerned for thing in o.saves[name]}
    out = []
    for thing in sorted(things):
        able = [o for o in concerned if thing.startswith("result") or thing in o.tensors]
        out.append(thing if all(thing in o.saves[name] for o in able) else thing + "?")
    return out


def main() -> None:
    """Writes or prints the table."""
    if "--print" in sys.argv[1:]:
        sys.stdout.write(table())
    else:
        TABLE.write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    main()
