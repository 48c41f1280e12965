"""An export as no system of ours writes it: the sample agency in twelve tables with other names, codes and dates, made from a seed.

Run as a script it writes one: `python tests/odd_export.py FOLDER`.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from compliance.records.reading import Workbook

AGENCY = Path(__file__).parent.parent / "fixtures" / "agency"
Table = list[dict[str, str]]

CALLED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "CB_Households.csv": (
        "Homes.csv",
        {
            "Household Ref": "Fostering Hhold No", "Kind": "Fostering Type", "Worker Ref": "SSW Emp No",
            "Applied Date": "Date of Application",
            "Approval Date": "Approved", "De-registration Date": "Deregistered", "End Reason": "Reason for Ending",
            "Local Authority": "LA area", "At A Distance": "At a distance?", "Agency Ref": "Service",
        },
    ),
    "CB_Carers.csv": (
        "Foster Carers.csv",
        {
            "Carer Ref": "CarerID", "Household Ref": "Fostering Hhold No", "Name": "Full Name", "Date Of Birth": "DOB",
            "Induction Standards Date": "TSD completed", "Approval Date": "Date Approved",
            "Approved Elsewhere": "Approved elsewhere before",
            "Portfolio Updated Date": "Portfolio last updated", "Inducted Date": "Inducted",
        },
    ),
    "CB_Children.csv": (
        "YP List.csv",
        {
            "Child Ref": "YP Ref", "Name": "Young Person", "Date Of Birth": "D.O.B.", "Sex": "Gender", "Ethnicity": "Ethnic Origin",
            "Responsible Authority": "Placing LA", "Legal Status": "Legal Status Code", "Looked After Date": "Became Looked After",
            "Disability": "Disabled",
        },
    ),
    "CB_Placements.csv": (
        "Stays.csv",
        {
            "Placement Ref": "Stay No", "Child Ref": "YP Ref", "Household Ref": "Home", "Start Date": "Date Placed",
            "Ended Date": "Placement End Date",
            "Kind": "Placement Type", "Out Of Area": "Out of Area?", "Planned": "Planned", "End Reason": "Reason Ended",
            "Information Given Date": "Information Given",
        },
    ),
    "CB_Visits.csv": (
        "SW Visits {year}.csv",
        {
            "Visit Ref": "Visit Number", "Child Ref": "Young Person Ref", "Placement Ref": "Stay No", "Planned Date": "Date Due",
            "Held Date": "Date of Visit", "Seen Alone": "Child seen alone?", "Recorded Date": "Written up", "Virtual": "Virtual Visit",
        },
    ),
    "CB_Carer_Supervision.csv": (
        "Carer Supervision.csv",
        {
            "Foster Supervision Ref": "No", "Household Ref": "Household Number", "Worker Ref": "Supervising Social Worker",
            "Held Date": "Date",
            "Unannounced": "Unannounced Visit", "Recorded Date": "Date Recorded", "Manager Signed Date": "Signed by Manager",
        },
    ),
    "HR_Export.xlsx/People": (
        "Workers.csv",
        {
            "Employee No": "Emp No", "Name": "Employee", "Date Of Birth": "Birth Date", "Person Type": "Employment Type",
            "Job Title": "Post",
            "Regulated Activity": "Regulated activity", "Social Worker": "Social Worker?", "Manager Ref": "Line Manager",
            "Start Date": "Date Joined",
            "Leaving Date": "Date Left", "Recruits": "Recruits staff", "Previously Employed": "Previously employed",
        },
    ),
    "HR_Export.xlsx/References": (
        "Staff Refs.csv",
        {
            "Reference Ref": "RefID", "Employee No": "Emp No", "Referee Name": "Referee", "Requested Date": "Date Requested",
            "Received Date": "Date Received", "Written": "Written?", "From Latest Employer": "Latest Employer?",
            "Telephone Verified Date": "Phone check date",
        },
    ),
    "HR_Export.xlsx/Checks": (
        "DBS and other checks.csv",
        {
            "Check Ref": "Check No", "Employee No": "Emp No", "Kind": "Type of Check", "Requested Date": "Applied for",
            "Completed Date": "Date of Check", "Result": "Outcome", "Level": "DBS Level", "Barred": "On barred list?",
            "Original Seen": "Original seen?",
        },
    ),
    "CB_LAC_Reviews.csv": (
        "LAC Reviews.csv",
        {
            "Child Review Ref": "Review ID", "Child Ref": "YP Ref", "Held Date": "Review Date", "Kind": "Review Type",
            "Child Took Part": "Child took part", "Minutes Date": "Minutes sent",
        },
    ),
    "CB_Review_of_approval.csv": (
        "Annual Reviews.csv",
        {
            "Carer Review Ref": "Annual Review No", "Household Ref": "Hhold", "Held Date": "Date of Review", "Kind": "Type",
            "Children Consulted": "Children consulted?", "Foster Parent Consulted": "Carer Consulted", "Outcome": "Outcome of review",
            "Report Written Date": "Report date",
        },
    ),
    "CB_Carer_Training.csv": (
        "Training Log.csv",
        {"Training Ref": "Line", "Carer Ref": "Foster Carer ID", "Course": "Course Title", "Completed Date": "Date Attended"},
    ),
}  # fmt: skip
"""For each table of the sample: the odd file, and what its columns are called there; others are left out."""

SAID: Mapping[str, Mapping[str, str]] = {
    "Fostering Type": {"M": "Mainstream", "C": "Connected Persons"},
    "Placement Type": {"short term": "Short-term", "long term": "Long-term", "parent and child": "P&C"},
    "Review Type": {"first": "Initial", "second": "2nd", "later": "Subsequent"},
    "Gender": {"F": "Female", "M": "Male"},
}
"""Cells of columns that are written in other words."""
SERIAL = ("Date of Visit", "Date Due", "Written up", "Date Attended")
"""Columns that lost the format of their dates."""


def _rows(table: str) -> Table:
    file, _, sheet = table.partition("/")
    if sheet:
        rows = [[c.lstrip("\x1f") for c in row] for row in Workbook(AGENCY / file).texts(sheet)]
    else:
        with (AGENCY / file).open(encoding="utf-8-sig", newline="") as lines:
            rows = [row for row in csv.reader(lines) if row]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:] if len(row) == len(rows[0])]


def _day(cell: str) -> date | None:
    for format_ in ("%d/%m/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(cell, format_).date()
        except ValueError:
            continue
    return None


def _cell(column: str, cell: str, format_: str) -> str:
    day = _day(cell)
    if day is not None:
        return str((day - date(1899, 12, 30)).days) if column in SERIAL else day.strftime(format_)
    return SAID.get(column, {}).get(cell, cell)


def write(folder: Path, seed: int = 13) -> dict[str, tuple[str, dict[str, str]]]:
    """Writes the export; gives for each of its files the table of the sample that it is, and the sample's name of each column."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, tuple[str, dict[str, str]]] = {}
    for table, (file, names) in CALLED.items():
        there = _rows(table)
        called = {k: v for k, v in names.items() if k in there[0]}
        order = list(called)
        chance.shuffle(order)
        formats = ["%d/%m/%Y", "%d-%b-%Y", "%Y-%m-%d"]
        format_ = chance.choice(formats) if file != "Annual Reviews.csv" else "%d/%m/%Y"
        rows = [[_cell(called[k], row[k], format_) for k in order] for row in there]
        parts = {file: rows}
        if "{year}" in file:
            years = [(_day(row["Held Date"]) or _day(row["Planned Date"]) or date(2021, 1, 1)).year for row in there]
            parts = {
                file.format(year=name): [r for r, y in zip(rows, years, strict=True) if (y >= 2021) is late]
                for name, late in (("to 2020", False), ("2021", True))
            }
        for part, its in parts.items():
            _write(folder / part, [called[k] for k in order], its, chance)
            made[part] = (table, {v: k for k, v in called.items()})
    return made


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], chance: random.Random) -> None:
    lines: list[Sequence[str]] = [header, *rows]
    if path.name in ("LAC Reviews.csv", "Homes.csv"):
        lines.append([f"Total: {len(rows)}", *[""] * (len(header) - 1)])
    if path.name == "Training Log.csv":
        lines.append(["Total", str(len(rows))])
    if path.name == "Annual Reviews.csv":
        lines = [["Annual reviews of carers, run on 20/09/2021", *[""] * (len(header) - 1)], [""] * len(header), *lines]
    delimiter, encoding = chance.choice([(",", "utf-8"), (";", "cp1252"), (",", "utf-8-sig")])
    with path.open("w", encoding=encoding, errors="replace", newline="") as out:
        csv.writer(out, delimiter=delimiter).writerows(lines)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
