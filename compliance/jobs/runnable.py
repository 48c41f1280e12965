"""Which rules an export lets run, and what its mapping would have to say for more of them to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from compliance.files.documents import yaml_text
from compliance.jobs import planning
from compliance.jobs.asked import Asked, Export
from compliance.jobs.opening import Opened
from compliance.model import RecordKinds, Tables

MOST_LINES = 40


@dataclass(frozen=True)
class Freed:
    """Fields that the export has nowhere; were it said that its system never records them, so many more rules would run."""

    fields: tuple[str, ...]
    rules: int


@dataclass(frozen=True)
class Runnable:
    """How many rules can run.

    Args:
      rules: those that are in force and asked of such an export; `able`: those of them that can run; `others`: those that are not.
      freed: what would let more run by a line each in the mapping, that which frees most for its number of lines first.
      kinds: record kinds that are not there, with how many rules lack them.
      readers: of each field that is empty somewhere although other records show that something happened, how many rules read it.
    """

    rules: int
    able: int
    others: int
    freed: tuple[Freed, ...]
    kinds: Mapping[str, int]
    readers: Mapping[str, int]

    @property
    def more(self) -> int:
        """Rules that all of these lines together would free."""
        return sum(f.rules for f in self.freed)

    @property
    def told(self) -> str:
        """In a sentence."""
        others = f"; {self.others:,} more are not asked of such an export" if self.others else ""
        return f"{self.able:,} of {self.rules:,} rules can run{others}."

    def lines(self, most: int = MOST_LINES) -> Iterator[str]:
        """What to put into a mapping, below `set:`; no more than about so many lines."""
        n = 0
        for i, freed in enumerate(self.freed):
            if n and n + len(freed.fields) > most:
                left = sum(f.rules for f in self.freed[i:])
                yield f"# {sum(len(f.fields) for f in self.freed[i:]):,} more lines would free {_rules(left)}"
                return
            n += len(freed.fields)
            *first, last = freed.fields
            yield from (f"{yaml_text(f)}: null" for f in first)
            together = f" with the {len(first)} above" if len(first) > 1 else " with the one above" if first else ""
            yield f"{yaml_text(last)}: null  # {_rules(freed.rules)}{together}"


def _rules(n: int) -> str:
    return f"{n:,} {'rule' if n == 1 else 'rules'}"


def runnable(read: Opened, export: Export, today: date) -> Runnable:
    """What can run on an export as it was read.

    Args:
      today: whose law is asked about, unless the export ends before it.

    Raises:
      ComplianceError: the agency's own figures cannot be used.
    """
    day = min((last for _, last in read.tables.covers.values()), default=today)
    # What events the export covers is no fault of its mapping.
    reach = planning.reach(read.kinds, replace(read.tables, covers={}), Asked(export, min(day, today)))
    asked = {i: rule for i, rule in reach.rules.items() if rule.status in ("ran", "could not run")}
    able = [i for i, rule in asked.items() if rule.status == "ran"]
    unable = {i: rule.lacking for i, rule in asked.items() if rule.status != "ran" and rule.lacking}
    kinds = Counter(n for names in unable.values() for n in names if "." not in n)
    freed = tuple(_freed(unable, read.kinds, read.tables))
    others = len(reach.rules) - len(asked)
    return Runnable(len(asked), len(able), others, freed, dict(kinds.most_common()), reach.readers)


def _freed(unable: Mapping[str, tuple[str, ...]], kinds: RecordKinds, tables: Tables) -> Iterator[Freed]:
    left = {i: frozenset(names) for i, names in unable.items() if all(_may_be_empty(n, kinds, tables) for n in names)}
    while left:
        freed = {names: sum(other <= names for other in left.values()) for names in set(left.values())}
        best = min(freed, key=lambda names: (-freed[names] / len(names), len(names), sorted(names)))
        yield Freed(tuple(sorted(best)), freed[best])
        left = {i: names - best for i, names in left.items() if not names <= best}


def _may_be_empty(name: str, kinds: RecordKinds, tables: Tables) -> bool:
    """Whether a mapping may say of a field that the system never records it."""
    kind, _, field = name.partition(".")
    return bool(field) and kind in tables.tables and not kinds[kind].fields[field].required
