"""Which duties are answered, and by what: a rule, an attestation, reading, or nothing yet. Pure: counts what others have read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from compliance.model import OWED, Duty, Rule, RuleResult

By = Literal["rule", "partly", "attestation", "judgement", "none"]


@dataclass(frozen=True, slots=True)
class Answered:
    """A duty and what answers it.

    Args:
      by: `rule`: a rule decides it from records; `partly`: a part of it; `attestation`: a rule asks for a person's dated statement;
        `judgement`: an audit draws records to be read; `none`: nothing does.
      rules: ids of all rules that cite it and are in force with it, whatever `by` is.
      tested_on: how many records those rules were asked of, the largest number of each record kind; None without an export.
      not_run: those of the rules that could not run on the export.
      not_asked: of one that is answered partly, what none of its rules asks, as each of them says it.
    """

    duty: Duty
    by: By
    rules: tuple[str, ...]
    tested_on: int | None = None
    not_run: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """The duties of one instrument in numbers."""

    instrument: str
    duties: int
    rule: int
    partly: int
    attestation: int
    judgement: int
    unaccounted: int


@dataclass(frozen=True, slots=True)
class Unlock:
    """Something that the export lacks.

    Args:
      missing: a record kind, or a field as `kind.field`.
      rules: rules that could not run and lack it; `alone`: those of them that lack nothing else.
      duties: duties that these rules cite and that no rule was asked about.
    """

    missing: str
    rules: tuple[str, ...]
    alone: tuple[str, ...]
    duties: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """The whole, both ways.

    Args:
      as_at: the day whose law is counted; None: every version there ever was.
      duties: what can be fallen short of; `not_duties`: what allows, defines or sets a condition, counted nowhere.
      rules: each rule with the duties that it cites, of the instruments asked about.
      unlocks: what the export lacks, that which keeps most rules from running first; None without an export.
    """

    as_at: date | None
    duties: tuple[Answered, ...]
    not_duties: tuple[Duty, ...]
    rules: tuple[tuple[str, tuple[str, ...]], ...]
    unlocks: tuple[Unlock, ...] | None = None

    @property
    def instruments(self) -> tuple[Counted, ...]:
        """In numbers, by instrument."""
        return tuple(
            self._counted(name, [a for a in self.duties if a.duty.instrument == name])
            for name in dict.fromkeys(d.instrument for d in (*(a.duty for a in self.duties), *self.not_duties))
        )

    @property
    def total(self) -> Counted:
        """In numbers, all together."""
        return self._counted("all", self.duties)

    @staticmethod
    def _counted(name: str, its: Sequence[Answered]) -> Counted:
        n = {by: sum(a.by == by for a in its) for by in ("rule", "partly", "attestation", "judgement", "none")}
        return Counted(name, len(its), n["rule"], n["partly"], n["attestation"], n["judgement"], n["none"])


def in_force(from_on: date, to_on: date | None, as_at: date | None) -> bool:
    """Whether something holds on the day; always, if no day is asked about."""
    return as_at is None or (from_on <= as_at and (to_on is None or as_at <= to_on))


def coverage(
    duties: Iterable[Duty],
    rules: Iterable[Rule],
    reading: Mapping[str, str],
    as_at: date | None = None,
    instruments: Collection[str] = (),
    results: Sequence[RuleResult] | None = None,
) -> Coverage:
    """Counts.

    Args:
      reading: the record kind to be read for each duty that only reading can settle.
      instruments: only these; empty: all.
      results: what became of each rule on an export, for every item of a list apart.
    """
    all_rules = list(rules)
    citing: dict[str, list[Rule]] = {}
    for rule in all_rules:
        if in_force(rule.from_on, rule.to_on, as_at):
            for duty in rule.cites:
                citing.setdefault(duty.id, []).append(rule)
    asked = [d for d in duties if not instruments or d.instrument in instruments]
    there = [d for d in asked if in_force(d.from_on, d.to_on, as_at)]
    answered = tuple(_answered(d, citing.get(d.id, []), reading, results) for d in there if d.modality in OWED)
    names = {d.id for d in asked}
    both = [(r.id, tuple(d.id for d in r.cites if d.id in names)) for r in all_rules]
    return Coverage(
        as_at=as_at,
        duties=answered,
        not_duties=tuple(d for d in there if d.modality not in OWED),
        rules=tuple(sorted((r, cites) for r, cites in both if cites)),
        unlocks=None if results is None else _unlocks(answered, results),
    )


def _answered(
    duty: Duty, citing: list[Rule], reading: Mapping[str, str], results: Sequence[RuleResult] | None
) -> Answered:
    by: By = "none"
    match duty.checkable:
        case "judgement":
            by = "judgement" if duty.id in reading else "none"
        case "attestation" if any(r.cites_list for r in citing):
            by = "attestation"
        case _ if any(not r.cites_list for r in citing):
            by = "rule"
    deciding = [r for r in citing if not r.cites_list]
    not_asked: tuple[str, ...] = ()
    if by == "rule" and all(duty.id in dict(r.part_of) for r in deciding):
        by, not_asked = "partly", tuple(dict.fromkeys(dict(r.part_of)[duty.id] for r in deciding))
    ids = tuple(sorted(r.id for r in citing))
    if results is None:
        return Answered(duty, by, ids, not_asked=not_asked)
    its = [r for r in results if r.rule.id in ids and duty.id in r.rule.cites and not r.rule.own_policy]
    most: dict[str, int] = {}
    for result in its:
        most[result.rule.record] = max(most.get(result.rule.record, 0), result.checked)
    not_run = tuple(i for i in ids if any(r.rule.id == i and r.status in ("could not run", "failed") for r in its))
    return Answered(duty, by, ids, sum(most.values()), not_run, not_asked)


def _unlocks(answered: Iterable[Answered], results: Iterable[RuleResult]) -> tuple[Unlock, ...]:
    lacking = {r.rule.id: r.rule.lacking for r in results if r.status == "could not run"}
    untested = [a for a in answered if a.rules and all(i in a.not_run for i in a.rules)]
    found = []
    for missing in dict.fromkeys(name for names in lacking.values() for name in names):
        rules = tuple(sorted(i for i, names in lacking.items() if missing in names))
        alone = tuple(i for i in rules if len(lacking[i]) == 1)
        found.append(Unlock(missing, rules, alone, tuple(a.duty.id for a in untested if set(a.rules) & set(rules))))
    return tuple(sorted(found, key=lambda u: (-len(u.alone), -len(u.rules), u.missing)))
