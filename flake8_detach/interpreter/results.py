"""What an operation gives beside one tensor that derives: several outputs, a dtype, perhaps the operand itself.

Here: Effects whose meaning hangs on the operation's name or on its arguments. Not here: the facts (knowledge/outputs), live and cut (effects).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from flake8_detach.knowledge import outputs
from flake8_detach.knowledge.operations import Effect
from flake8_detach.value import EMPTY, NONE, DType, Grad, Kind, Leaf, Value, join, join_all

from .containers import Containers


class Results(Containers):
    """Results of operations by their names."""

    def result(self, name: str, effect: str, operands: Sequence[Value], node: ast.expr, given: Sequence[Value], keywords: dict[str, Value]) -> Value:
        """The result of a torch operation of this name and Effect; `given` are its arguments as they stand in the call."""
        if effect == Effect.ROW:
            return self.several_outputs(outputs.of(name), operands, node, keywords)
        if name in outputs.AT_LEAST and given:
            effect = Effect.VIEWS if len(given) > 1 or given[0].kind & Kind.CONTAINER else Effect.VIEW
        if effect == Effect.VIEWS:
            return self.views(name, operands, node, given)
        if name == "diff" and any(v.const == 0 and v.kind == Kind.NUMBER for v in (*given[:2], *keywords.values())):
            operands = operands[:1]  # the zeroth difference, perhaps, which is the operand
        if effect == Effect.SEVERAL:
            return self.tuple_of(node, self.typed(self.derive(operands, node), name, given, keywords), None)
        if name in outputs.OPTIONAL:
            asked = [k for k in outputs.OPTIONAL[name] if k in keywords and keywords[k].const is True]
            if asked:
                return self.row(node, [self.derive(operands, node), *(self.plain(node, (), True, key) for key in asked)])
        out = self.effect(effect, operands, node)
        if effect == Effect.INTEGER and name == "bincount" and any(v.kind & Kind.TENSOR and v is not operands[0] for v in (*given, *keywords.values())):
            return out._replace(dtype=DType.FLOAT)  # with weights
        if effect in (Effect.DERIVE, Effect.VIEW):
            out = self.typed(out, name, given, keywords)
            if name in outputs.ITSELF and operands:
                out = self.perhaps_itself(operands[0], out)
        return out

    def views(self, name: str, operands: Sequence[Value], node: ast.expr, given: Sequence[Value]) -> Value:
        """A tuple with a view of each operand, in order where the call names each of them."""
        tensors = [v for v in operands if v.kind & (Kind.TENSOR | Kind.UNKNOWN)]
        counts = [self.length(v) if v.kind & Kind.CONTAINER else 1 for v in given if v.kind & (Kind.TENSOR | Kind.UNKNOWN | Kind.CONTAINER)]
        views = [self.view(operand, node, index) for index, operand in enumerate(tensors)]
        if name in outputs.AT_LEAST:
            views = [self.perhaps_itself(operand, view) for operand, view in zip(tensors, views)]
        if None not in counts and sum(n for n in counts if n is not None) == len(views):
            return self.row(node, views)
        return self.tuple_of(node, join_all(views), None)

    def several_outputs(self, found: Sequence[outputs.Output], operands: Sequence[Value], node: ast.expr, keywords: dict[str, Value]) -> Value:
        """A tuple, by name where it is a named one."""
        items = [
            self.derive(operands, node, index) if one.derives else self.plain(node, (), one.integer, ("plain", index)) for index, one in enumerate(found)
        ]
        if "need_weights" in keywords and keywords["need_weights"].const is not True:
            items[-1] = NONE if keywords["need_weights"].const is False else join(items[-1], NONE)
        items = [self.tuple_of(node, item, None) if one.listed else item for item, one in zip(items, found)]
        return self.row(node, items, [one.field for one in found])

    def typed(self, out: Value, name: str, given: Sequence[Value], keywords: dict[str, Value]) -> Value:
        """The result with the dtype that the operation or an argument gives it."""
        if not out.kind & Kind.TENSOR:
            return out
        asked = {outputs.dtype_of(v.names) for v in (*given, *keywords.values()) if v.kind & Kind.LIBRARY and v.names} - {None}
        if asked == {False}:
            return out._replace(dtype=DType.INTEGER, grad=Grad.CUT, leaf=Leaf.LEAF, history=EMPTY)
        if asked == {True}:
            return out._replace(dtype=DType.FLOAT)
        if "dtype" in keywords and keywords["dtype"].kind != Kind.NONE and not keywords["dtype"].names:
            return out._replace(dtype=0)
        if out.dtype == DType.FLOAT:
            return out
        rounded = name.startswith(("div", "divide")) and "rounding_mode" in keywords and keywords["rounding_mode"].kind != Kind.NONE
        if outputs.gives_float(name) and not rounded:
            return out._replace(dtype=DType.FLOAT)
        if rounded and all(v.dtype == DType.INTEGER or v.kind == Kind.NUMBER and isinstance(v.const, int) for v in given):
            return out._replace(dtype=DType.INTEGER)
        return out

    def perhaps_itself(self, operand: Value, out: Value) -> Value:
        """A result that may be the operand itself: as live as that one is in every grad mode, and a leaf where that one is."""
        out = out._replace(dtype=out.dtype | operand.dtype if out.dtype and operand.dtype else 0)
        if out.grad == operand.grad == Grad.CUT:
            return out
        grad = out.grad | operand.grad if self.mode != Grad.LIVE else out.grad
        return out._replace(grad=grad, leaf=out.leaf | operand.leaf if out.leaf else 0, history=out.history | operand.history)

    def operands(self, values: Iterable[Value]) -> list[Value]:
        """The arguments that may be operands, containers opened: no dtypes, layouts and memory formats."""
        return [v for v in self.open(values) if not v.names or not v.names & outputs.CONSTANTS]

    @staticmethod
    def argument(place: int, name: str, args: Sequence[Value], keywords: dict[str, Value]) -> Value | None:
        """An argument by its place or its name."""
        return args[place] if len(args) > place else keywords.get(name)

    def gives_indices(self, last: str, args: Sequence[Value], keywords: dict[str, Value]) -> bool:
        """Whether a pooling function is asked for (values, indices)."""
        flag = self.argument(outputs.POOLS[last], "return_indices", args, keywords) if last in outputs.POOLS else None
        return flag is not None and flag.const is True

    def is_off(self, last: str, args: Sequence[Value], keywords: dict[str, Value]) -> bool:
        """Whether a dropout does nothing."""
        rate, training = self.argument(1, "p", args, keywords), self.argument(2, "training", args, keywords)
        return (rate is not None and rate.const == 0) or (training.const is False if training is not None else not outputs.DROPOUTS[last])
