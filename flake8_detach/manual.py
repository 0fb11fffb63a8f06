"""The rules as pages: the table of the README and the page that `explain` prints.

What lives here: reading the rules as documentation. What must not: any text about a single rule, which is in that rule's docstring.
"""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import NamedTuple

from . import analysis


class Page(NamedTuple):
    """What one rule says of itself."""

    code: str
    name: str
    kind: str
    summary: str
    body: str


def pages() -> list[Page]:
    """One page per rule, in the order of the codes."""
    return [page(code, rule) for code, rule in sorted(analysis.rules().items())]


def page(code: str, rule: ModuleType) -> Page:
    summary, _, body = (inspect.getdoc(rule) or "").partition("\n\n")
    name = rule.__name__.rpartition(".")[2].partition("_")[2]
    kind = ("loud" if rule.LOUD else "silent") + (", opt-in" if getattr(rule, "OPT_IN", False) else "")
    return Page(code, name, kind, " ".join(summary.split()), body.strip())


def explanation(page: Page) -> str:
    title = f"{page.code} {page.name} ({page.kind})"
    return "\n\n".join([f"{title}\n{'=' * len(title)}", page.summary, page.body])


def table(markdown: bool) -> str:
    if not markdown:
        return "\n".join(f"{page.code}  {page.name:<26} {page.kind:<16} {page.summary}" for page in pages())
    rows = [f"| {page.code} | {page.name} | {page.summary} | {page.kind} |" for page in pages()]
    return "\n".join(["| code | name | the mistake | |", "|---|---|---|---|", *rows])
