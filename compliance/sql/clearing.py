"""The tables and views that are there, and how they go."""

from __future__ import annotations

from compliance.sql.text import name

NAMES = "SELECT table_name, CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END FROM information_schema.tables"
"""Each with its kind, VIEW or TABLE."""


def drop(what: str, kind: str) -> str:
    """`kind` as `NAMES` has it."""
    return f"DROP {kind} {name(what)}"
