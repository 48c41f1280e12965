"""How parts of a plan are said, and tables in Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence

from compliance.tracker.model import When


def due(w: When | None) -> str:
    """As it was written; nothing where no day is set."""
    return "" if w is None else w.text


def cell(text: str) -> str:
    """A text that stays in its cell of a Markdown table."""
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").split())


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "".join(f"| {' | '.join(cell(c) for c in line)} |\n" for line in lines)


def dump(value: object) -> str:
    """JSON as a person may read it."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
