"""Edits of source: small functions from a CST node to the node that stands in its place.

Here: the only code that builds CST. A function of `EXPRESSIONS` gets the expression as it is after the edits inside it, so that nested edits
compose; what stands in `STATEMENTS` says what becomes of a list of statements. Not here: which edit mends what (the rules and `cures`), where
it is applied (`fixing`). A function raises Refused where the source is not of the form that the edit was made for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import libcst as cst

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
SOLID: Final = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.List, cst.Dict, cst.Set, cst.ListComp, cst.DictComp, cst.SetComp)
"""Expressions that a `.method()` binds to as a whole; others need parentheses."""


class Refused(Exception):
    """The source is not of the form that the edit was made for."""


# -- expressions ------------------------------------------------------------------------------------------------------------------------


def methods(node: cst.BaseExpression, names: str) -> cst.BaseExpression:
    """`x` -> `x.a().b()`, the names blank-separated; one that stands there already is not repeated."""
    out = node if isinstance(node, SOLID) or node.lpar else in_parentheses(node)
    for name in names.split():
        if not (isinstance(out, cst.Call) and isinstance(out.func, cst.Attribute) and out.func.attr.value == name and not out.args):
            out = cst.Call(cst.Attribute(out, cst.Name(name)))
    return out


def before_conversion(node: cst.BaseExpression, names: str) -> cst.BaseExpression:
    """`x.cpu().numpy()` -> `x.detach().cpu().numpy()`: in front of what moves and converts."""
    call = _call(node)
    if not isinstance(call.func, cst.Attribute):
        raise Refused
    owner = call.func.value
    if isinstance(owner, cst.Call) and isinstance(owner.func, cst.Attribute) and owner.func.attr.value in ("cpu", "to", "numpy"):
        return call.with_deep_changes(call.func, value=before_conversion(owner, names))
    return call.with_deep_changes(call.func, value=methods(owner, names))


def wrapped(node: cst.BaseExpression, function: str) -> cst.BaseExpression:
    """`x` -> `function(x)`."""
    return cst.Call(cst.parse_expression(function), [cst.Arg(_bare(node))])


def called(node: cst.BaseExpression) -> cst.BaseExpression:
    """`x.step` -> `x.step()`."""
    return cst.Call(node)


def attribute_called(node: cst.BaseExpression, name: str) -> cst.BaseExpression:
    """`x.data` -> `x.detach()`."""
    return cst.Call(_attribute(node).with_changes(attr=cst.Name(name)))


def renamed(node: cst.BaseExpression, name: str) -> cst.BaseExpression:
    """`x.old` -> `x.name`, `old` -> `name`."""
    if isinstance(node, cst.Name):
        return node.with_changes(value=name)
    return _attribute(node).with_changes(attr=cst.Name(name))


def argument_of(node: cst.BaseExpression) -> cst.BaseExpression:
    """`f(x)` -> `x`."""
    call = _call(node)
    if len(call.args) != 1 or call.args[0].star or call.args[0].keyword:
        raise Refused
    out = call.args[0].value
    return out if isinstance(out, SOLID) or out.lpar else in_parentheses(out)


def receiver_of(node: cst.BaseExpression) -> cst.BaseExpression:
    """`x.method(...)` -> `x`."""
    return _attribute(_call(node).func).value


def given(node: cst.BaseExpression, keyword: str, value: str) -> cst.BaseExpression:
    """`f(x)` -> `f(x, keyword=value)`, or the value that the keyword has is replaced."""
    call, new = _call(node), cst.parse_expression(value)
    for place, arg in enumerate(call.args):
        if arg.keyword is not None and arg.keyword.value == keyword:
            return call.with_changes(args=[*call.args[:place], arg.with_changes(value=new), *call.args[place + 1 :]])
    if any(arg.star == "**" for arg in call.args):
        raise Refused
    added = cst.Arg(new, cst.Name(keyword), equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")))
    return call.with_changes(args=[*call.args[:-1], *_followed(call.args[-1:], added)])


def _followed(last: Sequence[cst.Arg], added: cst.Arg) -> list[cst.Arg]:
    """The last argument and one more, spaced as the last one was."""
    if not last:
        return [added]
    comma = last[0].comma
    if isinstance(comma, cst.Comma):  # a trailing comma, as a rule on a line of its own
        between = comma.with_changes(whitespace_after=last[0].whitespace_after_arg if comma.whitespace_after.empty else comma.whitespace_after)
        return [last[0].with_changes(comma=_spaced(between)), added.with_changes(comma=comma)]
    after = last[0].whitespace_after_arg
    return [
        last[0].with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")), whitespace_after_arg=cst.SimpleWhitespace("")),
        added.with_changes(whitespace_after_arg=after),
    ]


def _spaced(comma: cst.Comma) -> cst.Comma:
    return comma.with_changes(whitespace_after=cst.SimpleWhitespace(" "))


def not_given(node: cst.BaseExpression, keyword: str) -> cst.BaseExpression:
    """`f(x, keyword=value)` -> `f(x)`."""
    call = _call(node)
    kept = [arg for arg in call.args if arg.keyword is None or arg.keyword.value != keyword]
    if len(kept) == len(call.args):
        raise Refused
    if kept and call.args[-1] not in kept:
        kept[-1] = kept[-1].with_changes(comma=call.args[-1].comma, whitespace_after_arg=call.args[-1].whitespace_after_arg)
    return call.with_changes(args=kept)


def keyword_renamed(node: cst.BaseExpression, old: str, new: str) -> cst.BaseExpression:
    """`f(old=x)` -> `f(new=x)`."""
    call = _call(node)
    args = [arg.with_changes(keyword=cst.Name(new)) if arg.keyword is not None and arg.keyword.value == old else arg for arg in call.args]
    return call.with_changes(args=args)


def copied(node: cst.BaseExpression) -> cst.BaseExpression:
    """`torch.tensor(x, dtype=d, requires_grad=r)` -> `x.detach().clone().to(dtype=d).requires_grad_(r)`."""
    call = _call(node)
    positional = [arg for arg in call.args if arg.keyword is None]
    if len(positional) != 1 or positional[0].star or call.args[0] is not positional[0]:
        raise Refused
    out = methods(positional[0].value, "detach clone")
    places = [_bare_arg(arg) for arg in call.args[1:] if arg.keyword is not None and arg.keyword.value in ("dtype", "device")]
    flags = [arg for arg in call.args[1:] if arg.keyword is not None and arg.keyword.value == "requires_grad"]
    if len(places) + len(flags) + 1 != len(call.args):
        raise Refused
    if places:
        out = cst.Call(cst.Attribute(out, cst.Name("to")), _listed(places))
    return cst.Call(cst.Attribute(out, cst.Name("requires_grad_")), [cst.Arg(flags[0].value)]) if flags else out


def outside_in(node: cst.BaseExpression, function: str) -> cst.BaseExpression:
    """`nn.Parameter(x).to(d)` -> `nn.Parameter(x.to(d))`: the methods that follow a call go to its argument; `function` is that call's name."""
    call = _call(node)
    inner = _attribute(call.func).value
    made = inner if _is_call_of(inner, function) else outside_in(inner, function)
    assert isinstance(made, cst.Call)
    if not made.args or made.args[0].star or made.args[0].keyword:
        raise Refused
    converted = call.with_deep_changes(call.func, value=methods(made.args[0].value, ""))
    return made.with_changes(args=[made.args[0].with_changes(value=converted), *made.args[1:]])


