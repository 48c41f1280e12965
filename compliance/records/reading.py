"""CSV files and workbooks, whatever their encoding, as files that the engine reads at once (I/O).

A CSV file in plain UTF-8 is left as it is. Everything else (another encoding, blank or ragged rows, a workbook) is written anew into
the scratch folder, one record a line, with the row's number in front; rows that have more cells than the header are told apart. What nobody
can tell of a cell, because the row ends before it or because the sheet shows something else than it holds, stands in it behind a mark.
"""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from compliance.errors import DataError, Location, Problem
from compliance.files import sheets, workbook
from compliance.files.names import is_text, readable
from compliance.files.sheets import Book, Facts
from compliance.files.workbook import Unusable
from compliance.records.mapping import SHORT, plain

DATE_MARK = "\x1f"
"""Stands before a real date of a workbook, so that it is read as such whatever the mapping's formats."""

UNKNOWN_MARK = "\x1e"
"""Stands in a cell before why nobody can tell what is in it."""

BLANKS = " \u00a0"
DELIMITERS = ",;\t"
SAMPLE = 1 << 16
ANSWERED = ".answers.csv"
"""What the name of a file ends in, after the record kind, in which `data import` keeps answers: beside the export's own files, whatever
the mapping."""
LONGEST_CELL = 1_000_000
ERRORS = frozenset(
    {
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#N/A",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#GETTING_DATA",
    }
)
"""What a spreadsheet writes where a formula came to nothing."""
_ERROR = re.compile(rb"#(?:REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|N/A|SPILL!|CALC!|FIELD!|GETTING_DATA)")
_NO_END = bytes(c for c in range(256) if c not in b'"\n')
"""All bytes that end no row and begin no quotation."""


