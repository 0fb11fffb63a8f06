"""What flake8-detach costs beside flake8 alone, TorchFix, torch-preflight and libcst's parser, and how it grows. The one command:

    python tests/benchmarks/benchmark.py --corpus a=examples --corpus b=pytorch-image-models

where the folders are clones of repositories at fixed commits:

    git clone https://github.com/pytorch/examples && git -C examples checkout {a}
    git clone https://github.com/huggingface/pytorch-image-models && git -C pytorch-image-models checkout {b}

It compares user CPU (with the processes a tool waits for, not time on the clock) in rounds: in each round every tool runs once on each slice of the
files, and ratios are taken within the round, so that a busy machine slows both sides. To a file's analysis belongs all that the process does: start,
imports, flake8's own checks. `--section` runs only some of: compare, phases, growth.

Here: the sections and their tables. Not here: environments, files, measuring, arithmetic (the modules beside this one).
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import corpora
import growth
import programs
from corpora import Corpus
from environments import ALONE, OURS, TOOLS, TORCHFIX, check_plugins, command, python_of
from figures import ratios, spread, table
from measure import Cost, cost, together

COMMITS = {"a": "77f55b912142e11fcfdf5b530231fb9c52f181e8", "b": "aa4b5850c1543fa488abf260f18390eda46cf85d"}
SECTIONS = ("compare", "phases", "growth")
LEAST_PAIRS = 5
BARS = {"a": 1.35, "b": 1.35, "c": 1.02, "d": 1.5}
"""User CPU of flake8 with the plugin over flake8 alone, by the letter of the corpus."""
TORCHFIX_BAR, CST_BAR = 10, 1.5
SLICE = 80
"""So many files at most are linted by one tool before the next one gets them: a clock that changes its speed every minute then changes it for all.
Each slice costs a start of the tool: smaller ones would count starts far more often than one run of the whole folder does."""
SHORT_FILES, SHORT_TIMES = 5, 4
"""A corpus of so few files is run more often: its runs are short, and what the kernel counts comes in ticks."""


def rounds(corpus: Corpus, tools: Sequence[str], pythons: Mapping[str, Path], pairs: int) -> dict[str, list[Cost]]:
    """Every tool once in each round, slice by slice, the direction changing, after a tenth of the files have warmed the caches of bytecode."""
    starts = {name: command(TOOLS[name], pythons[name]) for name in tools}
    for start in starts.values():
        cost([*start, *map(str, corpus.files[: 1 + len(corpus.files) // 10])])
    slices = [corpus.files[first : first + SLICE] for first in range(0, len(corpus.files), SLICE)]
    costs: dict[str, list[Cost]] = {name: [] for name in tools}
    for number in range(pairs * (SHORT_TIMES if len(corpus.files) <= SHORT_FILES else 1)):
        parts: dict[str, list[Cost]] = {name: [] for name in tools}
        for place, files in enumerate(slices):
            for name in tools[:: -1 if (number + place) % 2 else 1]:
                parts[name].append(cost([*starts[name], *map(str, files)]))
        for name in tools:
            costs[name].append(together(parts[name]))
    return costs


def comparison(costs: Mapping[str, Sequence[Cost]]) -> str:
    """A row for each tool: seconds, ratios to flake8 alone, memory, the lines it printed."""
    alone = costs[ALONE]
    rows = [
        [
            name,
            f"{statistics.median(c.user for c in runs):.2f}",
            spread(ratios([c.user for c in runs], [c.user for c in alone]), 3),
            f"{statistics.median(ratios([c.cpu for c in runs], [c.cpu for c in alone])):.3f}",
            f"{statistics.median(c.peak for c in runs):.0f}",
            runs[0].output.count("\n"),
        ]
        for name, runs in costs.items()
    ]
    return table(["tool", "user s", "over flake8 alone (least-most)", "with system", "peak MiB", "lines out"], rows)


def judgement(corpus: Corpus, costs: Mapping[str, Sequence[Cost]]) -> str:
    """The bars of a corpus, and how often less our added time is than TorchFix's, where that was run."""
    ours, alone = ([c.user for c in costs[name]] for name in (OURS, ALONE))
    ratio = statistics.median(ratios(ours, alone))
    bar = f" (bar {BARS[corpus.letter]}: {'met' if ratio <= BARS[corpus.letter] else 'NOT MET'})" if corpus.letter in BARS else ""
    added = [our - base for our, base in zip(ours, alone)]
    text = f"flake8-detach over flake8 alone {ratio:.3f}{bar}; it adds {statistics.median(added):.2f} s"
    if TORCHFIX not in costs:
        return text
    times = [(c.user - base) / our if our > 0 else math.inf for c, base, our in zip(costs[TORCHFIX], alone, added)]
    return f"{text}, TorchFix adds {statistics.median(times):.1f} times as much (bar {TORCHFIX_BAR} on a and b)"


def compare(corpus: Corpus, pythons: Mapping[str, Path], pairs: int) -> str:
    costs = rounds(corpus, list(pythons), pythons, pairs)
    lines = [f"({corpus.letter}) {corpus.title}: {len(corpus.files)} files, {len(costs[ALONE])} rounds", "", comparison(costs), "", judgement(corpus, costs)]
    return "\n".join(lines)


def phase_runs(corpus: Corpus, python: Path, pairs: int) -> list[dict[str, Any]]:
    """What `phases` prints, run by run."""
    words: list[str | Path] = [python, "-I", Path(__file__).with_name("phases.py"), *corpus.files]
    return [json.loads(cost(words, accept=[0]).output) for _ in range(pairs)]


PHASES = ("import", "gate", "interpret", "rules", "positions")


