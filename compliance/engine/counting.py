"""The engine at work on KPIs and trends: rules counted as at many days at once (I/O: the database)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from compliance.engine.calendar import add_calendar
from compliance.engine.sidebyside import execute_all, workers
from compliance.errors import ComplianceError
from compliance.sql import duckdb as dialect

if TYPE_CHECKING:
    from compliance.engine.database import Connection
    from compliance.sql.planned import Counted, CountPlan

Counts = tuple[int, tuple[int, ...]]
"""How many records there were, and how many each condition was true for."""


def count(con: Connection, plan: CountPlan, days: Sequence[date], threads: int = 0) -> dict[date, dict[int, Counts]]:
    """For each day and each rule, by its number, how many records there were and how many each condition was true for.

    The tables `t_<kind>` must be there, and stay.

    Args:
      days: each once.

    Raises:
      ComplianceError: there are more days than the engine looks from at once.
    """
    if len(days) > dialect.MOST_DAYS:
        raise ComplianceError(f"{len(days):,} days are too many to look from at once; at most {dialect.MOST_DAYS:,}.")
    if plan.calendar:
        add_calendar(con)
    con.execute(dialect.DAYS, {"days": list(days)})
    execute_all(con, plan.setup, workers(threads))
    counts: dict[date, dict[int, Counts]] = {day: {} for day in days}
    for asked in plan.counts:
        for day, number, its in _counts(con, asked, days):
            counts[day][number] = its
    return counts


def _counts(con: Connection, asked: Counted, days: Sequence[date]) -> Iterator[tuple[date, int, Counts]]:
    """The counts of one table: of each rule that is asked of it, by its number, on each day."""
    rows = con.execute(asked.statement).fetchall()
    by_place = {(row[0], row[1] if asked.by_item else 0): row[1 + asked.by_item :] for row in rows}
    first = 1
    for numbers, width in zip(asked.numbers, asked.widths, strict=True):
        for item, number in numbers:
            for day in days:
                row = by_place.get((day, item))
                yield day, number, (0, (0,) * width) if row is None else (row[0], row[first : first + width])
        first += width
