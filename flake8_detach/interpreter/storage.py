"""Storage: which tensors share memory, what autograd saved, and which graphs a backward has freed.

Here: the graph of what was computed from what (Trace.made), aliases, writes in place. Not here: what an operation gives (effects). All of it
is decided by order: an operation that was made after a write or a backward is not touched by it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from flake8_detach.knowledge import operators, saved
from flake8_detach.trace import Made, Role
from flake8_detach.value import EMPTY, OTHER, DType, Grad, Kind, Leaf, Value

from .machine import Machine
from .state import ABSENT, AS_BOUND_TOO, FREED, SPOILED, Key

EMPTY_NAMES: frozenset[str] = frozenset()
REACH = 400
"""How many operations of one graph a backward looks at."""
FORKS = 2
"""How many forks of one graph are followed."""


class Storage(Machine):
    """Aliases, saved tensors, freed graphs."""

    def __init__(self, tree: ast.Module, filename: str, source: str = "") -> None:
        super().__init__(tree, filename, source)
        self.clock = 0
        self.roots: dict[int, frozenset[int]] = {}  # view or alias -> the tensors that own the storage
        self.family: dict[int, set[int]] = {}  # owner of a storage -> its views and aliases
        self.made_in: dict[int, tuple[tuple[int, int], ...]] = {}  # view or alias -> the arms of branches that all its makings stand in
        self.itself: dict[int, list[int]] = {}  # token -> all tokens of the same object, the first that it had before the others
        self.hidden: set[int] = set()  # detached aliases themselves: autograd does not follow them, but does follow views of them
        self.writes: dict[int, tuple[int, ast.AST, str, int]] = {}  # tensor or module -> when, where, how and how many branches deep it was last written
        self.continued: dict[int, tuple[int, ast.AST]] = {}  # tensor -> when and where an operation in place last became the end of its history
        self.freed: dict[int, tuple[int, int]] = {}  # operation -> when, and how many branches deep, a backward last freed what it saved
        self.passed: dict[int, int] = {}  # operation -> when a backward that keeps no graph last went through it
        self.lazy: set[int] = set()  # loops of generators, which wait at each yield for whoever takes the items
        self.iterated: dict[int, Value] = {}  # loop -> what it iterates
        self.losses: set[int] = set()  # what losses of torch.nn give that reduce to one number
        self.how: dict[int, str] = {}  # operation -> the class of torch.nn that did it

    # -- the graph --------------------------------------------------------------------------------------------------------------------

    def note_made(self, token: int, node: ast.AST, operands: Sequence[Value], grad: int) -> None:
        """Remember how a tensor was made."""
        self.clock = number = self.clock + 1
        if token in self.freed:  # in this iteration it is another tensor
            del self.freed[token]
            self.state.delete((token, FREED))
        self.trace.made[token] = Made(node, tuple(operands), grad, number)

    def note_same(self, token: int, other: Value) -> None:
        """The tensor of a place is known by another token too."""
        for ref in other.refs:
            made = self.trace.made.get(ref)
            if made is not None and ref != token:
                self.trace.made[token] = made

    def note_overwritten(self, old: Value, new: Value) -> None:
        """A write in place: the tensor's graph goes on through what was written; its first operation keeps its number. Where that left no graph,
        the write begins it."""
        made = self.trace.made
        for token in old.refs:
            for fresh in new.refs:
                if fresh in made and fresh != token:
                    before = made.get(token)
                    operands = tuple(v for v in made[fresh].operands if token not in v.refs)
                    if before is None or before.grad == Grad.CUT:
                        made[token] = made[fresh]._replace(operands=operands)
                    else:
                        made[token] = before._replace(operands=before.operands + operands, grad=made[fresh].grad)

    def continued_at(self, value: Value) -> ast.AST | None:
        """Where an operation in place became the end of a tensor's history since it was made."""
        ref = next(iter(value.refs), 0)
        when, node = self.continued.get(ref, (0, None))
        return node if len(value.refs) == 1 and ref in self.trace.made and when >= self.trace.made[ref].number else None

    def note_shared(self, token: int, owner: Value, hidden: bool = False) -> None:
        """A view, or a detached alias that autograd does not follow (`hidden`), shares the storage of `owner`."""
        if not owner.refs:
            return
        trace = self.trace
        trace.shares[token] = owner.refs
        if hidden:
            self.hidden.add(token)
        if hidden or owner.refs & trace.aliases:
            trace.aliases.add(token)
        self.made_in[token] = tuple(arm for arm in self.made_in.get(token, self.path) if arm in self.path)
        roots = frozenset(r for ref in owner.refs for r in self.roots.get(ref, (ref,)))
        self.roots[token] = roots
        for root in roots:
            self.family.setdefault(root, {root}).add(token)

    def unshare(self, token: int) -> None:
        """A tensor that may be a copy is no alias."""
        self.trace.shares.pop(token, None)
        self.trace.aliases.discard(token)
        self.hidden.discard(token)
        for root in self.roots.pop(token, ()):
            self.family[root].discard(token)

    def storage(self, value: Value) -> set[int]:
        """Every token of a tensor that shares its storage."""
        out = set(value.refs)
        for ref in value.refs:
            for root in self.roots.get(ref, (ref,)):
                out |= self.family.get(root, EMPTY)
        return out

    def sharers(self, value: Value) -> set[int]:
        """The other tokens of a tensor that shares its storage; none that only an arm makes which excludes the present one."""
        here, shared = dict(self.path), self.storage(value) - value.refs
        self.spend(len(shared) * len(here) >> 6)
        return {t for t in shared if all(here.get(visit, arm) == arm for visit, arm in self.made_in.get(t, ()))}

    def viewers(self, value: Value) -> set[int]:
        """Those of the sharers that autograd knows to be views of the same base: a detached alias is a base of its own."""
        shared, aliases = self.sharers(value), self.trace.aliases
        if value.refs.isdisjoint(aliases):
            return shared - aliases
        bases = self.bases(value.refs)
        return {t for t in shared & aliases if not bases.isdisjoint(self.bases((t,)))}

    def bases(self, tokens: Iterable[int]) -> set[int]:
        """What these tensors are views of, as autograd knows it; what is no view is its own base."""
        rest, seen, out = list(tokens), set[int](), set[int]()
        while rest:
            token = rest.pop()
            self.spend(1)
            viewed = self.trace.shares.get(token, EMPTY) if token not in self.hidden else EMPTY
            if not viewed:
                out.add(token)
            rest += viewed - seen
            seen |= viewed
        return out

    def is_view_of(self, token: int, owners: frozenset[int]) -> bool:
        """Whether a tensor is a view, or a view of a view ..., of some of these, as autograd knows it."""
        shared = self.trace.shares.get(token, EMPTY) if token not in self.hidden else EMPTY
        return not shared.isdisjoint(owners) or any(self.is_view_of(t, owners) for t in shared if t < token)

    def follows(self, value: Value) -> bool:
        """Whether a tensor is a view without a history of its own, so that it requires grad as what it views does, whatever is set on it."""
        made, views = self.trace.made, self.trace.shares.keys() - self.trace.leaves - self.hidden
        return value.grad == Grad.LIVE and all(t in made and made[t].grad == Grad.CUT and t in views for t in value.refs)

    def is_base(self, token: int) -> bool:
        """Whether a tensor is no view, as autograd knows it; what `x += y` gives is x."""
        first = self.itself[token][0] if token in self.itself else token
        return first in self.hidden or first not in self.trace.shares

    def follow(self, owner: Value, now: Value) -> None:
        """The flag of a tensor is set: its views without a history of their own require grad when it does (DifferentiableViewMeta::requires_grad).
        A view has none: what is viewed through it are views of its base. Inference tensors don't know what they view."""
        bases = frozenset(t for ref in owner.refs - self.trace.inferred if self.is_base(ref) for t in self.itself.get(ref, (ref,)))
        for view in self.sharers(owner) if bases else ():
            if view in self.trace.made and self.trace.made[view].grad == Grad.CUT and self.is_view_of(view, bases):
                own = frozenset((view,))
                names = AS_BOUND_TOO if self.is_one_of_many(view) else now.names
                leaf = Leaf.LEAF if now.grad == Grad.CUT else Leaf.LEAF | Leaf.NONLEAF
                self.state.write_now(view, owner._replace(refs=own), now._replace(refs=own, leaf=leaf, names=names))

    def operation(self, token: int, made: Made) -> str:
        """The last name of an operation."""
        known = self.how.get(token)
        if known is not None:
            return known
        node = made.node
        if isinstance(node, (ast.BinOp, ast.AugAssign)):
            return node.op.__class__.__name__
        if isinstance(node, ast.Call):
            return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return ""

    def saved_by(self, token: int, made: Made) -> frozenset[int]:
        """The tensors (and modules, for their weights) that an operation keeps for its backward."""
        name = self.operation(token, made)
        if any(token in v.refs for v in made.operands):  # what this place made in an earlier iteration: a write since then was on another tensor
            made = made._replace(operands=tuple(v._replace(refs=v.refs - {token}) for v in made.operands))
        if isinstance(made.node, ast.AugAssign) and not isinstance(made.node.op, ast.MatMult):  # of what it overwrites, an operation in place keeps a copy
            made = made._replace(operands=(made.operands[0]._replace(refs=EMPTY), *made.operands[1:]))
        tensors = [v for v in made.operands if v.kind == Kind.TENSOR]
        out = self.kept(operators.named(saved.SPELLED.get(name, name)), token, made)
        if name in saved.RESULT:
            out |= {token}
        if name in saved.OPERAND and tensors:
            out |= tensors[0].refs
        if name in saved.EACH_OTHER:
            factors = tensors if name == "einsum" else tensors[:2]  # and a bias, which is added
            for index, value in enumerate(factors):
                if any(other.grad == Grad.LIVE for place, other in enumerate(factors) if place != index):
                    out |= value.refs
        if name in saved.WEIGHTED and tensors:
            needed = tensors[0].dtype != DType.INTEGER and (name not in saved.LINEAR or token in self.parameters)
            out |= tensors[0].refs if needed else EMPTY
            if tensors[0].grad == Grad.LIVE:
                out |= self.parameters.get(token, EMPTY)
        return out

    @staticmethod
    def kept(row: operators.Row, token: int, made: Made) -> frozenset[int]:
        """What the formulas of the live operands keep; `self` alone is taken for live where no other operand is surely so."""
        if not row.saves:
            return EMPTY
        places = dict(zip(row.parameters, made.operands))
        live = [place for place, value in places.items() if value.kind & Kind.TENSOR and value.grad == Grad.LIVE] or row.parameters[:1]
        things = frozenset(thing for place in live for thing in row.saves.get(place, EMPTY_NAMES))
        kept = frozenset((token,)) if "result" in things else EMPTY
        for thing in things & places.keys():
            if places[thing].kind == Kind.TENSOR:
                kept |= places[thing].refs
        return kept

    def graph(self, value: Value, forks: int = FORKS) -> list[tuple[int, Made]]:
        """The operations that a backward from a value surely goes through: those that all it may be have in common."""
        if not 0 < len(value.refs) < 4:
            return []
        first, *others = (dict(self.graph_of(token, forks)) for token in sorted(value.refs))
        return [(token, made) for token, made in first.items() if all(token in other for other in others)]

    def graph_of(self, root: int, forks: int) -> Iterator[tuple[int, Made]]:
        """The operations behind one tensor, as far as the file shows them; an operand that may be one of several counts as a fork."""
        rest, seen = [root], set[int]()
        while rest and len(seen) < REACH:
            token = rest.pop()
            made = self.trace.made.get(token)
            if token in seen or made is None or made.grad != Grad.LIVE:
                continue
            seen.add(token)
            yield token, made
            for operand in made.operands:
                if operand.grad != Grad.LIVE or operand.leaf == Leaf.LEAF:
                    continue
                if len(operand.refs) == 1:
                    rest += operand.refs
                elif forks:
                    forks -= 1
                    rest += [common for common, _ in self.graph(operand, forks)]

    # -- what a backward meets --------------------------------------------------------------------------------------------------------

    def pass_back(self, loss: Value, node: ast.AST, keeps: bool) -> None:
        """A backward through a graph: was it freed, was something it needs overwritten; and it is freed now."""
        self.clock += 1
        active = set(self.active_loops())
        again = another = False
        for token, made in self.graph(loss):
            self.note_reach(made)
            passed = self.passed.get(token, 0) > made.number
            if not keeps:
                self.passed[token] = self.clock
            if not active.issuperset(self.born[token]):  # one token for several tensors, all made by now
                another = another or not passed or token in self.handed_out()
                if another and not again and self.lazy.isdisjoint(self.born[token]) and self.is_spoiled(token, made, loss, node, active):
                    return
                continue
            again |= passed
            needs = self.saved_by(token, made)
            if not needs:
                continue
            when, depth = self.freed.get(token, (0, 0))
            if when > made.number and self.has_happened((token, FREED), depth):
                self.record(Role.FREED, node, loss, OTHER, detail=made.node)
                return
            for ref in needs:
                self.note_spoiled(ref, made, loss, node)
            if not keeps:
                self.freed[token] = (self.clock, self.branches)
                self.state.write((token, FREED), 1)

    def note_reach(self, made: Made) -> None:
        """A backward goes through an operation: which of the running loops are younger than it."""
        for loop in reversed(self.loops):
            if made.number > loop.began:
                return
            loop.meets_writes = True

    def handed_out(self) -> set[int]:
        """What the running loops take out of what they iterate, each item once."""
        raise NotImplementedError

    def is_one_of_many(self, token: int) -> bool:
        """Whether a loop that has ended, or a comprehension, has made a tensor of this place in each iteration: one is meant, and others may be kept
        elsewhere. Of what a running loop iterates, each is meant in turn."""
        born = self.born.get(token, ())
        return not set(self.active_loops()).issuperset(born) and token not in self.handed_out() or self.is_second(token)

    def is_second(self, token: int) -> bool:
        """Whether the running pass of a loop has made a tensor of this place while something still holds the one that the pass before had made there."""
        born, made_at = self.born.get(token, ()), self.state.made_at.get(token, 0)
        return any(loop.left and loop.token in born and made_at >= loop.head and any(self.still_held(loop, token)) for loop in self.loops)

    def is_spoiled(self, token: int, made: Made, loss: Value, node: ast.AST, active: set[int]) -> bool:
        """Whether a backward through one of several tensors that an earlier loop made needs what was written since all of them were made."""
        needs = [ref for ref in self.saved_by(token, made) if active.issuperset(self.born[ref])]
        return any([self.note_spoiled(ref, made, loss, node) for ref in needs])  # noqa: C419 - each one is to be recorded

    def note_spoiled(self, ref: int, made: Made, loss: Value, node: ast.AST) -> bool:
        """Record that something which an operation has saved was written before the backward that needs it."""
        when, place, how, depth = self.writes.get(ref, (0, node, "", 0))
        if when <= made.number:
            return False
        spoiled = self.has_happened((ref, SPOILED), depth)
        if spoiled:
            self.record(Role.SPOILED, place, loss, OTHER, detail=(how, node, made.node))
        for loop in self.loops if not spoiled else ():
            loop.meets_writes = True
        return spoiled

    def has_happened(self, key: Key, depth: int) -> bool:
        """Whether something happened on every path to here, or on a branch that has surely led here."""
        slot = self.state.store.get(key)
        return slot == 1 or (slot == 1 | ABSENT and self.branches < depth)

    def spoil(self, tokens: set[int] | frozenset[int], node: ast.AST, how: str) -> None:
        """These tensors (or a module's weights) are overwritten."""
        self.clock += 1
        for token in tokens:
            self.writes[token] = (self.clock, node, how, self.branches)
            self.state.write((token, SPOILED), 1)

    def note_write(self, target: Value, node: ast.AST, how: str, given: Sequence[Value] = ()) -> None:
        """A write in place to a tensor, by whatever road."""
        if not target.kind & Kind.TENSOR or not target.refs:
            return
        hidden = bool(target.refs & self.trace.aliases)
        if hidden or target.grad & Grad.LIVE or any(ref in self.trace.made for ref in target.refs):
            self.record(Role.INPLACE, node, target, values=tuple(given), detail=how)
            self.spoil(self.sharers(target) | target.refs, node, "alias" if hidden else how)
