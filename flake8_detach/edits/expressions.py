"""Expressions: methods, arguments and names that are added, taken away or changed.

Here: edits of one expression. Not here: statements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import libcst as cst

SOLID: Final = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.List, cst.Dict, cst.Set, cst.ListComp, cst.DictComp, cst.SetComp)
"""Expressions that a `.method()` binds to as a whole; others need parentheses."""


class Refused(Exception):
    """The source is not of the form that the edit was made for."""


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
    return cst.Call(cst.parse_expression(function), [cst.Arg(bare(node))])


def called(node: cst.BaseExpression) -> cst.BaseExpression:
    """`x.step` -> `x.step()`."""
    return cst.Call(node)


def attribute_called(node: cst.BaseExpression, name: str) -> cst.BaseExpression:
    """`x.data` -> `x.detach()`."""
    return cst.Call(attribute_of(node).with_changes(attr=cst.Name(name)))


def owner_of(node: cst.BaseExpression) -> cst.BaseExpression:
    """`x.data` -> `x`."""
    return attribute_of(node).value


def renamed(node: cst.BaseExpression, name: str) -> cst.BaseExpression:
    """`x.old` -> `x.name`, `old` -> `name`."""
    if isinstance(node, cst.Name):
        return node.with_changes(value=name)
    return attribute_of(node).with_changes(attr=cst.Name(name))


def argument_of(node: cst.BaseExpression) -> cst.BaseExpression:
    """`f(x)` -> `x`."""
    call = _call(node)
    if len(call.args) != 1 or call.args[0].star or call.args[0].keyword:
        raise Refused
    out = call.args[0].value
    return out if isinstance(out, SOLID) or out.lpar else in_parentheses(out)


def receiver_of(node: cst.BaseExpression) -> cst.BaseExpression:
    """`x.method(...)` -> `x`."""
    return attribute_of(_call(node).func).value


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
    inner = attribute_of(call.func).value
    made = inner if _is_call_of(inner, function) else outside_in(inner, function)
    assert isinstance(made, cst.Call)
    if not made.args or made.args[0].star or made.args[0].keyword:
        raise Refused
    converted = call.with_deep_changes(call.func, value=methods(made.args[0].value, ""))
    return made.with_changes(args=[made.args[0].with_changes(value=converted), *made.args[1:]])


def _is_call_of(node: cst.BaseExpression, function: str) -> bool:
    return isinstance(node, cst.Call) and text_of(node.func) == function


def each(node: cst.BaseExpression, names: str) -> cst.BaseExpression:
    """`xs` -> `[x.detach() for x in xs]`."""
    return cst.parse_expression(f"[x.{'.'.join(f'{name}()' for name in names.split())} for x in {text_of(node)}]")


def if_tensor(node: cst.BaseExpression, test: str, brackets: str) -> cst.BaseExpression:
    """`v` -> `v.detach() if torch.is_tensor(v) else v`, of what may be evaluated twice; `test` is how the file writes `torch.is_tensor`."""
    text = text_of(node)
    out = f"{text}.detach() if {test}({text}) else {text}"
    return cst.parse_expression(f"({out})" if brackets else out)


def item_of(node: cst.BaseExpression, index: str) -> cst.BaseExpression:
    """`x` -> `x[index]`."""
    return cst.Subscript(node, [cst.SubscriptElement(cst.Index(cst.parse_expression(index)))])


def in_parentheses(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def bare(node: cst.BaseExpression) -> cst.BaseExpression:
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


def attribute_of(node: cst.BaseExpression) -> cst.Attribute:
    if not isinstance(node, cst.Attribute):
        raise Refused
    return node


def text_of(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


Expression = Callable[..., cst.BaseExpression]
EXPRESSIONS: Final[dict[str, Expression]] = {
    function.__name__: function
    for function in (
        methods, before_conversion, wrapped, called, attribute_called, owner_of, renamed, argument_of, receiver_of, given, not_given, keyword_renamed,
        copied, outside_in, each, if_tensor, item_of,
    )
}  # fmt: skip
