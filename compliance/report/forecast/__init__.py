"""A forecast told: one file a format."""

from collections.abc import Callable, Iterator, Mapping

from compliance.findings.forecast import Forecast
from compliance.report.forecast import csv, json, table


def _html(ahead: Forecast, width: int) -> Iterator[str]:
    """Its templates are only loaded for it."""
    from compliance.report.html import of_forecast

    return of_forecast(ahead, width)


def _xlsx(ahead: Forecast, width: int) -> Iterator[bytes]:
    """What writes workbooks is only loaded for it."""
    from compliance.report.xlsx import of_forecast

    return of_forecast(ahead, width)


def _ics(ahead: Forecast, width: int) -> Iterator[str]:
    """What writes calendars is only loaded for it."""
    from compliance.report.forecast import ics

    return ics.write(ahead, width)


FORMATS: Mapping[str, Callable[[Forecast, int], Iterator[str] | Iterator[bytes]]] = {
    "table": table.write,
    "json": json.write,
    "csv": csv.write,
    "html": _html,
    "xlsx": _xlsx,
    "ics": _ics,
}
"""Each takes the forecast and the width of the terminal, and gives the text, or a file's bytes, piece by piece."""
