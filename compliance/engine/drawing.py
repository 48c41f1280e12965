"""The engine at work on a sample: records drawn to be read (I/O: the database)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from compliance.engine.sidebyside import run_jobs
from compliance.model import Prompt, Prompted

if TYPE_CHECKING:
    from compliance.engine.database import Connection
    from compliance.engine.sampling import Draw
    from compliance.engine.sidebyside import Job

BECAUSE = (("found", "findings"), ("unseen", "longest unseen"), ("newest", "newest"))
"""What makes a record likelier to be read, as the engine and as people call it."""


def drawn(con: Connection, prompts: Sequence[Prompt], draws: Iterable[Draw], n_at_a_time: int) -> list[Prompted]:
    """What is drawn for each prompt, when an audit has run."""
    prompted = [Prompted(p) for p in prompts]

    def job(draw: Draw) -> Job:
        def run(cursor: Connection) -> None:
            for n in draw.prompts:
                prompted[n] = replace(prompted[n], records=0)
            for n, records, chosen in cursor.execute(draw.statement).fetchall():
                read = tuple((r["key"], tuple(because for name, because in BECAUSE if r[name])) for r in chosen)
                prompted[n] = Prompted(prompts[n], records, read)

        return run

    run_jobs(con, [job(draw) for draw in draws], n_at_a_time)
    return prompted
