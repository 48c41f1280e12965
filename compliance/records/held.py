"""What an export that is in the engine holds, asked of it before any rule is (I/O: the database)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from compliance.dates import english
from compliance.model import RECORDED_ON, Newest, Reading, RecordKind, RecordKinds, Tables, Unrecorded
from compliance.sql import reporting, signs

if TYPE_CHECKING:
    from compliance.engine.database import Connection


def keys(con: Connection, kind: RecordKind) -> frozenset[str]:
    """The keys of all records of a kind, which must be there."""
    return frozenset(key for (key,) in con.execute(reporting.keys(kind.name, kind.key)).fetchall())


def readings(con: Connection, tables: Tables, day: date) -> tuple[Reading, ...]:
    """What readers of records had found by a day: of each duty and record the newest."""
    table = tables.tables.get("sample_reading")
    if table is None or not set(reporting.READ[:-1]) <= table.columns:
        return ()
    return tuple(Reading(*row) for row in con.execute(reporting.readings(table.columns), {"day": day}).fetchall())


def unrecorded(con: Connection, kinds: RecordKinds, tables: Tables, day: date = date.max) -> tuple[Unrecorded, ...]:
    """The fields that are empty although signs show by `day` that something happened, by file, field and sign."""
    found = []
    for k, table in sorted(tables.tables.items()):
        for f in sorted(table.shown):
            declared = kinds[k].fields[f].shown_by
            for sign, src, n, row in con.execute(signs.told(kinds[k], table.columns, f), {"day": day}).fetchall():
                found.append(Unrecorded(tables.sources[src].label, k, f, row, n, declared[sign].label))
    return tuple(found)


def newest(con: Connection, kinds: RecordKinds, tables: Tables, day: date) -> tuple[Newest, ...]:
    """The newest record of each kind by a day; of kinds without a date of their own, or without a record, none."""
    # A reported figure is of a period, and says nothing of how old the records are.
    dates = [(k, kinds[k].date) for k, t in sorted(tables.tables.items()) if kinds[k].date in t.columns]
    dates = [(k, f) for k, f in dates if k != "reported_figure"]
    rows = con.execute(reporting.newest(dates), {"day": day}).fetchall() if dates else []
    return tuple(Newest(*row) for row in rows)


def recorded_later(con: Connection, tables: Tables, day: date) -> str:
    """Which records were written into the system after `day`, in a sentence; empty: none, or the export does not say."""
    # A reported figure is no record that a rule asks for, and has a day of its own (`engine.figures`).
    kinds = [k for k, table in tables.tables.items() if RECORDED_ON in table.columns and k != "reported_figure"]
    counts = con.execute(reporting.recorded_later(kinds), {"day": day}).fetchall() if kinds else []
    if not counts:
        return ""
    total = sum(n for _, n in counts)
    were, do = ("record was", "does") if total == 1 else ("records were", "do")
    listed = ", ".join(f"{n:,} {kind}" for kind, n in counts)
    return f"{total:,} {were} written into the system after {english(day)} and {do} not count: {listed}."
