"""KPIs: the values that an export supports, against their targets and tolerances (I/O: the file of an earlier report)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.engine import counting, figures
from compliance.errors import ComplianceError, nearest
from compliance.files import documents
from compliance.jobs import planning
from compliance.jobs.asked import Asked, Timings
from compliance.jobs.opening import Opened, opened
from compliance.kpis import measuring
from compliance.kpis.kpi import Counts, Framework, KpiReport, Measure, Point

if TYPE_CHECKING:
    from compliance.model import Frequency, Tables


@dataclass(frozen=True)
class Options:
    """What is asked of KPIs beside the export.

    Args:
      day: the one that is reported on; None: the as-at date; no later one.
      frameworks: by name; empty: those in force on that day.
      codes: only these KPIs; empty: all.
      first, every: from when and how often values are wanted; without, the last periods of each KPI.
      history: the JSON of an earlier report, for what the export does not say.
    """

    day: date | None = None
    frameworks: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    first: date | None = None
    every: Frequency | None = None
    history: Path | None = None


PLAIN = Options()


@dataclass(frozen=True)
class Chosen:
    """The KPIs that are asked for, read before the export is.

    Args:
      day: the one that is reported on.
      looked_at: of each measure that is computed, by its id, the record kinds that it looks at.
      by_default: nobody has named KPIs or a framework: those of whose records the export holds none are left out.
    """

    day: date
    frameworks: list[Framework]
    measures: list[Measure]
    looked_at: Mapping[str, tuple[str, ...]]
    history: Mapping[tuple[str, str], list[Point]]
    by_default: bool

    def looked_at_in(self, tables: Tables) -> Chosen:
        """What is asked of an export that holds such records."""
        if not self.by_default:
            return self
        frameworks = measuring.looked_at(self.frameworks, tables.subjects)
        return replace(self, frameworks=frameworks, measures=measuring.measures_of(self.measures, frameworks))


def kpis(asked: Asked, options: Options = PLAIN, timings: Timings | None = None) -> KpiReport:
    """Works out the KPIs of the frameworks asked for from an export.

    Raises:
      ComplianceError: the rules, the mapping, the export or the history cannot be used.
    """
    timings = timings or Timings()
    chosen = choose(asked, options)
    timings.mark("load KPIs")
    with opened(asked.export, chosen.day, timings) as export:
        return measured(export, asked, options, chosen, timings)


def choose(asked: Asked, options: Options) -> Chosen:
    """The KPIs that are asked for.

    Raises:
      ComplianceError: the rules or the history cannot be used, or there is no such framework or KPI.
    """
    day = options.day or asked.as_at
    history = _history(options.history)
    book = planning.kpi_book(asked)
    frameworks = measuring.chosen(book.frameworks, options.frameworks, day)
    measures = measuring.measures_of(book.measures, frameworks)
    measures = _with_codes(measures, frameworks, options.codes)
    by_default = not options.frameworks and not options.codes
    return Chosen(day, frameworks, measures, book.looked_at, history, by_default)


def measured(export: Opened, asked: Asked, options: Options, chosen: Chosen, timings: Timings) -> KpiReport:
    """The KPIs of an opened export, which keeps its tables: counted period by period, then worked out."""
    asked_of = chosen.looked_at_in(export.tables)
    measures, frameworks = asked_of.measures, asked_of.frameworks
    days = measuring.Days(chosen.day, options.first, options.every)
    counts, could_not = _counted(export, asked, asked_of, days, timings)
    reported = figures.reported_figures(export.con, export.tables, chosen.day, asked.as_at)
    timings.mark("reported figures")
    spans = {id_: _covered(kinds, export.tables) for id_, kinds in chosen.looked_at.items()}
    unusable = {kind: table.unusable for kind, table in export.tables.tables.items()}
    values = measuring.computed(measures, days, counts, could_not, spans, unusable)
    indicators = measuring.indicators(measures, frameworks, days, values, reported, chosen.history, could_not)
    if options.codes:
        indicators = tuple(i for i in indicators if i.version.code in options.codes)
    return KpiReport(
        asked.as_at,
        chosen.day,
        asked.export.name,
        tuple(frameworks),
        indicators,
        export.tables,
        options.every is not None,
        left_out=tuple(f for f in chosen.frameworks if f not in frameworks),
        unused=unused_figures(export, asked),
    )


def unused_figures(export: Opened, asked: Asked) -> tuple[str, ...]:
    """What is told of the export's reported figures that no KPI can use.

    Raises:
      ComplianceError: a KPI cannot be used.
    """
    held = figures.figures_held(export.con, export.tables)
    if not held:
        return ()
    book = planning.kpi_book(asked)
    return measuring.of_no_use(held, book.measures, book.frameworks)


def _counted(
    export: Opened, asked: Asked, chosen: Chosen, days: measuring.Days, timings: Timings
) -> tuple[dict[str, dict[date, Counts]], dict[str, str]]:
    """By measure and day how its records count, and why other measures cannot be computed; a plan for each length of period."""
    counts: dict[str, dict[date, Counts]] = {}
    could_not: dict[str, str] = {}
    plans = planning.measuring(export.kinds, export.tables, asked, chosen.measures)
    timings.mark("compile")
    for period, prepared in plans.items():
        could_not.update(measuring.could_not(prepared.rules))
        by_day = counting.count(export.con, prepared.plan, [end for _, end in days.of(period)], asked.export.threads)
        for number, rule in enumerate(prepared.rules):
            if rule.status == "ran":
                counts[rule.id] = {day: Counts(*row[number][1]) for day, row in by_day.items()}
        timings.mark("count")
    return counts, could_not


def _covered(looked_at: Sequence[str], tables: Tables) -> tuple[date, date] | None:
    """The first and the last day of which the export has all records of these kinds; None: it has all."""
    spans = [tables.covers[kind] for kind in looked_at if kind in tables.covers]
    return (max(first for first, _ in spans), min(last for _, last in spans)) if spans else None


def _with_codes(measures: list[Measure], frameworks: Sequence[Framework], codes: tuple[str, ...]) -> list[Measure]:
    names = {f.name for f in frameworks}
    ids = {v.code: m.id for m in measures for v in m.versions if v.framework in names}
    for code in codes:
        if code not in ids:
            raise ComplianceError(f"{', '.join(sorted(names))} has no KPI '{code}'{nearest(code, ids)}.")
    return [m for m in measures if not codes or m.id in {ids[c] for c in codes}]


def _history(path: Path | None) -> dict[tuple[str, str], list[Point]]:
    if path is None:
        return {}
    try:
        return measuring.history(documents.load_json(path))
    except (ValueError, RecursionError) as e:
        how = "Write one with: compliance kpi EXPORT --as-at DATE --format json --out FILE"
        raise ComplianceError(f"{path} cannot be used as history: {e}. {how}.") from e
