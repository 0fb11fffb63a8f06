"""Statements: one `exec_<Node>` for each statement kind of the language.

Here: assignment, branches, loops, with, try, match, and what a test says of the names in it. Not here: what a call of a function of the file
does (program). A path ends at return, raise, break and continue; a loop body runs until it brings nothing new, at most twice.
"""
from __future__ import annotations

import ast
from collections.abc import Sequence

from flake8_detach.knowledge import idioms, operations
from flake8_detach.trace import Role
from flake8_detach.value import EMPTY, NONE, NUMBER, OTHER, TEXT, UNSURE, Carry, Grad, Kind, Leaf, Value, constant, join


from .machine import Loop
from .methods import Methods
from .objects import FROZEN, TRAINABLE
from .state import ITEMS, MODE, YIELD_MODE, Difference, Key

FLAGS = ("requires_grad", "requires_grad_")


class Statements(Methods):
    """Executes statements."""

    open_switches: frozenset[int] = EMPTY

    def exec_block(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            if self.state.dead:
                return
            self.fuel -= 1
            if self.fuel < 0:
                return
            method = getattr(self, "exec_" + statement.__class__.__name__, None)
            if method is not None:
                method(statement)

    def exec_Expr(self, node: ast.Expr) -> None:
        value = self.eval(node.value)
        if value.kind & Kind.SWITCH and isinstance(node.value, ast.Call) and isinstance(value.const, tuple) and value.const[0] == "grad":
            self.record(Role.SWITCH, node.value, value, detail="bare")

    # -- assignment ---------------------------------------------------------------------------------------------------------------------
    def exec_Assign(self, node: ast.Assign) -> None:
        value = self.eval(node.value)
        for target in node.targets:
            self.assign(target, value, node)

    def exec_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.eval(node.value), node)

    def exec_AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        old = self.eval(ast.copy_location(_as_load(target), target))
        value = self.eval(node.value)
        if old.kind & Kind.CONTAINER and not old.kind & Kind.TENSOR and isinstance(node.op, ast.Add):
            self.extend(old, [value], {}, _as_call(node))
            return
        if old.kind & Kind.TEXT and not old.kind & Kind.TENSOR:
            return
        new = self.binary(old, value, node, node.op)
        if old.kind == Kind.TENSOR and self.mode == Grad.CUT:
            return  # in place under no_grad: the object stays what it is
        if old.kind == Kind.TENSOR and old.grad == Grad.LIVE and old.leaf == Leaf.LEAF:
            return
        if old.kind == Kind.TENSOR and not new.grad & (Grad.LIVE | Grad.UNKNOWN):
            return
        if old.kind == Kind.TENSOR and old.refs:
            self.overwrite(old, new, node)  # for the other names of the tensor; this one is bound anew
        if isinstance(target, ast.Subscript):
            self.add_to_item(target, new, value, node)
        else:
            self.assign(target, new, node)

    def add_to_item(self, target: ast.Subscript, new: Value, term: Value, node: ast.AST) -> None:
        """container[key] += term: a running total where the container is older than the iteration."""
        container, key = self.eval(target.value), self.eval(target.slice)
        if not container.kind & (Kind.CONTAINER | Kind.UNKNOWN | Kind.OBJECT):
            return
        outlived = self.outlived(container)
        if outlived and term.grad & (Grad.LIVE | Grad.UNKNOWN):
            carry = Carry(outlived[-1], (min(container.refs, default=0), ITEMS), False, True)
            new = self.grown(carry.key, new._replace(carried=new.carried | {carry}), node)
        for address in container.refs:
            self.put(address, key, new)

    def assign(self, target: ast.expr, value: Value, node: ast.AST) -> None:
        if isinstance(target, ast.Name):
            self.bind_name(target.id, value, node)
        elif isinstance(target, ast.Attribute):
            self.write_attribute(self.eval(target.value), target.attr, value, node)
        elif isinstance(target, ast.Subscript):
            self.write_item(target, value, node)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.assign_sequence(target, value, node)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value, node)

    def assign_sequence(self, target: ast.Tuple | ast.List, value: Value, node: ast.AST) -> None:
        """a, *b = value."""
        starred = next((i for i, e in enumerate(target.elts) if isinstance(e, ast.Starred)), None)
        if starred is None:
            parts = self.unpack(value, len(target.elts), node)
        else:
            parts = [self.element(value, constant(i) if i < starred else NUMBER, node) for i in range(len(target.elts))]
            parts[starred] = self.tuple_of(target.elts[starred], self.items(value, node), None)
        for element, part in zip(target.elts, parts):
            self.assign(element, part, node)

    def bind_name(self, name: str, value: Value, node: ast.AST) -> None:
        scope = self.here.outer.get(name, self.here.scope)
        key = (scope, name)
        value = self.bound(key, value, node)
        self.state.write(key, value)

    def bound(self, key: Key, value: Value, node: ast.AST) -> Value:
        """The value as a place of the store holds it: notes where it was bound and whether it grows with each iteration."""
        if value.grad & (Grad.LIVE | Grad.UNKNOWN):
            self.bound_at[key] = node
            if value.carried:
                mine = {c.loop for c in value.carried if c.key == key}
                if mine and not any(c.loop in mine and c.key != key for c in value.carried):
                    return self.grown(key, value, node)
        elif value.kind & Kind.CONTAINER:
            self.bound_at[key] = node
        return value

    def write_attribute(self, target: Value, name: str, value: Value, node: ast.AST) -> None:
        if name in ("requires_grad", "requires_grad_") or _misspelt(name):
            this = self.here.this
            own = this is not None and bool(target.refs & this.refs)
            self.record(Role.FLAG, node, target, detail=("own attribute" if own else "attribute", name))
        if name == "requires_grad" and target.kind & (Kind.TENSOR | Kind.UNKNOWN) and not target.kind & Kind.OBJECT:
            self.flag_set(target, value, node)
            return
        if name == "grad" and value.kind & Kind.NONE:
            self.record(Role.CLEAR, node, target)
        if name == "data" and target.kind & (Kind.TENSOR | Kind.UNKNOWN):
            return
        if name == "__dict__" and value.kind & Kind.CONTAINER:
            for key, item in self.pairs(value, node):
                if isinstance(key.const, str):
                    self.write_attribute(target, key.const, item, node)
            return
        if value.kind & Kind.CONTAINER and value.names & {"comprehension"}:
            value = self.keep(value, node)
            self.record_store(node, target, value, (), None)
        for address in target.refs:
            key = (address, name)
            kept = self.bound(key, value, node)
            self.fields.setdefault(address, {})[name] = None
            old = self.state.store.get(key)
            self.state.write(key, join(old, kept) if len(target.refs) > 1 and isinstance(old, Value) else kept)

    def flag_set(self, target: Value, flag: Value, node: ast.AST) -> None:
        """x.requires_grad = flag, on a tensor or on what may be one."""
        if target.kind & Kind.TENSOR:
            self.set_requires_grad(target, flag, node)
        elif flag.const is True and target.refs:
            leaf = self.leaf(node, [target])
            self.rewritten(target, leaf._replace(kind=target.kind | Kind.TENSOR), node)
        elif flag.const is False:
            self.freeze_by_flag(Value(Kind.MODULE, refs=target.refs), flag)
            modules = frozenset(m for t in target.refs for m in self.parameters.get(t, EMPTY))
            if modules:
                self.freeze_by_flag(Value(Kind.MODULE, refs=modules), flag)

    def write_item(self, target: ast.Subscript, value: Value, node: ast.AST) -> None:
        container = self.eval(target.value)
        key = self.eval(target.slice)
        if container.kind & Kind.TENSOR:
            if not value.grad & (Grad.LIVE | Grad.UNKNOWN):
                return
            if self.mode != Grad.CUT and not (container.grad == Grad.LIVE and container.leaf == Leaf.LEAF):
                self.overwrite(container, self.derive([container, value], node)._replace(carried=EMPTY), node)
            return
        if container.kind & Kind.ARRAY and not container.kind & Kind.UNKNOWN:
            if value.kind & Kind.TENSOR:
                self.record(Role.ARRAY, node, value, container, detail="array[...] = tensor")
            return
        if container.kind & (Kind.CONTAINER | Kind.OBJECT | Kind.UNKNOWN | Kind.MODULE):
            for address in container.refs:
                item_key = (address, ("item", type(key.const).__name__, key.const)) if key.const is not UNSURE else (address, ITEMS)
                value = self.bound(item_key, value, node)
            if container.kind & Kind.CONTAINER and "__dict__" != getattr(target.value, "attr", ""):
                self.store_item(container, key, value, node)
            elif isinstance(key.const, str) and getattr(target.value, "attr", "") == "__dict__":
                for address in container.refs:
                    self.set_field(address, key.const, value)
            elif getattr(target.value, "attr", "") != "__dict__":
                self.store_item(container, key, value, node)

    def exec_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.state.delete((self.here.scope, target.id))
            elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice):
                container = self.eval(target.value)
                for address in container.refs if container.kind & Kind.CONTAINER else ():
                    self.state.delete((address, ITEMS))

    def exec_Global(self, node: ast.Global) -> None:
        for name in node.names:
            self.here.outer[name] = self.module_scope

    def exec_Nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            for scope in self.here.scopes[1:]:
                if (scope, name) in self.state.store:
                    self.here.outer[name] = scope
                    break

    # -- branches -------------------------------------------------------------------------------------------------------------------------
    def exec_If(self, node: ast.If) -> None:
        truth = self.truth_of(self.eval(node.test))
        if truth is not None:
            self.refine(node.test, truth)
            self.exec_block(node.body if truth else node.orelse)
            return
        self.branch([(node.test, True, node.body), (node.test, False, node.orelse)])

    def branch(self, arms: list[tuple[ast.expr | None, bool, Sequence[ast.stmt]]]) -> None:
        """Run alternatives from the same state and join those that come through."""
        mark = self.state.mark()
        ends: list[Difference] = []
        for test, when, body in arms:
            if test is not None:
                self.refine(test, when)
            self.exec_block(body)
            if not self.state.dead:
                ends.append(self.state.changed(mark))
            self.state.rollback(mark)
            self.state.dead = False
        self.state.merge(ends)

    def refine(self, test: ast.expr, when: bool) -> None:
        """What a test says of the names in it on the branch where it is `when`."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self.refine(test.operand, not when)
        elif isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) is when:
            for part in test.values:
                self.refine(part, when)
        elif isinstance(test, ast.Call) and test.args:
            self.refine_call(test, when)
        elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Is, ast.IsNot)):
            right = test.comparators[0]
            if isinstance(right, ast.Constant) and right.value is None:
                self.narrow(test.left, Kind.NONE, isinstance(test.ops[0], ast.Is) is when)
        elif isinstance(test, ast.Attribute) and test.attr == "requires_grad" and isinstance(test.value, ast.Name):
            if not when:
                self.narrow_grad(test.value)
        elif isinstance(test, (ast.Name, ast.Attribute)) and when:
            self.narrow(test, Kind.NONE, False)

    def refine_call(self, test: ast.Call, when: bool) -> None:
        """isinstance(x, torch.Tensor), torch.is_tensor(x)."""
        callee = self.eval(test.func) if isinstance(test.func, (ast.Name, ast.Attribute)) else OTHER
        if callee.names & {"torch.is_tensor", "torch.Tensor"}:
            self.narrow(test.args[0], Kind.TENSOR, when)
        elif "builtins.isinstance" in callee.names and len(test.args) == 2:
            classes = {n for v in self.inside(self.eval(test.args[1])) for n in v.names}
            if classes & {"torch.Tensor", "torch.autograd.Variable", "torch.FloatTensor"}:
                self.narrow(test.args[0], Kind.TENSOR | (Kind.NUMBER if "numbers.Number" in classes else 0), when)
            elif classes & {"builtins.list", "builtins.tuple", "builtins.dict"}:
                self.narrow(test.args[0], Kind.CONTAINER, when)
            elif classes & {"torch.nn.Module"} and when:
                self.trace.modules |= self.eval(test.args[0]).refs

    def place(self, node: ast.expr) -> Key | None:
        """The store key of a name or of an attribute of one object."""
        if isinstance(node, ast.Name):
            for scope in self.here.scopes:
                if (scope, node.id) in self.state.store:
                    return (scope, node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Name, ast.Attribute)):
            owner = self.eval(node.value)
            if len(owner.refs) == 1:
                return (min(owner.refs), node.attr)
        return None

    def narrow(self, node: ast.expr, mask: int, inside: bool) -> None:
        """Keep, or take away, kinds of what a name holds."""
        key = self.place(node)
        slot = self.state.store.get(key) if key is not None else None
        if key is None or not isinstance(slot, Value):
            return
        if inside:
            kept = slot.kind & mask or (mask if slot.kind & (Kind.UNKNOWN | Kind.OTHER) else 0)
            if mask == Kind.NONE:
                self.state.write(key, NONE)
            elif kept:
                self.state.write(key, of_kind(slot, kept))
        elif slot.kind & ~mask:
            self.state.write(key, of_kind(slot, slot.kind & ~mask))

    def narrow_grad(self, node: ast.expr) -> None:
        """`if not x.requires_grad`."""
        key = self.place(node)
        slot = self.state.store.get(key) if key is not None else None
        if key is not None and isinstance(slot, Value) and slot.grad & Grad.CUT:
            self.state.write(key, slot._replace(grad=Grad.CUT, history=EMPTY))

    def exec_Match(self, node: ast.Match) -> None:
        subject = self.eval(node.subject)
        mark = self.state.mark()
        ends: list[Difference] = []
        for case in node.cases:
            self.bind_pattern(case.pattern, subject, node)
            if case.guard is not None:
                self.eval(case.guard)
            self.exec_block(case.body)
            if not self.state.dead:
                ends.append(self.state.changed(mark))
            self.state.rollback(mark)
            self.state.dead = False
        last = node.cases[-1].pattern
        if not (isinstance(last, ast.MatchAs) and last.pattern is None):
            ends.append({})
        self.state.merge(ends)

    def bind_pattern(self, pattern: ast.pattern, subject: Value, node: ast.AST) -> None:
        """The names that a pattern captures."""
        if isinstance(pattern, ast.MatchAs):
            if pattern.pattern is not None:
                self.bind_pattern(pattern.pattern, subject, node)
            if pattern.name is not None:
                self.bind_name(pattern.name, subject, node)
        elif isinstance(pattern, ast.MatchSequence):
            for part, item in zip(pattern.patterns, self.unpack(subject, len(pattern.patterns), node)):
                self.bind_pattern(part, item, node)
        elif isinstance(pattern, ast.MatchMapping):
            for key, part in zip(pattern.keys, pattern.patterns):
                self.bind_pattern(part, self.element(subject, self.eval(key), node), node)
        elif isinstance(pattern, ast.MatchClass):
            for name, part in zip(pattern.kwd_attrs, pattern.kwd_patterns):
                self.bind_pattern(part, self.attribute(subject, name, pattern.cls), node)
        elif isinstance(pattern, ast.MatchOr):
            for part in pattern.patterns:
                self.bind_pattern(part, subject, node)
        elif isinstance(pattern, ast.MatchStar) and pattern.name is not None:
            self.bind_name(pattern.name, self.tuple_of(pattern, self.items(subject, node), None), node)

    # -- loops ------------------------------------------------------------------------------------------------------------------------------
    def exec_For(self, node: ast.For | ast.AsyncFor) -> None:
        iterable = self.eval(node.iter)
        if self.unroll(node, iterable):
            return
        before = self.state.mark()
        self.loop(node, lambda: self.assign(node.target, self.items(iterable, node.iter), node), None, iterable)
        if node.orelse and not self.state.dead:
            self.exec_block(node.orelse)
        del before

    exec_AsyncFor = exec_For

    def unroll(self, node: ast.For | ast.AsyncFor, iterable: Value) -> bool:
        """`for phase in ["train", "val"]`: a few constants are told apart, one after the other."""
        if not isinstance(node.iter, (ast.List, ast.Tuple)) or not 0 < len(node.iter.elts) <= 3:
            return False
        if not all(isinstance(e, ast.Constant) for e in node.iter.elts) or any(isinstance(n, (ast.Break, ast.Continue)) for n in ast.walk(node)):
            return False
        for element in node.iter.elts:
            if self.state.dead:
                break
            self.assign(node.target, self.eval(element), node)
            self.exec_block(node.body)
        return True

    def exec_While(self, node: ast.While) -> None:
        self.loop(node, lambda: self.refine_after(node.test), node.test, OTHER)
        if node.orelse and not self.state.dead:
            self.exec_block(node.orelse)

    def refine_after(self, test: ast.expr) -> None:
        self.eval(test)
        self.refine(test, True)

    def loop(self, node: ast.For | ast.AsyncFor | ast.While, start: object, test: ast.expr | None, iterable: Value) -> None:
        """Run a body once, and again as a second iteration where it brought something that can matter to one."""
        token = self.token(node, "loop")
        self.trace.loops[token] = (node, self.here.frame)
        endless = test is not None and self.truth_of(self.eval(test)) is True
        self.record(Role.LOOP, node, iterable, detail=token)
        loop = Loop(token, self.state.mark())
        self.loops.append(loop)
        exits: list[Difference] = []
        first_backward = len(self.trace.events)
        for number in range(2):
            loop.number = number
            start()  # type: ignore[operator]
            self.exec_block(node.body)
            end = self.end_of_pass(loop)
            if end is None:
                break
            if not endless:
                exits.append(end)
            if number == 1 or self.fuel < 0:
                break
            self.state.apply(end)
            if not self.second_pass_matters(loop, end):
                break
            self.tag(loop, end, first_backward)
        self.loops.pop()
        self.state.rollback(loop.mark)
        ends = [*exits, *loop.breaks]
        self.state.merge(ends if ends or endless else [{}])

    def end_of_pass(self, loop: Loop) -> Difference | None:
        """The state at the end of the body, all ways that lead there joined; None when none does."""
        ends = list(loop.continues)
        loop.continues.clear()
        if not self.state.dead:
            ends.append(self.state.changed(loop.mark))
        self.state.rollback(loop.mark)
        if not ends:
            self.state.dead = False
            return None
        self.state.merge(ends)
        end = self.state.changed(loop.mark)
        self.state.rollback(loop.mark)
        return end

    def second_pass_matters(self, loop: Loop, end: Difference) -> bool:
        """Whether the body changed anything older than the loop that a second iteration would see otherwise."""
        for key, slot in end.items():
            if isinstance(slot, Value) and slot.grad & (Grad.LIVE | Grad.UNKNOWN) and key[1] is not ITEMS:
                if not (isinstance(key[1], str) and loop.token in self.born.get(key[0], ())):
                    return True
            elif isinstance(slot, int):
                return True
        return False

    def tag(self, loop: Loop, end: Difference, first: int) -> None:
        """At the head of the second iteration, mark what comes from the first."""
        freed: frozenset[int] = EMPTY
        for event in self.trace.events[first:]:
            if event.role == Role.BACKWARD and not event.detail:
                freed |= event.value.history
        self.note_holders(end)
        for key, slot in end.items():
            if isinstance(slot, Value) and slot.grad & (Grad.LIVE | Grad.UNKNOWN) and slot.history and slot.leaf != Leaf.LEAF:
                if key[1] is ITEMS:
                    continue
                dead_graph = bool(slot.history & freed) and not slot.grad & Grad.CUT
                carry = Carry(loop.token, key, dead_graph, True)
                self.states[loop.token, key] = slot
                grows = self.growth(loop.token, key)
                self.state.write(key, slot._replace(carried=slot.carried | {carry}, reach=slot.reach | {grows}))

    def note_holders(self, end: Difference) -> None:
        """An element of a tuple that a name holds is carried by the line that binds the name."""
        own = self.here.scope
        for key, slot in sorted(end.items(), key=lambda pair: pair[0][0] == own):
            if isinstance(slot, Value) and slot.kind & Kind.CONTAINER and key in self.bound_at and len(slot.refs) < 4:
                for address in self.with_parts(slot):
                    for name in self.item_keys.get(address, ()):
                        self.bound_at[address, name] = self.bound_at[key]

    def exec_Break(self, node: ast.Break) -> None:
        if self.loops:
            self.loops[-1].breaks.append(self.state.changed(self.loops[-1].mark))
        self.state.dead = True

    def exec_Continue(self, node: ast.Continue) -> None:
        if self.loops:
            self.loops[-1].continues.append(self.state.changed(self.loops[-1].mark))
        self.state.dead = True

    # -- ends of a path -----------------------------------------------------------------------------------------------------------------------
    def exec_Return(self, node: ast.Return) -> None:
        value = self.eval(node.value) if node.value is not None else NONE
        here = self.here
        here.returns.append(value)
        here.exits.append(self.state.changed(here.mark))
        self.state.dead = True

    def exec_Raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            self.eval(node.exc)
        self.state.dead = True

    def exec_Assert(self, node: ast.Assert) -> None:
        self.eval(node.test)
        self.refine(node.test, True)

    # -- with, try ------------------------------------------------------------------------------------------------------------------------------
    def exec_With(self, node: ast.With | ast.AsyncWith) -> None:
        """Grad mode is what it was before when the block ends, on every way out."""
        before = self.mode
        managers: list[Value] = []
        for item in node.items:
            manager = self.eval(item.context_expr)
            managers.append(manager)
            self.record_with(manager, item.context_expr, node)
            entered = self.enter(manager, item.context_expr)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, entered, node)
        exits = len(self.here.exits)
        opened = self.open_switches
        self.open_switches = opened | {t for m in managers if m.kind & Kind.SWITCH for t in m.refs}
        self.exec_block(node.body)
        self.open_switches = opened
        restores = [m.const[2] for m in managers if isinstance(m.const, tuple) and m.const[0] == "set"]
        after = restores[0] if restores else before
        if not self.state.dead:
            self.set_mode(after)
        self.restore_exits(after, exits)

    exec_AsyncWith = exec_With

    def restore_exits(self, mode: int, since: int) -> None:
        """Paths that left the block by return, break or continue also restore the mode."""
        for difference in self.here.exits[since:]:
            if MODE in difference:
                difference[MODE] = mode
        for loop in self.loops:
            for difference in (*loop.breaks, *loop.continues):
                if MODE in difference:
                    difference[MODE] = mode

    def record_with(self, manager: Value, node: ast.expr, block: ast.With | ast.AsyncWith) -> None:
        """What DET302 asks of a with statement over a grad-mode switch."""
        if manager.kind & Kind.LIBRARY and manager.names & _UNCALLED:
            self.record(Role.SWITCH, node, manager, detail="uncalled")
        elif manager.kind & Kind.SWITCH and isinstance(manager.const, tuple):
            if manager.refs & self.open_switches:
                self.record(Role.SWITCH, node, manager, detail="nested")
            elif manager.const[1] == Grad.CUT and self.only_creates(block.body):
                self.record(Role.SWITCH, node, manager, detail="creates")

    def only_creates(self, body: Sequence[ast.stmt]) -> bool:
        """Whether a block does nothing but make new tensors, which never have history."""
        for statement in body:
            value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
            if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
                return False
            names = self.eval(value.func).names if isinstance(value.func.value, ast.Name) else frozenset()
            if not any(n.startswith("torch.") and n[6:] in operations.CREATORS for n in names):
                return False
            if any(isinstance(n, ast.Call) for a in [*value.args, *(k.value for k in value.keywords)] for n in ast.walk(a)):
                return False
        return True

    def enter(self, manager: Value, node: ast.AST) -> Value:
        """Enter a context manager: grad-mode switches switch, generator functions of the file run up to their yield."""
        if manager.kind & Kind.SWITCH and isinstance(manager.const, tuple):
            self.set_mode(manager.const[1])
            return manager
        for address in manager.refs:
            cls = self.instances.get(address)
            method = self.find(cls, "__enter__") if cls else None
            if method is not None:
                bound = self.bind_method(method, manager)
                return self.call(bound, [], {}, ast.Constant(None))
            slot = self.state.store.get((address, YIELD_MODE))
            if isinstance(slot, int):
                self.set_mode(slot)
                return self.items(manager, node)
        if manager.kind & Kind.UNKNOWN and not manager.kind & (Kind.OBJECT | Kind.LIBRARY):
            called = node.func if isinstance(node, ast.Call) else node
            name = self.idiom(called) if isinstance(called, ast.expr) else ""
            if any(word in name.lower() for word in ("grad", "infer", "eval", "test", "predict", "freeze", "mode", "context", "ctx")):
                self.set_mode(self.mode | Grad.CUT)
        return manager

    def exec_Try(self, node: ast.Try) -> None:
        mark = self.state.mark()
        self.exec_block(node.body)
        body_dead = self.state.dead
        body_end = self.state.changed(mark)
        self.state.dead = False
        self.state.rollback(mark)
        ends: list[Difference] = []
        if not body_dead:
            self.state.apply(body_end)
            self.exec_block(node.orelse)
            if not self.state.dead:
                ends.append(self.state.changed(mark))
            self.state.rollback(mark)
            self.state.dead = False
        for handler in node.handlers:
            self.state.merge([{}, body_end])
            if handler.name is not None:
                self.bind_name(handler.name, OTHER, handler)
            if handler.type is not None:
                self.eval(handler.type)
            self.exec_block(handler.body)
            if not self.state.dead and not (not body_dead and _imports_only(node)):
                ends.append(self.state.changed(mark))
            self.state.rollback(mark)
            self.state.dead = False
        self.state.merge(ends)
        if node.finalbody:
            dead, self.state.dead = self.state.dead, False
            self.exec_block(node.finalbody)
            self.state.dead = self.state.dead or dead

    exec_TryStar = exec_Try


def of_kind(value: Value, kind: int) -> Value:
    """A value known to be of fewer kinds; what is no tensor has no history."""
    if kind & (Kind.TENSOR | Kind.UNKNOWN):
        return value._replace(kind=kind)
    return value._replace(kind=kind, grad=0, history=EMPTY)


def _imports_only(node: ast.Try) -> bool:
    """`try: import x except ImportError: x = None`: the import is what counts."""
    return all(isinstance(s, (ast.Import, ast.ImportFrom)) for s in node.body)


_UNCALLED = frozenset(
    "torch.no_grad torch.enable_grad torch.inference_mode torch.set_grad_enabled torch.autograd.no_grad torch.autograd.enable_grad".split()
)


def _misspelt(name: str) -> bool:
    """Whether an attribute name is a slip of `requires_grad`."""
    return name in _SLIPS


_SLIPS = frozenset(
    "require_grad require_grads requires_grads required_grad requried_grad requires_gard requires_grd require_gradient requires_gradient"
    " reqires_grad requiers_grad requires_gradient_ need_grad requre_grad requres_grad require_grad_ requires_grade requir_grad requieres_grad"
    " requires_gradients".split()
)


def _as_load(target: ast.expr) -> ast.expr:
    """An assignment target as the expression that reads it."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    if isinstance(target, ast.Subscript):
        return ast.Subscript(target.value, target.slice, ast.Load())
    return target


def _as_call(node: ast.AugAssign) -> ast.Call:
    """A stand-in call node at the place of an augmented assignment."""
    return ast.copy_location(ast.Call(node.value, [], []), node)


__all__ = ["FROZEN", "TEXT", "TRAINABLE", "Statements", "idioms"]
