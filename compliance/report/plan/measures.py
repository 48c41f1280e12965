"""Measures with what they came to over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import compliance.report.plan.words as words
from compliance.report.grid import grid
from compliance.report.kpi.words import bars
from compliance.report.words import for_log
from compliance.tracker import life
from compliance.tracker.model import Measure
from compliance.tracker.state import State, Value
from compliance.tracker.targets import amount

NARROWEST = 80
HEADERS = ["Measure", "What", "Target", "Latest", "On", "Met", "Trend"]
MET = {True: "yes", False: "no", None: "cannot be told"}


def trend(values: Sequence[Value]) -> str:
    """One character a value, from the least to the most; a dot for one that is no figure."""
    figures = [amount(v.value) for v in values]
    return bars([f[0] if f else None for f in figures])


def _rows(state: State) -> list[list[str]]:
    return [_row(m, state.values.get(m.id, [])) for m in life.measures(state).values()]


def _row(m: Measure, values: Sequence[Value]) -> list[str]:
    if not values:
        return [m.id, m.text, m.target, "", "", "", ""]
    last = values[-1]
    return [m.id, m.text, m.target or last.target, last.value, last.on, MET[last.met], trend(values)]


def _table(state: State, width: int) -> Iterator[str]:
    rows = [[for_log(c) for c in row] for row in _rows(state)]
    left = max(width, NARROWEST) - 59
    yield grid(rows, HEADERS, [9, left * 3 // 5, left * 2 // 5, 14, 11, 9, 12])


def _markdown(state: State, width: int) -> Iterator[str]:
    yield words.markdown_table(HEADERS, _rows(state))


def _json(state: State, width: int) -> Iterator[str]:
    yield words.dump(
        [
            {
                "id": m.id,
                "text": m.text,
                "kind": m.kind,
                "of": m.of or None,
                "target": m.target or None,
                "values": [v._asdict() for v in state.values.get(m.id, [])],
            }
            for m in life.measures(state).values()
        ]
    )


FORMATS: Mapping[str, Callable[[State, int], Iterator[str]]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}
