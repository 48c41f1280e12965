"""Names of files as people read them."""

from __future__ import annotations

import os


def is_text(name: str) -> bool:
    """Whether a name is UTF-8, as everything that we write is."""
    try:
        os.fsencode(name).decode("utf-8")
    except UnicodeError:
        return False
    return True


def readable(name: str) -> str:
    """`name`, with bytes that are no UTF-8 written out in hexadecimal."""
    try:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeError:
        return name.encode("utf-8", "backslashreplace").decode("utf-8")
