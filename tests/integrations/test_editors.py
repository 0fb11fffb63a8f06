"""Editors, each driven for real: a file is opened, a line is mended, the findings follow.

What lives here: python-lsp-server over JSON-RPC, Vim with ALE, Emacs with Flycheck, and `flake8 -`. A test is skipped where its editor is
missing: `apt-get install vim-ale emacs-nox elpa-flycheck` and the extra `integrations` bring all. What must not: anything about a rule.
`python -m pytest -s tests/integrations/test_editors.py` prints the transcripts: what was sent and came back, and what an editor shows.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pty
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flake8_detach.language_server import text_edit

HERE = Path(__file__).parent
ALE = Path("/usr/share/vim-ale")
FLYCHECK = Path("/usr/share/emacs/site-lisp/elpa-src")
MISTAKE = "import torch\n\nw = torch.ones(3, requires_grad=True)\nprint(w.numpy())\n"
MENDED = MISTAKE.replace("w.numpy", "w.detach().numpy")
SAID = "`.numpy()` raises on a tensor that requires grad (from `torch.ones(3, requires_grad=True)`, line 3): use `.detach().numpy()`"
needs_server = pytest.mark.skipif(importlib.util.find_spec("pylsp") is None, reason="python-lsp-server is not installed (extra `integrations`)")
OTHERS = "pycodestyle pyflakes mccabe pylint yapf autopep8"
TIME = 120


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with one file that has a mistake, and a flake8 of this Python."""
    (tmp_path / "train.py").write_text(MISTAKE)
    (tmp_path / ".flake8").write_text("[flake8]\nselect = DET\n")
    starter = tmp_path / "bin" / "flake8"
    starter.parent.mkdir()
    starter.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m flake8 "$@"\n')
    starter.chmod(0o755)
    return tmp_path


def test_a_buffer_on_standard_input(folder: Path) -> None:
    """The display name is what is shown, and what per-file-ignores and exclude look at."""
    for extra, shown in (([], [f"train.py:4:7: DET201 {SAID}"]), (["--per-file-ignores=train.py:DET2"], [])):
        command = [sys.executable, "-m", "flake8", "--stdin-display-name", "train.py", *extra, "-"]
        done = subprocess.run(command, cwd=folder, input=MISTAKE, capture_output=True, text=True, check=False)
        print(f"$ flake8 {' '.join(command[3:])} < train.py\n{done.stdout}", end="")
        assert done.stdout.splitlines() == shown


# -- python-lsp-server ------------------------------------------------------------------------------------------------------------------


class Client:
    """A language client of a few words; each answer must come within TIME."""

    def __init__(self, folder: Path) -> None:
        from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter

        command = [sys.executable, "-m", "pylsp"]
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.writer = JsonRpcStreamWriter(self.process.stdin)
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()
        reader = JsonRpcStreamReader(self.process.stdout)
        threading.Thread(target=reader.listen, args=(self.hear,), daemon=True).start()
        plugins: dict[str, dict[str, object]] = {name: {"enabled": False} for name in OTHERS.split()}
        plugins["flake8"] = {"enabled": True, "executable": str(folder / "bin" / "flake8")}
        settings = {"pylsp": {"plugins": plugins}}
        self.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}, "initializationOptions": settings})
        self.tell("initialized", {})

    def tell(self, method: str, given: object) -> None:
        self.say({"jsonrpc": "2.0", "method": method, "params": given})

    def ask(self, method: str, given: object) -> dict[str, Any]:
        self.say({"jsonrpc": "2.0", "id": method, "method": method, "params": given})
        return self.await_message("id", method)

    def say(self, message: dict[str, object]) -> None:
        print("-->", json.dumps(message, ensure_ascii=False))
        self.writer.write(message)

    def hear(self, message: dict[str, Any]) -> None:
        print("<--", json.dumps(message, ensure_ascii=False))
        self.messages.put(message)

    def await_message(self, key: str, value: str) -> dict[str, Any]:
        while True:
            message = self.messages.get(timeout=TIME)
            if message.get(key) == value:
                return message

    def diagnostics(self) -> list[dict[str, Any]]:
        return list(self.await_message("method", "textDocument/publishDiagnostics")["params"]["diagnostics"])


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    client = Client(folder)
    yield client
    client.process.kill()
    client.process.wait()


