"""Checked expressions -> operations. Here is what unknown, in doubt, and a count that is a range mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date
from functools import partial, reduce
from itertools import pairwise
from typing import TypeVar, cast

from compliance.compiler.ir import (
    BREACH,
    COMPLIANT,
    DANGER,
    DANGER_NOT_EVIDENCED,
    FALSE,
    ITEM,
    LATE,
    NOT_APPLICABLE,
    NOT_EVIDENCED,
    NULL,
    PAST,
    PENDING,
    TRUE,
    Adrift,
    AsAt,
    Column,
    Const,
    Group,
    Hole,
    Ir,
    Op,
    OpenDay,
    Ordinal,
    Outer,
    Up,
    Window,
    and_,
    case,
    const,
    contains,
    has_outer,
    in_gap,
    is_null,
    not_,
    op,
    or_,
    resolve_outer,
    skipping,
)
from compliance.dates import english
from compliance.language import tree
from compliance.model import Dated, Items, Limit, Link, Parameter, RecordKinds, Table, Unit, Within
from compliance.rules.checking import (
    CheckedDeadline,
    CheckedEvery,
    CheckedRegime,
    CheckedRule,
    Conditions,
    needed,
    sources_in,
)

T = TypeVar("T")

REACHED = {">=": (0, False), ">": (1, False), "<": (0, True), "<=": (1, True)}
"""How a comparison of months or years is asked of a date: so many more, and whether not."""
OPEN, UNTOLD = const(BREACH), const(NOT_EVIDENCED)
NO_MORE: Ir = const(0)
COMPARE = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


@dataclass(frozen=True, slots=True)
class Value:
    """A lowered expression.

    Args:
      node: the value, NULL when unknown; of a count the least that it can be.
      doubt: true where a NULL is not an empty field but something that nobody can tell; FALSE if that cannot be.
      most: the most that a count can be; None if it is exact.
    """

    node: Ir
    doubt: Ir = FALSE
    most: Ir | None = None

    def exact(self) -> Value:
        """The count where it is exact, in doubt where it is not."""
        if self.most is None:
            return self
        open_ = op("ne", self.node, self.most)
        return Value(case(open_, NULL, self.node), or_(self.doubt, open_))


@dataclass(frozen=True)
class Scope:
    """A row that an expression can name: its index in the checked tree, its table, and the link that led to it."""

    index: int
    table: str
    by: str = ""


@dataclass(frozen=True)
class Pair:
    """A made-up table: each row of `table` with each row that `link` leads to it from, after going up `path`."""

    name: str
    table: str
    path: tuple[Link, ...]
    link: Link


@dataclass(frozen=True)
class DayDue:
    """The day due by one of several limits.

    Args:
      sure: NULL where nobody can tell which limit counts.
      earliest, latest: of the days due by every limit that it may be.
      limit: which limit, by its place; NULL where nobody can tell.
    """

    sure: Ir
    earliest: Ir
    latest: Ir
    limit: Ir

    @property
    def depends(self) -> bool:
        """Whether there is more than one that it may be."""
        return self.sure is not self.latest


@dataclass(frozen=True)
class Due:
    """The lowered parts of a deadline or of a recurring duty that its argument needs.

    Args:
      due: where nobody can tell which limit counts, but all come to the same, the latest if that is past, else the earliest.
      limit: which of `limits`, in words, made the day due; NULL where the day itself is given, or nobody can tell.
      units: of every limit that there may be.
      lapsed: whether the day due is past and what is due not done; `ended`: whether the duty itself has ended.
      regime: which of the rule's limits made the day due, by its place; NULL where there is but one, or nobody can tell.
    """

    start: Value
    due: Ir
    done: Value
    limit: Ir
    limits: tuple[str, ...]
    units: frozenset[Unit]
    lapsed: Ir
    ended: Ir = FALSE
    n_late: Ir | None = None
    gaps: Ir | None = None
    last: Ir | None = None
    end: Ir | None = None
    regime: Ir = NULL


@dataclass(frozen=True)
class Lowered:
    """A rule as operations on a row of its record's table.

    Args:
      when: whether it applies; true, false or unknown.
      conditions: labels and truth values; for a deadline or a recurring duty, one.
      pending: whether the deadline is still running.
      verdict: true: compliant, pending or not applicable; false: breach; unknown: not evidenced.
      scope: the row that is asked about.
      lowerer: by which the rule was read, for what else is said of its rows.
      lawful: for a reading by the agency's own, stricter figure: the verdict by the law; `source` says whose figure it is.
      adrift: the links by which rows belong to nobody that the rule counts; and the verdict if any number of those were the record's.
      breach: how a breach stands, and whether a child may be in danger; `untold`: the same where nobody can tell; of `ir`'s answers.
    """

    rule: CheckedRule
    when: Ir
    conditions: tuple[tuple[str, Ir], ...]
    pending: Ir
    verdict: Ir
    due: Due | None
    scope: Scope
    lowerer: Lowerer
    lawful: Ir | None = None
    source: str = ""
    adrift: tuple[tuple[Link, Ir], ...] = ()
    breach: Ir = OPEN
    untold: Ir = UNTOLD

    @property
    def answer(self) -> Ir:
        """What it says of a row, as `ir` has it."""
        running = FALSE if self.pending == FALSE else and_(self.when, self.pending)
        settled: Ir = op("answer", self.verdict)
        if (self.breach, self.untold) != (OPEN, UNTOLD):
            settled = case(self.verdict, const(COMPLIANT), is_null(self.verdict), self.untold, self.breach)
        return case(not_(self.when), const(NOT_APPLICABLE), running, const(PENDING), settled)


class Lowerer:
    """Lowers expressions of one rule after another against the tables that an export gave.

    Args:
      tables: which columns there are, and which of them are in doubt somewhere.
      parameters: the figures in force for this audit.
      many_days: looked from many days at once, on some of which a rule may not be in force.
      personal: what is personal may be shown.
    """

    def __init__(
        self,
        kinds: RecordKinds,
        tables: Mapping[str, Table],
        parameters: Mapping[str, Parameter],
        many_days: bool = False,
        personal: bool = False,
    ) -> None:
        self.kinds = kinds
        self.personal = personal
        self.tables = tables
        self.parameters = parameters
        self.many_days = many_days
        self.pairs: dict[str, Pair] = {}
        self.items: dict[str, list[str]] = {}
        self.as_at: Ir = AsAt()
        self.judged: Ir = AsAt()
        self.own_limit: Limit | None = None
        self.limits_in_words: dict[str, int] = {}
        self.theirs: Link | None = None

    def if_theirs(self, link: Link) -> Lowerer:
        """One by which any of the rows that belong to nobody by a link may be those of whoever is asked about."""
        other = copy(self)
        other.theirs = link
        return other

    def with_figures(self, parameters: Mapping[str, Parameter], own_limit: Limit | None = None) -> Lowerer:
        """One that reads a rule by these figures and keeps the days by which it is judged; made-up tables are the same for all."""
        other = copy(self)
        other.parameters, other.own_limit = parameters, own_limit
        return other

    def rule(self, checked: CheckedRule, parts: Sequence[str] = ("",), as_at: Ir | None = None) -> Lowered:
        """The whole rule.

        Args:
          parts: the items of its list for which it is asked; then its rows are those of each record with each item.
          as_at: the day that is looked from, where each record has its own.
        """
        record = checked.rule.record
        scope = Scope(0, record if checked.each is None else of_items(record))
        if checked.each is not None:
            known = self.items.setdefault(scope.table, [])
            known += [p for p in parts if p not in known]
        scopes = (scope,)
        self.as_at = self.judged = as_at or AsAt()
        self.limits_in_words = {}
        in_force: Ir = TRUE
        if checked.judged_on is not None:
            judged = self.value(checked.judged_on, scopes).node
            self.judged = op("coalesce", judged, self.as_at)
        if checked.judged_on is not None or self.many_days:
            in_force = self.in_force(checked.rule.from_on, checked.rule.to_on)
        when: Ir = and_(TRUE if checked.when is None else self.value(checked.when, scopes).node, in_force)
        if checked.each is not None:
            when = and_(when, self.dated(checked.each[1], lambda items: _asked(parts, items), scopes))
        pending: Ir = FALSE
        due: Due | None = None
        open_, untold = self.in_danger(checked, scopes)
        past = self.told(checked.past, scopes)
        match checked.check:
            case Conditions(items=items):
                conditions = tuple((c.label, self.value(c.that, scopes).node) for c in items)
                settled = tuple((self.told(c.done_since, scopes), or_(self.told(c.past, scopes), past)) for c in items)
                if checked.rule.unmet == "not_evidenced":
                    conditions = tuple((label, case(truth, TRUE, NULL)) for label, truth in conditions)
                holds = and_(*(c for _, c in conditions))
                breach = _of_conditions([c for _, c in conditions], settled, open_)
            case CheckedDeadline() as d:
                holds, pending, due = self.deadline(d, scopes, checked.judged_on is not None)
                breach = case(not_(is_null(due.done.node)), const(LATE), past, const(PAST), open_)
                conditions = ((deadline_label(d), holds),)
            case CheckedEvery() as e:
                holds, pending, due = self.every(e, scopes, checked.judged_on is not None)
                breach = case(or_(not_(due.lapsed), due.ended, past), const(PAST), open_)
                conditions = ((every_label(e, self.all_limits(e.within)), holds),)
        if when == TRUE:
            verdict = holds
        else:
            # A deadline that is still running does not settle a rule of which nobody can tell whether it applies.
            verdict = or_(
                not_(when), case(pending, case(is_null(when), NULL, TRUE), holds) if pending != FALSE else holds
            )
        return Lowered(checked, when, conditions, pending, verdict, due, scope, self, breach=breach, untold=untold)

    # --- how a finding stands ---

    def told(self, node: tree.Node | None, scopes: tuple[Scope, ...]) -> Ir:
        """A condition that tells only how a finding stands; unknown where the export lacks what it reads."""
        if node is None:
            return FALSE
        nodes = tree.walk(node)
        for need in needed(nodes, sources_in(nodes), self.kinds):
            table = self.tables.get(need.kind)
            if table is None or (need.field and need.field not in table.columns):
                return NULL
        return self.value(node, scopes).node

    def in_danger(self, rule: CheckedRule, scopes: tuple[Scope, ...]) -> tuple[Ir, Ir]:
        """What a breach that is open is, and what nobody can tell: whether a child may be in danger."""
        danger = rule.rule.danger
        if danger is None:
            return OPEN, UNTOLD
        # A child may be, unless the record shows that none is.
        safe = FALSE if rule.danger_if is None else not_(self.told(rule.danger_if, scopes))
        return (
            case(safe, OPEN, const(DANGER)) if danger.reasons.open else OPEN,
            case(safe, UNTOLD, const(DANGER_NOT_EVIDENCED)) if danger.reasons.not_evidenced else UNTOLD,
        )

    def in_force(self, from_on: date, to_on: date | None) -> Ir:
        """Whether the day that decides lies in the rule's own dates; never NULL."""
        until = None if to_on is None else op("le", self.judged, const(to_on))
        return and_(op("ge", self.judged, const(from_on)) if from_on != date.min else None, until)

    # --- the two clocks ---

    def dated(self, dated: Dated[T], make: Callable[[T], Ir], scopes: tuple[Scope, ...]) -> Ir:
        """What `make` gives for the version in force on the day that decides."""
        judged = _of_record(self.judged, scopes)
        made = [(since, make(version)) for since, version in dated.versions]
        # A version that comes to the same as the one before it changes nothing.
        changes = [m for before, m in pairwise(made) if m[1] != before[1]]
        return case(*(x for since, m in reversed(changes) for x in (op("ge", judged, const(since)), m)), made[0][1])

    def limits(self, within: Within) -> Dated[Limit | None]:
        """The versions of a limit."""
        if isinstance(within, str):
            value = self.parameters[within].value
            assert value is not None, "a rule with a parameter that is off is not lowered"
            return Dated(tuple((since, v) for since, v in value.versions if isinstance(v, Limit)))
        return within

    def all_limits(self, regimes: Sequence[CheckedRegime]) -> tuple[Limit, ...]:
        """Every limit that there may be, each once."""
        if self.own_limit is not None:
            return (self.own_limit,)
        found = (limit for r in regimes for _, limit in self.limits(r.within).versions)
        return tuple(dict.fromkeys(limit for limit in found if limit is not None))

    def units(self, regimes: Sequence[CheckedRegime]) -> frozenset[Unit]:
        """The units of all of them."""
        return frozenset(limit.unit for limit in self.all_limits(regimes))

    def day_due(self, start: Ir, within: Dated[Limit | None], judged: bool) -> tuple[Ir, Ir]:
        """The day due by the version in force on that day itself, or on the day that decides; and which limit that is.

        What would fall due while a limit is suspended falls due on the first day of the version after it.
        """
        versions = within.versions
        first = versions[0][1]
        assert first is not None, "a limit that is suspended comes after one that is not"
        before, days, which = first, list[Ir](), list[Ir]()
        for i, (since, limit) in enumerate(versions[1:], 1):
            due = self.add(start, (limit or before).unit, (limit or before).amount, 1)
            from_then_on = op("ge", self.judged if judged else due, const(since))
            if limit is None:
                resumed = versions[i + 1][0]
                suspended = self.limit(f"{before}, suspended until {english(resumed)}")
                days, which = [from_then_on, const(resumed), *days], [from_then_on, suspended, *which]
            else:
                days, which = [from_then_on, due, *days], [from_then_on, self.limit(str(limit)), *which]
                before = limit
        return case(*days, self.add(start, first.unit, first.amount, 1)), case(*which, self.limit(str(first)))

    def limit(self, words: str) -> Ir:
        """A limit of the rule, by its place among all."""
        return const(self.limits_in_words.setdefault(words, len(self.limits_in_words)))

    def regime(self, regimes: Sequence[CheckedRegime], conditions: Sequence[Ir]) -> Ir:
        """Which limit counts, by its place; asked where limits cite duties of their own, else NULL."""
        if not any(r.cites for r in regimes):
            return NULL
        return _first_true(conditions, [const(n) for n in range(len(regimes))])

    def due(self, start: Ir, regimes: Sequence[CheckedRegime], conditions: Sequence[Ir], judged: bool) -> DayDue:
        """The day due by the first limit whose condition is true, and which limit that is.

        Args:
          conditions: of all regimes but the last, as values of the row in which `start` stands.
        """
        found = [self.day_due(start, self.limits(r.within), judged) for r in regimes]
        days, limits = [day for day, _ in found], [limit for _, limit in found]
        sure, limit = _first_true(conditions, days), _first_true(conditions, limits)
        earliest = latest = sure
        if conditions:
            may_be = [
                and_(op("coalesce", c, TRUE), *(not_(op("coalesce", before, FALSE)) for before in conditions[:i]))
                for i, c in enumerate([*conditions, TRUE])
            ]
            candidates = tuple(case(m, day, NULL) for m, day in zip(may_be, days, strict=True))
            # Working days end with the calendar, and a day beyond it is not known.
            beyond = or_(
                *(
                    and_(m, is_null(day))
                    for m, day, r in zip(may_be, days, regimes, strict=True)
                    if "working_days" in self.units([r])
                )
            )
            earliest = case(not_(is_null(sure)), sure, beyond, NULL, Op("least", candidates))
            latest = case(not_(is_null(sure)), sure, beyond, NULL, Op("greatest", candidates))
        if self.own_limit is None:
            return DayDue(sure, earliest, latest, limit)
        own = self.add(start, self.own_limit.unit, self.own_limit.amount, 1)
        by_own = case(is_null(sure), NULL, op("lt", own, sure), self.limit(str(self.own_limit)), limit)
        sure, latest = _extreme("least", [sure, own]), _extreme("least", [latest, own])
        return DayDue(sure, _extreme("least", [earliest, own]) if conditions else sure, latest, by_own)

    def deadline(self, d: CheckedDeadline, scopes: tuple[Scope, ...], judged: bool) -> tuple[Ir, Ir, Due]:
        """Whether the rule holds, whether it is still running, and the parts that its argument needs."""
        start = self.value(d.start, scopes).exact()
        done = self.value(d.done, scopes).exact()
        day = DayDue(start.node, start.node, start.node, NULL)
        regime: Ir = NULL
        if d.within:
            conditions = [self.value(r.condition, scopes).node for r in d.within if r.condition is not None]
            day = self.due(start.node, d.within, conditions, judged)
            regime = self.regime(d.within, conditions)
        undone = is_null(done.node)
        running, lapsed = op("le", self.as_at, day.earliest), op("gt", self.as_at, day.latest)
        pending = and_(undone, not_(is_null(day.earliest)), running)
        late = case(undone, lapsed, op("gt", done.node, day.latest))
        in_time = case(undone, running, op("le", done.node, day.earliest))
        holds = case(is_null(day.latest), NULL, in_time, TRUE, not_(late), NULL, and_(undone, done.doubt), NULL, FALSE)
        due = day.sure
        if day.depends:
            due = case(not_(is_null(day.sure)), day.sure, late, day.latest, in_time, day.earliest, NULL)
        units = self.units(d.within) if d.within else frozenset[Unit](("days",))
        found = Due(
            start, due, done, day.limit, tuple(self.limits_in_words), units, and_(undone, lapsed), regime=regime
        )
        return holds, pending, found

    def every(self, e: CheckedEvery, scopes: tuple[Scope, ...], judged: bool) -> tuple[Ir, Ir, Due]:
        """Whether the rule holds, whether it is still running, and the parts that its argument needs."""
        start = self.value(e.start, scopes).exact()
        until = Value(NULL) if e.until is None else self.value(e.until, scopes).exact()
        conditions = [self.value(r.condition, scopes).node for r in e.within if r.condition is not None]
        source = e.done.source
        inner = self.enter(source, scopes)
        cond = TRUE if e.done.condition is None else self.value(e.done.condition, inner).node
        day = self.value(e.done.value, inner).exact()
        # An end that has not come yet is none; where it is empty, the comparison is unknown and the other branch counts.
        over = op("le", until.node, self.as_at)
        end = case(over, until.node, self.as_at)
        ended = op("coalesce", over, FALSE)
        first, last = Outer(start.node), Outer(end)
        member = and_(cond, op("gt", day.node, first), op("le", day.node, last))
        order = case(member, day.node, NULL)
        # The judging date of a rule belongs to the record, not to each event.
        judged_here, self.judged = self.judged, Outer(self.judged)
        lag = Window(inner[-1].by, "lag", order, order)
        before = op("coalesce", lag, first)
        conditions_here = [in_gap(c, before, is_null(lag), of_linked=True) for c in conditions]
        due_here = self.due(before, e.within, conditions_here, judged)
        self.judged = judged_here
        late_here = and_(member, op("gt", day.node, due_here.latest))
        gap: tuple[Ir, ...] = (before, due_here.latest, day.node)
        regime_here = self.regime(e.within, conditions_here)
        if regime_here != NULL:
            gap = (*gap, regime_here)
        n_late = op("coalesce", self.group(source, scopes, "n_true", (late_here,)), const(0))
        gaps = self.group(source, scopes, "gaps" if len(gap) == 3 else "gaps_by_limit", gap, late_here)
        last_done = self.group(source, scopes, "max", (day.node,), member)
        unsure = or_(is_null(cond), and_(or_(cond, is_null(cond)), is_null(day.node)))
        in_time_of = or_(is_null(day.node), and_(op("gt", day.node, first), op("le", day.node, last)))
        unsure_here = or_(
            FALSE if unsure == FALSE else _any(self.count(source, scopes, unsure)),
            _any(self.may_be(source, scopes, and_(cond, in_time_of))),
        )
        base = op("coalesce", last_done, start.node)
        conditions_open = [in_gap(c, base, is_null(last_done), of_linked=False) for c in conditions]
        day_due = self.due(base, e.within, conditions_open, judged)
        open_late, in_time = op("gt", end, day_due.latest), op("le", end, day_due.earliest)
        broken = or_(op("gt", n_late, const(0)), open_late)
        untold: Ir = is_null(day_due.latest)
        next_due = day_due.sure
        if conditions:
            # By one limit that it may be it is in time, by another late.
            in_time_here = op("coalesce", op("le", day.node, due_here.earliest), FALSE)
            not_told = and_(member, not_(in_time_here), op("coalesce", op("le", day.node, due_here.latest), TRUE))
            untold = or_(untold, not_(in_time), op("gt", self.count(source, scopes, not_told), const(0)))
            next_due = case(
                not_(is_null(day_due.sure)), day_due.sure, open_late, day_due.latest, in_time, day_due.earliest, NULL
            )
        pending = and_(
            is_null(last_done),
            not_(ended),
            not_(is_null(start.node)),
            not_(until.doubt),
            op("le", self.as_at, day_due.earliest),
        )
        holds = case(
            or_(is_null(start.node), until.doubt),
            NULL,
            broken,
            case(unsure_here, NULL, FALSE),
            untold,
            NULL,
            TRUE,
        )
        units = self.units(e.within)
        lapsed = and_(open_late, not_(until.doubt))
        found = Due(
            start,
            next_due,
            Value(last_done),
            day_due.limit,
            tuple(self.limits_in_words),
            units,
            lapsed,
            ended,
            n_late,
            gaps,
            last_done,
            end,
            self.regime(e.within, conditions_open),
        )
        return holds, pending, found

    # --- linked records ---

    def enter(self, source: tree.Source, scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
        """The rows visible inside a `for`: those up to the one that it starts from, and its own."""
        outer = scopes[: next(i for i, s in enumerate(scopes) if s.index == source.scope) + 1]
        return (*outer, Scope(scopes[-1].index + 1, source.link.kind, source.link.name))

    def group(
        self, source: tree.Source, scopes: tuple[Scope, ...], fn: str, args: tuple[Ir, ...], where: Ir | None = None
    ) -> Ir:
        """An aggregate as a value of the innermost row of `scopes`."""
        owner = next(i for i, s in enumerate(scopes) if s.index == source.scope)
        own_table = scopes[owner].table
        inside = (*args, *(() if where is None else (where,)))
        where = None if where == TRUE else where
        if own_table not in self.kinds and not any(contains(a, ITEM) for a in inside):
            # What does not ask about the item is the record's own, and worked out once for all items.
            record = _record_of(own_table)
            plain = tuple(skipping(a, record.name) for a in args)
            filtered = None if where is None else skipping(where, record.name)
            of_record = self.group(source, (Scope(scopes[owner].index, record.to),), fn, plain, filtered)
            found: Ir = Up(record.name, record.to, of_record)
            for _ in range(len(scopes) - 1 - owner):
                found = Outer(found)
            return found
        path = source.path if own_table in self.kinds else (_record_of(own_table), *source.path)
        if path and not any(has_outer(a) for a in inside):
            found = Group(source.link.kind, source.link.name, fn, args, where)
            for link in reversed(path):
                found = Up(link.name, link.to, found)
        else:
            table, link_name = source.link.kind, source.link.name
            if path:
                table = ">".join([own_table, *(k.name for k in path), source.link.back])
                link_name = "outer"
                self.pairs[table] = Pair(table, own_table, path, source.link)
            resolved = tuple(resolve_outer(a, link_name, own_table) for a in args)
            narrowed = None if where is None else resolve_outer(where, link_name, own_table)
            found = Group(table, link_name, fn, resolved, narrowed)
        for _ in range(len(scopes) - 1 - owner):
            found = Outer(found)
        return found

    def count(self, source: tree.Source, scopes: tuple[Scope, ...], where: Ir) -> Ir:
        """How many of the linked rows `where` is true for; never NULL."""
        if where == TRUE:
            return op("coalesce", self.group(source, scopes, "n", ()), const(0))
        if where in (FALSE, NULL):
            return const(0)
        return op("coalesce", self.group(source, scopes, "n_true", (where,)), const(0))

    def may_be(self, source: tree.Source, scopes: tuple[Scope, ...], where: Ir) -> Ir:
        """How many rows for which `where` is true there may be beside those that are linked."""
        if where == FALSE:
            return NO_MORE
        found = [self.of_any(source, scopes)]
        if self.is_near(source):
            found.append(self.count(nearly(source), scopes, or_(where, is_null(where))))
        return _sum(found)

    def is_near(self, source: tree.Source) -> bool:
        """Whether some rows name nobody, but nearly the record to which they would be linked."""
        table = self.tables.get(source.link.kind)
        return table is not None and source.link.name in table.near

    def perhaps(self, source: tree.Source, scopes: tuple[Scope, ...]) -> Ir:
        """Whether there are rows that may be linked: they nearly name the record, or name it and cannot be used."""
        near, _, unusable = self.lost(source, scopes)
        return or_(_any(near), _any(unusable))

    def lost(self, source: tree.Source, scopes: tuple[Scope, ...]) -> tuple[Ir, Ir, Ir]:
        """How many rows nearly name the record, the first of them in its file, and how many of its rows cannot be used."""
        table = self.tables[source.link.kind]
        near: Ir = NO_MORE
        row: Ir = NULL
        unusable: Ir = NO_MORE
        if self.is_near(source):
            near = self.count(nearly(source), scopes, TRUE)
            row = self.group(nearly(source), scopes, "min", (Column("row"),))
        if table.unusable:
            unusable = self.count(unusable_rows(source), scopes, TRUE)
        return near, row, unusable

    def of_any(self, source: tree.Source, scopes: tuple[Scope, ...]) -> Ir:
        """How many rows there are that may be linked, of which nothing else is known: they cannot be used, or belong to nobody."""
        table, link, found = self.tables.get(source.link.kind), source.link, list[Ir]()
        if table is not None and table.unusable:
            found.append(self.count(unusable_rows(source), scopes, TRUE))
        if self.theirs == link:
            found.append(self.adrift(source, scopes))
        return _sum(found)

    def adrift(self, source: tree.Source, scopes: tuple[Scope, ...]) -> Ir:
        """How many rows belong to nobody; none are anybody's where there is no record at the end of the way."""
        found: Ir = Adrift(source.link.kind, source.link.name)
        if source.path:
            found = case(is_null(Column("rid")), NULL, found)
            for link in reversed(source.path):
                found = Up(link.name, link.to, found)
            found = op("coalesce", found, NO_MORE)
        for _ in range(len(scopes) - 1 - next(i for i, s in enumerate(scopes) if s.index == source.scope)):
            found = Outer(found)
        return found

    def outdone(
        self, source: tree.Source, scopes: tuple[Scope, ...], fn: str, best: Ir, item: Ir, where: Ir, undated: Ir
    ) -> Ir:
        """Whether a row that may be linked may come before the first, or after the last, of those that are.

        Args:
          best: the first or last, by `fn`, of the `item` of each; NULL without any.
          where: which rows may count; `undated`: those of which nobody can tell where they stand.
        """
        unknown = _any(self.of_any(source, scopes))
        if not self.is_near(source):
            return unknown
        those = nearly(source)
        other = self.group(those, scopes, fn, (item,), where)
        further = case(is_null(other), FALSE, is_null(best), TRUE, op("gt" if fn == "max" else "lt", other, best))
        return or_(unknown, _any(self.count(those, scopes, and_(where, undated))), further)

    def aggregate(self, a: tree.Aggregate, scopes: tuple[Scope, ...]) -> Value:
        """count, any, all, min, max, sum, latest, earliest."""
        source = a.source
        found = self._aggregate(a, source, scopes)
        doubt = self.path_doubt(source, scopes)
        if doubt == FALSE:
            return found
        # The records hang on a link that cannot be read: whose they are, nobody can tell.
        most = None if found.most is None else case(doubt, NULL, found.most)
        return Value(case(doubt, NULL, found.node), or_(doubt, found.doubt), most)

    def path_doubt(self, source: tree.Source, scopes: tuple[Scope, ...]) -> Ir:
        """Whether the way up to the records of a `for` is in doubt."""
        owner = next(i for i, s in enumerate(scopes) if s.index == source.scope)
        doubt: Ir = self.doubt_of_path(source.path)
        for _ in range(len(scopes) - 1 - owner):
            doubt = Outer(doubt) if doubt != FALSE else doubt
        return doubt

    def _aggregate(self, a: tree.Aggregate, source: tree.Source, scopes: tuple[Scope, ...]) -> Value:
        inner = self.enter(source, scopes)
        cond = TRUE if a.condition is None else self.value(a.condition, inner).node
        unsure_cond = is_null(cond) if cond != TRUE else FALSE
        if a.fn == "count":
            least, more = self.count(source, scopes, cond), self.may_be(source, scopes, cond)
            if unsure_cond != FALSE:
                more = op("add", self.count(source, scopes, unsure_cond), more)
            return Value(least) if more == NO_MORE else Value(least, FALSE, op("add", least, more))
        assert a.value is not None
        value = self.value(a.value, inner)
        if a.fn in ("any", "all"):
            # all(c if f) is not any(not c if f).
            hit = and_(cond, value.node if a.fn == "any" else not_(value.node))
            n_true, n_unsure = self.count(source, scopes, hit), self.count(source, scopes, is_null(hit))
            unsure = or_(op("gt", n_unsure, const(0)), _any(self.may_be(source, scopes, hit)))
            found = case(op("gt", n_true, const(0)), TRUE, unsure, NULL, FALSE)
            return Value(found if a.fn == "any" else not_(found))
        value = value.exact()
        possible = or_(cond, unsure_cond) if cond != TRUE else TRUE
        if a.fn == "sum":
            missing = or_(unsure_cond, and_(cond, is_null(value.node)))
            short: Ir = or_(_any(self.count(source, scopes, missing)), _any(self.may_be(source, scopes, cond)))
            total = op("coalesce", self.group(source, scopes, "sum", (value.node,), cond), const(0))
            return Value(case(short, NULL, total), short)
        own_date = self.kinds[source.link.kind].date
        doubt: Ir
        undated: Ir
        if a.fn in ("min", "max"):
            best = self.group(source, scopes, a.fn, (value.node,), cond)
            undated = is_null(value.node) if value.node == Column(own_date) else value.doubt
            doubt = (
                op("gt", self.count(source, scopes, and_(possible, undated)), const(0)) if undated != FALSE else FALSE
            )
            if cond != TRUE:
                other = self.group(source, scopes, a.fn, (value.node,), possible)
                doubt = or_(doubt, op("distinct", best, other))
            doubt = or_(doubt, self.outdone(source, scopes, a.fn, best, value.node, possible, undated))
            return Value(case(doubt, NULL, best), doubt)
        # latest, earliest: by the record's own date, then its key.
        fn = "max" if a.fn == "latest" else "min"
        day = self.field(source.link.kind, own_date)
        child = source.link.kind
        rank = op("pair", day.node, Column(self.tables[child].order or self.kinds[child].key))
        dated = not_(is_null(day.node))
        undated = op("gt", self.count(source, scopes, and_(possible, is_null(day.node))), const(0))
        pick = self.group(source, scopes, f"arg_{fn}", (value.node, rank), and_(cond, dated))
        doubt = undated
        best = self.group(source, scopes, fn, (rank,), and_(cond, dated))
        doubt = or_(doubt, self.outdone(source, scopes, fn, best, case(dated, rank, NULL), possible, not_(dated)))
        if cond != TRUE:
            other = self.group(source, scopes, fn, (rank,), and_(possible, dated))
            doubt = or_(doubt, op("distinct", best, other))
        if value.doubt != FALSE:
            own = self.group(source, scopes, f"arg_{fn}", (value.doubt, rank), and_(cond, dated))
            doubt = or_(doubt, op("coalesce", own, FALSE))
        return Value(case(doubt, NULL, pick), doubt)

    def spread(self, s: tree.Spread, scopes: tuple[Scope, ...]) -> tuple[Ir, Ir | None, Ir, Ir, Ir]:
        """Dates or periods beside each other.

        Returns:
          Of a linked row: its start; its end, of a period; the last day that those before it reach, or of dates the day before;
          and whether it counts. Of the record: whether nobody can tell which count, or when they are.
        """
        inner = self.enter(s.source, scopes)
        cond = TRUE if s.condition is None else self.value(s.condition, inner).node
        start = self.value(s.start, inner).exact()
        member = and_(cond, not_(is_null(start.node)))
        order, by, end = case(member, start.node, NULL), inner[-1].by, None
        unknown: Ir = is_null(start.node)
        before = Window(by, "lag", order, order)
        if s.end is not None:
            ended = self.value(s.end, inner).exact()
            unknown = or_(unknown, ended.doubt)
            end = case(is_null(ended.node), _of_record(self.as_at, inner), ended.node)
            before = Window(by, "running_max", order, case(member, end, NULL))
        unsure = or_(is_null(cond) if cond != TRUE else FALSE, and_(or_(cond, is_null(cond)), unknown))
        more = self.may_be(s.source, scopes, cond)
        return start.node, end, before, member, or_(_any(self.count(s.source, scopes, unsure)), _any(more))

    def gap(self, g: tree.Gap, scopes: tuple[Scope, ...]) -> Value:
        """The largest gap between dates or periods."""
        source, (start, end, covered, member, doubt) = g.source, self.spread(g, scopes)
        if end is None:
            size: Ir = op("days_between", covered, start)
            largest = self.group(source, scopes, "max", (size,), member)
        else:
            size = _uncovered(covered, start)
            largest = self.group(source, scopes, "max", (size,), member)
            first = self.group(source, scopes, "min", (start,), member)
            last = self.group(source, scopes, "max", (end,), member)
            since = None if g.since is None else self.value(g.since, scopes).exact()
            until = None if g.until is None else self.value(g.until, scopes).exact()
            sizes: list[Ir] = [op("coalesce", largest, const(0))]
            doubts: list[Ir] = []
            if since is not None:
                sizes.append(_uncovered(since.node, first))
                doubts.append(since.doubt)
            if until is not None:
                sizes.append(_uncovered(last, until.node))
                doubts.append(until.doubt)
            none = _uncovered(since.node, until.node) if since is not None and until is not None else NULL
            largest = case(is_null(first), none, _extreme("greatest", sizes))
            doubt = or_(doubt, *doubts)
        return Value(case(doubt, NULL, largest), doubt)

    def most_days(self, m: tree.MostDays, scopes: tuple[Scope, ...]) -> Value:
        """The most days that periods cover within any stretch of a length; a day that several cover counts once."""
        start, end, covered, member, doubt = self.spread(m, scopes)
        assert end is not None
        # What no earlier period has covered.
        begun = case(op("ge", covered, start), op("add_days", covered, const(1)), start)
        pieces = self.group(m.source, scopes, "periods", (begun, end), and_(member, op("le", begun, end)))
        unit, n = m.within.unit, cast(tree.Literal, m.within.amount).value
        months = {"months": 1, "years": 12}.get(unit)
        length = const(cast(int, n) * (months or {"days": 1, "weeks": 7}[unit]))
        most = op("most_in_months" if months else "most_in_days", pieces, length)
        return Value(case(doubt, NULL, op("coalesce", most, const(0))), doubt)

    # --- plain values ---

    def field(self, kind: str, name: str) -> Value:
        """A field in its own row."""
        table, declared = self.tables.get(kind), self.kinds[kind].fields.get(name)
        doubted = table is not None and (
            name in table.doubted or (declared is not None and declared.in_doubt_before in table.columns)
        )
        doubt: Ir = op("coalesce", Column(f"doubt__{name}"), FALSE) if doubted else FALSE
        if table is not None and name in table.shown:
            doubt = or_(doubt, not_(is_null(Column(f"sign__{name}"))))
        return Value(Column(name), doubt)

    def doubt_of_path(self, path: tuple[Link, ...]) -> Ir:
        """Whether a link on the way up cannot be read."""
        doubt: Ir = FALSE
        for link in reversed(path):
            above = FALSE if doubt == FALSE else op("coalesce", Up(link.name, link.to, doubt), FALSE)
            doubt = or_(self.field(link.kind, link.field).doubt, above)
        return doubt

    def field_of(self, f: tree.FieldOf, scopes: tuple[Scope, ...]) -> Value:
        """A field of any row in sight."""
        own = self.field(f.kind, f.field)
        node, doubt = own.node, own.doubt
        position = next(i for i, s in enumerate(scopes) if s.index == f.scope)
        if f.previous:
            day = Column(self.kinds[f.kind].date)
            by = scopes[position].by

            def before(item: Ir) -> Ir:
                return case(is_null(day), NULL, Window(by, "lag", day, item))

            node = before(node)
            doubt = doubt if doubt == FALSE else op("coalesce", before(doubt), FALSE)
        for link in reversed(f.path):
            node = Up(link.name, link.to, node)
            doubt = FALSE if doubt == FALSE else op("coalesce", Up(link.name, link.to, doubt), FALSE)
        doubt = or_(doubt, self.doubt_of_path(f.path))
        for _ in range(len(scopes) - 1 - position):
            node = Outer(node)
            doubt = FALSE if doubt == FALSE else Outer(doubt)
        return Value(node, doubt)

    def sign_of(self, f: tree.FieldOf, scopes: tuple[Scope, ...]) -> Ir:
        """Which sign shows that a field is not empty but lacking, by its place; NULL where none does."""
        table = self.tables.get(f.kind)
        if f.previous or table is None or f.field not in table.shown:
            return NULL
        node: Ir = Column(f"sign__{f.field}")
        for link in reversed(f.path):
            node = Up(link.name, link.to, node)
        for _ in range(len(scopes) - 1 - next(i for i, s in enumerate(scopes) if s.index == f.scope)):
            node = Outer(node)
        return node

    def signs(self, f: tree.FieldOf) -> tuple[str, ...]:
        """What each sign of a field is called."""
        return tuple(sign.label for sign in self.kinds[f.kind].fields[f.field].shown_by)

    def value(self, n: tree.Node, scopes: tuple[Scope, ...]) -> Value:
        """Any expression, in the innermost row of `scopes`."""
        match n:
            case tree.Literal(value=v):
                return Value(const(v))
            case tree.AsAt():
                return Value(_of_record(self.as_at, scopes))
            case tree.PeriodStart(period=period):
                return Value(op(f"start_of_{period}", _of_record(self.as_at, scopes)))
            case tree.FieldOf():
                return self.field_of(n, scopes)
            case tree.Not(item=i):
                return Value(not_(self.value(i, scopes).node))
            case tree.And(items=items):
                return Value(and_(*(self.value(i, scopes).node for i in items)))
            case tree.Or(items=items):
                return Value(or_(*(self.value(i, scopes).node for i in items)))
            case tree.Compare(
                op=symbol,
                left=tree.Between(unit="months" | "years" as unit) as passed,
                right=tree.Literal(value=int(some)),
            ) if symbol in REACHED and some + REACHED[symbol][0] >= 1:
                # Whether so many have passed is far less to ask than how many have.
                more, negated = REACHED[symbol]
                day, until = self.value(passed.start, scopes).exact().node, self.value(passed.end, scopes).exact().node
                reached = op("le", self.add(day, unit, some + more, 1, tree.is_birth(passed.start)), until)
                return Value(not_(reached) if negated else reached)
            case tree.Compare(op=symbol, left=a, right=b):
                return Value(_compare(symbol, self.value(a, scopes), self.value(b, scopes)))
            case tree.IsNone(item=i):
                asked = self.value(i, scopes).exact()
                return Value(case(asked.doubt, NULL, is_null(asked.node)))
            case tree.Member():
                return self.member(n, scopes)
            case tree.HasAll(item=i, options=options):
                held = self.value(i, scopes)
                return Value(self.options(options, lambda o: op("has_all", held.node, *consts(o)), scopes))
            case tree.Fact(item=i):
                return self.value(i, scopes)
            case tree.EachItem():
                item: Ir = ITEM
                for _ in range(len(scopes) - 1):
                    item = Outer(item)
                return Value(item)
            case tree.Since():
                return Value(Hole("since"))
            case tree.First():
                return Value(Hole("first"))
            case tree.IfElse():
                test = self.value(n.condition, scopes).node
                then, other = self.value(n.then, scopes).exact(), self.value(n.other, scopes).exact()
                node = case(test, then.node, is_null(test), NULL, other.node)
                return Value(node, case(test, then.doubt, is_null(test), TRUE, other.doubt))
            case tree.Arithmetic(op=symbol, left=a, right=b):
                return _arithmetic(symbol, self.value(a, scopes), self.value(b, scopes))
            case tree.ParameterOf(name=name):
                return Value(self.parameter(name, scopes))
            case tree.Shift(day=d, length=length, sign=sign):
                return self.shift(d, length, sign, scopes)
            case tree.Between(unit=unit, start=from_, end=to):
                x, y = self.value(from_, scopes).exact(), self.value(to, scopes).exact()
                return Value(self.between(unit, x.node, y.node, tree.is_birth(from_)), or_(x.doubt, y.doubt))
            case tree.Extreme(fn=fn, items=items):
                values = [self.value(i, scopes).exact() for i in items]
                name = "greatest" if fn in ("max", "last_of") else "least"
                doubt = or_(*(v.doubt for v in values))
                if fn in ("first_of", "last_of"):
                    return Value(case(doubt, NULL, Op(name, tuple(v.node for v in values))), doubt)
                return Value(_extreme(name, [v.node for v in values]), doubt)
            case tree.Aggregate():
                return self.aggregate(n, scopes)
            case tree.Gap():
                found = self.gap(n, scopes)
                doubt = self.path_doubt(n.source, scopes)
                return Value(case(doubt, NULL, found.node), or_(doubt, found.doubt))
            case tree.MostDays():
                found = self.most_days(n, scopes)
                doubt = self.path_doubt(n.source, scopes)
                return Value(case(doubt, NULL, found.node), or_(doubt, found.doubt))
            case tree.TableEntry(key=k, entries=entries):
                key = self.value(k, scopes).exact()
                found_parts: list[Ir] = []
                for name, entry in entries:
                    said = self.dated(cast(Dated[object], entry), lambda v: const(_scalar(v)), scopes)
                    found_parts += [op("eq", key.node, const(name)), said]
                return Value(case(*found_parts, NULL), key.doubt)
            case tree.Text(fn=fn, item=a, part=b):
                x, y = self.value(a, scopes), self.value(b, scopes)
                return Value(op(fn, x.node, y.node))
            case tree.Len(item=i):
                listed = self.value(i, scopes)
                return Value(op("len", listed.node), listed.doubt)
        raise TypeError(f"no lowering for {type(n).__name__}")

    def member(self, n: tree.Member, scopes: tuple[Scope, ...]) -> Value:
        """Whether a value is one of several."""
        item = self.value(n.item, scopes).exact()
        if isinstance(n.options, tuple | tree.ListOf | tree.TableEntry):
            return Value(self.options(n.options, lambda items: _is_in(item.node, items), scopes))
        listed = self.value(n.options, scopes)
        return Value(case(is_null(item.node), NULL, op("has", listed.node, item.node)))

    def options(self, options: Items | tree.Node, make: Callable[[Items], Ir], scopes: tuple[Scope, ...]) -> Ir:
        """What `make` gives for the constants that a list has, on the day that decides and for the key that is asked."""
        match options:
            case tuple():
                return make(options)
            case tree.ListOf(versions=versions):
                return self.dated(versions, make, scopes)
            case tree.TableEntry(key=k, entries=entries):
                key = self.value(k, scopes).exact()
                found: list[Ir] = []
                for name, entry in entries:
                    found += [op("eq", key.node, const(name)), self.dated(cast(Dated[Items], entry), make, scopes)]
                return case(*found, NULL)
        raise TypeError(f"no list: {type(options).__name__}")

    def parameter(self, name: str, scopes: tuple[Scope, ...]) -> Ir:
        """A figure that is a number, by the date that decides."""
        value = self.parameters[name].value
        assert value is not None, "a rule with a parameter that is off is not lowered"
        return self.dated(value, lambda v: const(_scalar(v)), scopes)

    def shift(self, d: tree.Node, length: tree.Node, sign: int, scopes: tuple[Scope, ...]) -> Value:
        """A date and a length of time."""
        day = self.value(d, scopes).exact()
        if isinstance(length, tree.ParameterOf):
            limits = cast(Dated[Limit], self.limits(length.name))
            born = tree.is_birth(d)
            return Value(
                self.dated(limits, lambda v: self.add(day.node, v.unit, v.amount, sign, born), scopes), day.doubt
            )
        assert isinstance(length, tree.Length)
        if isinstance(length.amount, tree.Literal):
            amount = length.amount.value
            assert isinstance(amount, int)
            return Value(self.add(day.node, length.unit, amount, sign, tree.is_birth(d)), day.doubt)
        amount_value = self.value(length.amount, scopes).exact()
        node = self.add_some(day.node, length.unit, amount_value.node, sign)
        if tree.is_birth(d) and length.unit == "years" and sign > 0:
            eve = self.add_some(op("add_days", day.node, const(-1)), length.unit, amount_value.node, sign)
            node = Op("greatest", (node, op("add_days", eve, const(1))))
        # A number out of bounds is no length of time.
        sound = and_(op("ge", amount_value.node, const(0)), op("le", amount_value.node, const(36_600)))
        return Value(case(sound, node, NULL), or_(day.doubt, amount_value.doubt))

    def add(self, day: Ir, unit: Unit, amount: int, sign: int, born: bool = False) -> Ir:
        """`day` and a length of time that is known; `born`: somebody was born on it, and a length in years is an age."""
        if born and unit == "years" and sign > 0:
            # Who was born on 29 February is a year older on 1 March, where there is no 29 February.
            eve = self.add(op("add_days", day, const(-1)), unit, amount, sign)
            return Op("greatest", (self.add(day, unit, amount, sign), op("add_days", eve, const(1))))
        match unit:
            case "days" | "weeks":
                days = amount * (7 if unit == "weeks" else 1)
                return day if days == 0 else op("add_days", day, const(sign * days))
            case "months" | "years":
                return op("add_months", day, const(sign * amount * (12 if unit == "years" else 1)))
        eve = op("add_days", day, const(-1))
        if sign > 0:
            return OpenDay(op("add", Ordinal(eve), const(1)) if amount == 0 else op("add", Ordinal(day), const(amount)))
        return OpenDay(Ordinal(day) if amount == 0 else op("sub", Ordinal(eve), const(amount - 1)))

    def add_some(self, day: Ir, unit: Unit, amount: Ir, sign: int) -> Ir:
        """`day` and a length of time that the record gives."""
        signed = amount if sign > 0 else op("neg", amount)
        # Bounded here, so that no row of a table, applicable or not, can overflow a date.
        bounded = case(op("between", signed, const(-36_600), const(36_600)), signed, NULL)
        match unit:
            case "days":
                return op("add_days", day, op("whole", bounded))
            case "weeks":
                return op("add_days", day, op("whole", op("mul", bounded, const(7))))
            case "months":
                return op("add_months", day, op("whole", bounded))
            case "years":
                small = case(op("between", signed, const(-1_000), const(1_000)), signed, NULL)
                return op("add_months", day, op("whole", op("mul", small, const(12))))
        eve = op("add_days", day, const(-1))
        zero = self.add(day, unit, 0, sign)
        some = op("add", Ordinal(day), bounded)
        if sign < 0:
            some = op("add", op("add", Ordinal(eve), bounded), const(1))
        return case(op("eq", amount, const(0)), zero, OpenDay(some))

    def between(self, unit: Unit, a: Ir, b: Ir, born: bool = False) -> Ir:
        """Whole units from a to b, towards nought; `born`: somebody was born on a, and years are an age."""
        if born and unit == "years":
            whole = self.between(unit, a, b)
            aged = Op("least", (whole, self.between(unit, op("add_days", a, const(-1)), op("add_days", b, const(-1)))))
            # Before the birth there is no age, and years are years.
            return case(is_null(whole), NULL, Op("greatest", (aged, Op("least", (whole, const(0))))))
        match unit:
            case "days":
                return op("days_between", a, b)
            case "weeks":
                return op("quotient", op("days_between", a, b), const(7))
            case "months":
                return op("months_between", a, b)
            case "years":
                return op("quotient", op("months_between", a, b), const(12))
        return op("sub", Ordinal(b), Ordinal(a))


def nearly(source: tree.Source) -> tree.Source:
    """The rows that nearly name the record to which those of `source` are linked."""
    return replace(source, link=replace(source.link, name=f"{source.link.name}?", back=f"{source.link.back}?"))


def unusable_rows(source: tree.Source) -> tree.Source:
    """The rows that name the record to which those of `source` are linked, and cannot be used."""
    return replace(source, link=replace(source.link, kind=f"{source.link.kind}?"))


def _sum(counts: Sequence[Ir]) -> Ir:
    some = [n for n in counts if n != NO_MORE]
    return reduce(partial(op, "add"), some) if some else NO_MORE


def _any(count: Ir) -> Ir:
    return FALSE if count == NO_MORE else op("gt", count, NO_MORE)


def _first_true(conditions: Sequence[Ir], values: Sequence[Ir]) -> Ir:
    """The value that goes with the first condition that is true, the last without any; NULL where nobody can tell which."""
    return case(*(x for c, v in zip(conditions, values, strict=False) for x in (c, v, is_null(c), NULL)), values[-1])


def _of_record(day: Ir, scopes: tuple[Scope, ...]) -> Ir:
    """A day that belongs to the record, as a value of the innermost row."""
    if not isinstance(day, AsAt):
        for _ in range(len(scopes) - 1):
            day = Outer(day)
    return day


def of_items(kind: str) -> str:
    """The made-up table of each record of a kind with each item of the lists that its rules are asked for."""
    return f"{kind}*"


def _record_of(table: str) -> Link:
    """From a row of such a table to the record itself."""
    return Link("of", table, table.removesuffix("*"), "", "")


def _asked(parts: Sequence[str], items: Items) -> Ir:
    """Whether the item of the row, one of `parts`, is in a list."""
    left_out = [p for p in parts if p not in items]
    if 2 * len(left_out) <= len(parts):
        return not_(op("in", ITEM, *(const(p) for p in left_out))) if left_out else TRUE
    return op("in", ITEM, *(const(p) for p in parts if p in items)) if len(left_out) < len(parts) else FALSE


def _of_conditions(truths: Sequence[Ir], settled: Sequence[tuple[Ir, Ir]], open_: Ir) -> Ir:
    """How a breach stands: open while one condition neither holds nor is settled, late if what one asks was done since, else past."""
    if len(truths) == 1:
        # It is the one that fails.
        done, past = settled[0]
        return case(done, const(LATE), past, const(PAST), open_)
    if all(s == (FALSE, FALSE) for s in settled):
        return open_
    over = and_(*(or_(truth, *s) for truth, s in zip(truths, settled, strict=True)))
    late = or_(*(and_(not_(truth), done) for truth, (done, _) in zip(truths, settled, strict=True)))
    return case(over, case(late, const(LATE), const(PAST)), open_)


def beside(own: Lowered, lawful: Ir, source: str) -> Lowered:
    """A rule as read by the agency's own figure, beside its reading by the law: where nobody can tell that, nothing is added.

    Args:
      lawful: the verdict by the law.
    """
    untold = is_null(lawful)
    when = and_(own.when, not_(untold))
    return replace(own, when=when, verdict=case(untold, TRUE, own.verdict), lawful=lawful, source=source)


def deadline_label(d: CheckedDeadline) -> str:
    """The condition that a deadline stands for, as a label."""
    return f"{d.what} in time"


def every_label(e: CheckedEvery, limits: Sequence[Limit]) -> str:
    """The condition that a recurring duty stands for, as a label."""
    return f"{e.what} every {' or '.join(str(limit) for limit in limits)}"


def _is_in(item: Ir, items: Items) -> Ir:
    if isinstance(item, Const):
        return const(item.value in items)
    return op("in", item, *consts(items))


def consts(items: Items) -> list[Ir]:
    """Each item as a constant."""
    return [const(_scalar(item)) for item in items]


def _scalar(v: object) -> str | int | bool:
    assert isinstance(v, str | int | bool)
    return v


def _uncovered(covered_to: Ir, start: Ir) -> Ir:
    """Days strictly between two days, at least 0; NULL if either is."""
    days = op("sub", op("days_between", covered_to, start), const(1))
    return case(op("lt", days, const(0)), const(0), days)


def _extreme(name: str, items: list[Ir]) -> Ir:
    if len(items) == 1:
        return items[0]
    return case(or_(*(is_null(i) for i in items)), NULL, Op(name, tuple(items)))


def _compare(symbol: str, a: Value, b: Value) -> Ir:
    name = COMPARE[symbol]
    if a.most is None and b.most is None:
        return op(name, a.node, b.node)
    a_most, b_most = a.most or a.node, b.most or b.node
    yes: Ir
    no: Ir
    match symbol:
        case ">=":
            yes, no = op("ge", a.node, b_most), op("lt", a_most, b.node)
        case ">":
            yes, no = op("gt", a.node, b_most), op("le", a_most, b.node)
        case "<=":
            yes, no = op("le", a_most, b.node), op("gt", a.node, b_most)
        case "<":
            yes, no = op("lt", a_most, b.node), op("ge", a.node, b_most)
        case _:
            yes = and_(op("eq", a.node, b_most), op("eq", a_most, b.node))
            no = or_(op("lt", a_most, b.node), op("gt", a.node, b_most))
            if symbol == "!=":
                yes, no = no, yes
    return case(yes, TRUE, no, FALSE, NULL)


def _arithmetic(symbol: str, a: Value, b: Value) -> Value:
    doubt = or_(a.doubt, b.doubt)
    name = {"+": "add", "-": "sub", "*": "mul"}[symbol]
    if (a.most is None and b.most is None) or symbol == "*":
        x, y = a.exact(), b.exact()
        return Value(op(name, x.node, y.node), or_(x.doubt, y.doubt))
    a_most, b_most = a.most or a.node, b.most or b.node
    if symbol == "+":
        return Value(op("add", a.node, b.node), doubt, op("add", a_most, b_most))
    return Value(op("sub", a.node, b_most), doubt, op("sub", a_most, b.node))