@dataclass(frozen=True)
class Sheet:
    """One file or sheet, ready for the engine.

    Args:
      file: its name in the export; `sheet` is empty for CSV.
      header: the cells of its header row.
      path, delimiter: the file that the engine reads; it has a header row.
      numbered: its first column is the row's number, before those of the header.
      trimmed: no cell has blanks around it.
      n: how many rows below the header are in the file for the engine, counted before it reads them.
      marked: columns in which real dates bear `DATE_MARK`.
      unknown: columns in which cells bear `UNKNOWN_MARK`.
      ragged: rows that cannot be used, by number, and why; they are not in the file.
      blank, footer: rows without any content, and those that the mapping leaves out at the end; they are not in the file.
      remarks: what was read otherwise than it stands there, or is not seen by who opens the sheet.
    """

    file: str
    sheet: str
    header: tuple[str, ...]
    path: Path
    delimiter: str
    numbered: bool
    trimmed: bool
    n: int
    marked: frozenset[int] = frozenset()
    unknown: frozenset[int] = frozenset()
    ragged: tuple[tuple[int, str], ...] = ()
    blank: int = 0
    footer: int = 0
    remarks: tuple[str, ...] = ()

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
    """The export's folder, its CSV files and workbooks by name, and what else is in it: other files, and folders.

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
        found = sorted(p for p in data.iterdir() if not p.name.startswith((".", "~$")))
    except OSError as e:
        raise DataError(f"{data} cannot be read: {e.strerror or 'unknown cause'}.") from e
    wanted = [p for p in found if p.suffix.lower() in (".csv", ".xlsx", ".xlsm") and not p.is_dir()]
    if odd := [p for p in wanted if not is_text(p.name)]:
        told = [Problem(Location(readable(str(p))), "the name of this file is not UTF-8", "Rename it") for p in odd]
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


@dataclass(frozen=True)
class Layout:
    """How a mapping says that a file or sheet is laid out.

    Args:
      header: the row that holds the column names; `footer`: so many rows at the end are no records.
      meant: words that the mapping gives a meaning to, in small letters, which are no errors then.
    """

    header: int = 1
    footer: int = 0
    meant: frozenset[str] = frozenset()


def read_csv(path: Path, encoding: str, delimiter: str, layout: Layout, scratch: Path, as_it_is: bool) -> Sheet:
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
            clean = as_it_is and layout.header == 1 and not layout.footer
            n = _clean(file, sample, layout.meant) if clean else None
            trimmed = n is not None and not _blanks(file)
    except OSError as e:
        raise _problem(
            path, f"the file cannot be read: {e.strerror or 'unknown cause'}", "Is it open elsewhere?"
        ) from e
    if encoding and encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "utf-8-sig"):
        n = None
    found = encoding or _encoding(path, sample)
    if found != "utf-8-sig" and not encoding:
        n = None
    text = _decoded(path, found)
    sep = delimiter or _delimiter(sample, found)
    rows = _rows(path, text, sep)
    header: list[str] = []
    for number, cells in rows:
        header = cells
        if number >= layout.header and any(header):
            break
    else:
        raise Empty
    if n is not None and all(header) and not {*"\r\n"} & {*"".join(header)}:
        return Sheet(path.name, "", tuple(header), path, sep, numbered=False, trimmed=trimmed, n=n)
    return _written(path.name, "", header, rows, scratch, layout)


def _clean(file: Any, sample: bytes, meant: frozenset[str]) -> int | None:
    """How many rows stand below the header of a file that the engine can read itself; None: it cannot.

    It can if it and Python's csv module would number the rows alike and strip the cells alike, and every cell is what it seems.
    """
    if sample.startswith((b"\xff\xfe", b"\xfe\xff", b"\n", b"\r")) or b"\0" in sample:
        return None
    file.seek(0)
    before, n, quoted = b"", -1, 0
    while piece := file.read(1 << 20):
        seen = before + piece
        # What is looked for as two bytes takes ten times as long as one byte, so that is asked first.
        if b"\n\n" in seen or b"\x1f" in seen or b"\x1e" in seen or (not seen.isascii() and b"\xc2\xa0" in seen):
            return None
        if b"\r" in seen and (b"\n\r\n" in seen or b"\r\r" in seen):
            return None
        if b"#" in seen and any(m[0].decode().lower() not in meant for m in _ERROR.finditer(seen)):
            return None
        if quoted or b'"' in piece:
            # Within quotation marks the end of a line is no end of a row.
            parts = piece.translate(None, _NO_END).split(b'"')
            n += b"".join(parts[quoted::2]).count(b"\n")
            quoted ^= (len(parts) - 1) & 1
        else:
            n += piece.count(b"\n")
        before = seen[-16:]
    n += not before.endswith(b"\n")
    crs = sample.count(b"\r")
    return n if crs in (0, sample.count(b"\r\n"), sample.count(b"\r\n") + sample.endswith(b"\r")) else None


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
                yield text.replace("\0", "").replace(UNKNOWN_MARK, "")
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
    layout: Layout,
    marked: Iterable[int] = (),
    marked_unknown: Iterable[int] = (),
    remarks: Sequence[str] = (),
) -> Sheet:
    """Writes rows for the engine, which looks at the header for nothing but where it ends."""
    # Formatted but empty columns to the right are no columns, and a delimiter at the end of the header makes none.
    all_columns = len(header)
    while header and not header[-1]:
        header.pop()
    width = len(header)
    unnamed = [*(i for i, cell in enumerate(header) if not cell), *range(width, all_columns)]
    ragged: list[tuple[int, str]] = []
    unknown = {i for i in marked_unknown if i < width}
    unread: list[int] = []
    blank = n = 0
    held: deque[tuple[int, list[str]]] = deque()
    handle, made = tempfile.mkstemp(suffix=".csv", dir=scratch)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["r", *(f"c{i}" for i in range(width))])
        for number, cells in rows:
            if not any(cells):
                blank += 1
                continue
            if layout.footer:
                held.append((number, cells))
                if len(held) <= layout.footer:
                    continue
                number, cells = held.popleft()
            there = len(cells)
            if there > all_columns and any(cells[all_columns:]):
                ragged.append((number, _uneven(there, width)))
                continue
            if there < width:
                # So few may be a remark below the table, or half of a row that is broken in two.
                if 2 * there < width or sum(map(bool, cells)) < 2:
                    ragged.append((number, _uneven(there, width)))
                    continue
                cells = cells + [_unknown(SHORT + _uneven(there, width))] * (width - there)
                unknown.update(range(there, width))
            if not ERRORS.isdisjoint(cells):
                cells = [_unless_error(c, layout.meant) for c in cells]
                unknown.update(i for i, c in enumerate(cells[:width]) if c.startswith(UNKNOWN_MARK))
            if unnamed and any(cells[i] for i in unnamed if i < there):
                unread.append(number)
            writer.writerow([number, *cells[:width]])
            n += 1
    if unread:
        rows_said = f"row {unread[0]:,}" if len(unread) == 1 else f"{len(unread):,} rows, first in row {unread[0]:,}"
        remarks = [*remarks, f"cells under no column name were not read, in {rows_said}."]
    return Sheet(
        file,
        sheet,
        tuple(header),
        Path(made),
        ",",
        numbered=True,
        trimmed=True,
        n=n,
        marked=frozenset(marked),
        unknown=frozenset(unknown),
        ragged=tuple(ragged),
        blank=blank,
        footer=len(held),
        remarks=tuple(remarks),
    )


def _unknown(why: str) -> str:
    return UNKNOWN_MARK + why


def _unless_error(cell: str, meant: frozenset[str]) -> str:
    if cell in ERRORS and cell.lower() not in meant:
        return _unknown(f"is the error {cell} of a spreadsheet")
    return cell


def _uneven(there: int, width: int) -> str:
    return f"the row has {there:,} cells, the header {width:,}"


def csv_texts(path: Path) -> Iterator[list[str]]:
    """The rows of a CSV file as they stand there, blank ones included, for who must find out what they mean.

    Raises:
      DataError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            sample = file.read(SAMPLE)
    except OSError as e:
        raise _problem(
            path, f"the file cannot be read: {e.strerror or 'unknown cause'}", "Is it open elsewhere?"
        ) from e
    encoding = _encoding(path, sample)
    for _, cells in _rows(path, _decoded(path, encoding), _delimiter(sample, encoding)):
        yield cells


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
        with self._told():
            return self._book.cells(sheet)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Unusable as e:
            raise _problem(self.path, e.what, e.help) from e

    @cached_property
    def whole(self) -> Book:
        """What it says of its sheets.

        Raises:
          DataError: it is damaged.
        """
        with self._told():
            return self._book.whole

    def facts(self, sheet: str) -> Facts:
        """What a sheet says beside its values.

        Raises:
          DataError: it cannot be read.
        """
        with self._told():
            return self._book.facts(sheet)

    def texts(self, sheet: str) -> Iterator[list[str]]:
        """The rows of a sheet as they stand there, with marks before real dates, for who must find out what they mean.

        Raises:
          DataError: it cannot be read.
        """
        for _, cells in self._shown(sheet, frozenset())[0]:
            yield [c.partition(UNKNOWN_MARK)[0] for c in cells]

    def _shown(self, sheet: str, meant: frozenset[str]) -> tuple[Iterator[tuple[int, list[str]]], list[int], Facts]:
        """The rows of a sheet by number, which columns hold real dates, and what else the sheet says."""
        columns = list(zip(*self.cells(sheet), strict=True))
        facts = self.facts(sheet)
        marked = [i for i, column in enumerate(columns) if not {date, datetime}.isdisjoint(map(type, column))]
        rows: Iterator[tuple[int, list[str]]] = enumerate(map(list, zip(*map(_texts, columns), strict=True)), 1)
        if facts.of_cells:
            rows = _as_shown(rows, facts, meant, len(columns))
        return rows, marked, facts

    def read(self, sheet: str, layout: Layout, scratch: Path) -> Sheet:
        """One sheet.

        Raises:
          DataError: it cannot be read.
          Empty: it has no header.
        """
        rows, marked, facts = self._shown(sheet, layout.meant)
        header: list[str] = []
        for number, cells in rows:
            header = cells
            if number >= layout.header and any(cells):
                break
        if not any(header):
            raise Empty
        header = [c.partition(UNKNOWN_MARK)[0].lstrip(DATE_MARK) for c in header]
        remarks = facts.remarks
        if sheet in self.whole.hidden:
            remarks = ["the sheet is hidden; it is read like the others.", *remarks]
        return _written(self.path.name, sheet, header, rows, scratch, layout, marked, facts.unknown, remarks)


