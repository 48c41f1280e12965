"""Days, months and ranges as people write them in a spreadsheet, as the plan file writes them. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime

from compliance.tracker.model import when

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
EXPECTED = "write a day (28 February 2022), a month (February 2022, Feb-22) or a range (Feb - Mar 2022)"

_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? +([a-z]+)\.?,? +(\d{4})")
_NUMBERS = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_MONTH = re.compile(r"([a-z]+)\.?(?:,? +(\d{4})| ?[-'’](\d{2}|\d{4})| +'(\d{2}))?")
_BETWEEN = re.compile(r" +to +| *[–—/] *| +- +|(?<=[a-z])-(?=[a-z])")


def span(value: object, month: bool = False) -> str:
    """`February 2022` -> `2022-02`, `Feb - Mar 2022` -> `2022-02 to 2022-03`, a real date -> its day.

    Args:
      month: a real date is shown without its day, so that its month is meant.

    Raises:
      ValueError: it cannot be read for certain; the message says why and what is expected.
    """
    if isinstance(value, datetime | date):
        day = value.date() if isinstance(value, datetime) else value
        return day.isoformat()[:7] if month else day.isoformat()
    if not isinstance(value, str):
        raise ValueError(f"'{value}' is a number; {EXPECTED}")
    text = " ".join(value.split())
    try:
        return when(text).text
    except ValueError:
        pass
    if numbers := _NUMBERS.fullmatch(text):
        return _of_numbers(text, *map(int, numbers.groups()))
    parts = _BETWEEN.split(text.casefold())
    if len(parts) > 2:
        raise ValueError(f"'{text}' is no day, month or range; {EXPECTED}")
    read = [_part(p, text) for p in parts]
    if read[-1][0] is None:
        raise ValueError(f"'{text}' has no year; {EXPECTED}")
    # The year that stands at the end is that of the whole range.
    said = [f"{year or read[-1][0]}{rest}" for year, rest in read]
    try:
        return when(" to ".join(said)).text
    except ValueError as e:
        why = "ends before it begins" if "before" in str(e) else "is no day, month or range"
        raise ValueError(f"'{text}' {why}; {EXPECTED}, with the year at each month where there are two") from e


def _of_numbers(text: str, first: int, second: int, year: int) -> str:
    """`31/03/2022` -> `2022-03-31`: read where the numbers can be one day alone.

    Raises:
      ValueError: they are no day, or may be two.
    """
    # Day first, as here; then month first.
    read = (_day(year, second, first), _day(year, first, second))
    days = list(dict.fromkeys(d for d in read if d is not None))
    if not days:
        raise ValueError(
            f"'{text}' is no day: neither {first} nor {second} can be its month with the other as its day; {EXPECTED}"
        )
    if len(days) > 1:
        one, other = (f"{d.day} {MONTHS[d.month - 1].capitalize()}" for d in days)
        raise ValueError(f"'{text}' may be {one} or {other}; write it as {one} {year} or {days[0]}")
    return days[0].isoformat()


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _part(part: str, whole: str) -> tuple[str | None, str]:
    """The year, if there is one, and the rest."""
    if day := _DAY.fullmatch(part):
        return day[3], f"-{_month(day[2], whole):02}-{int(day[1]):02}"
    if re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", part):
        return part[:4], part[4:]
    if found := _MONTH.fullmatch(part):
        year = found[2] or found[3] or found[4]
        return (f"20{year}" if year and len(year) == 2 else year), f"-{_month(found[1], whole):02}"
    raise ValueError(f"'{whole}' is no day, month or range; {EXPECTED}")


def _month(name: str, whole: str) -> int:
    for i, month in enumerate(MONTHS, 1):
        if name in (month, month[:3]) or (name == "sept" and i == 9):
            return i
    raise ValueError(f"'{whole}': '{name}' is no month; {EXPECTED}")
