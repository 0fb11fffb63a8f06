"""Pictures of autograd graphs, in one shape for what the linter believes and for what torch did.

Here: nodes, edges, how they look, and their way into Graphviz DOT or an image, by the package `graphviz` (the extra `graph`). Not here: where
a graph comes from (inspection/lineage, runtime/drawing).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple


class Look:
    """What a node stands for; each has one look."""

    PARAMETER: Final = "parameter"  # a leaf that requires grad
    OPERATION: Final = "operation"  # its result requires grad
    CUT: Final = "cut"  # its result requires no grad
    UNKNOWN: Final = "unknown"  # made by code that is not shown
    PLACE: Final = "place"  # no tensor, but where a finding is


LOOKS: Final = {
    Look.PARAMETER: {"shape": "box", "style": "filled,rounded", "fillcolor": "lightblue"},
    Look.OPERATION: {"shape": "box"},
    Look.CUT: {"shape": "box", "color": "gray60", "fontcolor": "gray40"},
    Look.UNKNOWN: {"shape": "box", "style": "dashed"},
    Look.PLACE: {"shape": "note", "color": "firebrick", "fontcolor": "firebrick"},
}
LIVE: Final[dict[str, str]] = {}
DEAD: Final = {"style": "dashed", "color": "gray60"}
CUT_HERE: Final = {"color": "firebrick", "fontcolor": "firebrick", "penwidth": "2", "label": "✂ detach() here"}


class Node(NamedTuple):
    key: str
    label: str
    look: str


class Edge(NamedTuple):
    """From what is used to what uses it. live: gradients flow back along it; cut_here: the place for a `detach()`."""

    start: str
    end: str
    live: bool
    cut_here: bool = False


class Picture(NamedTuple):
    title: str
    nodes: list[Node]
    edges: list[Edge]


class Undrawable(Exception):
    """What is needed for a picture is not installed, or the file can't be written; its text says what."""


def dot(picture: Picture) -> str:
    """The picture in Graphviz's language. Raises Undrawable where the package graphviz is missing."""
    return str(_graph(picture).source)


def show(picture: Picture, path: Path | None) -> None:
    """The picture on standard output, or in a file in the form that its name ends in: .dot, .gv, or one that Graphviz draws. Raises Undrawable."""
    if path is None:
        print(dot(picture), end="")
        return
    graph = _graph(picture)
    form = path.suffix.removeprefix(".")
    try:
        path.write_bytes(graph.source.encode() if form in ("dot", "gv") else _drawn(graph, form))
    except OSError as error:
        raise Undrawable(f"{path}: {error.strerror}") from error


def _drawn(graph: Any, form: str) -> bytes:
    import graphviz

    try:
        return bytes(graph.pipe(format=form))
    except graphviz.ExecutableNotFound as error:
        raise Undrawable("Graphviz's program `dot` is not installed; a file named *.dot needs none") from error
    except (ValueError, graphviz.CalledProcessError) as error:
        raise Undrawable(f"Graphviz can't draw the form {form!r}") from error


def _graph(picture: Picture) -> Any:
    try:
        import graphviz
    except ImportError as error:
        raise Undrawable("the package graphviz is not installed: pip install 'flake8-detach[graph]'") from error
    out = graphviz.Digraph(graph_attr={"label": graphviz.escape(picture.title), "labelloc": "t"}, node_attr={"fontname": "monospace"})
    for node in picture.nodes:
        out.node(node.key, graphviz.escape(node.label), **LOOKS[node.look])
    for edge in picture.edges:
        out.edge(edge.start, edge.end, **(CUT_HERE if edge.cut_here else LIVE if edge.live else DEAD))
    return out
