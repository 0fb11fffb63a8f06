"""Cures: which Edit mends a finding, where exactly, and whether it is safe.

Here: questions to the Trace and to the `ast` tree whose answer is an Edit, or None where the source does not tell enough; what is proposed is tried
and proven by `fixing`. Not here: what a mistake is (the rules), how source is written (`edits`). The linter itself asks for no cure: where the
trace was not watched every answer is None.

The modules: syntax (statements and blocks around a node), sizes (what surely has one element), tensors (expressions that are detached or read as
numbers), copies (tensors that become others), modes (grad mode), order (statements of a training step that are added or moved), spelling (calls,
keywords and names).
"""
