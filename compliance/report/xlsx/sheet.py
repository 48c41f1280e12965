"""Sheets of a workbook: tables with filters, a header that stays, real dates, and links. All text is text, whatever it looks like."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from compliance.dates import english
from compliance.files.temporary import scratch_folder
from compliance.report.words import printable

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS = 1_000_000
"""Rows of a table; a sheet can hold few more."""
MOST_LINKS = 65_000
"""Links of a sheet; spreadsheets take few more. What is over is text without a link."""
LONGEST = 16_000
"""Characters of a cell, of which spreadsheets take twice as many, but count some as two."""
CUT = " … (cut here; the JSON has all of it)"
A4 = 9
LINE, HIGHEST = 15, 400
"""Points of a line, and of the highest row."""
DAY = "d mmm yyyy"
FIRST_DAY = date(1900, 3, 1)
"""Spreadsheets count days from about here; an earlier one is written as text."""


@dataclass(frozen=True, slots=True)
class Link:
    """Text or a number that leads to a cell: the sheet, and the row from 0."""

    text: str | int
    sheet: str
    row: int = 0


Cell = str | int | Decimal | date | Link | None
Look = Literal["plain", "heading", "title", "head"]


@dataclass(frozen=True, slots=True)
class Column:
    """Its name, how wide it is in characters, and how many decimals its numbers have."""

    name: str
    width: int
    decimals: int = 0


@dataclass
class Sheet:
    """One sheet; rows are written from top to bottom and no row twice."""

    book: Book
    its: Worksheet
    name: str
    row: int = 0
    links: int = 0
    columns: Sequence[int] = ()

    def line(self, *cells: Cell, look: Look = "plain", decimals: int = 0) -> int:
        """Writes a row, and says which it is."""
        if look not in ("title", "heading"):
            self.fit(cells)
        for n, cell in enumerate(cells):
            self.put(self.row, n, cell, look, decimals)
        self.row += 1
        return self.row - 1

    def widths(self, columns: Sequence[int]) -> None:
        """How wide the columns are, in characters."""
        self.columns = columns
        for n, width in enumerate(columns):
            self.its.set_column(n, n, width)

    def fit(self, cells: Sequence[Cell], level: int = 0) -> None:
        """Makes the next row as high as its texts need: not every spreadsheet does so by itself.

        Args:
          level: of a row that can be folded away.
        """
        texts = (cell.text if isinstance(cell, Link) else cell for cell in cells)
        lines = [_lines(text, width) for text, width in zip(texts, self.columns, strict=False) if isinstance(text, str)]
        most = max(lines, default=1)
        if most > 1 or level:
            self.its.set_row(self.row, min(LINE * most, HIGHEST), None, {"level": level} if level else {})

    def put(self, row: int, column: int, cell: Cell, look: Look = "plain", decimals: int = 0) -> None:
        """Writes one cell as what it is."""
        form = self.book.form
        match cell:
            case str():
                if cell:
                    self.its.write_string(row, column, cut(cell), form(look))
            case Link(text, sheet, at) if self.links < MOST_LINKS:
                self.links += 1
                self.its.write_url(row, column, f"internal:'{sheet}'!A{at + 1}", form("link"), cut(str(text)))
                if isinstance(text, int):
                    self.its.write_number(row, column, text, form("linked number"))
            case Link(text):
                self.put(row, column, text, look)
            case date() if cell < FIRST_DAY:
                self.its.write_string(row, column, cell.isoformat(), form(look))
            case date():
                self.its.write_datetime(row, column, datetime.combine(cell, time()), form("day"))
            case int() | Decimal():
                self.its.write_number(row, column, cell, form(f"number{decimals}"))

    def text(self, text: str, over: int, look: str = "plain") -> None:
        """A paragraph over so many columns."""
        self.its.set_row(self.row, LINE * _lines(text, sum(self.columns[:over])))
        self.its.merge_range(self.row, 0, self.row, over - 1, "", self.book.form(look))
        self.its.write_string(self.row, 0, cut(text), self.book.form(look))
        self.row += 1

    def table(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Cell]],
        stays: int = 1,
        printed: int = 0,
        level: Callable[[Sequence[Cell]], int] | None = None,
    ) -> None:
        """A table with a filter, whose header and first columns stay in sight; the header is printed on each page.

        Args:
          printed: so many columns are printed, and make the rows as high as they are; 0: all.
          level: of a row that can be folded away.
        """
        first = self.row
        self.header(columns)
        for cells in rows:
            self.fit(cells[: printed or None], level(cells) if level is not None else 0)
            for place, cell in enumerate(cells):
                self.put(self.row, place, cell, decimals=columns[place].decimals)
            self.row += 1
        self.its.autofilter(first, 0, max(self.row - 1, first + 1), len(columns) - 1)
        self.its.freeze_panes(first + 1, stays)
        if printed:
            self.its.print_area(0, 0, self.row, printed - 1)

    def header(self, columns: Sequence[Column]) -> None:
        """The names of the columns; they are repeated on each page."""
        self.widths([column.width for column in columns])
        self.fit([column.name for column in columns])
        for place, column in enumerate(columns):
            self.its.write_string(self.row, place, column.name, self.book.form("head"))
        self.its.repeat_rows(self.row)
        self.row += 1


@dataclass
class Book:
    """A workbook that is being written."""

    its: Workbook
    as_at: date
    data: str
    forms: dict[str, Format] = field(default_factory=dict)

    def sheet(self, name: str) -> Sheet:
        """A new sheet, set to print on A4, landscape, all columns on a page."""
        made = self.its.add_worksheet(name)
        made.set_landscape()
        made.set_paper(A4)
        made.fit_to_pages(1, 0)
        made.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        # `&` begins a code in a header or footer.
        made.set_header(f"&L{self.data.replace('&', '&&')[:80]}&R&A")
        made.set_footer(f"&LAs at {english(self.as_at)}&RPage &P of &N")
        return Sheet(self, made, name)

    def form(self, look: str) -> Format:
        """How a cell looks."""
        if look not in self.forms:
            self.forms[look] = self.its.add_format(LOOKS[look])
        return self.forms[look]


_TEXT = {"text_wrap": True, "valign": "top"}
_FILL = {"bg_color": "#FFF8DC", "border": 1, "border_color": "#808080", "locked": False}
LOOKS: dict[str, dict[str, object]] = {
    "plain": _TEXT,
    "heading": {"bold": True},
    "title": {"bold": True, "font_size": 16},
    "head": {**_TEXT, "bold": True, "bg_color": "#DCE6F1", "bottom": 2},
    "link": {**_TEXT, "font_color": "#0B5394", "underline": 1},
    "linked number": {"valign": "top", "num_format": "#,##0", "font_color": "#0B5394", "underline": 1},
    "day": {"valign": "top", "align": "left", "indent": 1, "num_format": DAY},
    "number0": {"valign": "top", "num_format": "#,##0"},
    "number1": {"valign": "top", "num_format": "#,##0.0"},
    "fill": {**_TEXT, **_FILL, "num_format": "@"},
    "fill day": {"valign": "top", "align": "left", "num_format": DAY, **_FILL},
}


def _lines(text: str, width: int) -> int:
    """Lines that a text takes in a column, at a guess: words do not fill a line to its end."""
    return sum(1 + int(len(part) * 1.05 / width) if len(part) > width else 1 for part in text.split("\n"))


def cut(text: str) -> str:
    """A text that a cell can hold; what is left out is said."""
    return text if len(text) <= LONGEST else text[:LONGEST] + CUT


@contextmanager
def opened(as_at: date, data: str) -> Iterator[tuple[Book, io.BytesIO]]:
    """A workbook, and what it is written into when it ends; the same sheets give the same bytes."""
    import xlsxwriter

    content, said = io.BytesIO(), printable(data)
    with scratch_folder() as scratch:
        asked = {
            "constant_memory": True,
            "tmpdir": str(scratch),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with xlsxwriter.Workbook(content, asked) as book:
            book.set_properties({"title": f"{said} as at {english(as_at)}", "created": datetime.combine(as_at, time())})
            yield Book(book, as_at, said), content
