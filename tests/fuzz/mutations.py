"""Mutations: from the texts of programs to texts that nobody wrote.

What lives here: how a text is changed, drawn from a given source of chance. What must not: what is done with the result.
"""

from __future__ import annotations

import io
import random
import tokenize
from collections.abc import Callable
from functools import lru_cache

MEANING = (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP)
GRAFTS = (
    "loss model optimizer torch total self x step torch.no_grad() torch.ones(2) loss.backward() model.eval() optimizer.step() loss.item() loss.detach()"
    " torch.nn.Module [loss] (loss,) {'loss':loss} model.parameters() torch.no_grad lambda:loss *loss (yield) (total:=loss)"
).split()
"""What is put in the place of a name, so that live tensors come to where a file of another kind has its own names."""


def tokens(text: str) -> list[tokenize.TokenInfo]:
    """A text's tokens; those before the first error where it has one."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            found.append(token)  # noqa: PERF402  (what came before the error is kept)
    except (tokenize.TokenError, SyntaxError, UnicodeError):
        pass
    return found


def offset(starts: list[int], place: tuple[int, int]) -> int:
    return starts[place[0] - 1] + place[1]


@lru_cache(maxsize=4)
def pieces(text: str) -> list[tuple[int, int, str]]:
    """(start, end, text) of each token that carries meaning, as offsets: all else of the text, layout and comments, is kept as it is."""
    starts = [0]
    for line in io.StringIO(text):
        starts.append(starts[-1] + len(line))
    return [(offset(starts, t.start), offset(starts, t.end), t.string) for t in tokens(text) if t.type in MEANING]


def truncated(text: str, chance: random.Random, other: str = "") -> str:
    """The text up to a random token."""
    places = pieces(text)
    return text[: chance.choice(places)[1]] if places else text


def closed(text: str, chance: random.Random, other: str = "") -> str:
    """Truncated after the line of a random token, with a body for the block that was to come: half a file as an editor knows it."""
    lines = text.splitlines(keepends=True)
    kept = lines[: chance.randrange(len(lines) + 1)]
    last = kept[-1] if kept else ""
    indent = last[: len(last) - len(last.lstrip())]
    return "".join(kept) + (f"{indent}    pass\n" if last.rstrip().endswith(":") else "")


def deleted(text: str, chance: random.Random, other: str = "") -> str:
    """Without a random token."""
    return replaced(text, chance, lambda piece, _: "")


def doubled(text: str, chance: random.Random, other: str = "") -> str:
    """With a random token twice."""
    return replaced(text, chance, lambda piece, _: f"{piece} {piece}")


def swapped(text: str, chance: random.Random, other: str = "") -> str:
    """With two random tokens in each other's place."""
    places = pieces(text)
    if len(places) < 2:
        return text
    (start, end, left), (begin, stop, right) = sorted(chance.sample(places, 2))
    return text[:start] + right + text[end:begin] + left + text[stop:]


def joined(text: str, chance: random.Random, other: str = "") -> str:
    """The first half of this text and the second of another, cut where a statement of the top level begins."""
    return first_half(text) + second_half(other)


def grafted(text: str, chance: random.Random, other: str = "") -> str:
    """One name in five exchanged for a tensor, a model, an optimizer or what is done with them."""
    out, end = [], 0
    for start, stop, piece in pieces(text):
        if piece.isidentifier() and not chance.randrange(5):
            out += [text[end:start], chance.choice(GRAFTS)]
            end = stop
    return "".join([*out, text[end:]])


def replaced(text: str, chance: random.Random, change: Callable[[str, random.Random], str]) -> str:
    places = pieces(text)
    if not places:
        return text
    start, end, piece = chance.choice(places)
    return text[:start] + change(piece, chance) + text[end:]


def top_level(text: str) -> list[int]:
    """The numbers of the lines that begin in the first column."""
    return [number for number, line in enumerate(text.splitlines()) if line[:1].isidentifier() or line[:1] == "@"] or [0]


def first_half(text: str) -> str:
    places = top_level(text)
    return "".join(text.splitlines(keepends=True)[: places[len(places) // 2]])


def second_half(text: str) -> str:
    places = top_level(text)
    return "".join(text.splitlines(keepends=True)[places[len(places) // 2] :])


MUTATIONS: dict[str, Callable[..., str]] = {f.__name__: f for f in (truncated, closed, deleted, doubled, swapped, joined, grafted)}
