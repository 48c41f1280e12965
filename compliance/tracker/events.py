"""What happened to a plan, one event after the other, each carrying the hash of the one before. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple

from compliance.files.documents import json_value

Kind = Literal[
    "plan begun",
    "plan changed",
    "action added",
    "action changed",
    "comment",
    "audit",
    "measure",
]
"""What an event can be. `action changed` holds each field with what it was and what it is now, the status among them."""
KINDS: tuple[Kind, ...] = (
    "plan begun",
    "plan changed",
    "action added",
    "action changed",
    "comment",
    "audit",
    "measure",
)

NOTHING_BEFORE = "0" * 64
"""What stands for the hash before the first event."""
MENDED = (
    "Somebody has changed the database past this program, or it is damaged. Put it back from a backup, or take the plan over from its last"
    " export into a new one: compliance plan import EVENTS.jsonl --db NEW.sqlite"
)
"""What can be done where events are not what was written."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it has its place.

    Args:
      subject: the id of the action, measure or forum that it is about; empty: the plan.
      body: JSON data. For `action changed` and `plan changed`: `{"changes": {field: {"from": …, "to": …}}}`.
      why: what the person gave as the reason.
    """

    kind: Kind
    subject: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """Who makes a change: in which role, and by what name; and as at which day it is made."""

    role: str
    name: str


class Event(NamedTuple):
    """Something that happened.

    Args:
      number: its place in the plan, from 1.
      at: when it was written, ISO 8601 in UTC.
      on: the day that it speaks of, YYYY-MM-DD.
    """

    plan: str
    number: int
    at: str
    on: str
    role: str
    name: str
    kind: Kind
    subject: str
    body: Mapping[str, Any]
    why: str
    before: str
    hash: str


def canonical(body: Mapping[str, Any]) -> str:
    """JSON that is the same for the same data."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def chained(plan: str, number: int, at: str, on: str, who: Who, draft: Draft, before: str) -> Event:
    """A draft in its place."""
    digest = _hash(
        plan, number, at, on, who.role, who.name, draft.kind, draft.subject, canonical(draft.body), draft.why, before
    )
    return Event(
        plan, number, at, on, who.role, who.name, draft.kind, draft.subject, draft.body, draft.why, before, digest
    )


def _hash(*parts: object) -> str:
    # A list in JSON, so that no two different events read alike.
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def broken(events: Iterable[Event], after: Event | None = None) -> str:
    """Where the chain breaks first, in words; empty if it holds.

    Args:
      after: an event that is known to be right, on which the first follows.
    """
    last, before = (after.number, after.hash) if after else (0, NOTHING_BEFORE)
    for number, e in enumerate(events, last + 1):
        if e.number != number:
            return f"event {number} is missing: after {number - 1} comes {e.number}"
        if e.before != before:
            return f"event {e.number} does not follow on event {e.number - 1}: one of them was changed or taken out"
        made = _hash(
            e.plan, e.number, e.at, e.on, e.role, e.name, e.kind, e.subject, canonical(e.body), e.why, e.before
        )
        if made != e.hash:
            return f"event {e.number} is not what was written: its content does not fit its hash"
        before = e.hash
    return ""


def is_day(text: str) -> bool:
    """Whether an event can speak of it."""
    try:
        return len(text) == len("2022-02-22") and bool(date.fromisoformat(text))
    except ValueError:
        return False


def parsed(line: str) -> Event:
    """An event from a line of JSON, as `plan export --format jsonl` writes it.

    Raises:
      ValueError: it is none; the message says what is wrong.
    """
    try:
        said = json_value(line)
    except json.JSONDecodeError as e:
        raise ValueError(f"this is not JSON: {e.msg}, at character {e.pos + 1}") from e
    if not isinstance(said, dict) or set(said) != set(Event._fields):
        raise ValueError(f"this is no event of a plan; one has {', '.join(Event._fields)}")
    for name, value in said.items():
        expected = int if name == "number" else dict if name == "body" else str
        if type(value) is not expected:
            raise ValueError(f"'{name}' is not what an event has there")
    if not is_day(said["on"]):
        raise ValueError("'on' is no day, YYYY-MM-DD")
    if said["kind"] not in KINDS:
        raise ValueError(f"'{said['kind']}' is no kind of event that this version knows: {', '.join(KINDS)}")
    return Event(**said)
