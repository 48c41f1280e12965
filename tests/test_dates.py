"""Dates as law counts them: month ends, working days of England and Wales; the engine against the calendar, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.dates import add_months, parse_date, parse_limit, put_right_on
from compliance.engine.calendar import add_calendar, closed_days
from compliance.engine.database import Connection, connect
from compliance.model import Limit
from compliance.sql.duckdb import CALENDAR, TEMPLATES, looked_up
from compliance.sql.text import literal

days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
CLOSED = frozenset(closed_days())


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    con = connect(tmp_path_factory.mktemp("scratch"), threads=1)
    add_calendar(con)
    yield con
    con.close()


def value(con: Connection, sql: str) -> object:
    row = con.execute(f"SELECT {sql}").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2021-01-31", 1, "2021-02-28"),
        ("2020-01-31", 1, "2020-02-29"),
        ("2020-02-29", 12, "2021-02-28"),
        ("2021-03-31", 1, "2021-04-30"),
        ("2021-03-31", -1, "2021-02-28"),
        ("2021-12-15", 1, "2022-01-15"),
    ],
)
def test_months_end_as_law_means_them(engine: Connection, day: str, months: int, expected: str) -> None:
    start, end = date.fromisoformat(day), date.fromisoformat(expected)
    assert add_months(start, months) == end
    assert value(engine, TEMPLATES["add_months"].format(literal(start), months)) == end


@given(days, st.integers(-600, 600))
def test_the_engine_adds_months_as_we_do(engine: Connection, day: date, n: int) -> None:
    assert value(engine, TEMPLATES["add_months"].format(literal(day), n)) == add_months(day, n)


@given(days, days)
def test_months_between_are_whole_months_whichever_comes_first(engine: Connection, a: date, b: date) -> None:
    n = value(engine, TEMPLATES["months_between"].format(literal(a), literal(b)))
    assert isinstance(n, int)
    low, high = min(a, b), max(a, b)
    back = -1 if b < a else 1
    # The largest number of whole months that still fit, counted from `a` towards `b`.
    assert low <= add_months(a, n) <= high
    beyond = add_months(a, n + back)
    assert beyond > high if back == 1 else beyond < low


def test_bank_holidays_are_those_of_england_and_wales_from_2000_to_2100() -> None:
    known = holidays.country_holidays("GB", subdiv="ENG", years=range(2000, 2101))
    assert set(known) == CLOSED
    assert {date(2002, 6, 3), date(2011, 4, 29), date(2012, 6, 5), date(2020, 5, 8), date(2022, 9, 19)} <= CLOSED
    assert date(2020, 5, 4) not in CLOSED  # moved to VE Day


@given(st.dates(date(2000, 1, 3), date(2100, 11, 30)), st.integers(-30, 30))
def test_working_days_are_counted_as_one_does_on_a_calendar(engine: Connection, day: date, n: int) -> None:
    def is_open(d: date) -> bool:
        return d.weekday() < 5 and d not in CLOSED

    def ordinal(d: date) -> str:
        return f"(SELECT {looked_up('ordinals', literal(d), 'ordinals')} FROM {CALENDAR})"

    later = day + timedelta(days=abs(n))
    counted = sum(is_open(day + timedelta(days=i + 1)) for i in range(abs(n)))
    assert value(engine, f"{ordinal(later)} - {ordinal(day)}") == counted
    if n > 0:
        # The n-th working day after the day itself.
        expected, left = day, n
        while left:
            expected += timedelta(days=1)
            left -= is_open(expected)
        assert (
            value(engine, f"(SELECT {looked_up('days', f'{ordinal(day)} + {n}', 'days')} FROM {CALENDAR})") == expected
        )


def test_the_calendar_covers_2000_to_2100_and_no_more(engine: Connection) -> None:
    def ordinal(day: date) -> object:
        return value(engine, f"(SELECT {looked_up('ordinals', literal(day), 'ordinals')} FROM {CALENDAR})")

    row = engine.execute(f"SELECT len(ordinals), days[1], days[-1] FROM {CALENDAR}").fetchone()
    assert row == ((date(2101, 1, 1) - date(2000, 1, 1)).days, date(2000, 1, 4), date(2100, 12, 31))
    assert (ordinal(date(1999, 12, 31)), ordinal(date(2000, 1, 1))) == (None, 0)
    assert (ordinal(date(2100, 12, 31)), ordinal(date(2101, 1, 1))) == (
        value(engine, f"(SELECT len(days) FROM {CALENDAR})"),
        None,
    )


@pytest.mark.parametrize("text", ["28", "days", "-1 day", "1 fortnight", "1.5 months", "40000 days", "1  day", ""])
def test_a_length_of_time_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a length of time"):
        parse_limit(text)


def test_lengths_of_time() -> None:
    assert parse_limit("10 working_days") == parse_limit("10 working days") == Limit(10, "working_days")
    assert parse_limit("1 month") == Limit(1, "months")


@pytest.mark.parametrize("text", ["2021-2-1", "2021-02-29", "01/02/2021", "20210201", "2021-W05-1", 20210201, None])
def test_a_date_that_is_none(text: object) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        parse_date(text)


def test_by_when_to_put_something_right() -> None:
    friday = date(2021, 9, 17)
    assert put_right_on(friday, Limit(1, "working_days")) == date(2021, 9, 20)
    assert put_right_on(friday, Limit(28, "days")) == date(2021, 10, 15)
    assert put_right_on(date(2021, 8, 31), Limit(6, "months")) == date(2022, 2, 28)
