"""`compliance kpi`: KPIs against their targets and tolerances."""

from __future__ import annotations

import sys
from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.cli.asking import (
    data_argument,
    engine_options,
    given_asked,
    meaning_options,
    rules_option,
    shown_options,
)
from compliance.cli.ending import INCOMPLETE, NOTHING
from compliance.cli.terminal import (
    FREQUENCIES,
    Day,
    Format,
    aside,
    out_option,
    print_out,
    span,
    tell_astray,
    tell_times,
    timings_option,
    width,
)

if TYPE_CHECKING:
    from compliance.jobs.asked import Asked, Timings
    from compliance.jobs.kpis import Options
    from compliance.kpis.kpi import KpiReport
    from compliance.model import Frequency


def _formats() -> Collection[str]:
    from compliance.report.kpi import FORMATS

    return FORMATS


@click.command()
@data_argument
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@click.option("--as-at", type=Day(), required=True, help="The day that the export is looked at from.")
@click.option("--framework", "frameworks", multiple=True, help="Only this framework.  [default: those in force then]")
@click.option("--period", help="Report on this earlier month (2021-08) or day, not on the as-at date.")
@click.option("--every", type=click.Choice(FREQUENCIES), help="Tell the values at the end of each of these ...")
@click.option("--from", "first", type=Day(), help="... from this day ...")
@click.option("--to", "last", type=Day(), help="... to this one.  [default: the as-at date]")
@click.option(
    "--history",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The JSON of an earlier report: take from it what the export does not say.",
)
@click.option("--cases", help="List the records that count against the service in this KPI, argued like findings.")
@click.option(
    "--suppress", type=click.IntRange(2, 100), help="For publication: leave out counts below this, and what tells them."
)
@click.option(
    "--chart",
    type=click.Path(path_type=Path, file_okay=False),
    help="Draw each KPI into this folder as well, one SVG file each.",
)
@meaning_options
@rules_option
@click.option(
    "--format",
    "format_",
    type=Format(_formats),
    default="table",
    show_default=True,
)
@out_option
@shown_options
@engine_options
@timings_option
@given_asked
def kpi(
    asked: Asked,
    codes: tuple[str, ...],
    frameworks: tuple[str, ...],
    period: str | None,
    every: Frequency | None,
    first: date | None,
    last: date | None,
    history: Path | None,
    cases: str | None,
    suppress: int | None,
    chart: Path | None,
    format_: str,
    out: Path | None,
    timings: bool,
) -> None:
    """Work out the KPIs that an export supports, and say of the others why not.

    DATA is a folder of CSV files, one CSV file, or an XLSX workbook.

    \b
    Exit codes: 0 worked out; 2 could not run; 3 rows went astray. A KPI that is missed does not change the code.

    \b
    Example: compliance kpi fixtures/agency --as-at 2021-09-20
    Example: compliance kpi fixtures/agency FOS-2 --as-at 2021-09-20 --every month --from 2020-10-01
    Example: compliance kpi fixtures/agency --as-at 2021-09-20 --cases FOS-2
    Example: compliance kpi fixtures/agency --as-at 2021-09-20 --suppress 5 --chart charts
    """
    from compliance.jobs.asked import Timings
    from compliance.jobs.kpis import Options

    first, day = span(asked.as_at, every, first, last)
    if period is not None:
        day = _period_day(period, asked.as_at)
    times = Timings()
    options = Options(day, frameworks, codes, first, every, history)
    if cases is not None:
        if suppress or codes or chart:
            raise click.UsageError("--cases lists single records; it goes with no --suppress, --chart or other codes")
        astray = _list_cases(asked, options, cases, format_, out, times)
    else:
        astray = _tell(asked, options, suppress, chart, format_, out, times)
    tell_times(times if timings else None)
    sys.exit(INCOMPLETE if astray else NOTHING)


def _list_cases(asked: Asked, options: Options, code: str, format_: str, out: Path | None, times: Timings) -> bool:
    """The records that count against the service in one KPI; whether rows of the export went astray."""
    from compliance.jobs.cases import cases
    from compliance.report import FORMATS

    with cases(asked, options, code, times) as report:
        print_out(FORMATS[format_](report, width()), out)
        return tell_astray(report.tables)


def _tell(
    asked: Asked,
    options: Options,
    suppress: int | None,
    chart: Path | None,
    format_: str,
    out: Path | None,
    times: Timings,
) -> bool:
    """The KPIs, with counts below `suppress` left out, and drawn into the folder `chart`; whether rows of the export went astray."""
    from compliance.jobs.kpis import kpis
    from compliance.report.kpi import FORMATS

    report = kpis(asked, options, times)
    if suppress:
        from compliance.kpis.suppression import suppress as without_small

        report = without_small(report, suppress)
    print_out(FORMATS[format_](report, width()), out)
    if chart is not None:
        _draw(report, chart)
    times.mark("report")
    if format_ != "table" or out is not None:
        from compliance.report.kpi.table import summary

        aside(summary(report), out)
    return tell_astray(report.tables)


def _draw(report: KpiReport, folder: Path) -> None:
    """A chart of each KPI; of one without a value too, lest an older one, perhaps with more in it, be taken for it."""
    from compliance.files.documents import private_folder, write_private
    from compliance.report.kpi import chart

    private_folder(folder)
    for i in report.indicators:
        write_private(folder / chart.file_name(i), [chart.svg(i, report).encode("utf-8")])
    n, without = len(report.indicators), sum(not any(p.ends for p in i.points) for i in report.indicators)
    rest = f", {without:,} of them without a value" if without else ""
    click.echo(f"{n:,} {'chart' if n == 1 else 'charts'} written to {folder}{rest}.", err=True)


def _period_day(text: str, as_at: date) -> date:
    """The last day of a month, or a day; not later than the as-at date."""
    from compliance.rules.kpifile import period_on

    try:
        day = period_on(text) or datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise click.UsageError(f"--period '{text}' is neither a month (2021-08) nor a day (2021-08-31)") from None
    if day.replace(day=1) > as_at:
        raise click.UsageError(f"--period {text} is later than the as-at date {as_at}: nobody knows yet")
    return min(day, as_at)
