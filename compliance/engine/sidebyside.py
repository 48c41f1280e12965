"""Statements that do not wait for each other, run side by side: most of a small audit is the engine making up its mind, on one core."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compliance.engine.database import Connection

    Job = Callable[[Connection], object]

MOST = 4
"""More threads than this only wait for each other."""

_MAKES = re.compile(r'(?:CREATE TABLE) "([^"]+)"')
_DROPS = re.compile(r"(?:DROP TABLE) ")
_NAMES = re.compile(r'"([^"]+)"')


def workers(threads: int) -> int:
    """How many statements run at a time, if the user asks for `threads` (0: as many as are good)."""
    return threads or min(MOST, os.cpu_count() or 1)


def run_jobs(
    con: Connection,
    jobs: Sequence[Job],
    n: int,
    after: Sequence[set[int]] | None = None,
) -> None:
    """Runs jobs, each with a connection of its own to the same engine; at most `n` at a time.

    Args:
      after: for each job, those before it that must have been done; None: none.

    Raises:
      Exception: what the first job that failed raised; those that run are waited for, the rest is not begun.
    """
    for _ in done_jobs(con, jobs, n, after):
        pass


def done_jobs(con: Connection, jobs: Sequence[Job], n: int, after: Sequence[set[int]] | None = None) -> Iterator[int]:
    """The same, and gives the position of each job that is done; while the caller is at work, those that run go on, no others begin."""
    if n <= 1 or len(jobs) <= 1:
        for i, job in enumerate(jobs):
            job(con)
            yield i
        return
    free = [con.cursor() for _ in range(n)]
    left = [set(a) for a in after] if after is not None else [set[int]() for _ in jobs]
    waiting = list(range(len(jobs)))
    running: dict[Future[object], tuple[int, Connection]] = {}
    finished: list[int] = []
    with ThreadPoolExecutor(n) as pool:
        while waiting or running:
            for i in [i for i in waiting if not left[i]][: len(free)]:
                waiting.remove(i)
                cursor = free.pop()
                running[pool.submit(jobs[i], cursor)] = (i, cursor)
            yield from finished
            finished.clear()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                i, cursor = running.pop(future)
                future.result()
                free.append(cursor)
                finished.append(i)
                for others in left:
                    others.discard(i)
    for cursor in free:
        cursor.close()
    yield from finished


def execute_all(con: Connection, statements: Sequence[str], n: int) -> None:
    """Executes statements that make and drop tables.

    One that names what another makes comes after it; one that drops a table, after all that name it and stand before it.
    """
    made: dict[str, int] = {}
    naming: dict[str, set[int]] = defaultdict(set)
    after = []
    for i, statement in enumerate(statements):
        names = set(_NAMES.findall(statement))
        if _DROPS.match(statement):
            after.append(set().union(*(naming[name] for name in names)))
        else:
            after.append({made[name] for name in names if name in made})
        for name in names:
            naming[name].add(i)
        if match := _MAKES.match(statement):
            made[match[1]] = i

    def job(statement: str) -> Job:
        return lambda cursor: cursor.execute(statement)

    run_jobs(con, [job(s) for s in statements], n, after)
