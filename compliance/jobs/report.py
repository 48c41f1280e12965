"""The whole report: KPIs, what falls due, and the audit, of an export that is read once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from compliance.jobs import audit, forecast, kpis
from compliance.jobs.asked import Asked, Timings
from compliance.jobs.opening import opened
from compliance.report.whole import Whole
from compliance.tracker.state import State


@contextmanager
def report(
    asked: Asked, options: audit.Options, days: int, plan: State | None = None, timings: Timings | None = None
) -> Iterator[Whole]:
    """Everything that can be said of an export; the audit can be read inside the `with` only.

    Args:
      days: how far the forecast looks ahead.
      plan: the improvement plan as it stands on the as-at date.

    Raises:
      ComplianceError: the rules, the mapping or the export cannot be used.
    """
    timings = timings or Timings()
    chosen = kpis.choose(asked, kpis.PLAIN)
    background = audit.read_background(asked, options)
    with opened(asked.export, asked.as_at, timings) as export:
        with export.cleared():
            measured = kpis.measured(export, asked, kpis.PLAIN, chosen, timings)
        with export.cleared():
            ahead = forecast.due_in(export, asked, days, timings).kept()
        with audit.report_on(export, asked, options, background, timings) as audited:
            yield Whole(asked.as_at, audited.data, audited, ahead, measured, plan)
            timings.mark("report")
