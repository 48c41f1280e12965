"""KPIs as tables for a terminal, made to its width."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

import compliance.report.kpi.words as words
from compliance.dates import english, put_right_on
from compliance.kpis.kpi import WITH_ACTION, Framework, Indicator, KpiReport, Point
from compliance.report.grid import grid
from compliance.report.words import printable

NARROWEST = 80
WIDE = 140
"""From here on the counts, the change and the comparators have columns of their own."""


def write(report: KpiReport, width: int) -> Iterator[str]:
    """The report, piece by piece."""
    width = max(width, NARROWEST)
    looked = "" if report.day == report.as_at else f", reported on as at {english(report.day)}"
    yield f"KPIs of {printable(report.data)} as at {english(report.as_at)}{looked}\n"
    yield "".join(f"{printable(r)}\n" for r in report.tables.remarks)
    if report.suppressed_below:
        yield f"Counts from 1 to {report.suppressed_below - 1}, and what they could be worked out from, are suppressed.\n"
    for framework in report.frameworks:
        its = [i for i in report.indicators if i.framework == framework]
        if its:
            yield "\n" + _framework(framework, its, width, report.trend)
    yield _key(report)
    yield _actions(report, width)
    yield "\n" + summary(report)


def _key(report: KpiReport) -> str:
    """What the less obvious characters mean, where they stand."""
    drawn = "" if report.trend else "".join(words.sparkline(i.points) for i in report.indicators if i.now.ends)
    said = [
        f"{sign} {meaning}"
        for sign, meaning in ((words.NO_VALUE, "no value"), (words.UNSURE, f"a range wider than {words.WIDEST}"))
        if sign in drawn
    ]
    return f"\n{'; '.join(said)}\n" if said else ""


def summary(report: KpiReport) -> str:
    """The whole in two or three lines."""
    its = report.indicators
    with_value = [i for i in its if i.now.ends]
    of: dict[str, int] = {}
    for i in with_value:
        if i.status.possible:
            of[words.status(i)] = of.get(words.status(i), 0) + 1
    said = ", ".join(f"{n:,} {status}" for status, n in of.items())
    lines = [
        f"{len(its):,} {'KPI' if len(its) == 1 else 'KPIs'}, {len(with_value):,} with a value"
        + (f": {said}." if said else ".")
    ]
    if report.left_out:
        names = ", ".join(f.name for f in report.left_out)
        lines.append(
            f"Not looked at, for the export holds none of their records: {names} (--framework asks all the same)."
        )
    n = report.tables.n_quarantined
    if n:
        lines.append(f"{n:,} {'entry' if n == 1 else 'entries'} in the data could not be used as written.")
    if report.tables.void:
        lines.append(report.tables.void)
    if report.tables.later:
        lines.append(report.tables.later)
    lines += map(printable, report.unused)
    return "\n".join(lines) + "\n"


def _framework(framework: Framework, its: list[Indicator], width: int, trend: bool) -> str:
    title = "\n".join(wrap(f"{framework.title} ({framework.name})", width))
    there = [i for i in its if i.now.ends or i.now.denominator is not None]
    lacking = [i for i in its if i not in there]
    said = ""
    if not there and all(i.could_not for i in its):
        # Of a framework for other exports one line is enough; JSON and CSV say it of each KPI.
        return title + "\n" + "\n".join(wrap(_unsupported(its), width)) + "\n"
    if there:
        said += _trend(there, width) if trend else _values(there, width)
    if lacking:
        rows = [[i.version.code, i.measure.title, i.now.why] for i in lacking]
        left = width - 10 - 4
        table = grid(rows, ["Code", "Measure", "Why"], [10, left // 2, left - left // 2])
        said += f"{'' if not said else chr(10)}Without a value\n{table}"
    return f"{title}\n{said}"


def _unsupported(its: list[Indicator]) -> str:
    n = len(its)
    first = its[0].could_not
    same = all(i.could_not == first for i in its)
    codes = its[0].version.code if n == 1 else f"{its[0].version.code} to {its[-1].version.code}"
    why = first if same else f"such as {its[0].version.code}: {first}"
    return f"{codes}: {n:,} {'KPI' if n == 1 else 'KPIs'}, none of which this export supports ({why})."


def _values(its: list[Indicator], width: int) -> str:
    wide = width >= WIDE
    rows = []
    for i in its:
        origin = "" if i.now.origin == "computed" else f" ({i.now.origin})"
        value, counts = words.value(i.now, i.measure.unit) + origin, words.counts(i.now)
        others = [
            f"{who} {words.amount(v, i.measure.unit)} ({day.isoformat()[:7]})"
            for who, day, v in words.comparators(i, i.now.end)
        ]
        status = words.status(i) + (f", {i.status.streak} in a row" if i.status.streak > 1 else "")
        title = f"{i.measure.title}\n{words.period(i, i.now)}"
        spark = words.sparkline(i.points)
        if wide:
            rows.append(
                [
                    i.version.code,
                    title,
                    value,
                    counts,
                    words.figure(i),
                    status,
                    words.change(i),
                    spark,
                    "\n".join(others),
                ]
            )
        else:
            value += "".join(
                f"\n{x}" for x in (counts, f"change {words.change(i)}" if i.change is not None else "", spark) if x
            )
            title += "".join(f"\n{x}" for x in others)
            rows.append([i.version.code, title, value, words.figure(i), status])
    if wide:
        headers = [
            "Code",
            "Measure",
            "Value",
            "Records",
            "Target or band",
            "Status",
            "Change",
            "Last periods",
            "Others",
        ]
        widths: list[int | None] = [10, 0, 16, 12, 14, 14, 6, 12, 16]
        if not any(row[-1] for row in rows):
            headers, widths, rows = headers[:-1], widths[:-1], [row[:-1] for row in rows]
        widths[1] = width - sum(w or 0 for w in widths) - 2 * (len(widths) - 1)
        return grid(rows, headers, widths, right=(6,))
    left = width - 10 - 8
    return grid(
        rows,
        ["Code", "Measure", "Value", "Target or band", "Status"],
        [10, left - 18 - 14 - 12, 18, 14, 12],
    )


def _trend(its: list[Indicator], width: int) -> str:
    """Each value in a column of its own, as many tables as the width asks for."""
    ends = sorted({p.end for i in its for p in i.points})
    at_a_time = max(1, (width - 12) // 9)
    tables = []
    for n in range(0, len(ends), at_a_time):
        some = ends[n : n + at_a_time]
        rows = []
        for i in its:
            of = {p.end: p for p in i.points}
            cells = [_short(i, of[e]) if e in of else "" for e in some]
            rows.append([i.version.code, *cells])
        heads = [f"{e.day} {e:%b %y}" for e in some]
        tables.append(grid(rows, ["Code", *heads], [10, *[None] * len(some)], right=range(1, len(some) + 1)))
    named = "".join(f"{i.version.code}: {i.measure.title}\n" for i in its)
    return "\n".join(tables) + "\n" + named


def _short(i: Indicator, p: Point) -> str:
    if p.low is None or p.high is None:
        return "none" if p.denominator == 0 else "-"
    unit = i.measure.unit
    return words.number(p.low, unit) if p.low == p.high else f"{words.number(p.low, unit)}–{words.number(p.high, unit)}"


def _actions(report: KpiReport, width: int) -> str:
    """What the misses trigger."""
    rows = []
    for i in report.indicators:
        if i.status.certain in WITH_ACTION and i.measure.missed is not None:
            m = i.measure.missed
            due = put_right_on(report.day, m.within).isoformat()
            rows.append([f"{i.version.code}\n{i.framework.name}", i.measure.remedy, m.by, due])
    if not rows:
        return ""
    left = width - 16 - 24 - 10 - 6
    table = grid(rows, ["KPI", "What a miss calls for", "By", "Until"], [16, left, 24, 10])
    return f"\nMissed\n{table}"
