"""Source: the bytes of a file as text, and text as the same sort of bytes.

Here: encodings, byte order marks and line ends. Not here: anything about syntax.
"""

from __future__ import annotations

import io
import tokenize
from typing import NamedTuple


class Text(NamedTuple):
    """A file's text, with its line ends as they are, and how it becomes bytes again."""

    text: str
    encoding: str

    @property
    def lines(self) -> list[str]:
        """The lines as flake8 reads them: every line end is one newline."""
        return list(io.StringIO(self.text, newline=None))

    def encoded(self, text: str) -> bytes:
        """Another text as bytes of the same sort. Raises UnicodeEncodeError."""
        return text.encode(self.encoding)


def decoded(data: bytes) -> Text:
    """By PEP 263; latin-1, as flake8 does, where that fails."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return Text(data.decode(encoding), encoding)
    except (SyntaxError, UnicodeError):
        return Text(data.decode("latin-1"), "latin-1")
