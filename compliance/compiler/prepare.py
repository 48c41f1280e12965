"""What becomes of each rule for one export, and the plan of those that run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby

from compliance.compiler.ahead import ahead, day_after
from compliance.compiler.argue import argue
from compliance.compiler.binding import bound, owed_by
from compliance.compiler.ir import FALSE, Ir, and_, is_null, not_
from compliance.compiler.lower import Lowered, Lowerer, beside
from compliance.compiler.plan import Question, make_counts, make_forecast, make_plan
from compliance.dates import english
from compliance.findings.argument import Argument
from compliance.model import (
    LAYERS,
    SERVICES,
    Able,
    Limit,
    Parameter,
    Reach,
    RecordKinds,
    RuleInfo,
    Status,
    Tables,
    Wordings,
)
from compliance.rules import wording
from compliance.rules.checking import CheckedRule, Conditions, needs, read_as_text
from compliance.sql.planned import Prepared, PreparedCounts

Span = tuple[date, date]
"""A first and a last day."""


def prepare(
    rules: tuple[CheckedRule, ...],
    kinds: RecordKinds,
    parameters: Mapping[str, Parameter],
    tables: Tables,
    as_at: date,
    with_near: bool = True,
) -> Prepared:
    """Plans every rule that can run; says of every other why not.

    Args:
      with_near: findings are to name the linked record that came nearest to what is asked.
    """
    lowerer = Lowerer(kinds, tables.tables, parameters, personal=tables.personal)
    asked = _asked(rules, kinds, parameters, tables, (as_at, as_at), (as_at, as_at))
    arguments: list[Argument | None] = [None] * len(asked)
    questions = []
    for numbers, low in _lowered(asked, parameters, lowerer, if_theirs=True):
        values, its = argue(low, numbers, with_near)
        questions.append(Question(numbers, low, values.own, values.near))
        for part, number in numbers.items():
            arguments[number] = its[part]
    plan = make_plan(questions, kinds, tables.tables, lowerer)
    since, until = _valid(rules, tables, as_at, as_at)
    infos = tuple(info for info, _ in asked)
    clocked = {r.rule.id: r for info, r in asked if info.status == "ran" and not isinstance(r.check, Conditions)}
    reads = {i: tuple(sorted({n.kind for n in needs(rule, kinds)})) for i, rule in clocked.items()}
    return Prepared(infos, plan, since, until, tuple(arguments), readers=_readers(asked, kinds, tables), reads=reads)


def reach(
    rules: tuple[CheckedRule, ...], kinds: RecordKinds, parameters: Mapping[str, Parameter], tables: Tables, as_at: date
) -> Reach:
    """Which rules can run; nothing is planned for it."""
    asked = _asked(rules, kinds, parameters, tables, (as_at, as_at), (as_at, as_at))
    since, until = _valid(rules, tables, as_at, as_at)
    its = {info.id: Able(info.status, info.lacking) for info, _ in asked}
    return Reach(its, _readers(asked, kinds, tables), since, until)


def _readers(asked: Sequence[tuple[RuleInfo, CheckedRule]], kinds: RecordKinds, tables: Tables) -> dict[str, int]:
    """How many of the rules that run read each field that is shown somewhere to be lacking."""
    shown = {(k, f) for k, table in tables.tables.items() for f in table.shown}
    ran = {rule.rule.id: rule for info, rule in asked if info.status == "ran"} if shown else {}
    read = Counter(
        (n.kind, n.field) for rule in ran.values() for n in {*needs(rule, kinds)} if (n.kind, n.field) in shown
    )
    return {f"{k}.{f}": n for (k, f), n in sorted(read.items())}


def prepare_forecast(
    rules: tuple[CheckedRule, ...],
    kinds: RecordKinds,
    parameters: Mapping[str, Parameter],
    tables: Tables,
    as_at: date,
    days: int,
) -> Prepared:
    """Plans what lies ahead under every rule that has a clock and is in force on some day of the window; the others have no part in it."""
    lowerer = Lowerer(kinds, tables.tables, parameters, many_days=True)
    clocked = tuple(r for r in rules if not isinstance(r.check, Conditions))
    # What is due on the last day is late on the day after.
    last = as_at + timedelta(days=days + 1)
    asked = _asked(clocked, kinds, parameters, tables, (as_at, last), (as_at, as_at))
    now = list(_lowered(asked, parameters, lowerer))
    later = _lowered(asked, parameters, lowerer, [day_after(low) for _, low in now])
    found = [ahead(now[i][1], low, days, numbers) for i, (numbers, low) in enumerate(later)]
    plan = make_forecast(found, kinds, tables.tables, lowerer)
    since, until = _valid(clocked, tables, as_at, last)
    return Prepared(tuple(info for info, _ in asked), plan, since, until, readers=_readers(asked, kinds, tables))


def prepare_trend(
    rules: tuple[CheckedRule, ...],
    kinds: RecordKinds,
    parameters: Mapping[str, Parameter],
    tables: Tables,
    first: date,
    last: date,
) -> PreparedCounts:
    """Plans how many records have each outcome of every rule that is in force on some day from `first` to `last`.

    For each rule: not applicable, pending, breach, not evidenced; before and after its time it applies to nothing.
    """

    def outcomes(low: Lowered) -> tuple[Ir, ...]:
        running = FALSE if low.pending == FALSE else and_(low.when, low.pending)
        return not_(low.when), running, not_(low.verdict), is_null(low.verdict)

    return _counted(
        _asked(rules, kinds, parameters, tables, (first, last), (first, last)), kinds, parameters, tables, outcomes
    )


def prepare_measures(
    rules: tuple[CheckedRule, ...],
    kinds: RecordKinds,
    parameters: Mapping[str, Parameter],
    tables: Tables,
    prefix: str = "",
) -> PreparedCounts:
    """Plans how the records of each measure count, in the order of `kpi.Counts`; `prefix` is that of the plan's tables."""

    def counts(low: Lowered) -> tuple[Ir, ...]:
        holds = and_(*(truth for _, truth in low.conditions))
        sides = (holds, not_(holds), is_null(holds))
        return (*(and_(low.when, s) for s in sides), *(and_(is_null(low.when), s) for s in sides))

    asked = _asked(rules, kinds, parameters, tables, (date.min, date.max))
    return _counted(asked, kinds, parameters, tables, counts, prefix)


