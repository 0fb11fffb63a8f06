"""The rules: one module for each code, `detNNN_slug.py`; the folder is the registry and the file name the identity.

A rule is a pure function from Trace to Findings. It never imports the interpreter and never looks at syntax beyond a finding's place.
"""
