"""How the values of KPIs are said in every format that people read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from compliance.dates import english, period_end
from compliance.kpis.kpi import Indicator, MeasureUnit, Point, Version, period_name

BARS = "▁▂▃▄▅▆▇█"
NO_VALUE, UNSURE = "·", "░"
WIDEST = 10
"""Between ends that lie further apart no bar is drawn: it would tell a trend that nobody knows."""
UNITS: dict[MeasureUnit, str] = {"percent": " %", "per_week": " a week", "days": " days"}


def number(value: Decimal, unit: MeasureUnit) -> str:
    """93.4, or 12 where it is a number of things."""
    if unit == "count" and value == value.to_integral_value():
        return f"{value:,.0f}"
    return f"{value:,.1f}"


def limit(value: Decimal, unit: MeasureUnit) -> str:
    """A figure as people write it: 80 %, 75.6 %."""
    return f"{value.normalize():f}{UNITS.get(unit, '')}"


def amount(value: Decimal, unit: MeasureUnit) -> str:
    """93.4 %."""
    return f"{number(value, unit)}{UNITS.get(unit, '')}"


def value(p: Point, unit: MeasureUnit) -> str:
    """93.4 %, 86.4 to 91.2 %, or why there is none."""
    if p.low is None or p.high is None:
        return p.why
    if p.low == p.high:
        return amount(p.low, unit)
    return f"{number(p.low, unit)} to {amount(p.high, unit)}"


def counts(p: Point) -> str:
    """41 of 44, 1 unknown."""
    said = ""
    if p.numerator is not None and p.denominator:
        said = f"{p.numerator:,} of {p.denominator:,}"
    if p.unknown:
        said += f"{', ' if said else ''}{p.unknown:,} unknown"
    return said


def figure(i: Indicator) -> str:
    """At least 75.6 %, 67.8 to 85.1 %, usually 61 %; and whether it was only suggested."""
    v, day, unit = i.version, i.now.end, i.measure.unit
    said = ""
    if v.target is not None:
        most = i.measure.direction == "lower_is_better"
        said = f"{'at most' if most else 'at least'} {limit(v.target.on(day), unit)}"
    elif v.band is not None:
        band = v.band.on(day)
        said = f"{limit(band.lower, 'number')} to {limit(band.upper, unit)}"
    elif v.usual is not None:
        said = f"usually {limit(v.usual.on(day), unit)}"
    return said + suggested(v, said)


def suggested(v: Version, said: str) -> str:
    """A remark on a figure that nobody has confirmed."""
    return " (suggested only)" if said and not v.confirmed else ""


def status(i: Indicator) -> str:
    """green; amber or red; or why there is none."""
    if not i.status.possible:
        # Where a framework sets no figures at all, that goes without saying.
        quiet = i.status.why == i.now.why or i.framework.scheme == "none"
        return "" if quiet else i.status.why
    return " or ".join(i.status.possible)


def change(i: Indicator) -> str:
    """+2.1 points since the period before."""
    return "" if i.change is None else f"{i.change:+,.1f}"


def middle(p: Point) -> Decimal | None:
    """What a curve is drawn through; None without a value, or where its range is too wide to draw one."""
    if p.low is None or p.high is None or p.high - p.low > WIDEST:
        return None
    return (p.low + p.high) / 2


def sparkline(points: Sequence[Point]) -> str:
    """One character a period, from the least of the values to the most; a dot where there is none, a shade where it is a wide range."""
    drawn = bars([middle(p) for p in points])
    return "".join(UNSURE if p.ends and middle(p) is None else c for p, c in zip(points, drawn, strict=True))


def bars(values: Sequence[Decimal | None]) -> str:
    """One character a value, from the least to the most; a dot where there is none."""
    there = [v for v in values if v is not None]
    low, span = (min(there), max(there) - min(there)) if there else (Decimal(0), Decimal(0))

    def bar(v: Decimal | None) -> str:
        if v is None:
            return NO_VALUE
        return BARS[len(BARS) // 2] if not span else BARS[int((v - low) / span * (len(BARS) - 1))]

    return "".join(bar(v) for v in values)


def period(i: Indicator, p: Point) -> str:
    """2021-09, and to which day where it is not over."""
    said = period_name(p.start, i.measure.period)
    whole = p.end >= period_end(p.start, i.measure.period)
    return said if whole else f"{said} (to {english(p.end)})"


def comparators(i: Indicator, day: date) -> list[tuple[str, date, Decimal]]:
    """The latest value of each, up to a day; else the first there is."""
    found = []
    for who, its in i.measure.comparators.items():
        before = [x for x in its if x[0] <= day] or list(its[:1])
        found.append((who, *before[-1]))
    return found