def _counted(
    asked: list[tuple[RuleInfo, CheckedRule]],
    kinds: RecordKinds,
    parameters: Mapping[str, Parameter],
    tables: Tables,
    conditions: Callable[[Lowered], tuple[Ir, ...]],
    prefix: str = "",
) -> PreparedCounts:
    """Plans how many records each of a rule's `conditions` is true for, day by day."""
    lowerer = Lowerer(kinds, tables.tables, parameters, many_days=True)
    counted = [Question(numbers, low, conditions(low)) for numbers, low in _lowered(asked, parameters, lowerer)]
    return PreparedCounts(tuple(info for info, _ in asked), make_counts(counted, kinds, tables.tables, lowerer, prefix))


def _asked(
    rules: tuple[CheckedRule, ...],
    kinds: RecordKinds,
    parameters: Mapping[str, Parameter],
    tables: Tables,
    days: Span,
    seen_from: Span | None = None,
) -> list[tuple[RuleInfo, CheckedRule]]:
    """Each rule in each way in which it is asked on some of these days, with what becomes of it.

    Args:
      seen_from: days from which the records are looked at; None: the caller holds back what the export does not cover.
    """
    asked: list[tuple[RuleInfo, CheckedRule]] = []
    for rule in (bound(r, tables.services) for r in rules):
        status, why, lacking = _status(rule, kinds, parameters, tables, days, seen_from)
        info = replace(_info(rule, parameters, status, why), lacking=lacking, owed_by=owed_by(rule, tables.services))
        parts = _parts(rule, tables) if status == "ran" else ("",)
        asked += [(_for_part(info, rule, part), rule) for part in parts]
        own = _own(rule, parameters)
        if own is not None and status == "ran":
            local = replace(_info(rule, own.parameters, status, why), layer="local policy", severity="advice")
            local = replace(local, own_policy=own.source, owed_by=info.owed_by)
            asked += [(_for_part(local, rule, part), rule) for part in parts]
    # The agency's own figures come last, for none is more than advice.
    asked.sort(key=lambda a: bool(a[0].own_policy))
    return asked


