"""The fuzzer: the analysis under everything that is and is not Python. Nothing may fail.

usage: python tests/fuzz/fuzz.py [--files PATH ...] [--mutations N] [--generated N] [--kills N] [--seconds N] [--seed S] [--only CAMPAIGN ...] [--keep DIR]

Six campaigns, each counted and printed; the exit code is 1 if anything failed:
  read       every file as it is, and again as if it trained a model (the gate is forced)
  mutate     each of N files, drawn at random: truncated, a token deleted, doubled or swapped, two files' halves joined, live tensors grafted in
  generate   N programs that hypothesmith makes of Python's grammar
  nest       every construct put into itself as deep as flake8 itself follows
  repeat     the same findings in processes with other hash seeds, in another order, and from a real flake8 with -j1 and -j4
  kill       `fix` killed N times, at any moment and within its writing; a fiftieth as often each: stopped, out of memory, on a full disk, read-only
Files are those of the fixtures and of every PATH, a folder or a file. Without PATH: also the standard library of the Python that runs this; start it with another
Python to have another grammar. A text that this Python does not parse is counted as unparsable and left to flake8, which reports E999.
What lives here: the campaigns and the counting. What must not: what a failure is (trial.py), how texts are made (the other modules).
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import json
import os
import platform
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.strategies import SearchStrategy

import nesting
from interruption import KILLS, STARVING, Interruption
from mutations import MUTATIONS
from trial import SECONDS_PER_FILE, TRAINING, Verdict, parse, read, try_text

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent.parent / "fixtures"
STDLIB = Path(sysconfig.get_path("stdlib"))
CAMPAIGNS = ["read", "mutate", "generate", "nest", "repeat", "kill"]
TRIES = 8
"""How often a mutation is drawn anew because this Python does not parse the outcome."""
AGAIN = 10
"""Every so manieth text is analysed twice, and must give the same."""
HARD_STOP = 20 * SECONDS_PER_FILE
"""Seconds after which a trial that no signal reaches (a call that stays in C) ends the run, with a traceback."""


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
        self.unparsable += not verdict.parsed
        self.findings += len(verdict.reports)
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


def run(command: list[str], seed: str, text: str = "") -> str:
    environment = os.environ | {"PYTHONHASHSEED": seed}
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment, check=False, encoding="utf-8")
    if done.stderr:
        print(done.stderr[-2000:], flush=True)
    return done.stdout


def findings(paths: list[Path], seed: str) -> dict[str, object]:
    """The findings in each file, from a process of its own that reads the files in this order."""
    out = run([sys.executable, str(HERE / "trial.py")], seed, "\n".join(map(str, paths)))
    return {name: (reports, failure) for name, reports, failure in map(json.loads, out.splitlines())}


def flake8(folder: str, jobs: str, seed: str) -> dict[str, object]:
    """The lines of a real flake8 about each file."""
    out = run([sys.executable, "-m", "flake8", "--isolated", "--select=DET,E9", jobs, folder], seed)
    told: dict[str, object] = collections.defaultdict(str)
    for line in out.splitlines():
        name = line.partition(":")[0]
        told[name] = f"{told[name]}{line}\n" if "could not be analysed" not in line else f"{told[name]}{line} {jobs}\n"
    return told


def gathered(folders: list[Path]) -> list[Path]:
    """The files of the fixtures and of these folders, in a fixed order; a file stands for itself, whatever its name."""
    found = [path for one in [FIXTURES, *folders] for path in (sorted(one.rglob("*.py")) if one.is_dir() else [one]) if path.is_file()]
    return [path for path in dict.fromkeys(found) if STDLIB not in path.parents or not {"site-packages", "dist-packages"} & {*path.parts}]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fuzz flake8-detach; see the top of this file.")
    parser.add_argument("--files", nargs="+", type=Path, default=[STDLIB], metavar="PATH")
    parser.add_argument("--mutations", type=int, default=5000, metavar="N", help="how many files are mutated, each in every way")
    parser.add_argument("--generated", type=int, default=1000, metavar="N", help="how many programs hypothesmith makes")
    parser.add_argument("--repeated", type=int, default=400, metavar="N", help="how many files are compared between processes")
    parser.add_argument("--kills", type=int, default=500, metavar="N", help="how often fix is killed")
    parser.add_argument("--seconds", type=float, default=float("inf"), metavar="N", help="when to stop drawing texts")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", nargs="+", choices=CAMPAIGNS, default=CAMPAIGNS)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where texts that failed are written")
    given = parser.parse_args()
    if missing := [str(path) for path in given.files if not path.exists()]:
        parser.error(f"no such file or folder: {', '.join(missing)}")
    return given


def main() -> int:
    given = arguments()
    fuzzer = Fuzzer(gathered(given.files), given.seed, time.monotonic() + given.seconds)
    campaigns: dict[str, Callable[[], Count]] = {
        "read": fuzzer.read,
        "mutate": lambda: fuzzer.mutate(given.mutations),
        "generate": lambda: fuzzer.generate(given.generated),
        "nest": fuzzer.nest,
        "repeat": lambda: fuzzer.repeat(given.repeated),
        "kill": lambda: fuzzer.kill(given.kills),
    }
    print(f"Python {platform.python_version()}, {len(fuzzer.paths)} files, seed {given.seed}", flush=True)
    failed = 0
    for name in given.only:
        count = campaigns[name]()
        print(count, flush=True)
        failed += len(count.failures)
        if given.keep:
            keep(given.keep, count)
    print(f"{failed} failures")
    return 1 if failed else 0


def keep(folder: Path, count: Count) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (label, text, failure) in enumerate(count.failures):
        (folder / f"{count.name}{number:04}.py").write_text(f"{text}\n# {label}: {failure}\n", encoding="utf-8", errors="surrogatepass")


if __name__ == "__main__":
    sys.exit(main())
