"""A plugin of python-lsp-server: the fixes of findings as code actions, and the rules' pages on hover.

Here: what the protocol asks, in its own positions, answered from the open document; nothing is written to the disk. Not here: diagnostics, which
that server's own flake8 plugin gives, or what mends a finding (`fixing`). Nothing imports this module: the server finds it by its entry point.
"""

from __future__ import annotations

import ast
import logging
import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from pluggy import HookimplMarker, Result

from . import analysis, manual
from .analysis import Diagnosis, Report
from .fixing import choosing
from .fixing.mending import cured, diagnosed
from .fixing.source import Text

Position = tuple[int, int]
"""As the protocol counts: line and character from 0, characters in units of UTF-16."""

KIND: Final = "quickfix"
SAFE: Final = "safe fix"
UNSAFE: Final = "unsafe fix: it changes what the program computes"
SHOWN: Final = ("Harm", "Good")
"""The sections of a rule's page that a hover has room for."""
SETTINGS: Final = ("config", "exclude", "extendIgnore", "extendSelect", "ignore", "perFileIgnores", "select")
"""The settings of the server's flake8 plugin by which flake8 chooses its findings."""

hookimpl: Final = HookimplMarker("pylsp")
log: Final = logging.getLogger(__name__)


# -- the hooks ----------------------------------------------------------------------------------------------------------------------------


