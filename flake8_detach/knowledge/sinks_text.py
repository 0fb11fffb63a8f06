"""Sinks that show text: print, logging and its successors, consoles, progress bars, files.

Here: the standard library and command-line packages. Not here: experiment trackers (`sinks_trackers`). What refuses a tensor
but takes text (`write`) has the role TYPE_ERROR, and says what its readers see of the text of a live tensor.
"""

from __future__ import annotations

from typing import Final

from .sink import HARMLESS, PRINTS, REFUSES, Group, Role, at, every

LOG: Final = Role.LOG
_LEVELS: Final = "debug info warning warn error exception critical fatal"
_STDLIB: Final = "measured, Python 3.11, torch 2.13"
_ABSL: Final = "measured, absl-py 2.5"
_LOGURU: Final = "measured, loguru 0.7"
_STRUCTLOG: Final = "measured, structlog 26.1"
_RICH: Final = "measured, rich 15.0"
_TQDM: Final = "measured, tqdm 4.70"
_IN_FILE: Final = f"{PRINTS} in the file"
_REPLACED: Final = "keeps it, graph and all, until the field is replaced"

TABLE: Final = (
    Group("builtins", every("print"), LOG, PRINTS, _STDLIB, inner=LOG, text=True),
    Group("pprint", at((0, "object"), "pprint pp"), LOG, PRINTS, _STDLIB, inner=LOG, text=True),
    Group("pprint.PrettyPrinter", at((0, "object"), "pprint"), LOG, PRINTS, _STDLIB, inner=LOG, text=True),
    Group("logging logging.Logger", every(_LEVELS), LOG, PRINTS, _STDLIB, inner=LOG, template=0, text=True),
    Group("logging logging.Logger", every("log"), LOG, PRINTS, _STDLIB, inner=LOG, template=1, text=True),
    Group("absl.logging", every("debug info warning warn error exception fatal"), LOG, PRINTS, _ABSL, inner=LOG, template=0, text=True),
    Group("absl.logging", every("log vlog log_if log_first_n log_every_n"), LOG, PRINTS, _ABSL, inner=LOG, template=1, text=True),
    Group(
        "warnings",
        at((0, "message"), "warn"),
        LOG,
        "shows `tensor(..., grad_fn=...)`, and keeps a tensor given as the message, graph and all, in `__warningregistry__`",
        _STDLIB,
        text=True,
    ),
    # What comes after the message is formatted as str.format does: a 0-dim tensor appears as its number.
    Group(
        "loguru.Logger",
        at((0, "message"), "trace debug info success warning error critical exception"),
        LOG,
        PRINTS,
        _LOGURU,
        inner=LOG,
        text=True,
    ),
    Group("loguru.Logger", at((1, "message"), "log"), LOG, PRINTS, _LOGURU, inner=LOG, text=True),
    Group("structlog.BoundLogger", every(f"{_LEVELS} msg"), LOG, PRINTS, _STRUCTLOG, inner=LOG, template=0, text=True),
    Group("structlog.BoundLogger", every("log"), LOG, PRINTS, _STRUCTLOG, inner=LOG, template=1, text=True),
    Group("rich", every("print"), LOG, PRINTS, _RICH, inner=LOG, text=True),
    Group("rich.pretty", at((0, "_object"), "pprint"), LOG, PRINTS, _RICH, inner=LOG, text=True),
    Group("rich.console.Console", every("print log out"), LOG, PRINTS, _RICH, inner=LOG, text=True),
    Group("rich.progress.Progress", every("print log"), LOG, PRINTS, _RICH, inner=LOG, text=True),
    Group("rich.progress.Progress", every("update add_task"), LOG, _REPLACED, _RICH, text=True),
    Group("rich.table.Table", every("add_row"), Role.TYPE_ERROR, PRINTS, _RICH, text=True),
    Group("tqdm.tqdm", every("set_postfix"), LOG, PRINTS, _TQDM, inner=LOG, text=True),
    Group("tqdm.tqdm", at((0, "s"), "set_postfix_str"), LOG, PRINTS, _TQDM, text=True),
    Group("tqdm.tqdm", at((0, "desc"), "set_description set_description_str"), Role.TYPE_ERROR, PRINTS, _TQDM, text=True),
    Group("tqdm.tqdm", at((0, "s"), "write"), Role.TYPE_ERROR, PRINTS, _TQDM, text=True),
    Group("tqdm", at(("postfix",), "tqdm trange"), LOG, PRINTS, _TQDM, inner=LOG, text=True),
    Group("click", at((0, "message"), "echo secho"), LOG, PRINTS, "measured, click 8.5", inner=LOG, text=True),
    Group("typer", at((0, "message"), "echo secho"), LOG, PRINTS, "measured, typer 0.29", inner=LOG, text=True),
    Group("icecream", every("ic"), LOG, PRINTS, "measured, icecream 2.2", inner=LOG, text=True, passes=True),
    Group("sys.stdout sys.stderr io.TextIOBase", at((0, "s"), "write"), Role.TYPE_ERROR, PRINTS, _STDLIB, text=True),
    Group("io.TextIOBase", at((0, "lines"), "writelines"), Role.TYPE_ERROR, PRINTS, _STDLIB, inner=Role.TYPE_ERROR, text=True),
    Group("csv.writer csv.DictWriter", at((0, "row", "rowdict"), "writerow"), LOG, _IN_FILE, _STDLIB, inner=LOG, text=True),
    Group("csv.writer csv.DictWriter", at((0, "rows", "rowdicts"), "writerows"), LOG, _IN_FILE, _STDLIB, inner=LOG, text=True),
    Group("json", at((0, "obj"), "dump dumps"), Role.TYPE_ERROR, REFUSES, _STDLIB, inner=Role.TYPE_ERROR),
    Group("copy", at((0, "x"), "copy"), Role.INERT, HARMLESS, _STDLIB, passes=True),
    Group("pickle", at((0, "obj"), "dump dumps"), Role.INERT, HARMLESS, _STDLIB),
    Group("joblib", at((0, "value"), "dump"), Role.INERT, HARMLESS, "measured, joblib 1.6"),
    Group("torch", at((0, "obj"), "save"), Role.INERT, HARMLESS, "measured, torch 2.13"),
)
