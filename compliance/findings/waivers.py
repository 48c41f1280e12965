"""Accepted risks: of which finding, until when, and whether what each rested on is still so. Pure.

A finding that is accepted stays a finding, and a breach of law a breach: it is only left out of what fails a run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from compliance.dates import add_months
from compliance.errors import nearest
from compliance.model import RAN, Accepted, Finding, Outcome, RuleInfo, RuleResult

LONGEST_MONTHS = 12
"""How long a risk may be accepted at a time: whoever approves it looks at it again at least once a year."""
EXPIRING_DAYS = 28
State = Literal["in force", "expiring", "lapsed", "expired", "not begun", "no longer needed", "cannot be told"]
STATES: tuple[State, ...] = (
    "lapsed",
    "expired",
    "expiring",
    "in force",
    "not begun",
    "cannot be told",
    "no longer needed",
)
"""What asks for something to be done first."""
Wrong = tuple[int, str, str, str]
"""A waiver by its place in the file, the key of it that is wrong, what is wrong, and what would be right."""


@dataclass(frozen=True)
class Waiver:
    """A risk that somebody has accepted for a time.

    Args:
      finding: the fingerprint of the finding; empty: `rule`, `subject`, `part` and `own_policy` name it.
      subject: the key of the record; `part`: the item of a list, where the rule is asked once for each.
      own_policy: it is the finding by the agency's own, stricter figure.
      outcome: what was accepted: a breach, or that something is not evidenced.
      approved_by: a role.
      until: inclusive.
      rests_on: names and values of the evidence as it was; compared are these and no others.
      failed: the conditions that were not met; None: whichever are not.
    """

    id: str
    finding: str
    rule: str
    subject: str
    part: str
    own_policy: bool
    outcome: Outcome
    reason: str
    legal_basis: str
    approved_by: str
    from_on: date
    until: date
    rests_on: Mapping[str, object] = field(default_factory=dict)
    failed: tuple[str, ...] | None = None

    @property
    def accepted(self) -> Accepted:
        """What its finding says of it."""
        return Accepted(self.id, self.until, self.reason, self.approved_by)

    def runs_with(self, other: Waiver) -> bool:
        """Whether there is a day on which both are."""
        return self.from_on <= other.until and other.from_on <= self.until


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that is not what it was."""

    name: str
    was: object
    now: object


@dataclass(frozen=True)
class Judged:
    """What a waiver is worth on the day of an audit.

    Args:
      rule: of the finding; None: nobody can tell.
      found: whether the audit has the finding.
      why: of a waiver that is no longer needed, or of which nobody can tell; empty otherwise.
      outcome: what the finding is now.
      changes, further: why it has lapsed: facts that changed, and conditions that are not met besides those accepted.
    """

    waiver: Waiver
    state: State
    rule: RuleInfo | None
    fingerprint: str
    found: bool
    why: str = ""
    outcome: Outcome | None = None
    changes: tuple[Change, ...] = ()
    further: tuple[str, ...] = ()

    @property
    def mutes(self) -> bool:
        """Whether its finding is left out of what fails a run."""
        return self.state in ("in force", "expiring")


def too_long(from_on: date, until: date) -> str:
    """What is wrong with these days; empty: nothing."""
    if until < from_on:
        return f"it ends on {until}, before it begins on {from_on}"
    last = add_months(from_on, LONGEST_MONTHS)
    if until > last:
        return f"it runs from {from_on} until {until}; a risk is accepted for at most {LONGEST_MONTHS} months, until {last}"
    return ""


def place(waiver: Waiver, rules: Sequence[RuleInfo]) -> int:
    """The position of the rule that it names; -1: it names none, or one that is not asked in this way."""
    wanted = (waiver.rule, waiver.part, waiver.own_policy)
    its = (n for n, r in enumerate(rules) if (r.id, r.part, bool(r.own_policy)) == wanted)
    return next(its, -1)


def fingerprint(waiver: Waiver, rule: RuleInfo | None) -> str:
    """That of its finding; empty where nobody can tell."""
    return waiver.finding or (rule.fingerprint(waiver.subject) if rule is not None and waiver.rule else "")


def unknown_rules(waivers: Sequence[Waiver], ids: Collection[str]) -> Iterator[Wrong]:
    """Waivers of rules that there are not."""
    for n, w in enumerate(waivers):
        if w.rule and w.rule not in ids:
            yield n, "rule", f"there is no rule '{w.rule}'{nearest(w.rule, ids)}", ""


