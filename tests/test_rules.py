"""The laws over all rules: how a rule is named, what its docstring says, that its examples hold, how its message reads.

What lives here: what is true of every rule, present and future. What must not: a list of rules; a test of one rule, which is its fixture.
"""

from __future__ import annotations

import ast
import importlib
import re
import string
import textwrap
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from flake8_detach import analysis, manual, plugin, rules

ROOT = Path(__file__).parent.parent
STEMS = sorted(path.stem for path in Path(rules.__path__[0]).glob("det*.py"))
SECTIONS = ["Harm", "Bad", "Good", "Silent when", "Fix"]
HEADING = re.compile(rf"^({'|'.join(SECTIONS)}):[ \n]", re.MULTILINE)

each_rule = pytest.mark.parametrize("stem", STEMS)


@cache
def module(stem: str) -> ModuleType:
    return importlib.import_module(f"{rules.__name__}.{stem}")


@cache
def sections(stem: str) -> dict[str, str]:
    """The docstring's parts by heading; the part before the first one is called "sentence"."""
    document = ast.get_docstring(ast.parse(Path(str(module(stem).__file__)).read_text(encoding="utf-8"))) or ""
    sentence, *rest = HEADING.split(document)
    return {"sentence": sentence.strip(), **dict(zip(rest[::2], map(textwrap.dedent, rest[1::2]), strict=True))}


def codes(source: str) -> list[str]:
    """What the analysis says of a program."""
    return [report.code for report in analysis.check(ast.parse(source), source.splitlines(keepends=True), "example.py")]


def code_of(stem: str) -> str:
    return stem[:6].upper()


def test_there_are_rules() -> None:
    assert STEMS


@each_rule
def test_stem(stem: str) -> None:
    assert re.fullmatch(r"det[0-9]{3}_[a-z0-9]+(_[a-z0-9]+)*", stem)


def test_one_rule_a_code() -> None:
    assert len({code_of(stem) for stem in STEMS}) == len(STEMS)


@each_rule
def test_sections_in_order(stem: str) -> None:
    assert list(sections(stem)) == ["sentence", *SECTIONS]
    assert [heading for heading, text in sections(stem).items() if not text.strip()] == []


@each_rule
def test_one_sentence(stem: str) -> None:
    """It is the rule's line in the table of the README."""
    sentence = " ".join(sections(stem)["sentence"].split())
    assert sentence.endswith(".")
    assert not re.search(r"[.?!] [A-Z]", sentence)
    assert "|" not in sentence


@each_rule
def test_bad_example_is_found(stem: str) -> None:
    assert code_of(stem) in codes(sections(stem)["Bad"])


@each_rule
def test_good_example_is_silent(stem: str) -> None:
    """Of every code; of the opinionated ones only its own."""
    others = set(plugin.opt_in_codes()) - {code_of(stem)}
    assert [code for code in codes(sections(stem)["Good"]) if code not in others] == []


@each_rule
def test_message_form(stem: str) -> None:
    message: str = module(stem).MESSAGE
    assert message == message.strip()
    assert not message.endswith(".")
    assert "\n" not in message
    assert message.count("`") % 2 == 0
    assert [name for _, name, _, _ in string.Formatter().parse(message) if name is not None and not name.isidentifier()] == []


@each_rule
def test_contract(stem: str) -> None:
    assert callable(module(stem).check)
    assert isinstance(module(stem).LOUD, bool)
    assert getattr(module(stem), "OPT_IN", False) is (code_of(stem) in plugin.opt_in_codes())


def test_readme_table_is_current() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("<!-- rules -->\n")[2].partition("\n<!-- end of rules -->")[0]
    assert table == manual.table(markdown=True)
