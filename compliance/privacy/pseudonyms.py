"""What may be shown of people: the key that pseudonyms are made with, and what is asked for (I/O: the key's file)."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from compliance.errors import ComplianceError

BYTES = 32
PSEUDONYM = re.compile(r"\bP[0-9a-f]{16}\b")
"""The letter keeps a spreadsheet from taking one for a number."""
PERSONAL = "This holds personal data, which was asked for with --personal: keep it as you keep case files."


@dataclass(frozen=True)
class Key:
    """The secret that pseudonyms are made with: HMAC-SHA256 of the kind of record and the id."""

    secret: bytes = field(repr=False)

    @property
    def mark(self) -> str:
        """What tells this key from others, and nothing about it."""
        return hmac.new(self.secret, b"compliance key", sha256).hexdigest()[:8]

    @property
    def pads(self) -> dict[str, bytes]:
        """The two keys of the hashes that an HMAC is made of, for the engine has no HMAC of its own (RFC 2104)."""
        block = self.secret.ljust(64, b"\0")
        return {"inner": bytes(b ^ 0x36 for b in block), "outer": bytes(b ^ 0x5C for b in block)}


@dataclass(frozen=True)
class Privacy:
    """What is asked for; by default nothing personal is shown, and ids are the export's own.

    Args:
      personal: show what the schema marks as personal.
      key: make pseudonyms of ids; None: leave them.
    """

    personal: bool = False
    key: Key | None = None

    @property
    def mark(self) -> str:
        """That of the key; empty without one."""
        return self.key.mark if self.key is not None else ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What whoever reads a report must know."""
        if self.key is not None:
            how = "compliance data reidentify turns them back, with it and the export"
            return (f"Ids are pseudonyms, made with the key {self.mark}: {how}.",)
        return (PERSONAL,) if self.personal else ()


NOTHING_SHOWN = Privacy()
"""Nothing personal, and ids as they are."""


def new_key(path: Path) -> Key:
    """Makes a key, in a file that is not there yet and that its owner alone can read.

    Raises:
      ComplianceError: the file is there, or cannot be written.
    """
    secret = secrets.token_bytes(BYTES)
    try:
        # Never with another mode, not for a moment, and never in the place of a key that reports were made with.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secret.hex() + "\n")
        except BaseException:
            path.unlink(missing_ok=True)  # made just now, and no key
            raise
    except FileExistsError as e:
        what = "it may be the key of reports that nobody could turn back without it"
        raise ComplianceError(f"There is a file {path} already, and {what}. Nothing was written; name another.") from e
    except OSError as e:
        raise ComplianceError(f"{path} cannot be written: {e.strerror or 'unknown cause'}.") from e
    return Key(secret)


def read_key(path: Path) -> Key:
    """The key in a file.

    Raises:
      ComplianceError: there is none, or others can read it.
    """
    try:
        mode, content = path.stat().st_mode, b""
        if stat.S_ISREG(mode):
            with path.open("rb") as file:
                content = file.read(1000)
    except FileNotFoundError as e:
        raise ComplianceError(f"There is no key {path}. Make one with: compliance data new-key {path}") from e
    except OSError as e:
        raise ComplianceError(f"The key {path} cannot be read: {e.strerror or 'unknown cause'}.") from e
    written = content.strip()
    if not re.fullmatch(rb"[0-9A-Fa-f]{%d}" % (2 * BYTES), written):
        what = f"a key is {2 * BYTES} hexadecimal digits, as compliance data new-key writes them"
        raise ComplianceError(f"{path} is no key: {what}.")
    if os.name == "posix" and mode & 0o077:
        said = f"others can read it, so that it keeps nothing secret. Allow its owner alone: chmod 600 {path}"
        raise ComplianceError(f"The key {path} is not used: {said}")
    return Key(bytes.fromhex(written.decode("ascii")))
