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
    named = ", ".join(
        f"{n.record.replace('_', ' ')} (newest {english(n.on)})"
        for n in sorted(silent, key=lambda n: (-n.days, n.record))[:NAMED]
    )
    more = f" and {len(silent) - NAMED:,} more kinds" if len(silent) > NAMED else ""
    said = f"Without a new record for more than twice as long as ever in the year before: {named}{more}."
    which = "1 finding is" if due_since == 1 else f"{due_since:,} findings are"
    due = f" {which} of what fell due since: not done, or the export is older than {english(as_at)}."
    return (said + (due if due_since else ""),)
