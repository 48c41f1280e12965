"""From counts, reported figures and an earlier report to the values of KPIs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from compliance.dates import ends_between, english, parse_date, period_end, period_start, periods_to
from compliance.errors import ComplianceError, nearest
from compliance.kpis.kpi import (
    Counts,
    Framework,
    Indicator,
    Measure,
    Point,
    change,
    in_force,
    in_order,
    point,
    rounded,
    status,
)
from compliance.model import Frequency, RuleInfo

PERIODS = 12
"""Periods of a KPI that are looked at unless others are asked for."""

Key = tuple[str, str]
"""Framework and code."""


@dataclass(frozen=True)
class Days:
    """Which days are looked from.

    Args:
      last: the one reported on.
      first, every: from when and how often; without, the last periods of each KPI.
    """

    last: date
    first: date | None = None
    every: Frequency | None = None

    def of(self, period: Frequency) -> list[tuple[date, date]]:
        """The first and last day of what a KPI that is measured by `period` is looked at for, oldest first."""
        if self.first is None or self.every is None:
            # A day or two say nothing of a week: that is told once it is over.
            running = period == "week" and self.last < period_end(self.last, "week")
            last = period_start(self.last, "week") - timedelta(days=1) if running else self.last
            return periods_to(last, period, PERIODS)
        return [(period_start(end, period), end) for end in ends_between(self.first, self.last, self.every)]


@dataclass(frozen=True, slots=True)
class Reported:
    """A figure that somebody else worked out, for the period that ends on a day."""

    key: Key
    end: date
    value: Decimal
    numerator: int | None
    denominator: int | None


def of_no_use(
    figures: Iterable[tuple[str, int, str | None, str | None, date | None]],
    measures: Iterable[Measure],
    frameworks: Collection[str],
) -> tuple[str, ...]:
    """What is told of reported figures that no KPI can use: a line for all that are alike.

    Args:
      figures: file, row, framework, code, and the end of the period.
      frameworks: the names of all.
    """
    periods = {(v.framework, v.code): m.period for m in measures for v in m.versions}
    codes = {f: [code for framework, code in periods if framework == f] for f in frameworks}
    rows: dict[tuple[str, str], list[int]] = {}
    for file, row, framework, code, end in figures:
        if framework is None or code is None or end is None:
            why = "it lacks a framework, a code or the end of its period"
        elif framework not in codes:
            why = f"there is no framework '{framework}'{nearest(framework, codes)}"
        elif (framework, code) not in periods:
            why = f"{framework} has no KPI '{code}'{nearest(code, codes[framework])}"
        elif end != (last := period_end(end, periods[framework, code])):
            why = f"{code} is measured by the {periods[framework, code]}, whose last day is {last}, not {end}"
        else:
            continue
        rows.setdefault((file, why), []).append(row)
    return tuple(
        f"{file}: the reported figure in row {at[0]:,} is not used: {why}."
        if len(at) == 1
        else f"{file}: {len(at):,} reported figures, the first in row {at[0]:,}, are not used: {why}."
        for (file, why), at in rows.items()
    )


def chosen(frameworks: Mapping[str, Framework], asked: Sequence[str], day: date) -> list[Framework]:
    """The frameworks asked for; of none is asked, those in force.

    Raises:
      ComplianceError: there is no such framework.
    """
    for name in asked:
        if name not in frameworks:
            known = ", ".join(frameworks)
            raise ComplianceError(f"There is no framework '{name}'{nearest(name, frameworks)}; there are {known}.")
    return [frameworks[n] for n in asked] if asked else in_force(frameworks.values(), day)


def looked_at(frameworks: Sequence[Framework], held: Collection[str]) -> list[Framework]:
    """Those of whose records the export holds some, or was meant to; all, if it holds none of any."""
    return [f for f in frameworks if not f.only_with or not set(f.only_with).isdisjoint(held)] or list(frameworks)


def measures_of(measures: Iterable[Measure], frameworks: Iterable[Framework]) -> list[Measure]:
    """Those that one of the frameworks has."""
    names = {f.name for f in frameworks}
    return [m for m in measures if any(v.framework in names for v in m.versions)]


def computed(
    measures: Sequence[Measure],
    days: Days,
    counted: Mapping[str, Mapping[date, Counts]],
    could_not: Mapping[str, str],
    covers: Mapping[str, tuple[date, date] | None],
    unusable: Mapping[str, int],
) -> dict[str, list[Point]]:
    """The values of each computed measure, by its id.

    Args:
      counted: by measure and day.
      could_not: why a measure cannot be computed.
      covers: by measure, the first and the last day of which the export has the records that it looks at; None: it has all.
      unusable: by record kind, rows of which nobody can tell whether they count, or when, for they cannot be used.
    """
    found: dict[str, list[Point]] = {}
    for m in measures:
        if not m.record:
            continue
        since, until = covers[m.id] or (date.min, date.max)
        found[m.id] = its = []
        for start, end in days.of(m.period):
            if why := could_not.get(m.id):
                its.append(Point(start, end, why=why))
            elif (start if m.from_start else end) < since:
                its.append(Point(start, end, why=f"the export begins on {english(since)}"))
            elif end > until:
                its.append(Point(start, end, why=f"the export ends on {english(until)}"))
            else:
                counts = counted[m.id].get(end, Counts())
                counts = replace(counts, maybe_open=counts.maybe_open + unusable.get(m.record, 0))
                its.append(point(m, counts, start, end))
    return found


def indicators(
    measures: Sequence[Measure],
    frameworks: Sequence[Framework],
    days: Days,
    values: Mapping[str, Sequence[Point]],
    reported: Iterable[Reported],
    history: Mapping[Key, Sequence[Point]],
    could_not: Mapping[str, str],
) -> tuple[Indicator, ...]:
    """Every KPI of the frameworks.

    Args:
      values: of computed measures, by id.
      could_not: why a measure cannot be computed; then a reported figure will do.
      history: what an earlier report said, which is taken where the export says nothing of a period.
    """
    of: dict[Key, list[Reported]] = {}
    for r in reported:
        of.setdefault(r.key, []).append(r)
    by_name = {f.name: f for f in frameworks}
    found = []
    for m in measures:
        for version in m.versions:
            framework = by_name.get(version.framework)
            if framework is None:
                continue
            key = (framework.name, version.code)
            points = list(values.get(m.id, ()))
            if not m.record or m.id in could_not:
                why = could_not.get(m.id) or f"it is reported, not computed, and the export has no figure: {m.reported}"
                points = [_reported(of.get(key, ()), start, end, why) for start, end in days.of(m.period)]
            before = {p.start: p for p in history.get(key, ()) if p.ends}
            points = [
                replace(before[p.start], origin="history") if not p.ends and _is_silent(p) and p.start in before else p
                for p in points
            ]
            standing = status(framework, version, m.direction, points)
            cannot = could_not.get(m.id, "")
            found.append(Indicator(framework, version, m, tuple(points), standing, change(points), cannot))
    return tuple(in_order(found))


def _is_silent(p: Point) -> bool:
    """Whether the export says nothing of the period; that there are no cases, or that nobody can tell, is an answer."""
    return p.denominator is None


def _reported(figures: Iterable[Reported], start: date, end: date, why: str) -> Point:
    its = [f for f in figures if start <= f.end <= end]
    if not its:
        return Point(start, end, why=why, origin="reported")
    last = max(its, key=lambda f: f.end)
    value = rounded(last.value)
    return Point(start, end, value, value, last.numerator, last.denominator, origin="reported")


def could_not(infos: Iterable[RuleInfo]) -> dict[str, str]:
    """Why measures cannot be computed, by id."""
    return {i.id: i.why for i in infos if i.status != "ran"}


def history(document: object) -> dict[Key, list[Point]]:
    """The values in an earlier report, as `compliance kpi --format json` writes it.

    Raises:
      ValueError: it is no such report; the message says what is wrong.
    """
    if not isinstance(document, dict) or not isinstance(document.get("kpis"), list):
        raise ValueError("it is no report of KPIs: it has no list 'kpis'")
    found: dict[Key, list[Point]] = {}
    for i, its in enumerate(document["kpis"]):
        if not isinstance(its, dict) or not {"framework", "code", "history"} <= set(its):
            raise ValueError(f"kpis[{i}] has no framework, code and history")
        points = found.setdefault((str(its["framework"]), str(its["code"])), [])
        if not isinstance(its["history"], list):
            raise ValueError(f"kpis[{i}].history is no list")
        for j, p in enumerate(its["history"]):
            try:
                low, high = (None if p[k] is None else Decimal(str(p[k])) for k in ("low", "high"))
                numerator, denominator = (None if p[k] is None else int(p[k]) for k in ("numerator", "denominator"))
                points.append(
                    Point(
                        parse_date(p["from"]),
                        parse_date(p["to"]),
                        low,
                        high,
                        numerator,
                        denominator,
                        int(p["unknown"] or 0),
                    )
                )
            except (KeyError, TypeError, ValueError, InvalidOperation) as e:
                raise ValueError(f"kpis[{i}].history[{j}] cannot be read: {type(e).__name__} {e}") from e
    return found
