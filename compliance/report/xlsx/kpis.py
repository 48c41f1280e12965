"""KPIs: a row each, their values period by period, and a chart of each that has a history, drawn by the spreadsheet from these."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import compliance.report.kpi.words as words
from compliance.dates import english, period_end
from compliance.kpis.kpi import Indicator, KpiReport, Point, in_order, period_name
from compliance.report.xlsx.sheet import Cell, Column, Link, Sheet

NOW = (
    Column("Code", 10),
    Column("Measure", 44),
    Column("Status", 18),
    Column("Periods in a row worse than the target", 12),
    Column("Value", 10, 1),
    Column("At least", 10, 1),
    Column("At most", 10, 1),
    Column("Remark", 34),
    Column("Unit", 10),
    Column("Target or band", 26),
    Column("Change", 10, 1),
    Column("Counted", 10),
    Column("Of", 10),
    Column("Cannot be told", 10),
    Column("Period", 18),
    Column("From", 12),
    Column("To", 12),
    Column("Comes from", 12),
    Column("Framework", 40),
    Column("Chart", 12),
)
VALUES = (
    Column("Code", 10),
    Column("Measure", 40),
    Column("Period", 20),
    Column("From", 12),
    Column("To", 12),
    Column("Value", 10, 1),
    Column("At least", 10, 1),
    Column("At most", 10, 1),
    Column("Target", 10, 1),
    Column("Band from", 10, 1),
    Column("Band to", 10, 1),
    Column("Usual", 10, 1),
    Column("Counted", 10),
    Column("Of", 10),
    Column("Cannot be told", 10),
    Column("Remark", 34),
    Column("Framework", 40),
)
LINES: Mapping[str, Mapping[str, Any]] = {
    "Value": {"line": {"color": "#12436D", "width": 2.25}, "marker": {"type": "circle", "size": 6}},
    "At least": {"line": {"none": True}, "marker": {"type": "long_dash", "size": 7, "border": {"color": "#12436D"}}},
    "At most": {"line": {"none": True}, "marker": {"type": "long_dash", "size": 7, "border": {"color": "#12436D"}}},
    "Target": {"line": {"color": "#7A1F5C", "width": 1.5, "dash_type": "dash"}},
    "Band from": {"line": {"color": "#7A1F5C", "width": 1.5, "dash_type": "round_dot"}},
    "Band to": {"line": {"color": "#7A1F5C", "width": 1.5, "dash_type": "dash_dot"}},
    "Usual": {"line": {"color": "#4D4D4D", "width": 1.5, "dash_type": "long_dash"}},
}
"""What a chart may show: each line has its own dashes, so that it is told without colour."""
HIGH, WIDE = 16, 64
"""Rows that a chart takes, and the width of the column that holds it."""
UNITS = {"percent": "Per cent", "count": "Number", "per_week": "Number a week", "days": "Days", "number": "Value"}


def write(now: Sheet, values: Sheet, charts: Sheet, report: KpiReport) -> None:
    """Writes the three sheets."""
    its = list(in_order(report.indicators))
    drawn = [i for i in its if sum(bool(p.ends) for p in i.points) > 1]
    place = {id(i): (n // 2 * HIGH, n % 2) for n, i in enumerate(drawn)}
    now.table(NOW, (_now(i, place.get(id(i))) for i in its), stays=2, printed=14)
    rows = [(i, p) for i in its for p in i.points]
    values.table(VALUES, (_value(i, p) for i, p in rows), stays=3)
    first: dict[int, int] = {}
    for n, (i, _) in enumerate(rows, 1):
        first.setdefault(id(i), n)
    # As large as they are, and two rows of them on a page: not all on one.
    charts.its.set_print_scale(88)
    charts.widths((WIDE, WIDE))
    charts.its.set_h_pagebreaks([2 * HIGH * n for n in range(1, len(drawn) // 4 + 1)])
    for i in drawn:
        charts.its.insert_chart(*place[id(i)], _chart(charts, values.name, i, first[id(i)]))
    if not drawn:
        charts.line("No KPI has values of more than one period.")


def _numbers(p: Point) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """The value; or, where it is not certain, what it is at least and at most."""
    return (p.value, None, None) if p.value is not None else (None, p.low, p.high)


def _remark(p: Point) -> str:
    return p.why if not p.ends else "" if p.value is not None else "between these two"


def _running(i: Indicator, p: Point) -> str:
    return "" if p.end >= period_end(p.start, i.measure.period) else f"the period is not over: to {english(p.end)}"


def _now(i: Indicator, place: tuple[int, int] | None) -> list[Cell]:
    p = i.now
    return [
        i.version.code,
        i.measure.title,
        words.status(i),
        i.status.streak or None,
        *_numbers(p),
        _remark(p),
        UNITS[i.measure.unit].lower(),
        words.figure(i),
        i.change,
        p.numerator,
        p.denominator,
        p.unknown or None,
        words.period(i, p),
        p.start,
        p.end,
        p.origin,
        i.framework.title,
        Link("chart", "KPI charts", place[0]) if place is not None else "",
    ]


def _figures(i: Indicator, p: Point) -> tuple[Decimal | None, ...]:
    v = i.version
    band = v.band.on(p.end) if v.band else None
    return (
        v.target.on(p.end) if v.target else None,
        band.lower if band else None,
        band.upper if band else None,
        v.usual.on(p.end) if v.usual else None,
    )


def _value(i: Indicator, p: Point) -> list[Cell]:
    return [
        i.version.code,
        i.measure.title,
        period_name(p.start, i.measure.period),
        p.start,
        p.end,
        *_numbers(p),
        *_figures(i, p),
        p.numerator,
        p.denominator,
        p.unknown or None,
        "; ".join(x for x in (_remark(p), _running(i, p)) if x),
        i.framework.title,
    ]


def _chart(charts: Sheet, values: str, i: Indicator, first: int) -> Any:
    """The lines in which something stands; a period without a value is a gap."""
    chart = charts.book.its.add_chart({"type": "line"})
    last = first + len(i.points) - 1
    names = [c.name for c in VALUES]
    cells = [(*_numbers(p), *_figures(i, p)) for p in i.points]
    for n, (name, look) in enumerate(LINES.items()):
        its = [row[n] for row in cells]
        if any(v is not None for v in its):
            column = names.index(name)
            chart.add_series(
                {
                    "name": name,
                    "categories": [values, first, 2, last, 2],
                    "values": [values, first, column, last, column],
                    "categories_data": [period_name(p.start, i.measure.period) for p in i.points],
                    "values_data": ["" if v is None else float(v) for v in its],
                    **look,
                }
            )
    chart.set_title({"name": f"{i.version.code}: {i.measure.title}", "name_font": {"size": 11}, "overlay": False})
    axis: dict[str, Any] = {"name": UNITS[i.measure.unit], "name_font": {"size": 9}, "num_format": "#,##0.#"}
    if i.measure.unit == "percent":
        axis |= {"min": 0, "max": 100, "num_format": "0"}
    chart.set_y_axis(axis)
    chart.set_x_axis({"num_font": {"size": 8, "rotation": -45}})
    chart.set_legend({"position": "bottom"})
    chart.show_blanks_as("gap")
    chart.set_size({"width": 450, "height": 300})
    chart.set_chartarea({"border": {"color": "#BFBFBF"}})
    return chart
