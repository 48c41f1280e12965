"""A slow, obvious evaluator: one record, one rule, one row after the other, in plain Python.

Shares nothing with the engine but the checked tree; docs/language.md and docs/rules.md are what it follows.

A value is `(value, doubt)`: `(None, False)` is empty, `(None, True)` is something that nobody can tell. A count is `Between`.
Truth is True, False or None.
"""

from __future__ import annotations

from bisect import bisect_left
from calendar import isleap, monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, cast

from compliance.dates import period_start
from compliance.language import check, tree
from compliance.model import RECORDED_ON, Dated, Limit, Link, Parameter, RecordKinds
from compliance.rules.checking import CheckedDeadline, CheckedEvery, CheckedRegime, CheckedRule, Conditions

UNREADABLE, NEARLY = "?", "~"
EMPTY: tuple[Any, bool] = (None, False)
UNKNOWN: tuple[Any, bool] = (None, True)
FIRST, LAST = date(2000, 1, 1), date(2100, 12, 31)

Row = dict[str, Any]
Truth = bool | None


def conj(items: Iterable[Truth]) -> Truth:
    """Kleene's and."""
    seen = list(items)
    return False if False in seen else None if None in seen else True


def disj(items: Iterable[Truth]) -> Truth:
    """Kleene's or."""
    seen = list(items)
    return True if True in seen else None if None in seen else False


def neg(item: Truth) -> Truth:
    """Kleene's not."""
    return None if item is None else not item


def _named(f: tree.FieldOf) -> str:
    return ".".join([*(link.name for link in f.path), f.field])


@dataclass(frozen=True)
class Between:
    """A count that may be anything from `low` to `high`."""

    low: int
    high: int


@dataclass
class World:
    """Rows by kind; links are followed by comparing keys."""

    kinds: RecordKinds
    rows: Mapping[str, list[Row]]
    as_at: date
    closed: frozenset[date] = frozenset()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    with_signs: bool = True

    @cached_property
    def signs(self) -> dict[tuple[str, str], list[tree.Node]]:
        """The signs of fields that were asked for, read again from what is written."""
        return {}

    @cached_property
    def plainly(self) -> World:
        """The same, with every empty cell empty: what signs are judged by."""
        return replace(self, with_signs=False)

    def happened(self, kind: str, row: Row, name: str) -> bool:
        """Does a sign show, as on the as-at date, that what an empty field dates has happened?"""
        declared = self.kinds[kind].fields[name].shown_by
        if not self.with_signs or not declared:
            return False
        if (kind, name) not in self.signs:
            read = [check.condition(sign.text, kind, check.Names(self.kinds))[0] for sign in declared]
            self.signs[kind, name] = [node for node in read if node is not None]
        return any(Expressions(self.plainly, kind, row).truth(node) for node in self.signs[kind, name])

    def exists(self, kind: str, row: Row) -> bool:
        """Has the record come to be by the as-at date, and been written down?"""
        said = (row.get(f) for f in self.kinds[kind].counts_from)
        since = next((value for value in said if isinstance(value, date)), None)
        recorded = row.get(RECORDED_ON)
        return not any(isinstance(day, date) and day > self.as_at for day in (since, recorded))

    def all(self, kind: str) -> list[Row]:
        """The records of a kind that exist."""
        return [r for r in self.rows.get(kind, []) if self.exists(kind, r)]

    def cell(self, kind: str, row: Row, name: str) -> tuple[Any, bool]:
        """What the field reads as on the as-at date."""
        f = self.kinds[kind].fields[name]
        value = row.get(name)
        changed = row.get(f.in_doubt_before) if f.in_doubt_before else None
        if value == UNREADABLE or str(value).startswith(NEARLY) or (isinstance(changed, date) and changed > self.as_at):
            return UNKNOWN
        if value is None and self.happened(kind, row, name):
            return UNKNOWN
        if isinstance(value, date) and value > self.as_at and not f.may_lie_ahead:
            return EMPTY
        known = row.get(f.known_from) if f.known_from else None
        if isinstance(known, date) and known > self.as_at:
            return EMPTY
        return (value, False)

    def up(self, kind: str, row: Row, link: Link) -> tuple[Row | None, bool]:
        """The record that a link leads to, and whether the link cannot be read."""
        key, doubt = self.cell(kind, row, link.field)
        if doubt:
            return None, True
        to = self.kinds[link.to]
        return next((r for r in self.all(link.to) if key is not None and r.get(to.key) == key), None), False

    def down(self, link: Link, parent: Row) -> list[Row]:
        """The records that link to `parent`."""
        key = parent[self.kinds[link.to].key]
        return [r for r in self.all(link.kind) if self.cell(link.kind, r, link.field)[0] == key]

    def nearly(self, link: Link, parent: Row) -> list[Row]:
        """The records that may link to `parent`, for they nearly name it."""
        key = f"{NEARLY}{parent[self.kinds[link.to].key]}"
        return [r for r in self.all(link.kind) if r.get(link.field) == key]

    def nobodys(self, link: Link) -> list[Row]:
        """The records whose link cannot be read, or leads to nobody."""
        return [r for r in self.all(link.kind) if r.get(link.field) == UNREADABLE]

    # --- days ---

    def works(self, day: date) -> bool:
        """Is it a working day?"""
        return day.weekday() < 5 and day not in self.closed

    def shift(self, day: date | None, n: int, unit: str, born: bool = False) -> date | None:
        """`day` and n units, n of either sign; for n = 0 working days, use `working_zero`; `born`: somebody was born on the day."""
        if day is None:
            return None
        if born and unit == "years" and n > 0 and (day.month, day.day) == (2, 29) and not isleap(day.year + n):
            return date(day.year + n, 3, 1)
        match unit:
            case "days":
                return day + timedelta(days=n)
            case "weeks":
                return day + timedelta(days=7 * n)
            case "months" | "years":
                months = day.year * 12 + day.month - 1 + n * (12 if unit == "years" else 1)
                year, month = divmod(months, 12)
                return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
        step, left = (1 if n > 0 else -1), abs(n)
        while left:
            day += timedelta(days=step)
            if not FIRST <= day <= LAST:
                return None
            left -= self.works(day)
        return day

    def working_zero(self, day: date | None, sign: int) -> date | None:
        """`day`, or the next working day in the direction of `sign`."""
        while day is not None and not self.works(day):
            day += timedelta(days=sign)
        return day

    def add(self, day: date | None, n: int, unit: str, sign: int, born: bool = False) -> date | None:
        """`day` and n units in the direction of `sign`."""
        if unit == "working_days" and n == 0:
            return self.working_zero(day, sign)
        return self.shift(day, sign * n, unit, born)

    def between(self, a: date, b: date, unit: str, born: bool = False) -> int:
        """Whole units from one day to another."""
        if unit in ("days", "weeks"):
            days = (b - a).days
            return days if unit == "days" else int(days / 7)
        if unit == "working_days":
            if a > b:
                return -self.between(b, a, unit)
            return sum(self.works(a + timedelta(days=i)) for i in range(1, (b - a).days + 1))
        n = 0
        step = 1 if b >= a else -1
        while True:
            there = self.shift(a, n + step, unit, born)
            assert there is not None
            if (there > b) if step > 0 else (there < b):
                return n
            n += step


