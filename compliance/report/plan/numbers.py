"""The plan in numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from compliance.dates import english
from compliance.report.plan import page, words
from compliance.tracker.due import standing
from compliance.tracker.model import STATUSES
from compliance.tracker.state import State

KEYS = ("actions", *STATUSES, "overdue", "due soon")


def counted(state: State, as_at: date) -> list[dict[str, Any]]:
    """Each workstream's id, title, and numbers of actions: all, by status, overdue, due soon."""
    found = []
    for workstream, its in state.in_order():
        stands = [standing(state, t, as_at) for t in its]
        of = [len(its), *(sum(t.status == s for t in its) for s in STATUSES)]
        of += [sum(bool(s.overdue) for s in stands), sum(s.due_soon for s in stands)]
        found.append({"id": workstream.id, "title": workstream.title, **dict(zip(KEYS, of, strict=True))})
    return found


def total(counts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The same of the whole plan."""
    return {k: sum(c[k] for c in counts) for k in KEYS}


def table(counts: Sequence[Mapping[str, Any]]) -> page.Table:
    """The numbers with their sum; what is nought everywhere is left out, and so is the table of a plan without actions."""
    whole = total(counts)
    keys = [k for k in KEYS if whole[k] or k == "actions"]
    heads = [k.capitalize() for k in keys]
    rows = [[f"{c['id']} {c['title']}", *(_number(c[k]) for k in keys)] for c in counts]
    rows.append(["Whole plan", *(_number(whole[k]) for k in keys)])
    return page.Table(["Workstream", *heads], rows if whole["actions"] else [], heads)


def _number(n: int) -> str:
    return f"{n:,}" if n else "-"


def _blocks(state: State, as_at: date) -> list[page.Block]:
    return [page.Heading(1, f"{state.plan.title}, as at {english(as_at)}"), table(counted(state, as_at))]


def _table(state: State, as_at: date, width: int) -> Iterator[str]:
    return page.terminal(_blocks(state, as_at), width)


def _markdown(state: State, as_at: date, width: int) -> Iterator[str]:
    return page.markdown(_blocks(state, as_at))


def _json(state: State, as_at: date, width: int) -> Iterator[str]:
    counts = counted(state, as_at)
    yield words.dump(
        {
            "plan": state.plan.id,
            "title": state.plan.title,
            "as_at": as_at.isoformat(),
            "events": state.number,
            "workstreams": counts,
            "total": total(counts),
        }
    )


FORMATS: Mapping[str, Callable[[State, date, int], Iterator[str]]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}