def _is_call_of(node: cst.BaseExpression, function: str) -> bool:
    return isinstance(node, cst.Call) and _text(node.func) == function


def each(node: cst.BaseExpression, names: str) -> cst.BaseExpression:
    """`xs` -> `[x.detach() for x in xs]`."""
    return cst.parse_expression(f"[x.{'.'.join(f'{name}()' for name in names.split())} for x in {_text(node)}]")


def if_tensor(node: cst.BaseExpression, test: str, brackets: str) -> cst.BaseExpression:
    """`v` -> `v.detach() if torch.is_tensor(v) else v`, of a name or attribute; `test` is how the file writes `torch.is_tensor`."""
    if not isinstance(node, (cst.Name, cst.Attribute)):
        raise Refused
    text = _text(node)
    out = f"{text}.detach() if {test}({text}) else {text}"
    return cst.parse_expression(f"({out})" if brackets else out)


def item_of(node: cst.BaseExpression, index: str) -> cst.BaseExpression:
    """`x` -> `x[index]`."""
    return cst.Subscript(node, [cst.SubscriptElement(cst.Index(cst.parse_expression(index)))])


def in_parentheses(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _bare(node: cst.BaseExpression) -> cst.BaseExpression:
    """Without the parentheses around it, which an argument does not need; those of a tuple are its own."""
    return node if isinstance(node, cst.Tuple) or len(node.lpar) != 1 else node.with_changes(lpar=[], rpar=[])


def _bare_arg(arg: cst.Arg) -> cst.Arg:
    return arg.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=cst.SimpleWhitespace(""))


def _listed(args: Sequence[cst.Arg]) -> list[cst.Arg]:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return [*(arg.with_changes(comma=comma) for arg in args[:-1]), args[-1]]


def _call(node: cst.BaseExpression) -> cst.Call:
    if not isinstance(node, cst.Call):
        raise Refused
    return node


def _attribute(node: cst.BaseExpression) -> cst.Attribute:
    if not isinstance(node, cst.Attribute):
        raise Refused
    return node


