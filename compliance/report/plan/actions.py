"""Actions in a list, and one with its history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import compliance.report.plan.words as words
import compliance.tracker.due as due
from compliance.report.grid import grid
from compliance.report.words import for_log
from compliance.tracker.due import Standing, standing
from compliance.tracker.events import Event
from compliance.tracker.plain import plain
from compliance.tracker.state import State, Tracked
from compliance.tracker.telling import told

NARROWEST = 80
Listed = Sequence[tuple[Tracked, Standing]]


def _rows(listed: Listed) -> list[list[str]]:
    return [
        [
            t.action.id,
            words.what(t.action.text, t.action.about),
            t.action.owner,
            words.due(t.action.due),
            t.status,
            due.words(s),
        ]
        for t, s in listed
    ]


HEADERS = ["Action", "What", "Owner", "Due", "Status", ""]


def _table(state: State, listed: Listed, width: int) -> Iterator[str]:
    width = max(width, NARROWEST)
    left = width - 8 - 12 - 12 - 10
    rows = [[for_log(c) for c in row] for row in _rows(listed)]
    yield grid(rows, HEADERS, [8, left * 5 // 10, left * 2 // 10, 12, 12, left - left * 5 // 10 - left * 2 // 10])
    yield f"{len(listed):,} of {len(state.actions):,} actions.\n"


def _markdown(state: State, listed: Listed, width: int) -> Iterator[str]:
    yield words.markdown_table(HEADERS, _rows(listed))


def described(t: Tracked, s: Standing) -> dict[str, Any]:
    """An action and how it stands as JSON data."""
    return {
        **plain(t.action),
        "status": t.status,
        "workstream": t.workstream,
        "version": t.version,
        "since": t.since,
        "completed_on": t.claimed_on or None,
        "verified_by_audit_of": t.verified_by or None,
        "signed_off_on": t.signed_off_on or None,
        "reopened": t.reopened,
        "overdue_days": s.overdue,
        "due_soon": s.due_soon,
        "idle_days": s.idle,
        "escalate_to": s.escalate.name if s.escalate else None,
        "without_evidence": s.unevidenced,
        "restated": {"since": s.restated[0], "times": s.restated[1]} if s.restated else None,
    }


def _json(state: State, listed: Listed, width: int) -> Iterator[str]:
    yield words.dump({"plan": state.plan.id, "actions": [described(t, s) for t, s in listed]})


FORMATS: Mapping[str, Callable[[State, Listed, int], Iterator[str]]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}


def _facts(state: State, t: Tracked, as_at: date) -> list[tuple[str, str]]:
    a = t.action
    its = [
        ("Workstream", t.workstream),
        ("Owner", a.owner),
        ("Start", words.due(a.start)),
        ("Due", words.due(a.due) + ("" if a.due_kind == "completion" else f" ({a.due_kind})")),
        ("Status", f"{t.status} since {t.since}"),
        ("Stands", due.words(standing(state, t, as_at))),
        ("About", "; ".join(a.about)),
        ("Answers", ", ".join(a.answers)),
        ("Evidence", "; ".join(a.evidence)),
        ("Again every", a.every),
        ("Themes", ", ".join(a.themes)),
        ("Note", a.note),
        ("Last change", f"{t.version} (for --seen)"),
    ]
    return [(k, v) for k, v in its if v]


def _one_table(state: State, t: Tracked, events: Sequence[Event], as_at: date, width: int) -> Iterator[str]:
    width = max(width, NARROWEST)
    rows = [[k, for_log(v)] for k, v in _facts(state, t, as_at)]
    yield f"{t.action.id}: {for_log(t.action.text)}\n\n"
    yield grid(rows, ["", ""], [12, width - 14])
    yield "\nHistory\n" + "".join(f"{for_log(told(e))}\n" for e in events)


def _one_markdown(state: State, t: Tracked, events: Sequence[Event], as_at: date, width: int) -> Iterator[str]:
    yield f"# {words.cell(t.action.id)}: {words.cell(t.action.text)}\n\n"
    yield words.markdown_table(["", ""], _facts(state, t, as_at))
    yield "\n## History\n\n" + "".join(f"- {words.cell(told(e))}\n" for e in events)


def _one_json(state: State, t: Tracked, events: Sequence[Event], as_at: date, width: int) -> Iterator[str]:
    yield words.dump({**described(t, standing(state, t, as_at)), "history": [e._asdict() for e in events]})


ONE: Mapping[str, Callable[[State, Tracked, Sequence[Event], date, int], Iterator[str]]] = {
    "table": _one_table,
    "markdown": _one_markdown,
    "json": _one_json,
}
