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
            its = [_change(f, c["from"], c["to"]) for f, c in e.body["changes"].items()]
            its += [f"added: {e.body['workstream_added']['title']}"] if "workstream_added" in e.body else []
            said += f"{f' {e.subject}' if e.subject else ''}: {'; '.join(its)}"
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


def _change(field: str, old: Any, new: Any) -> str:
    """Of parts of a plan, which of them; else what it was and what it is."""
    parts = [p for its in (old, new) if isinstance(its, list) for p in its if isinstance(p, dict)]
    if not parts:
        return f"{field} from {_short(old)} to {_short(new)}"
    its = [p for p in parts if p not in (old or []) or p not in (new or [])]
    names = dict.fromkeys(str(p.get("id") or p.get("name") or p.get("dated")) for p in its)
    return f"{field}: {', '.join(names) or 'their order'}"


def _short(value: Any) -> str:
    if value in (None, "", []):
        return "nothing"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
