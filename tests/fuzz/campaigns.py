"""The campaigns of the fuzzer: which texts are tried, in which order, and how often.

What lives here: the campaigns and their random choices. What must not: what a failure is (trial.py), how texts are made (mutations.py, nesting.py),
bad ends (interruption.py).
"""

from __future__ import annotations

import faulthandler
import json
import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.strategies import SearchStrategy

import nesting
from counting import Count
from interruption import KILLS, STARVING, Interruption
from mutations import MUTATIONS
from repetition import findings, flake8
from trial import SECONDS_PER_FILE, TRAINING, Verdict, parse, read, try_text

TRIES = 8
"""How often a mutation is drawn anew because this Python does not parse the outcome."""
AGAIN = 10
"""Every so manieth text is analysed twice, and must give the same."""
HARD_STOP = 60 * SECONDS_PER_FILE
"""Seconds after which a trial that no signal reaches (a call that stays in C) ends the run, with a traceback."""


class Fuzzer:
    """The campaigns over one set of files; everything random hangs on the seed and the text's label."""

    def __init__(self, paths: list[Path], seed: str, deadline: float) -> None:
        self.paths, self.seed, self.deadline = paths, seed, deadline
        self.tried = 0

    def chance(self, label: str) -> random.Random:
        return random.Random(f"{self.seed} {label}")

    def over(self) -> bool:
        return time.monotonic() > self.deadline

    def try_one(self, count: Count, label: str, text: str) -> Verdict:
        """One text; every AGAIN-th twice."""
        faulthandler.dump_traceback_later(HARD_STOP, exit=True)
        verdict = try_text(text)
        count.add(label, text, verdict)
        self.tried += 1
        if self.tried % AGAIN == 0 and try_text(text).reports != verdict.reports:
            count.fail(label, text, "other findings the second time")
        faulthandler.cancel_dump_traceback_later()
        return verdict

    def read(self) -> Count:
        count = Count("read")
        for path in self.paths:
            text = text_of(path)
            if self.over():
                break
            count.files += 1
            self.try_one(count, str(path), text)
            self.try_one(count, f"{path} +training", text + TRAINING)
        return count

    def mutate(self, number: int) -> Count:
        """Of `number` files, every mutation; half of the files know torch. With too few files, several of each."""
        count = Count("mutate")
        known = self.with_torch()
        others = list(dict.fromkeys([*known, *self.paths]))[len(known) :]
        half = number // 2 if others else number
        chosen = [*spread(known, half, self.chance("files")), *spread(others, number - half, self.chance("others"))]
        for turn, path in enumerate(self.chance("order").sample(chosen, len(chosen))):
            text = text_of(path)
            other = text_of(self.chance(f"{path} {turn} other").choice(self.paths))
            if self.over():
                break
            count.files += 1
            for name in MUTATIONS:
                self.mutate_one(count, f"{path} {name} {turn}", text, other)
        return count

    def mutate_one(self, count: Count, label: str, text: str, other: str) -> None:
        """One mutation that parses, if a few draws give one; where the file does not train, with what does in front."""
        chance, name = self.chance(label), label.split()[-2]
        mutant = ""
        for _ in range(TRIES):
            mutant = MUTATIONS[name](text, chance, other)
            if parse(mutant) is not None:
                break
        self.try_one(count, label, mutant if "torch" in text else in_front(mutant))

    def generate(self, number: int) -> Count:
        count = Count("generate")
        for at, text in enumerate(generated(number, self.seed)):
            if self.over():
                break
            self.try_one(count, f"program {at}", text + TRAINING)
            grafted = MUTATIONS["grafted"](text, self.chance(f"{at}"))
            self.try_one(count, f"program {at} grafted", in_front(grafted))
        return count

    def nest(self, names: Iterable[str] = tuple(nesting.CONSTRUCTS), deepest: int = nesting.DEEPEST) -> Count:
        """Whatever stands below it, what stands before it is reported as ever: an extreme place may be given up on, the file may not."""
        count = Count("nest")
        usual = {(report.line, report.code) for report in try_text(TRAINING).reports}
        for name in names:
            for depth in nesting.depths(name, deepest):
                label, text = f"{name} {depth} deep", nesting.program(name, depth)
                verdict = self.try_one(count, label, text)
                if verdict.parsed and not verdict.failure and not usual <= {(report.line, report.code) for report in verdict.reports}:
                    count.fail(label, text, "hides what stands before it")
        return count

    def repeat(self, number: int) -> Count:
        """Files and mutants with torch, analysed by several processes."""
        count = Count("repeat")
        known = self.with_torch()
        with tempfile.TemporaryDirectory() as folder:
            paths = list(self.written(Path(folder), spread(known, number, self.chance("repeat"))))
            count.files = len(paths)
            self.compare(count, "seed", [findings(paths, "0"), findings(paths[::-1], "1"), findings(self.shuffled(paths), "2")])
            self.compare(count, "flake8", [flake8(folder, "-j1", "3"), flake8(folder, "-j4", "4")])
            count.texts = 5 * len(paths)
            count.findings = len(flake8(folder, "-j1", "5"))
        if not count.findings:
            count.fail("flake8", "", "no findings: is the plugin installed?")
        return count

    def kill(self, number: int) -> Count:
        """Every text is one run of `fix` over a folder of programs that came to a bad end."""
        count, interruption = Count("kill"), Interruption()
        count.files = len(interruption.old)
        kinds = [KILLS[turn % len(KILLS)] for turn in range(number)] + [kind for kind in STARVING for _ in range(max(1, number // 50))]
        for turn, kind in enumerate(kinds):
            if self.over():
                break
            moment, wrong = interruption.try_one(kind, self.chance(f"{kind} {turn}"))
            count.texts += 1
            if wrong:
                count.fail(f"{kind}: {moment}", "", f"{kind}: {wrong}")
        count.outcomes = interruption.seen
        return count

    def with_torch(self) -> list[Path]:
        return [path for path in self.paths if "torch" in text_of(path)]

    def shuffled(self, paths: list[Path]) -> list[Path]:
        return self.chance("order").sample(paths, len(paths))

    def written(self, folder: Path, paths: list[Path]) -> Iterator[Path]:
        """Copies in one folder: every second as it is, the rest with tensors grafted in."""
        for number, path in enumerate(paths):
            text = text_of(path)
            mutant = MUTATIONS["grafted"](text, self.chance(f"repeat {path}")) if number % 2 else text
            copy = folder / f"m{number:05}.py"
            copy.write_text(mutant if parse(mutant) is not None else text, encoding="utf-8", errors="surrogateescape")
            yield copy

    @staticmethod
    def compare(count: Count, what: str, runs: list[dict[str, object]]) -> None:
        for name in sorted({name for run in runs for name in run}):
            told = [run.get(name) for run in runs]
            if any(other != told[0] for other in told):
                count.fail(name, Path(name).read_text(encoding="utf-8", errors="replace"), f"other findings by {what}", json.dumps(told, indent=1))


def in_front(text: str) -> str:
    """With what trains in front; a text may only be led by its own `from __future__` and docstring, so these go."""
    return TRAINING + text.replace("from __future__", "from future")


def text_of(path: Path) -> str:
    try:
        return "".join(read(path))
    except (OSError, UnicodeError, SyntaxError):
        return ""


def spread(paths: list[Path], number: int, chance: random.Random) -> list[Path]:
    """So many of the files: all of them as often as it takes, and a random choice for the rest."""
    return paths * (number // len(paths)) + chance.sample(paths, number % len(paths)) if paths else []


def generated(number: int, seed: str) -> list[str]:
    """Programs of hypothesmith, from Python's grammar and from libcst's nodes."""
    import hypothesmith

    return [text for strategy in (hypothesmith.from_grammar(), hypothesmith.from_node()) for text in drawn(strategy, number // 2, seed)]


def drawn(strategy: SearchStrategy[str], number: int, seed: str) -> list[str]:
    """So many examples of a strategy, the same for a seed."""
    programs: list[str] = []

    @seeded(seed)
    @settings(max_examples=number, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(program: str) -> None:
        programs.append(program)

    collect()
    return programs