def mistakes(waivers: Sequence[Waiver], rules: Sequence[RuleInfo], of: Sequence[RuleInfo | None]) -> Iterator[Wrong]:
    """What cannot be meant, now that the rules are known.

    Args:
      of: the rule of each waiver, as far as it is known.
    """
    before: dict[object, list[Waiver]] = {}
    for n, (w, rule) in enumerate(zip(waivers, of, strict=True)):
        parts = [r.part for r in rules if r.id == w.rule and r.part]
        if parts and not w.part:
            listed = ", ".join(f"'{p}'" for p in dict.fromkeys(parts))
            yield n, "rule", f"rule '{w.rule}' is asked once for each of {listed}", "Say of which with part:"
        if rule is not None and w.rule and w.finding not in ("", rule.fingerprint(w.subject)):
            what = f"'{w.finding}' is not the finding of rule '{w.rule}' about '{w.subject}'"
            yield n, "finding", what, f"That would be '{rule.fingerprint(w.subject)}'; or leave out one of the two"
        if rule is not None and rule.layer == "statute" and not w.legal_basis:
            what = f"'{rule.id}' checks a requirement of law, and no legal_basis is given"
            yield n, "id", what, "Name what in law allows for the departure; without it the risk cannot be accepted"
        named = fingerprint(w, rule) or (w.rule, w.subject, w.part, w.own_policy)
        for other in before.setdefault(named, []):
            if w.runs_with(other):
                what = f"'{w.id}' and '{other.id}' accept the same finding on the same days"
                yield n, "id", what, f"End '{other.id}' with its until, or begin after {other.until}"
        before[named].append(w)


def gone(waiver: Waiver, result: RuleResult | None, became: str, silent: int) -> tuple[State, str]:
    """What there is to say of a waiver whose finding the audit does not have, and why.

    Args:
      result: what became of its rule; None: it was not asked, or only the fingerprint is known.
      became: what became of the finding; empty: it was not asked for.
      silent: how many rules did not run.
    """
    if became:
        return "no longer needed", became
    if not waiver.rule:
        nothing = "no finding has this fingerprint"
        if not silent:
            return "no longer needed", nothing
        rules = f"{silent:,} rule{'' if silent == 1 else 's'} did not run"
        return "cannot be told", f"{nothing}, and {rules}"
    if result is None:
        return "cannot be told", "its rule was not asked"
    if result.status not in RAN:
        return "cannot be told", f"{result.status}: {result.why}".rstrip(": ")
    of = f"of '{waiver.part}'" if waiver.part else "of the record as a whole"
    by = " by a figure of the agency's own" if waiver.own_policy else ""
    return "cannot be told", f"its rule was not asked {of}{by}"


def judged(
    waiver: Waiver, as_at: date, rule: RuleInfo | None, finding: Finding | None, without: tuple[State, str]
) -> Judged:
    """What a waiver is worth.

    Args:
      rule: as far as it is known.
      finding: if the audit has it.
      without: what `gone` says, if it has not.
    """
    known = rule, fingerprint(waiver, rule), finding is not None
    outcome = finding.outcome if finding is not None else None
    if as_at > waiver.until:
        return Judged(waiver, "expired", *known, outcome=outcome)
    if as_at < waiver.from_on:
        return Judged(waiver, "not begun", *known, outcome=outcome)
    if finding is None:
        return Judged(waiver, without[0], *known, without[1])
    changes, further = _changed(waiver, finding)
    if outcome != waiver.outcome or changes or further:
        return Judged(waiver, "lapsed", *known, "", outcome, changes, further)
    soon = waiver.until <= as_at + timedelta(days=EXPIRING_DAYS)
    return Judged(waiver, "expiring" if soon else "in force", *known, outcome=outcome)


def _changed(waiver: Waiver, finding: Finding) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    changes = tuple(
        Change(name, was, finding.evidence.get(name))
        for name, was in waiver.rests_on.items()
        if _plain(was) != _plain(finding.evidence.get(name))
    )
    further = () if waiver.failed is None else tuple(c for c in finding.failed if c not in waiver.failed)
    return changes, further


def _plain(value: object) -> object:
    """A value as it compares: a number that stands in a file without quotes is the text of the same digits."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case list():
            return [_plain(v) for v in value]
        case dict():
            return {k: _plain(v) for k, v in value.items()}
        case None:
            return None
    return str(value)
