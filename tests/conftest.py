"""What every test session tells at its end: how many findings the fixtures hold, and how many of them are debts."""

from __future__ import annotations

import pytest

from markers import PROGRAMS, RULES, debts, marks


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    owed = debts([*RULES, *PROGRAMS])
    total = sum(len(marks(path)) for path in [*RULES, *PROGRAMS])
    words = ", ".join(f"{owed[word]} {word}" for word in ("missed", "false", "unseen"))
    terminalreporter.write_line(f"fixtures: {total} marks, of these {words}")
