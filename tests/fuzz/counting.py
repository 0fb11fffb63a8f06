"""Counting: what a campaign of the fuzzer tried, what failed, and how that is printed.

What lives here: the Count. What must not: what is tried (campaigns.py), what a failure is (trial.py).
"""

from __future__ import annotations

import collections
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from trial import GIVEN_UP, Verdict

SHOWN = 1000
"""After every so many texts a line on standard error says how far it is."""


@dataclass
class Count:
    """What a campaign tried and what failed."""

    name: str
    files: int = 0
    texts: int = 0
    unparsable: int = 0
    findings: int = 0
    slowest: tuple[float, str] = (0.0, "")
    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def add(self, label: str, text: str, verdict: Verdict) -> None:
        self.texts += 1
        if self.texts % SHOWN == 0:
            print(f"... {self.name}: {self.files} files, {self.texts} texts, {len(self.failures)} failures", file=sys.stderr, flush=True)
        self.unparsable += not verdict.parsed
        self.findings += len(verdict.reports)
        self.outcomes["given up, in a line that says so"] += any(report.text.startswith(GIVEN_UP) for report in verdict.reports)
        self.slowest = max(self.slowest, (verdict.seconds, label))
        if verdict.failure:
            self.fail(label, text, verdict.failure, verdict.details)

    def fail(self, label: str, text: str, failure: str, details: str = "") -> None:
        self.failures.append((label, text, failure))
        if sum(f == failure for _, _, f in self.failures) == 1:
            print(f"FAILED {self.name}: {label}: {failure}\n{details}", flush=True)

    def __str__(self) -> str:
        seconds, label = self.slowest
        causes = collections.Counter(failure for _, _, failure in self.failures)
        told = "".join(f"\n    {number} x {word}" for words in (sorted(self.outcomes.items()), causes.most_common()) for word, number in words)
        return (
            f"{self.name}: {self.files} files, {self.texts} texts tried, {self.unparsable} unparsable, {self.findings} findings, "
            f"slowest {seconds:.1f} s ({label}), {time.monotonic() - self.began:.0f} s in all, {len(self.failures)} failures{told}"
        )

    def keep(self, folder: Path) -> None:
        """Write each text that failed into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, (label, text, failure) in enumerate(self.failures):
            (folder / f"{self.name}{number:04}.py").write_text(f"{text}\n# {label}: {failure}\n", encoding="utf-8", errors="surrogatepass")
