"""A folder that one at a time writes to (I/O: the folder)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compliance.errors import ComplianceError


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Waits for whoever reads and writes in the folder, and keeps others waiting; with its process a lock is gone.

    Raises:
      ComplianceError: the folder cannot be opened.
    """
    try:
        import fcntl
    except ImportError:  # Windows, where a folder cannot be locked
        yield
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as e:
        raise ComplianceError(f"{folder} cannot be opened: {e.strerror or 'unknown cause'}") from e
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
