"""Fields that are empty although other records show that something happened, marked in the engine (I/O: the database)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from compliance.model import RecordKinds, Table
from compliance.sql import signs as sql

if TYPE_CHECKING:
    from compliance.engine.database import Connection


def marked(con: Connection, kinds: RecordKinds, tables: Mapping[str, Table], day: date) -> dict[str, Table]:
    """The tables, once each such field has its columns; where there is none, they stay as they are.

    Args:
      day: the last that is looked from.
    """
    asked = [
        sql.Asked(kinds[k], f.name, n, sign)
        for k, table in tables.items()
        for f in kinds[k].fields.values()
        if f.name in table.columns
        for n, sign in enumerate(f.shown_by)
    ]
    asked = [a for a in asked if _can_be_asked(a, tables)]
    found = dict(tables)
    if not asked:
        return found
    con.execute(sql.shown(asked, kinds, tables), {"day": day})
    for k, f in con.execute(sql.SHOWN_FIELDS).fetchall():
        for statement in sql.add_signs(k, f):
            con.execute(statement)
        found[k] = replace(found[k], shown=found[k].shown | {f})
    con.execute(sql.DROP_SHOWN)
    return found


def _can_be_asked(asked: sql.Asked, tables: Mapping[str, Table]) -> bool:
    """Whether the export has what the sign needs."""
    return all(
        k in tables and (not f or f in tables[k].columns) and (not link or link in tables[k].links)
        for k, f, link in sql.needs(asked)
    )
