"""The Rule's words: what a rule module is, the Finding it yields, and the Edit that mends one.

A rule is a module of `rules/`, found by its file name `detNNN_slug.py`: nothing is registered. It has a docstring, `MESSAGE`, `LOUD`,
`check(trace) -> Iterator[Finding]`, and `OPT_IN = True` where it is opinionated. An Edit is data: what it does to the source stands in `edits`,
so that the linter need not know how to write.
"""

from __future__ import annotations

import ast
from typing import NamedTuple


class Change(NamedTuple):
    """One change of the source: the name of a function of `edits`, the node it is applied to, and what else that function takes."""

    kind: str
    node: ast.AST
    arguments: tuple[str | ast.AST, ...] = ()


class Edit(NamedTuple):
    """What mends one finding: changes that are made together or not at all.

    safe: same values, same gradients, same output, or a line that surely raised does so no more. imports: the modules whose names it uses.
    """

    changes: tuple[Change, ...]
    safe: bool
    imports: frozenset[str] = frozenset()


class Finding(NamedTuple):
    """One mistake: the node whose first column it is reported at, the fields that fill the rule's MESSAGE, and what mends it, if known."""

    node: ast.AST
    fields: dict[str, str]
    edit: Edit | None = None
