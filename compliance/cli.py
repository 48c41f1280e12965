"""The command line: parses, calls the library, prints. The only module that prints, exits or looks at the clock.

Everything heavy is imported inside the command that needs it, so that `--help` is instant.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from compliance import __version__
from compliance.cli_ci import ci
from compliance.cli_plan import plan
from compliance.cli_plan_audit import measures, propose, verify
from compliance.cli_plan_report import report as plan_report
from compliance.cli_report import report
from compliance.errors import ComplianceError
from compliance.terminal import (
    COULD_NOT,
    FOUND,
    INCOMPLETE,
    NOTHING,
    Also,
    Commands,
    Day,
    Format,
    data_argument,
    mapping_option,
    memory_option,
    no_cache_option,
    only_option,
    out_option,
    parameters_option,
    print_out,
    require_complete_option,
    rules_option,
    stop,
    strict_option,
    threads_option,
    tidy,
    timings_option,
    width,
)

if TYPE_CHECKING:
    from compliance.findings import Report
    from compliance.forecast import RuleAhead
    from compliance.kpi import KpiReport
    from compliance.model import Frequency, RuleResult, Severity
    from compliance.pipeline import Timings
    from compliance.rulebook import Rulebook

DIFFERENCES = 20
"""Differences between engine and oracle that are printed before the rest are only counted."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="compliance")
def main() -> None:
    """Checks a fostering service's records against the law, the standards and its own policy.

    \b
    compliance audit DATA --as-at 2021-09-20     what is breached, for whom, on what evidence
    compliance forecast DATA --as-at 2021-09-20  what falls due, for whom, and who answers for it
    compliance kpi DATA --as-at 2021-09-20       the KPIs against their targets and tolerances
    compliance report DATA --as-at DATE --out F  all of these on one page, to open in a browser
    compliance data check DATA                   whether an export can be read, before any rule runs
    compliance rules explain ID                  what a rule asks, in plain English
    """


FREQUENCIES = ["week", "month", "quarter", "term", "year"]


def _span(as_at: date, every: str | None, first: date | None, last: date | None) -> tuple[date | None, date]:
    """From when to when values are wanted."""
    if (every is None) != (first is None) or (every is None and last is not None):
        raise click.UsageError("--every, --from and, if it is not the as-at date, --to go together")
    last = last or as_at
    if first is not None and first > last:
        raise click.UsageError(f"--from {first} is later than --to {last}")
    if last > as_at:
        raise click.UsageError(f"--to {last} is later than the as-at date {as_at}: nobody knows yet")
    return first, last


main.add_command(plan)
main.add_command(report)
main.add_command(ci)
for command in (propose, verify, measures, plan_report):
    plan.add_command(command)


# --- audit ----------------------------------------------------------------------------------------------------------


