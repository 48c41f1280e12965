"""How a duty that falls due is said in every format that people read."""

from __future__ import annotations

from compliance.dates import english
from compliance.findings.forecast import DueItem

UNSURE = "may have been done: a date or a record that it hangs on cannot be read"


def subject(d: DueItem) -> str:
    """`child C0012`, with the item of a list for which it is due."""
    return f"{d.rule.record} {d.key}" + (f" ({d.rule.part})" if d.rule.part else "")


def remarks(d: DueItem) -> list[str]:
    """How the day comes about, by whose figure, and what is in doubt."""
    found = [] if d.since is None else [f"{english(d.since)} + {d.limit}"]
    if d.rule.own_policy:
        found.append(f"by your own figure: {d.rule.own_policy}")
    if not d.certain:
        found.append(UNSURE)
    return found
