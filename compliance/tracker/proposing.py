"""From an audit's findings to actions: one for each cause and team, in the workstream that answers for it. Pure.

A cause is what findings have in common: their rule, the item of a list that they are about, their outcome, and the conditions that failed.
What an action answers already is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from typing import Literal

from compliance.tracker import life
from compliance.tracker.events import Draft
from compliance.tracker.model import LIVE, Action, Plan, Workstream, when
from compliance.tracker.plain import plain
from compliance.tracker.state import State, Tracked

UNASSIGNED = Workstream("unassigned", "Not yet given to a workstream")
SEVERITIES = ("requirement", "recommendation", "advice")
TAKES_MORE = ("proposed", *LIVE)
"""An action in these takes further findings of its cause in."""
LONGEST = 3900

Became = Literal["new", "grown", "named", "rejected earlier"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding, as far as an action needs it.

    Args:
      part: the item of a list that it is about; empty: none.
      requirement: the regulation or standard under which an inspector would put it; empty: none.
      team: empty where the audit was not made by team.
      accepted: a waiver that is in force accepts the risk.
      standing: open, late or past; `title`, `remedy`: what it is called and what puts it right.
      about: the record and whose file it is in, as `Action.about` has it; no name.
    """

    fingerprint: str
    rule: str
    part: str
    outcome: str
    failed: tuple[str, ...]
    severity: str
    record: str
    cites: tuple[str, ...]
    workstream: str
    requirement: str
    team: str
    accepted: bool = False
    standing: str = "open"
    title: str = ""
    remedy: str = ""
    about: str = ""

    @property
    def cause(self) -> tuple[str, ...]:
        """What it has in common with the others that one action puts right."""
        # What is open is named as it was before there were standings: plans have causes written down.
        came_to = self.outcome if self.standing == "open" else f"{self.outcome}, {self.standing}"
        return self.rule, self.part, came_to, "\n".join(self.failed), self.team


@dataclass(frozen=True, slots=True)
class PutRight:
    """By whom and when the findings of a rule are to be put right."""

    by: str
    on: date


@dataclass(frozen=True)
class Audited:
    """An audit, with what actions are made of."""

    audit: life.Audit
    findings: tuple[Finding, ...]
    rules: Mapping[str, PutRight]


@dataclass(frozen=True)
class Proposal:
    """An action to be added, or one that takes further findings in.

    Args:
      became: `named`: it says now whom it is about, which plans did not always keep; `rejected earlier`: nothing is added, for it was
        rejected, and nothing has come to it since.
      findings: those that are new to the plan's actions; of one that is named, those whose records it did not name; of a rejected one,
        those that stay so.
      why: what a person should know of it.
    """

    became: Became
    workstream: Workstream
    action: Action
    findings: tuple[Finding, ...]
    cause: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True)
class Proposed:
    """All that comes of an audit.

    Args:
      covered: how many findings the plan's actions answer already, by action.
      accepted: how many have no action, for their risk is accepted.
    """

    proposals: tuple[Proposal, ...]
    covered: Mapping[str, int]
    accepted: int = 0


def propose(state: State, audited: Audited) -> Proposed:
    """What is to be done for what an audit found, and no action has yet."""
    answered = {a: t for t in reversed(state.actions.values()) if t.status != "rejected" for a in t.action.answers}
    covered: dict[str, int] = {}
    accepted = 0
    unnamed: dict[str, list[Finding]] = {}
    causes: dict[tuple[str, ...], list[Finding]] = {}
    rest: dict[tuple[str, ...], list[Finding]] = {}
    for f in audited.findings:
        causes.setdefault(f.cause, []).append(f)
        by = next((answered[a] for a in (f.fingerprint, f.rule, *f.cites) if a in answered), None)
        if by is None and f.accepted:
            accepted += 1
        elif by is None:
            rest.setdefault(f.cause, []).append(f)
        else:
            covered[by.action.id] = covered.get(by.action.id, 0) + 1
            if by.status in TAKES_MORE and f.fingerprint in by.action.answers and f.about not in by.action.about:
                unnamed.setdefault(by.action.id, []).append(f)
    places = {w.id: i for i, w in enumerate(state.plan.workstreams)}
    at = {cause: place(state.plan, its[0]) for cause, its in rest.items()}
    order = sorted(
        rest,
        key=lambda c: (places.get(at[c].id, len(places)), SEVERITIES.index(rest[c][0].severity), *c),
    )
    ids = {w.id: _free(state, w.id) for w in (*state.plan.workstreams, UNASSIGNED)}
    made = []
    for cause in order:
        its, every, right = rest[cause], causes[cause], audited.rules[cause[0]]
        of = [t for t in state.actions.values() if t.cause == cause]
        taking = next((t for t in of if t.status in TAKES_MORE), None)
        rejected = [t for t in of if t.status == "rejected"]
        if taking is not None:
            made.append(_grown(state, taking, its, unnamed.pop(taking.action.id, ())))
            continue
        judged = {a for t in rejected for a in t.action.answers}
        if rejected and judged.issuperset(f.fingerprint for f in its):
            last = rejected[-1]
            its_workstream = _workstream(state, last.workstream)
            made.append(Proposal("rejected earlier", its_workstream, last.action, tuple(its), cause, last.rejected_why))
            continue
        why = (
            f"{rejected[-1].action.id} was rejected ({rejected[-1].rejected_why}); more is found now"
            if rejected
            else ""
        )
        where = at[cause]
        action = Action(
            next(ids[where.id]),
            text(its[0], len(its)),
            right.by,
            due=when(right.on.isoformat()),
            status="proposed",
            answers=tuple(f.fingerprint for f in its),
            about=_about(its),
            note=_note(its, every),
        )
        made.append(Proposal("new", where, action, tuple(its), cause, why))
    made += [_named(state, state.actions[name], its) for name, its in unnamed.items()]
    return Proposed(tuple(made), covered, accepted)


