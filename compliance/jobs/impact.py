"""What a change of rules or of figures changes: one export audited by the old and by the new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compliance.engine import clearing, impact
from compliance.engine.outcomes import Ordered, run
from compliance.findings.impact import Impact
from compliance.jobs import planning
from compliance.jobs.asked import Timings
from compliance.jobs.opening import opened
from compliance.model import RAN
from compliance.sql.impact import AFTER, BEFORE

if TYPE_CHECKING:
    from compliance.jobs.asked import Asked
    from compliance.jobs.opening import Opened


def compared(before: Asked, after: Asked) -> Impact:
    """Audits the export of `after` by the rules and figures of both.

    Raises:
      ComplianceError: the rules, the mapping or the export cannot be used.
    """
    with opened(after.export, after.as_at, Timings()) as export:
        there = clearing.names(export.con)
        was = _kept(export, before, BEFORE)
        clearing.drop_all_but(export.con, there | {BEFORE})
        now = _kept(export, after, AFTER)
        changed = impact.changes(export.con)
    return Impact(after.as_at, after.export.name, changed, tuple(sorted(was - now)), tuple(sorted(now - was)))


def _kept(export: Opened, asked: Asked, table: str) -> set[str]:
    """The rules that ran; what they say of each record is put aside."""
    prepared = planning.plan(export.kinds, export.tables, asked)
    ordered = Ordered(keep_answers=True)
    audited, results = run(export.con, prepared, asked.as_at, export.tables.sources, asked.export.threads, ordered)
    impact.keep(audited, results, table)
    return {r.rule.id for r in results if r.status in RAN}
