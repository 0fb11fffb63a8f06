"""The rules as pages: the table of the README, the page that `explain` prints, and the pages of the documentation.

What lives here: reading the rules as documentation, and the forms it is shown in. What must not: any text about a single rule, which is in
that rule's docstring.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

from . import analysis

FIRST: Final = "0.1.0"
"""The version that a rule without a SINCE of its own is in since: the first."""

HEADINGS: Final = {
    "Harm": "What PyTorch does",
    "Bad": "Bad",
    "Good": "Good",
    "Silent when": "Silent when",
    "Fix": "Fix",
}
"""The sections of a rule's docstring, in the order of the page, with their headings there."""
CODE: Final = ("Bad", "Good")
SECTION: Final = re.compile(rf"^({'|'.join(HEADINGS)}):[ \n]", re.MULTILINE)

LOUD: Final = "Loud: PyTorch itself raises or warns when the line runs; the linter says so before."
SILENT: Final = "Silent: nothing tells you; the program runs on."
OPT_IN: Final = "Opt-in: reported only where it is asked for."


class Page(NamedTuple):
    """What one rule says of itself; `sections` by the headings of its docstring."""

    code: str
    name: str
    loud: bool
    opt_in: bool
    since: str
    summary: str
    sections: dict[str, str]

    @property
    def kind(self) -> str:
        return ("loud" if self.loud else "silent") + (", opt-in" if self.opt_in else "")

    @property
    def title(self) -> str:
        return f"{self.code} {self.name} ({self.kind})"

    @property
    def notice(self) -> str:
        """How one comes to know of the mistake, and of the code."""
        return " ".join([LOUD if self.loud else SILENT, *[OPT_IN] * self.opt_in])

    @property
    def choice(self) -> str:
        """How the code is silenced or asked for."""
        asked = f"`extend-select = {self.code}` asks for it" if self.opt_in else f"`extend-ignore = {self.code}` switches it off"
        return f"`# noqa: {self.code}` silences it on one line; {asked} in flake8's configuration."


def pages() -> list[Page]:
    """One page per rule, in the order of the codes."""
    return [page(code, rule) for code, rule in sorted(analysis.rules().items())]


def page(code: str, rule: ModuleType) -> Page:
    """The page of a rule's module."""
    summary, *rest = SECTION.split(inspect.getdoc(rule) or "")
    sections = {heading: _section(heading, body) for heading, body in zip(rest[::2], rest[1::2])}
    name = rule.__name__.rpartition(".")[2].partition("_")[2]
    return Page(
        code, name, rule.LOUD, getattr(rule, "OPT_IN", False), getattr(rule, "SINCE", FIRST), " ".join(summary.split()), sections
    )


def _section(heading: str, body: str) -> str:
    """A section's text, where it is prose with a capital: in the docstring it goes on after the heading."""
    text = textwrap.dedent(body).strip()
    return text if heading in CODE else text[:1].upper() + text[1:]


# -- in the terminal ------------------------------------------------------------------------------------------------------------------


def explanation(page: Page, width: int = 80, bold: bool = False) -> str:
    """The page as text of at most `width` columns (code is not broken); with `bold`, headings are emphasised by ANSI escapes."""
    parts = [_emphasised(page.title, bold), textwrap.fill(page.summary, width)]
    for heading, shown in HEADINGS.items():
        body = page.sections.get(heading)
        if body is not None:
            text = textwrap.indent(body, "    ") if heading in CODE else _wrapped(body, width)
            parts.append(f"{_emphasised(shown, bold)}\n{text}")
    about = f"{page.notice} In flake8-detach since {page.since}. {page.choice}"
    parts.append(f"{_emphasised('The code', bold)}\n{_wrapped(about, width)}")
    return "\n\n".join(parts)


def _emphasised(text: str, bold: bool) -> str:
    return f"\x1b[1m{text}\x1b[0m" if bold else text


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(" ".join(text.split()), width, initial_indent="  ", subsequent_indent="  ", break_long_words=False)


def table(markdown: bool) -> str:
    """All rules, a line each."""
    if not markdown:
        return "\n".join(f"{page.code}  {page.name:<26} {page.kind:<16} {page.summary}" for page in pages())
    rows = [f"| {page.code} | {page.name} | {page.summary} | {page.kind} |" for page in pages()]
    return "\n".join(["| code | name | the mistake | |", "|---|---|---|---|", *rows])


# -- as documentation -----------------------------------------------------------------------------------------------------------------


def documents() -> dict[str, str]:
    """The Markdown pages of the documentation by file name: one for each rule, and an index."""
    rows = [f"| [{p.code}]({p.code}.md) | {p.name} | {p.summary} | {p.kind} |" for p in pages()]
    index = "\n".join(["# The rules", "", "| code | name | the mistake | |", "|---|---|---|---|", *rows, ""])
    return {"index.md": index, **{f"{page.code}.md": document(page) for page in pages()}}


def write(folder: Path) -> None:
    """Write the pages into a folder, which is made; pages of codes that are no more are taken away. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    current = documents()
    for old in folder.glob("DET[0-9][0-9][0-9].md"):
        if old.name not in current:
            old.unlink()
    for name, text in current.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def document(page: Page) -> str:
    """The page as Markdown."""
    parts = [f"# {page.code} {page.name}", page.summary, f"**{page.notice}** In flake8-detach since {page.since}."]
    for heading, shown in HEADINGS.items():
        body = page.sections.get(heading)
        if body is not None:
            parts += [f"## {shown}", f"```python\n{body}\n```" if heading in CODE else body]
    return "\n\n".join([*parts, "## Choosing it", page.choice]) + "\n"
