"""Answers: what people filled into a workbook, kept beside the export that was audited."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from compliance.errors import ComplianceError
from compliance.files.locks import alone_in
from compliance.jobs.asked import Export
from compliance.jobs.opening import loaded
from compliance.records import answers as sheets
from compliance.records import held
from compliance.records.answers import Imported


def answers(workbook: Path, export: Export, last: date) -> Imported:
    """Keeps beside an export what people filled into a workbook of its audit.

    Args:
      last: the day of the import.

    Raises:
      ComplianceError: the workbook or the export cannot be used, with every cell that is wrong.
    """
    filled = sheets.read(workbook, last)
    data = export.data
    if data.is_file():
        raise ComplianceError(
            f"{data} is one file, beside which answers cannot be kept. Put it into a folder of its own, and audit that folder."
        )
    with alone_in(data), loaded(export) as read:

        def keys(kind: str) -> frozenset[str]:
            return held.keys(read.con, read.kinds[kind]) if kind in read.tables.tables else frozenset()

        return sheets.keep(workbook, filled, data, keys)
