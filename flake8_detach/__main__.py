"""The command line: five commands, each a short road to what does the work.

What lives here: names, arguments and exit statuses. What must not: the work itself, or an import that only one command needs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from . import __version__

# Every family but the opt-in one, DET9: a prefix that covers an opt-in code would switch it on.
SELECTED = ",".join(f"DET{family}" for family in range(9))


def check(arguments: Sequence[str]) -> int:
    """flake8 with only our codes: check PATH... [flake8's own options]"""
    from flake8.main.cli import main as flake8

    return int(flake8([f"--select={SELECTED}", *arguments]))


def explain(arguments: Sequence[str]) -> int:
    """a rule's page: explain DET101"""
    from . import manual

    parser = argparse.ArgumentParser("flake8-detach explain", description="print what a rule says of itself")
    parser.add_argument("code", type=str.upper, help="a code, such as DET101")
    code = parser.parse_args(arguments).code
    found = {page.code: page for page in manual.pages()}
    if code not in found:
        parser.error(f"unknown code {code}; the codes are {', '.join(found)}")
    print(manual.explanation(found[code]))
    return 0


def rules(arguments: Sequence[str]) -> int:
    """all rules in one table: rules [--markdown]"""
    from . import manual

    parser = argparse.ArgumentParser("flake8-detach rules", description="print the table of the rules")
    parser.add_argument("--markdown", action="store_true", help="as the table of the README")
    print(manual.table(parser.parse_args(arguments).markdown))
    return 0


def fix(arguments: Sequence[str]) -> int:
    """apply the fixes of findings: fix [--unsafe] [--diff] PATH... [flake8's own options]"""
    from .fixing.command import main as run

    return run(arguments)


def witness(arguments: Sequence[str]) -> int:
    """run a program under real torch and print what happened: witness PROGRAM.py [ARGS...]"""
    from .runtime.command import main as run

    return run(arguments)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"check": check, "fix": fix, "explain": explain, "rules": rules, "witness": witness}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "flake8-detach",
        description="Find autograd mistakes in PyTorch code.",
        epilog="\n".join(f"  {name:<9}{command.__doc__}" for name, command in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the command takes; `flake8-detach COMMAND --help` says more")
    chosen = parser.parse_args(argv)
    return COMMANDS[chosen.command](chosen.arguments)


if __name__ == "__main__":
    sys.exit(main())
