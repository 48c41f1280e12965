"""KPIs made ready for their page: a card each, with its chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

import compliance.report.kpi.chart as chart
import compliance.report.kpi.words as words
from compliance.kpis.kpi import Framework, Indicator, KpiReport, Point, in_order

SYMBOLS: Mapping[str, str] = {
    "green": "●", "better": "●", "better than usual": "●", "above usual": "▲", "below usual": "▼",
    "amber": "◆", "within": "◆", "as usual": "◆",
    "red": "▲", "outside": "▲", "worse than usual": "▲",
}  # fmt: skip
GOOD, MIDDLING = ("green", "better", "better than usual"), ("amber", "within", "as usual")
BAD = ("red", "outside", "worse than usual")

WIDE, HIGH = 200, 40


@dataclass(frozen=True)
class Course:
    """How a value went, in a box of `WIDE` by `HIGH`; what has no value, or no certain one, is not joined to the next.

    Args:
      lines: points of each piece that is unbroken.
      dots: certain values with nothing certain beside them, and the last one.
      ranges: the least and the most that an uncertain value may be.
    """

    lines: Sequence[str] = ()
    dots: Sequence[tuple[float, float]] = ()
    ranges: Sequence[tuple[float, float, float]] = ()


@dataclass(frozen=True)
class Card:
    """A KPI as it is shown.

    Args:
      tone: good, middling, bad or none: how it is coloured, which its words say as well.
      course: the same values as the chart's, at a glance.
    """

    indicator: Indicator
    value: str
    counts: str
    figure: str
    status: str
    symbol: str
    tone: str
    change: str
    period: str
    course: Course
    chart: Markup
    rows: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class View:
    """What the template is given."""

    report: KpiReport
    frameworks: Sequence[tuple[Framework, Sequence[Card]]]


def view(report: KpiReport) -> View:
    """A card for each KPI, by framework."""
    of: dict[str, list[Card]] = {f.name: [] for f in report.frameworks}
    for i in in_order(report.indicators):
        of.setdefault(i.framework.name, []).append(_card(i, report))
    return View(report, [(f, of[f.name]) for f in report.frameworks])


def _card(i: Indicator, report: KpiReport) -> Card:
    unit, certain = i.measure.unit, i.status.certain
    tone = "good" if certain in GOOD else "middling" if certain in MIDDLING else "bad" if certain in BAD else "none"
    rows = [(words.period(i, p), words.value(p, unit), words.counts(p)) for p in i.points]
    return Card(
        indicator=i,
        value=words.value(i.now, unit),
        counts=words.counts(i.now),
        figure=words.figure(i),
        status=words.status(i),
        symbol=SYMBOLS.get(certain or "", "○"),
        tone=tone,
        change=words.change(i),
        period=words.period(i, i.now),
        course=_course(i.points),
        chart=Markup(chart.svg(i, report)),  # noqa: S704  # our own chart, its texts escaped there
        rows=rows,
    )


def _course(points: Sequence[Point]) -> Course:
    values = [float(v) for p in points for v in p.ends]
    if not values:
        return Course()
    low, high = min(values), max(values)

    def x(n: int) -> float:
        return round(5 + n * (WIDE - 10) / max(1, len(points) - 1), 1)

    def y(value: Decimal) -> float:
        at = (float(value) - low) / (high - low) if high > low else 0.5
        return round(HIGH - 5 - at * (HIGH - 10), 1)

    pieces: list[list[tuple[float, float]]] = [[]]
    for n, p in enumerate(points):
        if p.value is not None:
            pieces[-1].append((x(n), y(p.value)))
        else:
            pieces.append([])
    last = [(x(len(points) - 1), y(points[-1].value))] if points[-1].value is not None else []
    return Course(
        lines=[" ".join(f"{a},{b}" for a, b in piece) for piece in pieces if len(piece) > 1],
        dots=[*(piece[0] for piece in pieces if len(piece) == 1 and piece != last), *last],
        ranges=[(x(n), y(p.ends[0]), y(p.ends[1])) for n, p in enumerate(points) if p.value is None and p.ends],
    )
