"""The events of a plan in a file of JSON Lines, as `plan export --format jsonl` writes them (I/O: reads it)."""

from __future__ import annotations

from pathlib import Path

from compliance.errors import ComplianceError, Location, Problem
from compliance.files.documents import MAX_JSON_BYTES, content_of
from compliance.tracker.events import Event, broken, parsed


def read(path: Path) -> list[Event]:
    """All of them, in order.

    Raises:
      ComplianceError: a line is no event, they are of several plans, or something in the chain was changed or taken out.
    """
    try:
        lines = content_of(path, MAX_JSON_BYTES).decode("utf-8").split("\n")
    except UnicodeDecodeError as e:
        raise ComplianceError(f"{path} is not UTF-8, as events are written. Nothing was changed.") from e
    events: list[Event] = []
    problems = []
    for i, line in enumerate(lines[:-1] if lines[-1] == "" else lines, 1):
        try:
            events.append(parsed(line))
        except ValueError as e:
            problems.append(Problem(Location(str(path), i), str(e)))
    if problems or not events:
        raise ComplianceError(f"{path.name} holds no events of a plan that can be used. Nothing was changed.", problems)
    where = broken(events)
    if not where and len({e.plan for e in events}) > 1:
        where = f"it holds events of several plans: {', '.join(sorted({e.plan for e in events}))}"
    if not where and events[0].kind != "plan begun":
        where = "its first event does not begin a plan"
    if where:
        raise ComplianceError(f"{path.name} cannot be taken over: {where}. Nothing was changed.")
    return events
