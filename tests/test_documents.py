"""The documentation: its generated pages are current, its links and commands hold.

What lives here: what can be checked of `docs/` without building the site (tests/integrations builds it). What must not: the examples of the
rules, which test_rules runs.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flake8_detach import manual, settings
from flake8_detach.__main__ import COMMANDS, main

PAGES = Path(__file__).parent.parent / "docs" / "pages"
README = PAGES.parent.parent / "README.md"
EXAMPLE = "fixtures/programs/example.py"
WRITTEN = sorted(PAGES.glob("*.md"))


def test_the_pages_of_the_rules_are_current() -> None:
    """`flake8-detach rules --pages docs/pages/rules` writes them."""
    found = {path.name: path.read_text(encoding="utf-8") for path in (PAGES / "rules").iterdir()}
    assert found == manual.documents()


def test_every_page_of_a_rule_has_its_sections() -> None:
    pages = manual.pages()
    assert [page.code for page in pages if list(page.sections) != ["Harm", "Bad", "Good", "Silent when", "Fix"]] == []
    assert [page.code for page in pages if page.sections["Bad"] not in manual.document(page)] == []


def test_the_readme_shows_what_is_really_said_and_mended(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Its example is a program of the fixtures, which both engines judge."""
    monkeypatch.chdir(README.parent)
    text = README.read_text(encoding="utf-8")
    assert main(["check", EXAMPLE]) == 1
    assert f"```text\n{capfd.readouterr().out}```" in text
    assert main(["fix", "--diff", EXAMPLE]) == 1
    assert f"```diff\n{capfd.readouterr().out}```" in text


def test_the_first_page_shows_what_is_really_said_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    text = (PAGES / "index.md").read_text(encoding="utf-8")
    [program], [said], [cure] = (re.findall(form, text, re.S) for form in (r"```python\n(.*?)```", r"```text\n(.*?)```", r"The cure: `(.*?)`"))
    Path("train.py").write_text(program)
    assert main(["check", "train.py"]) == 1
    assert capfd.readouterr().out == said
    assert main(["fix", "train.py"]) == 0
    assert Path("train.py").read_text() == program.replace("total += loss", cure)


def test_the_trace_that_is_shown_is_real(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """As far as it is shown, which is longer than its heading."""
    monkeypatch.chdir(README.parent)
    [shown] = re.findall(rf"\$ flake8-detach trace {EXAMPLE}:21\n(.*?)\n  \.\.\.\n```", (PAGES / "looking-inside.md").read_text(encoding="utf-8"), re.S)
    assert main(["trace", f"{EXAMPLE}:21"]) == 0
    assert capfd.readouterr().out.startswith(f"{shown}\n")
    assert len(shown.splitlines()) > 5


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (PAGES / link).exists()] == []


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_commands_exist(path: Path) -> None:
    named = set(re.findall(r"(?:^|`)(?:\$ )?flake8-detach ([a-z]+)\b", path.read_text(encoding="utf-8"), re.M))
    assert named <= COMMANDS.keys()


def test_every_option_is_described() -> None:
    text = (PAGES / "configuration.md").read_text(encoding="utf-8")
    assert [name for name in settings.NAMED if f"| `detach-{name}` |" not in text or f"\ndetach-{name} = " not in text] == []


def test_the_example_of_the_configuration_is_accepted() -> None:
    text = (PAGES / "configuration.md").read_text(encoding="utf-8")
    given = dict(re.findall(r"^detach-(\w+) = (.*)$", text, re.M))
    read = settings.read({name: value.split(", ") for name, value in given.items()})
    assert len(read.names) == sum(len(value.split(", ")) for value in given.values())
    assert read.loggers[0] == settings.Named("mylib.track", (1, "value"))
