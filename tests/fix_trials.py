"""Trials of fixes: the programs that several tests begin with, and the two ways to have them fixed.

What lives here: a program after its fixes, as a text and as a file after the command. What must not: what a fix should write (the tests).
"""

from __future__ import annotations

from pathlib import Path

from flake8_detach.__main__ import main
from flake8_detach.fixing.mending import View, mended
from flake8_detach.fixing.source import Text

HEAD = "import torch\nfrom torch import nn\nnet = nn.Linear(2, 1).requires_grad_(True)\nx = torch.ones(3, 2)\n"
LOOP = "opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)\nfor _ in range(3):\n"
MISTAKE = HEAD + "print(net(x))  # said\n"
MENDED = HEAD + "print(net(x).detach())  # said\n"


def fix(source: str, unsafe: bool = False, without: str = "DET9") -> str:
    """A program after its fixes, all codes wanted but those that begin like this."""
    return mended(Text(source, "utf-8"), View("train.py", lambda _, reports: [r for r in reports if not r.code.startswith(without)]), unsafe).text


def written(tmp_path: Path, data: bytes, *arguments: str) -> bytes:
    """A file after the command."""
    path = tmp_path / "train.py"
    path.write_bytes(data)
    main(["fix", "--isolated", *arguments, str(path)])
    return path.read_bytes()
