"""What a change of rules or of figures changes, told to people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from compliance.dates import english
from compliance.files.documents import json_text
from compliance.report.grid import grid
from compliance.report.words import printable

if TYPE_CHECKING:
    from compliance.findings.impact import Changed, Impact


def write(impact: Impact, format_: str, width: int) -> Iterator[str]:
    """The differences, as a table or as JSON."""
    if format_ == "json":
        told = {
            "as_at": impact.as_at.isoformat(),
            "data": impact.data,
            "changes": [_plain(c) for c in impact.changed],
            "rules_gone": list(impact.only_before),
            "rules_new": list(impact.only_after),
        }
        yield json_text(told, 1) + "\n"
        return
    yield f"What changes for {printable(impact.data)} as at {english(impact.as_at)}\n\n"
    if impact.changed:
        left = max(width, 80) - 8 - 10
        widths = [left * 3 // 10, left // 5, left // 5, 8, left * 3 // 10]
        rows = [[_rule(c), _words(c.was), _words(c.becomes), f"{c.n:,}", _keys(c)] for c in impact.changed]
        yield grid(rows, ["Rule", "Was", "Becomes", "Records", "Which"], widths)
        yield "\n"
    for rules, what in (
        (impact.only_before, "ran before and no longer does"),
        (impact.only_after, "runs now and did not"),
    ):
        yield from (f"{rule} {what}.\n" for rule in rules)
    n, n_rules = sum(c.n for c in impact.changed), len({c.rule for c in impact.changed})
    if not n:
        yield "No record changes its outcome.\n"
    else:
        yield f"{n:,} outcome{'s' * (n != 1)} of {n_rules:,} rule{'s' * (n_rules != 1)} change.\n"


def _plain(c: Changed) -> dict[str, object]:
    return {
        "rule": c.rule,
        "part": c.part or None,
        "own_policy": c.own,
        "record": c.record,
        "was": c.was or None,
        "becomes": c.becomes or None,
        "records": c.n,
        "keys": list(c.keys),
    }


def _rule(c: Changed) -> str:
    return " ".join([c.rule, *([f"({c.part})"] if c.part else []), *(["by your own figure"] if c.own else [])])


def _words(outcome: str) -> str:
    return outcome.replace("_", " ") or "not asked"


def _keys(c: Changed) -> str:
    more = c.n - len(c.keys)
    return f"{c.record.replace('_', ' ')} {', '.join(map(printable, c.keys))}" + (
        f" and {more:,} more" if more > 0 else ""
    )
