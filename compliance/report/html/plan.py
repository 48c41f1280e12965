"""An improvement plan made ready for its page: on a page (Level One), then each workstream with its actions (Level Two)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import compliance.report.html.audit as audit
import compliance.report.plan.level_one as level_one
import compliance.report.plan.level_two as level_two
import compliance.report.plan.page as blocks
from compliance.report.plan.answering import shown
from compliance.tracker.state import State

UNFOLDED = 12
"""Records that are named in sight; more are folded on a screen, and printed."""
MOST = 100
"""Records of an action that the page names; `plan show` has all."""


@dataclass(frozen=True)
class About:
    """Whom an action is about, and where its findings are.

    Args:
      about: the first records, with names where names are shown.
      left_out: how many more there are.
      found: how many findings of the page it answers.
    """

    action: str
    about: Sequence[str]
    left_out: int
    found: int

    @property
    def folded(self) -> bool:
        """Whether they are too many to be all in sight."""
        return len(self.about) > UNFOLDED


@dataclass(frozen=True)
class Shown:
    """A block, told to the template by what it is; tables without the columns in which nothing stands.

    Args:
      whole: the columns whose cells stay on one line, as on a terminal: a month, a range of months, a status.
      actions: of a table of actions, whom each is about, row by row.
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
    actions: Sequence[About] = ()


@dataclass(frozen=True)
class View:
    """What the template is given.

    Args:
      workstreams: each with its title.
    """

    state: State
    page: Sequence[Shown]
    workstreams: Sequence[tuple[str, Sequence[Shown]]]


def view(state: State, as_at: date, found: audit.View | None) -> View:
    """Both levels of the plan as at a day.

    Args:
      found: the audit that stands on the same page; None: the plan stands alone.
    """
    workstreams = [
        (level_two.heading(w), [_shown(b, w["actions"], found) for b in blocks.there(level_two.of_workstream(w))])
        for w in level_two.data(state, as_at)["workstreams"]
    ]
    one = [_shown(b) for b in blocks.there(level_one.blocks(level_one.data(state, as_at)))]
    return View(state, one[1:], workstreams)


def _about(action: Mapping[str, Any], found: audit.View | None) -> About:
    about: Sequence[str] = action.get("about", ())
    n = found.answering.found[action["id"]] if found is not None and found.answering is not None else 0
    return About(action["id"], shown(about[:MOST], found.names if found is not None else {}), len(about) - MOST, n)


def _shown(block: blocks.Block, actions: Sequence[Mapping[str, Any]] = (), found: audit.View | None = None) -> Shown:
    match block:
        case blocks.Heading(level, text):
            return Shown("heading", level, text)
        case blocks.Facts(pairs):
            return Shown("facts", pairs=[(k, v) for k, v in pairs if v])
        case blocks.Table():
            headers, rows = blocks.filled(block)
            short = [i for i in range(len(headers)) if all(len(row[i]) <= blocks.KEPT_WHOLE for row in rows)]
            its = [_about(a, found) for a in actions] if block.headers == level_two.ACTIONS else ()
            return Shown("table", headers=headers, rows=rows, right=block.right, whole=short, actions=its)
        case blocks.Text(text):
            return Shown("text", text=text)
        case blocks.Items(texts):
            return Shown("items", items=texts)
