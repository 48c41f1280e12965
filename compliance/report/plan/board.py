"""The board's quarterly page: how each workstream stands, what the plan answers, measures, and what is brought to the board."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

from compliance.dates import english
from compliance.report.plan import numbers, page, words
from compliance.report.plan.measures import MET, trend
from compliance.tracker import life
from compliance.tracker.due import Standing, standing
from compliance.tracker.events import Event
from compliance.tracker.history import CHANGE_KINDS, changes
from compliance.tracker.model import CLAIMED, LIVE, Concern, Measure
from compliance.tracker.state import State, Tracked, Value

Said = Mapping[str, Any]
Stands = Literal[
    "off track", "at risk", "on track", "done", "to be verified", "to be accepted", "no dates", "no actions"
]
MEANS: Mapping[Stands, tuple[str, str]] = {
    "off track": ("■", "an action is overdue, or answers what audits found again"),
    "at risk": ("▲", "an action stalls, was opened again, or is closed without evidence"),
    "on track": ("●", "none of these, and what is to be done has a day"),
    "to be verified": ("◐", "every action is said to be done; not every one is verified or signed off"),
    "done": ("✓", "every action is verified or signed off"),
    "to be accepted": ("○", "what is left is proposed, and nobody has accepted it"),
    "no dates": ("○", "nothing that is to be done has a day, so that nobody can tell"),
    "no actions": ("○", "nothing is to be done"),
}
"""A mark of its own shape for each, for colour is not for everybody, and what it means."""
PROVED = ("verified", "signed off")


def data(state: State, events: Sequence[Event], as_at: date, since: date) -> dict[str, Any]:
    """The report as JSON data.

    Args:
      events: those that the state is made of.
      since: changes after this day are counted.
    """
    stands = {t.action.id: standing(state, t, as_at) for t in state.actions.values()}
    counts = numbers.counted(state, as_at)
    kinds = Counter(c.kind for c in changes(events, since, as_at))
    workstreams = []
    for count, (_, its) in zip(counts, state.in_order(), strict=True):
        how, why = _stands([(t, stands[t.action.id]) for t in its])
        workstreams.append({**count, "stands": how, "why": why})
    return {
        "report": "board",
        "plan": state.plan.id,
        "title": state.plan.title,
        "as_at": as_at.isoformat(),
        "begun": events[0].on,
        "since": since.isoformat(),
        "changes": {k: kinds[k] for k in CHANGE_KINDS if kinds[k]},
        "workstreams": workstreams,
        "total": numbers.total(counts),
        "concerns": [_concern(state, c, as_at) for c in state.plan.concerns],
        "restated": _restated(state),
        "escalated": [
            {
                "action": t.action.id,
                "text": t.action.text,
                "owner": t.action.owner or None,
                "overdue_days": s.overdue,
                "to": s.escalate.name,
            }
            for t in state.actions.values()
            if (s := stands[t.action.id]).escalate is not None
        ],
        "measures": [_measure(m, state.values.get(m.id, [])) for m in life.measures(state).values()],
    }


def _measure(m: Measure, values: Sequence[Value]) -> dict[str, Any]:
    in_order = sorted(values, key=lambda v: v.on)
    return {
        "id": m.id,
        "text": m.text,
        "target": m.target or None,
        "values": [v._asdict() for v in in_order],
        "trend": trend(in_order),
    }


def _stands(its: Sequence[tuple[Tracked, Standing]]) -> tuple[Stands, list[str]]:
    """How a workstream stands, and why in words."""
    its = [(t, s) for t, s in its if t.status != "rejected"]
    live = [t for t, _ in its if t.status in LIVE]
    late = [s.overdue for _, s in its if s.overdue]
    restated = sum(s.restated is not None for _, s in its)
    again = sum(bool(t.reopened) for t in live)
    stalled = sum(bool(s.idle) for _, s in its)
    bare = sum(s.unevidenced for _, s in its)
    undated = sum(t.action.due is None for t in live)
    proposed = sum(t.status == "proposed" for t, _ in its)
    why = [
        f"{len(late):,} overdue, by up to {words.days(max(late))}" if late else "",
        f"{restated:,} restated" if restated else "",
        f"{again:,} opened again" if again else "",
        f"{stalled:,} stalled" if stalled else "",
        f"{bare:,} closed without evidence" if bare else "",
        f"{undated:,} without a day" if undated else "",
        f"{proposed:,} proposed" if proposed else "",
    ]
    return _mark(its, live, bool(late or restated), bool(again or stalled or bare)), [w for w in why if w]


def _mark(its: Sequence[tuple[Tracked, Standing]], live: Sequence[Tracked], off: bool, risk: bool) -> Stands:
    if not its:
        return "no actions"
    if off or risk:
        return "off track" if off else "at risk"
    if live:
        return "on track" if any(t.action.due for t in live) else "no dates"
    if any(t.status == "proposed" for t, _ in its):
        return "to be accepted"
    return "done" if all(t.status in PROVED for t, _ in its) else "to be verified"


def _concern(state: State, c: Concern, as_at: date) -> dict[str, Any]:
    """What the plan answers, with how far the actions of the workstreams that answer it have come."""
    its = [t for t in state.actions.values() if t.workstream in c.workstreams and t.status != "rejected"]
    done = sum(t.status in CLAIMED for t in its)
    proved = sum(t.status in PROVED for t in its)
    late = (as_at - c.due.last).days if c.due and (done < len(its) or not its) else 0
    return {
        "id": c.id,
        "kind": c.kind or None,
        "text": c.text,
        "regulation": c.regulation or None,
        "due": c.due.text if c.due else None,
        "days_late": max(late, 0),
        "restated": c.restated,
        "said": c.progress or None,
        "workstreams": list(c.workstreams),
        "actions": len(its),
        "done": done,
        "verified": proved,
    }


def _restated(state: State) -> dict[str, Any] | None:
    """What the last audit found that the ones before it had found, rule by rule, with the actions that answer it."""
    if not state.audits:
        return None
    last = state.audits[-1]
    of: dict[str, list[str]] = {}
    for fingerprint, r in state.findings.items():
        if r.last == last and r.times > 1:
            of.setdefault(r.rule, []).append(fingerprint)
    rules = []
    for rule, its in sorted(of.items()):
        oldest = min((state.findings[f] for f in its), key=lambda r: (r.since, -r.times))
        wanted = {rule, *its}
        answered = [
            a for a, t in state.actions.items() if t.status != "rejected" and not wanted.isdisjoint(t.action.answers)
        ]
        rules.append(
            {"rule": rule, "findings": len(its), "since": oldest.since, "times": oldest.times, "actions": answered}
        )
    return {"audit": last, "rules": rules}


def blocks(its: Said) -> list[page.Block]:
    """The report as people read it."""
    changed = "; ".join(f"{n:,} {k}" for k, n in its["changes"].items())
    since = max(its["since"], its["begun"])
    return [
        page.Heading(1, its["title"]),
        page.Facts(
            [
                ("For the board", f"as at {english(date.fromisoformat(its['as_at']))}"),
                (f"Since {english(date.fromisoformat(since))}", changed or "nothing changed"),
            ]
        ),
        *page.section(2, "How workstreams stand", _workstreams(its), _legend(its)),
        *page.section(2, "Actions", numbers.table(its["workstreams"])),
        *page.section(2, "What the plan answers", _concerns(its["concerns"]), _counted(its["concerns"])),
        *_again(its["restated"]),
        *page.section(2, f"Escalated ({len(its['escalated']):,})", _escalated(its["escalated"])),
        *page.section(2, "Measures", _measures(its["measures"]), _unmeasured(its["measures"])),
    ]


def _workstreams(its: Said) -> page.Table:
    rows = [
        [f"{w['id']} {w['title']}", f"{MEANS[w['stands']][0]} {w['stands']}", "; ".join(w["why"])]
        for w in its["workstreams"]
    ]
    return page.Table(["Workstream", "Stands", "Why"], rows)


def _legend(its: Said) -> page.Items:
    there = {w["stands"] for w in its["workstreams"]}
    return page.Items([f"{mark} {how}: {means}." for how, (mark, means) in MEANS.items() if how in there])


def _concerns(its: Sequence[Said]) -> page.Table:
    rows = [
        [
            c["id"],
            f"{c['text']} – {c['regulation']}" if c["regulation"] else c["text"],
            ", ".join(k for k in (c["kind"], "restated" if c["restated"] else "") if k),
            c["due"] or "",
            ", ".join(c["workstreams"]),
            *([f"{c[k]:,}" for k in ("actions", "done", "verified")] if c["actions"] else ["none", "", ""]),
            f"{c['days_late']:,}" if c["days_late"] else "",
            c["said"] or "",
        ]
        for c in its
    ]
    heads = ["", "What", "Kind", "Due", "In", "Actions", "Done", "Verified", "Late", "Said of it"]
    return page.Table(heads, rows, ["Actions", "Done", "Verified", "Late"])


def _counted(its: Sequence[Said]) -> page.Items:
    return page.Items(
        [
            text
            for text, there in (
                ("Actions: those of the workstreams that the plan names for it, without what was rejected.", bool(its)),
                ("Done: somebody says so. Verified: an audit no longer finds it, or it is signed off.", bool(its)),
                ("Late: days since it was due, while an action is still to be done.", any(c["days_late"] for c in its)),
            )
            if there
        ]
    )


def _again(restated: Said | None) -> list[page.Block]:
    if restated is None:
        return []
    rows = [
        [
            r["rule"],
            f"{r['findings']:,}",
            english(date.fromisoformat(r["since"])),
            f"{r['times']:,}",
            ", ".join(r["actions"]) or "no action answers it",
        ]
        for r in restated["rules"]
    ]
    title = f"Restated in the audit as at {english(date.fromisoformat(restated['audit']))}"
    table = page.Table(["Rule", "Findings", "Found since", "Times", "Actions"], rows, ["Findings", "Times"])
    return page.section(2, title, table)


def _escalated(its: Sequence[Said]) -> page.Table:
    rows = [[e["action"], e["text"], e["owner"] or "", f"{e['overdue_days']:,}", e["to"]] for e in its]
    return page.Table(["Action", "What", "Lead", "Days overdue", "To"], rows, ["Days overdue"])


def _measures(its: Sequence[Said]) -> page.Table:
    rows = []
    for m in its:
        if m["values"]:
            last = m["values"][-1]
            target = m["target"] or last["target"]
            rows.append(
                [m["id"], m["text"], target, last["value"], last["on"], MET[last["met"]] if target else "", m["trend"]]
            )
    return page.Table(["Measure", "What", "Target", "Latest", "On", "Met", "Trend"], rows)


def _unmeasured(its: Sequence[Said]) -> page.Text:
    none = [m["id"] for m in its if not m["values"]]
    return page.Text(f"No value yet: {', '.join(none)}." if none else "")
