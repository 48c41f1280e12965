"""CSV: one row a finding, for a spreadsheet. No cell can be taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from compliance.files.cells import safe
from compliance.findings.report import Report
from compliance.model import Finding
from compliance.report.words import printable, raw_evidence

HEADER = (
    "severity",
    "rule",
    "title",
    "citation",
    "layer",
    "record",
    "subject",
    "part",
    "outcome",
    "standing",
    "danger",
    "argument",
    "failed",
    "missing",
    "evidence",
    "due_on",
    "late",
    "put_right_on",
    "put_right_by",
    "remedy",
    "workstream",
    "file",
    "row",
    "group",
    "restated_since",
    "restated_times",
    "waiver",
    "waiver_until",
    "waiver_reason",
    "waiver_approved_by",
    "fingerprint",
)


def _row(f: Finding) -> list[str]:
    cells = [
        f.rule.severity,
        f.rule.id,
        f.title,
        "; ".join(f.refs),
        f.rule.layer,
        f.rule.record,
        f.key,
        f.rule.part,
        f.outcome,
        f.standing,
        f.danger,
        f.in_full,
        "; ".join(f.failed),
        "; ".join(f.missing),
        raw_evidence(f.evidence),
        f.due_on,
        f.late,
        f.put_right_on.isoformat(),
        f.rule.put_right.by,
        f.remedy,
        f.rule.put_right.workstream,
        f.file,
        str(f.row),
        f.group,
        f.restated.since if f.restated else "",
        str(f.restated.times) if f.restated else "",
        *((w.id, w.until.isoformat(), w.reason, w.approved_by) if (w := f.waiver) else ("",) * 4),
        f.fingerprint,
    ]
    return [safe(printable(c)) for c in cells]


def write(report: Report, width: int) -> Iterator[str]:
    """The findings, piece by piece."""
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(HEADER)
    for i, finding in enumerate(report.findings()):
        out.writerow(_row(finding))
        if i % 1000 == 999:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
