"""Whether a value meets a target, both as people write them. Pure; where the two do not tell, it says so and guesses nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from operator import eq, ge, gt, le, lt

_FIGURE = r"(?P<figure>-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?)"
_AMOUNT = re.compile(rf"{_FIGURE}\s*(?P<unit>%|[a-z ]*)", re.IGNORECASE)
_TARGET = re.compile(r"(?P<how>at least|at most|more than|fewer than|less than|exactly)?\s*(?P<rest>.*)", re.IGNORECASE)
_HOW: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "at least": ge,
    "at most": le,
    "more than": gt,
    "fewer than": lt,
    "less than": lt,
    "exactly": eq,
}
_EARLIER = re.compile(r"last (week|month|quarter|year|time)", re.IGNORECASE)


def amount(text: str) -> tuple[Decimal, str] | None:
    """93.4 % -> (93.4, %); None: it is no figure."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        return None
    return Decimal(found["figure"].replace(",", "")), found["unit"].strip().casefold()


def met(target: str, value: str, before: str = "") -> bool | None:
    """Whether a value meets its target: `at least 80 %`, `at most 3`, `100 %`, `0`, `more than last quarter`.

    A bare figure between 0 and 100 % does not say which side of it is good, and a unit that differs cannot be compared: None.

    Args:
      before: the value that came before this one.
    """
    asked, now = _TARGET.fullmatch(target.strip()), amount(value)
    if asked is None or now is None or not target.strip():
        return None
    how = (asked["how"] or "").casefold()
    wanted = amount(before if _EARLIER.fullmatch(asked["rest"]) else asked["rest"])
    if wanted is None or wanted[1] != now[1]:
        return None
    if how:
        return _HOW[how](now[0], wanted[0])
    if wanted == (Decimal(100), "%"):
        return now[0] >= 100
    return now[0] <= 0 if wanted[0] == 0 else None
