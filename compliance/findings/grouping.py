"""What findings are grouped by: regulation, standard, the inspection framework's areas, and whom a record belongs to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from compliance.model import Duty, Link, RecordKind, RecordKinds

BY = ("regulation", "standard", "judgement", "workstream", "subject", "rule", "team")
OF_RECORDS = ("subject", "team")
"""These are worked out from the records; the others hold for all findings of a rule."""

AREAS: Mapping[str, str] = {
    "experiences": "Overall experiences and progress of children and young people",
    "protection": "How well children and young people are helped and protected",
    "leadership": "The effectiveness of leaders and managers",
}
"""The three areas that an inspection judges."""

NO_REGULATION, NO_STANDARD, NO_TEAM = "no regulation", "no standard", "no team"
NOTHING = (NO_REGULATION, NO_STANDARD, NO_TEAM)

WORKERS = ("worker", "lead", "decision_maker")
"""Links of a record to the member of staff who answers for it."""
OWNERS = ("child", "household", "staff")
"""Whose file a record belongs to: the first of these that its links up lead to."""

_REGULATION = re.compile(r"\b(reg \d+[A-Z]?)\b")
_SCHEDULE = re.compile(r"\bSch(?:edule)? (\d+)\b")
_ACT = re.compile(r" section|;| \(")
_STANDARD = re.compile(r"\b(?:standard|NMS) (\d+)\b")


@dataclass(frozen=True)
class Grouping:
    """What people wrote about it: `rules/instruments/grouping.yaml`.

    Args:
      names: what an instrument is called where only the regulation or standard is named.
      schedules: by instrument, the regulation that gives a schedule force.
      judgements: the area that a workstream bears on; `otherwise`: that of the others.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    schedules: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    judgements: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = "leadership"

    def regulation(self, cites: Iterable[Duty]) -> str:
        """The regulation that a finding is about: the first that its rule cites, else that of the first schedule, else another Act."""
        law = [d for d in cites if d.layer == "statute"]
        for duty in law:
            if found := _REGULATION.search(duty.ref):
                return self._named(self._instrument(duty), found[1])
        for duty in law:
            if found := _SCHEDULE.search(duty.ref):
                schedule, instrument = f"Schedule {found[1]}", self._instrument(duty)
                return self._named(instrument, self.schedules.get(instrument, {}).get(schedule, schedule))
        return _ACT.split(law[0].ref)[0] if law else ""

    def _instrument(self, duty: Duty) -> str:
        """`FSR2011 Schedule 1 item 2` and `NMS 19.1` in another catalogue are of those instruments."""
        first = duty.ref.split()[0].lower()
        return next((n for n in self.names if first in (n, n.rstrip("0123456789"))), duty.instrument)

    def standard(self, cites: Iterable[Duty]) -> str:
        """The standard that a finding is about: the first that its rule cites; or none."""
        for duty in cites:
            if duty.layer == "standard" and (found := _STANDARD.search(duty.ref)):
                return self._named(self._instrument(duty), f"standard {found[1]}")
        return ""

    def area(self, own: str, workstream: str) -> str:
        """One of `AREAS`."""
        return own or self.judgements.get(workstream, self.otherwise)

    def _named(self, instrument: str, what: str) -> str:
        return f"{self.names.get(instrument, instrument)}, {what}"


def in_order(labels: Iterable[str]) -> list[str]:
    """As a person would list them: numbers by their size, the areas as the framework has them, what belongs nowhere last."""
    areas = list(AREAS.values())

    def place(label: str) -> tuple[bool, int, list[tuple[int, str]]]:
        parts = [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", label)]
        return (label in NOTHING, areas.index(label) if label in areas else -1, parts)

    return sorted(set(labels), key=place)


def ways_to_owners(
    kind: RecordKind, kinds: RecordKinds, followed: Mapping[str, Sequence[str]]
) -> list[tuple[str, tuple[Link, ...]]]:
    """How a record's links up lead to a child, a household or a member of staff, what counts first standing first.

    Args:
      followed: for each kind of the export, the links up that can be followed.

    An owner's own links lead nowhere: a placement belongs to its child, not to the worker of its household.
    """
    if kind.name in OWNERS:
        return [(kind.name, ())]
    found = list(_ways(kind, kinds, followed, ()))
    return [(owner, way) for owner in OWNERS for way in found if way[-1].to == owner]


def _ways(
    kind: RecordKind, kinds: RecordKinds, followed: Mapping[str, Sequence[str]], before: tuple[Link, ...]
) -> Iterator[tuple[Link, ...]]:
    onward = []
    for link in kind.links.values():
        if link.name not in followed.get(kind.name, ()) or any(link.to == b.kind for b in before):
            continue
        if link.to in OWNERS:
            yield (*before, link)
        elif link.to in kinds:
            onward.append(link)
    for link in onward:
        yield from _ways(kinds[link.to], kinds, followed, (*before, link))
