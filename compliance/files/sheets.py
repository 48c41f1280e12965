"""What a sheet of a workbook says beside its values, which the library that reads these drops (I/O: the workbook).

The XML of a sheet is streamed once. In each piece of it only what is looked for is searched, as bytes, and only around what is found the
cell is looked at: so a sheet with none of this costs a small part of the reading of its values.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

PIECE = 1 << 20
LARGEST_PART = 32 << 20
"""Bytes of what a workbook says of itself, of its styles and of where its parts are, which is held as a whole."""
LARGEST_ROW = 32 << 20
"""Bytes: as many cells as there can be, of a kilobyte each, are half of that."""
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
PERCENT = (9, 10)
"""The number formats of every workbook that show a share in per cent."""
NO_RESULT = "holds a formula whose result is not stored; open the workbook, let it calculate, and save it"
DEFAULT_PART = "xl/workbook.xml"

DAMAGED = (ValueError, LookupError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error, ElementTree.ParseError)
"""What reading raises of a workbook that is none."""

Place = tuple[int, int]
"""A cell: its row, the first being 1, and its column, the first being 0."""


@dataclass(frozen=True)
class Area:
    """Merged cells: first and last row, first and last column."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int

    @property
    def label(self) -> str:
        """As a spreadsheet names it."""
        return f"{letters(self.first_column)}{self.first_row}:{letters(self.last_column)}{self.last_row}"


@dataclass
class Facts:
    """What one sheet says beside its values.

    Args:
      errors: the error that a cell holds, such as `#REF!`.
      uncalculated: cells with a formula of which no result is stored.
      percents: numbers that are shown in per cent: 0.851 as 85.1 %.
      padded: numbers that are shown with zeros in front, and how many digits they are shown with.
      merged: cells that are one.
      hidden_rows, hidden_columns: those that nobody sees who opens the workbook.
    """

    errors: dict[Place, str] = field(default_factory=dict)
    uncalculated: list[Place] = field(default_factory=list)
    percents: set[Place] = field(default_factory=set)
    padded: dict[Place, int] = field(default_factory=dict)
    merged: list[Area] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)

    @property
    def of_cells(self) -> bool:
        """Whether anything is said of single cells."""
        return bool(self.errors or self.uncalculated or self.percents or self.padded or self.merged)

    @property
    def unreadable(self) -> dict[Place, str]:
        """Cells of which nobody can tell what they hold, and why: what comes behind "this cell"."""
        errors = {place: f"is the error {word} of a spreadsheet" for place, word in self.errors.items()}
        return errors | dict.fromkeys(self.uncalculated, NO_RESULT)

    @property
    def unknown(self) -> set[int]:
        """Columns in which nobody can tell what some cell holds."""
        across = (i for area in self.merged for i in range(area.first_column + 1, area.last_column + 1))
        return {*(column for _, column in (*self.errors, *self.uncalculated)), *across}

    @property
    def remarks(self) -> list[str]:
        """What a person should know who reads the values alone."""
        told = []
        if below := [area for area in self.merged if area.last_row > area.first_row]:
            told.append(f"merged cells, such as {below[0].label}, are read in each of their rows.")
        if self.hidden_rows:
            n, first = len(self.hidden_rows), self.hidden_rows[0]
            rows = f"row {first:,} is hidden and" if n == 1 else f"{n:,} rows are hidden, the first row {first:,}, and"
            told.append(f"{rows} read like the others.")
        if self.hidden_columns:
            columns = ", ".join(
                letters(first) if first == last else f"{letters(first)} to {letters(last)}"
                for first, last in self.hidden_columns
            )
            told.append(f"hidden columns are read like the others: {columns}.")
        return told


@dataclass(frozen=True)
class Book:
    """The sheets of a workbook that are hidden, where the XML of each is, and the styles in which numbers are shown otherwise.

    Args:
      parts: the part of the package that a sheet is, by its name.
      percents: positions of the styles that show per cent; `padded`: of those that show zeros in front, with the number of digits.
    """

    parts: Mapping[str, str]
    hidden: frozenset[str]
    percents: frozenset[int]
    padded: Mapping[int, int]


def letters(column: int) -> str:
    """The name of a column, the first being 0: A, B, …, Z, AA."""
    from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(column))


def _number(name: bytes) -> int:
    n = 0
    for c in name.upper():
        n = n * 26 + c - 64
    return n - 1


# --- the workbook ---------------------------------------------------------------------------------------------------


