"""The plan for other programs, one file a format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from compliance.report.plan import csv, jsonl, oscal, yaml
from compliance.tracker.events import Event
from compliance.tracker.state import State

EXPORTS: Mapping[str, Callable[[State, Sequence[Event]], Iterator[str]]] = {
    "yaml": yaml.write,
    "csv": csv.write,
    "jsonl": jsonl.write,
    "oscal": oscal.write,
}
"""Each takes the plan as it stands and its events, and gives the text piece by piece."""
