"""`compliance forecast`: what falls due."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.cli.terminal import (
    INCOMPLETE,
    NOTHING,
    Day,
    Format,
    data_argument,
    mapping_option,
    memory_option,
    no_cache_option,
    only_option,
    out_option,
    parameters_option,
    personal_option,
    print_out,
    privacy,
    pseudonymise_option,
    require_complete_option,
    rules_option,
    stop,
    strict_option,
    threads_option,
    timings_option,
    width,
)

if TYPE_CHECKING:
    pass
from compliance.cli.terminal import aside, entries, tell_failed, tell_times


def _formats() -> Collection[str]:
    from compliance.report.forecast import FORMATS

    return FORMATS


@click.command()
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
    type=Format(_formats),
    default="table",
    show_default=True,
)
@out_option
@strict_option
@require_complete_option
@personal_option
@pseudonymise_option
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
    personal: bool,
    pseudonymise: Path | None,
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
    from compliance.jobs import pipeline
    from compliance.report.forecast import FORMATS as FORECAST_FORMATS

    asked = pipeline.Audit(data, as_at, mapping, parameters, rules, only, memory, threads, not no_cache)
    asked = replace(asked, privacy=privacy(personal, pseudonymise))
    times = pipeline.Timings()
    with pipeline.forecast(asked, days, times) as found:
        if strict and found.tables.n_quarantined:
            stop(
                f"{entries(found.tables.n_quarantined)} in the data could not be used as written; nothing was forecast (--strict)."
                " compliance data check lists them."
            )
        print_out(FORECAST_FORMATS[format_](found, width()), out)
        tell_failed(found.rules)
        if format_ != "table" or out is not None:
            from compliance.report.forecast.table import summary

            aside(summary(found), out)
        incomplete = found.n_rules("failed") or (require_complete and found.n_rules("could not run"))
    tell_times(times if timings else None)
    sys.exit(INCOMPLETE if incomplete else NOTHING)
