"""Walks of syntax that cost less than `ast.walk`: the statements of a body, without the expressions in them.

Here: what several readings of a program's text share. Not here: any meaning.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

BODIES: Final = ("body", "orelse", "finalbody", "handlers", "cases")


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node (a module, function, class or statement), those of nested functions and classes too, in no set order."""
    rest = [node]
    while rest:
        inner = rest.pop()
        yield inner
        for name in BODIES:
            below = getattr(inner, name, None)
            if type(below) is list:
                rest += below
