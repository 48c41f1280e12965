"""`compliance report`: everything that can be said of an export, in one page or workbook."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import click

from compliance.cli.plan import known
from compliance.cli.terminal import (
    INCOMPLETE,
    NOTHING,
    Day,
    data_argument,
    mapping_option,
    memory_option,
    parameters_option,
    personal_option,
    print_out,
    privacy,
    pseudonymise_option,
    rules_option,
    threads_option,
    whole_format_option,
    whole_out_option,
    whole_writer,
)

SAMPLE = 5
"""Records drawn for each duty that only reading can settle, as an audit draws them."""


@click.command("report")
@data_argument
@click.option("--as-at", type=Day(), required=True, help="The day that everything is looked at from.")
@click.option(
    "--days",
    type=click.IntRange(0, 3660),
    default=90,
    show_default=True,
    help="How many days ahead, the last included.",
)
@click.option(
    "--previous",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The JSON of an earlier audit: say what is restated, what is new, and what is no longer found.",
)
@click.option("--db", help="The improvement plan's database, to show the plan as it stood on that day.")
@click.option("--plan", "plan_id", help="Which plan, where the database holds several.")
@mapping_option
@parameters_option
@rules_option
@whole_out_option
@whole_format_option
@personal_option
@pseudonymise_option
@memory_option
@threads_option
def report(
    data: Path,
    as_at: date,
    days: int,
    previous: Path | None,
    db: str | None,
    plan_id: str | None,
    mapping: Path | None,
    parameters: Path | None,
    rules: Path | None,
    out: Path,
    format_: str | None,
    personal: bool,
    pseudonymise: Path | None,
    memory: str,
    threads: int,
) -> None:
    """Write the audit, what falls due next, the KPIs and the improvement plan: one HTML page, or one workbook.

    \b
    Exit codes: 0 written, whatever is found; 2 could not run; 3 written, but a rule failed.
    A pipeline is gated by compliance audit.

    \b
    Example: compliance report fixtures/agency --as-at 2021-09-20 --out report.html
    Example: compliance report fixtures/agency --as-at 2021-09-20 --out report.xlsx
    """
    from compliance.findings.whole import Whole
    from compliance.jobs import pipeline
    from compliance.report.table import summary

    if pseudonymise is not None and db is not None:
        raise click.UsageError("--db shows the plan as people wrote it, ids and all; it goes with no --pseudonymise")
    if plan_id is not None and db is None:
        raise click.UsageError("--plan names a plan in a database; give it with --db")
    write = whole_writer(out, format_)
    plan = known(db, plan_id, as_at)[0] if db is not None else None
    shown = privacy(personal, pseudonymise)
    asked = pipeline.Audit(
        data, as_at, mapping, parameters, rules, (), memory, threads, previous=previous, privacy=shown
    )
    measuring = pipeline.Measuring(
        data, as_at, as_at, mapping, parameters, rules, memory=memory, threads=threads, privacy=shown
    )
    kpis = pipeline.measured(measuring)
    # One after the other, so that the engine holds the export once.
    with pipeline.forecast(replace(asked, previous=None), days) as foreseen:
        ahead = foreseen.kept()
    with pipeline.audit(replace(asked, sample=SAMPLE, whose=True)) as audit:
        print_out(write(Whole(as_at, audit.data, audit, ahead, kpis, plan)), out)
        click.echo(summary(audit), nl=False, err=True)
        click.echo(f"Written to {out}.", err=True)
        failed = audit.n_rules("failed") + ahead.n_rules("failed")
    sys.exit(INCOMPLETE if failed else NOTHING)
