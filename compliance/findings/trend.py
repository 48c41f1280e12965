"""What became of every rule as at each of many days: a trend with no stored history. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from compliance.model import SEVERITIES, RuleResult, Severity, Tables


@dataclass(frozen=True)
class Trend:
    """The same dated records, looked at from many days.

    Args:
      as_at: the day up to which the export is looked at; the days are not later.
      results: for each day every rule, always in the same order.
    """

    as_at: date
    data: str
    days: tuple[date, ...]
    results: tuple[tuple[RuleResult, ...], ...]
    tables: Tables

    def findings(self, rule: int) -> list[int]:
        """How many findings a rule had on each day."""
        return [its[rule].breach + its[rule].not_evidenced for its in self.results]

    def by_severity(self, day: int, severity: Severity) -> int:
        """How many findings of a severity there were on a day."""
        return sum(r.breach + r.not_evidenced for r in self.results[day] if r.rule.severity == severity)

    def at_or_above(self, severity: Severity) -> int:
        """How many findings at least as serious there were on the last day."""
        serious = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return sum(self.by_severity(len(self.days) - 1, s) for s in serious)
