"""What has been made of rules, mappings and record kinds, kept in the user's cache folder (I/O: that folder).

An entry is plain JSON under a key of everything that had a say, sealed with a secret of the user's (files/sealed.py), so that it decides
nothing that this program did not put there. One that is stale, broken or foreign is made anew without a word; a folder that cannot be
written to, or that others can write to, costs time, nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from compliance import __version__
from compliance.errors import ComplianceError
from compliance.files import sealed
from compliance.files.documents import MAX_BYTES, content_of
from compliance.jobs.shipped import DIGEST, PACKAGE

T = TypeVar("T")

HAVE_A_SAY = (".yaml", ".json", ".py")
"""How the names of files end that have a say."""


OWN_FOLDER, IN_CI = "COMPLIANCE_CACHE", "CI"
"""Variables: the folder to keep entries in; and what CI servers set, where nothing is kept unless a folder is given."""


def folder() -> Path | None:
    """Where entries are; None: none are kept, for there is no home, or in CI nobody asked for it."""
    if given := os.environ.get(OWN_FOLDER):
        return Path(given)
    if os.environ.get(IN_CI, "").lower() not in ("", "0", "false"):
        return None
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "compliance"
    except RuntimeError:
        return None


def kept(
    kind: type[T],
    stem: str,
    shipped: tuple[Path, ...],
    own: tuple[Path, ...],
    asked: str,
    make: Callable[[], T],
    use: Callable[[T], bool] = lambda _: True,
) -> T:
    """What `make` makes, or made before of the same.

    Args:
      kind: the dataclass that it is.
      stem: what the names of its files begin with.
      shipped, own: folders with a say that came with the program, and the user's folders and files.
      asked: everything else that has one.
      use: whether an entry that fits will do.
    """
    place = folder()
    seal = None if place is None else sealed.secret()
    if place is None or seal is None:
        return make()
    path = place / f"{stem}-{_key(shipped, own, asked)}.json"
    entry = _read(path, kind, seal)
    if entry is not None and use(entry):
        return entry
    entry = make()
    _write(path, entry, seal)
    return entry


def _key(shipped: tuple[Path, ...], own: tuple[Path, ...], asked: str) -> str:
    digest = hashlib.sha256(f"{__version__} {sys.version_info[:2]} {asked}".encode())
    if DIGEST.is_file():
        digest.update(DIGEST.read_bytes())
    else:
        # A program that is being worked on must not run on yesterday's plan.
        own = (*shipped, PACKAGE, *own)
    for path in own:
        if path.is_dir():
            digest.update("\n".join(sorted(_listed(str(path.absolute())))).encode("utf-8", "surrogateescape"))
        else:
            digest.update(f"{path.name} {_content(path)!r}".encode())
    return digest.hexdigest()[:32]


def _listed(path: str) -> Iterator[str]:
    """Every file with a say in a folder and those below it, with its size and when it was last written to; none is read."""
    try:
        entries = list(os.scandir(path))
    except OSError:
        entries = []
    for entry in entries:
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _listed(entry.path)
        elif entry.name.endswith(HAVE_A_SAY):
            yield f"{entry.path} {_state(entry)}"


def _state(entry: os.DirEntry[str]) -> str:
    try:
        written = entry.stat()
    except OSError:  # a link to nowhere, as editors leave them beside a file that is open
        return ""
    return f"{written.st_size} {written.st_mtime_ns}"


def _content(path: Path) -> bytes:
    """What a file holds that has a say; of one that can be read only once, a pipe, something that is never the same again."""
    if not path.exists():
        return b""
    try:
        return content_of(path, MAX_BYTES) if path.is_file() else os.urandom(16)
    except ComplianceError:  # whoever reads it says why
        return os.urandom(16)


def _read(path: Path, kind: type[T], seal: bytes) -> T | None:
    stored = sealed.read(path, seal)
    try:
        return None if stored is None else restored(kind, json.loads(stored))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _write(path: Path, entry: Any, seal: bytes) -> None:
    with suppress(OSError, ComplianceError):
        sealed.write(path, json.dumps(plain(entry), separators=(",", ":")).encode(), seal)


def plain(value: Any) -> Any:
    """A value as JSON; a field that is as it would be without being given is left out."""
    if is_dataclass(value):
        return {f.name: plain(x) for f in fields(value) if (x := getattr(value, f.name)) != f.default}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {k: plain(x) for k, x in value.items()}
    return [plain(x) for x in value] if isinstance(value, tuple | frozenset) else value


def restored(kind: type[T], stored: Any) -> T:
    """The value of a type that was written as this JSON.

    Raises:
      ValueError, KeyError, TypeError, AttributeError: it is of something else.
    """
    entry: T = _restorer(kind)(stored)  # type: ignore[arg-type]  # types are hashable
    return entry


@cache
def _restorer(kind: Any) -> Callable[[Any], Any]:
    """What makes a value of a type from JSON: a dataclass, a date, a (named) tuple, set or mapping of these, or a plain value."""
    if is_dataclass(kind):
        return _restorer_of_dataclass(kind)
    if kind is date:
        return date.fromisoformat
    if kind is Decimal:
        return Decimal
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(origin):
        return _restorer_of_dataclass(origin, arguments)
    if origin is tuple and arguments[-1] is ...:
        item = _restorer(arguments[0])
        return tuple if item is _same else lambda items: tuple(map(item, items))
    if origin is tuple:
        each = tuple(_restorer(a) for a in arguments)
        return lambda items: tuple(restore(x) for restore, x in zip(each, items, strict=True))
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        hints = get_type_hints(kind)
        named = tuple(_restorer(hints[name]) for name in kind._fields)
        return lambda items: kind(*(restore(x) for restore, x in zip(named, items, strict=True)))
    if origin is frozenset:
        member = _restorer(arguments[0])
        return lambda items: frozenset(map(member, items))
    if origin in (Mapping, dict):
        key, value = int if arguments[0] is int else _same, _restorer(arguments[1])
        return _same if key is value is _same else lambda items: {key(k): value(v) for k, v in items.items()}
    if origin in (Union, types.UnionType):
        some = [_restorer(a) for a in arguments if a is not type(None)]
        restore = next((r for r in some if r is not _same), _same)
        if restore is not _same and len(some) > 1:
            raise TypeError(f"what JSON says does not tell which of {kind} it is")
        return _same if restore is _same else lambda x: None if x is None else restore(x)
    return _same


def _same(value: Any) -> Any:
    return value


def _restorer_of_dataclass(kind: Any, arguments: tuple[Any, ...] = ()) -> Callable[[Any], Any]:
    """What makes a dataclass; one that is generic, of these types."""
    hints = {
        name: hint[arguments] if getattr(hint, "__parameters__", ()) else hint
        for name, hint in get_type_hints(kind).items()
    }
    several = [(f.name, r) for f in fields(kind) if (r := _restorer(hints[f.name])) is not _same]

    def restore(stored: dict[str, Any]) -> Any:
        for name, of_field in several:
            if name in stored:
                stored[name] = of_field(stored[name])
        return kind(**stored)

    return restore
