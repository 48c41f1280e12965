"""CSV files and workbooks, whatever their encoding, as files that the engine reads at once (I/O).

A CSV file in plain UTF-8 is left as it is. Everything else (another encoding, blank or ragged rows, a workbook) is written anew into
the scratch folder, one record a line, with the row's number in front; rows that have not as many cells as the header are told apart.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from compliance.errors import DataError, Location, Problem
from compliance.files import workbook
from compliance.files.names import is_text, shown
from compliance.files.workbook import Unusable
from compliance.records.mapping import plain

DATE_MARK = "\x1f"
"""Stands before a real date of a workbook, so that it is read as such whatever the mapping's formats."""

BLANKS = " \u00a0"
DELIMITERS = ",;\t"
SAMPLE = 1 << 16
ANSWERED = ".answers.csv"
"""What the name of a file ends in, after the record kind, in which `data import` keeps answers: beside the export's own files, whatever
the mapping."""
LONGEST_CELL = 1_000_000


@dataclass(frozen=True)
class Sheet:
    """One file or sheet, ready for the engine.

    Args:
      file: its name in the export; `sheet` is empty for CSV.
      header: the cells of its header row.
      path, delimiter: the file that the engine reads; it has a header row.
      numbered: its first column is the row's number, before those of the header.
      trimmed: no cell has blanks around it.
      marked: columns in which real dates bear `DATE_MARK`.
      ragged: rows with more or fewer cells than the header, by number; they are not in the file.
      blank: rows without any content; they are not in the file.
    """

    file: str
    sheet: str
    header: tuple[str, ...]
    path: Path
    delimiter: str
    numbered: bool
    trimmed: bool
    marked: frozenset[int] = frozenset()
    ragged: tuple[tuple[int, str], ...] = ()
    blank: int = 0

    def position(self, name: str) -> list[int]:
        """Where columns of this name stand; names are compared without case, spaces and `_`."""
        return self._positions.get(plain(name), [])

    @cached_property
    def _positions(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for i, cell in enumerate(self.header):
            found.setdefault(plain(cell), []).append(i)
        return found


class Empty(Exception):
    """The file or sheet has not even a header."""


def size(data: Path) -> int:
    """Bytes of an export's files; 0 if there are none, for reading says what is wrong."""
    try:
        paths = [data] if data.is_file() else list(data.iterdir())
        return sum(p.stat().st_size for p in paths)
    except OSError:
        return 0


def answered(path: Path) -> str:
    """The record kind of a file in which `data import` keeps answers; empty for any other file."""
    return path.name.removesuffix(ANSWERED) if path.name.endswith(ANSWERED) else ""


def export_files(data: Path) -> tuple[Path, list[Path], list[Path]]:
    """The export's folder, its CSV files and workbooks by name, and files that are neither.

    Raises:
      DataError: there is nothing to read.
    """
    try:
        if data.is_file():
            if data.suffix.lower() not in (".csv", ".xlsx", ".xlsm"):
                raise DataError(f"{data} is neither a CSV file nor an XLSX workbook. Save it as one of these.")
            return data.parent, [data], []
        if not data.is_dir():
            raise DataError(f"There is no folder or file {data}.")
        found = sorted(p for p in data.iterdir() if p.is_file() and not p.name.startswith((".", "~$")))
    except OSError as e:
        raise DataError(f"{data} cannot be read: {e.strerror or 'unknown cause'}.") from e
    wanted = [p for p in found if p.suffix.lower() in (".csv", ".xlsx", ".xlsm")]
    if odd := [p for p in wanted if not is_text(p.name)]:
        told = [Problem(Location(shown(str(p))), "the name of this file is not UTF-8", "Rename it") for p in odd]
        raise DataError("The export cannot be read.", told)
    if not wanted:
        raise DataError(f"{data} holds no CSV file and no XLSX workbook.")
    return data, wanted, [p for p in found if p not in wanted]


@contextmanager
def unchanged(data: Path) -> Iterator[None]:
    """What is read of an export meanwhile is one state of its files, or nothing.

    Raises:
      DataError: a file came, went or changed, whatever came of reading it.
    """
    before = _states(data)
    try:
        yield
    except Exception as e:
        if changed := _changed(before, data):
            raise changed from e
        raise
    if changed := _changed(before, data):
        raise changed


def _states(data: Path) -> dict[Path, tuple[int, ...]]:
    """By file, what is otherwise as soon as somebody has written to it."""
    states: dict[Path, tuple[int, ...]] = {}
    _, paths, _ = export_files(data)
    for path in paths:
        try:
            there = path.stat()
        except OSError:
            states[path] = ()
        else:
            states[path] = (there.st_size, there.st_mtime_ns, there.st_ctime_ns, there.st_ino)
    return states


def _changed(before: Mapping[Path, tuple[int, ...]], data: Path) -> DataError | None:
    """What is wrong, if the files are not as they were."""
    try:
        after = _states(data)
    except DataError as e:
        return e
    changed = sorted(p for p in {*before, *after} if before.get(p) != after.get(p))
    if not changed:
        return None
    what = "the file changed while it was read"
    told = [Problem(Location(str(p)), what, "Try again when whatever writes it is done") for p in changed]
    return DataError("The export cannot be read.", told)


def _problem(path: Path, what: str, help_: str = "", line: int = 0) -> DataError:
    return DataError("The export cannot be read.", [Problem(Location(str(path), line), what, help_)])


# --- CSV ------------------------------------------------------------------------------------------------------------


def read_csv(path: Path, encoding: str, delimiter: str, header_row: int, scratch: Path, as_it_is: bool) -> Sheet:
    """A CSV file.

    Args:
      encoding, delimiter: empty: found out.
      as_it_is: let the engine read the file itself if nothing speaks against it.

    Raises:
      DataError: it cannot be read.
      Empty: it has no header.
    """
    try:
        with path.open("rb") as file:
            sample = file.read(SAMPLE)
            if not sample.strip():
                raise Empty
            clean = as_it_is and header_row == 1 and _clean(file, sample)
            trimmed = clean and not _blanks(file)
    except OSError as e:
        raise _problem(
            path, f"the file cannot be read: {e.strerror or 'unknown cause'}", "Is it open elsewhere?"
        ) from e
    if encoding and encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "utf-8-sig"):
        clean = False
    found = encoding or _encoding(path, sample)
    if found != "utf-8-sig" and not encoding:
        clean = False
    text = _decoded(path, found)
    rows = _rows(path, text, delimiter or _delimiter(sample, found))
    sep = delimiter or _delimiter(sample, found)
    header: list[str] = []
    for number, cells in rows:
        header = cells
        if number >= header_row and any(header):
            break
    else:
        raise Empty
    if clean and "\n" not in "".join(header):
        return Sheet(path.name, "", tuple(header), path, sep, numbered=False, trimmed=trimmed)
    return _written(path.name, "", header, rows, scratch)


