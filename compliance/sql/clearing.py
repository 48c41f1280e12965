"""The tables that are there, and how they go."""

from __future__ import annotations

from compliance.sql.text import name

NAMES = "SELECT table_name FROM information_schema.tables"


def drop(what: str) -> str:
    """A table gone."""
    return f"DROP TABLE {name(what)}"
