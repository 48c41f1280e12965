"""What asking the engine about many rules at a time takes, whatever is asked: what an audit and a forecast have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from compliance.engine.calendar import add_calendar
from compliance.engine.database import Fault
from compliance.engine.sidebyside import execute_all

if TYPE_CHECKING:
    from compliance.engine.database import Connection
    from compliance.sql.planned import Plan

ASKED = 24
"""Rules that one statement asks about: more would ask for memory in step, and leave a core idle at the end."""


def set_up(con: Connection, plan: Plan, n_at_a_time: int, kept: Collection[str] = ()) -> None:
    """Makes what the plan's questions are asked of, without the statements in `kept`, which drop what is still needed."""
    if plan.calendar:
        add_calendar(con)
    execute_all(con, [s for s in plan.setup if s not in kept], n_at_a_time)


def batches(n: int) -> Iterator[tuple[int, ...]]:
    """The places of `n` rules, as many together as one statement asks about."""
    for first in range(0, n, ASKED):
        yield tuple(range(first, min(first + ASKED, n)))


def each_alone(ask: Callable[[tuple[int, ...]], object], rules: tuple[int, ...]) -> dict[int, str]:
    """Asks for rules together; if the engine cannot, one by one; those that it cannot carry out, and why."""
    try:
        ask(rules)
    except Fault:
        failed = {}
        for n in rules:
            try:
                ask((n,))
            except Fault as e:
                failed[n] = str(e)
        return failed
    return {}
