"""KPIs as CSV: one row a KPI and period, for a spreadsheet. No cell can be taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import compliance.report.kpi.words as words
from compliance.files.cells import safe
from compliance.kpis.kpi import Indicator, KpiReport, Point
from compliance.report.words import printable

HEADER = (
    "framework", "code", "title", "area", "unit", "period", "from", "to", "value", "low", "high", "numerator",
    "denominator", "unknown", "origin", "why", "target_or_band", "status", "streak", "change",
)  # fmt: skip


def _row(i: Indicator, p: Point) -> list[str]:
    # The status is that of the period reported on; what it was before, an earlier report says.
    now = p is i.now
    cells = [
        i.framework.name,
        i.version.code,
        i.measure.title,
        i.measure.area,
        i.measure.unit,
        words.period(i, p),
        p.start.isoformat(),
        p.end.isoformat(),
        *("" if x is None else str(x) for x in (p.value, p.low, p.high, p.numerator, p.denominator)),
        str(p.unknown),
        p.origin,
        p.why,
        words.figure(i),
        words.status(i) if now else "",
        str(i.status.streak) if now else "",
    ]
    # A change below nought is a number, and no spreadsheet runs a number.
    return [*(safe(printable(c)) for c in cells), str(i.change) if now and i.change is not None else ""]


def write(report: KpiReport, width: int) -> Iterator[str]:
    """Every value of every KPI, oldest first."""
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(HEADER)
    out.writerows(_row(i, p) for i in report.indicators for p in i.points)
    yield buffer.getvalue()
