"""The rules as pages: the table of the README and the page that `explain` prints.

What lives here: reading the rules folder as documentation. What must not: any text about a single rule, which is in that rule's docstring.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import dataclass

from . import rules


@dataclass(frozen=True, slots=True)
class Page:
    """What one rule says of itself."""

    code: str
    name: str
    summary: str
    body: str
    loud: bool
    opt_in: bool

    @property
    def kind(self) -> str:
        return ("loud" if self.loud else "silent") + (", opt-in" if self.opt_in else "")


def pages() -> list[Page]:
    """One page per module of the rules folder, in the order of the codes."""
    stems = sorted(found.name for found in pkgutil.iter_modules(rules.__path__))
    return [page(stem) for stem in stems if stem.startswith("det")]


def page(stem: str) -> Page:
    module = importlib.import_module(f"{rules.__name__}.{stem}")
    summary, _, body = (inspect.getdoc(module) or "").partition("\n\n")
    code, _, name = stem.partition("_")
    return Page(code.upper(), name, " ".join(summary.split()), body.strip(), bool(module.LOUD), bool(getattr(module, "OPT_IN", False)))


def explanation(page: Page) -> str:
    title = f"{page.code} {page.name} ({page.kind})"
    return "\n\n".join([f"{title}\n{'=' * len(title)}", page.summary, page.body])


def table(markdown: bool) -> str:
    if markdown:
        rows = [f"| {page.code} | {page.name} | {page.summary} | {page.kind} |" for page in pages()]
        return "\n".join(["| code | name | the mistake | |", "|---|---|---|---|", *rows])
    return "\n".join(f"{page.code}  {page.name:<26} {page.kind:<16} {page.summary}" for page in pages())
