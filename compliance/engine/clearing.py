"""What a job has made in the engine, dropped again, so that the next one begins as it did (I/O: the database)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compliance.sql import clearing

if TYPE_CHECKING:
    from compliance.engine.database import Connection


def names(con: Connection) -> frozenset[str]:
    """The tables that are there."""
    return frozenset(name for (name,) in con.execute(clearing.NAMES).fetchall())


def drop_all_but(con: Connection, keep: frozenset[str]) -> None:
    """Drops every table but these."""
    for (name,) in con.execute(clearing.NAMES).fetchall():
        if name not in keep:
            con.execute(clearing.drop(name))
