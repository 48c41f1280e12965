"""Findings folded by what they have in common, first things first: what a reader sees before any single finding. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from compliance.findings.report import Report
from compliance.model import SEVERITIES, Finding, RuleInfo
from compliance.report.words import standing_text

SUBJECTS = 12
"""Records that a cause names; all are in the table."""
HEAPS = ("danger", "open", "late", "past")
"""How findings are heaped up, first things first."""


@dataclass
class Cause:
    """Findings of one rule for which the same conditions fail, of one outcome and standing; or of several rules, for one reason.

    Args:
      number: by which the table shows them alone.
      finding: the first of them.
      lacking: the record kind of which there is no record at all, where that is why; empty: it is not.
      subjects: the first records, with names where names are shown.
      answering: places of the actions that answer any of them.
      further: the numbers of the causes that are told with it; `rules`: of how many rules all of them are.
    """

    number: int
    finding: Finding
    lacking: str = ""
    breach: int = 0
    not_evidenced: int = 0
    restated: int = 0
    accepted: int = 0
    subjects: list[str] = field(default_factory=list)
    answering: set[int] = field(default_factory=set)
    further: tuple[int, ...] = ()
    rules: int = 1

    @property
    def n(self) -> int:
        """How many findings it has."""
        return self.breach + self.not_evidenced

    @property
    def rule(self) -> RuleInfo:
        """The rule that they fall short of; of several the first."""
        return self.finding.rule

    @property
    def numbers(self) -> str:
        """What the table is asked for."""
        return ",".join(str(n) for n in (self.number, *self.further))

    @property
    def title(self) -> str:
        """What it is called."""
        if self.lacking:
            return f"There is no {self.lacking.replace('_', ' ')} on record at all"
        return self.finding.title

    @property
    def heap(self) -> str:
        """Of `HEAPS`, the one that it belongs to."""
        return "danger" if self.finding.danger else self.finding.standing

    @property
    def standing(self) -> str:
        """Whether they are not evidenced, late or past; empty: a breach that is open."""
        return standing_text(self.finding._replace(danger=""))

    def count(self, f: Finding) -> None:
        """Counts one of its findings."""
        self.breach += f.outcome == "breach"
        self.not_evidenced += f.outcome == "not_evidenced"
        self.restated += f.restated is not None
        self.accepted += f.waiver is not None
        if len(self.subjects) < SUBJECTS:
            called_as = ", ".join(x for x in (f.name, f.rule.part) if x)
            self.subjects.append(f"{f.key} ({called_as})" if called_as else f.key)


class Subject(NamedTuple):
    """What a finding is about."""

    rule: str
    key: str
    part: str


class Causes:
    """Findings as they come, folded.

    Args:
      lacking: of each rule whose findings all come of there being no record of a kind, by its id, that kind.
      repeated: ids of the rules that others repeat.

    Attributes:
      folded: how many findings no cause counts, once there are heaps, for they repeat another.
    """

    def __init__(self, lacking: Mapping[str, str], repeated: frozenset[str]) -> None:
        self._lacking, self._repeated = lacking, repeated
        self._by_name: dict[tuple[str, ...], Cause] = {}
        self._found: set[Subject] = set()
        self._repeating: list[tuple[Cause, Finding]] = []
        self.folded = 0

    @classmethod
    def of(cls, report: Report) -> Causes:
        """Nothing yet, for the findings of an audit."""
        return cls(report.lacking, frozenset(id_ for r in report.parts for id_ in r.rule.repeats))

    def __iter__(self) -> Iterator[Cause]:
        """Each cause, by its number."""
        return iter(self._by_name.values())

    def add(self, f: Finding) -> Cause:
        """The cause of a finding, which counts it."""
        named = (f.rule.id, f.rule.own_policy, f.outcome, f.standing, f.danger, f.title, f.remedy, *f.failed)
        cause = self._by_name.get(named)
        if cause is None:
            cause = self._by_name[named] = Cause(len(self._by_name), f, self._lacking.get(f.rule.id, ""))
        if f.rule.id in self._repeated:
            self._found.add(Subject(f.rule.id, f.key, f.rule.part))
        if f.rule.repeats:
            # Whether what it repeats has a finding too is known at the end.
            self._repeating.append((cause, f))
        else:
            cause.count(f)
        return cause

    def heaps(self) -> dict[str, list[Cause]]:
        """By how they stand; in each by the day to put it right, then the most serious, then the most findings first.

        A finding that repeats another is not counted; the other stands for both.
        """
        for cause, f in self._repeating:
            if any(Subject(rule, f.key, f.rule.part) in self._found for rule in f.rule.repeats):
                self.folded += 1
            else:
                cause.count(f)
        self._repeating.clear()

        def order(c: Cause) -> tuple[date, int, int, int]:
            return c.finding.put_right_on, SEVERITIES.index(c.rule.severity), -c.n, c.number

        counted = [c for c in self if c.n]
        return {name: sorted(_together([c for c in counted if c.heap == name]), key=order) for name in HEAPS}


def _together(causes: Sequence[Cause]) -> Iterator[Cause]:
    """Those that come of the same lack as one."""
    by_kind: dict[str, list[Cause]] = {}
    for cause in causes:
        if cause.lacking:
            by_kind.setdefault(cause.lacking, []).append(cause)
        else:
            yield cause
    for its in by_kind.values():
        its.sort(key=lambda c: (SEVERITIES.index(c.rule.severity), c.finding.put_right_on, c.number))
        yield joined(its)


def joined(causes: Sequence[Cause]) -> Cause:
    """Several as one, that of the first."""
    return replace(
        causes[0],
        breach=sum(c.breach for c in causes),
        not_evidenced=sum(c.not_evidenced for c in causes),
        restated=sum(c.restated for c in causes),
        accepted=sum(c.accepted for c in causes),
        subjects=[s for c in causes for s in c.subjects][:SUBJECTS],
        answering={a for c in causes for a in c.answering},
        further=tuple(n for c in causes for n in (c.number, *c.further))[1:],
        rules=len({c.rule.id for c in causes}),
    )
