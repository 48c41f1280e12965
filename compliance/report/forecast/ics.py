"""iCalendar (RFC 5545): one all-day event for each duty that falls due. The same input gives the same bytes.

A diary that reads a later forecast moves the event: its UID is the fingerprint of rule and record.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time

from icalendar import Calendar, Event

from compliance import __version__
from compliance.findings.forecast import DueItem, Forecast
from compliance.report.forecast.words import remarks, subject

END = "END:VCALENDAR\r\n"


def write(f: Forecast, width: int) -> Iterator[str]:
    """The calendar, event by event."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", f"-//childrens-services-compliance//forecast {__version__}//EN")
    yield calendar.to_ical().decode("utf-8").removesuffix(END)
    stamp = datetime.combine(f.as_at, time(), UTC)
    for d in f.due():
        yield _event(d, stamp).to_ical().decode("utf-8")
    yield END


def _event(d: DueItem, stamp: datetime) -> Event:
    event = Event()
    event.add("uid", d.fingerprint)
    event.add("dtstamp", stamp)
    event.add("dtstart", d.due_on)
    event.add("summary", f"{d.what} due: {subject(d)}")
    event.add(
        "description", "\n".join([f"{d.rule.title}. {'; '.join(d.rule.refs)}.", *remarks(d), f"Rule {d.rule.id}."])
    )
    event.add("categories", [d.responsible])
    event.add("transp", "TRANSPARENT")
    return event