def drafts(state: State, proposed: Proposed) -> Iterator[Draft]:
    """The events that make it so."""
    known = {w.id for w in state.plan.workstreams}
    for p in proposed.proposals:
        if p.became == "grown":
            grown = {"text": p.action.text, "answers": list(p.action.answers), "about": list(p.action.about)}
            yield life.update(state, p.action.id, grown, p.why)
        elif p.became == "named":
            yield life.update(state, p.action.id, {"about": list(p.action.about)}, p.why)
        elif p.became == "new":
            body = {"workstream": p.workstream.id, "action": plain(p.action), "cause": list(p.cause)}
            if p.workstream.id not in known:
                known.add(p.workstream.id)
                body["workstream_added"] = plain(p.workstream)
            yield Draft("action added", p.action.id, body, p.why)


NOUNS = {
    "child": ("child", "children"),
    "household": ("household", "households"),
    "staff": ("member of staff", "members of staff"),
}
"""What records of these kinds are counted as; of other kinds, records are."""


def text(first: Finding, n: int, nouns: Mapping[str, tuple[str, str]] = NOUNS) -> str:
    """What is to be done, and for how many records of which team.

    Args:
      first: of the findings of one cause, any.
      n: how many there are.
      nouns: what records of a kind are counted as, one and several.
    """
    part = f" ({first.part})" if first.part else ""
    team = f" of {first.team}" if first.team else ""
    kind = first.record.replace("_", " ")
    one, more = nouns.get(first.record, (f"{kind} record", f"{kind} records"))
    said = f"{first.remedy} {first.title}{part}: {n:,} {one if n == 1 else more}{team}."
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"


def _about(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f.about for f in findings))


def _note(its: Sequence[Finding], every: Sequence[Finding]) -> str:
    first = its[0]
    asked = "Expected" if first.outcome == "breach" else "Expected, and not shown"
    said = f"{asked}: {'; '.join(first.failed)}." if first.failed else ""
    if len(every) > len(its):
        n = len(every) - len(its)
        said += f" {n:,} more of the same {'is' if n == 1 else 'are'} answered by other actions."
    return said.strip()[:LONGEST]


def _grown(state: State, taking: Tracked, its: Sequence[Finding], unnamed: Sequence[Finding]) -> Proposal:
    """An action with further findings; its text only where nobody has written another.

    Args:
      unnamed: findings that it answers already and whose records it does not name.
    """
    was = taking.action
    answers = (*was.answers, *(f.fingerprint for f in its))
    # Plans of earlier versions count records of every kind as records.
    untouched = was.text in (text(its[0], len(was.answers), nouns) for nouns in (NOUNS, {}))
    n = len(its)
    why = f"the audit found {n:,} more of the same cause"
    action = replace(
        was,
        text=text(its[0], len(answers)) if untouched else was.text,
        answers=answers,
        about=tuple(dict.fromkeys((*was.about, *_about(unnamed), *_about(its)))),
    )
    return Proposal("grown", _workstream(state, taking.workstream), action, tuple(its), taking.cause, why)


def _named(state: State, tracked: Tracked, its: Sequence[Finding]) -> Proposal:
    action = replace(tracked.action, about=(*tracked.action.about, *_about(its)))
    why = "it says now whom it is about"
    return Proposal("named", _workstream(state, tracked.workstream), action, tuple(its), tracked.cause, why)


def _workstream(state: State, name: str) -> Workstream:
    return next(w for w in state.plan.workstreams if w.id == name)


def _free(state: State, workstream: str) -> Iterator[str]:
    """WS3-a1 and so on, those never given."""
    return (name for n in count(1) if (name := f"{workstream}-a{n}") not in state.actions)


# --- which workstream ---

_LAW = re.compile(r"(?P<instrument>.+), (?P<kind>reg|standard) (?P<number>\d+[A-Z]?)")
BARE = {"reg": "Fostering Regulations 2011", "standard": "Minimum Standards 2011"}
"""The instruments that a plan means where it gives a number alone."""


def place(plan: Plan, finding: Finding) -> Workstream:
    """The workstream that takes what the rule names; else the first that covers the regulation or standard; else none of the plan's."""
    for w in plan.workstreams:
        if finding.workstream in w.takes:
            return w
    for w in plan.workstreams:
        its = [("reg", law) for law in w.regulations] + [("standard", law) for law in w.standards]
        if any(_covers(kind, law, finding.requirement) for kind, law in its):
            return w
    return UNASSIGNED


def _covers(kind: str, written: str, requirement: str) -> bool:
    """Whether a regulation or standard as a plan writes it (`20`, `11(a)`, `3.1`, or in full) is that of a requirement."""
    if written == requirement:
        return True
    law = _LAW.fullmatch(requirement)
    bare = re.fullmatch(r"(?:(?:reg|standard) )?(\d+[A-Z]?)(?:[.(].*)?", written)
    return (
        law is not None
        and bare is not None
        and (law["instrument"], law["kind"], law["number"]) == (BARE[kind], kind, bare[1])
    )
