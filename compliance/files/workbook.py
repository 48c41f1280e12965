"""Workbooks that people hand in, looked through before the library that reads them is asked: it makes room for what they only claim (I/O).

A file of a kilobyte can name a cell in the last row and column, or say that it has four thousand million texts; a part can unpack to more
than its entry says. What a workbook would take is worked out here, part by part, and bounded.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from compliance.files import sheets
from compliance.files.sheets import Book, Facts

Cell = str | float | bool | date | time | datetime | timedelta

UNPACKED = 2 << 30
"""Bytes that a workbook may unpack to."""
RATIO = 250
"""How many times its size a workbook of more than 50 MB unpacked may unpack to; real ones stay below 50."""
PARTS = 5_000
SHEETS = 500
CELLS = 1 << 25
"""Cells of a sheet, empty ones included: a million rows of 32 columns. As many again for all sheets together."""
ROWS, COLUMNS = 1 << 20, 1 << 14
"""Of the largest sheet that there is."""
PIECE = 1 << 20
LONGEST_TAG = 4 << 20

_COUNT = re.compile(rb"uniqueCount\s*=\s*[\"']\s*([0-9]+)")
_PREFIX = rb"<(?:[\w.-]+:)?"
_CELL_OR_ROW = re.compile(
    _PREFIX + rb'(?:c(?=[\s/>])(?:\s+r="([A-Z]{1,3})([0-9]{1,7})")?|row(?=[\s/>])(?:\s+r="([0-9]{1,7})")?)'
)
"""The column and row of a cell, or the row of a row; nothing where its place is not what it says first."""
_MERGED = re.compile(_PREFIX + rb"mergeCell\s[^>]*\bref\s*=\s*[\"']([A-Za-z]+)([0-9]+):([A-Za-z]+)([0-9]+)")
_SHEET = re.compile(_PREFIX + rb"sheet(?=[\s/>])")
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")


class Unusable(Exception):
    """The workbook cannot be read. Says what is wrong, and what helps."""

    def __init__(self, what: str, help_: str) -> None:
        super().__init__(what)
        self.what, self.help = what, help_


DAMAGED = "this is not an XLSX workbook, or it is damaged"
ANEW = "Open it and save it anew"
AS_CSV = "Save its sheets as CSV files"


class Workbook:
    """An XLSX file; the cells of a sheet are read when they are asked for.

    Args:
      most: bytes that it may unpack to.

    Raises:
      Unusable: it is none, is protected or damaged, or is larger than anyone's workbook.
    """

    def __init__(self, path: Path, most: int = UNPACKED) -> None:
        self.path = path
        look_through(path, most)
        from python_calamine import load_workbook

        with _told():
            self._book = load_workbook(path)
            self.sheets: list[str] = list(self._book.sheet_names)

    def cells(self, sheet: str) -> list[list[Cell]]:
        """All cells of a sheet, as they are.

        Raises:
          Unusable: it cannot be read.
        """
        with _told(f"sheet '{sheet}' cannot be read"):
            cells: list[list[Any]] = self._book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
            return cells

    @cached_property
    def whole(self) -> Book:
        """What it says of its sheets.

        Raises:
          Unusable: it is damaged.
        """
        try:
            return sheets.book(self.path)
        except (*sheets.DAMAGED, OSError) as e:
            raise Unusable(DAMAGED, ANEW) from e

    def facts(self, sheet: str) -> Facts:
        """What a sheet says beside its values: `cells` gives nothing for an error, and for a formula without its result.

        Raises:
          Unusable: it cannot be read.
        """
        try:
            return sheets.facts(self.path, self.whole, sheet)
        except (*sheets.DAMAGED, OSError) as e:
            raise Unusable(f"sheet '{sheet}' cannot be read", ANEW) from e


def look_through(path: Path, most: int = UNPACKED) -> None:
    """Makes sure that nothing in a workbook would take more time or memory than anyone's.

    Raises:
      Unusable: it would, or the file is no workbook.
    """
    with _told():
        _look_through(path, most)


@contextmanager
def _told(damaged: str = DAMAGED) -> Iterator[None]:
    from python_calamine import CalamineError

    try:
        yield
    except zipfile.BadZipFile as e:
        raise Unusable(
            "this is not an XLSX workbook",
            "It may be protected by a password, or an older format: save it as XLSX without a password",
        ) from e
    except OSError as e:
        raise Unusable(f"the file cannot be read: {e.strerror or 'unknown cause'}", "Is it open elsewhere?") from e
    except (CalamineError, ValueError, RuntimeError, EOFError, ArithmeticError, LookupError, zlib.error) as e:
        raise Unusable(damaged, ANEW) from e
    except BaseException as e:
        # The library is not written in Python; where it gives up, that is no Exception, and its class has no other name.
        if type(e).__name__ != "PanicException":
            raise
        raise Unusable(damaged, ANEW) from e


def _look_through(path: Path, most: int) -> None:
    """Raises Unusable, or what reading a file can raise, for what the library should not be asked to read."""
    packed_size = path.stat().st_size
    with zipfile.ZipFile(path) as packed:
        parts = packed.infolist()
        names = {part.filename.casefold() for part in parts}
        if {"content.xml", "xl/workbook.bin"} & names:
            raise Unusable("this is not an XLSX workbook", "Save it as XLSX")
        size = sum(part.file_size for part in parts)
        if size > most or (size > 50 << 20 and size > RATIO * packed_size):
            raise Unusable(f"the workbook has {packed_size:,} bytes and unpacks to {size:,}; it was not opened", AS_CSV)
        if len(parts) > PARTS or len(names) < len(parts):
            raise Unusable(f"the workbook has {len(parts):,} parts, or two of one name; it was not opened", AS_CSV)
        cells = 0
        for part in parts:
            cells += _look_into(packed, part)
            if cells > 2 * CELLS:
                raise _too_many("the workbook", cells)


def _look_into(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """The cells for which the library makes room, if the part is a sheet."""
    sheets = n_merged = 0
    columns, rows = set[bytes](), set[bytes]()
    plain = True
    size = part.file_size
    for piece in _pieces(packed, part):
        if any(len(n) > 12 or int(n) > size for n in _COUNT.findall(piece)):
            raise Unusable("the workbook says that it has more texts than it can hold", ANEW)
        if b"mergeCell" in piece:
            n_merged += sum(map(_area, _MERGED.findall(piece)))
        if b"sheet" in piece:
            sheets += len(_SHEET.findall(piece))
        places = _CELL_OR_ROW.findall(piece)
        plain = plain and (b"", b"", b"") not in places
        columns.update(column for column, _, _ in places)
        rows.update(row or alone for _, row, alone in places)
    if sheets > SHEETS:
        raise Unusable(f"the workbook has {sheets:,} sheets; at most {SHEETS:,} are read", AS_CSV)
    if plain:
        last = max(map(int, rows), default=0), max(map(_column, columns), default=0)
    else:
        last = _last_cell(packed, part)
    row, column = last
    if n_merged > CELLS:
        raise _too_many(f"what is merged in {part.filename}", n_merged)
    if row > ROWS or column > COLUMNS or row * column > CELLS:
        raise _too_many(part.filename, row * column)
    return row * column


def _area(corners: tuple[bytes, bytes, bytes, bytes]) -> int:
    """Cells that are one; so many that no sheet has them, where a corner is in none."""
    left, top, right, bottom = corners
    if max(len(left), len(right)) > 3 or max(len(top), len(bottom)) > 7:
        return CELLS + 1
    return (abs(_column(right) - _column(left)) + 1) * (abs(int(bottom) - int(top)) + 1)


def _too_many(what: str, cells: int) -> Unusable:
    return Unusable(f"{what} spans {cells:,} cells, empty ones included; at most {CELLS:,} are read", AS_CSV)


def _pieces(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part, if it is XML, in pieces that cut no tag; all of it, whatever its entry says of its size."""
    left = b""
    first = True
    for read in _content(packed, part):
        if first:
            start = read.lstrip(b"\xef\xbb\xbf \t\r\n")
            if start[:2] in (b"\xff\xfe", b"\xfe\xff", b"\0<", b"<\0"):
                raise Unusable("the workbook is not written in UTF-8", ANEW)
            if not start.startswith(b"<"):
                return
            first = False
        piece = left + read
        cut = piece.rfind(b"<")
        left = piece[cut:] if cut >= 0 else piece
        if cut > 0:
            yield piece[:cut]
        if len(left) > LONGEST_TAG:
            raise Unusable("the workbook holds a longer text than a cell can", ANEW)
    yield left


