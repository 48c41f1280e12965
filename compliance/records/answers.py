"""What people filled into the sheets of a workbook: read, held against what was asked, and kept beside the export (I/O: these files).

Answers are records like any other: statements in `attestation.answers.csv`, what readers found in `sample_reading.answers.csv`. These
are files of our own, so that what a case system exports is never written to, and nothing that it exports anew takes answers away.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any

from compliance.errors import ComplianceError, DataError, Location, Problem, nearest
from compliance.files.cells import safe
from compliance.files.documents import write_private
from compliance.files.sheets import Place, letters
from compliance.records.filling import AS_AT, EARLIEST, EXPORT, FORMS, MET, Form, mark
from compliance.records.reading import ANSWERED, Workbook

HEADER_WITHIN = 10
SAMPLED_ON = "sampled_on"
FILES: Mapping[str, tuple[str, ...]] = {
    "attestation": ("attestation_id", "agency_id", "duty", "made_on", "valid_until", "role", "document"),
    "sample_reading": (
        "sample_reading_id",
        "duty",
        "record",
        "record_key",
        "answer",
        "read_on",
        "role",
        "note",
        SAMPLED_ON,
    ),
}
"""The record kinds that answers become, with the columns of the files that they are kept in."""
SERVICE = "agency"
"""The record that a duty is vouched for of."""
NOTHING_CHANGED = "Nothing was changed."


@dataclass(frozen=True, slots=True)
class Answer:
    """One row that was filled in.

    Args:
      key: empty where the audit knew no service.
      text: where the evidence is, or the reader's note.
      where: the row.
    """

    form: Form
    as_at: str
    duty: str
    record: str
    key: str
    answer: str
    on: date
    role: str
    text: str
    where: Location


@dataclass
class Filled:
    """A workbook that was filled in.

    Args:
      left: rows that are not answered.
    """

    answers: list[Answer] = field(default_factory=list)
    left: int = 0

    @property
    def kinds(self) -> set[str]:
        """The record kinds that its answers are about."""
        return {a.record for a in self.answers}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to: records by kind that were written, how many were there already, and how many rows are not answered."""

    added: Mapping[str, int]
    there: int
    left: int
    not_met: int


# --- reading --------------------------------------------------------------------------------------------------------


def read(path: Path, last: date) -> Filled:
    """The answers in a workbook.

    Args:
      last: the day of the import; nobody can have answered later.

    Raises:
      ComplianceError: with every cell that cannot be used.
    """
    try:
        book = Workbook(path)
        sheets = [(name, book.cells(name)) for name in book.sheets]
    except DataError as e:
        raise ComplianceError(f"{path.name} cannot be imported. {NOTHING_CHANGED}", e.problems) from e
    filled, problems, seen = Filled(), list[Problem](), dict[str, Location]()
    ours = 0
    for name, cells in sheets:
        form = next((f for f in FORMS if cells and _text(cells[0][0] if cells[0] else "") == f.title), None)
        if form is not None:
            ours += 1
            _Sheet(path, name, form, last, cells, book.facts(name).unreadable, problems, seen).read(filled)
    if not ours:
        wanted = " or ".join(f"'{f.title}'" for f in FORMS)
        raise ComplianceError(
            f"{path.name} has no sheet to fill in: none begins with {wanted}. Write one with: compliance report EXPORT --as-at DATE"
            f" --out FILE.xlsx. {NOTHING_CHANGED}"
        )
    if problems:
        raise ComplianceError(f"{path.name} cannot be imported. {NOTHING_CHANGED}", problems)
    return filled


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip() if cell is not None else ""