def book(path: Path) -> Book:
    """What a workbook says of its sheets.

    Raises:
      OSError, or one of `DAMAGED`.
    """
    with zipfile.ZipFile(path) as package:
        names = {n.lower(): n for n in package.namelist()}

        def part(name: str) -> ElementTree.Element | None:
            stored = names.get(name.lower())
            if stored is None:
                return None
            if package.getinfo(stored).file_size > LARGEST_PART:
                raise ValueError("a larger part than any workbook has")
            text = package.read(stored)
            if b"<!DOCTYPE" in text:
                raise ValueError("a document type, which no spreadsheet writes")
            # Without a document type, in the one encoding in which we looked for it, there are no entities to unfold.
            return ElementTree.fromstring(text, ElementTree.XMLParser(encoding="utf-8"))  # noqa: S314

        main = _main_part(part("_rels/.rels"))
        folder = main.rpartition("/")[0]
        targets = _targets(part(f"{folder}/_rels/{main.rpartition('/')[2]}.rels"), folder)
        sheets: dict[str, str] = {}
        hidden = set()
        for element in _every(part(main), "sheet"):
            id_ = next((v for k, v in element.attrib.items() if k.endswith("}id")), "")
            label = element.get("name", "")
            sheets[label] = names.get(targets.get(id_, "").lower(), "")
            if element.get("state", "visible") != "visible":
                hidden.add(label)
        percents, padded = _styles(part(f"{folder}/styles.xml"))
        return Book(sheets, frozenset(hidden), percents, padded)


def _every(root: ElementTree.Element | None, tag: str) -> Iterator[ElementTree.Element]:
    if root is not None:
        for namespace in (MAIN, STRICT):
            yield from root.iter(f"{{{namespace}}}{tag}")


def _main_part(relations: ElementTree.Element | None) -> str:
    for relation in () if relations is None else relations:
        if relation.get("Type", "").endswith("/officeDocument"):
            return relation.get("Target", "").lstrip("/")
    return DEFAULT_PART


def _targets(relations: ElementTree.Element | None, folder: str) -> dict[str, str]:
    found = {}
    for relation in () if relations is None else relations:
        target = relation.get("Target", "")
        found[relation.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}"
    return found


def _styles(styles: ElementTree.Element | None) -> tuple[frozenset[int], dict[int, int]]:
    """The positions of styles that show numbers in per cent, and of those with zeros in front."""
    formats = {f.get("numFmtId", ""): f.get("formatCode", "") for f in _every(styles, "numFmt")}
    percents, padded = set(), {}
    for cells in _every(styles, "cellXfs"):
        for i, style in enumerate(cells):
            id_ = style.get("numFmtId", "0")
            shown = re.sub(r'"[^"]*"|\\.', "", formats.get(id_, ""))
            if "%" in shown or (id_.isdigit() and int(id_) in PERCENT):
                percents.add(i)
            elif re.fullmatch("00+", shown):
                padded[i] = len(shown)
    return frozenset(percents), padded


# --- a sheet --------------------------------------------------------------------------------------------------------


def facts(path: Path, whole: Book, sheet: str) -> Facts:
    """What a sheet says beside its values.

    Raises:
      OSError, or one of `DAMAGED`.
    """
    found = Facts()
    with zipfile.ZipFile(path) as package, package.open(whole.parts[sheet]) as stream:
        start = stream.read(PIECE)
        prefix = match[1] if (match := re.search(rb"<((?:[\w.-]+:)?)worksheet\b", start)) else b""
        scan = _Scan(prefix, whole)
        for piece in _pieces(start, stream, b"</" + prefix + b"row>"):
            scan.look(piece, found)
    return found


def _pieces(start: bytes, stream: IO[bytes], row_end: bytes) -> Iterator[bytes]:
    """A sheet's XML in pieces, none of which ends within a row."""
    rest = more = start
    while more:
        end = rest.rfind(row_end)
        if end >= 0:
            yield rest[: end + len(row_end)]
            rest = rest[end + len(row_end) :]
        if len(rest) > LARGEST_ROW:
            raise ValueError("a longer row than any sheet has")
        more = stream.read(PIECE)
        rest += more
    yield rest