@dataclass(frozen=True)
class Scope:
    """A record in sight: the rule's own, or that of a `for`."""

    kind: str
    row: Row
    family: tuple[Row, ...] = ()
    """All rows of the same parent, among which `previous` is looked for."""


@dataclass(frozen=True)
class Verdict:
    """What a rule gives for a record.

    Args:
      due_on: the day due, or due next; None where nobody can tell, or nothing falls due.
      failed: labels of conditions of `require` that do not hold or that nobody can tell.
      missing: fields that would be needed to tell.
      standing: of a finding; empty: it is none.
      danger: whether a child may be in danger now.
    """

    outcome: str
    due_on: date | None = None
    late: str = ""
    failed: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()
    standing: str = ""
    danger: bool = False


class Expressions:
    """What expressions come to for one record."""

    def __init__(self, world: World, kind: str, row: Row, part: str = "") -> None:
        self.w, self.part = world, part
        self.since: date | None = None
        self.is_first = False
        self.scopes: list[Scope] = [Scope(kind, row)]
        self.theirs: Link | None = None
        self.judged = world.as_at

    def each(self, source: tree.Source) -> Iterator[Literal["surely", "nearly", "perhaps"]]:
        """Goes through linked rows, then those that nearly are, then those of nobody; the innermost scope is the row."""
        kept = list(self.scopes)
        owner = self.scopes[source.scope]
        kind, row = owner.kind, owner.row
        for link in source.path:
            found, _ = self.w.up(kind, row, link)
            if found is None:
                return
            kind, row = link.to, found
        family = tuple(self.w.down(source.link, row))
        depth = len(kept)
        for child in family:
            self.scopes = [*kept[:depth], Scope(source.link.kind, child, family)]
            yield "surely"
        for child in self.w.nearly(source.link, row):
            self.scopes = [*kept[:depth], Scope(source.link.kind, child, family)]
            yield "nearly"
        for child in self.w.nobodys(source.link) if source.link == self.theirs else ():
            self.scopes = [*kept[:depth], Scope(source.link.kind, child, family)]
            yield "perhaps"
        self.scopes = kept

    def way_in_doubt(self, scope: int, path: tuple[Link, ...]) -> bool:
        """Can a link on the way not be read?"""
        kind, row = self.scopes[scope].kind, self.scopes[scope].row
        for link in path:
            found, doubt = self.w.up(kind, row, link)
            if doubt:
                return True
            if found is None:
                return False
            kind, row = link.to, found
        return False

    def truth(self, n: tree.Node) -> Truth:
        """A condition."""
        value = self.value(n)
        if isinstance(value, Between):
            raise AssertionError("a count is no condition")
        return cast(Truth, value[0])

    def exact(self, n: tree.Node) -> tuple[Any, bool]:
        """A value that is no range."""
        value = self.value(n)
        if isinstance(value, Between):
            return (value.low, False) if value.low == value.high else UNKNOWN
        return cast(tuple[Any, bool], value)

    def range(self, n: tree.Node) -> tuple[Any, Any]:
        """The least and the most that a value may be."""
        value = self.value(n)
        return (value.low, value.high) if isinstance(value, Between) else (value[0], value[0])

    def value(self, n: tree.Node) -> Any:
        """Any expression."""
        match n:
            case tree.Literal(value=v):
                return (v, False)
            case tree.AsAt():
                return (self.w.as_at, False)
            case tree.PeriodStart(period=period):
                return (period_start(self.w.as_at, period), False)
            case tree.FieldOf():
                return self.field(n)
            case tree.Not(item=i):
                return (neg(self.truth(i)), False)
            case tree.And(items=items):
                return (conj([self.truth(i) for i in items]), False)
            case tree.Or(items=items):
                return (disj([self.truth(i) for i in items]), False)
            case tree.Compare(op=op, left=a, right=b):
                return (self.compare(op, a, b), False)
            case tree.IsNone(item=i):
                value, doubt = self.exact(i)
                return (None if doubt else value is None, False)
            case tree.IfElse(condition=c, then=a, other=b):
                test = self.truth(c)
                return UNKNOWN if test is None else self.exact(a if test else b)
            case tree.Member(item=i, options=options):
                return (self.member(i, options), False)
            case tree.HasAll(item=i, options=options):
                held, wanted = self.exact(i)[0], self.listed(options)
                return (None if held is None or wanted is None else all(w in held for w in wanted), False)
            case tree.Fact(item=i):
                return self.value(i)
            case tree.EachItem():
                return (self.part, False)
            case tree.Since():
                return (self.since, False)
            case tree.First():
                return (self.is_first, False)
            case tree.Arithmetic(op=op, left=a, right=b):
                return self.arithmetic(op, a, b)
            case tree.Shift(day=d, length=length, sign=sign):
                return self.shifted(d, length, sign)
            case tree.Between(unit=unit, start=a, end=b):
                (x, xd), (y, yd) = self.exact(a), self.exact(b)
                born = tree.is_birth(a)
                return (None, xd or yd) if x is None or y is None else (self.w.between(x, y, unit, born), False)
            case tree.Extreme(fn="first_of" | "last_of" as fn, items=items):
                values = [self.exact(i) for i in items]
                if any(d for _, d in values):
                    return UNKNOWN
                filled = [v for v, _ in values if v is not None]
                return ((max if fn == "last_of" else min)(filled), False) if filled else EMPTY
            case tree.Extreme(fn=fn, items=items):
                values = [self.exact(i) for i in items]
                if any(v is None for v, _ in values):
                    return (None, any(d for _, d in values))
                return ((max if fn == "max" else min)(v for v, _ in values), False)
            case tree.ParameterOf(name=name):
                found = self.w.parameters[name].value
                assert found is not None
                return (found.on(self.judged), False)
            case tree.Aggregate():
                if self.way_in_doubt(n.source.scope, n.source.path):
                    return UNKNOWN
                return self.aggregate(n)
            case tree.MostDays():
                if self.way_in_doubt(n.source.scope, n.source.path):
                    return UNKNOWN
                return self.most_days(n)
            case tree.Gap():
                if self.way_in_doubt(n.source.scope, n.source.path):
                    return UNKNOWN
                return self.gap(n)
            case tree.TableEntry(key=k, entries=entries):
                key, doubt = self.exact(k)
                entry = dict(entries).get(key)
                return (entry.on(self.judged), doubt) if entry is not None else (None, doubt)
            case tree.Text(fn=fn, item=a, part=b):
                x, y = self.exact(a)[0], self.exact(b)[0]
                return EMPTY if x is None or y is None else (x.startswith(y) if fn == "starts_with" else y in x, False)
            case tree.Len(item=i):
                value, doubt = self.exact(i)
                return (None if value is None else len(value), doubt)
        raise AssertionError(type(n).__name__)

    def field(self, f: tree.FieldOf) -> tuple[Any, bool]:
        """A field, after going up its links."""
        scope = self.scopes[f.scope]
        kind, row = scope.kind, scope.row
        if f.previous:
            day = self.w.kinds[kind].date
            key = self.w.kinds[kind].key
            mine = self.w.cell(kind, row, day)[0]
            dated = [r for r in scope.family if self.w.cell(kind, r, day)[0] is not None]
            dated.sort(key=lambda r: (self.w.cell(kind, r, day)[0], r[key]))
            place = next((i for i, r in enumerate(dated) if r is row), None)
            if mine is None or not place:
                return EMPTY
            row = dated[place - 1]
        for link in f.path:
            found, doubt = self.w.up(kind, row, link)
            if doubt:
                return UNKNOWN
            if found is None:
                return EMPTY
            kind, row = link.to, found
        return self.w.cell(kind, row, f.field)

    def compare(self, op: str, a: tree.Node, b: tree.Node) -> Truth:
        """A comparison, true or false only if it is so for the whole range."""
        (al, ah), (bl, bh) = self.range(a), self.range(b)
        if al is None or bl is None:
            return None
        match op:
            case "<":
                return True if ah < bl else False if al >= bh else None
            case "<=":
                return True if ah <= bl else False if al > bh else None
            case ">":
                return True if al > bh else False if ah <= bl else None
            case ">=":
                return True if al >= bh else False if ah < bl else None
        same = (
            True
            if al == ah == bl == bh
            else False
            if ah < bl or al > bh
            else None
            if (al, bl) != (ah, bh)
            else al == bl
        )
        return same if op == "==" else neg(same)

    def member(self, item: tree.Node, options: Any) -> Truth:
        """Is it among them?"""
        value, listed = self.exact(item)[0], self.listed(options)
        return None if value is None or listed is None else value in listed

    def listed(self, options: Any) -> Any:
        """What a list has, on the day that decides; None where nobody can tell."""
        match options:
            case tuple():
                return options
            case tree.ListOf(versions=versions):
                return versions.on(self.judged)
        return self.exact(options)[0]

    def arithmetic(self, op: str, a: tree.Node, b: tree.Node) -> Any:
        """Sum, difference or product; of counts, a range."""
        x, y = self.value(a), self.value(b)
        if op == "*" or not (isinstance(x, Between) or isinstance(y, Between)):
            (m, md), (n, nd) = self.exact(a), self.exact(b)
            if m is None or n is None:
                return (None, md or nd)
            return ({"+": m + n, "-": m - n, "*": m * n}[op], False)
        (al, ah), (bl, bh) = self.range(a), self.range(b)
        if al is None or bl is None:
            return UNKNOWN
        return Between(al + bl, ah + bh) if op == "+" else Between(al - bh, ah - bl)

    def shifted(self, d: tree.Node, length: tree.Node, sign: int) -> tuple[Any, bool]:
        """A day and a length of time."""
        day, doubt = self.exact(d)
        if isinstance(length, tree.ParameterOf):
            found = self.w.parameters[length.name].value
            assert found is not None
            limit = found.on(self.judged)
            assert isinstance(limit, Limit)
            return (self.w.add(day, limit.amount, limit.unit, sign, tree.is_birth(d)), doubt)
        assert isinstance(length, tree.Length)
        n, n_doubt = self.exact(length.amount)
        if day is None or n is None or not 0 <= n <= 36_600:
            return (None, doubt or n_doubt)
        return (self.w.add(day, int(n), length.unit, sign, tree.is_birth(d)), False)

    def aggregate(self, a: tree.Aggregate) -> Any:
        """What is asked of linked records."""
        rows: list[tuple[Truth, tuple[Any, bool], Row]] = []
        for theirs in self.each(a.source):
            passes = True if a.condition is None else self.truth(a.condition)
            value = (None, False) if a.value is None else self.exact(a.value)
            row = self.scopes[-1].row
            if theirs == "nearly":
                passes = conj([passes, None])
            if theirs == "perhaps":
                # Nothing is known of it, not even whether it counts.
                passes, value, row = None, UNKNOWN, {self.w.kinds[a.source.link.kind].key: ""}
            rows.append((passes, value, row))
        if a.fn == "count":
            low = sum(p is True for p, _, _ in rows)
            return Between(low, low + sum(p is None for p, _, _ in rows))
        if a.fn == "any":
            return (disj(conj([p, v]) for p, (v, _), _ in rows), False)
        if a.fn == "all":
            return (conj(disj([neg(p), v]) for p, (v, _), _ in rows), False)
        if a.fn == "sum":
            if any(p is None or (p and v is None) for p, (v, _), _ in rows):
                return UNKNOWN
            return (sum((v for p, (v, _), _ in rows if p), Decimal(0)), False)
        kind = self.w.kinds[a.source.link.kind]
        if a.fn in ("min", "max"):
            best_of = max if a.fn == "max" else min
            own = (
                isinstance(a.value, tree.FieldOf)
                and a.value.field == kind.date
                and not a.value.path
                and not a.value.previous
            )
            own = own and a.value.scope == len(self.scopes) if isinstance(a.value, tree.FieldOf) else False
            if any(p is not False and v is None and (doubt or own) for p, (v, doubt), _ in rows):
                return UNKNOWN
            sure = [v for p, (v, _), _ in rows if p and v is not None]
            maybe = [v for p, (v, _), _ in rows if p is not False and v is not None]
            best = best_of(sure) if sure else None
            return UNKNOWN if (best_of(maybe) if maybe else None) != best else (best, False)

        # latest, earliest
        def rank(row: Row) -> Any:
            return (self.w.cell(kind.name, row, kind.date)[0], row[kind.key])

        dated = [(p, v, r) for p, v, r in rows if self.w.cell(kind.name, r, kind.date)[0] is not None]
        if any(p is not False and self.w.cell(kind.name, r, kind.date)[0] is None for p, _, r in rows):
            return UNKNOWN
        pick = max if a.fn == "latest" else min
        sure_ = [(rank(r), v) for p, v, r in dated if p]
        maybe_ = [rank(r) for p, _, r in dated if p is not False]
        chosen = pick(sure_, key=lambda s: s[0]) if sure_ else None
        if maybe_ and (chosen is None or pick(maybe_) != chosen[0]):
            return UNKNOWN
        return chosen[1] if chosen else EMPTY

    def periods(self, g: tree.Spread) -> list[tuple[date, date]] | None:
        """The periods, first and last day, in order; None where not all are known."""
        periods: list[tuple[date, date]] = []
        unsure = False
        for theirs in self.each(g.source):
            passes = True if g.condition is None else self.truth(g.condition)
            passes = passes if theirs == "surely" else conj([passes, None]) if theirs == "nearly" else None
            start, _ = self.exact(g.start)
            end, end_doubt = (start, False) if g.end is None else self.exact(g.end)
            unsure = unsure or passes is None or (passes and (start is None or end_doubt))
            if passes and start is not None:
                periods.append((start, self.w.as_at if end is None else end))
        return None if unsure else sorted(periods)

    def most_days(self, m: tree.MostDays) -> tuple[Any, bool]:
        """Every day that a period covers is tried as the first of a stretch."""
        periods = self.periods(m)
        if periods is None:
            return UNKNOWN
        covered = sorted({day for start, end in periods for day in _days_of(start, end)})
        n = cast(tree.Literal, m.within.amount).value

        def within(first: date) -> int:
            after = self.w.shift(first, cast(int, n), m.within.unit)
            assert after is not None
            return bisect_left(covered, after) - bisect_left(covered, first)

        return (max((within(day) for day in covered), default=0), False)

    def gap(self, g: tree.Gap) -> tuple[Any, bool]:
        """The largest gap."""
        periods = self.periods(g)
        since, since_doubt = EMPTY if g.since is None else self.exact(g.since)
        until, until_doubt = EMPTY if g.until is None else self.exact(g.until)
        if periods is None or since_doubt or until_doubt:
            return UNKNOWN
        if g.end is None:
            days = [s for s, _ in periods]
            return (max(((b - a).days for a, b in pairwise(days)), default=None), False)

        def uncovered(a: date, b: date) -> int:
            return max(0, (b - a).days - 1)

        if not periods:
            return (uncovered(since, until), False) if since and until else EMPTY
        if (g.since is not None and since is None) or (g.until is not None and until is None):
            return EMPTY
        sizes = [0]
        reached = periods[0][1]
        for start, end in periods[1:]:
            sizes.append(uncovered(reached, start))
            reached = max(reached, end)
        if since is not None:
            sizes.append(uncovered(since, periods[0][0]))
        if until is not None:
            sizes.append(uncovered(reached, until))
        return (max(sizes), False)


