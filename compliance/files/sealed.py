"""Files of our own that nobody else can have written or changed: sealed with a secret of the user's (I/O: these files).

Whoever can write to a folder can put there what we would have written; without the secret, which is kept elsewhere, they cannot seal it.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from compliance.errors import ComplianceError
from compliance.files import documents

SEAL = "seal.key"
LENGTH = 32
LARGEST = 256 << 20
_DIGITS = 64


def secret() -> bytes | None:
    """The user's secret, made when it is first asked for; None: there is no place for one that is the user's alone."""
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    try:
        base = given if given.is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError:
        return None
    path = base / "compliance" / SEAL
    kept = read_own(path, 0o077)
    if kept is None:
        with suppress(OSError, ComplianceError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        kept = read_own(path, 0o077)
    return kept if kept is not None and len(kept) == LENGTH else None


def _make(path: Path) -> None:
    """Two who make it at once have the same one in the end; and it is there as a whole or not at all."""
    if not _is_own(path.parent.lstat(), stat.S_ISDIR):
        return
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        documents.write_private(new, [secrets.token_bytes(LENGTH)])
        os.link(new, path)
    finally:
        new.unlink(missing_ok=True)


def read_own(path: Path, others: int = 0o022) -> bytes | None:
    """What a file holds; None: it, or its folder, is not there, is somebody else's, or gives others these rights."""
    try:
        if not _is_own(path.parent.lstat(), stat.S_ISDIR):
            return None
        # A pipe that somebody put there is not waited for, and a link of theirs not followed.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            there = os.fstat(file.fileno())
            return file.read() if _is_own(there, stat.S_ISREG, others) and there.st_size <= LARGEST else None
    except OSError:
        return None


def _is_own(there: os.stat_result, kind: Callable[[int], bool], others: int = 0o022) -> bool:
    """Whether it is the user's own and of this kind, and nobody else has these rights to it."""
    if not kind(there.st_mode):
        return False
    if os.name == "nt":  # where the home is the user's alone, and modes say nothing
        return True
    return there.st_uid == os.geteuid() and not there.st_mode & others


def _seal(name: str, content: bytes, key: bytes) -> bytes:
    return hmac.digest(key, name.encode() + b"\0" + content, "sha256").hex().encode()


def read(path: Path, key: bytes) -> bytes | None:
    """What was written under this name with this secret; None: it is not there, or was not written so."""
    there = read_own(path)
    if there is None or not hmac.compare_digest(there[:_DIGITS], _seal(path.name, there[_DIGITS:], key)):
        return None
    return there[_DIGITS:]


def write(path: Path, content: bytes, key: bytes) -> None:
    """Writes it, if its folder is the user's own, and nothing stands there that is no file.

    Raises:
      OSError, ComplianceError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    in_the_way = path.is_symlink() or (path.exists() and not path.is_file())
    if _is_own(path.parent.lstat(), stat.S_ISDIR) and not in_the_way:
        documents.write_private(path, [_seal(path.name, content, key), content])
