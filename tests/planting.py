"""Exports with something planted in every personal field and in every id, and the search for what got out.

What is planted is found in nothing else: texts and codes bear a word, dates lie on days that are nobody's, numbers have digits
of their own.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import python_calamine
import xlsxwriter
from conftest import ROOT

from compliance.files import documents
from compliance.jobs import planning
from compliance.model import Field, RecordKinds

WORD, ID = "zzcanary", "zqid"
FIRST_DAY = date(1931, 3, 7)
HAPPENED = "2020-01-15"
AS_AT = "2020-06-01"


def _days() -> Iterator[date]:
    day = FIRST_DAY
    while True:
        yield day
        day += timedelta(days=37)


@dataclass
class Planted:
    """An export, and what is planted in it.

    Args:
      words: what is planted in personal fields, each as an output may write it: of some, several ways.
      ids: what ids are made of; empty: they are an agency's own.
    """

    folder: Path
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()

    def out(self, content: bytes) -> set[str]:
        """Which of the personal fields an output shows."""
        said = searched(content)
        return {what for what, ways in self.words.items() if any(way.lower() in said for way in ways)}


def text_of(content: bytes) -> str:
    """All text in a file; of one that is packed, of all that is in it, for its own bytes may look like anything."""
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return "".join(text_of(packed.read(n)) for n in packed.namelist())
    return content.decode("utf-8", errors="replace")


def searched(content: bytes) -> str:
    """The same in small letters."""
    # A calendar breaks its lines where they are full, and Markdown sets a stroke before what would be markup.
    return text_of(content).replace("\r\n ", "").replace("\\", "").lower()


def day_words(day: date) -> tuple[str, ...]:
    """How people and programs write a day."""
    return (
        day.isoformat(),
        f"{day:%Y%m%d}",
        f"{day:%d/%m/%Y}",
        f"{day.day} {day:%B %Y}",
        f"{day.day} {day:%b %Y}",
    )


# --- the sample agency ----------------------------------------------------------------------------------------------

Cells = list[Any]
Sheets = dict[str, list[Cells]]
MALFORMED, DUPLICATE, KEYLESS, SHIFTED = "malformed", "duplicate", "keyless", "shifted"


def plant_agency(folder: Path) -> Planted:
    """The sample agency: in each row of each personal column a word, and rows that cannot be used as they are."""
    kinds, planted, days = planning.record_kinds(), Planted(folder), _days()
    folder.mkdir()
    agency = ROOT / "fixtures" / "agency"
    mapping = documents.load_yaml(agency / "mapping.yaml")
    assert isinstance(mapping, dict)
    (folder / "mapping.yaml").write_bytes((agency / "mapping.yaml").read_bytes())
    of: dict[str, list[Any]] = {}
    for source in mapping["sources"]:
        of.setdefault(source["file"], []).append(source)
    for path in sorted(agency.glob("*.csv")):
        rows: list[Cells] = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
        _plant_rows(rows, of.get(path.name, []), kinds, planted, days)
        _write_csv(folder / path.name, rows)
    book = python_calamine.load_workbook(agency / "HR_Export.xlsx")
    sheets = {n: book.get_sheet_by_name(n).to_python(skip_empty_area=False) for n in book.sheet_names}
    for name, rows in sheets.items():
        its = [s for s in of["HR_Export.xlsx"] if s["sheet"] == name]
        _plant_rows(rows, its, kinds, planted, days)
    _write_book(folder / "HR_Export.xlsx", sheets)
    return planted


def _plant_rows(
    rows: list[Cells], sources: list[Any], kinds: RecordKinds, planted: Planted, days: Iterator[date]
) -> None:
    header = [str(c) for c in rows[0]]
    n = len(rows)
    if n < 4:
        return
    odd = {what: [*rows[2]] for what in (DUPLICATE, KEYLESS)}
    done = False
    for source in sources:
        kind = kinds[source["record"]]
        for f, column in source["columns"].items():
            names = (
                column
                if isinstance(column, list)
                else [column.get("column", "") if isinstance(column, dict) else column]
            )
            at = next((header.index(c) for c in names if c in header), None)
            if at is not None and f == kind.key:
                odd[KEYLESS][at] = ""
            if at is None or not kind.fields[f].personal:
                continue
            done = True
            declared = kind.fields[f]
            label = f"{kind.name}.{f}.{header[at]}"
            if declared.type == "date":
                day = next(days)
                planted.words[label] = day_words(day)
                for row in rows[1:n]:
                    row[at] = datetime(day.year, day.month, day.day) if isinstance(row[at], date) else f"{day:%d/%m/%Y}"
            elif declared.type == "text" and not declared.codes:
                planted.words[label] = (_word(label),)
                for row in rows[1:n]:
                    row[at] = _word(label)
            for what in (MALFORMED, *odd):
                planted.words[f"{label}.{what}"] = (_word(f"{label}.{what}"),)
            rows[3][at] = _word(f"{label}.{MALFORMED}")
            for what, row in odd.items():
                row[at] = _word(f"{label}.{what}")
    if done:
        rows += [*odd.values(), [_word(SHIFTED)] * 2]
        planted.words[SHIFTED] = (_word(SHIFTED),)


def _word(label: str) -> str:
    return f"{WORD}-{label}-"


def _write_csv(path: Path, rows: Iterable[Cells]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def _write_book(path: Path, sheets: Sheets) -> None:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(r, c, cell)
                    elif cell != "":
                        sheet.write(r, c, cell)


# --- every record kind there is -------------------------------------------------------------------------------------


FAMILY = (
    "agency", "staff", "household", "foster_parent", "household_member", "child", "placement", "visit", "check", "complaint",
)  # fmt: skip


def plant_all(folder: Path, only: Sequence[str] = ()) -> Planted:
    """An export with some records of every kind, each field filled, and the ids of all of them planted too.

    Args:
      only: these kinds, with rows that cannot be used as they are too; empty: all, with such rows of another length alone.
    """
    kinds, days, numbers = planning.record_kinds(), _days(), iter(range(731, 99_999, 13))
    planted = Planted(folder, ids=frozenset({ID}))
    folder.mkdir()
    for kind in kinds.kinds.values():
        if only and kind.name not in only:
            continue
        good: dict[str, str] = {}
        for f in kind.fields.values():
            good[f.name], ways = _cell(f, kind.name, days, numbers)
            if ways:
                planted.words[f"{kind.name}.{f.name}"] = ways
        rows = [good, {**good, kind.key: good[kind.key].replace("-1-", "-2-")}]
        # The engine takes its time over what does not fit: not in all kinds.
        for what in (MALFORMED, DUPLICATE, KEYLESS) if only else ():
            row = {**good, kind.key: f"{ID}-{kind.name}-3-"}
            for f in kind.fields.values():
                if f.personal:
                    row[f.name] = _word(f"{kind.name}.{f.name}.{what}")
                    planted.words[f"{kind.name}.{f.name}.{what}"] = (row[f.name],)
                elif what == MALFORMED and f.type == "date":
                    # Somebody typed an id where a day should be.
                    row[f.name] = f"{ID}-see"
                elif what == MALFORMED and f.id_of and f.name != kind.key:
                    row[f.name] = f"{ID}-of-nobody-"
            if what == DUPLICATE:
                row[kind.key] = good[kind.key]
            if what == KEYLESS:
                row[kind.key] = ""
            rows.append(row)
        # A row with a cell too many: nobody can tell which of them moved.
        shifted = [_word(SHIFTED), *[f"{ID}-x"] * len(good)]
        _write_csv(folder / f"{kind.name}.csv", [list(good), *(list(r.values()) for r in rows), shifted])
    planted.words[SHIFTED] = (_word(SHIFTED),)
    return planted


LEFT_EMPTY = {("staff", "induction_completed_on"), ("staff", "left_on"), ("household", "approval_ended_on")}


def _cell(f: Field, kind: str, days: Iterator[date], numbers: Iterator[int]) -> tuple[str, tuple[str, ...]]:
    """What stands in a field, and how it would look in an output, if it is personal and can be told from anything else."""
    if (kind, f.name) in LEFT_EMPTY:
        return "", ()
    if f.id_of or f.kind_in:
        return f"{ID}-{f.id_of or 'child'}-1-", ()
    if not f.personal:
        number = f"{f.minimum or 1:g}"
        return {"date": HAPPENED, "boolean": "yes", "integer": number, "number": number}.get(
            f.type, f.codes[0] if f.codes else "text"
        ), ()
    match f.type:
        case "date":
            day = next(days)
            return day.isoformat(), day_words(day)
        case "number":
            said = f"11.{next(numbers)}"
            return said, (said,)
        case "text" if not f.codes:
            word = _word(f"{kind}.{f.name}")
            return word, (word,)
        case "integer":
            return "1", ()
        case "boolean":
            return "yes", ()
    return f.codes[0], ()


READS = re.compile(
    r"\b(date_of_birth|ethnicity|legal_status|disability|sex|address|organisation|\w+_by|\w+_reason|\w+_name|\w+_number"
    r"|(worker|manager|staff|child|household|foster_parent|household_member)_id)\b"
)


def shipped_rules(folder: Path) -> Path:
    """Of the shipped rules those that speak of a personal field or of an id: the others have nothing to let out."""
    for pack in sorted((ROOT / "rules").glob("*/pack.yaml")):
        to = folder / pack.parent.name
        to.mkdir(parents=True)
        for path in sorted(pack.parent.glob("*.yaml")):
            if path == pack or READS.search(path.read_text(encoding="utf-8").partition("cases:")[0]):
                (to / path.name).write_bytes(path.read_bytes())
    return folder


def write_rules(folder: Path) -> Path:
    """A book of rules that each record of every kind breaks, and that show all there is; and some that look at linked records."""
    pack = folder / "planted"
    pack.mkdir(parents=True)
    (pack / "pack.yaml").write_text("pack: planted\ntitle: Made up\ncases_as_at: 2020-06-01\n", encoding="utf-8")
    rest = "put_right: {within: 28 days, by: nobody, workstream: none}\nremedy: None.\n"

    def write(id_: str, record: str, text: str) -> None:
        head = f"id: {id_}\ntitle: Made up\ncites: [FSR-20-3-info]\nrecord: {record}\nseverity: requirement\n"
        (pack / f"{id_}.yaml").write_text(head + text + rest, encoding="utf-8")

    for kind in planning.record_kinds().kinds.values():
        asked = [f"  {f.name} is empty: {f.name} is None" for f in kind.fields.values() if f.personal]
        conditions = "\n".join([f"  it has no key: {kind.key} is None", *asked])
        shown = ", ".join(kind.fields)
        write(f"all-of-{kind.name.replace('_', '-')}", kind.name, f"require:\n{conditions}\nshow: [{shown}]\n")
    write(
        "linked",
        "staff",
        "require:\n  none: latest(c for c in checks).certificate_number is None\n"
        "  nobody: latest(c for c in checks).staff_id is None\n"
        "  young: years(date_of_birth, as_at) < 1\n"
        "show: [manager.name, manager.staff_id]\n",
    )
    write(
        "eldest",
        "household",
        "require:\n  none: min(m.date_of_birth for m in members) is None\n"
        "  no gap: largest_gap(m.date_of_birth for m in members) < 0\nshow: [worker.name]\n",
    )
    write("induction-due", "staff", "deadline: {start: started_on, done: induction_completed_on, within: 6 months}\n")
    write("approval-due", "household", "deadline: {start: approved_on, done: approval_ended_on, within: 6 months}\n")
    return folder
