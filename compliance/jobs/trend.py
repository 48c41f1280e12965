"""A trend: what became of every rule as at each of many days, from the same dated records."""

from __future__ import annotations

from datetime import date

from compliance.compiler.prepare import prepare_trend
from compliance.dates import ends_between
from compliance.engine import counting
from compliance.findings.results import result_of, together
from compliance.findings.trend import Trend
from compliance.jobs.asked import Asked, Timings
from compliance.jobs.opening import opened
from compliance.model import Frequency


def trend(asked: Asked, first: date, last: date, every: Frequency, timings: Timings | None = None) -> Trend:
    """What became of every rule at each period's end from `first` to `last`.

    Raises:
      ComplianceError: the rules, the mapping or the export cannot be used, or there are too many days.
    """
    timings = timings or Timings()
    days = ends_between(first, last, every)
    book = asked.book
    timings.mark("load rules")
    with opened(asked.export, last, timings) as export:
        tables = export.tables
        prepared = prepare_trend(book.chosen(asked.only), export.kinds, book.figures, tables, days[0], days[-1])
        timings.mark("compile")
        by_day = counting.count(export.con, prepared.plan, days, asked.export.threads)
        timings.mark("count")
    results = [together(result_of(rule, by_day[day].get(n)) for n, rule in enumerate(prepared.rules)) for day in days]
    return Trend(asked.as_at, asked.export.name, tuple(days), tuple(results), tables)
