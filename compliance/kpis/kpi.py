"""Key performance indicators: what is measured, the counts that came out, and what a value is worth. Pure.

A status is worked out from a value as it is shown, to one decimal place, so that no reader sees 67.8 fall short of 67.8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from compliance.dates import english
from compliance.model import Dated, Frequency, PutRight, Tables

Scheme = Literal["target_with_streak", "tolerance_band", "usual", "none"]
MeasureUnit = Literal["percent", "count", "per_week", "days", "number"]
Direction = Literal["higher_is_better", "lower_is_better", "none"]
Standing = Literal[
    "green", "amber", "red",
    "better", "within", "outside",
    "better than usual", "as usual", "worse than usual", "above usual", "below usual",
]  # fmt: skip
"""By the three schemes: a target with a streak, a tolerance band, the usual value."""

WITH_ACTION: tuple[Standing, ...] = ("red", "outside")
"""These are what a framework calls missed."""


@dataclass(frozen=True, slots=True)
class Framework:
    """A version of a performance framework; what it calls by a code, another version may call by another.

    Args:
      from_on, to_on: in force, inclusive.
      streak: after how many periods in a row that are worse than the target it is red.
      only_with: of which kinds of record an export must hold one for it to be looked at unasked; empty: it always is.
    """

    name: str
    pack: str
    title: str
    from_on: date
    to_on: date | None
    scheme: Scheme
    streak: int
    source: str
    note: str = ""
    only_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Band:
    """From `lower` to `upper`, both inclusive: tolerated."""

    lower: Decimal
    upper: Decimal


@dataclass(frozen=True, slots=True)
class Version:
    """A measure as one framework has it.

    Args:
      source_code: the code as the source prints it.
      confirmed: whether the figure was agreed; else it was only suggested.
    """

    framework: str
    code: str
    source_code: str = ""
    target: Dated[Decimal] | None = None
    band: Dated[Band] | None = None
    usual: Dated[Decimal] | None = None
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Published:
    """A value that the source itself gives for a period, which is kept as the source names it."""

    period: str
    value: Decimal
    framework: str = ""
    qualifier: str = ""


@dataclass(frozen=True)
class Measure:
    """What is measured, and by which frameworks.

    Args:
      record: of which kind the records are that count; empty: the figure is reported, not computed.
      from_start: which of them count depends on the day on which the period begins.
      reported: where a reported figure comes from.
      comparators: values of others by their name and day.
      missed: what a miss triggers, and what is then to be done.
    """

    id: str
    pack: str
    title: str
    area: str
    unit: MeasureUnit
    direction: Direction
    period: Frequency
    versions: tuple[Version, ...]
    file: str
    record: str = ""
    from_start: bool = False
    reported: str = ""
    comparators: Mapping[str, tuple[tuple[date, Decimal], ...]] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    missed: PutRight | None = None
    remedy: str = ""
    note: str = ""

    @property
    def is_share(self) -> bool:
        """Whether it is a share of records; else how many there are."""
        return self.unit == "percent"


@dataclass(frozen=True)
class KpiBook:
    """Everything that is said of KPIs but what their records are asked; plain data.

    Args:
      frameworks: by name.
      looked_at: of each measure that is computed, by its id, the record kinds that it looks at.
    """

    frameworks: Mapping[str, Framework]
    measures: tuple[Measure, ...]
    looked_at: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Counts:
    """How the records of one kind came out for one measure on one day.

    Args:
      met, missed: in the denominator, and known to count for or against the service.
      open: in the denominator, but nobody can tell for or against.
      maybe_met, maybe_missed, maybe_open: the same of those of which nobody can tell whether they are in the denominator.
    """

    met: int = 0
    missed: int = 0
    open: int = 0
    maybe_met: int = 0
    maybe_missed: int = 0
    maybe_open: int = 0

    @property
    def known(self) -> int:
        """Records that are in the denominator."""
        return self.met + self.missed + self.open

    @property
    def unknown(self) -> int:
        """Records of which something cannot be told that the value hangs on."""
        return self.open + self.maybe_met + self.maybe_missed + self.maybe_open


def rounded(value: Decimal) -> Decimal:
    """To one decimal place, halves up: as values are shown and compared."""
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Point:
    """The value of one period.

    Args:
      start, end: its days; `end` is the day looked from, so the period may still be running.
      low, high: the value, if they are equal, else what it may be; None: there is no value, and `why` says why.
      numerator, denominator: of the records; None where the figure is reported without them.
      unknown: records of which nobody can tell.
      origin: computed, reported, or history.
    """

    start: date
    end: date
    low: Decimal | None = None
    high: Decimal | None = None
    numerator: int | None = None
    denominator: int | None = None
    unknown: int = 0
    why: str = ""
    origin: str = "computed"

    @property
    def value(self) -> Decimal | None:
        """The value, where it is certain."""
        return self.low if self.low == self.high else None

    @property
    def ends(self) -> tuple[Decimal, ...]:
        """The least and the most that it can be; empty without a value."""
        return () if self.low is None or self.high is None else (self.low, self.high)


NO_CASES = "no cases"
TERMS = {1: "spring", 5: "summer", 9: "autumn"}


def point(measure: Measure, counts: Counts, start: date, end: date) -> Point:
    """The value that counts give: for a share, of what may count every way it may."""
    c = counts
    if not measure.is_share:
        low, high = Decimal(c.known), Decimal(c.known + c.maybe_met + c.maybe_missed + c.maybe_open)
        if measure.unit == "per_week":
            weeks = Decimal((end - start).days + 1) / 7
            low, high = rounded(low / weeks), rounded(high / weeks)
        return Point(start, end, low, high, None, c.known, c.unknown)
    if not c.known:
        why = f"nobody can tell whether there are cases: {c.unknown:,} records are in doubt" if c.unknown else NO_CASES
        return Point(start, end, numerator=0, denominator=0, unknown=c.unknown, why=why)
    # The worst is that all who may be in the denominator are, and count against; the best, that they count for.
    low = Decimal(100) * c.met / (c.known + c.maybe_missed + c.maybe_open)
    in_best = c.maybe_met + c.maybe_open
    high = Decimal(100) * (c.met + c.open + in_best) / (c.known + in_best)
    numerator = c.met
    if measure.direction == "lower_is_better":
        low, high, numerator = 100 - high, 100 - low, c.missed
    return Point(start, end, rounded(low), rounded(high), numerator, c.known, c.unknown)


# --- what a value is worth ---


@dataclass(frozen=True, slots=True)
class Status:
    """What a value is worth by one framework.

    Args:
      possible: every standing that there may be, best first; one, where it is certain; none without a value or a figure to hold it to.
      why: why there is none.
      streak: how many periods in a row were worse than the target, this one included.
      gap: how far from the figure on the wrong side, at the worst; 0 where it is met.
    """

    possible: tuple[Standing, ...] = ()
    why: str = ""
    streak: int = 0
    gap: Decimal = Decimal(0)

    @property
    def certain(self) -> Standing | None:
        """The standing, where there is one and no other."""
        return self.possible[0] if len(self.possible) == 1 else None


def _is_worse(value: Decimal, target: Decimal, direction: Direction) -> bool:
    return value > target if direction == "lower_is_better" else value < target


def _streaks(points: Sequence[Point], target: Dated[Decimal], direction: Direction) -> tuple[int, int]:
    """How many periods in a row up to the last are worse than the target: known to be, and at the most.

    A period without a value neither counts nor resets.
    """
    certain = possible = 0
    go_on_certain = go_on = True
    # Of a period that was looked at several times while it ran, the last look counts.
    last_of = {p.start: p for p in points if p.ends}
    for p in reversed(last_of.values()):
        worse = [_is_worse(v, target.on(p.end), direction) for v in p.ends]
        go_on_certain = go_on_certain and all(worse)
        go_on = go_on and any(worse)
        certain += go_on_certain
        possible += go_on
        if not go_on:
            break
    return certain, possible


def status(framework: Framework, version: Version, direction: Direction, points: Sequence[Point]) -> Status:
    """The standing of the last of `points`, which are in order and of periods that follow on each other.

    Args:
      framework: names the scheme.
      points: with those before, for a streak.
    """
    last = points[-1]
    if not last.ends:
        return Status(why=last.why)
    match framework.scheme:
        case "target_with_streak" if version.target is not None:
            target = version.target.on(last.end)
            is_worse = [_is_worse(v, target, direction) for v in last.ends]
            # If this period is worse than the target, it is the last of so many at the least and at the most.
            before = [p for p in points[:-1] if p.start != last.start]
            least, most = (1 + n for n in _streaks(before, version.target, direction))
            found: list[Standing] = [] if all(is_worse) else ["green"]
            if any(is_worse):
                found += ["amber"] if least < framework.streak else []
                found += ["red"] if most >= framework.streak else []
            gap = max((abs(v - target) for v in last.ends if _is_worse(v, target, direction)), default=Decimal(0))
            return Status(tuple(found), "", least if all(is_worse) else 0, gap)
        case "tolerance_band" if version.band is not None:
            band = version.band.on(last.end)
            order: tuple[Standing, ...] = ("better", "within", "outside")
            said = {_in_band(v, band, direction) for v in last.ends}
            # Between one end of a range and the other lies everything that may be between.
            possible_ = order[min(order.index(s) for s in said) : max(order.index(s) for s in said) + 1]
            floor = band.upper if direction == "lower_is_better" else band.lower
            gap = max(
                (abs(v - floor) for v in last.ends if _in_band(v, band, direction) == "outside"), default=Decimal(0)
            )
            return Status(possible_, "", 0, gap)
        case "usual" if version.usual is not None:
            usual = version.usual.on(last.end)
            worst_first: tuple[Standing, ...] = (
                ("below usual", "as usual", "above usual")
                if direction == "none"
                else ("worse than usual", "as usual", "better than usual")
            )
            sign = -1 if direction == "lower_is_better" else 1
            places = [1 + sign * ((v > usual) - (v < usual)) for v in last.ends]
            return Status(tuple(reversed(worst_first[min(places) : max(places) + 1])))
    return Status(why="no figure")


def _in_band(value: Decimal, band: Band, direction: Direction) -> Standing:
    if band.lower <= value <= band.upper:
        return "within"
    is_above = value > band.upper
    return "better" if is_above != (direction == "lower_is_better") else "outside"


def change(points: Sequence[Point]) -> Decimal | None:
    """From the last period before that has a value to this one; None unless both are certain."""
    before = next((p for p in reversed(points[:-1]) if p.ends), None)
    now = points[-1].value
    return None if before is None or before.value is None or now is None else now - before.value


def in_force(frameworks: Iterable[Framework], day: date) -> list[Framework]:
    """Of each pack those in force on a day, or the one that ended last."""
    of: dict[str, list[Framework]] = {}
    for f in frameworks:
        if f.from_on <= day:
            of.setdefault(f.pack, []).append(f)
    found = []
    for its in of.values():
        now = [f for f in its if f.to_on is None or day <= f.to_on]
        found += now or [max(its, key=lambda f: (f.to_on or date.max, f.name))]
    return found


# --- the whole answer ---


@dataclass(frozen=True)
class Indicator:
    """A KPI: one measure by one framework, with its values.

    Args:
      points: in order; the last is the one reported on.
      could_not: why it cannot be computed from this export, empty if it can.
    """

    framework: Framework
    version: Version
    measure: Measure
    points: tuple[Point, ...]
    status: Status
    change: Decimal | None
    could_not: str = ""

    @property
    def now(self) -> Point:
        """The period reported on."""
        return self.points[-1]


@dataclass(frozen=True)
class KpiReport:
    """What came of every KPI of the frameworks asked for.

    Args:
      as_at: the day that the export is looked at from; `day` the one that is reported on, the same or the end of an earlier period.
      data: what the export is called.
      trend: whether each value is told, and not the last alone.
      suppressed_below: counts below it are not told; 0: all are.
      left_out: frameworks in force of whose records the export holds none.
      unused: what is told of reported figures in the export that no KPI can use.
    """

    as_at: date
    day: date
    data: str
    frameworks: tuple[Framework, ...]
    indicators: tuple[Indicator, ...]
    tables: Tables
    trend: bool = False
    suppressed_below: int = 0
    left_out: tuple[Framework, ...] = ()
    unused: tuple[str, ...] = ()


def in_order(indicators: Iterable[Indicator]) -> Iterator[Indicator]:
    """As a framework lists them: by its begin, then code, numbers by their size."""

    def place(i: Indicator) -> tuple[object, ...]:
        letters = i.version.code.rstrip("0123456789")
        return (
            i.framework.pack,
            i.framework.from_on,
            i.framework.name,
            letters,
            int(i.version.code[len(letters) :] or 0),
        )

    yield from sorted(indicators, key=place)


def period_name(start: date, period: Frequency) -> str:
    """2021-09, 2021/22 Q2 (of the financial year), 2021/22, autumn 2021, week of 20 September 2021."""
    match period:
        case "week":
            return f"week of {english(start)}"
        case "month":
            return f"{start:%Y-%m}"
        case "quarter":
            # Quarters of the financial year, as councils count them.
            number = (start.month - 4) // 3 % 4 + 1
            year = start.year - (start.month < 4)
            return f"{year}/{(year + 1) % 100:02d} Q{number}"
        case "term":
            return f"{TERMS[start.month]} {start.year}"
    return f"{start.year}/{(start.year + 1) % 100:02d}"
