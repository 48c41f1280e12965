"""The plan as an OSCAL plan of action and milestones (POA&M), for programs that read that.

An action is an item with a risk, whose remediation is a milestone; what it answers, and what the plan responds to, are observations.
Roles are parties; nobody's name goes out. The same events give the same document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid5

import compliance.report.plan.words as words
from compliance.tracker.events import Event
from compliance.tracker.model import CLAIMED, Action, Concern, Plan, Status, When, Workstream
from compliance.tracker.state import State, Tracked

VERSION = "1.2.3"
NAMESPACE = UUID("0d2c1f5e-6f0b-5d3a-9c1d-5b1f2f0a7e11")
"""Ours alone, so that the ids that come of it are the same in every export and nobody else's."""
PROPERTIES = "https://childrens-services-compliance.invalid/ns/oscal"
"""Names our properties; `.invalid` for no page is meant."""
RISK: dict[Status, str] = {
    "proposed": "open",
    "open": "open",
    "in progress": "remediating",
    # A claim closes nothing; an audit, or the registered manager's word, does.
    "completed": "remediating",
    "verified": "closed",
    "signed off": "closed",
    "rejected": "closed",
}
UNASSIGNED = "unassigned"


def write(state: State, events: Sequence[Event]) -> Iterator[str]:
    """The document."""
    yield words.dump({"plan-of-action-and-milestones": _Document(state, events).poam()})


def _line(text: str) -> str:
    return " ".join(text.split())


def _day(day: date, end: bool = False) -> str:
    return f"{day.isoformat()}T{'23:59:59' if end else '00:00:00'}Z"


def _properties(its: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "ns": PROPERTIES, "value": _line(value)} for name, value in its if _line(value)]


def _filled(**its: Any) -> dict[str, Any]:
    """Without what is empty, which OSCAL forbids; `_` stands for `-`."""
    return {k.replace("_", "-"): v for k, v in its.items() if v not in (None, "", [], {})}


