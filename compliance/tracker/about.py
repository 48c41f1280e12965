"""Whom an action is about: records by kind and key, and whose file each is in. Pure.

Keys alone are kept, never names: what a plan has once said stays in its history for good. A report that may show names looks them up.
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 400
"""Characters of one subject: what a line of a plan file may have."""
FEW = 2


def subject(record: str, key: str, whose: tuple[str, str] | None = None, names: tuple[str, str] = ("", "")) -> str:
    """`staff S0020`; `placement PL0018, child C0018`.

    Args:
      whose: kind and key of the record whose file it is in; None: nobody's.
      names: of the record and of whose file it is, for what is shown and not kept.
    """
    said = f"{record.replace('_', ' ')} {key}" + (f" ({names[0]})" if names[0] else "")
    if whose is not None and whose[0] != record:
        said += f", {whose[0].replace('_', ' ')} {whose[1]}" + (f" ({names[1]})" if names[1] else "")
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"


def short(about: Sequence[str]) -> str:
    """The first ones, and how many more: `staff S0020; staff S0031 and 3 more`."""
    more = len(about) - FEW
    return "; ".join(about[:FEW]) + (f" and {more:,} more" if more > 0 else "")
