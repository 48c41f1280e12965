"""A forecast: what falls due."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from compliance.engine import arranging, foresee
from compliance.findings.forecast import Forecast
from compliance.findings.law import looked_at
from compliance.jobs import planning
from compliance.jobs.asked import Asked, Timings
from compliance.jobs.opening import Opened, opened


@contextmanager
def forecast(asked: Asked, days: int, timings: Timings | None = None) -> Iterator[Forecast]:
    """What falls due from the as-at date on, for so many days; it can be read inside the `with` only.

    Raises:
      ComplianceError: the rules, the mapping or the export cannot be used.
    """
    timings = timings or Timings()
    with opened(asked.export, asked.as_at, timings) as export:
        yield due_in(export, asked, days, timings)
        timings.mark("report")


def due_in(export: Opened, asked: Asked, days: int, timings: Timings) -> Forecast:
    """What falls due by an opened export; it can be read while that is open, and keeps its tables.

    Raises:
      ComplianceError: the rules cannot be used.
    """
    con, tables, as_at = export.con, export.tables, asked.as_at
    prepared = planning.plan(export.kinds, tables, asked, days=days)
    timings.mark("load rules and compile")
    answering = list(arranging.answering(prepared.rules, export.kinds, tables.tables, as_at))
    kept = frozenset(tables.tables)
    rules = foresee.foresee(con, prepared.plan, prepared.rules, as_at, answering, kept, asked.export.threads)
    timings.mark("run")
    return Forecast(
        as_at=as_at,
        days=days,
        data=asked.export.name,
        rules=rules,
        tables=replace(tables.read_by(prepared.readers), remarks=(*tables.remarks, *looked_at(prepared.law, as_at))),
        due=lambda: foresee.due(con, prepared.plan, prepared.rules),
    )
