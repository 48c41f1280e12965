"""The working-day calendar (I/O: the database)."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING

from compliance.sql import duckdb as dialect

if TYPE_CHECKING:
    from compliance.engine.database import Connection


def closed_days() -> list[date]:
    """The bank holidays of England and Wales, 2000 to 2100, as shipped."""
    text = (files("compliance") / "data" / "bank_holidays.csv").read_text(encoding="utf-8")
    return [date.fromisoformat(row["day"]) for row in csv.DictReader(text.splitlines())]


def add_calendar(con: Connection) -> None:
    """Makes the table of the working-day calendar."""
    con.execute(dialect.MAKE_CALENDAR, {"closed": closed_days()})
