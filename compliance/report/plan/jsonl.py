"""The events of a plan, one a line: all that its database holds, from which another can be made (`plan import`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compliance.files.documents import disarmed_json
from compliance.tracker.events import Event, canonical
from compliance.tracker.state import State


def write(state: State, events: Sequence[Event]) -> Iterator[str]:
    """Line by line, in order."""
    for e in events:
        yield disarmed_json(canonical(e._asdict())) + "\n"
