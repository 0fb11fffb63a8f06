"""Files: read, and replaced as a whole or not at all.

Here: what makes sure that no file is ever half written, overwritten by an older one, or reached through a link out of the given paths.
Not here: what is written.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Stale(Exception):
    """The file is no longer what was read."""


class Read(NamedTuple):
    """A file as it was read: the path of the file itself, behind any links, its bytes, and its state then."""

    path: Path
    data: bytes
    state: os.stat_result


def read(path: Path) -> Read:
    """Raises OSError."""
    real = path.resolve(strict=True)
    with real.open("rb") as file:
        state = os.fstat(file.fileno())
        return Read(real, file.read(), state)


def lies_within(path: Path, given: Sequence[Path]) -> bool:
    """Whether a file, behind any links, is one of the given ones or below a given folder."""
    real = path.resolve()
    return any(real.is_relative_to(one.resolve()) for one in given)


def replace(old: Read, data: bytes) -> None:
    """The file gets new contents and keeps its permissions. Raises Stale when it has changed since it was read, and OSError; then it is as it was."""
    if not os.access(old.path, os.W_OK):
        raise PermissionError(f"{old.path} is not writable")
    # the name is known before the file is there: no interrupt can come between a file and the way to clean it up
    new = old.path.with_name(f".flake8-detach-{secrets.token_hex(8)}.tmp")
    try:
        with open(new, "xb", opener=_private) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _take_over(new, old.state)
        if not _is_current(old):
            raise Stale
        new.replace(old.path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _take_over(path: Path, state: os.stat_result) -> None:
    """Owner, where that is allowed, and permissions."""
    if hasattr(os, "chown") and (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(PermissionError):
            os.chown(path, state.st_uid, state.st_gid)
    path.chmod(stat.S_IMODE(state.st_mode))


def _is_current(old: Read) -> bool:
    try:
        new = read(old.path)
    except OSError:
        return False
    return new.data == old.data and new.state.st_ino == old.state.st_ino
