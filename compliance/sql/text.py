"""The only two ways in which a name or a value gets into SQL text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache


@lru_cache(maxsize=65_536)
def name(identifier: str) -> str:
    """`identifier` quoted, so that it can be nothing but a name."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: object) -> str:
    """`value` as SQL: None, bool, int, Decimal, float, str, date, or a list or tuple of these.

    Raises:
      TypeError: for anything else.
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | Decimal():
            return str(value)
        case float():
            return str(Decimal(repr(value)))
        case str():
            if "\0" in value:
                raise TypeError("a text with a NUL character has no place in SQL")
            return "'" + value.replace("'", "''") + "'"
        case date():
            return f"DATE '{value.isoformat()}'"
        case list() | tuple():
            return "[" + ", ".join(literal(v) for v in value) + "]"
    raise TypeError(f"no SQL literal for {type(value).__name__}")
