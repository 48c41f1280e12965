"""Everything that is told of an agency as at one day: what a report over all of it is made from. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from compliance.findings.forecast import Forecast
from compliance.findings.report import Report
from compliance.kpis.kpi import KpiReport
from compliance.tracker.state import State


@dataclass(frozen=True)
class Whole:
    """The parts that were asked for; each may be told alone.

    Args:
      data: what the export is called; empty where only a plan is told.
      plan: as it stands on `as_at`.
    """

    as_at: date
    data: str
    audit: Report | None = None
    ahead: Forecast | None = None
    kpis: KpiReport | None = None
    plan: State | None = None

    @property
    def name(self) -> str:
        """What it is all about: the service by its name, where ids are not pseudonyms; else the export; or the plan alone."""
        its = [part.tables for part in (self.audit, self.ahead, self.kpis) if part is not None]
        service = next((t.named for t in its if not t.pseudonyms), "")
        return service or self.data or (self.plan.plan.title if self.plan is not None else "")

    @property
    def of(self) -> str:
        """The export, where the name does not say it; empty: it does."""
        return self.data if self.data != self.name else ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What whoever reads it must know, once."""
        its = [part.tables for part in (self.audit, self.ahead, self.kpis) if part is not None]
        broken = self.plan.broken if self.plan is not None else ""
        of_plan = [f"The plan is not as it was written: {broken}."] if broken else []
        return tuple(dict.fromkeys([*of_plan, *(r for tables in its for r in tables.remarks)]))

    @property
    def personal(self) -> bool:
        """Whether what is personal is shown."""
        return any(part is not None and part.tables.personal for part in (self.audit, self.ahead, self.kpis))
