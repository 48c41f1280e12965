"""The engine at work on a forecast (I/O: the database)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from compliance.engine.questions import batches, each_alone, set_up
from compliance.engine.sidebyside import run_jobs, workers
from compliance.findings.forecast import DueItem, RuleAhead, fold, places
from compliance.model import RuleInfo
from compliance.sql import duckdb as dialect
from compliance.sql import forecasting
from compliance.sql.text import literal

if TYPE_CHECKING:
    from compliance.engine.database import Connection
    from compliance.engine.sidebyside import Job
    from compliance.sql.planned import AheadPlan, Plan

CHUNK = 10_000
"""Rows that are read at a time."""


def foresee(
    con: Connection,
    plan: Plan,
    rules: tuple[RuleInfo, ...],
    as_at: date,
    answering: Sequence[str],
    keep: frozenset[str],
    threads: int = 0,
) -> tuple[RuleAhead, ...]:
    """Runs a forecast's plan; what is due can then be read with `due`.

    Args:
      answering: statements that make `foreseen`, with who answers for each record.
      keep: record kinds whose tables they need.
    """
    plan = plan.at(as_at)
    n_at_a_time = workers(threads)
    set_up(con, plan, n_at_a_time, {dialect.drop(f"t_{kind}") for kind in keep})
    con.execute(forecasting.AHEAD)
    failed: dict[int, str] = {}
    records: dict[int, int] = {}

    def ask(ahead: AheadPlan, places: tuple[int, ...]) -> Job:
        def job(cursor: Connection) -> None:
            row = cursor.execute(forecasting.total(ahead.rows, ahead.by_item)).fetchone()
            assert row is not None
            records.update({number: row[0] for place in places for _, number in ahead.numbers[place]})
            faults = each_alone(
                lambda some: cursor.execute(forecasting.INSERT.format(select=ahead.standings(some))), places
            )
            failed.update({number: why for place, why in faults.items() for _, number in ahead.numbers[place]})

        return job

    jobs = [ask(ahead, places) for ahead in plan.ahead for places in batches(len(ahead.numbers))]
    run_jobs(con, jobs, n_at_a_time)
    for statement in answering:
        con.execute(statement)
    tally = con.execute(forecasting.tally(list(enumerate(places(rules))), literal(as_at))).fetchall() if rules else []
    return fold(rules, records, failed, tally)


def due(con: Connection, plan: Plan, rules: Sequence[RuleInfo]) -> Iterator[DueItem]:
    """What falls due, in order."""
    what: dict[int, str] = {}
    limits: dict[int, tuple[str, ...]] = {}
    for ahead in plan.ahead:
        for numbers, whats, in_words in zip(ahead.numbers, ahead.whats, ahead.limits, strict=True):
            what.update({number: said for (_, number), said in zip(numbers, whats, strict=True)})
            limits.update({number: in_words for _, number in numbers})
    listed = [(n, place, rules[n].put_right.by) for n, place in enumerate(places(rules))]
    if not listed:
        return
    cursor = con.cursor()
    cursor.execute(forecasting.in_order(listed))
    while rows := cursor.fetchmany(CHUNK):
        for n, key, due_on, since, limit, certain, staff in rows:
            within = "" if limit is None else limits[n][limit]
            yield DueItem(due_on, rules[n], what[n], str(key), since, within, certain, staff or "")
