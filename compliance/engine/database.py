"""The database and its errors, which no other module names (I/O: the database)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from compliance.errors import ComplianceError
from compliance.sql import duckdb as dialect

if TYPE_CHECKING:
    import duckdb

    Values = Mapping[str, object]
    Row = tuple[Any, ...]

T = TypeVar("T")

INTERRUPTED = "Query interrupted"
"""What the engine says, as any error, where Python itself would raise KeyboardInterrupt."""


class Fault(Exception):
    """The engine cannot carry out a statement; says why in words that quote no record, which its cause may do."""


class Unfit(Fault):
    """The engine cannot work with some value, or some row of a file, that a statement reads."""


class Connection:
    """A connection to the engine; one thread at a time. `small`: it is set for an export of few rows.

    Every call raises `Fault` for what the engine cannot do, and KeyboardInterrupt if it was stopped at work.
    """

    def __init__(self, opened: duckdb.DuckDBPyConnection) -> None:
        """A connection that is open."""
        self._opened = opened
        self.small = False

    def execute(self, statement: str, values: Values | None = None) -> Connection:
        """Carries out a statement, whose rows can then be fetched."""
        _call(self._opened.execute, statement, values)
        return self

    def reads(self, statement: str) -> bool:
        """Carries out a statement that reads files; whether they hold what it takes, or else nothing has come of it."""
        try:
            self.execute(statement)
        except Unfit:
            return False
        return True

    def fetchone(self) -> Row | None:
        """The next row of what was executed; None: there are no more."""
        return _call(self._opened.fetchone)

    def fetchmany(self, n: int) -> list[Row]:
        """The next `n` rows; fewer or none at the end."""
        return _call(self._opened.fetchmany, n)

    def fetchall(self) -> list[Row]:
        """All rows that are left."""
        return _call(self._opened.fetchall)

    def cursor(self) -> Connection:
        """Another connection to the same engine, for another thread or while rows of this one are read."""
        return Connection(_call(self._opened.cursor))

    def close(self) -> None:
        """Ends it; with the last one the engine and all that is in it are gone."""
        self._opened.close()


def _call(call: Callable[..., T], *args: object) -> T:
    try:
        return call(*args)
    except Exception as e:
        ours = _ours(e)
        if ours is None:
            raise
        raise ours from e


def _ours(error: Exception) -> BaseException | None:
    """What an error of the engine is to the rest of the program; None: it is none of the engine's."""
    import duckdb

    if isinstance(error, duckdb.InterruptException) or (isinstance(error, RuntimeError) and str(error) == INTERRUPTED):
        return KeyboardInterrupt()
    if isinstance(error, (duckdb.IOException, duckdb.OutOfMemoryException)):
        # No statement is to blame: the disk is full, a file has gone, or there is not enough memory.
        return ComplianceError(f"The engine could not go on: {str(error).splitlines()[0]}")
    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        return Fault(str(error).split("\n")[0])
    if isinstance(error, duckdb.Error):
        # Its text quotes the value at which it fails.
        told = f"the engine cannot work with a value of some record ({type(error).__name__})"
        unfit = isinstance(error, (duckdb.InvalidInputException, duckdb.ConversionException))
        return Unfit(told) if unfit else Fault(told)
    return None


def connect(scratch: Path, memory: str = "", threads: int = 0) -> Connection:
    """An empty engine that spills to `scratch` and reaches nothing outside by itself.

    Args:
      memory: at most this much, such as 1GB; empty: the engine's own default.
      threads: 0: one for small exports, all cores for large ones, decided when the data are known.

    Raises:
      ComplianceError: `memory` is not an amount of memory.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": True,
    }
    if memory:
        config["memory_limit"] = memory
    if threads:
        config["threads"] = threads
    try:
        return Connection(duckdb.connect(":memory:", config=config))
    except duckdb.Error as e:
        if memory:
            raise ComplianceError(f"'{memory}' is not an amount of memory; write 500MB or 4GB") from e
        raise


def set_for_small(con: Connection) -> None:
    """Statements are carried out as they are written: with few rows, making them better takes longer than what that saves."""
    row = con.execute(dialect.OPTIMISERS).fetchone()
    assert row is not None
    con.execute(dialect.LEAVE_OUT.format(names=row[0]))
    con.small = True


def set_for_large(con: Connection, threads: int) -> None:
    """All that the engine can do.

    Args:
      threads: 0: one for each core.
    """
    con.execute(dialect.LEAVE_OUT.format(names=""))
    con.small = False
    con.execute(dialect.SET_THREADS.format(n=threads or os.cpu_count() or 1))


def lock(con: Connection) -> None:
    """From here on no statement can read or write a file, or change a setting."""
    for statement in dialect.LOCK:
        con.execute(statement)


def execute_each(con: Connection, statements: Iterable[tuple[str, Values]]) -> None:
    """Carries out statements in order, each with its values."""
    for statement, values in statements:
        con.execute(statement, values or None)
