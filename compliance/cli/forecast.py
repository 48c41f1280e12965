"""`compliance forecast`: what falls due."""

from __future__ import annotations

import sys
from collections.abc import Collection
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
from compliance.cli.ending import COULD_NOT, INCOMPLETE, NOTHING
from compliance.cli.terminal import (
    Day,
    Format,
    aside,
    entries,
    out_option,
    print_out,
    require_complete_option,
    stop,
    strict_option,
    tell_astray,
    tell_failed,
    tell_times,
    timings_option,
    width,
)

if TYPE_CHECKING:
    from compliance.jobs.asked import Asked


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
@meaning_options
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
@shown_options
@engine_options
@no_cache_option
@timings_option
@given_asked
def forecast(
    asked: Asked,
    days: int,
    format_: str,
    out: Path | None,
    strict: bool,
    require_complete: bool,
    timings: bool,
) -> None:
    """Say what falls due, by the person who answers for it and week by week, and what headroom there is.

    \b
    Exit codes: 0 told, whatever falls due; 2 could not run; 3 ran, but not all of it.

    \b
    Example: compliance forecast fixtures/agency --as-at 2021-09-20 --days 90
    Example: compliance forecast fixtures/agency --as-at 2021-09-20 --format ics --out due.ics
    """
    from compliance.jobs.asked import Timings
    from compliance.jobs.forecast import forecast as foreseen
    from compliance.model import RAN
    from compliance.report.forecast import FORMATS

    times = Timings()
    with foreseen(asked, days, times) as ahead:
        if strict and ahead.tables.n_quarantined:
            stop(
                f"{entries(ahead.tables.n_quarantined)} in the data could not be used as written; nothing was forecast (--strict)."
                " compliance data check lists them."
            )
        print_out(FORMATS[format_](ahead, width()), out)
        tell_failed(ahead.rules)
        if format_ != "table" or out is not None:
            from compliance.report.forecast.table import summary

            aside(summary(ahead), out)
        incomplete = (
            tell_astray(ahead.tables)
            or ahead.n_rules("failed")
            or (require_complete and ahead.n_rules("could not run"))
        )
        nothing = not any(r.status in RAN for r in ahead.rules)
    tell_times(times if timings else None)
    sys.exit(INCOMPLETE if incomplete else COULD_NOT if nothing else NOTHING)