@dataclass
class _Sheet:
    """A sheet to fill in, as it came back."""

    path: Path
    name: str
    form: Form
    last: date
    cells: Sequence[Sequence[Any]]
    unreadable: Mapping[Place, str]
    problems: list[Problem]
    seen: dict[str, Location]

    def where(self, row: int, column: int | None = None) -> Location:
        place = f"row {row + 1}" if column is None else f"cell {letters(column)}{row + 1}"
        return Location(f"{self.path.name}, sheet '{self.name}', {place}")

    def wrong(self, row: int, column: int | None, what: str, help_: str = "") -> None:
        self.problems.append(Problem(self.where(row, column), what, help_))

    def read(self, filled: Filled) -> None:
        """Adds what the sheet says."""
        names = self.form.headers
        top = [[_text(c) for c in row] for row in self.cells[:HEADER_WITHIN]]
        header = next((n for n, row in enumerate(top) if row[: len(names)] == names), None)
        said = {row[0]: row[1] for row in top[:header] if len(row) > 1}
        as_at, export = said.get(AS_AT, ""), said.get(EXPORT, "")
        if header is None or not as_at:
            what = "the sheet's own cells were changed: its day or the row of column names is not there"
            self.wrong(
                0, None, what, f"Expected '{AS_AT}' with a day, and below it the columns {', '.join(names[:-1])}"
            )
            return
        n_fixed, width = len(self.form.fixed), len(names)
        for n, row in enumerate(self.cells[header + 1 :], header + 1):
            cells = [*row, *[""] * (width - len(row))][:width]
            fixed, its = [_text(c) for c in cells[:n_fixed]], cells[n_fixed:-1]
            if unreadable := [(m, why) for m in range(width) if (why := self.unreadable.get((n + 1, m)))]:
                for m, why in unreadable:
                    self.wrong(n, m, f"the cell {why}", "Put a value in its place, or leave it empty")
                continue
            if not any(_text(c) for c in cells):
                continue
            if not self._asked(n, as_at, export, fixed, _text(cells[-1])):
                continue
            if not any(_text(c) for c in its):
                filled.left += 1
            elif (answer := self._answer(n, as_at, fixed, its)) is not None:
                filled.answers.append(answer)

    def _asked(self, n: int, as_at: str, export: str, fixed: Sequence[str], marked: str) -> bool:
        """Whether the row is one that the audit asked, as it asked it, and stands once."""
        if not marked:
            self.wrong(n, None, "the audit did not ask this: the row was added", "Take it out")
        elif marked != mark(self.form, as_at, export, fixed):
            what = f"what the audit asked in columns A to {letters(len(fixed) - 1)} was changed, or the row is of another audit"
            self.wrong(n, None, what, "Undo the change, or have the audit write the workbook anew")
        elif marked in self.seen:
            self.wrong(n, None, f"the row stands twice, first in {self.seen[marked]}", "Take one of them out")
        else:
            self.seen[marked] = self.where(n)
            return True
        return False

    def _answer(self, n: int, as_at: str, fixed: Sequence[str], its: Sequence[Any]) -> Answer | None:
        before, first = len(self.problems), len(fixed)
        said, role, text = _text(its[0]).casefold(), _text(its[2]), _text(its[3])
        known = self.form.answers
        if not said:
            self.wrong(n, first, "the row is half filled in: an answer is missing", f"One of: {', '.join(known)}")
        elif said not in known:
            what = f"'{_text(its[0])}' is no answer{nearest(said, known)}"
            self.wrong(n, first, what, f"One of: {', '.join(known)}")
        on = self._day(n, first + 1, its[1])
        if not role:
            self.wrong(
                n, first + 2, "the row is half filled in: the role is missing", "Such as: registered manager; no name"
            )
        if not text and said == MET and self.form.purpose == "attestation":
            what = "the row is half filled in: a statement that a duty is met needs its evidence"
            self.wrong(n, first + 3, what, "Say where the signed and dated document is")
        if len(self.problems) > before or on is None:
            return None
        where = self.where(n)
        record, key = (SERVICE, fixed[3]) if self.form.purpose == "attestation" else (fixed[3], fixed[4])
        kind = record.replace(" ", "_")
        return Answer(self.form, as_at, fixed[0], kind, key, said, on, role, text, where)

    def _day(self, n: int, column: int, cell: Any) -> date | None:
        try:
            day = cell.date() if isinstance(cell, datetime) else cell
            day = day if isinstance(day, date) else datetime.strptime(_text(cell), "%Y-%m-%d").date()
        except ValueError:
            what = f"'{_text(cell)}' is no date" if _text(cell) else "the row is half filled in: the day is missing"
            self.wrong(n, column, what, "A date of the spreadsheet, or text such as 2021-09-20")
            return None
        if day > self.last:
            self.wrong(
                n,
                column,
                f"{day} lies after the day of the import, {self.last}",
                "The day on which it was said or read",
            )
        elif day < EARLIEST:
            self.wrong(n, column, f"{day} is before {EARLIEST}", "Is the year a slip?")
        return day


# --- keeping --------------------------------------------------------------------------------------------------------