def _clean(file: Any, sample: bytes) -> bool:
    """Whether the engine and Python's csv module would number the rows alike, and strip the cells alike."""
    if sample.startswith((b"\xff\xfe", b"\xfe\xff", b"\n", b"\r")) or b"\0" in sample:
        return False
    file.seek(0)
    before = b""
    while piece := file.read(1 << 20):
        seen = before + piece
        # What is looked for as two bytes takes ten times as long as one byte, so that is asked first.
        if b"\n\n" in seen or b"\x1f" in seen or (not seen.isascii() and b"\xc2\xa0" in seen):
            return False
        if b"\r" in seen and (b"\n\r\n" in seen or b"\r\r" in seen):
            return False
        before = seen[-2:]
    return sample.count(b"\r") in (0, sample.count(b"\r\n"), sample.count(b"\r\n") + sample.endswith(b"\r"))


def _blanks(file: Any) -> bool:
    """Whether a blank stands anywhere below the header: looking for one costs a tenth of taking them away from every cell."""
    file.seek(0)
    file.readline()
    return any(b" " in piece for piece in iter(partial(file.read, 1 << 20), b""))


def _encoding(path: Path, sample: bytes) -> str:
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if sample[1:200:2].count(0) > len(sample[1:200:2]) // 2:
        return "utf-16-le"
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 24):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _delimiter(sample: bytes, encoding: str) -> str:
    """The one of comma, semicolon and tab that stands most often in the first line that has any, outside quotes."""
    for line in sample.decode(encoding, errors="ignore").splitlines():
        bare = "".join(part for i, part in enumerate(line.split('"')) if i % 2 == 0)
        counted = {d: bare.count(d) for d in DELIMITERS}
        if any(counted.values()):
            return max(counted, key=lambda d: counted[d])
    return ","