@main.command()
@data_argument
@click.option("--as-at", type=Day(), required=True, help="The day that the audit looks from.")
@mapping_option
@parameters_option
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
@memory_option
@threads_option
@no_cache_option
@timings_option
def audit(
    data: Path,
    as_at: date,
    mapping: Path | None,
    parameters: Path | None,
    waivers: Path | None,
    rules: Path | None,
    only: tuple[str, ...],
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
    memory: str,
    threads: int,
    no_cache: bool,
    timings: bool,
) -> None:
    """Audit an export: what became of every rule, then the findings, most serious first.

    DATA is a folder of CSV files, one CSV file, or an XLSX workbook.

    \b
    Exit codes: 0 nothing at or above --fail-on; 1 findings at or above it;
    2 could not run; 3 ran, but not all of it.

    \b
    Example: compliance audit fixtures/agency --as-at 2021-09-20
    Example: compliance audit fixtures/agency --as-at 2021-09-20 --by regulation --previous findings-2020.json
    Example: compliance audit fixtures/agency --as-at 2021-09-20 --every month --from 2020-10-01
    Example: compliance audit fixtures/agency --as-at 2021-09-20 --baseline findings.json --also sarif=findings.sarif
    """
    from compliance import pipeline
    from compliance.report import FORMATS, OWNERS
    from compliance.report.trend import FORMATS as TREND_FORMATS

    if previous and baseline:
        raise click.UsageError("--baseline says all that --previous says; give one of them")
    files = [f for f in (out, *(f for _, f in also)) if f is not None]
    if len(set(files)) < len(files):
        raise click.UsageError("--out and --also name the same file twice")
    against = previous or baseline
    asked = pipeline.Audit(
        data, as_at, mapping, parameters, rules, only, memory, threads, not no_cache, by or "", against
    )
    asked = replace(asked, sample=(0 if only else 5) if sample is None else sample, seed=seed, waivers=waivers)
    whose = any(name in OWNERS for name in (format_, *(name for name, _ in also)))
    asked = replace(asked, baseline=baseline is not None, whose=whose)
    times = pipeline.Timings()
    first, last_day = _span(as_at, every, first, last)
    if every is not None and first is not None:
        if by or against or sample or strict or waivers or also:
            raise click.UsageError(
                "--every counts findings day by day; it goes with none of --by, --previous, --baseline, --sample, --strict,"
                " --waivers, --also"
            )
        if format_ not in TREND_FORMATS:
            raise click.UsageError(f"--every is told as {', '.join(TREND_FORMATS)}, not as {format_}")
        found = pipeline.trend(asked, first, last_day, every, times)
        print_out(TREND_FORMATS[format_](found, width()), out)
        times.mark("report")
        _tell_times(times if timings else None)
        sys.exit(NOTHING if exit_zero or fail_on == "never" or not found.at_or_above(_severity(fail_on)) else FOUND)
    with pipeline.audit(asked, times) as report:
        if strict and report.tables.n_quarantined:
            for line in report.folded():
                click.echo(tidy(line), err=True)
            stop(
                f"{_entries(report.tables.n_quarantined)} in the data could not be used as written; nothing was audited (--strict)."
            )
        print_out(FORMATS[format_](report, width()), out)
        for other, file in also:
            print_out(FORMATS[other](report, width()), file)
        _tell_failed(report.rules)
        if format_ != "table" or out is not None:
            from compliance.report.table import summary

            _aside(summary(report), out)
        code = _exit_code(report, "never" if exit_zero else fail_on, require_complete)
    _tell_times(times if timings else None)
    sys.exit(code)


def _tell_times(times: Timings | None) -> None:
    for stage, seconds in times.stages.items() if times else ():
        click.echo(f"{seconds * 1000:8.1f} ms  {stage}", err=True)


def _severity(fail_on: str) -> Severity:
    severity: Severity = fail_on  # type: ignore[assignment]
    return severity


def _entries(n: int) -> str:
    return f"{n:,} {'entry' if n == 1 else 'entries'}"


def _tell_failed(results: Iterable[RuleResult | RuleAhead]) -> None:
    """A fault of ours is told whatever the format."""
    for result in results:
        if result.status == "failed":
            said = f"Rule {result.rule.id} failed: {result.why}\n    This is a fault of the program; please report it."
            click.echo(tidy(said), err=True)


def _aside(summary: str, out: Path | None) -> None:
    """What a person at the screen should see when the report itself goes to a file or a machine."""
    click.echo(summary, nl=False, err=True)
    if out is not None:
        click.echo(f"Written to {out}.", err=True)


def _exit_code(report: Report, fail_on: str, require_complete: bool) -> int:
    if report.n_rules("failed") or (require_complete and report.n_rules("could not run")):
        return INCOMPLETE
    if fail_on == "never":
        return NOTHING
    return FOUND if report.at_or_above(_severity(fail_on)) else NOTHING


# --- forecast -------------------------------------------------------------------------------------------------------


