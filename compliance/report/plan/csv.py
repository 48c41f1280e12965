"""CSV: one row an action, for a spreadsheet. No cell can be taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from compliance.files.cells import safe
from compliance.report.words import for_log
from compliance.tracker.events import Event
from compliance.tracker.model import When
from compliance.tracker.state import State

HEADER = (
    "plan",
    "workstream",
    "workstream_title",
    "action",
    "text",
    "owner",
    "start",
    "due",
    "due_by",
    "due_kind",
    "every",
    "status",
    "since",
    "reopened",
    "evidence",
    "answers",
    "about",
    "themes",
    "note",
)


def _text(when: When | None) -> str:
    return when.text if when else ""


def write(state: State, events: Sequence[Event]) -> Iterator[str]:
    """The actions in the plan's order."""
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(HEADER)
    for workstream, its in state.in_order():
        for t in its:
            a = t.action
            row = [state.plan.id, workstream.id, workstream.title, a.id, a.text, a.owner, _text(a.start), _text(a.due)]
            row += [a.due.last.isoformat() if a.due else "", a.due_kind, a.every, a.status, t.since, str(t.reopened)]
            row += ["; ".join(a.evidence), "; ".join(a.answers), "; ".join(a.about), "; ".join(a.themes), a.note]
            out.writerow([safe(for_log(cell)) for cell in row])
    yield buffer.getvalue()