def _lowered(
    asked: list[tuple[RuleInfo, CheckedRule]],
    parameters: Mapping[str, Parameter],
    lowerer: Lowerer,
    days: Sequence[Ir] = (),
    if_theirs: bool = False,
) -> Iterator[tuple[dict[str, int], Lowered]]:
    """Every rule that runs, with its number for each item of its list, read by the figures that it is asked with.

    Args:
      days: the day that each is looked at from, where that is not the plan's.
      if_theirs: and what it would say if records that belong to nobody were those of whoever is asked about.
    """
    running = ((number, info, rule) for number, (info, rule) in enumerate(asked) if info.status == "ran")
    together = groupby(running, key=lambda r: (r[1].id, r[1].own_policy))
    for i, ((_, own_policy), parts) in enumerate(together):
        rows = list(parts)
        rule, numbers = rows[0][2], {info.part: number for number, info, _ in rows}
        day = days[i] if days else None
        by = lowerer.with_figures(parameters)
        low = by.rule(rule, list(numbers), day)
        if own_policy:
            own = _own(rule, parameters)
            assert own is not None
            by = lowerer.with_figures(own.parameters, own.limit)
            low = beside(by.rule(rule, list(numbers), day), low.verdict, own.source)
        if if_theirs:
            links = {s.link: None for s in rule.sources() if s.link.name in lowerer.tables[s.link.kind].adrift}
            adrift = tuple((link, by.if_theirs(link).rule(rule, list(numbers), day).verdict) for link in links)
            low = replace(low, adrift=adrift)
        yield numbers, low


@dataclass(frozen=True)
class _Own:
    """An agency's own figures for a rule, beside those of law and of standards."""

    source: str
    parameters: Mapping[str, Parameter]
    limit: Limit | None


def _own(rule: CheckedRule, parameters: Mapping[str, Parameter]) -> _Own | None:
    changed = {n: parameters[n] for n in rule.parameters if parameters[n].local is not None}
    if not changed and rule.own_limit is None:
        return None
    sources = [p.overridden_by for p in changed.values()]
    limit = None
    if rule.own_limit is not None:
        limit, source = rule.own_limit
        sources.append(source)
    figures = {n: replace(p, value=p.local, basis="local policy") for n, p in changed.items()}
    return _Own("; ".join(dict.fromkeys(sources)), {**parameters, **figures}, limit)


def _for_part(info: RuleInfo, rule: CheckedRule, part: str) -> RuleInfo:
    """The rule as it is asked for one item; where that is a duty which it cites, it is about this duty alone."""
    info = replace(
        info,
        part=part,
        title=_told_as(info.title, info.owed_by),
        titles=Wordings(*(_told_as(title, info.owed_by) for title in wording.titles(rule, part))),
        remedies=wording.remedies(rule, part),
        dangers=wording.dangers(rule, part),
    )
    at = next((i for i, d in enumerate(rule.rule.cites) if d.id == part), None)
    if at is None:
        return info
    duty, (regulation, standard) = rule.rule.cites[at], rule.rule.under[at]
    return replace(info, cites=(duty.id,), refs=(duty.ref,), regulation=regulation, standard=standard)


def _told_as(title: str, owed_by: str) -> str:
    """What a finding is called where somebody else owes what is asked."""
    return f"{title} (owed by the {owed_by})" if title and owed_by else title


def _parts(rule: CheckedRule, tables: Tables) -> tuple[str, ...]:
    """The items that the rule is asked for; of a duty that binds other services than this one, it is not."""
    binds = {d.id: SERVICES[d.binds] for d in rule.rule.cites}
    return tuple(p for p in rule.parts if p not in binds or not tables.services or binds[p] & tables.services)


