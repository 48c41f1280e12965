"""How values are said in every format that people read."""

from __future__ import annotations

from collections.abc import Mapping


def printable(text: str) -> str:
    """`text` without control characters: nothing in a record can steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def evidence_text(evidence: Mapping[str, object], with_empty: bool = True) -> str:
    """`role: team manager; started_on: 2021-03-01`; an empty value is told as not recorded, or left out."""
    return "; ".join(f"{name}: {_value(value)}" for name, value in evidence.items() if with_empty or value is not None)


def _value(value: object) -> str:
    match value:
        case None:
            return "not recorded"
        case bool():
            return "yes" if value else "no"
        case list():
            if value and isinstance(value[0], dict):
                return ", ".join(f"{g['from']} to {g['done_on']}, due {g['due_on']}" for g in value) or "none"
            return ", ".join(str(v) for v in value) or "none"
    return str(value)
