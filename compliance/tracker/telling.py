"""An event in one line. Pure."""

from __future__ import annotations

from typing import Any

from compliance.tracker.events import Event

LONGEST = 120
"""Characters of a value that are told; the database has it whole."""


def told(e: Event) -> str:
    """Its number, when, who, what, and why."""
    said = f"{e.number}. {e.on}, {e.name} ({e.role}): {e.kind}"
    match e.kind:
        case "action changed" | "plan changed":
            its = [f"{f} from {_short(c['from'])} to {_short(c['to'])}" for f, c in e.body["changes"].items()]
            said += f" {e.subject}: {'; '.join(its)}"
        case "comment":
            said += f"{f' on {e.subject}' if e.subject else ''}: {e.body['text']}"
        case "action added":
            said += f" {e.subject}: {_short(e.body['action']['text'])}"
        case "audit":
            n = sum(len(its) for its in e.body["found"].values())
            said += f": {n:,} findings"
        case "measure":
            said += f" {e.subject}: {e.body['value']}"
        case "plan begun":
            said += f": {e.body['plan']['title']}"
    return said + (f" – {e.why}" if e.why else "")


def _short(value: Any) -> str:
    if value in (None, "", []):
        return "nothing"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
