"""What lies ahead of a record under a rule with a clock: the rule as the audit of the day after the day due would read it.

That day differs from record to record, so the rule is lowered a second time with it in place of the as-at date. Whatever in a rule depends
on the day (who is still in post, which version of a limit counts, a future end that is known) comes out as that audit will have it, as long
as nothing more is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compliance.compiler.ir import FALSE, NULL, AsAt, Ir, and_, case, const, is_null, not_, op, or_
from compliance.compiler.lower import Lowered
from compliance.rules.checking import CheckedDeadline, CheckedEvery, CheckedRule

DUE, IN_ORDER, OVERDUE, UNTOLD = "due", "in order", "overdue", "cannot be told"


@dataclass(frozen=True)
class Ahead:
    """Values of a record's row.

    Args:
      standing: `due` in the window, `in order` because it falls due after it, `overdue` already, `cannot be told`; NULL: nothing
        falls due.
      due: the day; `since`: what it is counted from, and `limit`: how long after, by its place among `limits`, which are in words; NULL
        where the record gives the day itself.
      certain: false if a date or record that cannot be read may be the doing of it.
      numbers: the rule's, for each item of its list.
    """

    rule: CheckedRule
    numbers: Mapping[str, int]
    table: str
    limits: tuple[str, ...]
    standing: Ir
    due: Ir
    since: Ir
    limit: Ir
    certain: Ir

    @property
    def values(self) -> tuple[Ir, ...]:
        """All, in their order."""
        return (self.standing, self.due, self.since, self.limit, self.certain)

    def what(self, part: str) -> str:
        """What is to be done, in the rule's words."""
        check = self.rule.check
        assert isinstance(check, CheckedDeadline | CheckedEvery)
        return self.rule.rule.said(check.what, part)


def day_after(now: Lowered) -> Ir:
    """The first day on which what is due next is late."""
    assert now.due is not None
    return op("add_days", now.due.due, const(1))


def ahead(now: Lowered, later: Lowered, days: int, numbers: Mapping[str, int]) -> Ahead:
    """Where a record stands.

    Args:
      now: the rule as at the as-at date; `later`: as at `day_after(now)`.
      days: how long the window is.
    """
    assert now.due is not None and later.due is not None
    due = now.due.due
    overdue = and_(now.when, now.due.lapsed, not_(now.due.ended))
    lies_ahead = op("ge", due, AsAt())
    # Where nothing of it depends on the day that is looked from, it is the same.
    moved = FALSE if later.due.due is now.due.due else op("distinct", later.due.due, due)
    lapses = and_(lies_ahead, not_(moved), later.when, later.due.lapsed)
    in_window = op("le", due, op("add_days", AsAt(), const(days)))
    # What is late then fell due on another day: the day due moves with the day that is looked from.
    untold = or_(
        is_null(now.verdict),
        and_(lies_ahead, or_(is_null(later.verdict), and_(later.when, later.due.lapsed, moved))),
    )
    standing = case(
        overdue, const(OVERDUE), lapses, case(in_window, const(DUE), const(IN_ORDER)), untold, const(UNTOLD), NULL
    )
    start = now.due.start.node if now.due.last is None else op("coalesce", now.due.last, now.due.start.node)
    return Ahead(
        rule=now.rule,
        numbers=numbers,
        table=now.scope.table,
        limits=now.due.limits,
        standing=standing,
        due=due,
        since=NULL if now.due.limit == NULL else start,
        limit=now.due.limit,
        certain=case(is_null(later.verdict), FALSE, const(True)),
    )