def _as_shown(
    rows: Iterable[tuple[int, list[str]]], facts: sheets.Facts, meant: frozenset[str], width: int
) -> Iterator[tuple[int, list[str]]]:
    """Rows with what a sheet says of its cells; of what lies outside of `width` columns it is nothing to us."""
    cells_of: dict[int, dict[int, str]] = defaultdict(dict)
    for place, why in facts.unreadable.items():
        if place not in facts.errors or facts.errors[place].lower() not in meant:
            cells_of[place[0]][place[1]] = _unknown(why)
    shown: dict[int, dict[int, int]] = defaultdict(dict)
    for row, column in facts.percents:
        shown[row][column] = 0
    for (row, column), digits in facts.padded.items():
        shown[row][column] = digits
    areas = sorted(facts.merged, key=lambda a: a.first_row)
    open_areas: list[tuple[sheets.Area, str]] = []
    last = 0

    def seen(number: int, cells: list[str]) -> list[str]:
        for column, why in cells_of.pop(number, {}).items():
            if column < width:
                cells[column] = why
        for column, digits in shown.get(number, {}).items():
            if column < width:
                cells[column] = _padded(cells[column], digits) if digits else _in_percent(cells[column])
        open_areas[:] = [(area, text) for area, text in open_areas if area.last_row >= number]
        content = any(cells)
        for area, text in open_areas:
            if content:
                _fill(cells, area, text)
        while areas and areas[0].first_row <= number:
            area = areas.pop(0)
            if area.first_row == number and area.first_column < width:
                text = cells[area.first_column]
                _fill(cells, area, text)
                open_areas.append((area, text))
        return cells

    for number, cells in rows:
        last = number
        yield number, seen(number, cells)
    for number in sorted(n for n in cells_of if n > last):
        yield number, seen(number, [""] * width)


def _fill(cells: list[str], area: sheets.Area, text: str) -> None:
    """What merged cells say in one of their rows: in their first column all that they hold, in the others nobody knows."""
    cells[area.first_column] = text
    for column in range(area.first_column + 1, min(area.last_column + 1, len(cells))):
        if text:
            cells[column] = _unknown(f"is one of the merged cells {area.label}")


def _in_percent(text: str) -> str:
    try:
        return f"{Decimal(text) * 100:f}%"
    except InvalidOperation:
        return text


def _padded(text: str, digits: int) -> str:
    return text.zfill(digits) if text.isdigit() else text


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
