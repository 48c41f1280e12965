"""`compliance report`: everything that can be said of an export, in one page or workbook."""

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
    rules_option,
    shown_options,
)
from compliance.cli.ending import COULD_NOT, INCOMPLETE, NOTHING
from compliance.cli.plan import known
from compliance.cli.terminal import Day, print_out, tell_astray, whole_format_option, whole_out_option, whole_writer

if TYPE_CHECKING:
    from compliance.jobs.asked import Asked

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
@meaning_options
@rules_option
@whole_out_option
@whole_format_option
@shown_options
@engine_options
@given_asked
def report(
    asked: Asked,
    days: int,
    previous: Path | None,
    db: str | None,
    plan_id: str | None,
    out: Path,
    format_: str | None,
) -> None:
    """Write the audit, what falls due next, the KPIs and the improvement plan: one HTML page, or one workbook.

    \b
    Exit codes: 0 written, whatever is found; 2 could not run, or no rule could; 3 written, but a rule failed or rows went astray.
    A pipeline is gated by compliance audit.

    \b
    Example: compliance report fixtures/agency --as-at 2021-09-20 --out report.html
    Example: compliance report fixtures/agency --as-at 2021-09-20 --out report.xlsx
    """
    from compliance.jobs.audit import Options
    from compliance.jobs.report import report as whole_report
    from compliance.report.table import summary

    if asked.export.privacy.key is not None and db is not None:
        raise click.UsageError("--db shows the plan as people wrote it, ids and all; it goes with no --pseudonymise")
    if plan_id is not None and db is None:
        raise click.UsageError("--plan names a plan in a database; give it with --db")
    write = whole_writer(out, format_)
    plan = known(db, plan_id, asked.as_at)[0] if db is not None else None
    with whole_report(asked, Options(previous=previous, sample=SAMPLE), days, plan) as whole:
        print_out(write(whole), out)
        assert whole.audit is not None and whole.ahead is not None
        click.echo(summary(whole.audit), nl=False, err=True)
        click.echo(f"Written to {out}.", err=True)
        failed = tell_astray(whole.audit.tables) + whole.audit.n_rules("failed") + whole.ahead.n_rules("failed")
        nothing = not failed and not whole.audit.could_run
    sys.exit(INCOMPLETE if failed else COULD_NOT if nothing else NOTHING)
