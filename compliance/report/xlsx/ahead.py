"""What falls due, a row for each duty and record; and what headroom there is under each rule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from compliance.findings.forecast import DueItem, Forecast, RuleAhead
from compliance.report.forecast.words import remarks
from compliance.report.xlsx.sheet import MOST_ROWS, Cell, Column, Sheet

DUE = (
    Column("Due", 12),
    Column("Days left", 9),
    Column("Week of", 12),
    Column("What", 40),
    Column("Record", 16),
    Column("Subject", 14),
    Column("Part", 14),
    Column("Answers for it", 18),
    Column("Role", 22),
    Column("Severity if it lapses", 15),
    Column("How the day comes about", 40),
    Column("Rule", 28),
    Column("What is wrong if it is not met", 36),
    Column("Citation", 18),
    Column("Layer", 14),
    Column("Workstream", 20),
    Column("Fingerprint", 18),
)
HEADROOM = (
    Column("Rule", 30),
    Column("What is wrong if it is not met", 44),
    Column("What became of it", 16),
    Column("Why", 36),
    Column("Records", 10),
    Column("Due", 8),
    Column("Overdue", 9),
    Column("Cannot be told", 10),
    Column("In order", 9),
    Column("Least days left", 10),
    Column("Median days left", 10),
)


def write(due: Sheet, headroom: Sheet, ahead: Forecast) -> None:
    """Writes both sheets."""

    def rows() -> Iterator[list[Cell]]:
        for d in sorted(islice(ahead.due(), MOST_ROWS), key=lambda d: (d.due_on, d.rule.id, d.key, d.rule.part)):
            yield _due(d, ahead)

    due.table(DUE, rows(), printed=10)
    headroom.table(HEADROOM, (_rule(r) for r in ahead.rules))


def _due(d: DueItem, ahead: Forecast) -> list[Cell]:
    r = d.rule
    return [
        d.due_on,
        (d.due_on - ahead.as_at).days,
        d.week,
        d.what,
        r.record.replace("_", " "),
        d.key,
        r.part,
        d.staff or "nobody is named",
        d.role,
        r.severity,
        "; ".join(remarks(d)),
        r.id,
        r.title,
        "; ".join(r.refs),
        r.layer,
        r.put_right.workstream,
        d.fingerprint,
    ]


def _rule(r: RuleAhead) -> list[Cell]:
    own = f" (own figure: {r.rule.own_policy})" if r.rule.own_policy else ""
    numbers = (r.records, r.due, r.overdue, r.untold, r.in_order, r.least_days, r.median_days)
    return [r.rule.id, r.rule.title + own, r.status, r.why, *numbers]
