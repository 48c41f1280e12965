"""CSV: one row for each duty that falls due, for a spreadsheet. No cell can be taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from compliance.files.cells import safe
from compliance.findings.forecast import DueItem, Forecast
from compliance.report.words import printable

HEADER = (
    "responsible_staff",
    "responsible_role",
    "week",
    "due_on",
    "days_left",
    "what",
    "record",
    "subject",
    "part",
    "since",
    "limit",
    "certain",
    "rule",
    "title",
    "citation",
    "layer",
    "severity",
    "own_policy",
    "workstream",
    "fingerprint",
)


def _row(d: DueItem, f: Forecast) -> list[str]:
    cells = [
        d.staff,
        d.role,
        d.week.isoformat(),
        d.due_on.isoformat(),
        str((d.due_on - f.as_at).days),
        d.what,
        d.rule.record,
        d.key,
        d.rule.part,
        d.since.isoformat() if d.since else "",
        d.limit,
        "yes" if d.certain else "no",
        d.rule.id,
        d.rule.title,
        "; ".join(d.rule.refs),
        d.rule.layer,
        d.rule.severity,
        d.rule.own_policy,
        d.rule.put_right.workstream,
        d.fingerprint,
    ]
    return [safe(printable(c)) for c in cells]


def write(f: Forecast, width: int) -> Iterator[str]:
    """What falls due, piece by piece."""
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(HEADER)
    for i, d in enumerate(f.due()):
        out.writerow(_row(d, f))
        if i % 1000 == 999:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
