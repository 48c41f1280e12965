"""What falls due: what every format of a forecast is made from. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

from compliance.model import RuleInfo, Status, Tables

Standing = Literal["due", "in order", "overdue", "cannot be told"]


@dataclass(frozen=True, slots=True)
class DueItem:
    """One duty that falls due for one record.

    Args:
      what: what is to be done.
      since, limit: what the day is counted from, and how long after; None and empty where the record gives the day itself.
      certain: false if a date or record that cannot be read may be the doing of it.
      staff: the id of the person who answers for the record; empty where none can be told.
    """

    due_on: date
    rule: RuleInfo
    what: str
    key: str
    since: date | None
    limit: str
    certain: bool
    staff: str

    @property
    def role(self) -> str:
        """Who puts it right if it lapses, as the rule has it."""
        return self.rule.put_right.by

    @property
    def responsible(self) -> str:
        """The person, or the role where no person can be told."""
        return self.staff or self.role

    @property
    def week(self) -> date:
        """The Monday of its week."""
        return self.due_on - timedelta(days=self.due_on.weekday())

    @property
    def fingerprint(self) -> str:
        """That of the finding that it becomes if nothing is done."""
        r = self.rule
        return hashlib.sha256(f"{r.id}\x1f{r.record}\x1f{self.key}{r.rest}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class RuleAhead:
    """What lies ahead under one rule, all items of its list together.

    Args:
      records: how many records there are to ask it of; each may have several standings where the rule has a list.
      due: how many fall due in the window, `overdue` already, cannot be `untold`.
      in_order: how many fall due after the window; the smallest and the median days left to these, None without any.
    """

    rule: RuleInfo
    status: Status
    why: str = ""
    records: int = 0
    due: int = 0
    overdue: int = 0
    untold: int = 0
    in_order: int = 0
    least_days: int | None = None
    median_days: int | None = None


@dataclass(frozen=True)
class Forecast:
    """What falls due from `as_at` on, for so many `days`, the last included.

    Args:
      data: the export's name as the user gave it.
      due: by person (those known by role alone last), then day, rule and record; each call reads them anew.
    """

    as_at: date
    days: int
    data: str
    rules: tuple[RuleAhead, ...]
    tables: Tables
    due: Callable[[], Iterator[DueItem]]

    @property
    def last(self) -> date:
        """The last day of the window."""
        return self.as_at + timedelta(days=self.days)

    def kept(self) -> Forecast:
        """The same with what falls due in memory: it can be read when the engine is closed."""
        its = tuple(self.due())
        return replace(self, due=lambda: iter(its))

    def n(self, what: Literal["due", "overdue", "untold", "in_order"]) -> int:
        """How many, under all rules."""
        return sum(getattr(r, what) for r in self.rules)

    def n_rules(self, status: str) -> int:
        """How many rules came to this."""
        return sum(r.status == status for r in self.rules)

    def by_person_and_week(self) -> Iterator[tuple[str, str, Iterator[tuple[date, Iterator[DueItem]]]]]:
        """Each person, or with an empty id each role, with each week, given by its Monday, and what is due in it."""
        for (staff, role), its in groupby(self.due(), key=lambda d: (d.staff, "" if d.staff else d.role)):
            yield staff, role, groupby(its, key=lambda d: d.week)


def places(rules: Sequence[RuleInfo]) -> list[int]:
    """For each rule the position of the first of those that are the same rule asked for another item of its list."""
    first: dict[tuple[str, str], int] = {}
    return [first.setdefault((r.id, r.own_policy), n) for n, r in enumerate(rules)]


def fold(
    rules: Sequence[RuleInfo],
    records: dict[int, int],
    failed: dict[int, str],
    tally: Iterable[tuple[int, Standing, int, int, int]],
) -> tuple[RuleAhead, ...]:
    """What became of each rule.

    Args:
      records: how many there are, for each rule that was asked.
      tally: position of the rule, a standing, how many have it, and the smallest and the median days left.
    """
    found: dict[int, dict[Standing, tuple[int, int, int]]] = {}
    for place, standing, *numbers in tally:
        found.setdefault(place, {})[standing] = (numbers[0], numbers[1], numbers[2])
    at = places(rules)
    broken = {at[n]: why for n, why in failed.items()}
    return tuple(_rule(rules[n], records.get(n), broken.get(n), found.get(n, {})) for n in dict.fromkeys(at))


def _rule(
    rule: RuleInfo, records: int | None, broken: str | None, its: dict[Standing, tuple[int, int, int]]
) -> RuleAhead:
    whole = replace(rule, part="")
    if broken is not None:
        return RuleAhead(whole, "failed", broken)
    if records is None:
        return RuleAhead(whole, rule.status, rule.why)
    if not its:
        why = f"nothing falls due for any of {records:,}" if records else f"no {rule.record} records"
        return RuleAhead(whole, "looked at nothing", why, records)
    n = {standing: its.get(standing, (0, None, None)) for standing in ("due", "overdue", "cannot be told", "in order")}
    in_order, least, median = n["in order"]
    return RuleAhead(
        whole, "ran", "", records, n["due"][0], n["overdue"][0], n["cannot be told"][0], in_order, least, median
    )