@needs_server
def test_python_lsp_server(client: Client, folder: Path) -> None:
    """Open, mend, break again: the diagnostics follow, and their range covers the expression to the end of its line."""
    uri = (folder / "train.py").as_uri()
    client.tell("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": MISTAKE}})
    [found] = client.diagnostics()
    assert (found["code"], found["source"], found["message"]) == ("DET201", "flake8", f"DET201 {SAID}")
    line, start, end = MISTAKE.splitlines()[3], found["range"]["start"], found["range"]["end"]
    assert start == {"line": 3, "character": line.index("w.numpy()")}
    assert end["line"] == 3
    assert end["character"] >= line.index("w.numpy()") + len("w.numpy()")
    for version, (text, codes) in enumerate([(MENDED, []), ("\n" + MISTAKE, ["DET201"])], 2):
        client.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]})
        found_now = client.diagnostics()
        assert [one["code"] for one in found_now] == codes
    assert found_now[0]["range"]["start"]["line"] == 4


LIVE = MISTAKE.replace("print(w.numpy())", "é = '🔥', w.numpy()  # 🔥\nkept = w")
NEVER_CLEARED = """import torch

net = torch.nn.Linear(2, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    net(torch.ones(3, 2)).mean().backward()
    opt.step()
"""


def opened(client: Client, folder: Path, text: str) -> dict[str, object]:
    """A document in the editor that is not what the disk holds; once this returns its diagnostics have come."""
    document: dict[str, object] = {"uri": (folder / "train.py").as_uri()}
    client.tell("textDocument/didOpen", {"textDocument": {**document, "languageId": "python", "version": 1, "text": text}})
    client.diagnostics()
    return document


def actions(client: Client, document: dict[str, object], lines: tuple[int, int], **context: object) -> list[dict[str, Any]]:
    places = [{"line": line, "character": 0} for line in lines]
    asked = {"textDocument": document, "range": dict(zip(("start", "end"), places)), "context": {"diagnostics": [], **context}}
    return list(client.ask("textDocument/codeAction", asked)["result"])


def after(text: str, edit: dict[str, Any]) -> str:
    """A text after a TextEdit, as the protocol counts: characters are units of UTF-16, two bytes each."""
    data, offsets, new = text.encode("utf-16-le"), [], str(edit["newText"])
    for place in (edit["range"]["start"], edit["range"]["end"]):
        before = "".join(text.splitlines(keepends=True)[: place["line"]])
        offsets.append(2 * place["character"] + len(before.encode("utf-16-le")))
    return (data[: offsets[0]] + new.encode("utf-16-le") + data[offsets[1] :]).decode("utf-16-le")


@pytest.mark.parametrize(
    ("old", "new", "start", "end", "inserted"),
    [
        ("a b", "a x b", (0, 2), (0, 2), "x "),
        ("aa", "aaa", (0, 2), (0, 2), "a"),
        ("🔥 b\n", "🔥 c\n", (0, 3), (0, 4), "c"),
        ("a\nb\nc\n", "a\nc\n", (1, 0), (2, 0), ""),
        ("a\r\nb", "a\rb", (0, 1), (1, 0), "\r"),
        ("a\rb", "a\r\nb", (0, 1), (1, 0), "\r\n"),
        ("a\nb", "a\r\nb", (0, 1), (1, 0), "\r\n"),
    ],
)
def test_the_smallest_range_of_text(old: str, new: str, start: tuple[int, int], end: tuple[int, int], inserted: str) -> None:
    """In units of UTF-16; a line end is replaced whole."""
    edit = text_edit(old, new)
    assert [tuple(edit["range"][side].values()) for side in ("start", "end")] == [start, end]
    assert edit["newText"] == inserted
    assert after(old, edit) == new


