"""What in the data could not be used as written, and what was read."""

from __future__ import annotations

from itertools import islice

from compliance.findings.report import Report
from compliance.report.xlsx.sheet import MOST_ROWS, Column, Sheet

QUARANTINED = (
    Column("File", 30),
    Column("Row", 8),
    Column("Record kind", 20),
    Column("Column", 24),
    Column("Value", 30),
    Column("What is wrong", 60),
)


def write(sheet: Sheet, report: Report) -> None:
    """Writes the sheet."""
    its = islice(report.quarantined(), MOST_ROWS)
    whole = "the whole row"
    sheet.table(QUARANTINED, ([q.file, q.row, q.record, q.column or whole, q.value, q.reason] for q in its))
    for note in (
        *report.tables.told,
        *(f"No {kind} records: {why}" for kind, why in sorted(report.tables.absent.items())),
    ):
        sheet.line(note)