def _content(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    said = part.file_size
    # The library unpacks until the content ends, so that is what is measured; else what is read here ends where the entry says.
    part.file_size = 2 * UNPACKED
    try:
        size = 0
        with packed.open(part) as file:
            while read := file.read(PIECE):
                size += len(read)
                if size > said:
                    break
                yield read
    finally:
        part.file_size = said
    if size != said:
        raise Unusable("a part of the workbook unpacks to more or less than it should", ANEW)


def _column(letters: bytes | str) -> int:
    """`A` -> 1."""
    column = 0
    for letter in letters.upper() if isinstance(letters, bytes) else letters.upper().encode():
        column = column * 26 + letter - 64
    return column


def _last_cell(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> tuple[int, int]:
    """The last row and column of a sheet that is written as few programs write it: places left out, or not said first."""
    from xml.parsers import expat

    row = column = last_row = last_column = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, last_row, last_column
        match name.rpartition(":")[2]:
            case "row":
                said = attributes.get("r", "")
                row = int(said[:9]) if said.isascii() and said.isdigit() else row + 1
                column = 0
            case "c":
                found = _REFERENCE.fullmatch(attributes.get("r", ""))
                if "r" in attributes and not found:
                    raise Unusable("a cell of the workbook has no place in a sheet", ANEW)
                row, column = (int(found[2]), _column(found[1])) if found else (row, column + 1)
            case _:
                return
        last_row, last_column = max(last_row, row), max(last_column, column)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        for read in _content(packed, part):
            parser.Parse(read, False)
        parser.Parse(b"", True)
    except expat.ExpatError as e:
        raise Unusable("a part of the workbook is damaged", ANEW) from e
    return last_row, last_column
