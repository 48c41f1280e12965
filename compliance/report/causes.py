"""Findings folded by what they have in common, first things first: what a reader sees before any single finding. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from compliance.model import SEVERITIES, Finding, RuleInfo
from compliance.report.words import standing_text

SUBJECTS = 12
"""Records that a cause names; all are in the table."""
HEAPS = ("danger", "open", "late", "past")
"""How findings are heaped up, first things first."""


@dataclass
class Cause:
    """Findings of one rule for which the same conditions fail, of one outcome and standing.

    Args:
      number: by which the table shows them alone.
      finding: the first of them.
      subjects: the first records, with names where names are shown.
      answering: places of the actions that answer any of them.
    """

    number: int
    finding: Finding
    breach: int = 0
    not_evidenced: int = 0
    restated: int = 0
    accepted: int = 0
    subjects: list[str] = field(default_factory=list)
    answering: set[int] = field(default_factory=set)

    @property
    def n(self) -> int:
        """How many findings it has."""
        return self.breach + self.not_evidenced

    @property
    def rule(self) -> RuleInfo:
        """The rule that they fall short of."""
        return self.finding.rule

    @property
    def heap(self) -> str:
        """Of `HEAPS`, the one that it belongs to."""
        return "danger" if self.finding.danger else self.finding.standing

    @property
    def standing(self) -> str:
        """Whether they are not evidenced, late or past; empty: a breach that is open."""
        return standing_text(self.finding._replace(danger=""))


class Causes:
    """Findings as they come, folded."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, ...], Cause] = {}

    def __iter__(self) -> Iterator[Cause]:
        """Each cause, by its number."""
        return iter(self._by_name.values())

    def add(self, f: Finding) -> Cause:
        """The cause of a finding, which counts it."""
        called = (f.rule.id, f.rule.own_policy, f.outcome, f.standing, f.danger, f.title, f.remedy)
        cause = self._by_name.setdefault((*called, *f.failed), Cause(len(self._by_name), f))
        cause.breach += f.outcome == "breach"
        cause.not_evidenced += f.outcome == "not_evidenced"
        cause.restated += f.restated is not None
        cause.accepted += f.waiver is not None
        if len(cause.subjects) < SUBJECTS:
            called_as = ", ".join(x for x in (f.name, f.rule.part) if x)
            cause.subjects.append(f"{f.key} ({called_as})" if called_as else f.key)
        return cause

    def heaps(self) -> dict[str, list[Cause]]:
        """By how they stand; in each by the day to put it right, then the most serious, then the most findings first."""

        def order(c: Cause) -> tuple[date, int, int, int]:
            return c.finding.put_right_on, SEVERITIES.index(c.rule.severity), -c.n, c.number

        return {name: sorted((c for c in self if c.heap == name), key=order) for name in HEAPS}
