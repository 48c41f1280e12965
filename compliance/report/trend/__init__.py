"""An audit's trend, one file a format: each turns the same trend into text, and knows of no other."""

from collections.abc import Callable, Iterator, Mapping

from compliance.findings.trend import Trend
from compliance.report.trend import csv, json, table

FORMATS: Mapping[str, Callable[[Trend, int], Iterator[str]]] = {
    "table": table.write,
    "json": json.write,
    "csv": csv.write,
}
"""Each takes the trend and the width of the terminal, and gives the text piece by piece."""
