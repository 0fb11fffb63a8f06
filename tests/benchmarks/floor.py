"""The floor: `cst.parse_module` of every file, and nothing else; less is impossible for a tool that reads libcst's tree.

Run in the environment to measure: `python floor.py FILE...`.
"""

from __future__ import annotations

import sys
import tokenize

import libcst


def main(paths: list[str]) -> None:
    for path in paths:
        with tokenize.open(path) as file:
            libcst.parse_module(file.read())


if __name__ == "__main__":
    main(sys.argv[1:])
