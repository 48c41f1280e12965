"""The one module that names the database: what its errors are to everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from compliance.engine.database import Connection, Fault, connect
from compliance.errors import ComplianceError


@pytest.fixture
def con(tmp_path: Path) -> Iterator[Connection]:
    opened = connect(tmp_path, threads=1)
    yield opened
    opened.close()


class Stopped:
    """A connection that is stopped at work, as DuckDB now and then says it."""

    def execute(self, *_: object) -> None:
        raise RuntimeError("Query interrupted")

    def fetchall(self) -> None:
        raise RuntimeError("Query interrupted")


def test_a_statement_that_ctrl_c_stops_raises_what_python_would() -> None:
    stopped = Connection(cast(Any, Stopped()))
    with pytest.raises(KeyboardInterrupt):
        stopped.execute("SELECT 1")
    with pytest.raises(KeyboardInterrupt):
        stopped.fetchall()


def test_a_fault_quotes_no_record(con: Connection) -> None:
    with pytest.raises(Fault) as e:
        con.execute("SELECT CAST('Ann Example' AS DATE)").fetchall()
    assert str(e.value) == "the engine cannot work with a value of some record (ConversionException)"
    with pytest.raises(Fault, match="no_such_table"):
        con.execute("SELECT * FROM no_such_table")


def test_a_file_that_does_not_fit_is_said_to_be_none(con: Connection, tmp_path: Path) -> None:
    file = tmp_path / "days.csv"
    statement = (
        f"CREATE OR REPLACE TABLE days AS SELECT CAST(day AS DATE) AS day FROM read_csv('{file}', all_varchar=true)"
    )
    file.write_text("day\nyesterday\n", encoding="utf-8")
    assert not con.reads(statement)
    file.write_text("day\n2021-09-20\n", encoding="utf-8")
    assert con.reads(statement)
    assert len(con.execute("SELECT * FROM days").fetchall()) == 1


def test_a_fault_of_another_sort_is_no_file_that_does_not_fit(con: Connection) -> None:
    with pytest.raises(Fault):
        con.reads("SELECT * FROM no_such_table")


def test_memory_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(ComplianceError, match="'much' is not an amount of memory"):
        connect(tmp_path, memory="much")
