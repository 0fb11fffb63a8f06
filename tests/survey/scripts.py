"""Real training scripts under the witness: that it ends, what it costs, and whether it says what the linter says.

usage: python tests/survey/scripts.py CLONES [WORD...]

CLONES holds git clones named OWNER+NAME (`karpathy+nanoGPT`); with WORDs only the scripts that have one of them in their path run. Each script runs
twice in a copy of its clone, bare and under `flake8-detach witness`, on one thread, with tiny data that is made on the spot; nothing is downloaded.
Needs gymnasium before 1.0, matplotlib, scipy, tensorboard and tyro beside torch. Prints a table, and below it each finding with the engines that have it.

What lives here: the scripts, their arguments and data, the runs and the comparison. What must not: code of these repositories, a verdict.
"""

from __future__ import annotations

import os
import pickle
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

LIMIT: Final = 1800
FINDING: Final = re.compile(r".*?:(?P<line>\d+):\d+: (?P<code>DET\d{3}) (?P<text>.*)")
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz .\n"

Finding = tuple[int, str]


def no_data(folder: Path) -> None:
    """The script makes its own."""


def characters(folder: Path) -> None:
    """What nanoGPT's prepare.py makes of a text: the characters' numbers, and the table of them."""
    home, numbers = folder / "data" / "tiny", random.Random(0)
    home.mkdir(parents=True)
    for name, size in (("train", 20_000), ("val", 2_000)):
        (home / f"{name}.bin").write_bytes(array("H", numbers.choices(range(len(LETTERS)), k=size)).tobytes())
    table = {"vocab_size": len(LETTERS), "itos": dict(enumerate(LETTERS)), "stoi": {c: i for i, c in enumerate(LETTERS)}}
    (home / "meta.pkl").write_bytes(pickle.dumps(table))


def words(folder: Path) -> None:
    """A corpus of three files of made-up sentences."""
    numbers = random.Random(0)
    for name, lines in (("train", 1500), ("valid", 150), ("test", 150)):
        text = "\n".join(" ".join(f"w{numbers.randrange(200)}" for _ in range(20)) for _ in range(lines))
        (folder / f"{name}.txt").write_text(text + "\n", encoding="utf-8")


def waves(folder: Path) -> None:
    """The repository's own generator: it takes a second."""
    subprocess.run([sys.executable, "generate_sine_wave.py"], cwd=folder, check=True)


def papers(folder: Path) -> None:
    """What the repository's own table of citations lacks: the papers' made-up words and kinds."""
    citations = next(home for home in (folder, folder.parent) if (home / "data").is_dir()) / "data" / "cora" / "cora.cites"
    numbers = random.Random(0)
    known = dict.fromkeys(citations.read_text(encoding="utf-8").split())
    lines = ("\t".join((paper, *(str(int(numbers.random() < 0.02)) for _ in range(500)), f"kind{numbers.randrange(7)}")) for paper in known)
    citations.with_name("cora.content").write_text("\n".join(lines) + "\n", encoding="utf-8")


def old_gym(folder: Path) -> None:
    """gymnasium under its former name."""
    (folder / "gym.py").write_text("from gymnasium import *\n", encoding="utf-8")


class Script(NamedTuple):
    """A script of a clone: it runs in the folder `home` of it, which `data` has filled; one without options is made shorter by `shorter`, a text of it
    and what takes its place.
    """

    repository: str
    path: str
    args: str
    home: str = "."
    data: Callable[[Path], None] = no_data
    shorter: tuple[str, str] = ("", "")


GPT: Final = (
    "--dataset=tiny --device=cpu --dtype=float32 --compile=False --eval_interval=100 --eval_iters=10 --log_interval=10 --block_size=64 "
    "--batch_size=12 --n_layer=4 --n_head=4 --n_embd=128 --max_iters=300 --lr_decay_iters=300 --gradient_accumulation_steps=2"
)
CLEANRL: Final = "--no-cuda --total-timesteps"
SCRIPTS: Final = (
    Script("Diego999+pyGAT", "train.py", "--epochs 4", data=papers),
    Script("karpathy+nanoGPT", "train.py", GPT, data=characters),
    Script("karpathy+makemore", "makemore.py", "--num-workers 0 --max-steps 500"),
    Script("karpathy+minGPT", "projects/adder/adder.py", "--trainer.max_iters=600 --trainer.num_workers=0"),
    Script("pytorch+examples", "reinforcement_learning/actor_critic.py", "", "reinforcement_learning", shorter=("count(1)", "range(1, 120)")),
    Script("pytorch+examples", "reinforcement_learning/reinforce.py", "", "reinforcement_learning", shorter=("count(1)", "range(1, 120)")),
    Script("pytorch+examples", "time_sequence_prediction/train.py", "--steps 1", "time_sequence_prediction", waves),
    Script("pytorch+examples", "word_language_model/main.py", "--data . --epochs 5", "word_language_model", words),
    Script("seungeunrho+minimalRL", "dqn.py", "", data=old_gym, shorter=("range(10000)", "range(220)")),
    Script("seungeunrho+minimalRL", "ppo-lstm.py", "", data=old_gym, shorter=("range(10000)", "range(100)")),
    Script("tkipf+pygcn", "pygcn/train.py", "--epochs 400", "pygcn", papers),
    Script("vwxyzjn+cleanrl", "cleanrl/dqn.py", f"{CLEANRL} 30000 --learning-starts 1000"),
    Script("vwxyzjn+cleanrl", "cleanrl/ppo.py", f"{CLEANRL} 50000"),
    Script("vwxyzjn+cleanrl", "cleanrl/sac_continuous_action.py", f"{CLEANRL} 3000 --env-id Pendulum-v1 --learning-starts 500"),
)


