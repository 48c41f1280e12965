"""How parts of a plan are said, and tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from compliance.files.documents import json_text
from compliance.report.words import for_log
from compliance.tracker.about import short
from compliance.tracker.model import When


def due(w: When | None) -> str:
    """As it was written; nothing where no day is set."""
    return "" if w is None else w.text


def what(text: str, about: Sequence[str]) -> str:
    """What is to be done and, on a line of its own, about whom; the first ones, where there are many."""
    return f"{text}\nAbout {short(about)}." if any(about) else text


def cell(text: str) -> str:
    """A text that stays in its cell of a Markdown table."""
    shown = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return for_log(" ".join(shown.split()))


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "".join(f"| {' | '.join(cell(c) for c in line)} |\n" for line in lines)


def dump(value: object) -> str:
    """JSON as a person may read it."""
    return json_text(value, indent=1) + "\n"


def due_as_said(action: Mapping[str, Any]) -> str:
    """When an action in JSON is due, and what then, where it is not that it is completed."""
    due: str = action.get("due", "")
    kind = action.get("due_kind", "completion")
    return due if kind == "completion" or not due else f"{due} ({kind})"


def natural(text: str) -> list[tuple[int, str]]:
    """A key that puts 9 before 10, and 18.4 before 20."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", text) if part]


def days(n: int) -> str:
    """1 day, 1,000 days."""
    return f"{n:,} {'day' if n == 1 else 'days'}"
