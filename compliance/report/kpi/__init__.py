"""KPIs, one file a format: each turns the same report into text, and knows of no other."""

from collections.abc import Callable, Iterator, Mapping

from compliance.kpi import KpiReport
from compliance.report.kpi import csv, json, table

FORMATS: Mapping[str, Callable[[KpiReport, int], Iterator[str]]] = {
    "table": table.write,
    "json": json.write,
    "csv": csv.write,
}
"""Each takes the report and the width of the terminal, and gives the text piece by piece."""
