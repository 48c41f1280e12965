"""The cases behind a KPI: the records that count against the service in it, or may, argued like findings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from compliance.errors import ComplianceError
from compliance.findings.report import Report
from compliance.jobs import audit, kpis
from compliance.jobs.asked import Asked, Timings


@contextmanager
def cases(asked: Asked, options: kpis.Options, code: str, timings: Timings | None = None) -> Iterator[Report]:
    """The records of one KPI, as an audit of it alone.

    Raises:
      ComplianceError: there is no such KPI, it is not computed, or the export cannot be used.
    """
    chosen = kpis.choose(asked, replace(options, codes=(code,), history=None))
    measure = chosen.measures[0]
    if not measure.record:
        raise ComplianceError(f"{code} is reported, not computed from records: {measure.reported}")
    of_one = replace(asked, as_at=chosen.day, only=(measure.id,))
    with audit.audit(of_one, audit.Options(of_kpis=True), timings) as report:
        yield report
