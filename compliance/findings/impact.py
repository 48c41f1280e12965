"""What differs where other rules, or other figures, judge the same records. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Changed:
    """Records of which a rule says something else by the new rules.

    Args:
      part, own: the item of a list for which it is asked; whether by the agency's own figure.
      was, becomes: outcomes; empty: the rule is not asked of them.
      keys: of the first of `n` records.
    """

    rule: str
    part: str
    own: bool
    record: str
    was: str
    becomes: str
    n: int
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Impact:
    """What differs between two audits of one export.

    Args:
      only_before, only_after: rules that run by the old alone, and by the new alone.
    """

    as_at: date
    data: str
    changed: tuple[Changed, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
