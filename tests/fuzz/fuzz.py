"""The fuzzer: the analysis under everything that is and is not Python. Nothing may fail.

usage: python tests/fuzz/fuzz.py [--files PATH ...] [--mutations N] [--generated N] [--kills N] [--seconds N] [--seed S] [--only CAMPAIGN ...] [--keep DIR]

Six campaigns, each counted and printed; the exit code is 1 if anything failed:
  read       every file as it is, and again as if it trained a model (the gate is forced)
  mutate     each of N files, drawn at random: truncated, a token deleted, doubled or swapped, two files' halves joined, live tensors grafted in
  generate   N programs that hypothesmith makes of Python's grammar
  nest       every construct put into itself as deep as flake8 itself follows
  repeat     the same findings in processes with other hash seeds, in another order, and from a real flake8 with -j1 and -j4
  kill       `fix` killed N times, at any moment and within its writing; a fiftieth as often each: stopped, out of memory, on a full disk, read-only
Files are those of the fixtures and of every PATH, a folder or a file. Without PATH: also the standard library of the Python that runs this; start it
with another Python to have another grammar. A text that this Python does not parse is counted as unparsable and left to flake8, which reports E999.
What lives here: the command: its options, its files, what it prints. What must not: the campaigns (campaigns.py), what a failure is (trial.py).
"""

from __future__ import annotations

import argparse
import platform
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

from campaigns import Fuzzer
from counting import Count

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
STDLIB = Path(sysconfig.get_path("stdlib"))
CAMPAIGNS = ["read", "mutate", "generate", "nest", "repeat", "kill"]


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
            count.keep(given.keep)
    print(f"{failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
