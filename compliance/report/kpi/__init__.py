"""KPIs, one file a format: each turns the same report into text, and knows of no other."""

from collections.abc import Callable, Iterator, Mapping

from compliance.kpis.kpi import KpiReport
from compliance.report.kpi import csv, json, table


def _html(report: KpiReport, width: int) -> Iterator[str]:
    """Its templates are only loaded for it."""
    from compliance.report.html import of_kpis

    return of_kpis(report, width)


def _xlsx(report: KpiReport, width: int) -> Iterator[bytes]:
    """What writes workbooks is only loaded for it."""
    from compliance.report.xlsx import of_kpis

    return of_kpis(report, width)


FORMATS: Mapping[str, Callable[[KpiReport, int], Iterator[str] | Iterator[bytes]]] = {
    "table": table.write,
    "json": json.write,
    "csv": csv.write,
    "html": _html,
    "xlsx": _xlsx,
}
"""Each takes the report and the width of the terminal, and gives the text, or a file's bytes, piece by piece."""
