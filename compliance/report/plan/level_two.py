"""The list of actions and measures, workstream by workstream (Level Two)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from compliance.dates import english
from compliance.report.plan import actions, page, words
from compliance.tracker.due import standing
from compliance.tracker.model import CLAIMED, Measure, Workstream
from compliance.tracker.plain import plain
from compliance.tracker.state import State

DONE = "✓"
"""The completed mark of the printed plan."""


def data(state: State, as_at: date) -> dict[str, Any]:
    """The report as JSON data."""
    return {
        "report": "level-two",
        "plan": state.plan.id,
        "title": state.plan.title,
        "as_at": as_at.isoformat(),
        "workstreams": [
            {
                **_said(w),
                "actions": [actions.described(t, standing(state, t, as_at)) for t in its],
                "measures": [_measure(state, m) for m in w.measures],
            }
            for w, its in state.in_order()
        ],
    }


def _said(w: Workstream) -> dict[str, Any]:
    return {k: v for k, v in plain(w).items() if k not in ("actions", "measures", "takes")}


def _measure(state: State, m: Measure) -> dict[str, Any]:
    values = sorted(state.values.get(m.id, []), key=lambda v: v.on)
    latest = {"on": values[-1].on, "value": values[-1].value} if values else None
    return {**plain(m), "latest": latest}


def blocks(its: Mapping[str, Any]) -> list[page.Block]:
    """The report as people read it."""
    made: list[page.Block] = [
        page.Heading(1, its["title"]),
        page.Facts([("Level Two", f"as at {english(date.fromisoformat(its['as_at']))}")]),
    ]
    for w in its["workstreams"]:
        made.append(page.Heading(2, heading(w)))
        made += of_workstream(w, words.what)
    return made


def heading(w: Mapping[str, Any]) -> str:
    """What a workstream is called in the list of actions."""
    return f"{w['id']} {w.get('long_title') or w['title']}"


def _text(text: str, _: Sequence[str]) -> str:
    return text


def of_workstream(w: Mapping[str, Any], what: Callable[[str, Sequence[str]], str] = _text) -> list[page.Block]:
    """What stands under its heading.

    Args:
      what: says what is to be done and about whom, of the two; the former alone, where a report tells the latter in its own way.
    """
    return [
        page.Facts(_facts(w)),
        page.Text("" if w["actions"] or w["measures"] else "No actions and no measures."),
        _actions(w, what),
        _measures(w),
        page.Items([f"{a['id']}: {a['note']}" for a in w["actions"] if a.get("note")]),
    ]


def _facts(w: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Regulations", ", ".join(w.get("regulations", ()))),
        ("Standards", ", ".join(w.get("standards", ()))),
        ("Lead", "; ".join(w.get("leads", ()))),
        ("Manager", "; ".join(w.get("managers", ()))),
        ("Members", "; ".join(w.get("members", ()))),
        ("Seen by", "; ".join(w.get("evidence", ()))),
        ("Note", w.get("note", "")),
    ]


ACTIONS = ("Action", "What", "Lead", "Start", "Due", "Status", "Again every", "Evidence")


def _actions(w: Mapping[str, Any], what: Callable[[str, Sequence[str]], str]) -> page.Table:
    rows = [
        [
            a["id"],
            what(a["text"], a.get("about", ())),
            a.get("owner", ""),
            a.get("start", ""),
            words.due_as_said(a),
            f"{DONE} {a['status']}" if a["status"] in CLAIMED else a["status"],
            a.get("every", ""),
            "; ".join(a.get("evidence", ())),
        ]
        for a in w["actions"]
    ]
    return page.Table(ACTIONS, rows)


def _measures(w: Mapping[str, Any]) -> page.Table:
    rows = [
        [
            m["id"],
            m["text"],
            m.get("target", ""),
            m.get("cadence", ""),
            m["latest"]["value"] if m["latest"] else "",
            m["latest"]["on"] if m["latest"] else "",
        ]
        for m in w["measures"]
    ]
    return page.Table(["Measure", "What", "Target", "How often", "Latest", "On"], rows)