def _valid(rules: tuple[CheckedRule, ...], tables: Tables, as_at: date, last: date) -> tuple[date, date]:
    """The days around `as_at` on which the same rules are in force then, or on some day up to as long after as `last` is, and can run."""
    edges = [d for since, until in tables.covers.values() for d in (since, until + timedelta(days=1))]
    for rule in rules:
        if rule.judged_on is not None:
            continue
        if rule.rule.from_on != date.min:
            edges.append(rule.rule.from_on - (last - as_at))
        if rule.rule.to_on is not None and rule.rule.to_on != date.max:
            edges.append(rule.rule.to_on + timedelta(days=1))
    since = max((edge for edge in edges if edge <= as_at), default=date.min)
    until = min((edge - timedelta(days=1) for edge in edges if edge > as_at), default=date.max)
    return since, until


def _status(
    rule: CheckedRule,
    kinds: RecordKinds,
    parameters: Mapping[str, Parameter],
    tables: Tables,
    days: Span,
    seen_from: Span | None,
) -> tuple[Status, str, tuple[str, ...]]:
    first, last = days
    off = [p for p in rule.parameters if parameters[p].value is None]
    if off:
        by = parameters[off[0]].overridden_by
        return "switched off", f"{', '.join(off)} is off" + (f" ({by})" if by else ""), ()
    r = rule.rule
    if r.only_with and tables.subjects.isdisjoint(r.only_with):
        own = f"{r.pack} is asked only where there are records of its own, such as {r.only_with[0]}"
        return "switched off", own, ()
    if rule.judged_on is None and (last < r.from_on or (r.to_on is not None and first > r.to_on)):
        if last < r.from_on:
            return "not in force", f"in force from {english(r.from_on)}", ()
        return "not in force", f"in force until {english(r.to_on)}" if r.to_on else "", ()
    binding = {kind for d in r.cites for kind in SERVICES[d.binds]}
    if r.cites and tables.services and not binding & tables.services:
        whom, here = " and ".join(sorted(binding)), " and ".join(sorted(tables.services))
        return "not in force", f"binds {whom}, and this is the export of: {here}", ()
    lacking, names = [], []
    for need in sorted(needs(rule, kinds), key=lambda n: (n.kind, n.field)):
        table = tables.tables.get(need.kind)
        if table is None:
            if not need.field:
                reason = tables.absent.get(need.kind, "")
                lacking.append(f"no {need.kind} records" + (f" ({reason})" if reason else ""))
                names.append(need.kind)
        elif need.field and need.field not in table.columns:
            lacking.append(f"no field {need.kind}.{need.field}")
            names.append(f"{need.kind}.{need.field}")
    if seen_from is not None:
        for kind in sorted({n.kind for n in needs(rule, kinds)} & set(tables.covers)):
            since, until = tables.covers[kind]
            if seen_from[0] < since or seen_from[1] > until:
                lacking.append(f"{kind} records only from {english(since)} to {english(until)}")
                names.append(kind)
    if lacking:
        return "could not run", "the export has " + ", ".join(lacking), tuple(names)
    if any(t.order for t in tables.tables.values()) and (read := read_as_text(rule, kinds)):
        return "could not run", f"it reads {read} as a text, and pseudonyms stand for ids", ()
    return "ran", "", ()


def _info(rule: CheckedRule, parameters: Mapping[str, Parameter], status: Status, why: str) -> RuleInfo:
    r = rule.rule
    used = []
    for n in rule.parameters:
        p = parameters[n]
        used.append((n, wording.figure(p), p.basis, p.overridden_by or p.source))
    return RuleInfo(
        id=r.id,
        pack=r.pack,
        title=r.said(r.title, ""),
        record=r.record,
        cites=tuple(d.id for d in r.cites),
        refs=tuple(dict.fromkeys(d.ref for d in r.cites)) or ("KPI",),
        layer=min((d.layer for d in r.cites), key=LAYERS.index, default="local policy"),
        severity=r.severity,
        put_right=r.put_right,
        remedy=r.said(r.remedy, ""),
        note=r.note,
        parameters=tuple(used),
        status=status,
        why=why,
        regulation=r.regulation,
        standard=r.standard,
        area=r.area,
        repeats=r.repeats,
    )
