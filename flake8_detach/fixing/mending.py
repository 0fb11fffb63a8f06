"""Mending: a text, the findings that are wanted -> the text without those that have an edit.

Here: which edits go together, how often, and the proof that each one mended what it was made for. Not here: how an edit is applied (`changes`),
which findings are wanted (`choosing`), files.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from .. import analysis
from ..analysis import Diagnosis, Report
from ..edits.expressions import Refused
from ..rule import Change, Edit
from ..settings import DEFAULT, Settings
from .changes import BLOCKS, applied
from .source import Text

PASSES = 100
"""How often a text is mended and read again. Each time a finding is mended or refused, so this only ends what would make new ones for ever."""

Chosen = Callable[[Text, list[Report]], list[Report]]
"""Which findings are wanted."""
Key = tuple[str, int, int]
"""A finding of a text: code, line, which of several on the line."""


class View(NamedTuple):
    """How a file is looked at: its name as flake8 shows it, which findings are wanted, and what the project says of its own names."""

    filename: str
    chosen: Chosen
    settings: Settings = DEFAULT


class Mended(NamedTuple):
    """The new text, how many findings are gone, and those that are left, each with its edit."""

    text: str
    fixed: int
    left: list[Diagnosis]


def mended(text: Text, view: View, unsafe: bool) -> Mended:
    """Raises SyntaxError for what is no Python, and Unparsable for what only libcst does not know."""
    found = diagnosed(text, view)
    first, refused = len(found), set[Key]()
    for _ in range(PASSES):
        open_ = [d for d in found if d.edit is not None and (d.edit.safe or unsafe) and _key(d, found) not in refused]
        if not open_:
            break
        better = _most(text, view, found, [d for d in open_ if _rank(d) == min(map(_rank, open_))], refused)
        if better is not None:
            refused = _moved(refused, text, better[0])
            text, found = better
    return Mended(text.text, first - len(found), found)


def diagnosed(text: Text, view: View) -> list[Diagnosis]:
    """The wanted findings of a text. Raises SyntaxError."""
    lines = text.lines
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the program's own strings
        tree = ast.parse("".join(lines))
    if lines:
        lines[0] = lines[0].removeprefix("\ufeff")
    found = analysis.diagnose(tree, lines, view.filename, view.settings)
    wanted = set(view.chosen(text, [d.report for d in found]))
    return [d for d in found if d.report in wanted]


def cured(text: Text, view: View, found: list[Diagnosis], one: Diagnosis) -> Text | None:
    """The text with the edit of one of its findings made; None where there is no edit, or it does not do what it should."""
    better = None if one.edit is None else _tried(text, view, found, [one.edit])
    return None if better is None else better[0]


def _rank(one: Diagnosis) -> int:
    """Causes are mended before effects, of which nothing may be left then: modes, then what is kept, then where it is shown or converted."""
    code = one.report.code
    return 0 if code.startswith("DET3") else 1 if code in ("DET102", "DET103", "DET104") else 2


State = tuple[Text, list[Diagnosis]]


def _tried(text: Text, view: View, found: list[Diagnosis], edits: Sequence[Edit]) -> State | None:
    """The text with the edits and what is found in it; None where they are not what they were thought to be."""
    try:
        new = text._replace(text=applied(text.text, edits))
        new.encoded(new.text)
        after = diagnosed(new, view)
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


def _most(text: Text, view: View, found: list[Diagnosis], open_: list[Diagnosis], refused: set[Key]) -> State | None:
    """With the edits of as many as do together what they should."""
    good = list(_good(text, view, found, open_, refused))
    if len(good) > 1:  # what holds in each half should hold in the whole
        whole = _tried(text, view, found, _edits(one for part, _ in good for one in part))
        if whole is not None:
            return whole
    return good[0][1] if good else None


def _good(
    text: Text, view: View, found: list[Diagnosis], open_: list[Diagnosis], refused: set[Key]
) -> Iterator[tuple[list[Diagnosis], State]]:
    """Those that do together what they should, and what comes of them; where not all do, by halves. One that fails alone is refused."""
    better = _tried(text, view, found, _edits(open_))
    if better is not None:
        yield open_, better
    elif len(open_) == 1:
        refused.add(_key(open_[0], found))
    else:
        middle = len(open_) // 2
        yield from _good(text, view, found, open_[:middle], refused)
        yield from _good(text, view, found, open_[middle:], refused)


def _key(one: Diagnosis, found: list[Diagnosis]) -> Key:
    same = [d for d in found if (d.report.line, d.report.code) == (one.report.line, one.report.code)]
    return one.report.code, one.report.line, same.index(one)


def _moved(refused: set[Key], old: Text, new: Text) -> set[Key]:
    """What was refused in one text, where it stands in the next; what has no counterpart there may be tried again."""
    if not refused:
        return refused
    before, after = ([line.strip() for line in text.lines] for text in (old, new))
    blocks = difflib.SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    lines = {block.a + n + 1: block.b + n + 1 for block in blocks for n in range(block.size)}
    return {(code, lines[line], number) for code, line, number in refused if line in lines}


def _edits(open_: Iterable[Diagnosis]) -> list[Edit]:
    """Those that can be made in one go: expressions all at once, statements where no other edit comes near."""
    out: list[Edit] = []
    for edit in (d.edit for d in open_ if d.edit is not None):
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
