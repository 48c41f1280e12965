"""A rule's cases and what is near them: the day before, on and after, empty and unreadable cells, records more and fewer.

A variant is written like a case, so that it can be printed as one. Everything follows from the rule and a seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

from compliance.dates import add_months, english
from compliance.language import tree
from compliance.model import RECORDED_ON, Case, Dated, Limit, Parameter, RecordKinds, Rule, Value
from compliance.proving.cases import MAY_BE, UNREADABLE
from compliance.rules.checking import CheckedRule

Written = dict[str, Any]
Way = tuple[str | int, ...]
"""From the record that is asked about to another: names of links, and positions in lists."""

DAY = timedelta(days=1)
SOME = 8
SINGLES = 1_500
"""Variants with one change that are tried before those with several."""
SORTS = ("day", "day", "day", "value", "value", "value", "blank", "rows", "rows", "part", "seen", "unreadable")
"""How often each sort of change is among several."""
FIRST, LAST = date(2000, 1, 3), date(2099, 12, 1)
MONTH_ENDS = (date(2020, 2, 29), date(2021, 2, 28), date(2021, 1, 31), date(2020, 12, 24))


@dataclass(frozen=True)
class Variant:
    """A case, or something near it.

    Args:
      root: the record that is asked about, with its links, as written.
      changes: what was done to the case.
    """

    case: Case
    root: Written
    as_at: date
    part: str
    changes: tuple[Change, ...] = ()

    @property
    def cost(self) -> int:
        """How far from the case, and how strange."""
        return sum(c.cost for c in self.changes)

    @property
    def name(self) -> str:
        """What the case is called, and how this differs."""
        return (
            f"{self.case.name}, but {', '.join(c.words for c in self.changes)}"[:400]
            if self.changes
            else self.case.name
        )


@dataclass(frozen=True)
class Change:
    """One thing done to a variant; gives nothing where it cannot be done.

    Args:
      said: it in words; or what makes them, for of the many that are offered few are ever told.
      sort: day, value, blank, unreadable, rows (more or fewer records), part, or seen (from another day).
      about: what it tries; of two cases in which the same is tried, one may do.
    """

    said: str | Callable[[], str]
    cost: int
    sort: str
    make: Callable[[Variant], Variant | None]
    about: str = ""

    @property
    def words(self) -> str:
        """What it does."""
        return self.said if isinstance(self.said, str) else self.said()


@dataclass(frozen=True)
class Reads:
    """What a rule looks at, by record kind, and the constants in it that a value may be near.

    Args:
      fields: names of fields by kind.
      beside: those that it does not name, but that say from when a record counts.
      links: names of links up and down by kind.
      texts: what each text field is compared with.
    """

    fields: Mapping[str, tuple[str, ...]]
    beside: frozenset[tuple[str, str]]
    links: Mapping[str, tuple[str, ...]]
    limits: tuple[Limit, ...]
    days: tuple[date, ...]
    numbers: tuple[int, ...]
    texts: Mapping[tuple[str, str], tuple[str, ...]]
    lists: tuple[tuple[str, ...], ...]


def inside(value: object) -> Iterator[object]:
    """`value` and every part of it, whatever node or limit it is made of."""
    yield value
    if isinstance(value, tuple):
        for item in value:
            yield from inside(item)
    elif is_dataclass(value) and not isinstance(value, tree.Type):
        for f in fields(value):
            yield from inside(getattr(value, f.name))


def reads(rule: CheckedRule, kinds: RecordKinds, parameters: Mapping[str, Parameter]) -> Reads:
    """What `rule` looks at."""
    its: dict[str, dict[str, None]] = {}
    ways: dict[str, dict[str, None]] = {}
    limits: dict[Limit, None] = {}
    # A KPI holds since the first day there is, before which is nothing to try.
    span = (rule.rule.from_on, rule.rule.to_on)
    days: dict[date, None] = dict.fromkeys(d for d in span if d is not None and d != date.min)
    numbers: dict[int, None] = {}
    texts: dict[tuple[str, str], dict[str, None]] = {}
    lists: dict[tuple[str, ...], None] = {}

    named: set[tuple[str, str]] = set()

    def read(kind: str, name: str, by_name: bool = True) -> None:
        its.setdefault(kind, {})[name] = None
        if by_name:
            named.add((kind, name))
        field_ = kinds[kind].fields[name]
        its[kind].update(dict.fromkeys(f for f in (field_.known_from, field_.in_doubt_before) if f))

    def up(path: Sequence[Any]) -> None:
        for link in path:
            ways.setdefault(link.kind, {})[link.name] = None
            # A record that nobody has written down yet is one that no link leads to.
            read(link.to, RECORDED_ON, by_name=False)

    def there(kind: str) -> None:
        for name in (*kinds[kind].counts_from, RECORDED_ON):
            read(kind, name, by_name=False)

    there(rule.rule.record)
    figures = tuple(p.value for n in rule.parameters if (p := parameters[n]).value is not None)
    for figure in figures:
        assert figure is not None
        numbers.update({v: None for _, v in figure.versions if isinstance(v, int)})
    for part in inside((rule.when, rule.judged_on, rule.check, rule.each, rule.past, rule.danger_if, figures)):
        for f, among in _compared(part):
            texts.setdefault((f.kind, f.field), {}).update(dict.fromkeys(among))
        match part:
            case tree.FieldOf(path=path, kind=kind, field=name, previous=previous):
                up(path)
                read(kind, name)
                if previous:
                    read(kind, kinds[kind].date)
            case tree.Source(path=path, link=link):
                up(path)
                ways.setdefault(link.to, {})[link.back] = None
                its.setdefault(link.kind, {})
                there(link.kind)
            case tree.Aggregate(fn="latest" | "earliest", source=source):
                read(source.link.kind, kinds[source.link.kind].date)
            case Limit():
                limits[part] = None
            case tree.Length(amount=tree.Literal(value=int() as n), unit=unit):
                limits[Limit(n, unit)] = None
            case tree.Compare(left=tree.Between(unit=unit), right=tree.Literal(value=int() as n)):
                limits[Limit(abs(n), unit)] = None
            case tree.Compare(left=tree.Spread(), right=tree.Literal(value=int() as n)):
                limits[Limit(abs(n) + 1, "days")] = None
            case date() if part != date.min:
                days[part] = None
            case tree.Literal(value=bool()):
                pass
            case tree.Literal(value=int() | Decimal() as some):
                numbers[int(some)] = None
            case tuple() if part and all(isinstance(x, str) for x in part):
                lists[tuple(str(x) for x in part)] = None
    return Reads(
        {k: tuple(v) for k, v in its.items()},
        frozenset((k, n) for k, v in its.items() for n in v) - named,
        {k: tuple(v) for k, v in ways.items()},
        tuple(limits),
        tuple(days),
        tuple(numbers),
        {k: tuple(v) for k, v in texts.items()},
        tuple(lists),
    )


def _compared(part: object) -> Iterator[tuple[tree.FieldOf, list[str]]]:
    """A field, and texts that it is compared with."""
    match part:
        case tree.Compare(left=tree.FieldOf() as f, right=other) | tree.Compare(left=other, right=tree.FieldOf() as f):
            yield f, [x.value for x in inside(other) if isinstance(x, tree.Literal) and isinstance(x.value, str)]
        case tree.Member(item=tree.FieldOf() as f, options=options):
            yield f, [x for x in inside(options) if isinstance(x, str)]
        case tree.TableEntry(key=tree.FieldOf() as f, entries=entries):
            yield f, [key for key, _ in entries]


# --- a variant as records and as text ---


def of_case(rule: Rule, case: Case) -> Variant:
    """A case as it stands."""
    own = case.records.get(rule.record)
    root: Written = {
        **(own if isinstance(own, dict) else {}),
        **{k: v for k, v in case.records.items() if k != rule.record},
    }
    return Variant(case, root, case.as_at, case.part)


def names_in(root: Written, kinds: RecordKinds, kind: str, way: Way = ()) -> Iterator[tuple[Way, str, Written]]:
    """Every record of a variant: the way to it, its kind, and what is written of it."""
    yield way, kind, root
    for name, value in root.items():
        if name in kinds[kind].links and isinstance(value, dict):
            yield from names_in(value, kinds, kinds[kind].links[name].to, (*way, name))
        elif name in kinds.down[kind] and isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, dict):
                    yield from names_in(item, kinds, kinds.down[kind][name].kind, (*way, name, i))


def changed(root: Any, way: Way, change: Callable[[Any], Any]) -> Any:
    """`root` with `change` done at the end of `way`; the rest is shared.

    Raises:
      KeyError, IndexError: the way leads nowhere.
    """
    if not way:
        return change(root)
    first, rest = way[0], way[1:]
    if isinstance(root, list):
        assert isinstance(first, int)
        return [*root[:first], changed(root[first], rest, change), *root[first + 1 :]]
    return {**root, first: changed(root[first], rest, change)}


def as_yaml(v: Variant, rule: CheckedRule, kinds: RecordKinds, name: str, expected: Mapping[str, object]) -> str:
    """The variant as a case, ready to paste below `cases:`."""
    record = rule.rule.record
    own = {k: x for k, x in v.root.items() if k in kinds[record].fields}
    lines = [f"  - name: {name if _PLAIN.fullmatch(name) else _quoted(name)}"]
    if v.case.as_at_given or v.as_at != v.case.as_at:
        lines.append(f"    as_at: {v.as_at}")
    if v.part:
        lines.append(f"    part: {_scalar(v.part)}")
    lines.append(f"    {record}: {_flow(own)}")
    for link, value in v.root.items():
        if link in own:
            continue
        if isinstance(value, list) and len(value) > 1:
            lines += [f"    {link}:", *(f"      - {_flow(item)}" for item in value)]
        else:
            lines.append(f"    {link}: {_flow(value)}")
    if v.case.parameters:
        lines.append(f"    parameters: {_flow({n: _figure(p) for n, p in v.case.parameters.items()})}")
    lines += [f"    {key}: {_flow(value)}" for key, value in expected.items()]
    return "\n".join(lines)


def _figure(value: Dated[Value] | None) -> object:
    if value is None:
        return "off"
    said = {str(since): x if isinstance(x, int) else _limit(x) for since, x in value.versions}
    return next(iter(said.values())) if len(said) == 1 and value.versions[0][0] == date.min else said


def _limit(limit: Limit) -> str:
    return "same day" if not limit.amount and limit.unit == "days" else f"{limit.amount} {limit.unit}"


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(x)}" for k, x in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(x) for x in value) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    plain = re.fullmatch(r"[A-Za-z(][\w '’()/-]*(, [\w '’()/-]+)*", text) and text == text.strip()
    plain = plain and text.lower() not in ("null", "true", "false", "yes", "no", "on", "off")
    # In brackets a comma would end the text.
    if not isinstance(value, str) or (plain and "," not in text) or re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return text
    return _quoted(text)


_PLAIN = re.compile(r"[A-Za-z](?:[^:#]|:(?! )|(?<! )#)*(?<![: ])")
"""A text that needs no quotes on a line of its own."""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# --- changes ---


def _parse(value: object) -> date | None:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None


def _shifted(day: date, limit: Limit, sign: int) -> date:
    if limit.unit in ("months", "years"):
        return add_months(day, sign * limit.amount * (12 if limit.unit == "years" else 1))
    return day + sign * timedelta(days=limit.amount * (7 if limit.unit == "weeks" else 1))


@dataclass
class Changes:
    """Everything that can be done to the variants of one rule.

    Args:
      closed: bank holidays.
      others: records of linked kinds that some case tells of, by kind and link.
    """

    rule: CheckedRule
    kinds: RecordKinds
    reads: Reads
    closed: frozenset[date] = frozenset()
    others: dict[tuple[str, str], list[Written]] = field(default_factory=dict)
    values: dict[tuple[str, str], list[object]] = field(default_factory=dict)

    def learn(self, v: Variant) -> None:
        """Takes note of what a case tells, so that other cases can be told of the same."""
        for _, kind, written in names_in(v.root, self.kinds, self.rule.rule.record):
            for name, value in written.items():
                if name in self.kinds[kind].fields:
                    seen = self.values.setdefault((kind, name), [])
                    if value not in seen:
                        seen.append(value)
                    continue
                pool = self.others.setdefault((kind, name), [])
                for item in value if isinstance(value, list) else [value]:
                    if isinstance(item, dict) and item not in pool:
                        pool.append(item)

    def of(self, v: Variant) -> list[Change]:
        """All single changes, the most natural first."""
        found: list[Change] = []
        days = self._days(v)
        for way, kind, written in names_in(v.root, self.kinds, self.rule.rule.record):
            # A link is changed as a whole, even where only its field is named.
            by_field = {link.field: link.name for link in self.kinds[kind].links.values()}
            links = dict.fromkeys(self.reads.links.get(kind, ()))
            for name in self.reads.fields.get(kind, ()):
                if name in by_field:
                    links[by_field[name]] = None
                elif name != self.kinds[kind].key:
                    found += self._cell(way, kind, name, written.get(name), days, v.as_at)
            for name in links:
                found += self._link(way, kind, name, written.get(name))
        found += self._whole(v, days)
        found.sort(key=lambda c: c.cost)
        return found

    def _days(self, v: Variant) -> dict[date, tuple[int, str]]:
        """Days worth trying: what each costs, and what it lies at."""
        told = {v.as_at: (0, "as at")}
        for day, name in self._told(v):
            told.setdefault(day, (0, name))
        for day in self.reads.days:
            told.setdefault(day, (1, str(day)))
        found: dict[date, tuple[int, str]] = {}

        def around(day: date, cost: int, at: str) -> None:
            for n in (0, -1, 1):
                near = day + n * DAY
                if FIRST <= near <= LAST and (near not in found or found[near][0] > cost):
                    found[near] = (cost, f"{at} {n:+d}")

        for day, (far, at) in told.items():
            if FIRST <= day <= LAST:
                around(day, 1 + far, at)
                for sign in (1, -1):
                    for limit in self.reads.limits:
                        for edge in self._edge(day, limit, sign):
                            around(edge, 2 + far, f"{at} {'+' if sign > 0 else '-'} {limit}")
        for day in MONTH_ENDS:
            found.setdefault(day, (4, "month ends"))
        return found

    def _edge(self, day: date, limit: Limit, sign: int) -> Iterator[date]:
        """The day that is so long after (or before) another; nothing where there is none."""
        try:
            if limit.unit != "working_days":
                yield _shifted(day, limit, sign)
                return
        except (ValueError, OverflowError):
            return
        left = limit.amount
        while left and FIRST <= day <= LAST:
            day += sign * DAY
            left -= day.weekday() < 5 and day not in self.closed
        yield day

    def _cell(
        self, way: Way, kind: str, name: str, now: object, days: Mapping[date, tuple[int, str]], seen: date
    ) -> Iterator[Change]:
        f = self.kinds[kind].fields[name]
        options: dict[str, tuple[object, int, str]] = {}
        if name == RECORDED_ON and (kind, name) in self.reads.beside:
            # It does one thing alone: before the day that is looked from, on it, and after it are all there is to try.
            days = {day: its for day, its in days.items() if abs((day - seen).days) <= 1}
        beside = 3 if (kind, name) in self.reads.beside else 0

        def offer(value: object, cost: int, about: str = "") -> None:
            if value != now or type(value) is not type(now):
                options.setdefault(repr(value), (value, cost + beside, about))

        match f.type:
            case "date":
                for day, (cost, at) in days.items():
                    offer(day.isoformat(), cost, f"{name} at {at}")
            case "boolean":
                offer(True, 1)
                offer(False, 1)
            case "integer" | "number":
                near = {int(n) for n in self.reads.numbers}
                near |= {int(now)} if isinstance(now, int | float) and not isinstance(now, bool) else set()
                for n in sorted({m + d for m in near or {1} for d in (-1, 0, 1)}):
                    if n >= (f.minimum or 0):
                        offer(n, 2)
            case "text":
                compared = self.reads.texts.get((kind, name), ())
                if f.codes:
                    for code in f.codes:
                        offer(code, 1 if code in compared else 3)
                else:
                    for text in compared:
                        offer(text, 1)
                    offer("something else", 2)
            case "list":
                for listed in self.reads.lists:
                    if not f.codes or set(listed) <= set(f.codes):
                        offer(list(listed), 2)
                        for item in listed[:2]:
                            offer([x for x in listed if x != item], 2)
                            offer([item], 3)
                if isinstance(now, list):
                    for item in now[:3]:
                        offer([x for x in now if x != item], 2)
        for value in self.values.get((kind, name), ()):
            if value != UNREADABLE:
                offer(value, 2)
        if now is not None:
            offer(None, 2, name)
        offer(UNREADABLE, 9, name)
        sort = "day" if f.type == "date" else "value"
        for value, cost, about in options.values():
            its = "blank" if value is None else "unreadable" if value == UNREADABLE else sort
            yield Change(partial(_cell_words, way, name, value, seen), cost, its, _set(way, name, value), about)

    def _link(self, way: Way, kind: str, name: str, now: object) -> Iterator[Change]:
        said = name.replace("_", " ")
        pool = self.others.get((kind, name), [])
        if name in self.kinds[kind].links:
            if now is not None:
                yield Change(f"no {said}", 3, "rows", _without(way, name))
            for other in pool:
                if other != now:
                    yield Change(f"another {said}", 4, "rows", _set(way, name, other))
            link = self.kinds[kind].links[name]

            def unreadable(v: Variant) -> Variant | None:
                return _apply(v, way, lambda r: {**{k: x for k, x in r.items() if k != name}, link.field: UNREADABLE})

            yield Change(f"{said} cannot be read", 9, "unreadable", unreadable)
            return
        rows = now if isinstance(now, list) else []
        key = self.kinds[self.kinds.down[kind][name].kind].key
        for i in range(len(rows)):
            one = f" {i + 1}" if len(rows) > 1 else ""
            yield Change(f"without {said}{one}", 2, "rows", _listed(way, name, _drop(i)))
            yield Change(f"{said}{one} twice", 3, "rows", _listed(way, name, _twice(i, key)))
            yield Change(f"{said}{one} may be theirs", 4, "rows", _listed(way, name, _may_be(i)), f"whose {name}")
        for other in pool:
            yield Change(f"one more of {said}", 3, "rows", _listed(way, name, _more(other)))
        if rows:
            yield Change(f"no {said}", 3, "rows", _without(way, name))
        unknown = f"one more of {said}, of which nothing is known"
        yield Change(unknown, 5, "rows", _listed(way, name, _more({})), f"unknown {name}")

    def _whole(self, v: Variant, days: Mapping[date, tuple[int, str]]) -> Iterator[Change]:
        """The same seen from another day, or all of it at another time."""
        for n in (1, -1):
            yield Change(f"seen {'a day later' if n > 0 else 'a day earlier'}", 1, "seen", _seen(n))
        for day, (cost, _) in days.items():
            yield Change(partial(_seen_words, day), 2 + cost, "seen", _seen_on(day))
        for law in self.reads.days:
            for seen in self.days_told(v):
                for edge in (seen, *self.edges(seen)):
                    for n in (0, -1, 1):
                        by = (law - edge).days + n
                        if by:
                            said = f"all {abs(by)} days {'later' if by > 0 else 'earlier'}"
                            yield Change(said, 4, "seen", self.moved(by, by))
        for part in self.rule.parts:
            if part != v.part:
                yield Change(f"asked of {part}", 2, "part", _asked(part))

    def _told(self, v: Variant) -> Iterator[tuple[date, str]]:
        """Every day that is told, and the field that tells it."""
        for _, kind, written in names_in(v.root, self.kinds, self.rule.rule.record):
            for name, value in written.items():
                f = self.kinds[kind].fields.get(name)
                day = _parse(value) if f is not None and f.type == "date" else None
                if day is not None:
                    yield day, name

    def days_told(self, v: Variant) -> list[date]:
        """The day that it is seen from, and every day that is told."""
        return list(dict.fromkeys([v.as_at, *(day for day, _ in self._told(v))]))

    def edges(self, day: date) -> Iterator[date]:
        """The ends of every limit of the rule, counted from a day."""
        for limit in self.reads.limits:
            yield from self._edge(day, limit, 1)

    def moved(self, by: int, seen_by: int) -> Callable[[Variant], Variant | None]:
        """Every date that is told so many days later, and the day that it is seen from."""

        def moved(kind: str, written: Written) -> Written:
            found: Written = {}
            for name, value in written.items():
                if name in self.kinds[kind].fields:
                    day = _parse(value) if self.kinds[kind].fields[name].type == "date" else None
                    found[name] = value if day is None else (day + by * DAY).isoformat()
                elif isinstance(value, dict):
                    found[name] = moved(self.kinds[kind].links[name].to, value)
                elif isinstance(value, list):
                    its = self.kinds.down[kind][name].kind
                    found[name] = [moved(its, x) if isinstance(x, dict) else x for x in value]
                else:
                    found[name] = value
            return found

        def make(v: Variant) -> Variant | None:
            try:
                return replace(v, root=moved(self.rule.rule.record, v.root), as_at=v.as_at + seen_by * DAY)
            except OverflowError:
                return None

        return make


def _cell_words(way: Way, name: str, value: object, seen: date) -> str:
    of = " ".join(str(w + 1) if isinstance(w, int) else w.replace("_", " ") for w in way)
    said = f"{of} {name.replace('_', ' ')}".strip()
    day = _parse(value)
    if day is not None:
        near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((day - seen).days)
        return f"{said.removesuffix(' on')} {near}" if near else f"{said} {english(day)}"
    if value is None:
        return f"{said} empty"
    if value == UNREADABLE:
        return f"{said} cannot be read"
    if isinstance(value, bool):
        return f"{said}: {'yes' if value else 'no'}"
    if isinstance(value, list):
        return f"{said}: {', '.join(str(x) for x in value) or 'nothing'}"[:80]
    return f"{said}: {value}"


def _seen_words(day: date) -> str:
    return f"seen on {english(day)}"


def _apply(v: Variant, way: Way, change: Callable[[Any], Any]) -> Variant | None:
    try:
        return replace(v, root=changed(v.root, way, change))
    except (KeyError, IndexError, TypeError):
        return None


def _set(way: Way, name: str, value: object) -> Callable[[Variant], Variant | None]:
    if value is None:
        return _without(way, name)
    return lambda v: _apply(v, way, lambda r: {**r, name: value})


def _without(way: Way, name: str) -> Callable[[Variant], Variant | None]:
    return lambda v: _apply(v, way, lambda r: {k: x for k, x in r.items() if k != name})


def _listed(way: Way, name: str, change: Callable[[list[Any]], list[Any]]) -> Callable[[Variant], Variant | None]:
    return lambda v: _apply(v, way, lambda r: {**r, name: change(r.get(name) or [])})


def _drop(i: int) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: [*rows[:i], *rows[i + 1 :]]


def _twice(i: int, key: str) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: [*rows, {k: x for k, x in rows[i].items() if k != key}]


def _may_be(i: int) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: [{**r, MAY_BE: True} if n == i and isinstance(r, dict) else r for n, r in enumerate(rows)]


def _more(row: Written) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: [*rows, row]


def _seen(n: int) -> Callable[[Variant], Variant | None]:
    return lambda v: replace(v, as_at=v.as_at + n * DAY)


def _seen_on(day: date) -> Callable[[Variant], Variant | None]:
    return lambda v: None if day == v.as_at else replace(v, as_at=day)


def _asked(part: str) -> Callable[[Variant], Variant | None]:
    return lambda v: replace(v, part=part)


def done(change: Change, v: Variant) -> Variant | None:
    """`v` with one change more."""
    made = change.make(v)
    if made is None:
        return None
    return replace(made, changes=(*v.changes, change))


def with_changes(rule: Rule, case: Case, several: Sequence[Change]) -> Variant | None:
    """A case with these changes, one after the other."""
    made: Variant | None = of_case(rule, case)
    for change in several:
        made = done(change, made) if made is not None else None
    return made


def near(
    rule: CheckedRule,
    kinds: RecordKinds,
    parameters: Mapping[str, Parameter],
    closed: frozenset[date],
    seed: str,
) -> Iterator[Variant]:
    """The cases; then every single change of each, then two and three changes at random, without end."""
    changes = Changes(rule, kinds, reads(rule, kinds, parameters), closed)
    cases = [of_case(rule.rule, c) for c in rule.rule.cases]
    for v in cases:
        changes.learn(v)
    yield from cases
    of = [changes.of(v) for v in cases]
    singles = _in_turn(cases, of)
    yield from islice(singles, SINGLES)
    of_sort: list[dict[str, list[Change]]] = []
    for its in of:
        sorts: dict[str, list[Change]] = {}
        for change in its:
            sorts.setdefault(change.sort, []).append(change)
        of_sort.append(sorts)
    rng = random.Random(f"{seed}/{rule.rule.id}")  # noqa: S311  the same every time is what is wanted
    while any(of):
        yield from islice(singles, 1)
        i = rng.randrange(len(cases))
        several: Variant | None = cases[i]
        for _ in range(rng.choice((2, 2, 2, 3))):
            its = of_sort[i].get(rng.choice(SORTS), [])
            # What is natural is tried more often.
            if several is not None and its:
                several = done(its[int(len(its) * rng.random() ** 2)], several)
        if several is not None:
            yield several


def _in_turn(cases: list[Variant], of: list[list[Change]]) -> Iterator[Variant]:
    """A few changes of each case in turn, so that whoever stops early has seen something of all."""
    for at in range(0, max(map(len, of), default=0), SOME):
        for v, its in zip(cases, of, strict=True):
            for change in its[at : at + SOME]:
                single = done(change, v)
                if single is not None:
                    yield single
