"""`compliance plan report`: the plan's reports for those who meet over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compliance.cli.plan import as_at_option, db_option, format_option, known, plan_option, today
from compliance.cli.terminal import (
    Day,
    out_option,
    print_out,
    whole_format_option,
    whole_out_option,
    whole_writer,
    width,
)
from compliance.errors import ComplianceError

if TYPE_CHECKING:
    from compliance.report.plan.page import Block


def _printed(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every report."""
    for option in (db_option, out_option, format_option, as_at_option, plan_option):
        command = option(command)
    return command


@click.group("report")
def report() -> None:
    """The plan for those who meet over it, as it was at the end of a day."""


def _write(
    its: Mapping[str, Any],
    blocks: Callable[[Mapping[str, Any]], Iterable[Block]],
    format_: str,
    out: Path | None,
) -> None:
    """A report in its format."""
    from compliance.report.plan import page, words

    match format_:
        case "json":
            print_out([words.dump(its)], out)
        case "markdown":
            print_out(page.markdown(blocks(its)), out)
        case _:
            print_out(page.terminal(blocks(its), width()), out)


@report.command("level-one")
@_printed
def level_one(plan_id: str | None, as_at: date | None, format_: str, out: Path | None, db: str) -> None:
    """The plan on a page: what it is, its governance, and which workstream covers which regulations and standards.

    Example: compliance plan report level-one --as-at 2022-02-23
    """
    from compliance.report.plan import level_one as its

    day = as_at or today()
    state, _ = known(db, plan_id, day)
    _write(its.data(state, day), its.blocks, format_, out)


@report.command("level-two")
@_printed
def level_two(plan_id: str | None, as_at: date | None, format_: str, out: Path | None, db: str) -> None:
    """The actions and measures of every workstream.

    Example: compliance plan report level-two --format markdown --out plan.md
    """
    from compliance.report.plan import level_two as its

    day = as_at or today()
    state, _ = known(db, plan_id, day)
    _write(its.data(state, day), its.blocks, format_, out)


@report.command("page")
@whole_out_option
@whole_format_option
@db_option
@as_at_option
@plan_option
def whole(plan_id: str | None, as_at: date | None, out: Path, format_: str | None, db: str) -> None:
    """One HTML page, or one workbook, with the plan: first on a page, then each workstream with its actions and measures.

    Example: compliance plan report page --as-at 2022-02-23 --out plan.html
    """
    from compliance.report.whole import Whole

    write = whole_writer(out, format_)
    day = as_at or today()
    state, _ = known(db, plan_id, day)
    print_out(write(Whole(day, "", plan=state)), out)
    click.echo(f"Written to {out}.", err=True)


@report.command("progress")
@click.option("--since", type=Day(), help="Tell what changed after this day.  [default: where everything stands]")
@click.option("--days", type=click.IntRange(0, 3660), help="Look so many days ahead.  [default: what the plan sets]")
@_printed
def progress(
    plan_id: str | None,
    as_at: date | None,
    since: date | None,
    days: int | None,
    format_: str,
    out: Path | None,
    db: str,
) -> None:
    """Progress for the managers' meeting and the executive: what is done, overdue, due, stalled or restated.

    Example: compliance plan report progress --as-at 2022-02-23 --since 2022-01-31
    """
    from compliance.report.plan import progress as its

    day = as_at or today()
    _not_later(since, day)
    state, events = known(db, plan_id, day)
    _write(its.data(state, events, day, since, state.plan.due_soon if days is None else days), its.blocks, format_, out)


@report.command("board")
@click.option("--since", type=Day(), help="Count changes after this day.  [default: from the quarter's first day]")
@_printed
def board(plan_id: str | None, as_at: date | None, since: date | None, format_: str, out: Path | None, db: str) -> None:
    """The board's quarterly page: how each workstream stands, what the plan answers, measures, and what is escalated.

    Example: compliance plan report board --as-at 2022-03-31 --format markdown --out board.md
    """
    from datetime import timedelta

    from compliance.dates import period_start
    from compliance.report.plan import board as its

    day = as_at or today()
    _not_later(since, day)
    state, events = known(db, plan_id, day)
    before = since or period_start(day, "quarter") - timedelta(days=1)
    _write(its.data(state, events, day, before), its.blocks, format_, out)


def _not_later(since: date | None, day: date) -> None:
    if since is not None and since > day:
        raise ComplianceError(f"--since {since} is later than the day of the report, {day}; give an earlier day.")
