"""Fixing: the Edits of findings are applied to files, or shown as a diff.

The modules: source (text, bytes and what must be kept of them), changes (edits applied to one syntax tree), mending (which edits, again and
again until none is left), choosing (flake8's own options, noqa and paths), files (replaced as a whole or not at all), command (the door).
"""
