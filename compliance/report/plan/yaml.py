"""The plan file, with its actions as they stand; `plan import` reads it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compliance.tracker import planfile
from compliance.tracker.events import Event
from compliance.tracker.state import State


def write(state: State, events: Sequence[Event]) -> Iterator[str]:
    """The file, with the event up to which it goes, so that a later import can tell what others did since."""
    yield f"# The plan after event {state.number}. Import it with --seen {state.number}, and what others change meanwhile is safe.\n"
    yield planfile.write(state.as_plan())
