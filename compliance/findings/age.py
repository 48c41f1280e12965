"""How old the records are that an audit looks at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from compliance.dates import english
from compliance.model import Newest

NAMED = 6
"""Record kinds that a sentence names."""


def old(silent: Sequence[Newest], due_since: int, as_at: date) -> tuple[str, ...]:
    """Of which kinds nothing has come for long, and how many findings that may explain, as a remark; none where there is no such kind.

    Args:
      silent: these kinds; what comes most often is named first.
      due_since: findings of what fell due after the newest record that could have shown it.
    """
    if not silent:
        return ()
    days: dict[date, list[str]] = {}
    for n in sorted(silent, key=lambda n: (-n.days, n.record))[:NAMED]:
        days.setdefault(n.on, []).append(n.record.replace("_", " "))
    named = "; ".join(f"{', '.join(kinds)} (the newest of {english(on)})" for on, kinds in days.items())
    more = f"; and {len(silent) - NAMED:,} more kinds" if len(silent) > NAMED else ""
    said = f"Nothing new has come for more than twice as long as ever in the year before: {named}{more}."
    if not due_since:
        return (said,)
    which = "1 finding is" if due_since == 1 else f"{due_since:,} findings are"
    return (
        f"{which} of what fell due after the newest records: it was not done, or the export is older than {english(as_at)}. {said}",
    )
