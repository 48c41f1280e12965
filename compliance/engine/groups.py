"""The groups that findings stand in (I/O: the database)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from compliance.engine.database import execute_each
from compliance.model import Group
from compliance.sql import reporting

if TYPE_CHECKING:
    from compliance.engine.arranging import Statement
    from compliance.engine.audited import Audited


def groups(audited: Audited) -> list[Group]:
    """The groups that were asked for, in order, with how many findings each rule has in them."""
    by_label: dict[str, dict[int, int]] = {}
    for label, rule, n in audited.con.execute(reporting.GROUPS).fetchall():
        by_label.setdefault(label, {})[rule] = n
    return [
        Group(label, tuple((audited.rules[rule], counts[rule]) for rule in sorted(counts)))
        for label, counts in by_label.items()
    ]


def labels(audited: Audited, setup: Iterable[Statement]) -> list[str]:
    """The group of each finding, in order, as `setup` puts records into groups."""
    execute_each(audited.con, setup)
    return [label for (label,) in audited.con.execute(reporting.LABELS).fetchall()]