def phases(measured: Mapping[Corpus, Sequence[Mapping[str, Any]]]) -> str:
    """Where our time goes in each corpus, in milliseconds; then the gate; then the analysis over libcst's parser, and what is slowest."""
    clocks, gates, slow = [], [], []
    for corpus, runs in measured.items():
        count = runs[0]["count"]
        median = {phase: statistics.median(run["seconds"].get(phase, 0.0) for run in runs) for phase in (*PHASES, "parse")}
        clocks.append([f"({corpus.letter})", *(f"{median[phase] * 1000:.0f}" for phase in PHASES), f"{median['parse'] * 1000:.0f}"])
        gates.append([f"({corpus.letter})", count["files"], count["lines"], *(_share(count, *names) for names in SHARES), _over_cst(runs)])
        slow += [f"({corpus.letter}) {path}: {spent * 1000:.0f} ms, cst.parse_module {cst * 1000:.0f} ms" for spent, cst, path in runs[0]["slowest"][:3]]
        slow.append(f"({corpus.letter}) rules: " + ", ".join(f"{code} {spent * 1000:.0f} ms" for code, spent in runs[0]["by_rule"]))
    return "\n\n".join(
        [
            table(["ms", *PHASES, "ast.parse (flake8's own)"], clocks),
            table(["corpus", "files", "lines", *GATE_HEADER, f"over cst.parse_module (bar {CST_BAR})"], gates),
            "slowest:\n" + "\n".join(slow),
        ]
    )


SHARES = (("gated_files", "files"), ("gated_lines", "lines"), ("found_files", "gated_files"), ("found_lines", "gated_lines"))
GATE_HEADER = ("files through the gate", "lines through it", "of these files with a finding", "lines of these")


def _share(count: Mapping[str, int], part: str, whole: str) -> str:
    return f"{100 * count.get(part, 0) / count[whole]:.1f} %" if count.get(whole) else "-"


def _over_cst(runs: Sequence[Mapping[str, Any]]) -> str:
    """Our time on the files that pass the gate over that of libcst's parser on the same files, without the imports of either."""
    pairs = [(run["seconds"]["check_gated"], run["seconds"]["cst"]) for run in runs if run["seconds"].get("cst")]
    return spread([our / their for our, their in pairs]) if pairs else "-"


def chosen_corpora(given: Mapping[str, Path], cache: Path) -> list[Corpus]:
    """The folders, then c, d and e as far as they are not folders. Raises ValueError when a folder is empty or the code is not enough."""
    folders = [corpora.folder(letter, root) for letter, root in given.items()]
    files = [path for corpus in folders for path in corpus.files]
    made = [
        corpora.plain("c"),
        corpora.editor_file("d", folders[0].files),
        corpora.long_file("e", files, cache / "long.py"),
    ]
    return folders + [corpus for corpus in made if corpus.letter not in given]


def real_code(files: Sequence[Path]) -> dict[int, list[str]]:
    """The folders' own code, one file after another, cut into texts of the sizes of the axes of length: the same code at every size, since one line
    of it costs more than another. Sizes for which there is not enough are left out."""
    starts = itertools.accumulate((corpora.text_of(path).count("\n") for path in files), initial=0)
    same = [path for path, start in zip(files, starts) if start < programs.LINES[-1]]
    cut = {size: [programs.TRAINING + text for text in corpora.long_texts(same, size)] for size in programs.LINES}
    return {size: texts for size, texts in cut.items() if texts}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").format(**COMMITS), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", action="append", required=True, type=_corpus, metavar="LETTER=DIR", help="a folder of Python files; may be repeated")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "flake8-detach-benchmark", help="where the environments are kept (%(default)s)")
    parser.add_argument("--pairs", type=int, default=LEAST_PAIRS, help="rounds of runs (%(default)s; fewer are only a look)")
    parser.add_argument("--section", action="append", choices=SECTIONS, help="only this section; may be repeated")
    parser.add_argument("--only", help="only the corpora of these letters, such as cd")
    parser.add_argument("--tool", action="append", choices=TOOLS, help="only this beside flake8 alone and with the plugin; may be repeated")
    parser.add_argument("--limit", type=int, default=growth.LIMIT, help="growth: CPU seconds after which a program explodes (%(default)s)")
    return parser.parse_args()


def _corpus(text: str) -> tuple[str, Path]:
    letter, _, path = text.partition("=")
    if not letter or not Path(path).is_dir():
        raise argparse.ArgumentTypeError(f"{text}: LETTER=DIR is wanted, with a folder that exists")
    return letter, Path(path)


def main() -> None:
    chosen = arguments()
    sections = chosen.section or SECTIONS
    cache = chosen.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    tools = [TOOLS[name] for name in dict.fromkeys((ALONE, OURS, *(chosen.tool or TOOLS)))]
    pythons = {tool.name: python_of(tool, cache) for tool in tools}
    print("\n".join(f"{tool.name}: {check_plugins(tool, pythons[tool.name])}" for tool in tools), flush=True)
    found = [corpus for corpus in chosen_corpora(dict(chosen.corpus), cache) if corpus.letter in (chosen.only or corpus.letter)]
    if "compare" in sections:
        for corpus in found:
            print(f"\n{compare(corpus, pythons, chosen.pairs)}", flush=True)
    if "phases" in sections:
        print("\nwhere our own time goes\n")
        print(phases({corpus: phase_runs(corpus, pythons[OURS], chosen.pairs) for corpus in found}), flush=True)
    if "growth" in sections:
        code = [path for corpus in found if corpus.letter in dict(chosen.corpus) for path in corpus.files]
        print("\ngrowth\n")
        print(growth.run(sys.executable, extra={"code of the folders": real_code(code)}, limit=chosen.limit))


if __name__ == "__main__":
    main()
