"""An improvement plan made ready for its page: on a page (Level One), then each workstream with its actions (Level Two)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import compliance.report.plan.level_one as level_one
import compliance.report.plan.level_two as level_two
import compliance.report.plan.page as blocks
from compliance.tracker.state import State


@dataclass(frozen=True)
class Shown:
    """A block, told to the template by what it is; tables without the columns in which nothing stands.

    Args:
      whole: the columns whose cells stay on one line, as on a terminal: a month, a range of months, a status.
    """

    kind: str
    level: int = 0
    text: str = ""
    items: Sequence[str] = ()
    pairs: Sequence[tuple[str, str]] = ()
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    right: Sequence[str] = ()
    whole: Sequence[int] = ()


@dataclass(frozen=True)
class View:
    """What the template is given.

    Args:
      workstreams: each with its title.
    """

    state: State
    page: Sequence[Shown]
    workstreams: Sequence[tuple[str, Sequence[Shown]]]


def view(state: State, as_at: date) -> View:
    """Both levels of the plan as at a day."""
    workstreams: list[tuple[str, list[Shown]]] = []
    for block in blocks.there(level_two.blocks(level_two.data(state, as_at))):
        if isinstance(block, blocks.Heading):
            if block.level == 2:
                workstreams.append((block.text, []))
        elif workstreams:
            workstreams[-1][1].append(_shown(block))
    one = [_shown(b) for b in blocks.there(level_one.blocks(level_one.data(state, as_at)))]
    return View(state, one[1:], workstreams)


def _shown(block: blocks.Block) -> Shown:
    match block:
        case blocks.Heading(level, text):
            return Shown("heading", level, text)
        case blocks.Facts(pairs):
            return Shown("facts", pairs=[(k, v) for k, v in pairs if v])
        case blocks.Table():
            headers, rows = blocks.filled(block)
            short = [i for i in range(len(headers)) if all(len(row[i]) <= blocks.KEPT_WHOLE for row in rows)]
            return Shown("table", headers=headers, rows=rows, right=block.right, whole=short)
        case blocks.Text(text):
            return Shown("text", text=text)
        case blocks.Items(texts):
            return Shown("items", items=texts)
