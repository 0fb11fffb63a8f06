"""The Rule's words: what a rule module is, and the Finding it yields.

A rule is a module of `rules/`, found by its file name `detNNN_slug.py`: nothing is registered. It has a docstring, `MESSAGE`, `LOUD`,
`check(trace) -> Iterator[Finding]`, and `OPT_IN = True` where it is opinionated.
"""

from __future__ import annotations

import ast
from typing import NamedTuple


class Finding(NamedTuple):
    """One mistake: the node whose first column it is reported at, and the fields that fill the rule's MESSAGE."""

    node: ast.AST
    fields: dict[str, str]