@main.command()
@data_argument
@click.option("--as-at", type=Day(), required=True, help="The day that is looked ahead from.")
@click.option(
    "--days",
    type=click.IntRange(0, 3660),
    default=90,
    show_default=True,
    help="How many days ahead, the last included.",
)
@mapping_option
@parameters_option
@rules_option
@only_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv", "html", "ics"]),
    default="table",
    show_default=True,
)
@out_option
@strict_option
@require_complete_option
@memory_option
@threads_option
@no_cache_option
@timings_option
def forecast(
    data: Path,
    as_at: date,
    days: int,
    mapping: Path | None,
    parameters: Path | None,
    rules: Path | None,
    only: tuple[str, ...],
    format_: str,
    out: Path | None,
    strict: bool,
    require_complete: bool,
    memory: str,
    threads: int,
    no_cache: bool,
    timings: bool,
) -> None:
    """Say what falls due, by the person who answers for it and week by week, and what headroom there is.

    \b
    Exit codes: 0 told, whatever falls due; 2 could not run; 3 ran, but not all of it.

    \b
    Example: compliance forecast fixtures/agency --as-at 2021-09-20 --days 90
    Example: compliance forecast fixtures/agency --as-at 2021-09-20 --format ics --out due.ics
    """
    from compliance import pipeline
    from compliance.report.forecast import FORMATS as FORECAST_FORMATS

    asked = pipeline.Audit(data, as_at, mapping, parameters, rules, only, memory, threads, not no_cache)
    times = pipeline.Timings()
    with pipeline.forecast(asked, days, times) as found:
        if strict and found.tables.n_quarantined:
            stop(
                f"{_entries(found.tables.n_quarantined)} in the data could not be used as written; nothing was forecast (--strict)."
                " compliance data check lists them."
            )
        print_out(FORECAST_FORMATS[format_](found, width()), out)
        _tell_failed(found.rules)
        if format_ != "table" or out is not None:
            from compliance.report.forecast.table import summary

            _aside(summary(found), out)
        incomplete = found.n_rules("failed") or (require_complete and found.n_rules("could not run"))
    _tell_times(times if timings else None)
    sys.exit(INCOMPLETE if incomplete else NOTHING)


# --- accepted risks -------------------------------------------------------------------------------------------------


@main.command()
@click.argument("findings", type=click.Path(path_type=Path, dir_okay=False), metavar="FINDINGS.json")
@click.argument("named", nargs=-1, required=True, metavar="FINGERPRINT|RULE SUBJECT [PART]")
@click.option("--reason", required=True, help="Why the risk is accepted.")
@click.option("--legal-basis", default="", help="What in law allows for it; required where the rule checks law.")
@click.option("--approved-by", required=True, help="The role of whoever accepts it; no name.")
@click.option("--until", type=Day(), required=True, help="The last day; at most 12 months from the first.")
@click.option("--from", "first", type=Day(), help="The first day.  [default: the day of the audit]")
@click.option("--id", "id_", default="", help="What the waiver is called.  [default: made of rule and fingerprint]")
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("waivers.yaml"),
    show_default=True,
    help="The file that it is added to.",
)
def waive(
    findings: Path,
    named: tuple[str, ...],
    reason: str,
    legal_basis: str,
    approved_by: str,
    until: date,
    first: date | None,
    id_: str,
    to: Path,
) -> None:
    """Accept the risk of a finding for a time.

    It stays a finding, and a breach of law stays a breach; it is only left out of what fails a run, until the day given or until
    the facts that it rests on change. FINDINGS.json is the JSON of an audit.

    \b
    Example: compliance waive findings.json appraisal-overdue S0058 --reason "Long-term sick; to be held on return" \\
               --approved-by "registered manager" --until 2021-12-31
    """
    from compliance import waiverfile

    terms = waiverfile.Terms(reason, legal_basis, approved_by, until, first, id_)
    added = waiverfile.accept(findings, named, terms, to)
    click.echo(f"{tidy(added.id)}: accepted from {added.from_on} until {added.until}, in {to}.")


# --- KPIs -----------------------------------------------------------------------------------------------------------


@main.command()
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
    "--format", "format_", type=click.Choice(["table", "json", "csv", "html"]), default="table", show_default=True
)
@out_option
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
    from compliance import pipeline
    from compliance.report import FORMATS
    from compliance.report.kpi import FORMATS as KPI_FORMATS

    first, day = _span(as_at, every, first, last)
    if period is not None:
        day = _period_day(period, as_at)
    times = pipeline.Timings()
    asked = pipeline.Measuring(
        data, as_at, day, mapping, parameters, rules, frameworks, codes, first, every, history, memory, threads
    )
    if cases is not None:
        if suppress or codes or chart:
            raise click.UsageError("--cases lists single records; it goes with no --suppress, --chart or other codes")
        with pipeline.kpi_cases(asked, cases, times) as report:
            print_out(FORMATS[format_](report, width()), out)
    else:
        found = pipeline.measured(asked, times)
        if suppress:
            from compliance.suppression import suppress as without_small

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
    _tell_times(times if timings else None)


