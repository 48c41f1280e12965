"""Plans as JSON data, as events carry them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from compliance.tracker.model import Account, Action, Concern, Forum, Measure, Plan, Said, When, Workstream, when


def plain(value: Any) -> Any:
    """A part of a plan as JSON data; what is empty is left out."""
    if isinstance(value, When):
        return value.text
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value):
        said = {f.name: getattr(value, f.name) for f in fields(value)}
        return {k: plain(v) for k, v in said.items() if not _empty(v)}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    return value


def _empty(value: Any) -> bool:
    """Nothing was said; 0 is something."""
    return value is None or value is False or (isinstance(value, str | tuple | Mapping) and not value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in value)


def _when(value: Any) -> When | None:
    return None if value is None else when(value)


MADE = {
    "start": _when,
    "due": _when,
    "period": _when,
    "dated": _when,
    **dict.fromkeys(
        (
            "answers",
            "about",
            "evidence",
            "themes",
            "regulations",
            "standards",
            "takes",
            "leads",
            "managers",
            "members",
            "sponsors",
            "overseen_by",
            "points",
        ),
        _texts,
    ),
}
"""How fields that are no plain text are made from JSON; `workstreams` of a concern is one as well."""


def _fields(data: Mapping[str, Any]) -> dict[str, Any]:
    return {k: MADE[k](v) if k in MADE else v for k, v in data.items()}


def field_of(name: str, value: Any) -> Any:
    """One field of an action from JSON data.

    Raises:
      ValueError: it cannot be read.
    """
    if value is None:
        return () if MADE.get(name) is _texts else None if name in MADE else ""
    return MADE[name](value) if name in MADE else value


def action(data: Mapping[str, Any]) -> Action:
    """An action from JSON data."""
    return Action(**_fields(data))


def workstream(data: Mapping[str, Any]) -> Workstream:
    """A workstream from JSON data."""
    return Workstream(
        **{
            **_fields(data),
            "actions": tuple(action(a) for a in data.get("actions", ())),
            "measures": tuple(Measure(**m) for m in data.get("measures", ())),
        }
    )


def _account(data: Mapping[str, Any]) -> Account:
    said = (Said(**{**s, "actions": _texts(s.get("actions", ()))}) for s in data.get("completed", ()))
    return Account(**{**_fields(data), "completed": tuple(said)})


def plan(data: Mapping[str, Any]) -> Plan:
    """A plan from JSON data."""
    its = _fields(data)
    its["dates"] = {k: date.fromisoformat(v) for k, v in data.get("dates", {}).items()}
    its["forums"] = tuple(Forum(**f) for f in data.get("forums", ()))
    its["concerns"] = tuple(
        Concern(**{**_fields(c), "workstreams": _texts(c.get("workstreams", ()))}) for c in data.get("concerns", ())
    )
    its["accounts"] = tuple(_account(a) for a in data.get("accounts", ()))
    its["workstreams"] = tuple(workstream(w) for w in data.get("workstreams", ()))
    return Plan(**its)
