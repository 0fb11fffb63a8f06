"""What an Effect does to values: the arithmetic of live and cut.

Here: derive and its kin. Not here: which operation has which effect (knowledge/operations). The facts are section "autograd mechanics" of
the PyTorch documentation: under no_grad an operation's result is cut, but a view of, or the same object as, a live tensor stays live.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

from flake8_detach.knowledge import operations, operators, outputs
from flake8_detach.knowledge.operations import Effect
from flake8_detach.value import ARRAY, EMPTY, NO_CARRY, NUMBER, OTHER, TEXT, Carry, DType, Grad, Kind, Leaf, Value

from .storage import Storage

TENSORISH = Kind.TENSOR | Kind.UNKNOWN
OPAQUE = Kind.OTHER | Kind.OBJECT | Kind.LIBRARY | Kind.CONTAINER
"""Operands of which nothing is known: what is computed from them may be live."""
UNTYPED = 4
"""Beside the bits of DType: the element type is not known."""


MOST_CARRIED: Final = 64
"""The states of how many loops a value may carry before those of ended loops are forgotten, or every operation would look through all the loops
before it; 12 is the most that real files came to."""


def recurrent(carried: frozenset[Carry]) -> frozenset[Carry]:
    """Of a sum in which also the added term depends on the state, the carry is no running total but a recurrence."""
    if len(carried) < 2:
        return carried
    through = {(c.loop, c.key) for c in carried if not c.direct}
    if not through:
        return carried
    return frozenset(c for c in carried if not c.direct or (c.loop, c.key) not in through)


def stays_integer(node: ast.AST, operands: Sequence[Value]) -> bool:
    """Whether an operation on integer tensors surely gives one: no division, no function that promotes, no other number but integers."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, (ast.Div, ast.Pow)):
        return False
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in operations.KEEPS_INTEGERS and (outputs.gives_float(name) or operators.named(name) is operators.UNLISTED):
            return False
    return not any(v.kind & (Kind.NUMBER | Kind.ARRAY) and not isinstance(v.const, int) for v in operands)