def _draw(report: KpiReport, folder: Path) -> None:
    """A chart of each KPI; of one without a value too, lest an older one, perhaps with more in it, be taken for it."""
    from compliance.documents import private_folder, write_private
    from compliance.report.kpi import chart

    private_folder(folder)
    for i in report.indicators:
        write_private(folder / chart.file_name(i), [chart.svg(i, report).encode("utf-8")])
    n, without = len(report.indicators), sum(not any(p.ends for p in i.points) for i in report.indicators)
    rest = f", {without:,} of them without a value" if without else ""
    click.echo(f"{n:,} {'chart' if n == 1 else 'charts'} written to {folder}{rest}.", err=True)


def _period_day(text: str, as_at: date) -> date:
    """The last day of a month, or a day; not later than the as-at date."""
    from compliance.kpifile import period_on

    try:
        day = period_on(text) or datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise click.UsageError(f"--period '{text}' is neither a month (2021-08) nor a day (2021-08-31)") from None
    if day.replace(day=1) > as_at:
        raise click.UsageError(f"--period {text} is later than the as-at date {as_at}: nobody knows yet")
    return min(day, as_at)


# --- the whole, for a newcomer --------------------------------------------------------------------------------------


@main.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("compliance-demo"),
    show_default=True,
    help="A folder that is not there yet, or is empty.",
)
def demo(out: Path) -> None:
    """See the whole on an invented fostering agency: its export, findings, KPIs, what falls due, and a plan.

    \b
    Exit codes: 0 written, whatever was found; 2 could not run.

    Example: compliance demo --out compliance-demo
    """
    from compliance import demo as demonstration
    from compliance.report.grid import grid

    told = demonstration.demo(out)
    as_at, example = demonstration.AS_AT, told.example
    click.echo(f"The sample agency as at {as_at}. Its people are invented, and so is what is wrong with it.\n")
    click.echo(told.summary)
    click.echo("What to look at first")
    rows = [[c.severity, c.title, f"{c.findings:,}", c.rule] for c in told.causes[: demonstration.SHOWN]]
    click.echo(
        grid(rows, ["Severity", "What is wrong", "Findings", "Rule"], [14, max(width() - 62, 30), 8, 32], right=(2,))
    )
    click.echo(
        f"{told.missed:,} of {told.kpis:,} KPIs are missed. {told.due:,} duties fall due in {demonstration.DAYS} days."
    )
    click.echo(f"{told.proposed:,} actions are proposed, and wait for the manager to accept them.\n")
    click.echo(f"Written to {out}, for you alone to read")
    click.echo(
        grid(
            [[name, what] for name, what in demonstration.FILES], ["File", "What it is"], [None, max(width() - 22, 40)]
        )
    )
    data, plan = out / demonstration.EXPORT, out / demonstration.TRACKER
    click.echo("Go on with")
    click.echo(f"  compliance rules explain {example.rule.id} --record {example.key} --data {data} --as-at {as_at}")
    click.echo(f"  compliance plan list --db {plan} --as-at {as_at}")
    click.echo("  compliance data template my-export")


# --- data -----------------------------------------------------------------------------------------------------------


@main.group()
def data() -> None:
    """Exports: check one, see what the record kinds are, start from an empty template."""


@data.command("check")
@data_argument
@mapping_option
@click.option("--strict", is_flag=True, help="Exit with 2 if anything does not fit.")
def data_check(data: Path, mapping: Path | None, strict: bool) -> None:
    """Read, map and validate an export without running a rule.

    Example: compliance data check fixtures/agency
    """
    from compliance import pipeline

    with pipeline.loaded(data, mapping) as (con, tables):
        from compliance import loading
        from compliance.report.grid import grid

        rows = [[s.file + (f" [{s.sheet}]" if s.sheet else ""), s.record, f"{s.rows:,}"] for s in tables.sources]
        click.echo(
            grid(rows, ["File", "Record kind", "Rows"], [None, None, None], right=(2,)) if rows else "No records.",
            nl=False,
        )
        for kind, why in sorted(tables.absent.items()):
            click.echo(f"No {kind} records: {why}")
        for note in tables.notes:
            click.echo(tidy(note))
        click.echo()
        for line in loading.folded(con):
            click.echo(tidy(line))
        n = tables.n_quarantined
        click.echo(f"{_entries(n)} could not be used as written." if n else "Everything could be used as written.")
    sys.exit(COULD_NOT if strict and n else NOTHING)


