"""An improvement plan in plain data: what a plan file says, and what becomes of its actions. Imports nothing of the audit."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Status = Literal["proposed", "open", "in progress", "completed", "verified", "signed off", "rejected"]
STATUSES: tuple[Status, ...] = ("proposed", "open", "in progress", "completed", "verified", "signed off", "rejected")
"""In the order of an action's life; `rejected` ends it from `proposed`."""
LIVE: tuple[Status, ...] = ("open", "in progress")
"""Somebody is to do it."""
CLAIMED: tuple[Status, ...] = ("completed", "verified", "signed off")
"""Somebody says that it is done."""

MeasureKind = Literal["kpi", "rule", "count", "narrative"]
Cadence = Literal["weekly", "monthly", "six-weekly", "bi-monthly", "quarterly", "half-yearly", "yearly", "once"]
"""`bi-monthly` is kept as plans print it: it may mean twice a month or every two months, and only its author knows."""
DueKind = Literal["completion", "start", "launch"]
REGISTERED_MANAGER = "registered manager"


@dataclass(frozen=True, slots=True)
class When:
    """A day, a month, a year or a range of them, as it was written; `last` is the last day on which it is not late.

    Args:
      text: `2022-02-28`, `2022-02`, `2022`, or `2022-02 to 2022-03`.
    """

    text: str
    first: date
    last: date


def when(text: str) -> When:
    """`2022-02-28`, `2022-02`, `2022`, `2022-02 to 2022-03` -> When.

    Raises:
      ValueError: it is none of these; the message says what is expected.
    """
    parts = text.split(" to ")
    if len(parts) > 2:
        raise _no_time(text)
    spans = [_span(p.strip(), text) for p in parts]
    first, last = spans[0][0], spans[-1][1]
    if last < first:
        raise ValueError(f"'{text}' ends before it begins")
    return When(text, first, last)


def _span(part: str, whole: str) -> tuple[date, date]:
    try:
        if len(part) == 7 and part[4] == "-":
            first = date.fromisoformat(f"{part}-01")
            return first, first.replace(day=monthrange(first.year, first.month)[1])
        if len(part) == 10:
            return (day := date.fromisoformat(part)), day
        if len(part) == 4:
            return date.fromisoformat(f"{part}-01-01"), date.fromisoformat(f"{part}-12-31")
    except ValueError:
        pass
    raise _no_time(whole)


def _no_time(text: str) -> ValueError:
    return ValueError(
        f"'{text}' is no day, month, year or range; write 2022-02-28, 2022-02, 2022 or 2022-02 to 2022-03"
    )


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody is to do.

    Args:
      owner: a role.
      due_kind: what is due: that it is completed, begun or launched.
      answers: what it puts right: duty ids, rule ids, and fingerprints of findings.
      about: the records of the findings that it answers by their fingerprints, by kind and key (`tracker/about.py`); never names.
      evidence: what shows that it is done.
      every: how often it is to be done again, as written (`12 weeks`); empty: once.
      themes: of the plan's themes.
    """

    id: str
    text: str
    owner: str = ""
    start: When | None = None
    due: When | None = None
    due_kind: DueKind = "completion"
    status: Status = "open"
    answers: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    every: str = ""
    themes: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """How one sees that it has become better.

    Args:
      of: a KPI (`framework/code`), or a rule's id, whose rate of compliance is taken; empty for a count and a narrative.
      target: as written: `100 %`, `at least 80 %`, `more than last quarter`.
    """

    id: str
    text: str
    kind: MeasureKind = "narrative"
    of: str = ""
    target: str = ""
    cadence: Cadence | None = None


@dataclass(frozen=True, slots=True)
class Workstream:
    """A part of the plan.

    Args:
      title: as on the plan's page (Level One); `long_title` as in the list of actions (Level Two), where it differs.
      takes: workstreams that rules name in `put_right`, whose findings belong here.
      evidence: what its measures are seen by.
    """

    id: str
    title: str
    long_title: str = ""
    regulations: tuple[str, ...] = ()
    standards: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    measures: tuple[Measure, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Forum:
    """Where progress is told.

    Args:
      cadence: None: the plan does not say.
      escalate_after: an action that is overdue by more than so many days is brought here; None: none is.
    """

    name: str
    cadence: Cadence | None = None
    does: str = ""
    escalate_after: int | None = None


@dataclass(frozen=True, slots=True)
class Concern:
    """What the plan responds to, one by one.

    Args:
      kind: requirement, recommendation, weakness, as its author calls it.
      points: what it names in particular.
      progress: what somebody else has said of it, as they said it.
      workstreams: those that answer it.
    """

    id: str
    text: str
    kind: str = ""
    regulation: str = ""
    due: When | None = None
    restated: bool = False
    points: tuple[str, ...] = ()
    progress: str = ""
    workstreams: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """Something that an account says is completed.

    Args:
      actions: those that it speaks of.
    """

    text: str
    workstream: str = ""
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody said of the plan, or of what it answers, at one time; kept beside what the plan itself says, which may differ.

    Args:
      by: in which paper, or who.
    """

    dated: When
    by: str
    text: str = ""
    completed: tuple[Said, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Plan:
    """A whole plan, as its file has it.

    Args:
      due_soon, stalled_after: days.
      roles: roles beside the sponsors', each by what it does for the plan.
      dates: named days in its own life: completed, presented to whom, submitted.
    """

    id: str
    title: str
    sponsors: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    responds_to: str = ""
    overseen_by: tuple[str, ...] = ()
    period: When | None = None
    dates: Mapping[str, date] = field(default_factory=dict)
    regulations: tuple[str, ...] = ()
    standards: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    forums: tuple[Forum, ...] = ()
    concerns: tuple[Concern, ...] = ()
    accounts: tuple[Account, ...] = ()
    workstreams: tuple[Workstream, ...] = ()
    due_soon: int = 14
    stalled_after: int = 28
    note: str = ""

    def actions(self) -> Iterator[tuple[Workstream, Action]]:
        """Every action with its workstream, in the plan's order."""
        for workstream in self.workstreams:
            for action in workstream.actions:
                yield workstream, action