@needs_server
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_code_action(client: Client, folder: Path, end: str) -> None:
    """What it inserts is all that it changes, counted in UTF-16; the text it leaves is clean, and the disk was never touched."""
    text = LIVE.replace("\n", end)
    document = opened(client, folder, text)
    [action] = actions(client, document, (3, 3))
    assert (action["title"], action["kind"], action["isPreferred"]) == ("DET201, line 4: safe fix", "quickfix", True)
    [(uri, [edit])] = action["edit"]["changes"].items()
    assert uri == document["uri"]
    assert edit["range"]["start"] == edit["range"]["end"]
    mended = after(text, edit)
    assert mended == text.replace("w.numpy", "w.detach().numpy")
    client.tell("textDocument/didChange", {"textDocument": document | {"version": 2}, "contentChanges": [{"text": mended}]})
    assert client.diagnostics() == []
    assert actions(client, document, (0, 9)) == []
    assert (folder / "train.py").read_text() == MISTAKE


@needs_server
def test_code_actions_are_those_that_are_asked_for(client: Client, folder: Path) -> None:
    """By lines and by kind; a line that silences the code has none; an action names the diagnostics that it ends."""
    document = opened(client, folder, MISTAKE + "print(w.numpy())  # noqa: DET201\n")
    shown = {"code": "DET201", "message": "shown", "range": {"start": {"line": 3, "character": 6}, "end": {"line": 3, "character": 16}}}
    elsewhere = {**shown, "range": {"start": {"line": 4, "character": 6}, "end": {"line": 4, "character": 16}}}
    [action] = actions(client, document, (0, 9), diagnostics=[shown, elsewhere], only=["quickfix"])
    assert action["diagnostics"] == [shown]
    assert actions(client, document, (0, 2)) == []
    assert actions(client, document, (4, 4)) == []
    assert actions(client, document, (3, 3), only=["refactor"]) == []


@needs_server
def test_a_code_action_that_is_not_safe_says_so(client: Client, folder: Path) -> None:
    """Gradients that are never cleared: to clear them is to train otherwise."""
    document = opened(client, folder, NEVER_CLEARED)
    [action] = actions(client, document, (0, 9))
    assert (action["title"], action["isPreferred"]) == ("DET501, line 6: unsafe fix: it changes what the program computes", False)
    [[edit]] = action["edit"]["changes"].values()
    assert "opt.zero_grad()" in after(NEVER_CLEARED, edit)


@needs_server
def test_the_explanation_on_hover(client: Client, folder: Path) -> None:
    """Over the expression of a finding its rule's page, above what the server says of the name; elsewhere only the latter."""
    document = opened(client, folder, LIVE)

    def hover(line: int, character: int) -> str:
        contents = client.ask("textDocument/hover", {"textDocument": document, "position": {"line": line, "character": character}})["result"]["contents"]
        return str(contents["value"] if contents else "")

    column = LIVE.splitlines()[3].index("w.numpy()") + 1  # the emoji before it counts twice
    page = hover(3, column)
    assert page.startswith("# DET201 ")
    assert "Can't call numpy() on Tensor that requires grad" in page
    assert "## Good" in page
    assert "Silent when" not in page
    assert hover(3, column + len("w.numpy()")) == page
    assert [hover(*place) for place in ((3, column - 1), (3, column + len("w.numpy()") + 1), (4, 7), (0, 8)) if "DET201" in hover(*place)] == []


