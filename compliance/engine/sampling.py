"""Records to be read for what only reading can settle: which, how many, drawn how. Makes the statements; runs none.

Each duty draws by itself, without replacement, weighted to risk: the records with the largest u^(1/weight) are taken (Efraimidis and
Spirakis), where u comes from the seed, the duty and the record's key alone. So the same seed draws the same records, whatever their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from compliance.findings.grouping import OWNERS
from compliance.model import Link, Prompt, RecordKind, RecordKinds, RuleInfo, Table
from compliance.sql import duckdb as dialect
from compliance.sql import sampling as sql
from compliance.sql.text import literal

FARTHEST = 3
"""Links up over which a finding counts for the record that they lead to."""
EVERYBODYS = ("agency",)
"""Kinds whose findings are about no record in particular."""


def seed_of(as_at: date) -> int:
    """The seed of an audit that is given none: 20210920."""
    return as_at.year * 10_000 + as_at.month * 100 + as_at.day


@dataclass(frozen=True, slots=True)
class Draw:
    """One statement: what it draws for each of `prompts`, by their number."""

    prompts: tuple[int, ...]
    statement: str


def draws(
    prompts: Sequence[tuple[int, Prompt]],
    rules: Sequence[RuleInfo],
    found: Collection[int],
    kinds: RecordKinds,
    tables: Mapping[str, Table],
    as_at: date,
    seed: int,
    n: int,
) -> Iterator[Draw]:
    """One statement for each record kind that is to be read and that the export has.

    Args:
      prompts: with their numbers.
      rules: in the audit's order; findings are in the engine by these positions, and `found` has those with any.
    """
    day = literal(as_at)
    of: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        if number in found:
            of.setdefault(rule.record, []).append(number)
    for name in dict.fromkeys(p.record for _, p in prompts):
        if name not in tables:
            continue
        kind, its = kinds[name], [(i, p.duty) for i, p in prompts if p.record == name]
        table = tables[name]
        above = [
            (link.name, of[link.to])
            for link in kind.links.values()
            if link.name in table.links and link.to in of and link.to not in EVERYBODYS
        ]
        below = [
            ([(x.kind, x.name) for x in way], of[way[0].kind])
            for way in _ways_to(kind, kinds, tables)
            if way[0].kind in of
        ]
        seen = [
            (x.kind, x.name, kinds[x.kind].date, dialect.there("s", (kinds[x.kind].date,), tables[x.kind].columns, day))
            for x in kinds.down[name].values()
            if x.kind in tables and x.name in tables[x.kind].links and kinds[x.kind].date in tables[x.kind].columns
        ]
        since = dialect.since("p", kind.counts_from, table.columns)
        there = dialect.there("p", kind.counts_from, table.columns, day)
        made = sql.draw(name, kind.key, its, of.get(name, []), above, below, seen, since, there, seed, n)
        yield Draw(tuple(i for i, _ in its), made)


def _ways_to(kind: RecordKind, kinds: RecordKinds, tables: Mapping[str, Table]) -> Iterator[tuple[Link, ...]]:
    """How the links up of other kinds lead to this one; whose file a record is in is where its way ends."""
    ways: list[tuple[Link, ...]] = [()]
    for _ in range(FARTHEST):
        longer = []
        for way in ways:
            at = way[0].kind if way else kind.name
            if way and at in OWNERS:
                continue
            for link in kinds.down[at].values():
                there = link.kind in tables and link.name in tables[link.kind].links
                if there and link.kind != kind.name and not any(link.kind == x.kind for x in way):
                    longer.append((link, *way))
        yield from longer
        ways = longer