class _Scan:
    """What is looked for in a sheet whose elements have a prefix, and how many of its rows were seen."""

    def __init__(self, prefix: bytes, whole: Book) -> None:
        """Nothing seen yet."""
        p = re.escape(prefix)
        self.rows = 0
        self.percents, self.padded = whole.percents, whole.padded
        self.cell, self.row_start, self.formula_start = (b"<" + prefix + name for name in (b"c", b"row", b"f"))
        self.error = re.compile(rb"""\bt\s*=\s*["']e["']""")
        self.value = re.compile(rb"<%sv(?:\s[^>]*)?>([^<]{1,40})" % p)
        no_value = rb"(?:<%sv\s*/>|<%sv(?:\s[^>]*)?>\s*</%sv>)?" % (p, p, p)
        self.formula = re.compile(rb"<%sf(?:\s[^>]*)?(?:/>|>[^<]*</%sf>)\s*(%s)\s*</%sc>" % (p, p, no_value, p))
        self.hidden_row = re.compile(rb"""<%srow\s[^>]*\bhidden\s*=\s*["'](?:1|true)["'][^>]*>""" % p)
        self.column = re.compile(rb"<%scol\s([^>]*)>" % p)
        self.merge = re.compile(rb"""<%smergeCell\s[^>]*\bref\s*=\s*["']([A-Za-z]+)(\d+):([A-Za-z]+)(\d+)["']""" % p)
        ids = sorted({*whole.percents, *whole.padded})
        self.styles = [b"s=%s%d%s" % (quote, i, quote) for i in ids for quote in (b'"', b"'")]
        of_ids = b"|".join(b"%d" % i for i in ids)
        self.styled = re.compile(rb"""<%sc\s(?:[^>]*\s)?s\s*=\s*["'](%s)["'][^>]*>""" % (p, of_ids))

    def look(self, piece: bytes, found: Facts) -> None:
        """Adds what one piece says."""
        if b't="e"' in piece or b"t='e'" in piece:
            for match in self.error.finditer(piece):
                self._error(piece, match.start(), found)
        if self.formula_start in piece:
            for match in self.formula.finditer(piece):
                start, end = self._cell(piece, match.start())
                # A formula that comes to an empty text has this stored: a text, and nothing in it.
                if not (match[1] and re.search(rb"""\bt\s*=\s*["']str["']""", piece[start:end])):
                    found.uncalculated.append(self._place(piece, start, end))
        if any(style in piece for style in self.styles):
            for match in self.styled.finditer(piece):
                place = self._place(piece, match.start(), match.end())
                if int(match[1]) in self.percents:
                    found.percents.add(place)
                else:
                    found.padded[place] = self.padded[int(match[1])]
        if b"hidden" in piece:
            found.hidden_rows += (self._row(piece, match.start()) for match in self.hidden_row.finditer(piece))
            for match in self.column.finditer(piece):
                if _attribute(match[1], b"hidden") in (b"1", b"true"):
                    first, last = int(_attribute(match[1], b"min") or 0), int(_attribute(match[1], b"max") or 0)
                    found.hidden_columns.append((first - 1, last - 1))
        if b"mergeCell" in piece:
            for match in self.merge.finditer(piece):
                area = Area(int(match[2]), int(match[4]), _number(match[1]), _number(match[3]))
                found.merged.append(area)
        self.rows += piece.count(self.row_start)

    def _error(self, piece: bytes, at: int, found: Facts) -> None:
        start, end = self._cell(piece, at)
        # Else it stands in a text.
        if 0 <= start < at < end:
            value = self.value.search(piece, end, piece.find(b"</" + self.cell[1:] + b">", end))
            word = value[1].decode("utf-8", "replace").strip() if value else "#VALUE!"
            found.errors[self._place(piece, start, end)] = word

    def _cell(self, piece: bytes, at: int) -> tuple[int, int]:
        """Where the cell begins in which something stands, and where its attributes end."""
        start = piece.rfind(self.cell, 0, at)
        return start, piece.find(b">", start)

    def _place(self, piece: bytes, start: int, end: int) -> Place:
        reference = re.fullmatch(rb"([A-Za-z]{1,3})(\d{1,7})", _attribute(piece[start:end], b"r"))
        if reference:
            return int(reference[2]), _number(reference[1])
        # Some writers leave it out: then cells stand one after the other.
        row = piece.rfind(self.row_start, 0, start)
        return self._row(piece, row), len(re.findall(self.cell + rb"[\s/>]", piece[row:start]))

    def _row(self, piece: bytes, start: int) -> int:
        number = _attribute(piece[start : piece.find(b">", start)], b"r")
        return int(number) if number.isdigit() else self.rows + piece.count(self.row_start, 0, start) + 1


def _attribute(attributes: bytes, name: bytes) -> bytes:
    match = re.search(rb"""(?:^|\s)%s\s*=\s*["']([^"']*)["']""" % name, attributes)
    return match[1] if match else b""
