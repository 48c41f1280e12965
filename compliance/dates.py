"""Lengths of time and dates: how they are written, added, and told in English."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import TypeVar

from compliance.model import Dated, Frequency, Limit, Unit

T = TypeVar("T")

SAME_DAY = "same day"
LIMIT = re.compile(r"(\d{1,5}) (day|week|month|year|working[_ ]day)s?")
UNITS: dict[str, Unit] = {
    "day": "days",
    "week": "weeks",
    "month": "months",
    "year": "years",
    "working day": "working_days",
    "working_day": "working_days",
}


def parse_limit(text: str) -> Limit:
    """`10 working_days` -> Limit.

    Raises:
      ValueError: it is no length of time; the message says what is expected.
    """
    if text.strip() == SAME_DAY:
        return Limit(0, "days")
    match = LIMIT.fullmatch(text.strip())
    if match is not None and not int(match[1]):
        raise ValueError(f"'{text}' leaves no time at all; write '{SAME_DAY}' if that is meant")
    if match is None or int(match[1]) > 36_600:
        raise ValueError(
            f"'{text}' is not a length of time; write '28 days', '6 weeks', '1 month' or '10 working_days'"
        )
    return Limit(int(match[1]), UNITS[match[2]])


def parse_date(text: object) -> date:
    """`2011-04-01` -> date.

    Raises:
      ValueError: it is no such date.
    """
    if isinstance(text, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(f"'{text}' is not a date; dates are written YYYY-MM-DD")


def dated(versions: dict[date, T]) -> Dated[T]:
    """Versions in order of their days."""
    return Dated(tuple(sorted(versions.items(), key=lambda v: v[0])))


def add_months(day: date, n: int) -> date:
    """`day` n months on; the month's last day where there is no such day (31 January + 1 month = 28 or 29 February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def day_before(day: date, length: Limit) -> date:
    """So long before a day.

    Raises:
      ValueError: the length is in working days, which only the engine counts.
    """
    match length.unit:
        case "days" | "weeks":
            return day - timedelta(days=length.amount * (7 if length.unit == "weeks" else 1))
        case "months" | "years":
            return add_months(day, -length.amount * (12 if length.unit == "years" else 1))
    raise ValueError("working days cannot be counted here; write days, weeks, months or years")


def period_start(day: date, period: Frequency) -> date:
    """The first day of the period that `day` is in.

    Weeks begin on Monday; years are financial, from 1 April; terms are those of the school year, counted by whole months: autumn from
    September, spring from January, summer from May.
    """
    match period:
        case "week":
            return day - timedelta(days=day.weekday())
        case "year":
            return date(day.year - (day.month < 4), 4, 1)
    months = {"month": 1, "quarter": 3, "term": 4}[period]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def period_end(day: date, period: Frequency) -> date:
    """The last day of the period that `day` is in."""
    start = period_start(day, period)
    if period == "week":
        return start + timedelta(days=6)
    return add_months(start, {"month": 1, "quarter": 3, "term": 4, "year": 12}[period]) - timedelta(days=1)


def periods_to(day: date, period: Frequency, n: int) -> list[tuple[date, date]]:
    """The last n periods up to `day`, oldest first; the last one ends on `day`, whole or not."""
    found = [(period_start(day, period), day)]
    while len(found) < n:
        end = found[0][0] - timedelta(days=1)
        found.insert(0, (period_start(end, period), end))
    return found


def ends_between(first: date, last: date, period: Frequency) -> list[date]:
    """The last day of every period that ends from `first` to `last`, both inclusive; `last` itself as well."""
    found = []
    day = period_end(first, period)
    while day < last:
        found.append(day)
        day = period_end(day + timedelta(days=1), period)
    return [*found, last]


def put_right_on(as_at: date, within: Limit) -> date:
    """The day by which a finding of the audit `as_at` is to be put right; working days skip weekends only.

    The figure is the agency's own target, not a limit of law, so bank holidays do not move it.
    """
    match within.unit:
        case "days":
            return as_at + timedelta(days=within.amount)
        case "weeks":
            return as_at + timedelta(weeks=within.amount)
        case "months":
            return add_months(as_at, within.amount)
        case "years":
            return add_months(as_at, 12 * within.amount)
    day, left = as_at, within.amount
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day


def english(day: date) -> str:
    """14 March 2021."""
    return f"{day.day} {day:%B} {day.year}"


MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def english_iso(day: str) -> str:
    """`10000-01-05` -> 5 January 10000: a day beyond the calendar of Python."""
    year, month, of_month = day.split("-")
    return f"{int(of_month)} {MONTHS[int(month) - 1]} {year}"
