"""A forecast told: one file a format."""

from collections.abc import Callable, Iterator, Mapping

from compliance.forecast import Forecast
from compliance.report.forecast import csv, ics, json, table


def _html(ahead: Forecast, width: int) -> Iterator[str]:
    """Its templates are only loaded for it."""
    from compliance.report.html import of_forecast

    return of_forecast(ahead, width)


FORMATS: Mapping[str, Callable[[Forecast, int], Iterator[str]]] = {
    "table": table.write,
    "json": json.write,
    "csv": csv.write,
    "html": _html,
    "ics": ics.write,
}
"""Each takes the forecast and the width of the terminal, and gives the text piece by piece."""
