"""One of several people who write to a plan at once: adds one to a number in it, so often: `python tests/writers.py URL TIMES`.

Whoever is told that somebody else changed it first does it again, as a person would.
"""

from __future__ import annotations

import sys

from plan_making import COLLEAGUE, small_plan

from compliance.tracker import life
from compliance.tracker.events import Draft
from compliance.tracker.state import State
from compliance.tracker.store import Changed, Store


def begin(state: State) -> list[Draft]:
    """The plan, if nobody has begun it."""
    return [] if state.number else [life.begin(small_plan())]


def one_more(state: State) -> list[Draft]:
    """The number in the note of A1, and one."""
    n = int(state.actions["A1"].action.note or 0)
    return [life.update(state, "A1", {"note": str(n + 1)}, "")]


def main() -> None:
    """Writes."""
    store = Store(sys.argv[1])
    store.change("small", "2022-01-03", COLLEAGUE, begin)
    done = told = 0
    while done < int(sys.argv[2]):
        try:
            store.change("small", "2022-01-03", COLLEAGUE, one_more)
            done += 1
        except Changed:
            told += 1
    print(done, told)


if __name__ == "__main__":
    main()