def _days_of(start: date, end: date) -> Iterator[date]:
    return (start + timedelta(days=n) for n in range((end - start).days + 1))


class Evaluator(Expressions):
    """One rule for one record, and one item of the list for which it is asked.

    Args:
      own_limit: the agency's own limit, where the rule is read by that.
      theirs: a link; any of the records that belong to nobody by it may be those of whoever is asked about.
    """

    def __init__(
        self,
        world: World,
        rule: CheckedRule,
        row: Row,
        part: str = "",
        own_limit: Limit | None = None,
        theirs: Link | None = None,
    ) -> None:
        super().__init__(world, rule.rule.record, row, part)
        self.theirs = theirs
        self.rule, self.own_limit = rule, own_limit
        self.is_judged = rule.judged_on is not None
        self.in_force = True
        if rule.judged_on is not None:
            day = self.exact(rule.judged_on)[0]
            self.judged = day if day is not None else world.as_at
            r = rule.rule
            self.in_force = r.from_on <= self.judged and (r.to_on is None or self.judged <= r.to_on)
        self.truths: list[tuple[str, Truth]] = []
        self.broken = False
        self.applies: Truth = True
        self.due_on: date | None = None
        self.settled_on: date | None = None
        self.undone: Truth = True
        """Of a clock: is what is due not done yet, or the last gap still open?"""

    def verdict(self) -> Verdict:
        """What the rule gives for the record, and by when and how late."""
        outcome = self.outcome()
        found = outcome in ("breach", "not_evidenced")
        failed = tuple(label for label, holds in self.truths if not holds) if found else ()
        late = self.late_by() if found and self.broken else ""
        missing = self.missing() if outcome == "not_evidenced" else frozenset()
        standing = (self.standing() if outcome == "breach" else "open") if found else ""
        danger = standing == "open" and self.in_danger(outcome)
        return Verdict(outcome, self.due_on, late, failed, missing, standing, danger)

    # --- how a finding stands ---

    def standing(self) -> str:
        """Of a breach: open if anything is left to do; late if what failed was done since; past if nobody can do it any more."""
        past = self.holds(self.rule.past)
        if not isinstance(self.rule.check, Conditions):
            if self.undone is False:
                return "late" if isinstance(self.rule.check, CheckedDeadline) else "past"
            return "past" if past else "open"
        late = False
        for condition, (_, truth) in zip(self.rule.check.items, self.truths, strict=True):
            if truth:
                continue
            done = self.holds(condition.done_since)
            if not done and not past and not self.holds(condition.past):
                return "open"
            late = late or (done and truth is False)
        return "late" if late else "past"

    def in_danger(self, outcome: str) -> bool:
        """Whether a child may be in danger by a finding that is open, unless the record shows that none is."""
        danger = self.rule.rule.danger
        if danger is None or not (danger.reasons.open if outcome == "breach" else danger.reasons.not_evidenced):
            return False
        return self.rule.danger_if is None or self.truth(self.rule.danger_if) is not False

    def holds(self, node: tree.Node | None) -> bool:
        """Whether a condition is there, and true."""
        return node is not None and self.truth(node) is True

    # --- what is missing ---

    def missing(self) -> frozenset[str]:
        """The fields that are needed for what nobody can tell: whether it applies, or else each such condition."""
        if self.applies is None:
            return self.lacking([self.rule.when])
        match self.rule.check:
            case Conditions(items=items):
                truths = zip(items, self.truths, strict=True)
                return self.lacking([c.that for c, (_, truth) in truths if truth is None])
            case CheckedDeadline() as d:
                return self.lacking([d.start, d.done, *(r.condition for r in d.within)])
            case CheckedEvery() as e:
                named = self.lacking([e.start, *(r.condition for r in e.within)])
                return named | self.inner(e.done.source, [e.done.value, e.done.condition])

    def lacking(self, nodes: Iterable[tree.Node | None]) -> frozenset[str]:
        """What is missing of what some expressions rest on."""
        found: set[str] = set()
        for node in nodes:
            for leaf in self.leaves(node):
                found |= self.lacking_of(leaf)
                own = [n for n in tree.walk(leaf)[1:] if isinstance(n, tree.FieldOf) and n.scope == 0]
                found.update(*(self.lacking_of(n) for n in own))
        return frozenset(found)

    def leaves(self, node: tree.Node | None) -> Iterator[tree.Node]:
        """The fields, and what is asked of linked records, that an expression rests on."""
        if isinstance(node, tree.FieldOf | tree.Aggregate | tree.Spread | tree.HasAll):
            yield node
        else:
            for child in tree.children(node):
                yield from self.leaves(child)

    def lacking_of(self, leaf: tree.Node) -> frozenset[str]:
        """What is missing of one of them. Where a rule asks whether a field is empty, being empty is an answer."""
        match leaf:
            case tree.FieldOf():
                value, doubt = self.exact(leaf)
                lacks = doubt if leaf in self.may_be_empty else value is None
                return frozenset({_named(leaf)}) if lacks else frozenset()
            case tree.HasAll(item=item):
                inside = frozenset(_named(n) for n in tree.walk(item) if isinstance(n, tree.FieldOf))
                return inside if self.truth(leaf) is None else frozenset()
            case tree.Aggregate(source=source, condition=condition, value=value):
                return self.inner(source, [condition, value]) if self.exact(leaf)[0] is None else frozenset()
            case tree.Spread(source=source, condition=condition, start=start, end=end):
                return self.inner(source, [condition, start, end]) if self.exact(leaf)[0] is None else frozenset()
        raise AssertionError(type(leaf).__name__)

    def inner(self, source: tree.Source, nodes: Iterable[tree.Node | None]) -> frozenset[str]:
        """The fields of linked records that a `for` looks at."""
        way = ".".join([*(link.name for link in source.path), source.link.back])
        inside = (n for node in nodes for n in tree.walk(node) if isinstance(n, tree.FieldOf) and n.scope > 0)
        named = {f"{way}.{_named(n)}" for n in inside}
        if "nearly" in list(self.each(source)):
            named.add(f"{way}.{source.link.field}")
        return frozenset(named)

    @cached_property
    def may_be_empty(self) -> set[tree.Node]:
        """What the rule asks the emptiness of, or takes only where it is filled."""
        asked: list[tree.Node] = []
        for n in self.rule.nodes():
            if isinstance(n, tree.IsNone):
                asked.append(n.item)
            if isinstance(n, tree.Extreme) and n.fn in ("first_of", "last_of"):
                asked += n.items
        if isinstance(self.rule.check, CheckedDeadline):
            asked.append(self.rule.check.done)
        for node in asked:
            if isinstance(node, tree.Fact):
                asked.append(node.item)
        return set(asked)

    def late_by(self) -> str:
        """From the day due to the day of doing, or of looking, in words."""
        if self.due_on is None or self.settled_on is None or self.settled_on <= self.due_on:
            return ""
        unit = "working_days" if self.limit_units() == {"working_days"} else "days"
        n = self.w.between(self.due_on, self.settled_on, unit)
        return f"{n} {unit.replace('_', ' ')[: -1 if n == 1 else None]}"

    def limit_units(self) -> set[str]:
        """The units of every limit that the rule has."""
        assert not isinstance(self.rule.check, Conditions)
        if self.own_limit is not None:
            return {self.own_limit.unit}
        limits = (v for r in self.rule.check.within for _, v in self.limit(r.within).versions)
        return {limit.unit for limit in limits if limit is not None}

    def outcome(self) -> str:
        """What the rule gives for the record."""
        when = conj([True if self.rule.when is None else self.truth(self.rule.when), self.in_force])
        if self.rule.each is not None and self.part not in self.rule.each[1].on(self.judged):
            when = False
        pending = False
        match self.rule.check:
            case Conditions(items=items):
                self.truths = [(c.label, self.truth(c.that)) for c in items]
                if self.rule.rule.unmet == "not_evidenced":
                    self.truths = [(label, truth or None) for label, truth in self.truths]
                holds = conj([truth for _, truth in self.truths])
            case CheckedDeadline() as d:
                holds, pending = self.deadline(d)
            case CheckedEvery() as e:
                holds, pending = self.every(e)
        self.broken = holds is False
        self.applies = when
        if when is False:
            return "not_applicable"
        if when is None:
            # Still running settles nothing where nobody knows whether it applies.
            return "compliant" if holds and not pending else "not_evidenced"
        if pending:
            return "pending"
        return {True: "compliant", False: "breach", None: "not_evidenced"}[holds]

    # --- the two clocks ---

    def due(
        self, start: date | None, regimes: tuple[CheckedRegime, ...], is_first: bool = False
    ) -> tuple[date | None, date | None, bool]:
        """The earliest and the latest day due by any limit that it may be, and whether there is but one that it may be.

        The limit is the first whose condition is true. No days where nobody can tell one of them.
        """
        if start is None:
            return None, None, True
        self.since, self.is_first = start, is_first
        days = []
        for regime in regimes:
            holds = True if regime.condition is None else self.truth(regime.condition)
            if holds is not False:
                days.append(self.day_due(start, self.limit(regime.within)))
            if holds:
                break
        if self.own_limit is not None:
            own = self.w.add(start, self.own_limit.amount, self.own_limit.unit, 1)
            days = [None if own is None or day is None else min(day, own) for day in days]
        told = [day for day in days if day is not None]
        return (min(told), max(told), len(days) == 1) if len(told) == len(days) else (None, None, len(days) == 1)

    def limit(self, within: Dated[Limit | None] | str) -> Dated[Limit | None]:
        """The versions of a limit."""
        if isinstance(within, str):
            found = self.w.parameters[within].value
            assert found is not None
            return cast(Dated[Limit | None], found)
        return within

    def day_due(self, start: date, within: Dated[Limit | None]) -> date | None:
        """By the last version whose own day due is not before its first day; or in force on the day that decides.

        What would fall due while a limit is suspended falls due on the first day of the next version.
        """
        for i in range(len(within.versions) - 1, 0, -1):
            since, limit = within.versions[i]
            if limit is None:
                before = within.versions[i - 1][1]
                assert before is not None
                day = self.w.add(start, before.amount, before.unit, 1)
                if day is not None and day >= since:
                    return within.versions[i + 1][0]
                continue
            day = self.w.add(start, limit.amount, limit.unit, 1)
            if (self.judged if self.is_judged else day or date.min) >= since:
                return day
        first = within.versions[0][1]
        assert first is not None
        return self.w.add(start, first.amount, first.unit, 1)

    def deadline(self, d: CheckedDeadline) -> tuple[Truth, bool]:
        """Does it hold, and is it still running?"""
        start, _ = self.exact(d.start)
        done, doubt = self.exact(d.done)
        earliest, latest, sure = self.due(start, d.within) if d.within else (start, start, True)
        self.settled_on = self.w.as_at if done is None else done
        self.undone = done is None
        if earliest is None or latest is None:
            return None, False
        in_time, late = self.settled_on <= earliest, self.settled_on > latest
        self.due_on = latest if sure or late else earliest if in_time else None
        if in_time:
            return True, done is None
        if not late or (done is None and doubt):
            return None, False
        return False, False

    def every(self, e: CheckedEvery) -> tuple[Truth, bool]:
        """Does it hold, and is the first gap still running?"""
        start, _ = self.exact(e.start)
        until, until_doubt = (None, False) if e.until is None else self.exact(e.until)
        if start is None:
            return None, False
        end = self.w.as_at if until is None else min(until, self.w.as_at)
        over = until is not None and until <= self.w.as_at
        days, unsure = [], False
        for theirs in self.each(e.done.source):
            passes = True if e.done.condition is None else self.truth(e.done.condition)
            day, _doubt = self.exact(e.done.value)
            if theirs != "surely":
                may_fill = passes is not False and (day is None or start < day <= end)
                unsure = unsure or may_fill or theirs == "perhaps"
                continue
            if passes is None or (passes and day is None):
                unsure = True
            if passes and day is not None and start < day <= end:
                days.append(day)
        days.sort()
        late, untold, before = False, False, start
        for n, day in enumerate(days):
            earliest, latest, _sure = self.due(before, e.within, n == 0)
            if earliest is None or latest is None:
                # A limit that the calendar does not reach is not told either, where limits depend.
                untold = untold or len(e.within) > 1
            else:
                late = late or day > latest
                untold = untold or earliest < day <= latest
            before = day
        earliest, latest, sure = self.due(before, e.within, not days)
        self.settled_on = end
        in_time = earliest is not None and end <= earliest
        open_late = latest is not None and end > latest
        self.due_on = latest if sure or open_late else earliest if in_time else None
        if until_doubt:
            # Due on that day if it has not ended before.
            return None, False
        if over:
            # What had ended before it was done nobody can do any more.
            self.undone = False
        elif self.due_on is not None:
            self.undone = open_late
        pending = earliest is not None and not days and not over and self.w.as_at <= earliest
        if late or open_late:
            return (None if unsure else False), pending
        if untold or not in_time:
            return None, False
        return True, pending