def _text(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


Expression = Callable[..., cst.BaseExpression]
EXPRESSIONS: Final[dict[str, Expression]] = {
    function.__name__: function
    for function in (
        methods, before_conversion, wrapped, called, attribute_called, renamed, argument_of, receiver_of, given, not_given, keyword_renamed,
        copied, outside_in, each, if_tensor, item_of,
    )
}  # fmt: skip


# -- small statements -------------------------------------------------------------------------------------------------------------------


def flag_called(node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
    """`m.requires_grad = v` -> `m.requires_grad_(v)`."""
    if not isinstance(node, cst.Assign) or len(node.targets) != 1:
        raise Refused
    target = _attribute(node.targets[0].target)
    return cst.Expr(cst.Call(target.with_changes(attr=cst.Name("requires_grad_")), [cst.Arg(_bare(node.value))]))


def assigned(node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
    """`a == b` -> `a = b`."""
    if not isinstance(node, cst.Expr) or not isinstance(node.value, cst.Comparison) or len(node.value.comparisons) != 1:
        raise Refused
    left = node.value.left
    if not isinstance(left, (cst.Name, cst.Attribute)):
        raise Refused
    return cst.Assign([cst.AssignTarget(left)], node.value.comparisons[0].comparator)


def out_of_place(node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
    """`a += b` -> `a = a + b`, and the statement `a.add_(b)` -> `a = a.add(b)`."""
    if isinstance(node, cst.AugAssign) and isinstance(node.target, (cst.Name, cst.Attribute)):
        operator = OPERATORS.get(type(node.operator))
        if operator is None:
            raise Refused
        right = node.value if isinstance(node.value, (*SOLID, cst.Integer, cst.Float)) or node.value.lpar else in_parentheses(node.value)
        return cst.Assign([cst.AssignTarget(node.target)], cst.BinaryOperation(node.target, operator(), right))
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
        method = _attribute(node.value.func)
        if isinstance(method.value, (cst.Name, cst.Attribute)) and method.attr.value.endswith("_"):
            call = node.value.with_deep_changes(method.attr, value=method.attr.value[:-1])
            return cst.Assign([cst.AssignTarget(method.value)], call)
    raise Refused


OPERATORS: Final[dict[type[cst.BaseAugOp], type[cst.BaseBinaryOp]]] = {
    cst.AddAssign: cst.Add,
    cst.SubtractAssign: cst.Subtract,
    cst.MultiplyAssign: cst.Multiply,
    cst.DivideAssign: cst.Divide,
    cst.PowerAssign: cst.Power,
}
IN_PLACE: Final = {binary: augmented for augmented, binary in OPERATORS.items()}


def in_place(node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
    """`a = a - b` -> `a -= b`."""
    if not isinstance(node, cst.Assign) or len(node.targets) != 1 or not isinstance(node.value, cst.BinaryOperation):
        raise Refused
    target, operator = node.targets[0].target, IN_PLACE.get(type(node.value.operator))
    if operator is None or _text(target) != _text(node.value.left):
        raise Refused
    return cst.AugAssign(target, operator(), _bare(node.value.right))


def replaced(node: cst.BaseSmallStatement, text: str) -> cst.BaseSmallStatement:
    """Another statement."""
    line = cst.parse_statement(text)
    assert isinstance(line, cst.SimpleStatementLine)
    return line.body[0].with_changes(semicolon=node.semicolon)


Small = Callable[..., cst.BaseSmallStatement]
SMALL_STATEMENTS: Final[dict[str, Small]] = {f.__name__: f for f in (flag_called, assigned, out_of_place, in_place, replaced)}


# -- functions and blocks ---------------------------------------------------------------------------------------------------------------


def decorated(node: cst.FunctionDef, text: str) -> cst.FunctionDef:
    """The function with one more decorator, the innermost."""
    return node.with_changes(decorators=[*node.decorators, cst.Decorator(cst.parse_expression(text))])


def undecorated(node: cst.FunctionDef, text: str) -> cst.FunctionDef:
    """The function without the decorator of this text."""
    kept = [one for one in node.decorators if _text(one.decorator) != text]
    if len(kept) != len(node.decorators) - 1:
        raise Refused
    return node.with_changes(decorators=kept)


FUNCTIONS: Final[dict[str, Callable[..., cst.FunctionDef]]] = {f.__name__: f for f in (decorated, undecorated)}


def within(statements: Sequence[Statement], text: str) -> cst.With:
    """The statements in the block of `with text:`. Blank lines and comments in front stay in front."""
    first = statements[0]
    lines = first.leading_lines
    body = [first.with_changes(leading_lines=()), *statements[1:]]
    return cst.With([cst.WithItem(cst.parse_expression(text))], cst.IndentedBlock(body), leading_lines=lines)


def without(node: Statement) -> list[Statement]:
    """What stands in the block of a `with`, without it."""
    if not isinstance(node, cst.With) or not isinstance(node.body, cst.IndentedBlock) or node.body.footer:
        raise Refused
    first, *rest = (one for one in node.body.body if isinstance(one, Statement))
    return [first.with_changes(leading_lines=(*node.leading_lines, *first.leading_lines)), *rest]


def statement(text: str) -> Statement:
    """A statement of its own line."""
    return cst.parse_statement(text)
