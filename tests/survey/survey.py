"""The survey of real repositories, to be repeated: what the linter says today against the verdicts that were read.

usage: python tests/survey/survey.py CLONES [findings|cures]

CLONES holds git clones named OWNER+NAME. The files of each repository are taken from its commit in `repositories.csv`; findings are compared
with `findings.csv` (verdicts by reading) and the commits of `cures.csv` (a human's later cure) are linted before and after. No code of these
repositories is kept here: only places, verdicts and reasons.
"""

from __future__ import annotations

import ast
import collections
import csv
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from flake8_detach import analysis

HERE = Path(__file__).parent
WHOLE_PASS = ("DET301", "DET305", "DET306", "DET307", "DET5")
NEAR = 2


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def git(clone: Path, *args: str) -> bytes:
    return subprocess.run(["git", "-C", str(clone), *args], capture_output=True, check=True).stdout


def parsed(text: str) -> ast.Module | None:
    """The tree of a text; None where it is no Python of this version."""
    try:
        return ast.parse(text.lstrip("\ufeff"))
    except (SyntaxError, ValueError):
        return None


def reports(text: str, path: str) -> list[analysis.Report]:
    """The default codes' findings in a text; none where it is no Python of this version."""
    lines, tree = text.lstrip("\ufeff").splitlines(keepends=True), parsed(text)
    if tree is None:
        return []
    return [r for r in analysis.check(tree, lines, path) if not r.code.startswith("DET9")]


def source(clone: Path, commit: str, path: str) -> str:
    try:
        return git(clone, "show", f"{commit}:{path}").decode("utf-8", "replace")
    except subprocess.CalledProcessError:
        return ""


def found(clones: Path) -> Iterator[tuple[str, str, str, str]]:
    """(repository, path, line, code) of every finding in the surveyed repositories that are cloned."""
    for row in rows("repositories.csv"):
        clone = clones / row["repo"]
        if clone.is_dir():
            for path in git(clone, "ls-tree", "-r", "-z", "--name-only", row["commit"]).decode("utf-8", "surrogateescape").split("\0"):
                if path.endswith(".py"):
                    yield from ((row["repo"], path, str(r.line), r.code) for r in reports(source(clone, row["commit"], path), path))


def function(text: str, line: int) -> int:
    """The first line of the innermost function around a line, 0 at module level."""
    nodes = [n for n in ast.walk(ast.parse(text)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return max((n.lineno for n in nodes if n.lineno <= line <= (n.end_lineno or 0)), default=0)


def is_recognised(clone: Path, row: dict[str, str]) -> bool:
    """Whether a cured mistake is reported at its place before the cure, and after it one finding less on such a line."""
    before, after = (source(clone, commit, row["path"]) for commit in (f"{row['commit']}~1", row["commit"]))
    old, new = before.splitlines(), after.splitlines()
    had = collections.Counter((r.code, old[r.line - 1].strip()) for r in reports(before, row["path"]))
    left = collections.Counter((r.code, new[r.line - 1].strip()) for r in reports(after, row["path"]))
    for report in reports(before, row["path"]):
        for place in row["places"].split(";"):
            code, line = place.strip().split("@")
            near = abs(report.line - int(line)) <= NEAR
            whole = code.startswith(WHOLE_PASS) and function(before, report.line) == function(before, int(line))
            what = (code, old[report.line - 1].strip())
            if report.code == code and (near or whole) and had[what] > left[what]:
                return True
    return False


def judge_findings(clones: Path) -> None:
    """Print today's findings by their verdicts, per code."""
    verdicts = {(r["repo"], r["path"], r["line"], r["code"]): r["verdict"] for r in rows("findings.csv")}
    table: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for finding in found(clones):
        table[finding[3]][verdicts.get(finding, "unread")] += 1
    print(f"{'code':8}{'true':>8}{'debatable':>11}{'false':>8}{'unread':>8}")
    for code in sorted(table):
        print(f"{code:8}{table[code]['true']:8}{table[code]['debatable']:11}{table[code]['false']:8}{table[code]['unread']:8}")


def judge_cures(clones: Path) -> None:
    """Print how many of the cures are recognised."""
    cures = [r for r in rows("cures.csv") if (clones / r["repo"]).is_dir()]
    hits = {id(r) for r in cures if is_recognised(clones / r["repo"], r)}
    own = [r for r in cures if r["needs"] in ("line", "function", "file")]
    readable = [r for r in own if parsed(source(clones / r["repo"], f"{r['commit']}~1", r["path"])) is not None]
    print(f"cures recognised: {sum(id(r) in hits for r in own)} of {len(own)} that one file decides ({len(readable)} of them are Python 3)")
    print(f"                  {len(hits)} of {len(cures)} in all")


def main(clones: Path, what: str) -> None:
    warnings.simplefilter("ignore")
    if what != "cures":
        judge_findings(clones)
    if what != "findings":
        judge_cures(clones)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["findings"], ["cures"]):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else "")
