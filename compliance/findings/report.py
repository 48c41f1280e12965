"""The report of one audit: what every format is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from compliance.dates import english
from compliance.findings.previous import Previous
from compliance.findings.waivers import Judged
from compliance.model import (
    RAN,
    SEVERITIES,
    Finding,
    Group,
    Prompted,
    Quarantined,
    Reading,
    RuleResult,
    Severity,
    Tables,
    WrittenRule,
)

NAMED: Mapping[str, str] = {
    "ran": "ran",
    "looked at nothing": "looked_at_nothing",
    "could not run": "could_not_run",
    "not in force": "not_in_force",
    "switched off": "switched_off",
    "failed": "failed",
}


ENOUGH = 0.5
"""The share of the rules below which an audit says first that it is a small part of one."""


@dataclass(frozen=True)
class Report:
    """An audit's results. The findings may be many: they are read through, never held.

    Args:
      data: the export's name as the user gave it.
      findings: in the order in which they are told, see `engine.run`; each call reads them anew.
      quarantined: cells and rows that did not fit, by file and row.
      folded: the same, equal ones folded into one line each.
      by: what the findings are grouped by; empty: nothing, and there are no groups.
      seed: what the records to be read are drawn by; None: none are.
      prompts: duties that only reading can settle, with what was drawn for each, or why it is left out.
      readings: what was found by whoever read a record for such a duty: of each duty and record the newest.
      waivers: the risks that the agency has accepted, in the order of its file, and what each is worth.
      previous: how they compare with an earlier audit's, if one was given.
      baseline: that audit is the baseline, and so many findings of each severity are new and not accepted; None: there is no baseline.
      folder: the folder of the export's files, from the working directory on, with slashes; None: it is elsewhere.
      parts: what became of the rules, each item of a rule's list by itself; `rules` has them together.
      teams: of each finding, in the same order, the team that answers for it.
      written: what each rule asks, by its id.
      lacking: of each rule whose findings all come of there being no record of a kind at all, by its id, that kind.
    """

    as_at: date
    data: str
    rules: tuple[RuleResult, ...]
    tables: Tables
    findings: Callable[[], Iterator[Finding]]
    quarantined: Callable[[], Iterator[Quarantined]]
    folded: Callable[[], list[str]]
    by: str = ""
    groups: tuple[Group, ...] = ()
    previous: Previous | None = None
    waivers: tuple[Judged, ...] = ()
    seed: int | None = None
    prompts: Callable[[], list[Prompted]] = list
    baseline: Mapping[Severity, int] | None = None
    folder: str | None = None

    def path(self, file: str) -> str:
        """Where the file of a finding is, from the working directory on; empty: it is elsewhere."""
        return "" if self.folder is None else "/".join(x for x in (self.folder, self._files[file]) if x)

    @cached_property
    def _files(self) -> Mapping[str, str]:
        return {s.label: s.file for s in self.tables.sources}

    def muted(self, finding: Finding) -> bool:
        """Whether a finding is left out of what fails a run: it is accepted, or the baseline has it."""
        return finding.waiver is not None or (self.baseline is not None and finding.restated is not None)

    parts: tuple[RuleResult, ...] = ()
    readings: tuple[Reading, ...] = ()
    teams: Callable[[], list[str]] = list
    written: Callable[[], Mapping[str, WrittenRule]] = dict
    lacking: Mapping[str, str] = field(default_factory=dict)

    def n_findings(self, severity: Severity | None = None) -> int:
        """How many findings there are."""
        return sum(r.breach + r.not_evidenced for r in self.rules if severity in (None, r.rule.severity))

    @property
    def n_regulations(self) -> int:
        """Under how many regulations there are findings of which an inspector makes a requirement."""
        found = (r.rule for r in self.parts or self.rules if r.breach + r.not_evidenced)
        return len({rule.regulation for rule in found if rule.severity == "requirement" and rule.regulation})

    def n_accepted(self, severity: Severity | None = None) -> int:
        """How many of the findings are accepted for the time being; they are findings all the same."""
        its = (w.rule.severity for w in self.waivers if w.mutes and w.rule is not None)
        return sum(severity in (None, s) for s in its)

    def at_or_above(self, severity: Severity) -> int:
        """How many findings are at least as serious and can fail a run."""
        counted = self.baseline or {s: self.n_findings(s) - self.n_accepted(s) for s in SEVERITIES}
        return sum(counted[s] for s in SEVERITIES[: SEVERITIES.index(severity) + 1])

    def unmet(self) -> list[Reading]:
        """What readers found that is not met, or not evidenced."""
        return [r for r in self.readings if r.answer != "met"]

    def read_before(self) -> Mapping[tuple[str, str, str], Reading]:
        """What was found, by duty, record kind and key."""
        return {(r.duty, r.record, r.key): r for r in self.readings}

    def n_rules(self, status: str) -> int:
        """How many rules came to this."""
        return sum(r.status == status for r in self.rules)

    @property
    def could_run(self) -> int:
        """How many rules were asked, whether or not there was anything to look at."""
        return sum(r.status in RAN for r in self.rules)

    @property
    def reach(self) -> str:
        """What to know before anything else where most rules could not run, in a sentence; empty where they could."""
        unable = self.n_rules("could not run") + self.n_rules("failed")
        whole = self.could_run + unable
        if not unable or self.could_run >= ENOUGH * whole:
            return ""
        few = f"Only {self.could_run:,} of {whole:,} rules" if self.could_run else f"None of the {whole:,} rules"
        return (
            f"{few} that are asked of such an export could run: what the others ask is not answered here, and is no pass."
            f"{self._not_covered} compliance data check says what is lacking, and which lines of a mapping would free more."
        )

    @property
    def _not_covered(self) -> str:
        """From which days the export can be looked at, where the audit's is none of them."""
        spans = self.tables.covers.values()
        since, until = max((s for s, _ in spans), default=self.as_at), min((u for _, u in spans), default=self.as_at)
        if since <= self.as_at <= until or since > until:
            return ""
        return (
            f" The export holds what happened from {english(since)} to {english(until)}: ask as at a day of that time."
        )

    def summary(self) -> dict[str, object]:
        """The whole in numbers, as plain data."""
        ran = self.rules
        return {
            "records": {kind: table.rows for kind, table in sorted(self.tables.tables.items())},
            "rules": {name: self.n_rules(status) for status, name in NAMED.items()},
            "outcomes": {
                "compliant": sum(r.compliant for r in ran),
                "breach": sum(r.breach for r in ran),
                "not_evidenced": sum(r.not_evidenced for r in ran),
                "pending": sum(r.pending for r in ran),
                "not_applicable": sum(r.not_applicable for r in ran),
            },
            "findings": {s: self.n_findings(s) for s in SEVERITIES},
            "accepted": {s: self.n_accepted(s) for s in SEVERITIES},
            "newest": {n.record: n.on.isoformat() for n in self.tables.newest},
            "quarantined": self.tables.n_quarantined,
            "notes": [*self.tables.remarks, *self.tables.told],
        }
