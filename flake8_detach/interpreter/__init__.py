"""The interpreter: a program of the linted kind, run on Values instead of on objects; it writes the Trace.

The chapters, each a class that builds on the one before (state and records are below all; proofs reads the trace at the end):
values       machine (tokens, frames) < storage < effects (live and cut) < overwrites < containers < results < notes < objects < modules < belongings
             < updates
expressions  judgements (truth, text) < expressions < comprehensions
calls        calls (dispatch) < torch_calls < libraries < builtins
methods      tensors < networks < collections < guesses < methods (dispatch)
statements   assignments < branches < loops < blocks < definitions < repeats < activations < program (entry points; callers: who calls them)
names        program < own_names (what the project says of its own names; used where it says something) < watched (for those who mend)
"""

from __future__ import annotations

import ast

from flake8_detach.settings import DEFAULT, Settings
from flake8_detach.trace import Trace

from .program import Program
from .records import UnknownSyntax as UnknownSyntax


def interpret(tree: ast.Module, filename: str = "<unknown>", source: str = "", settings: Settings = DEFAULT, watch: bool = False) -> Trace:
    """Interpret a module's `ast` tree and answer what happened; nothing of the program is imported or executed.

    `watch`: the trace also tells the value of each expression at each visit, which only a cure asks for. Raises UnknownSyntax.
    """
    if watch:
        from .watched import Watched

        return Watched(tree, filename, source, settings).run()
    if not settings.names:
        return Program(tree, filename, source).run()
    from .own_names import OwnNames

    return OwnNames(tree, filename, source, settings).run()
