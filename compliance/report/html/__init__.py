"""One HTML file that asks for nothing from outside: an audit, KPIs and what falls due, together or each alone; and a plan."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.findings.forecast import Forecast
from compliance.findings.report import Report
from compliance.kpis.kpi import KpiReport
from compliance.report.html import page
from compliance.report.whole import Whole


def of_audit(report: Report, width: int) -> Iterator[str]:
    """An audit alone."""
    return page.write(Whole(report.as_at, report.data, audit=report))


def of_kpis(report: KpiReport, width: int) -> Iterator[str]:
    """KPIs alone."""
    return page.write(Whole(report.day, report.data, kpis=report))


def of_forecast(ahead: Forecast, width: int) -> Iterator[str]:
    """What falls due, alone."""
    return page.write(Whole(ahead.as_at, ahead.data, ahead=ahead))
