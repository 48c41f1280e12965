"""What falls due, made ready for its page: week by week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from compliance.findings.forecast import DueItem, Forecast
from compliance.model import SEVERITIES
from compliance.report.forecast.words import remarks, subject

MOST_A_WEEK = 200
"""Items that a week lists; the rest are counted."""
MOST_PEOPLE = 100
"""Persons and roles that are listed, those with most first."""


@dataclass
class Week:
    """A week of the window, given by its Monday."""

    monday: date
    of: Counter[str] = field(default_factory=Counter)
    items: list[DueItem] = field(default_factory=list)

    @property
    def n(self) -> int:
        """How many fall due in it."""
        return self.of.total()


@dataclass(frozen=True)
class View:
    """What the template is given.

    Args:
      people: who answers for how many, most first; the rest are counted.
    """

    forecast: Forecast
    weeks: Sequence[Week]
    most: int
    people: Sequence[tuple[str, int]]
    more_people: int
    severities: Sequence[str] = SEVERITIES

    def subject(self, item: DueItem) -> str:
        """The record."""
        return subject(item)

    def remarks(self, item: DueItem) -> str:
        """What else is to be said."""
        return "; ".join(remarks(item))


def view(forecast: Forecast) -> View:
    """Every week of the window, those in which nothing falls due too."""
    first = forecast.as_at - timedelta(days=forecast.as_at.weekday())
    n = (forecast.last - first).days // 7 + 1
    weeks = {monday: Week(monday) for monday in (first + timedelta(weeks=i) for i in range(n))}
    people: Counter[str] = Counter()
    for item in forecast.due():
        week = weeks[item.week]
        week.of[item.rule.severity] += 1
        week.items.append(item)
        people[item.responsible] += 1
    for week in weeks.values():
        week.items.sort(key=lambda d: (d.due_on, SEVERITIES.index(d.rule.severity), d.rule.id, d.key))
        del week.items[MOST_A_WEEK:]
    most = max((w.n for w in weeks.values()), default=0)
    return View(
        forecast, list(weeks.values()), most, people.most_common(MOST_PEOPLE), max(0, len(people) - MOST_PEOPLE)
    )
