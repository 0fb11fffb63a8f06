"""A program under watch: the value of each expression at each visit is written down, for those who mend the source.

Here: nothing else. The linter itself never pays for this: it runs the Program, or OwnNames where the project says something.
"""

from __future__ import annotations

import ast

from flake8_detach.settings import Settings
from flake8_detach.value import Value

from .own_names import OwnNames


class Watched(OwnNames):
    """Interprets one file with the project's settings and fills `trace.seen`."""

    def __init__(self, tree: ast.Module, filename: str, source: str, settings: Settings) -> None:
        super().__init__(tree, filename, source, settings)
        self.seen = self.trace.seen = {}

    def eval(self, node: ast.expr) -> Value:
        value = super().eval(node)
        known = self.seen.setdefault(id(node), [])
        if not known or known[-1] != value:
            known.append(value)
        return value