class Cost(NamedTuple):
    """Seconds on the clock, and of the processor."""

    wall: float
    processor: float


class Ran(NamedTuple):
    """What one script cost, bare and witnessed, how the witnessed run ended, and what both engines found."""

    bare: Cost
    witnessed: Cost
    status: int
    static: dict[Finding, str]
    runtime: dict[Finding, str]


def run(command: list[str], folder: Path, root: Path) -> tuple[Cost, int]:
    """The cost and the exit status of a command; the tail of what it said is shown when that is not 0."""
    paths = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    one_thread = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": paths, "MPLBACKEND": "agg"}
    # the sine waves are saved as NumPy has them
    environment = {**os.environ, **one_thread, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}
    before, start = _processor(), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False)
    cost = Cost(time.perf_counter() - start, _processor() - before)
    if done.returncode:
        print(*done.stdout.splitlines()[-15:], sep="\n", file=sys.stderr)
    return cost, done.returncode


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def findings(text: str) -> dict[Finding, str]:
    """The findings in the form of flake8, by line and code."""
    found = filter(None, map(FINDING.match, text.splitlines()))
    return {(int(match["line"]), match["code"]): match["text"] for match in found}


def ran(clones: Path, script: Script) -> Ran:
    """Both runs of a script, each in a copy of its own, and what both engines say of it."""
    clone = clones / script.repository
    static = subprocess.run(
        [sys.executable, "-m", "flake8", "--isolated", "--select=DET", str(clone / script.path)], stdout=subprocess.PIPE, text=True, check=False
    )
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(temporary) / "findings.txt"
        witness = ["-m", "flake8_detach", "witness", "--timeout", str(LIMIT), "--output", str(output)]
        costs, statuses = [], []
        for name, prefix in (("bare", []), ("witnessed", witness)):
            root = Path(temporary) / name
            shutil.copytree(clone, root, ignore=shutil.ignore_patterns(".git"))
            script.data(root / script.home)
            path = root / script.path
            if script.shorter[0]:
                path.write_text(path.read_text(encoding="utf-8").replace(*script.shorter), encoding="utf-8")
            cost, status = run([sys.executable, *prefix, str(path), *script.args.split()], root / script.home, root)
            costs.append(cost)
            statuses.append(status)
        return Ran(costs[0], costs[1], max(statuses), findings(static.stdout), findings(output.read_text(encoding="utf-8")))


def commit(clone: Path) -> str:
    """The commit that is checked out, "?" in a folder that is no clone."""
    if not (clone / ".git").exists():
        return "?"
    done = subprocess.run(["git", "-C", str(clone), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "?"


def row(script: Script, commit_: str, result: Ran) -> str:
    """The script's line of the table."""
    both, static, runtime = (len(part) for part in split(result))
    seconds = f"{result.bare.wall:.1f} | {result.witnessed.wall:.1f} | {result.bare.processor:.1f} | {result.witnessed.processor:.1f}"
    ratio = f"{result.witnessed.processor / result.bare.processor:.1f}"
    return f"| {script.repository.replace('+', '/')} {script.path} | {commit_} | {seconds} | {ratio} | {both} | {static} | {runtime} |"


def split(result: Ran) -> tuple[list[Finding], list[Finding], list[Finding]]:
    """The findings of both engines, of the linter alone, of the witness alone."""
    static, runtime = result.static.keys(), result.runtime.keys()
    return sorted(static & runtime), sorted(static - runtime), sorted(runtime - static)


def disagreements(script: Script, result: Ran) -> Iterator[str]:
    """A line for each finding, with who has it."""
    for who, part in zip(("agree", "static only", "runtime only"), split(result)):
        for line, code in part:
            text = result.static.get((line, code)) or result.runtime[line, code]
            yield f"{script.path}:{line} {code} {who}: {text}"


HEAD: Final = """\
| script | commit | bare, s | witnessed, s | bare CPU, s | witnessed CPU, s | ratio | agree | static only | runtime only |
|---|---|---|---|---|---|---|---|---|---|"""


def main(clones: Path, chosen: list[str]) -> int:
    """Prints the table as it grows; 1 if a script is missing or has not run to its end."""
    told: list[str] = []
    failed = False
    print(HEAD)
    for script in SCRIPTS:
        if chosen and not any(word in f"{script.repository}/{script.path}" for word in chosen):
            continue
        if not (clones / script.repository / script.path).is_file():
            print(f"scripts: {clones / script.repository} has no {script.path}", file=sys.stderr)
            failed = True
            continue
        result = ran(clones, script)
        failed = failed or result.status != 0
        print(row(script, commit(clones / script.repository), result), flush=True)
        told += disagreements(script, result)
    print(*told, sep="\n")
    return int(failed)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
