"""What the runtime hands back. Only plain data lives here, so that both processes (the caller's, without torch, and the program's) can read
it.

An Occurrence says that one code really happened on one line of the program; a Witnessed is all that one run showed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..picture import Edge, Node, Picture

INTERRUPTED = 130
"""The status of a program that was interrupted, as shells have it: 128 and the number of the signal."""


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """`code` happened at `line` (1-based) and `column` (0-based) of the program; `evidence` is what torch did, in one clause."""

    line: int
    code: str
    evidence: str = ""
    column: int = 0


@dataclass(slots=True)
class Witnessed:
    """One run: what happened, how the program ended (`status` is its exit status, `error` its traceback or ""), whether the time limit ended
    it, and the graph of the line that was to be drawn.
    """

    occurrences: list[Occurrence] = field(default_factory=list)
    status: int = 0
    error: str = ""
    timed_out: bool = False
    picture: Picture | None = None

    def to_json(self) -> dict[str, object]:
        """The run as JSON data: the form in which it travels between the two processes."""
        found = [[o.line, o.code, o.evidence, o.column] for o in self.occurrences]
        return {"occurrences": found, "status": self.status, "error": self.error, "timed_out": self.timed_out, "picture": self.picture}

    @staticmethod
    def from_json(data: dict[str, object]) -> Witnessed:
        """The inverse of to_json; raises TypeError or KeyError on other data."""
        found = data["occurrences"]
        if not isinstance(found, list):
            raise TypeError("occurrences must be a list")
        occurrences = [Occurrence(int(line), str(code), str(evidence), int(column)) for line, code, evidence, column in found]
        return Witnessed(occurrences, int(str(data["status"])), str(data["error"]), data["timed_out"] is True, _picture(data.get("picture")))


def _picture(data: object) -> Picture | None:
    """A picture from its JSON form: named tuples travel as lists."""
    if not isinstance(data, list):
        return None
    title, nodes, edges = data
    return Picture(title, [Node(*node) for node in nodes], [Edge(*edge) for edge in edges])