@hookimpl
def pylsp_code_actions(config: Any, workspace: Any, document: Any, range: dict[str, Any], context: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: A002
    """One action for each Edit of a finding that the range touches. What goes wrong is logged: no hook may take the others' answers away."""
    if not _asked_for(context.get("only")):
        return []
    try:
        opened = Opened.of(config, workspace, document)
        return [] if opened is None else list(_actions(opened, document.uri, range, context.get("diagnostics", ())))
    except (Exception, SystemExit):  # SystemExit: flake8 ends so at a bad option
        log.warning("no fixes for %s", document.uri, exc_info=True)
        return []


@hookimpl(hookwrapper=True)
def pylsp_hover(config: Any, workspace: Any, document: Any, position: dict[str, int]) -> Generator[None, Result[Any], None]:
    """The pages of the rules with a finding at the position, above what another plugin says there."""
    outcome = yield
    try:
        opened = Opened.of(config, workspace, document)
        codes = [] if opened is None else opened.codes_at((position["line"], position["character"]))
    except (Exception, SystemExit):
        log.warning("no explanation for %s", document.uri, exc_info=True)
        return
    if codes:
        hover = config.capabilities.get("textDocument", {}).get("hover", {})
        outcome.force_result(_with_pages(outcome.get_result(), codes, "markdown" in hover.get("contentFormat", ["markdown"])))


# -- the document -------------------------------------------------------------------------------------------------------------------------


class Opened(NamedTuple):
    """A document as it stands in the editor, its name as flake8 shows it, and what the project chooses."""

    text: Text
    name: str
    choice: choosing.Choice

    @classmethod
    def of(cls, config: Any, workspace: Any, document: Any) -> Opened | None:
        """None for a file that flake8 would not read. Raises SystemExit and flake8's ExecutionError for bad options, as Choice does."""
        root, path = workspace.root_path or str(Path.cwd()), document.path or ""
        name = os.path.relpath(path, root) if path.startswith(root) else path
        given = _options(config.plugin_settings("flake8", document_path=path), root)
        choice = choosing.Choice([*given, "--stdin-display-name", name, "-"])
        return cls(Text(document.source, "utf-8"), name, choice) if any(choice.paths()) else None

    def codes_at(self, position: Position) -> list[str]:
        """The codes of the findings whose expression covers a position. Raises SyntaxError."""
        lines = self.text.lines
        tree = ast.parse("".join(lines))
        found = analysis.check(tree, lines, self.name, self.choice.settings)
        here = [report for report in found if _covers(extent(tree, lines, report), position)]
        return list(dict.fromkeys(report.code for report in self.choice.wanted(self.name, self.text, here)))


def _options(settings: Mapping[str, Any], root: str) -> list[str]:
    """The settings of the server's flake8 plugin as flake8's own options; without a file of options, the one flake8 would find at the root."""
    given = {name: settings[name] for name in SETTINGS if settings.get(name)}
    config = given.pop("config", None)
    where = choosing.configuration(root) if config is None else [f"--config={Path(root, os.path.expandvars(config)).expanduser()}"]
    words = {name: value if isinstance(value, str) else ",".join(value) for name, value in given.items()}
    return [*where, *(f"--{re.sub('[A-Z]', lambda found: '-' + found[0].lower(), name)}={value}" for name, value in words.items())]


# -- code actions -------------------------------------------------------------------------------------------------------------------------


def _asked_for(only: Sequence[str] | None) -> bool:
    """Whether a client that wants some kinds of actions wants ours; a kind stands for those below it, and the empty one for all."""
    return not only or any(kind in ("", KIND) for kind in only)


def _actions(opened: Opened, uri: str, wanted: dict[str, Any], known: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Raises SyntaxError."""
    view = opened.choice.view(opened.name)
    found = diagnosed(opened.text, view)
    lines = opened.text.lines
    tree = ast.parse("".join(lines))
    made = []
    for one in found:
        (first, _), (last, _) = extent(tree, lines, one.report)
        if one.edit is None or one.edit in made or first > wanted["end"]["line"] or last < wanted["start"]["line"]:
            continue
        made.append(one.edit)
        new = cured(opened.text, view, found, one)
        if new is not None:
            yield _action(uri, opened.text.text, new.text, one, known)


def _action(uri: str, old: str, new: str, one: Diagnosis, known: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`known`: the diagnostics that the client shows; the action names those that it ends."""
    assert one.edit is not None
    code, line = one.report.code, one.report.line - 1
    return {
        "title": f"{code}, line {line + 1}: {SAFE if one.edit.safe else UNSAFE}",
        "kind": KIND,
        "isPreferred": one.edit.safe,
        "diagnostics": [shown for shown in known if shown.get("code") == code and shown["range"]["start"]["line"] == line],
        "edit": {"changes": {uri: [text_edit(old, new)]}},
    }


def text_edit(old: str, new: str) -> dict[str, Any]:
    """The protocol's TextEdit of the smallest range that turns one text into another; a line end is not taken apart."""
    start = _alike(old, new)
    start -= any(_is_inside_line_end(text, start) for text in (old, new))
    rest = min(len(old), len(new)) - start
    same = _alike(old[::-1][:rest], new[::-1][:rest])
    same -= any(_is_inside_line_end(text, len(text) - same) for text in (old, new))
    end = len(old) - same
    places = [dict(zip(("line", "character"), _position(old, offset))) for offset in (start, end)]
    return {"range": dict(zip(("start", "end"), places)), "newText": new[start : len(new) - same]}


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((place for place, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))


def _is_inside_line_end(text: str, offset: int) -> bool:
    return offset > 0 and text[offset - 1 : offset + 1] == "\r\n"


# -- hover --------------------------------------------------------------------------------------------------------------------------------


def _with_pages(other: Any, codes: Sequence[str], markdown: bool) -> dict[str, Any]:
    """The protocol's Hover: short pages, and below them what another plugin says."""
    pages = [page._replace(sections={name: text for name, text in page.sections.items() if name in SHOWN}) for page in manual.pages() if page.code in codes]
    parts = [(manual.document(page) if markdown else manual.explanation(page)).strip() for page in pages]
    said = other.get("contents") if isinstance(other, dict) else None
    said = said.get("value") if isinstance(said, dict) else said
    if isinstance(said, str) and said.strip():
        parts.append(said)
    return {"contents": {"kind": "markdown" if markdown else "plaintext", "value": ("\n\n---\n\n" if markdown else "\n\n").join(parts)}}


# -- places -------------------------------------------------------------------------------------------------------------------------------


def extent(tree: ast.Module, lines: Sequence[str], report: Report) -> tuple[Position, Position]:
    """From where to where a finding's code goes: the largest expression or statement that begins there, of a compound statement its first line."""
    line = lines[report.line - 1].rstrip("\n")
    start, column = (report.line - 1, _units(line[: report.column])), len(line[: report.column].encode())
    here = [node for node in ast.walk(tree) if isinstance(node, (ast.expr, ast.stmt)) and (node.lineno, node.col_offset) == (report.line, column)]
    ends = [(node.end_lineno or 0, node.end_col_offset or 0) for node in here if not _is_compound(node)]
    if not ends:
        return start, (report.line - 1, _units(line))
    row, stop = max(ends)
    return start, (row - 1, _units(lines[row - 1].encode()[:stop].decode(errors="replace")))


def _is_compound(node: ast.AST) -> bool:
    return isinstance(node, ast.stmt) and (hasattr(node, "body") or hasattr(node, "cases"))


def _covers(span: tuple[Position, Position], position: Position) -> bool:
    return span[0] <= position <= span[1]


def _position(text: str, offset: int) -> Position:
    """Lines end as the protocol says: at LF, CR LF and CR."""
    before = re.split(r"\r\n|\n|\r", text[:offset])
    return len(before) - 1, _units(before[-1])


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
