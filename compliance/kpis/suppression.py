"""Small numbers are left out of what is published, and so is all that they could be worked out from. Pure.

Counts from 1 to one below the limit are not told: neither of those who count for the service, nor of those who count against it, nor of
all. Nought is told. A value goes with its counts, for whoever knows the denominator could work the numerator out; so does what is said of
the value: status, streak, gap, change. What is said of a later value is said from the told ones alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from compliance.kpis.kpi import Indicator, KpiReport, Point, Status, change, status

SUPPRESSED = "suppressed"


def suppress(report: KpiReport, below: int) -> KpiReport:
    """The report without counts from 1 to `below` - 1, and without what would tell them."""
    hidden = {(i.measure.id, p.end) for i in report.indicators for p in _small(i, below)}
    hidden |= {(i.measure.id, p.end) for i in report.indicators for p in _by_steps(i.points, below)}
    hidden |= set(_by_each_other(report.indicators, below))
    return replace(
        report,
        indicators=tuple(
            _without(i, {p.end for p in i.points if (i.measure.id, p.end) in hidden}) for i in report.indicators
        ),
        suppressed_below=below,
    )


def _is_small(n: int | None, below: int) -> bool:
    return n is not None and 0 < n < below


def _small(i: Indicator, below: int) -> Iterable[Point]:
    """Periods with a small count."""
    for p in i.points:
        counts = [p.numerator, p.denominator, p.unknown]
        if p.numerator is not None and p.denominator is not None:
            counts.append(p.denominator - p.numerator)
        if i.measure.unit == "count" and p.low is not None and p.high is not None:
            counts += [int(p.low), int(p.high)]
        if any(_is_small(n, below) for n in counts):
            yield p


def _by_steps(points: Sequence[Point], below: int) -> Iterable[Point]:
    """Of values that run on through one period, the earlier of two that differ by a small count."""
    for a, b in pairwise(points):
        if a.start != b.start or a.denominator is None or b.denominator is None:
            continue
        steps = [b.denominator - a.denominator]
        if a.numerator is not None and b.numerator is not None:
            steps += [b.numerator - a.numerator, (b.denominator - b.numerator) - (a.denominator - a.numerator)]
        if any(_is_small(abs(n), below) for n in steps):
            yield a


def _by_each_other(indicators: Sequence[Indicator], below: int) -> Iterable[tuple[str, date]]:
    """Of two measures of the same records for the same days, the one that has fewer by a small count: the others would be those."""
    of: dict[tuple[str, date, date], dict[str, Point]] = {}
    for i in indicators:
        if i.measure.record:
            for p in i.points:
                if p.denominator is not None and p.ends:
                    of.setdefault((i.measure.record, p.start, p.end), {})[i.measure.id] = p
    for (_, _, end), its in of.items():
        in_order = sorted(its.items(), key=lambda x: (x[1].denominator or 0, x[0]))
        for (fewer, a), (_, b) in pairwise(in_order):
            if _is_small((b.denominator or 0) - (a.denominator or 0), below):
                yield fewer, end


def _without(i: Indicator, ends: set[date]) -> Indicator:
    points = tuple(Point(p.start, p.end, why=SUPPRESSED, origin=p.origin) if p.end in ends else p for p in i.points)
    if not ends:
        return i
    before = next((p for p in reversed(points[:-1]) if p.ends or p.why == SUPPRESSED), None)
    step = None if before is None or before.why == SUPPRESSED else change(points)
    return replace(i, points=points, status=told(i, points), change=step)


def told(i: Indicator, points: Sequence[Point]) -> Status:
    """The standing of the last of `points` by what is told of them: a suppressed period before it may have been anything."""
    if points[-1].why == SUPPRESSED:
        return Status(why=SUPPRESSED)
    anything = Decimal("Infinity")
    open_ = [replace(p, low=-anything, high=anything) if p.why == SUPPRESSED else p for p in points]
    return status(i.framework, i.version, i.measure.direction, open_)