@data.command("dictionary")
@click.argument("kind", required=False)
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def data_dictionary(kind: str | None, format_: str) -> None:
    """Print the record kinds and their fields: all of them, or one.

    Example: compliance data dictionary reference
    """
    from compliance import planning
    from compliance.report import dictionary

    kinds = planning.record_kinds()
    print_out(dictionary.write(kinds, kind or "", format_, width()), None)


@data.command("template")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True)
def data_template(folder: Path, format_: str) -> None:
    """Write empty CSV files, or one workbook, to fill in.

    Example: compliance data template my-export --format xlsx
    """
    from compliance import planning, records

    for path in records.template(planning.record_kinds(), folder, format_):
        click.echo(str(path))


# --- rules ----------------------------------------------------------------------------------------------------------


@main.group()
def rules() -> None:
    """Rules: list, read, test, explain."""


@rules.command("list")
@rules_option
@click.option("--as-at", type=Day(), help="Only rules in force on this day.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def rules_list(rules: Path | None, as_at: date | None, format_: str) -> None:
    """List every rule with what it cites.

    Example: compliance rules list --as-at 2021-09-20
    """
    from compliance import planning
    from compliance.report import rules as told

    chosen = [
        r
        for r in planning.rulebook(rules, None).rules
        if as_at is None or (r.rule.from_on <= as_at and (r.rule.to_on is None or as_at <= r.rule.to_on))
    ]
    print_out(told.listed(chosen, format_, width()), None)


@rules.command("show")
@click.argument("rule_id", metavar="ID")
@rules_option
def rules_show(rule_id: str, rules: Path | None) -> None:
    """Print a rule's file.

    Example: compliance rules show staff-references-incomplete
    """
    from compliance import planning

    rule = planning.rulebook(rules, None).with_cases((rule_id,))[0]
    click.echo(Path(rule.rule.file).read_text(encoding="utf-8"), nl=False)


@rules.command("test")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@rules_option
@click.option("-v", "--verbose", is_flag=True, help="Print every case, not only those that fail.")
@click.option(
    "--mutants", is_flag=True, help="Change each rule in small ways instead, and see whether its cases notice."
)
@click.option("--boundaries", is_flag=True, help="Hold the engine against the oracle at every limit and date instead.")
def rules_test(ids: tuple[str, ...], rules: Path | None, verbose: bool, mutants: bool, boundaries: bool) -> None:
    """Run the cases in the rule files.

    \b
    Exit codes: 0 all cases give what they must; 1 some do not; 2 could not run.
    With --mutants: 1 a mutant is alive; with --boundaries: 1 engine and oracle differ. docs/rules.md says what that means.

    Example: compliance rules test
    """
    from compliance import cases, planning

    book = planning.rulebook(rules, None)
    if mutants and boundaries:
        raise click.UsageError("--mutants and --boundaries are asked one after the other")
    if mutants:
        _mutants(book, ids)
    if boundaries:
        _boundaries(book, ids)
    n = bad = 0
    for result in cases.run_cases(book, book.with_cases(ids)):
        n += 1
        bad += bool(result.wrong)
        if result.wrong:
            click.echo(f"FAILED  {result.rule.rule.id}: {result.case.name}")
            for what in result.wrong:
                click.echo(f"        {what}")
            if result.verdict.argument:
                click.echo(f"        {tidy(result.verdict.argument)}")
        elif verbose:
            click.echo(f"passed  {result.rule.rule.id}: {result.case.name} ({result.verdict.outcome})")
    click.echo(f"{n - bad:,} of {n:,} cases passed.")
    sys.exit(FOUND if bad else NOTHING)


def _mutants(book: Rulebook, ids: tuple[str, ...]) -> NoReturn:
    from compliance import mutants, run

    tried = alive = equivalent = wrong = 0
    for result in mutants.Run(book, frozenset(run.closed_days())).results(book.with_cases(ids)):
        tried += result.tried
        alive += result.n_alive
        equivalent += result.equivalent
        wrong += len(result.wrong)
        for what in result.wrong:
            click.echo(f"{result.rule.rule.id}: {tidy(what)}")
        for a in result.alive:
            click.echo("\n".join(f"{result.rule.rule.id}: alive: {name}" for name in a.mutants))
            if a.case:
                click.echo(f"This case of {a.of} would kill {'it' if len(a.mutants) == 1 else 'them'}:\n{a.case}")
            else:
                click.echo("No case was found that would; if there can be none, mark it as equivalent and say why.")
            click.echo()
    click.echo(f"{tried:,} mutants, {equivalent:,} marked as equivalent, {alive:,} alive, {wrong:,} remarks.")
    sys.exit(FOUND if alive or wrong else NOTHING)


def _boundaries(book: Rulebook, ids: tuple[str, ...]) -> NoReturn:
    from compliance import boundaries, run

    count = boundaries.Count()
    n = 0
    for d in boundaries.differences(book, book.with_cases(ids), frozenset(run.closed_days()), count):
        n += 1
        if n <= DIFFERENCES:
            click.echo(f"{d.rule.rule.id}\n  engine: {d.engine}\n  oracle: {d.oracle}\n{tidy(d.case)}\n")
        elif n == DIFFERENCES + 1:
            click.echo("... and more, which are only counted.")
    click.echo(f"{count.worlds:,} worlds tried in {count.plans:,} plans; engine and oracle differ in {n:,}.")
    sys.exit(FOUND if n else NOTHING)


def _ids(book: Rulebook, root: Path, named: tuple[str, ...]) -> tuple[str, ...]:
    """The rules that are meant: by id, by file, or by the file of their pack; other files beside rules have none.

    Raises:
      ComplianceError: a file is none of the rules'.
    """
    found: list[str] = []
    files = {Path(r.rule.file).resolve(): r.rule.id for r in book.every}
    for name in named:
        path = Path(name).resolve()
        if path.suffix not in (".yaml", ".yml"):
            found.append(name)
        elif path in files:
            found.append(files[path])
        elif path.name == "pack.yaml":
            found += [id_ for f, id_ in files.items() if f.parent == path.parent]
        elif not path.is_relative_to(root.resolve()):
            raise ComplianceError(f"{name} is not in the folder of rules that was read; name that folder with --rules.")
    return tuple(dict.fromkeys(found))


@rules.command("lint")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@rules_option
def rules_lint(ids: tuple[str, ...], rules: Path | None) -> None:
    """Check rule files beyond what running them needs: whether their cases try every outcome and each side of every limit.

    ID is that of a rule, or its file; the pack.yaml of a pack stands for all its rules.

    \b
    Exit codes: 0 nothing to say; 1 something is lacking; 2 a rule cannot be used.

    Example: compliance rules lint
    """
    from compliance import cases, planning

    book = planning.rulebook(rules, None)
    named = _ids(book, rules or planning.shipped()[0], ids)
    chosen = book.with_cases(named) if named or not ids else ()
    results: dict[str, list[cases.CaseResult]] = {r.rule.id: [] for r in chosen}
    for result in cases.run_cases(book, chosen):
        results[result.rule.rule.id].append(result)
    said = 0
    for rule in chosen:
        for what in cases.lacking(rule, results[rule.rule.id]):
            click.echo(f"{rule.rule.file}: {what}")
            said += 1
    click.echo(f"{len(chosen):,} rules, {said:,} remarks.")
    sys.exit(FOUND if said else NOTHING)


@rules.command("explain")
@click.argument("rule_id", metavar="ID")
@click.option("--record", "key", help="The key of a record; with --data: how each condition came out for it.")
@click.option("--data", "data_", type=click.Path(path_type=Path), help="The export that the record is in.")
@click.option("--as-at", type=Day(), help="The day to look from; needed with --data.")
@mapping_option
@parameters_option
@rules_option
def rules_explain(
    rule_id: str,
    key: str | None,
    data_: Path | None,
    as_at: date | None,
    mapping: Path | None,
    parameters: Path | None,
    rules: Path | None,
) -> None:
    """Say in plain English what a rule asks, and how it came out for a record.

    Example: compliance rules explain staff-references-incomplete --record S0012 --data fixtures/agency --as-at 2021-09-20
    """
    from compliance import pipeline, planning
    from compliance.report import rules as told

    rule = planning.rulebook(rules, parameters).with_cases((rule_id,))[0]
    click.echo(told.explained(rule, planning.record_kinds()), nl=False)
    if key is None and data_ is None:
        return
    if key is None or data_ is None or as_at is None:
        raise click.UsageError("--record, --data and --as-at go together")
    asked = pipeline.Audit(data_, as_at, mapping, parameters, rules, (rule_id,))
    with pipeline.explained(asked, key) as ways:
        for result, explanation in ways:
            click.echo()
            if result.status not in ("ran", "looked at nothing"):
                click.echo(f"It did not run: {result.status}; {result.why}.")
            elif explanation is None:
                raise click.ClickException(f"there is no {rule.rule.record} '{key}' in {data_} as at {as_at}")
            else:
                click.echo(tidy(told.came_out(rule, result.rule, key, as_at, explanation)), nl=False)


@rules.command("sql")
@click.argument("rule_id", metavar="ID")
@rules_option
def rules_sql(rule_id: str, rules: Path | None) -> None:
    """Print the statements that a rule becomes when it runs alone on an export with every field.

    Example: compliance rules sql staff-references-incomplete
    """
    from compliance import pipeline, planning

    book = planning.rulebook(rules, None)
    for statement in pipeline.statements(book, book.with_cases((rule_id,))[0]):
        click.echo(f"{statement};\n")


@rules.command("coverage")
@click.argument("data", required=False, type=click.Path(path_type=Path))
@click.option("--as-at", type=Day(), help="Count the duties in force on this day; without it, every version ever.")
@click.option("--instrument", "instruments", multiple=True, help="Only this instrument (may be given several times).")
@click.option("--unaccounted", is_flag=True, help="List only the duties that nothing answers yet.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
@out_option
@mapping_option
@parameters_option
@rules_option
def rules_coverage(
    data: Path | None,
    as_at: date | None,
    instruments: tuple[str, ...],
    unaccounted: bool,
    format_: str,
    out: Path | None,
    mapping: Path | None,
    parameters: Path | None,
    rules: Path | None,
) -> None:
    """Say which duties a rule, an attestation or reading answers, which nothing answers yet, and what each rule answers.

    With DATA and --as-at also how many records each duty was tested on, and what the export lacks for the rest.

    \b
    Example: compliance rules coverage --as-at 2021-09-20 --unaccounted
    Example: compliance rules coverage fixtures/agency --as-at 2021-09-20 --instrument fsr2011
    """
    from compliance import pipeline
    from compliance.report import coverage as told

    if data is not None and as_at is None:
        raise click.UsageError("DATA needs --as-at, the day to look from")
    found = pipeline.covered(rules, parameters, as_at, instruments, data, mapping)
    print_out(told.write(found, data.name if data else "", unaccounted, format_, width()), out)


# --- schemas --------------------------------------------------------------------------------------------------------


@main.group("schemas")
def schemas_() -> None:
    """The JSON Schemas that editors read."""


@schemas_.command("write")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("schemas"))
def schemas_write(folder: Path) -> None:
    """Write the generated schemas into a folder."""
    from compliance import schemas

    for path in schemas.write(folder):
        click.echo(str(path))


@schemas_.command("check")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("schemas"))
def schemas_check(folder: Path) -> None:
    """Check that the generated schemas are those of this version, and that record kinds and catalogues fit theirs.

    \b
    Exit codes: 0 they are; 1 they are not.
    """
    from compliance import planning, schemas

    said = [f"{path} is out of date; run: compliance schemas write {folder}" for path in schemas.stale(folder)]
    said += schemas.unfit(folder, planning.shipped()[0])
    for line in said:
        click.echo(line)
    sys.exit(FOUND if said else NOTHING)