def keep(path: Path, filled: Filled, folder: Path, keys: Callable[[str], frozenset[str]]) -> Imported:
    """Writes the answers into the export's folder, each once.

    Args:
      path: the workbook.
      keys: of the records of a kind that the export holds.

    Raises:
      ComplianceError: an answer is about a record that the export does not hold, or says otherwise than one that is kept. With all of them.
    """
    problems: list[Problem] = []
    wanted: dict[str, dict[str, tuple[list[str], Location]]] = {kind: {} for kind in FILES}
    of = {kind: keys(kind) for kind in sorted({*filled.kinds, SERVICE})}
    for a in filled.answers:
        key = a.key or (next(iter(of[SERVICE])) if len(of[SERVICE]) == 1 else "")
        if not key:
            what = f"the export holds {len(of[SERVICE]):,} services, and nothing says which one this is about"
            problems.append(
                Problem(a.where, what, "Give it the record of its service, and have the audit write the workbook anew")
            )
        elif key not in of[a.record]:
            what = f"there is no {a.record.replace('_', ' ')} '{key}' in {folder}"
            problems.append(Problem(a.where, what, "Is it the export that was audited, and were its ids not replaced?"))
        else:
            for kind, row in _records(a, key):
                before, where = wanted[kind].setdefault(row[0], (row, a.where))
                if was := _otherwise(kind, row, before):
                    what = f"{where} answers the same otherwise for the same day: {was}"
                    problems.append(Problem(a.where, what, "Leave one of them out"))
    texts, added, there = {}, {}, 0
    for kind, rows in wanted.items():
        file = folder / f"{kind}{ANSWERED}"
        kept, content = _kept(file, FILES[kind])
        for id_, (row, where) in rows.items():
            if id_ in kept and (was := _otherwise(kind, row, kept[id_])):
                what = f"this was answered otherwise for the same day: {was}"
                help_ = f"Give the day of the new answer, or correct the row '{id_}' of {file}"
                problems.append(Problem(where, what, help_))
        new = [row for id_, (row, _) in rows.items() if id_ not in kept]
        there += len(rows) - len(new)
        if new:
            added[kind] = len(new)
            texts[file] = content + _csv(new if content else [FILES[kind], *new])
    if problems:
        raise ComplianceError(f"{path.name} cannot be imported. {NOTHING_CHANGED}", problems)
    for file, text in texts.items():
        write_private(file, [text])
    return Imported(added, there, filled.left, sum(a.answer != MET for a in filled.answers))


def _records(a: Answer, key: str) -> Iterator[tuple[str, list[str]]]:
    """The records that an answer becomes: what was found, and a statement where a duty is vouched for."""
    on, text, role = a.on.isoformat(), _safe(a.text), _safe(a.role)
    reading = [_id(a.duty, a.record, key, on), a.duty, a.record, key, a.answer, on, role, text, a.as_at]
    yield "sample_reading", reading
    if a.form.purpose == "attestation" and a.answer == MET:
        yield "attestation", [_id(a.duty, key, on), key, a.duty, on, "", role, text]


def _otherwise(kind: str, row: Sequence[str], before: Sequence[str]) -> str:
    """What an answer says otherwise than one before; which audit drew the record does not matter."""
    its = zip_longest(FILES[kind], row, before, fillvalue="")
    return ", ".join(f"{name} '{was}' (now '{now}')" for name, now, was in its if now != was and name != SAMPLED_ON)


def _id(*parts: str) -> str:
    """The same answer has the same id whenever it is imported."""
    return "W" + sha256("\x1f".join(parts).encode()).hexdigest()[:15]


def _safe(text: str) -> str:
    """On one line, and with a quote before it if a spreadsheet would run it."""
    return safe(" ".join(text.split()))


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8")


def _kept(path: Path, header: tuple[str, ...]) -> tuple[dict[str, list[str]], bytes]:
    """The answers that are kept already, by id, and the file's content."""
    try:
        content = path.read_bytes() if path.exists() else b""
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True))
    except OSError as e:
        raise ComplianceError(f"{path} cannot be read: {e.strerror or 'unknown cause'}. {NOTHING_CHANGED}") from e
    except (UnicodeDecodeError, csv.Error) as e:
        raise ComplianceError(f"{path} is no CSV file in UTF-8: {e}. {NOTHING_CHANGED}") from e
    if rows and tuple(rows[0]) != header:
        raise ComplianceError(f"{path} was changed: expected the columns {', '.join(header)}. {NOTHING_CHANGED}")
    if content and not content.endswith(b"\n"):
        content += b"\r\n"
    return {row[0]: row for row in rows[1:] if row}, content
