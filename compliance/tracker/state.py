"""What a plan's events add up to. Pure: the same events give the same state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from compliance.errors import ComplianceError
from compliance.tracker import plain
from compliance.tracker.events import MENDED, NOTHING_BEFORE, Event
from compliance.tracker.model import Action, Plan, Status, Workstream


@dataclass
class Tracked:
    """An action, and what happened to it.

    Args:
      workstream: the id of its workstream.
      version: the number of the last event about it; what a person has seen is told by it.
      since: the day since when it has its status; `changed` the day of its last change or comment.
      claimed_on: the day on which it was last said to be done.
      verified_by: the day of the audit that no longer found what it answers.
      reopened: how often an audit found it again.
      rejected_why: the reason that was given.
      cause: of one that was proposed for findings: their rule, part, outcome, failed conditions and team; empty: another.
      history: numbers of the events about it.
    """

    action: Action
    workstream: str
    version: int
    since: str
    changed: str
    claimed_on: str = ""
    verified_by: str = ""
    signed_off_on: str = ""
    reopened: int = 0
    rejected_why: str = ""
    proposed_on: str = ""
    cause: tuple[str, ...] = ()
    history: list[int] = field(default_factory=list)

    @property
    def status(self) -> Status:
        """Where it stands."""
        return self.action.status


@dataclass
class Raised:
    """A finding as the audits recorded in the plan have it.

    Args:
      since: the first of the audits, following on each other, that found it; `times` how many of them did.
      last: the last audit that found it.
      reached: the last audit that did not contradict it: it found it, or did not run its rule.
    """

    rule: str
    since: str
    times: int
    last: str
    reached: str


class Value(NamedTuple):
    """What a measure came to.

    Args:
      target: as it was then; `met`: whether the value meets it; None: that cannot be told from the two.
      source: where it comes from; empty: a person gave it.
    """

    on: str
    value: str
    target: str = ""
    met: bool | None = None
    source: str = ""


@dataclass
class State:
    """A plan after so many events.

    Args:
      broken: where their chain breaks first, in words, once somebody has looked; empty: it holds.
    """

    plan: Plan = field(default_factory=lambda: Plan("", ""))
    number: int = 0
    head: str = NOTHING_BEFORE
    actions: dict[str, Tracked] = field(default_factory=dict)
    findings: dict[str, Raised] = field(default_factory=dict)
    audits: list[str] = field(default_factory=list)
    pseudonyms: str = ""
    values: dict[str, list[Value]] = field(default_factory=dict)
    comments: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    broken: str = ""

    def in_order(self) -> Iterator[tuple[Workstream, list[Tracked]]]:
        """Every workstream with its actions as they stand, those of the plan first, then those added, in their order."""
        of: dict[str, list[Tracked]] = {w.id: [] for w in self.plan.workstreams}
        for tracked in self.actions.values():
            of[tracked.workstream].append(tracked)
        for workstream in self.plan.workstreams:
            yield workstream, of[workstream.id]

    def as_plan(self) -> Plan:
        """The plan with its actions as they stand."""
        workstreams = tuple(replace(w, actions=tuple(t.action for t in its)) for w, its in self.in_order())
        return replace(self.plan, workstreams=workstreams)


def fold(events: Iterable[Event], state: State | None = None) -> State:
    """The state after `events`, which follow on those of `state`.

    Raises:
      ComplianceError: one of them is none that this program writes.
    """
    state = state or State()
    # An action is made once, of its last words; made anew at each change, a long history would take twice as long.
    newest: dict[str, dict[str, Any]] = {}
    number = 0
    try:
        for e in events:
            number = e.number
            if e.kind == "action changed":
                _changed(state, e, newest.setdefault(e.subject, {}))
            else:
                _APPLY[e.kind](state, e)
            state.number, state.head = number, e.hash
        for name, its in newest.items():
            tracked = state.actions[name]
            tracked.action = replace(tracked.action, **{k: plain.field_of(k, v) for k, v in its.items()})
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ComplianceError(f"Event {number} of the plan does not say what such an event says. {MENDED}") from error
    return state


def _begun(state: State, e: Event) -> None:
    plan = plain.plan(e.body["plan"])
    state.plan = replace(plan, workstreams=tuple(replace(w, actions=()) for w in plan.workstreams))
    for workstream, action in plan.actions():
        _add(state, e, workstream.id, action)


def _add(state: State, e: Event, workstream: str, action: Action) -> None:
    claimed = e.on if action.status in ("completed", "verified", "signed off") else ""
    state.actions[action.id] = Tracked(
        action,
        workstream,
        e.number,
        since=e.on,
        changed=e.on,
        claimed_on=claimed,
        proposed_on=e.on if action.status == "proposed" else "",
        history=[e.number],
    )


def _added(state: State, e: Event) -> None:
    workstream = e.body.get("workstream_added")
    if workstream is not None:
        state.plan = replace(state.plan, workstreams=(*state.plan.workstreams, plain.workstream(workstream)))
    _add(state, e, e.body["workstream"], plain.action(e.body["action"]))
    state.actions[e.subject].cause = tuple(e.body.get("cause", ()))


def _changed(state: State, e: Event, newest: dict[str, Any]) -> None:
    """All but the action's own fields, of which the latest go to `newest`."""
    tracked = state.actions[e.subject]
    changes: Mapping[str, Mapping[str, Any]] = e.body["changes"]
    for name, c in changes.items():
        if name == "workstream":
            tracked.workstream = c["to"]
        else:
            newest[name] = c["to"]
    tracked.version, tracked.changed = e.number, e.on
    tracked.history.append(e.number)
    if "status" in changes:
        tracked.since = e.on
        match changes["status"]["to"]:
            case "completed":
                tracked.claimed_on, tracked.verified_by = e.on, ""
            case "verified":
                tracked.verified_by = e.body.get("audit", e.on)
            case "signed off":
                tracked.signed_off_on = e.on
            case "rejected":
                tracked.rejected_why = e.why
            case "open" | "in progress" if changes["status"]["from"] in ("completed", "verified", "signed off"):
                tracked.reopened += 1
                tracked.claimed_on = tracked.verified_by = tracked.signed_off_on = ""


