"""Progress for the managers' meeting and the executive: where actions stand, and what became of them since another day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from compliance.dates import english
from compliance.report.plan import actions, numbers, page, words
from compliance.tracker.accounts import differences
from compliance.tracker.due import standing
from compliance.tracker.events import Event
from compliance.tracker.history import CHANGE_KINDS, Change, changes
from compliance.tracker.model import LIVE, Account
from compliance.tracker.plain import plain
from compliance.tracker.state import State

Said = Mapping[str, Any]


def data(state: State, events: Sequence[Event], as_at: date, since: date | None, days: int) -> dict[str, Any]:
    """The report as JSON data.

    Args:
      events: those that the state is made of.
      days: how many days ahead it looks.
    """
    counts = numbers.counted(state, as_at)
    its = _actions(state, events, as_at)
    plan = replace(state.plan, accounts=tuple(a for a in state.plan.accounts if a.dated.last <= as_at))
    return {
        "report": "progress",
        "plan": plan.id,
        "title": plan.title,
        "as_at": as_at.isoformat(),
        "begun": events[0].on,
        "since": since.isoformat() if since else None,
        "days": days,
        "workstreams": counts,
        "total": numbers.total(counts),
        "changes": [_changed(state, c) for c in changes(events, since, as_at)] if since else None,
        **{s.replace(" ", "_"): [a for a in its if a["status"] == s] for s in ("completed", "verified", "signed off")},
        "overdue": sorted((a for a in its if a["overdue_days"]), key=lambda a: -a["overdue_days"]),
        "due": sorted((a for a in its if _due_within(state, a["id"], as_at, days)), key=lambda a: a["due_last"]),
        "stalled": [a for a in its if a["idle_days"]],
        "without_evidence": [a for a in its if a["without_evidence"]],
        "restated": [a for a in its if a["restated"]],
        "accounts": [_account(state, a) for a in plan.accounts],
        "differences": list(differences(replace(state.as_plan(), accounts=plan.accounts))),
    }


def _actions(state: State, events: Sequence[Event], as_at: date) -> list[dict[str, Any]]:
    """Every action; said to be completed on a day only where a change said so, for the plan may have begun with it."""
    completed = {c.action: c.on for c in changes(events, date.min, as_at) if c.kind == "completed"}
    found = []
    for _, its in state.in_order():
        for t in its:
            said = actions.described(t, standing(state, t, as_at))
            due = t.action.due.last.isoformat() if t.action.due else None
            found.append({**said, "completed_on": completed.get(t.action.id), "due_last": due})
    return found


def _due_within(state: State, action: str, as_at: date, days: int) -> bool:
    a = state.actions[action].action
    return a.status in LIVE and a.due is not None and 0 <= (a.due.last - as_at).days <= days


def _changed(state: State, change: Change) -> dict[str, Any]:
    tracked = state.actions[change.action]
    return {
        "kind": change.kind,
        "on": change.on,
        "action": change.action,
        "workstream": tracked.workstream,
        "text": tracked.action.text,
        "from": change.was or None,
        "to": change.became or None,
        "status": tracked.status,
        "role": change.role,
        "why": change.why or None,
        "evidence": list(tracked.action.evidence),
    }


def _account(state: State, account: Account) -> dict[str, Any]:
    """What somebody said, with where the actions that it speaks of stand."""
    return {
        "by": account.by,
        "dated": account.dated.text,
        "text": account.text or None,
        "completed": [
            {**plain(s), "statuses": {a: state.actions[a].status for a in s.actions if a in state.actions}}
            for s in account.completed
        ],
    }


def blocks(its: Said) -> list[page.Block]:
    """The report as people read it."""
    day = english(date.fromisoformat(its["as_at"]))
    since = its["since"]
    made: list[page.Block] = [
        page.Heading(1, its["title"]),
        page.Facts(
            [
                ("Progress", f"as at {day}"),
                ("Changes", f"since {english(date.fromisoformat(since))}" if since else ""),
                ("Begins", english(date.fromisoformat(its["begun"])) if since and since < its["begun"] else ""),
            ]
        ),
        numbers.table(its["workstreams"]),
    ]
    made += _changes(its["changes"]) if since else _done(its)
    for title, key, table in (
        ("Overdue", "overdue", _overdue),
        (f"Due in the next {words.days(its['days'])}", "due", _due),
        ("Stalled", "stalled", _stalled),
        ("Closed without evidence", "without_evidence", _without_evidence),
        ("Restated", "restated", _restated),
    ):
        made += page.section(2, f"{title} ({len(its[key]):,})", table(its[key]))
    for account in its["accounts"]:
        made += _told(account)
    return made + page.section(
        2, "Where the plan and what was said of it differ", page.Items([f"{d}." for d in its["differences"]])
    )


def _changes(its: Sequence[Said]) -> list[page.Block]:
    if not its:
        return [page.Text("Nothing changed.")]
    made: list[page.Block] = []
    for kind in CHANGE_KINDS:
        of = [c for c in its if c["kind"] == kind]
        rows = [[c["action"], c["text"], c["on"], _how(c), c["role"], "; ".join(_shown(c)), _now(c)] for c in of]
        made += page.section(
            2,
            f"{kind.capitalize()} ({len(of):,})",
            page.Table(["Action", "What", "On", "Change", "By", "Evidence or reason", "Now"], rows),
        )
    return made


def _how(c: Said) -> str:
    """From what to what, where the heading does not say it."""
    if c["kind"] == "due changed":
        return f"{c['from'] or 'no day'} → {c['to'] or 'no day'}"
    return f"was {c['from']}" if c["kind"] == "opened again" else ""


def _shown(c: Said) -> list[str]:
    shown = c["evidence"] if c["kind"] == "completed" else []
    return [*shown, *([c["why"]] if c["why"] else [])]


def _now(c: Said) -> str:
    """Where it stands, if not where the change left it."""
    return "" if c["kind"] == "due changed" or c["to"] == c["status"] else c["status"]


def _done(its: Said) -> list[page.Block]:
    """What is done, where no other day is given since when."""

    def table(key: str, day: str) -> page.Table:
        rows = [[a["id"], a["text"], a[day] or "", "; ".join(a.get("evidence", ()))] for a in its[key]]
        return page.Table(["Action", "What", "On", "Evidence"], rows)

    return [
        *page.section(2, f"Completed ({len(its['completed']):,})", table("completed", "completed_on")),
        *page.section(2, f"Verified ({len(its['verified']):,})", table("verified", "verified_by_audit_of")),
        *page.section(2, f"Signed off ({len(its['signed_off']):,})", table("signed_off", "signed_off_on")),
    ]


def _overdue(its: Sequence[Said]) -> page.Table:
    rows = [
        [a["id"], a["text"], a.get("owner", ""), a["due"], f"{a['overdue_days']:,}", a["escalate_to"] or ""]
        for a in its
    ]
    return page.Table(["Action", "What", "Lead", "Due", "Days", "Escalated to"], rows, ["Days"])


def _due(its: Sequence[Said]) -> page.Table:
    rows = [[a["id"], a["text"], a.get("owner", ""), words.due_as_said(a), a["status"]] for a in its]
    return page.Table(["Action", "What", "Lead", "Due", "Status"], rows)


def _stalled(its: Sequence[Said]) -> page.Table:
    rows = [[a["id"], a["text"], a.get("owner", ""), words.due_as_said(a), f"{a['idle_days']:,}"] for a in its]
    return page.Table(["Action", "What", "Lead", "Due", "Days without a word"], rows, ["Days without a word"])


def _without_evidence(its: Sequence[Said]) -> page.Table:
    return page.Table(["Action", "What", "Lead"], [[a["id"], a["text"], a.get("owner", "")] for a in its])


def _restated(its: Sequence[Said]) -> page.Table:
    rows = [
        [
            a["id"],
            a["text"],
            a["status"],
            english(date.fromisoformat(a["restated"]["since"])),
            f"{a['restated']['times']:,}",
        ]
        for a in its
    ]
    return page.Table(["Action", "What", "Status", "Found since", "Times"], rows, ["Times"])


def _told(account: Said) -> list[page.Block]:
    rows = [
        [
            s.get("workstream", ""),
            s["text"],
            "; ".join(f"{a} {status}" for a, status in s["statuses"].items()),
        ]
        for s in account["completed"]
    ]
    return page.section(
        2,
        f"Said by: {account['by']} ({account['dated']})",
        page.Table(["Workstream", "Said to be completed", "In the plan"], rows),
        page.Text(account["text"] or ""),
    )
