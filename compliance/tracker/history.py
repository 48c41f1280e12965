"""A plan as it was at a day, and what became of it from one day to another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from compliance.tracker.events import Event
from compliance.tracker.model import CLAIMED

ChangeKind = Literal[
    "completed",
    "verified",
    "signed off",
    "opened again",
    "proposed",
    "added",
    "accepted",
    "begun",
    "rejected",
    "due changed",
]
CHANGE_KINDS: tuple[ChangeKind, ...] = (
    "completed",
    "verified",
    "signed off",
    "opened again",
    "proposed",
    "added",
    "accepted",
    "begun",
    "rejected",
    "due changed",
)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an action by one event.

    Args:
      was, became: its status, or when it was due, for `due changed`; empty: there was none.
      role: of whoever said so; no name.
    """

    kind: ChangeKind
    on: str
    action: str
    was: str
    became: str
    role: str
    why: str


def up_to(events: Iterable[Event], day: date) -> list[Event]:
    """The events that speak of that day or an earlier one, in order.

    What is said of something for a day before it was there counts from the day on which it was.
    """
    return [e for e, on in _counted(events) if on <= day.isoformat()]


def _counted(events: Iterable[Event]) -> Iterator[tuple[Event, str]]:
    """Each event with the day from which it counts."""
    actions: dict[str, str] = {}
    workstreams: dict[str, str] = {}
    begun = ""
    for e in events:
        on = max(e.on, begun)
        added = e.body.get("workstream_added")
        match e.kind:
            case "plan begun":
                begun = e.on
            case "action added":
                on = actions[e.subject] = max(on, workstreams.get(e.body["workstream"], ""))
            case "action changed":
                moved = e.body["changes"].get("workstream")
                on = max(on, actions.get(e.subject, ""), workstreams.get(moved["to"], "") if moved else "")
            case "plan changed":
                on = max(on, workstreams.get(e.subject, ""))
            case _:
                on = max(on, actions.get(e.subject, ""))
        if added is not None:
            workstreams[added["id"]] = on
        yield e, on


def changes(events: Sequence[Event], since: date, day: date) -> list[Change]:
    """What became of actions after `since`, up to `day`, in order; what the plan began with is no change."""
    return [c for e, on in _counted(events) if since.isoformat() < on <= day.isoformat() for c in _changes(e, on)]


def _changes(e: Event, on: str) -> Iterator[Change]:
    if e.kind == "action added":
        status = e.body["action"].get("status", "open")
        kind: ChangeKind = "proposed" if status == "proposed" else "added"
        yield Change(kind, on, e.subject, "", status, e.role, e.why)
    if e.kind != "action changed":
        return
    moved = e.body["changes"]
    if "status" in moved:
        was, became = moved["status"]["from"], moved["status"]["to"]
        yield Change(_kind(was, became), on, e.subject, was, became, e.role, e.why)
    if "due" in moved:
        was, became = moved["due"]["from"] or "", moved["due"]["to"] or ""
        yield Change("due changed", on, e.subject, was, became, e.role, e.why)


def _kind(was: str, became: str) -> ChangeKind:
    match became:
        case "completed" | "verified" | "signed off" | "rejected" as same:
            return same
        case "in progress" if was not in CLAIMED:
            return "begun"
    return "opened again" if was in CLAIMED else "accepted"
