"""A workbook to work in: an audit, KPIs and what falls due, together or each alone."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.findings.forecast import Forecast
from compliance.findings.report import Report
from compliance.kpis.kpi import KpiReport
from compliance.report.whole import Whole
from compliance.report.xlsx import book


def of_audit(report: Report, width: int) -> Iterator[bytes]:
    """An audit alone."""
    return book.write(Whole(report.as_at, report.data, audit=report))


def of_kpis(report: KpiReport, width: int) -> Iterator[bytes]:
    """KPIs alone."""
    return book.write(Whole(report.day, report.data, kpis=report))


def of_forecast(ahead: Forecast, width: int) -> Iterator[bytes]:
    """What falls due, alone."""
    return book.write(Whole(ahead.as_at, ahead.data, ahead=ahead))
