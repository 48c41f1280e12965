"""The plan in numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date

import compliance.report.plan.words as words
from compliance.dates import english
from compliance.report.grid import grid
from compliance.report.words import printable
from compliance.tracker.due import standing
from compliance.tracker.model import STATUSES
from compliance.tracker.state import State

NARROWEST = 80
HEADERS = ["Workstream", *(s.capitalize() for s in STATUSES), "Overdue", "Due soon"]


def _numbers(state: State, as_at: date) -> list[tuple[str, str, list[int]]]:
    """Each workstream's id, title, actions by status, overdue, due soon."""
    found = []
    for workstream, its in state.in_order():
        stands = [standing(state, t, as_at) for t in its]
        of = [sum(t.status == s for t in its) for s in STATUSES]
        of += [sum(bool(s.overdue) for s in stands), sum(s.due_soon for s in stands)]
        found.append((workstream.id, workstream.title, of))
    return found


def _table(state: State, as_at: date, width: int) -> Iterator[str]:
    width = max(width, NARROWEST)
    rows = [[printable(f"{i} {title}"), *(str(n) if n else "-" for n in of)] for i, title, of in _numbers(state, as_at)]
    yield f"{printable(state.plan.title)} as at {english(as_at)}\n\n"
    heads = [
        h.replace(" ", "\n").replace("Completed", "Com-\npleted").replace("Proposed", "Pro-\nposed") for h in HEADERS
    ]
    yield grid(rows, heads, [max(16, width - 74), *[None] * (len(HEADERS) - 1)], right=range(1, len(HEADERS)))


def _markdown(state: State, as_at: date, width: int) -> Iterator[str]:
    yield f"# {words.cell(state.plan.title)}, as at {english(as_at)}\n\n"
    rows = [[f"{i} {title}", *(str(n) for n in of)] for i, title, of in _numbers(state, as_at)]
    yield words.markdown_table(HEADERS, rows)


def _json(state: State, as_at: date, width: int) -> Iterator[str]:
    keys = [*STATUSES, "overdue", "due soon"]
    yield words.dump(
        {
            "plan": state.plan.id,
            "title": state.plan.title,
            "as_at": as_at.isoformat(),
            "events": state.number,
            "workstreams": [
                {"id": i, "title": title, **dict(zip(keys, of, strict=True))} for i, title, of in _numbers(state, as_at)
            ],
        }
    )


FORMATS: Mapping[str, Callable[[State, date, int], Iterator[str]]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}
