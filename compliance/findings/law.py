"""How old the law is that the rules ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from compliance.dates import english
from compliance.model import Instrument


def looked_at(law: Sequence[Instrument], as_at: date) -> tuple[str, ...]:
    """When it was last looked at, and whether that was before the day that is asked about, as a sentence; none where nobody says when."""
    titles: dict[date, list[str]] = {}
    for instrument in law:
        if instrument.looked_at_on is not None:
            titles.setdefault(instrument.looked_at_on, []).append(instrument.title)
    if not titles:
        return ()
    days = [english(day) + ("" if len(titles) == 1 else f" ({', '.join(titles[day])})") for day in sorted(titles)]
    older = ", before the day that is asked about: what has changed since is not asked" if min(titles) < as_at else ""
    return (f"The law was last looked at on {' and on '.join(days)}{older}.",)