@needs_server
def test_what_the_server_says_of_a_name_stays(client: Client, folder: Path) -> None:
    text = 'import torch\n\ndef live():\n    """The one that lives."""\n    return torch.ones(3, requires_grad=True) * 2\n\nprint(live())\n'
    document = opened(client, folder, text)
    said = client.ask("textDocument/hover", {"textDocument": document, "position": {"line": 6, "character": 7}})["result"]["contents"]["value"]
    assert said.startswith("# DET101 ")
    assert said.endswith("The one that lives.")


@needs_server
def test_the_configuration_is_followed(client: Client, folder: Path) -> None:
    """That of the workspace, as it is when an answer is asked for; a bad one is no end of the server."""
    document = opened(client, folder, MISTAKE)
    for configuration, count in (("extend-ignore = DET2", 0), ("exclude = train.py", 0), ("detach-loggers = 1x(", 0), ("select = DET2", 1)):
        (folder / ".flake8").write_text(f"[flake8]\n{configuration}\n")
        assert len(actions(client, document, (3, 3))) == count
        hover = client.ask("textDocument/hover", {"textDocument": document, "position": {"line": 3, "character": 6}})
        assert ("DET201" in str(hover["result"])) == bool(count)


@needs_server
def test_what_only_own_names_show_has_an_action(client: Client, folder: Path) -> None:
    (folder / ".flake8").write_text("[flake8]\nselect = DET\ndetach-loggers = track\n")
    text = MISTAKE.replace("print(w.numpy())", "from mylib import track\ntrack('sum', w.sum())")
    document = opened(client, folder, text)
    [action] = actions(client, document, (4, 4))
    assert action["title"] == "DET101, line 5: safe fix"
    [[edit]] = action["edit"]["changes"].values()
    assert after(text, edit) == text.replace("w.sum()", "w.sum().item()")


@needs_server
def test_a_text_that_is_no_python_has_neither(client: Client, folder: Path) -> None:
    """And the server lives on."""
    document = opened(client, folder, MISTAKE + "def\n")
    assert actions(client, document, (0, 9)) == []
    assert "DET201" not in str(client.ask("textDocument/hover", {"textDocument": document, "position": {"line": 3, "character": 6}})["result"])
    client.tell("textDocument/didChange", {"textDocument": document | {"version": 2}, "contentChanges": [{"text": MISTAKE}]})
    assert len(actions(client, document, (3, 3))) == 1


# -- editors of Debian --------------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("vim") is None or not ALE.exists(), reason="Vim or ALE is not installed (Debian: vim-ale)")
def test_vim_with_ale(folder: Path) -> None:
    """Vim runs in a terminal of its own, as without one it ends at once; `ale.vim` says what it does."""
    transcript = folder / "transcript.txt"
    environment = {**os.environ, "FLAKE8": str(folder / "bin" / "flake8"), "ALE": str(ALE), "TRANSCRIPT": str(transcript), "TERM": "xterm"}
    terminal, inside = pty.openpty()
    command = ["vim", "-N", "-n", "-u", str(HERE / "ale.vim"), "train.py"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=inside, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as vim:
        assert vim.wait(TIME) == 0
    os.close(terminal)
    os.close(inside)
    print(transcript.read_text(), end="")
    assert transcript.read_text().splitlines() == ["after opening: 1 findings", f"train.py:4:7: DET201: {SAID}", "after the edit: 0 findings"]


@pytest.mark.skipif(shutil.which("emacs") is None or not any(FLYCHECK.glob("flycheck*")), reason="Emacs or Flycheck is not installed (elpa-flycheck)")
def test_emacs_with_flycheck(folder: Path) -> None:
    """`flycheck.el` says what it does."""
    environment = {**os.environ, "FLAKE8": str(folder / "bin" / "flake8")}
    command = ["emacs", "--batch", "-q", "-l", str(HERE / "flycheck.el"), "train.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=TIME)
    assert done.returncode == 0, done.stderr
    print(done.stdout, end="")
    assert done.stdout.splitlines() == ["after opening: 1 findings", f"train.py:4:7: DET201 {SAID}", "after the edit: 0 findings"]
