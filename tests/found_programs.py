"""The smallest programs in which generated ones once contradicted torch, each under the name of what was wrong.

Here: all of them, and the whole text of one. Not here: the programs (found_tensors, found_modules, found_training), and the comparison (test_programs),
which asks of each that nothing contradicts any more.
"""

from __future__ import annotations

from textwrap import dedent
from typing import Final

from found_modules import MODULES
from found_tensors import TENSORS
from found_training import TRAINING
from program_vocabulary import HEADER

FOUND: Final[dict[str, str]] = {**TENSORS, **MODULES, **TRAINING}


def found(name: str) -> str:
    """The whole text of a program."""
    return HEADER + dedent(FOUND[name])
