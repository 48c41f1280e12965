"""The improvement plan: on a page (Level One), and its actions and measures (Level Two) in tables that can be filtered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import compliance.report.plan.level_one as level_one
import compliance.report.plan.level_two as level_two
import compliance.report.plan.page as blocks
import compliance.report.plan.words as words
from compliance.report.plan.answering import shown
from compliance.report.xlsx.sheet import Cell, Column, Sheet
from compliance.tracker.state import State

ACTIONS = (
    Column("Workstream", 30),
    Column("Action", 10),
    Column("What", 60),
    Column("About", 36),
    Column("Lead", 24),
    Column("Start", 14),
    Column("Due", 14),
    Column("Status", 14),
    Column("Status since", 12),
    Column("Days overdue", 10),
    Column("Again every", 14),
    Column("Evidence", 40),
    Column("Answers", 24),
    Column("Comes to", 22),
    Column("Note", 36),
)
MEASURES = (
    Column("Workstream", 30),
    Column("Measure", 10),
    Column("What", 60),
    Column("Target", 20),
    Column("How often", 14),
    Column("Latest", 20),
    Column("On", 12),
)
PAGE = (34, 60, *(14,) * 12)


def write(page: Sheet, actions: Sheet, measures: Sheet, state: State, as_at: date, names: Mapping[str, str]) -> None:
    """Writes the three sheets.

    Args:
      names: whom actions are about, with names; empty where none are shown.
    """
    page.widths(PAGE)
    for block in blocks.there(level_one.blocks(level_one.data(state, as_at))):
        _block(page, block)
    its = level_two.data(state, as_at)["workstreams"]
    actions.table(ACTIONS, (_action(w, a, names) for w in its for a in w["actions"]), stays=3, printed=11)
    measures.table(MEASURES, (_measure(w, m) for w in its for m in w["measures"]), stays=3)


def _block(page: Sheet, block: blocks.Block) -> None:
    match block:
        case blocks.Heading(level, text):
            if page.row:
                page.row += 1
            page.line(text, look="title" if level == 1 else "heading")
        case blocks.Facts(pairs):
            for name, value in pairs:
                if value:
                    page.line(name, value)
        case blocks.Table():
            headers, rows = blocks.filled(block)
            page.line(*headers, look="head")
            for row in rows:
                page.line(*(_said(cell, header in block.right) for header, cell in zip(headers, row, strict=True)))
        case blocks.Text(text):
            page.line(text)
        case blocks.Items(texts):
            for text in texts:
                page.line(text)


def _said(cell: str, number: bool) -> Cell:
    return int(cell.replace(",", "")) if number and re.fullmatch(r"[\d,]+", cell) else cell


def _day(text: str) -> Cell:
    """A day as a date; a month, or whatever else the plan says, as it is written."""
    return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text


def _title(w: Mapping[str, Any]) -> str:
    return f"{w['id']} {w['title']}"


def _action(w: Mapping[str, Any], a: Mapping[str, Any], names: Mapping[str, str]) -> list[Cell]:
    return [
        _title(w),
        a["id"],
        a["text"],
        "; ".join(shown(a.get("about", ()), names)),
        a.get("owner", ""),
        _day(a.get("start", "")),
        _day(words.due_as_said(a)),
        a["status"],
        _day(a["since"]),
        a["overdue_days"] or None,
        a.get("every", ""),
        # On lines of their own, as `plan import` takes them apart.
        "\n".join(a.get("evidence", ())),
        "\n".join(a.get("answers", ())),
        a["escalate_to"] or "",
        a.get("note", ""),
    ]


def _measure(w: Mapping[str, Any], m: Mapping[str, Any]) -> list[Cell]:
    latest = m["latest"]
    return [
        _title(w),
        m["id"],
        m["text"],
        m.get("target", ""),
        m.get("cadence", ""),
        latest["value"] if latest else "",
        _day(latest["on"]) if latest else "",
    ]