class _Document:
    def __init__(self, state: State, events: Sequence[Event]) -> None:
        self.state, self.plan = state, state.plan
        self.events = events
        self.roles: dict[str, str] = {}

    def id(self, *what: str) -> str:
        return str(uuid5(NAMESPACE, "\n".join((self.plan.id, *what))))

    def role(self, title: str) -> str:
        """The id of a role, which it gets when it is first spoken of."""
        key = _line(title) or UNASSIGNED
        return self.roles.setdefault(key, f"role-{len(self.roles) + 1}")

    def poam(self) -> dict[str, Any]:
        tracked = [(w, t) for w, its in self.state.in_order() for t in its]
        risks = [self._risk(w, t) for w, t in tracked]
        observations = [*self._concerns(), *self._findings(t.action for _, t in tracked)]
        begun = self.events[0].at
        metadata = self._metadata(self.plan)
        return _filled(
            # What has changed is another document.
            uuid=self.id("document", self.state.head),
            metadata=metadata,
            system_id={"identifier-type": "http://ietf.org/rfc/rfc4122", "id": self.id("plan")},
            observations=[o | {"collected": o.get("collected", begun)} for o in observations],
            risks=risks,
            poam_items=[self._item(w, t) for w, t in tracked] or [self._nothing()],
        )

    def _nothing(self) -> dict[str, Any]:
        """OSCAL wants an item; a plan may have no action yet."""
        return {
            "uuid": self.id("item", ""),
            "title": "No action is planned yet",
            "description": "The plan has no action yet.",
        }

    def _metadata(self, plan: Plan) -> dict[str, Any]:
        responsible = [("sponsor", plan.sponsors), ("overseer", plan.overseen_by)]
        responsible += [(name, (role,)) for name, role in plan.roles.items()]
        of = [(_line(what), [self.id("party", _line(r)) for r in its]) for what, its in responsible if its]
        for _, its in responsible:
            for r in its:
                self.role(r)
        duties = {what: f"duty-{i}" for i, (what, _) in enumerate(of, 1)}
        roles = [{"id": i, "title": what} for what, i in duties.items()]
        roles += [{"id": i, "title": title} for title, i in self.roles.items()]
        parties = [{"uuid": self.id("party", r), "type": "person", "name": r} for r in self.roles]
        properties = [("plan", plan.id), ("responds-to", plan.responds_to)]
        properties += [("regulation", r) for r in plan.regulations] + [("standard", s) for s in plan.standards]
        properties += [("theme", t) for t in plan.themes]
        properties += [("forum", f"{f.name}: {f.cadence}" if f.cadence else f.name) for f in plan.forums]
        properties += [("date", f"{what}: {day.isoformat()}") for what, day in plan.dates.items()]
        return _filled(
            title=_line(plan.title),
            last_modified=self.events[-1].at,
            version=str(self.state.number),
            oscal_version=VERSION,
            props=_properties(properties),
            roles=roles,
            parties=parties,
            responsible_parties=[{"role-id": duties[what], "party-uuids": its} for what, its in of],
            remarks=plan.note,
        )

    def _concerns(self) -> list[dict[str, Any]]:
        return [self._concern(c) for c in self.plan.concerns]

    def _concern(self, c: Concern) -> dict[str, Any]:
        its = [("concern", c.id), ("kind", c.kind), ("regulation", c.regulation), ("progress", c.progress)]
        its += [("due", c.due.text if c.due else ""), ("restated", "yes" if c.restated else "")]
        its += [("workstream", w) for w in c.workstreams]
        return _filled(
            uuid=self.id("concern", c.id),
            title=_line(f"{c.kind.capitalize()} {c.id}"),
            description="\n\n".join([c.text, *(f"- {p}" for p in c.points)]),
            props=_properties(its),
            methods=["EXAMINE"],
            types=["historic"],
            remarks=c.note,
        )

    def _findings(self, actions: Iterable[Action]) -> list[dict[str, Any]]:
        """What actions answer: findings by their fingerprint, with what the plan's audits say of them; rules and duties by their id."""
        found = []
        for answer in dict.fromkeys(f for a in actions for f in a.answers):
            raised = self.state.findings.get(answer)
            if raised is None:
                its = [("answers", answer)]
                said = f"What an audit finds of {answer}"
            else:
                its = [("fingerprint", answer), ("rule", raised.rule), ("found-since", raised.since)]
                its += [("found-times", str(raised.times)), ("last-found", raised.last)]
                said = f"A finding of the rule {raised.rule}, found since {raised.since}"
            found.append(
                _filled(
                    uuid=self.id("answer", answer),
                    title=_line(answer),
                    description=said,
                    props=_properties(its),
                    methods=["TEST"],
                    types=["finding"],
                    collected=_day(date.fromisoformat(raised.last)) if raised and raised.last else None,
                )
            )
        return found

    def _related(self, w: Workstream, a: Action) -> list[dict[str, str]]:
        of = [self.id("answer", f) for f in a.answers]
        of += [self.id("concern", c.id) for c in self.plan.concerns if w.id in c.workstreams]
        return [{"observation-uuid": i} for i in of]

    def _about(self, w: Workstream, t: Tracked) -> list[dict[str, str]]:
        a = t.action
        its = [("action", a.id), ("workstream", w.id), ("status", a.status), ("start", a.start.text if a.start else "")]
        its += [("due", a.due.text if a.due else ""), ("due-kind", a.due_kind), ("every", a.every)]
        its += [("theme", x) for x in a.themes] + [("evidence", e) for e in a.evidence]
        return _properties([*its, ("reopened", str(t.reopened) if t.reopened else "")])

    def _risk(self, w: Workstream, t: Tracked) -> dict[str, Any]:
        a = t.action
        lifecycle = "recommendation" if a.status == "proposed" else "completed" if a.status in CLAIMED else "planned"
        title = _line(f"{a.id} {a.text}")
        owners = [a.owner] if a.owner else list(w.managers or w.leads)
        task = _filled(
            uuid=self.id("milestone", a.id),
            type="milestone",
            title=title,
            timing=_timing(a.start, a.due),
            responsible_roles=[
                {"role-id": self.role(o), "party-uuids": [self.id("party", _line(o))]} for o in dict.fromkeys(owners)
            ],
        )
        remediation = _filled(
            uuid=self.id("remediation", a.id),
            lifecycle=lifecycle,
            title=title,
            description=a.text,
            tasks=[task],
        )
        return _filled(
            uuid=self.id("risk", a.id),
            title=title,
            description=a.text,
            statement=self._statement(w),
            props=self._about(w, t),
            status=RISK[a.status],
            deadline=_day(a.due.last, end=True) if a.due else None,
            remediations=[remediation],
            risk_log={"entries": [self._entry(self.events[n - 1], t) for n in t.history]},
            related_observations=self._related(w, a),
        )

    def _statement(self, w: Workstream) -> str:
        its = [f"regulation {r}" for r in w.regulations] + [f"standard {s}" for s in w.standards]
        return f"{w.title}: {', '.join(its)}" if its else w.title

    def _entry(self, e: Event, t: Tracked) -> dict[str, Any]:
        changes = e.body.get("changes", {})
        said = [f"{name}: {_said(c['from'])} → {_said(c['to'])}" for name, c in changes.items()]
        said += [e.body["text"]] if "text" in e.body else []
        status = changes.get("status", {}).get("to")
        return _filled(
            uuid=self.id("event", str(e.number), t.action.id),
            title=_line(f"{e.number}. {e.kind}"),
            description="; ".join(said) or e.kind,
            start=_day(date.fromisoformat(e.on)),
            logged_by=[{"party-uuid": self.id("party", _line(e.role) or UNASSIGNED), "role-id": self.role(e.role)}],
            status_change=RISK.get(status),
            remarks=e.why,
        )

    def _item(self, w: Workstream, t: Tracked) -> dict[str, Any]:
        a = t.action
        return _filled(
            uuid=self.id("item", a.id),
            title=_line(f"{a.id} {a.text}"),
            description=a.text,
            props=[*self._about(w, t), *_properties(("about", subject) for subject in a.about)],
            related_observations=self._related(w, a),
            related_risks=[{"risk-uuid": self.id("risk", a.id)}],
            remarks=a.note,
        )


def _said(value: Any) -> str:
    if value in (None, "", []):
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _timing(start: When | None, due: When | None) -> dict[str, Any] | None:
    if due is None:
        return None
    first = start.first if start else due.first
    if first == due.last:
        return {"on-date": {"date": _day(due.last)}}
    return {"within-date-range": {"start": _day(first), "end": _day(due.last, end=True)}}
