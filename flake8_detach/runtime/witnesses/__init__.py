"""One module per code: what real torch must do before the code is said to have happened.

The folder is the registry: every module here has a class Witness that takes the Run, and whose methods `on_<event>` receive that event.
A witness judges by events alone, never by the text of the program.
"""
