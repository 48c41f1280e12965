"""Files and folders that are gone with their process: what a killed one has left is taken away by the next (I/O).

Whoever makes one holds a lock on it for as long as it lasts. A lock ends with its process, however that ends, and in every container that
shares the folder, where the number of a process says nothing. Where there are no such locks (Windows), nothing is taken away.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SCRATCH, UNFINISHED = "compliance-scratch-", ".compliance-unfinished-"
"""How the names of our folders and of our files begin; what `tempfile` adds has no sign that a person's name for a thing would have."""
_ADDED = re.compile(r"[a-z0-9_]{8}")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that its owner alone can open, with what is in it gone in the end."""
    _clear(Path(tempfile.gettempdir()), SCRATCH, stat.S_ISDIR, lambda path: shutil.rmtree(path, ignore_errors=True))
    path, lock = _made(lambda: Path(tempfile.mkdtemp(prefix=SCRATCH)))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        _unlock(lock)


@contextmanager
def unfinished_file(folder: Path) -> Iterator[tuple[int, Path]]:
    """A hidden file that its owner alone can read, open for writing: to be closed, and gone in the end unless it was given another name.

    Raises:
      OSError: it cannot be made.
    """
    _clear(folder, UNFINISHED, stat.S_ISREG, lambda path: path.unlink(missing_ok=True))
    handles: list[int] = []

    def make() -> Path:
        handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=folder)
        handles.append(handle)
        return Path(name)

    path, lock = _made(make)
    for taken in handles[:-1]:
        os.close(taken)
    try:
        yield handles[-1], path
    finally:
        path.unlink(missing_ok=True)
        _unlock(lock)


def _made(make: Callable[[], Path]) -> tuple[Path, int | None]:
    """What was made, locked; made again if it was taken for a dead one's before it was locked."""
    while True:
        path = make()
        lock = _lock(path, wait=True)
        if os.path.lexists(path):
            return path, lock
        _unlock(lock)


def _clear(folder: Path, prefix: str, is_kind: Callable[[int], bool], remove: Callable[[Path], object]) -> None:
    """Takes away what is ours and nobody holds any more. That it cannot is no reason not to go on."""
    try:
        left = [p for p in folder.iterdir() if p.name.startswith(prefix) and _ADDED.fullmatch(p.name[len(prefix) :])]
    except OSError:
        return
    for path in left:
        lock = _lock(path, wait=False)
        if lock is None:
            continue
        try:
            there = os.fstat(lock)
            if is_kind(there.st_mode) and there.st_uid == os.geteuid():
                remove(path)
        except OSError:
            pass
        finally:
            _unlock(lock)


def _lock(path: Path, wait: bool) -> int | None:
    """A handle that holds the lock; None: somebody else holds it, nothing is there, or there are no locks."""
    try:
        import fcntl
    except ImportError:
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(handle)
        return None
    return handle


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
