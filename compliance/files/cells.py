"""What a spreadsheet makes of a text in a cell."""

from __future__ import annotations

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe(text: str) -> str:
    """`text`, with a quote before it if a spreadsheet would run it."""
    return "'" + text if text.startswith(FORMULA) else text
