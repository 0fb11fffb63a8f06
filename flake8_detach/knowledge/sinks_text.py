"""Sinks that show text: print, logging and its successors, consoles, progress bars, files.

Here: standard library and command-line packages. Not here: experiment trackers (`sinks_trackers`). Every group says how it is known.
"""

from __future__ import annotations

from typing import Final

from .sink import HARMLESS, PRINTS, REFUSES, Group, Role, at, every

LOG: Final = Role.LOG
_LEVELS: Final = "debug info warning warn error exception critical fatal"
_STDLIB: Final = "measured, Python 3.11, torch 2.13"
_TQDM: Final = "measured, tqdm 4.70"
_RICH: Final = "measured, rich 15.0"

TABLE: Final = (
    Group("builtins", every("print"), LOG, PRINTS, _STDLIB, inner=LOG, text=True),
    Group("pprint", at((0, "object"), "pprint pp"), LOG, PRINTS, _STDLIB, inner=LOG, text=True),
    Group("pprint.PrettyPrinter", at((0, "object"), "pprint"), LOG, PRINTS, _STDLIB, inner=LOG, text=True),
    Group("logging logging.Logger absl.logging", every(_LEVELS), LOG, PRINTS, "measured, Python 3.11, absl-py 2.5", LOG, 0, True),
    Group("logging logging.Logger absl.logging", every("log"), LOG, PRINTS, "measured, Python 3.11, absl-py 2.5", LOG, 1, True),
    Group("absl.logging", every("vlog"), LOG, PRINTS, "documented, absl.logging.vlog is log with a verbosity", LOG, 1, True),
    Group(
        "warnings",
        at((0, "message"), "warn"),
        LOG,
        "shows `tensor(..., grad_fn=...)` and keeps a tensor given as the message, graph and all, in `__warningregistry__`",
        _STDLIB,
        text=True,
    ),
    Group("loguru.Logger", every("trace debug info success warning error critical exception"), LOG, PRINTS, "measured, loguru 0.7", LOG, text=True),
    Group("loguru.Logger", every("log"), LOG, PRINTS, "measured, loguru 0.7", LOG, text=True),
    Group("structlog.BoundLogger", every(_LEVELS + " msg log"), LOG, PRINTS, "measured, structlog 26.1", LOG, text=True),
    Group("rich", every("print"), LOG, PRINTS, _RICH, inner=LOG, text=True),
    Group("rich.console.Console", every("print log"), LOG, PRINTS, _RICH, inner=LOG, text=True),
    Group("rich.progress.Progress", every("update"), LOG, "keeps it, graph and all, until the field is replaced", _RICH, text=True),
    Group("rich.table.Table", every("add_row"), Role.TYPE_ERROR, REFUSES, _RICH, text=True),
    Group("tqdm.tqdm", every("set_postfix"), LOG, PRINTS, _TQDM, inner=LOG, text=True),
    Group("tqdm.tqdm", at((0, "s"), "set_postfix_str"), LOG, PRINTS, _TQDM, text=True),
    Group("tqdm.tqdm", at((0, "desc"), "set_description set_description_str"), Role.TYPE_ERROR, REFUSES, _TQDM, text=True),
    Group("tqdm.tqdm", at((0, "s"), "write"), Role.TYPE_ERROR, REFUSES, _TQDM, text=True),
    Group("tqdm.tqdm", at((0, "n"), "update"), Role.TYPE_ERROR, REFUSES, _TQDM),
    Group("tqdm", at(("postfix",), "tqdm trange"), LOG, PRINTS, _TQDM, inner=LOG, text=True),
    Group("click", at((0, "message"), "echo secho"), LOG, PRINTS, "measured, click 8", inner=LOG, text=True),
    Group("typer", at((0, "message"), "echo secho"), LOG, PRINTS, "measured, typer (click 8)", inner=LOG, text=True),
    Group("icecream", every("ic"), LOG, PRINTS, "measured, icecream 2.2", inner=LOG, text=True, passes=True),
    Group("tabulate", at((0, "tabular_data"), "tabulate"), LOG, PRINTS, "measured, tabulate 0.10", inner=LOG, text=True),
    Group("sys.stdout sys.stderr io.TextIOBase", at((0, "s"), "write"), Role.TYPE_ERROR, REFUSES, _STDLIB, text=True),
    Group("csv.writer csv.DictWriter", at((0, "row", "rowdict"), "writerow"), LOG, PRINTS + " in the file", _STDLIB, inner=LOG, text=True),
    Group("csv.writer csv.DictWriter", at((0, "rows", "rowdicts"), "writerows"), LOG, PRINTS + " in the file", _STDLIB, inner=LOG, text=True),
    Group("json", at((0, "obj"), "dump dumps"), Role.TYPE_ERROR, REFUSES, _STDLIB, inner=Role.TYPE_ERROR),
    Group("copy", at((0, "x"), "copy"), Role.INERT, HARMLESS, _STDLIB),
    Group("pickle joblib", at((0, "obj", "value"), "dump dumps"), Role.INERT, HARMLESS, "measured, Python 3.11, joblib 1.6"),
    Group("torch", at((0, "obj"), "save"), Role.INERT, HARMLESS, "measured, torch 2.13"),
)