class Effects(Storage):
    """Results of operations."""

    def running(self, carried: frozenset[Carry]) -> frozenset[Carry]:
        """Of these carries those whose loop has not ended."""
        loops = set(self.active_loops())
        return frozenset(c for c in carried if c.loop in loops)

    def derive(self, operands: Sequence[Value], node: ast.AST, tag: object = "") -> Value:
        """A new tensor computed from operands: live if one of them is and grad mode is on."""
        history, reach, carried = EMPTY, EMPTY, NO_CARRY
        known, grad, surely, all_cut, kinds, dtypes = bool(operands), 0, False, True, 0, 0
        unseen = self.are_inferred(operands, node) if self.trace.inferred else False
        for value in operands:
            kind = value.kind
            if kind & OPAQUE:
                known = False
                reach |= value.reach
            elif value.grad & (Grad.LIVE | Grad.UNKNOWN):
                reach |= value.reach
            if value.carried:
                carried |= value.carried
            if not kind & TENSORISH:
                continue
            kinds |= kind
            dtypes |= value.dtype or UNTYPED
            bits = value.grad if value.dtype != DType.INTEGER else Grad.CUT
            if unseen is not False:
                bits = Grad.CUT if unseen else bits | Grad.CUT
            if bits & (Grad.LIVE | Grad.UNKNOWN):
                history |= value.history
                grad |= bits & (Grad.LIVE | Grad.UNKNOWN)
                surely = surely or bits == Grad.LIVE
            all_cut = all_cut and (bits & Grad.CUT != 0 or not bits)
        doubt = dtypes == DType.INTEGER and not stays_integer(node, operands)
        if surely:
            grad = Grad.LIVE
        elif all_cut:
            grad |= Grad.CUT
        if not known and not surely:
            grad |= Grad.UNKNOWN
        mode = self.mode
        if mode == Grad.CUT:
            grad, history = Grad.CUT, EMPTY
        elif mode != Grad.LIVE:
            grad |= Grad.CUT | Grad.UNKNOWN
        if grad == Grad.CUT:
            for value in operands:
                reach |= value.reach
        elif len(operands) > 1:
            for value in operands:
                if value.grad == Grad.CUT:
                    self.trace.mixed |= value.reach
            if self.trace.inferred:
                self.note_meeting(operands, False, node)
        leaf = Leaf.NONLEAF if grad == Grad.LIVE else Leaf.LEAF | Leaf.NONLEAF if grad & (Grad.LIVE | Grad.UNKNOWN) else Leaf.LEAF
        token = self.fresh(node, ("derived", tag))
        if token in self.roots:  # the same place has given a view
            self.unshare(token)
        self.note_made(token, node, operands, grad or Grad.CUT)
        out = Value(
            Kind.TENSOR if kinds & Kind.TENSOR else Kind.UNKNOWN,
            grad or Grad.CUT,
            leaf,
            0 if doubt or dtypes & UNTYPED else DType.INTEGER if dtypes == DType.INTEGER else DType.FLOAT,
            frozenset((token,)),
            history,
            reach,
            recurrent(carried if len(carried) <= MOST_CARRIED else self.running(carried)) if grad != Grad.CUT else NO_CARRY,
        )
        return self.state.weigh(out)

    def are_inferred(self, operands: Sequence[Value], node: ast.AST) -> bool | None:
        """Whether an operation meets inference tensors alone: autograd does not look at them then, whatever their flags say. None: it may make a
        tensor of its own, of a number (`x + 1`, but not `x ** 2`), or as it is composed of others."""
        tensors = [value for value in operands if value.kind & TENSORISH]
        if not tensors or not all(value.refs and value.refs <= self.trace.inferred for value in tensors):
            return False
        composed = isinstance(node, ast.Call) and "?" in operators.named(node.func.attr if isinstance(node.func, ast.Attribute) else "").outputs
        return None if composed or len(tensors) < len(operands) else True

    def view(self, operand: Value, node: ast.AST, tag: object = "") -> Value:
        """A view: like derive, but of a live tensor it is live even under no_grad."""
        whose = {ref: self.roots[ref] for ref in operand.refs if ref in self.roots} if self.loops else {}
        out = self.derive([operand], node, tag)
        for token in out.refs:
            self.note_shared(token, operand)
            if token in whose:  # of what this place made in the pass before
                self.note_shared(token, Value(refs=whose[token]))
            if self.trace.inferred:
                self.infer_as(operand, token)
        if operand.refs and operand.refs <= self.trace.inferred:
            return out._replace(grad=Grad.CUT, history=EMPTY, leaf=Leaf.LEAF)  # of an inference tensor: one too, in every mode
        if self.mode == Grad.CUT and operand.grad & (Grad.LIVE | Grad.UNKNOWN):
            return out._replace(grad=operand.grad, history=operand.history, leaf=Leaf.LEAF)
        return out

    def indexed(self, value: Value, index: Value, node: ast.AST) -> Value:
        """tensor[index]: a view, but by a list or tensor among the indices a copy."""
        if index.kind & (Kind.TENSOR | Kind.CONTAINER | Kind.ARRAY):
            return self.picked(value, index, self.derive([value], node))
        out = self.view(value, node)
        for token in out.refs if index.kind & Kind.UNKNOWN else ():
            self.unshare(token)
        return out

    def picked(self, value: Value, index: Value, out: Value) -> Value:
        """What a tensor picks out of another: of an inference tensor alone autograd sees nothing, but here the index makes it look."""
        if self.mode != Grad.LIVE or out.grad == value.grad or not value.refs <= self.trace.inferred or index.refs <= self.trace.inferred:
            return out
        grad = value.grad | (Grad.CUT if index.kind != Kind.TENSOR else 0)
        return out._replace(grad=grad, leaf=Leaf.NONLEAF | (Leaf.LEAF if grad & Grad.CUT else 0), history=value.history)

    def detach(self, operand: Value, node: ast.AST) -> Value:
        """The same storage without history; what it was computed from is remembered in `reach`."""
        kind = operand.kind if operand.kind & Kind.TENSOR else Kind.TENSOR
        token = self.fresh(node, "detached")
        self.note_made(token, node, (operand,), Grad.CUT)
        self.note_shared(token, operand, hidden=True)
        if self.trace.inferred:
            self.infer_as(operand, token)
        return Value(
            kind & (Kind.TENSOR | Kind.NONE),
            Grad.CUT,
            Leaf.LEAF,
            operand.dtype,
            frozenset((token,)),
            reach=operand.reach,
        )

    def infer_as(self, operand: Value, view: int) -> None:
        # a view is an inference tensor when what it views is one, wherever it is taken
        inferred = self.trace.inferred
        if operand.refs & inferred:
            inferred.add(view)
        elif operand.kind == Kind.TENSOR:
            inferred.discard(view)

    def plain(self, node: ast.AST, given: Sequence[Value] = (), integer: bool = False, tag: object = "plain") -> Value:
        """A new tensor without history."""
        reach = EMPTY
        for value in given:
            reach |= value.reach
        dtype = DType.INTEGER if integer else DType.FLOAT
        return Value(Kind.TENSOR, Grad.CUT, Leaf.LEAF, dtype, frozenset((self.fresh(node, tag),)), reach=reach)

    def leaf(self, node: ast.AST, given: Sequence[Value] = (), tag: object = "leaf") -> Value:
        """A new leaf that requires grad, in every grad mode."""
        out = self.plain(node, given)
        token = self.fresh(node, tag)
        self.trace.leaves.add(token)
        if out.reach and tag == "leaf":
            self.trace.forced[token] = node
        return out._replace(grad=Grad.LIVE, refs=frozenset((token,)), history=frozenset((token,)), reach=out.reach | {token})

    def number(self, given: Sequence[Value]) -> Value:
        """A Python number that was read from values: cut, but its ancestry is remembered."""
        reach = EMPTY
        for value in given:
            reach |= value.reach
        return NUMBER if not reach else NUMBER._replace(reach=reach)

    def effect(self, effect: str, operands: Sequence[Value], node: ast.AST) -> Value:
        """The result of an operation with this Effect; containers among the operands are already opened."""
        if effect == Effect.DERIVE:
            return self.derive(operands, node)
        if effect == Effect.DETACH:
            return self.detach(operands[0] if operands else OTHER, node)
        if effect in (Effect.FRESH, Effect.INTEGER):
            return self.plain(node, operands, effect == Effect.INTEGER)
        if effect == Effect.NUMBER:
            return self.number(operands)
        if effect == Effect.NUMBERS:
            return self.tuple_of(node, self.number(operands), None)
        if effect == Effect.ARRAY:
            return ARRAY._replace(reach=self.number(operands).reach)
        if effect == Effect.TEXT:
            return TEXT
        if effect == Effect.PAIR:
            return self.row(node, [self.derive(operands, node), self.plain(node, (), True)], ("values", "indices"))
        if effect == Effect.VIEW:
            return self.view(operands[0], node) if operands else OTHER
        if effect == Effect.SEVERAL:
            return self.tuple_of(node, self.derive(operands, node), None)
        if effect == Effect.SPLIT:
            return self.tuple_of(node, self.view(operands[0], node) if operands else OTHER, None)
        return OTHER
