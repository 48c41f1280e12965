"""An export opened: read, mapped, checked, and shut off from everything outside (I/O: its files, the engine's scratch folder)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from compliance.engine import clearing, database, signs
from compliance.files.temporary import scratch_folder
from compliance.jobs import planning
from compliance.jobs.asked import Export, Timings
from compliance.model import RecordKinds, Tables
from compliance.records import held, loading, reading

if TYPE_CHECKING:
    from compliance.engine.database import Connection

SMALL = 150_000
"""Rows up to which one thread a statement is faster than two: starting and joining threads costs more than the work."""
SMALL_BYTES = 16_000_000
"""An export of so many bytes may still be a small one; the rows decide once they are there."""


@dataclass(frozen=True)
class Opened:
    """An export in the engine, of which one job after the other may be asked."""

    con: Connection
    kinds: RecordKinds
    tables: Tables

    @contextmanager
    def cleared(self) -> Iterator[None]:
        """What is made in the engine meanwhile is gone in the end, so that the next job finds it as the first one did."""
        before = clearing.names(self.con)
        yield
        clearing.drop_all_but(self.con, before)


@contextmanager
def loaded(export: Export, timings: Timings | None = None) -> Iterator[Opened]:
    """An export read, mapped and validated, and no more.

    Raises:
      ComplianceError: the mapping or the export cannot be used.
    """
    timings = timings or Timings()
    with scratch_folder() as scratch:
        con = database.connect(scratch, export.memory, export.threads or 1)
        timings.mark("start")
        try:
            if reading.size(export.data) < SMALL_BYTES:
                database.set_for_small(con)
            kinds = planning.record_kinds(export.use_cache)
            mapping = planning.mapping(export.mapping_file, kinds, export.use_cache)
            timings.mark("load mapping")
            privacy = export.privacy
            with reading.unchanged(export.data):
                tables = loading.load_tables(
                    con, export.data, mapping, kinds, scratch, export.threads, privacy.personal
                )
            if privacy.key is not None:
                tables = loading.pseudonymised(con, tables, kinds, privacy.key.pads)
            elif not privacy.personal:
                loading.shaped(con, tables)
            shown = replace(tables, personal=privacy.personal, pseudonyms=privacy.mark, remarks=privacy.remarks)
            timings.mark("read, map and validate")
            yield Opened(con, kinds, shown)
        finally:
            con.close()


def marked(read: Opened, day: date) -> Opened:
    """The same, once it is known what it holds by `day`.

    That is: where a field is empty although other records show that something happened, and the newest record of each kind.
    """
    tables = replace(read.tables, tables=signs.marked(read.con, read.kinds, read.tables.tables, day))
    unrecorded = held.unrecorded(read.con, read.kinds, tables, day)
    newest = held.newest(read.con, read.kinds, tables, day)
    return replace(read, tables=replace(tables, unrecorded=unrecorded, newest=newest))


@contextmanager
def opened(export: Export, day: date, timings: Timings) -> Iterator[Opened]:
    """An export set for its size and shut off from everything outside; it says what it holds that is not there on `day`.

    Raises:
      ComplianceError: the mapping or the export cannot be used.
    """
    with loaded(export, timings) as read:
        con, tables = read.con, read.tables
        if sum(t.rows for t in tables.tables.values()) > SMALL:
            database.set_for_large(con, export.threads)
        read = marked(read, day)
        tables = read.tables
        database.lock(con)
        later = held.recorded_later(con, tables, day)
        yield replace(read, tables=replace(tables, later=later, notes=(*tables.notes, later))) if later else read
