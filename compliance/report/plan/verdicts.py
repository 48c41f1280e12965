"""What an audit says of the actions that are said to be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import compliance.report.plan.words as words
from compliance.report.grid import grid
from compliance.report.words import for_log
from compliance.tracker.life import Verdict

NARROWEST = 80
HEADERS = ["Action", "Was", "Now", "Why"]
NOTHING = "Nothing that the plan calls done answers what an audit looks at.\n"


def _rows(verdicts: Sequence[Verdict]) -> list[list[str]]:
    return [[v.action, v.was, v.became, v.why] for v in verdicts]


def _summary(verdicts: Sequence[Verdict]) -> str:
    of = Counter(v.became for v in verdicts)
    return "; ".join(f"{n:,} {became}" for became, n in of.items()) + ".\n"


def _table(verdicts: Sequence[Verdict], width: int) -> Iterator[str]:
    if not verdicts:
        yield NOTHING
        return
    rows = [[for_log(c) for c in row] for row in _rows(verdicts)]
    yield grid(rows, HEADERS, [12, 12, 14, max(width, NARROWEST) - 52])
    yield _summary(verdicts)


def _markdown(verdicts: Sequence[Verdict], width: int) -> Iterator[str]:
    yield words.markdown_table(HEADERS, _rows(verdicts)) if verdicts else NOTHING


def _json(verdicts: Sequence[Verdict], width: int) -> Iterator[str]:
    yield words.dump([dict(zip(("action", "was", "now", "why"), row, strict=True)) for row in _rows(verdicts)])


FORMATS: Mapping[str, Callable[[Sequence[Verdict], int], Iterator[str]]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}
