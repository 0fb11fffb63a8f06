"""Edits of source: small functions from a CST node to the node that stands in its place.

Here: the only code that builds CST. A function of `EXPRESSIONS`, `SMALL_STATEMENTS` or `FUNCTIONS` gets the node as it is after the edits inside it, so
that nested edits compose. A function raises Refused where the source is not of the form that the edit was made for. Not here: which edit mends what
(the rules and `cures`), where it is applied (`fixing`).

The modules: expressions, statements.
"""
