"""`compliance audit`: what is breached, for whom, on what evidence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.cli.asking import (
    data_argument,
    engine_options,
    given_asked,
    meaning_options,
    no_cache_option,
    only_option,
    rules_option,
    shown_options,
)
from compliance.cli.ending import COULD_NOT, FOUND, INCOMPLETE, NOTHING
from compliance.cli.terminal import (
    FREQUENCIES,
    Also,
    Day,
    Format,
    aside,
    entries,
    min_rules_option,
    out_option,
    print_out,
    require_complete_option,
    span,
    stop,
    strict_option,
    tell_astray,
    tell_failed,
    tell_times,
    tidy,
    timings_option,
    width,
)

if TYPE_CHECKING:
    from datetime import date

    from compliance.findings.report import Report
    from compliance.jobs.asked import Asked, Timings
    from compliance.model import Frequency, Severity


@click.command()
@data_argument
@click.option("--as-at", type=Day(), required=True, help="The day that the audit looks from.")
@meaning_options
@click.option(
    "--waivers",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The risks that the agency has accepted. Default: waivers.yaml beside the data, if there.",
)
@rules_option
@only_option
@click.option(
    "--by",
    type=click.Choice(["regulation", "standard", "judgement", "workstream", "subject", "rule", "team"]),
    help="List the findings under these.",
)
@click.option(
    "--previous",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The JSON of an earlier audit: say what is restated, what is new, and what is no longer found.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The same, and only what is new, and not accepted, can fail the run.",
)
@click.option(
    "--every", type=click.Choice(FREQUENCIES), help="A trend: what became of every rule at the end of each ..."
)
@click.option("--from", "first", type=Day(), help="... from this day ...")
@click.option("--to", "last", type=Day(), help="... to this one.  [default: the as-at date]")
@click.option(
    "--sample",
    type=click.IntRange(0, 1000),
    help="Draw so many records to be read for each duty that only reading can settle; 0: none.  [default: 5; 0 with --rule]",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Draw them by this number.  [default: the as-at date]")
@click.option("--format", "format_", type=Format(), default="table", show_default=True)
@out_option
@click.option(
    "--also",
    type=Also(),
    multiple=True,
    help="Write the report to a file in this format as well (may be given several times).",
)
@click.option(
    "--fail-on",
    type=click.Choice(["requirement", "recommendation", "advice", "never"]),
    default="requirement",
    show_default=True,
    help="Exit with 1 if there is a finding at least as serious.",
)
@click.option("--exit-zero", is_flag=True, help="Findings do not change the exit code; the same as --fail-on never.")
@strict_option
@require_complete_option
@min_rules_option
@shown_options
@engine_options
@no_cache_option
@timings_option
@given_asked
def audit(
    asked: Asked,
    waivers: Path | None,
    by: str | None,
    previous: Path | None,
    baseline: Path | None,
    every: Frequency | None,
    first: date | None,
    last: date | None,
    sample: int | None,
    seed: int | None,
    format_: str,
    out: Path | None,
    also: tuple[tuple[str, Path], ...],
    fail_on: str,
    exit_zero: bool,
    strict: bool,
    require_complete: bool,
    min_rules: int,
    timings: bool,
) -> None:
    """Audit an export: what became of every rule, then the findings: danger to a child first, then what is open.

    DATA is a folder of CSV files, one CSV file, or an XLSX workbook.

    \b
    Exit codes: 0 nothing at or above --fail-on; 1 findings at or above it;
    2 could not run, or no rule could; 3 ran, but not all of it.

    \b
    Example: compliance audit fixtures/agency --as-at 2021-09-20
    Example: compliance audit fixtures/agency --as-at 2021-09-20 --by regulation --previous findings-2020.json
    Example: compliance audit fixtures/agency --as-at 2021-09-20 --every month --from 2020-10-01
    Example: compliance audit fixtures/agency --as-at 2021-09-20 --min-rules 250
    Example: compliance audit fixtures/agency --as-at 2021-09-20 --baseline findings.json --also sarif=findings.sarif
    """
    from compliance.jobs.asked import Timings
    from compliance.report import FORMATS, PLACED

    if previous and baseline:
        raise click.UsageError("--baseline says all that --previous says; give one of them")
    files = [f for f in (out, *(f for _, f in also)) if f is not None]
    if len(set(files)) < len(files):
        raise click.UsageError("--out and --also name the same file twice")
    against = previous or baseline
    severity = "never" if exit_zero else fail_on
    times = Timings()
    first, last_day = span(asked.as_at, every, first, last)
    if every is not None and first is not None:
        if by or against or sample or strict or waivers or also:
            raise click.UsageError(
                "--every counts findings day by day; it goes with none of --by, --previous, --baseline, --sample, --strict,"
                " --waivers, --also"
            )
        code = _trend(asked, first, last_day, every, format_, out, severity, times)
        tell_times(times if timings else None)
        sys.exit(code)
    from compliance.jobs.audit import Options
    from compliance.jobs.audit import audit as audited

    options = Options(
        by=by or "",
        previous=against,
        baseline=baseline is not None,
        waivers=waivers,
        sample=(0 if asked.only else 5) if sample is None else sample,
        seed=seed,
    )
    with audited(asked, options, times) as report:
        if strict and report.tables.n_quarantined:
            for line in report.folded():
                click.echo(tidy(line), err=True)
            stop(
                f"{entries(report.tables.n_quarantined)} in the data could not be used as written; nothing was audited (--strict)."
            )
        print_out(FORMATS[format_](report, width()), out)
        for other, file in also:
            print_out(FORMATS[other](report, width()), file)
        placed = sorted(PLACED & {format_, *(name for name, _ in also)})
        if placed and report.folder is None and report.n_findings():
            click.echo(
                tidy(
                    f"The export is not below the working directory, so the findings in {' and '.join(placed)} have no place,"
                    " and code scanning refuses them. Run the audit from the root of the repository."
                ),
                err=True,
            )
        tell_failed(report.rules)
        if format_ != "table" or out is not None:
            from compliance.report.table import summary

            aside(summary(report), out)
        code = _exit_code(report, severity, require_complete, min_rules)
    tell_times(times if timings else None)
    sys.exit(code)


def _trend(
    asked: Asked,
    first: date,
    last: date,
    every: Frequency,
    format_: str,
    out: Path | None,
    fail_on: str,
    times: Timings,
) -> int:
    """What became of every rule at each period's end; gives the exit code."""
    from compliance.report.trend import FORMATS

    if format_ not in FORMATS:
        raise click.UsageError(f"--every is told as {', '.join(FORMATS)}, not as {format_}")
    from compliance.jobs.trend import trend

    results = trend(asked, first, last, every, times)
    print_out(FORMATS[format_](results, width()), out)
    times.mark("report")
    if tell_astray(results.tables):
        return INCOMPLETE
    return NOTHING if fail_on == "never" or not results.at_or_above(_severity(fail_on)) else FOUND


def _severity(fail_on: str) -> Severity:
    severity: Severity = fail_on  # type: ignore[assignment]
    return severity


def _exit_code(report: Report, fail_on: str, require_complete: bool, min_rules: int) -> int:
    if not report.could_run and not report.n_rules("failed"):
        return COULD_NOT
    if tell_astray(report.tables) or report.n_rules("failed") or (require_complete and report.n_rules("could not run")):
        return INCOMPLETE
    if report.could_run < min_rules:
        told = f"{report.could_run:,} of {len(report.rules):,} rules could run, and at least {min_rules:,} were to (--min-rules)."
        click.echo(tidy(told), err=True)
        return INCOMPLETE
    if fail_on == "never":
        return NOTHING
    return FOUND if report.at_or_above(_severity(fail_on)) else NOTHING
