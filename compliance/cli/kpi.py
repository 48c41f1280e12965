"""`compliance kpi`: KPIs against their targets and tolerances."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.cli.terminal import (
    Day,
    Format,
    data_argument,
    mapping_option,
    memory_option,
    out_option,
    parameters_option,
    personal_option,
    print_out,
    privacy,
    pseudonymise_option,
    rules_option,
    threads_option,
    timings_option,
    width,
)

if TYPE_CHECKING:
    from compliance.kpis.kpi import KpiReport
    from compliance.model import Frequency
from compliance.cli.terminal import FREQUENCIES, span, tell_times


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
@mapping_option
@parameters_option
@rules_option
@click.option(
    "--format",
    "format_",
    type=Format(_formats),
    default="table",
    show_default=True,
)
@out_option
@personal_option
@pseudonymise_option
@memory_option
@threads_option
@timings_option
def kpi(
    data: Path,
    codes: tuple[str, ...],
    as_at: date,
    frameworks: tuple[str, ...],
    period: str | None,
    every: Frequency | None,
    first: date | None,
    last: date | None,
    history: Path | None,
    cases: str | None,
    suppress: int | None,
    chart: Path | None,
    mapping: Path | None,
    parameters: Path | None,
    rules: Path | None,
    format_: str,
    out: Path | None,
    personal: bool,
    pseudonymise: Path | None,
    memory: str,
    threads: int,
    timings: bool,
) -> None:
    """Work out the KPIs that an export supports, and say of the others why not.

    DATA is a folder of CSV files, one CSV file, or an XLSX workbook.

    \b
    Exit codes: 0 worked out; 2 could not run. A KPI that is missed does not change the code.

    \b
    Example: compliance kpi fixtures/agency --as-at 2021-09-20
    Example: compliance kpi fixtures/agency FOS-2 --as-at 2021-09-20 --every month --from 2020-10-01
    Example: compliance kpi fixtures/agency --as-at 2021-09-20 --cases FOS-2
    Example: compliance kpi fixtures/agency --as-at 2021-09-20 --suppress 5 --chart charts
    """
    from compliance.jobs import pipeline
    from compliance.report import FORMATS
    from compliance.report.kpi import FORMATS as KPI_FORMATS

    first, day = span(as_at, every, first, last)
    if period is not None:
        day = _period_day(period, as_at)
    times = pipeline.Timings()
    asked = pipeline.Measuring(
        data, as_at, day, mapping, parameters, rules, frameworks, codes, first, every, history, memory, threads
    )
    asked = replace(asked, privacy=privacy(personal, pseudonymise))
    if cases is not None:
        if suppress or codes or chart:
            raise click.UsageError("--cases lists single records; it goes with no --suppress, --chart or other codes")
        with pipeline.kpi_cases(asked, cases, times) as report:
            print_out(FORMATS[format_](report, width()), out)
    else:
        found = pipeline.measured(asked, times)
        if suppress:
            from compliance.kpis.suppression import suppress as without_small

            found = without_small(found, suppress)
        print_out(KPI_FORMATS[format_](found, width()), out)
        if chart is not None:
            _draw(found, chart)
        times.mark("report")
        if format_ != "table" or out is not None:
            from compliance.report.kpi.table import summary

            click.echo(summary(found), nl=False, err=True)
            if out is not None:
                click.echo(f"Written to {out}.", err=True)
    tell_times(times if timings else None)


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