def _commented(state: State, e: Event) -> None:
    state.comments.setdefault(e.subject, []).append((e.number, "".join(e.body["text"])))
    tracked = state.actions.get(e.subject)
    if tracked is not None:
        tracked.changed = e.on
        tracked.history.append(e.number)


def _audited(state: State, e: Event) -> None:
    found: Mapping[str, list[str]] = e.body["found"]
    before = state.audits[-1] if state.audits else ""
    silent = frozenset(e.body.get("did_not_run", ()))
    for r in state.findings.values():
        if r.reached == before and r.rule in silent:
            r.reached = e.on
    # A second audit as at the same day takes the place of the first: nothing was found once more.
    once_more = 0 if e.on == before else 1
    known = {}
    for rule, fingerprints in found.items():
        for f in fingerprints:
            old = state.findings.get(f)
            followed = old is not None and old.reached == before
            since, times = (old.since, old.times + once_more) if old is not None and followed else (e.on, 1)
            if f in e.body.get("restated", {}) and not followed:
                since, times = e.body["restated"][f]
            known[f] = Raised(rule, since, times, e.on, e.on)
    if not once_more:
        for f, r in state.findings.items():
            if r.last == e.on and f not in known and r.rule not in silent:
                r.last = r.reached = ""
    state.findings.update(known)
    state.pseudonyms = e.body.get("pseudonyms", "")
    if once_more:
        state.audits.append(e.on)


def _measured(state: State, e: Event) -> None:
    b = e.body
    made = Value(e.on, b["value"], b.get("target", ""), b.get("met"), b.get("source", ""))
    state.values.setdefault(e.subject, []).append(made)


def _plan_changed(state: State, e: Event) -> None:
    added = e.body.get("workstream_added")
    if added is not None:
        state.plan = replace(state.plan, workstreams=(*state.plan.workstreams, plain.workstream(added)))
    changes: Mapping[str, Mapping[str, Any]] = e.body["changes"]
    if e.subject:
        its = tuple(plain.workstream(_with(w, changes)) if w.id == e.subject else w for w in state.plan.workstreams)
        state.plan = replace(state.plan, workstreams=its)
    else:
        state.plan = plain.plan(_with(state.plan, changes))


def _with(part: Plan | Workstream, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A part of the plan as JSON data, changed; what became nothing is left out."""
    data = {**plain.plain(part), **{name: c["to"] for name, c in changes.items()}}
    return {k: v for k, v in data.items() if v is not None}


_APPLY = {
    "plan begun": _begun,
    "plan changed": _plan_changed,
    "action added": _added,
    "comment": _commented,
    "audit": _audited,
    "measure": _measured,
}


def day(text: str) -> date:
    """A day as events hold it."""
    return date.fromisoformat(text)
