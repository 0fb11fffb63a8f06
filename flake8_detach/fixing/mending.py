"""Mending: a text, the findings that are wanted -> the text without those that have an edit.

Here: which edits go together, how often, and the proof that each one mended what it was made for. Not here: how an edit is applied (`changes`),
which findings are wanted (`choosing`), files.
"""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .. import analysis
from ..analysis import Diagnosis, Report
from ..edits.expressions import Refused
from ..rule import Change, Edit
from .changes import BLOCKS, applied
from .source import Text

PASSES = 30
"""How often a text is read and mended again: edits that lie in each other are made one after the other."""

Chosen = Callable[[Text, list[Report]], list[Report]]
"""Which findings are wanted."""
Key = tuple[str, str, int]
"""A finding wherever its line has moved: code, the line's text, which of several on the line."""


class Mended(NamedTuple):
    """The new text, how many findings are gone, and those that are left, each with its edit."""

    text: str
    fixed: int
    left: list[Diagnosis]


def mended(text: Text, filename: str, chosen: Chosen, unsafe: bool) -> Mended:
    """Raises SyntaxError for what is no Python, and Unparsable for what only libcst does not know."""
    found = diagnosed(text, filename, chosen)
    first, refused = len(found), set[Key]()
    for _ in range(PASSES):
        open_ = [d for d in found if d.edit is not None and (d.edit.safe or unsafe) and _key(text, d, found) not in refused]
        open_ = [d for d in open_ if _rank(d) == min(map(_rank, open_))]
        edits = _together([d.edit for d in open_ if d.edit is not None])
        if not edits:
            break
        better = _tried(text, filename, chosen, found, edits)
        if better is None:
            better = _one_by_one(text, filename, chosen, found, open_, refused)
        if better is not None:
            text, found = better
    return Mended(text.text, first - len(found), found)


def diagnosed(text: Text, filename: str, chosen: Chosen) -> list[Diagnosis]:
    """The wanted findings of a text. Raises SyntaxError."""
    lines = text.lines
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the program's own strings
        tree = ast.parse("".join(lines))
    if lines:
        lines[0] = lines[0].removeprefix("\ufeff")
    found = analysis.diagnose(tree, lines, filename)
    wanted = set(chosen(text, [d.report for d in found]))
    return [d for d in found if d.report in wanted]


def cured(text: Text, filename: str, chosen: Chosen, found: list[Diagnosis], one: Diagnosis) -> Text | None:
    """The text with the edit of one of its findings made; None where there is no edit, or it does not do what it should."""
    better = None if one.edit is None else _tried(text, filename, chosen, found, [one.edit])
    return None if better is None else better[0]


def _rank(one: Diagnosis) -> int:
    """Causes are mended before effects, of which nothing may be left then: modes, then what is kept, then where it is shown or converted."""
    code = one.report.code
    return 0 if code.startswith("DET3") else 1 if code in ("DET102", "DET103", "DET104") else 2


State = tuple[Text, list[Diagnosis]]


def _tried(text: Text, filename: str, chosen: Chosen, found: list[Diagnosis], edits: Sequence[Edit]) -> State | None:
    """The text with the edits and what is found in it; None where they are not what they were thought to be."""
    try:
        new = text._replace(text=applied(text.text, edits))
        new.encoded(new.text)
        after = diagnosed(new, filename, chosen)
    except (Refused, SyntaxError, UnicodeEncodeError):
        return None
    return (new, after) if _is_better(found, after, edits) else None


def _is_better(before: list[Diagnosis], after: list[Diagnosis], edits: Sequence[Edit]) -> bool:
    """Whether what was mended is gone, and nothing has come but what the mistake had hidden and can be mended in its turn."""
    mended = Counter(d.report.code for d in before if d.edit in edits)
    old, new = (Counter(d.report.code for d in state) for state in (before, after))
    come = [code for code in new if new[code] > old[code]]
    curable = Counter(d.report.code for d in after if d.edit is not None)
    gone = all(new[code] <= old[code] - count for code, count in mended.items())
    return gone and all(new[code] - old[code] <= curable[code] for code in come)


def _one_by_one(text: Text, filename: str, chosen: Chosen, found: list[Diagnosis], open_: list[Diagnosis], refused: set[Key]) -> State | None:
    """The first edit that does what it should alone; those before it are refused."""
    for one in open_:
        assert one.edit is not None
        better = _tried(text, filename, chosen, found, [one.edit])
        if better is not None:
            return better
        refused.add(_key(text, one, found))
    return None


def _key(text: Text, one: Diagnosis, found: list[Diagnosis]) -> Key:
    same = [d for d in found if (d.report.line, d.report.code) == (one.report.line, one.report.code)]
    return one.report.code, text.lines[one.report.line - 1].strip(), same.index(one)


def _together(edits: Sequence[Edit]) -> list[Edit]:
    """Those that can be made in one go: expressions all at once, statements where no other edit comes near."""
    out: list[Edit] = []
    for edit in edits:
        if edit in out or not any(_in_the_way(edit, other) for other in out):
            out.append(edit)
    return out


def _in_the_way(one: Edit, other: Edit) -> bool:
    return any(a != b and _touch(a, b) for a in one.changes for b in other.changes)


def _touch(one: Change, other: Change) -> bool:
    if one.kind not in BLOCKS and other.kind not in BLOCKS:
        return one.node is other.node
    return any(a[0] <= b[1] and b[0] <= a[1] for a in _spans(one) for b in _spans(other))


def _spans(change: Change) -> list[tuple[int, int]]:
    nodes = [n for n in (change.node, *change.arguments) if isinstance(n, ast.AST)]
    spans = [(getattr(n, "lineno", 0), getattr(n, "end_lineno", 0) or 0) for n in nodes]
    return [(min(spans)[0], max(end for _, end in spans))] if change.kind == "within" else spans