def _decoded(path: Path, encoding: str) -> Iterator[str]:
    line = 1
    try:
        with path.open(encoding=encoding, newline="") as file:
            for text in file:
                yield text.replace("\0", "")
                line += 1
    except UnicodeError as e:
        what = f"the file is not {encoding}: a byte near line {line} means nothing in it"
        raise _problem(path, what, "Name the encoding in the mapping, or save the file as UTF-8", line) from e


def _rows(path: Path, text: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows by number, the first row of the file being 1, blank ones included."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as e:
            said = str(e)
            if "field larger" in said:
                what = f"a cell has more than {LONGEST_CELL:,} characters; a quotation mark may be missing"
            elif "unexpected end" in said:
                what = "a quotation mark is opened and never closed"
            else:
                what = "a quotation mark stands where none can"
            raise _problem(path, what, "Look at the quotation marks near this line", reader.line_num) from e
        yield number, [c.strip(BLANKS) for c in cells]


def _written(
    file: str,
    sheet: str,
    header: list[str],
    rows: Iterable[tuple[int, list[str]]],
    scratch: Path,
    marked: Iterable[int] = (),
) -> Sheet:
    """Writes rows for the engine."""
    width = len(header)
    ragged: list[tuple[int, str]] = []
    blank = 0
    handle, made = tempfile.mkstemp(suffix=".csv", dir=scratch)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["", *header])
        for number, cells in rows:
            if not any(cells):
                blank += 1
            elif len(cells) < width or any(cells[width:]):
                ragged.append((number, f"the row has {len(cells):,} cells, the header {width:,}"))
            else:
                writer.writerow([number, *cells[:width]])
    return Sheet(file, sheet, tuple(header), Path(made), ",", True, True, frozenset(marked), tuple(ragged), blank)


# --- workbooks ------------------------------------------------------------------------------------------------------


class Workbook:
    """An XLSX file; its sheets are read when asked for.

    Raises:
      DataError: it is none, is protected, or unpacks to more than anyone's export.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._book = workbook.Workbook(path)
        except Unusable as e:
            raise _problem(path, e.what, e.help) from e

    @property
    def sheets(self) -> list[str]:
        """Names of its sheets."""
        return self._book.sheets

    def cells(self, sheet: str) -> list[list[Any]]:
        """All cells of a sheet, as they are.

        Raises:
          DataError: it cannot be read.
        """
        try:
            return self._book.cells(sheet)
        except Unusable as e:
            raise _problem(self.path, e.what, e.help) from e

    def read(self, sheet: str, header_row: int, scratch: Path) -> Sheet:
        """One sheet.

        Raises:
          DataError: it cannot be read.
          Empty: it has no header.
        """
        columns = list(zip(*self.cells(sheet), strict=True))
        marked = [i for i, column in enumerate(columns) if not {date, datetime}.isdisjoint(map(type, column))]
        rows = enumerate(map(list, zip(*map(_texts, columns), strict=True)), 1)
        header: list[str] = []
        for number, cells in rows:
            header = cells
            if number >= header_row and any(cells):
                break
        if not any(header):
            raise Empty
        # Formatted but empty columns to the right are no columns.
        while not header[-1]:
            header.pop()
        return _written(self.path.name, sheet, [c.lstrip(DATE_MARK) for c in header], rows, scratch, marked)


def _texts(column: Sequence[Any]) -> list[str]:
    """A column's cells as texts; most columns hold nothing else, and are done at once in a sixth of the time."""
    if {*map(type, column)} == {str} and not {DATE_MARK, "\0"} & {*"".join(column)}:
        return [c.strip(BLANKS) for c in column]
    return [_cell(c) for c in column]


def _cell(value: Any) -> str:
    match value:
        case str():
            return value.replace(DATE_MARK, "").replace("\0", "").strip(BLANKS)
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case datetime():
            return DATE_MARK + value.date().isoformat()
        case date():
            return DATE_MARK + value.isoformat()
        case time():
            return value.isoformat()
    return str(value)
