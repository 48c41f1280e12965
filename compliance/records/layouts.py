"""An export in the layout of a mapping that came with the program: which of its tables are which, and what is called otherwise. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from compliance.model import Field, RecordKinds
from compliance.records.drafting import LEAST, SURE, Drafted, Guesser, Place
from compliance.records.mapping import plain
from compliance.records.profiles import Profile
from compliance.records.vocabulary import Layout, LayoutSource

HALF = 0.5
"""The share of its columns by which a table is known as one of the layout's."""
BY_NAME = "by its name"


@dataclass
class Match:
    """A table that is one of the layout's.

    Args:
      there: how many of its columns are there by a name that the layout knows.
      renamed: fields whose column is called otherwise, with the column and the reason; `sure`: those that need no question.
      lacking: fields of which there is no column.
      unread: columns that nothing reads.
    """

    source: LayoutSource
    place: Place
    there: int
    renamed: dict[str, tuple[str, str]] = field(default_factory=dict)
    sure: set[str] = field(default_factory=set)
    lacking: list[str] = field(default_factory=list)
    unread: list[Profile] = field(default_factory=list)

    @property
    def moved(self) -> bool:
        """Whether the table is called otherwise."""
        file, sheet = self.place.places[0]
        here = {plain(n).removesuffix(".csv") for n in (file, sheet) if n}
        return len(self.place.places) > 1 or here.isdisjoint(plain(n).removesuffix(".csv") for n in self.source.names)

    def take(self, name: str, column: Profile, why: str, sure: bool) -> None:
        """Lets a column be that of a field."""
        self.renamed[name] = (column.name, why)
        self.sure |= {name} if sure else set()
        self.lacking.remove(name)
        self.unread.remove(column)


def matched(layout: Layout, places: Sequence[Place], guesser: Guesser) -> list[Match]:
    """The tables of a layout that are there, in its order."""
    headers = [{plain(c.name) for c in place.table.columns} for place in places]
    shares = sorted(
        (-_there(source, header) / max(len(source.columns), 1), i, j)
        for i, source in enumerate(layout.sources)
        for j, header in enumerate(headers)
    )
    found: dict[int, Match] = {}
    taken: set[int] = set()
    for share, i, j in shares:
        if -share >= HALF and i not in found and j not in taken:
            taken.add(j)
            found[i] = _match(layout, layout.sources[i], places[j], headers[j])
    its = [found[i] for i in sorted(found)]
    # What is certain first, so that it is not taken for what it is merely like.
    _left_alone(its, guesser.kinds)
    for one in its:
        _by_likeness(one, guesser)
    _left_alone(its, guesser.kinds)
    return its


def _there(source: LayoutSource, header: set[str]) -> int:
    return sum(not header.isdisjoint(names) for names in source.columns.values())


def _match(layout: Layout, source: LayoutSource, place: Place, header: set[str]) -> Match:
    known = {n for names in source.columns.values() for n in names} | layout.unused
    one = Match(source, place, _there(source, header))
    one.lacking = [f for f, names in source.columns.items() if header.isdisjoint(names)]
    one.unread = [c for c in place.table.columns if plain(c.name) not in known]
    return one


def _by_likeness(one: Match, guesser: Guesser) -> None:
    """Columns that are called nearly as a field is, the likest first."""
    kind = guesser.kinds[one.source.record]
    fits = [(guesser.fit(c, kind, kind.fields[f]), c, f) for c in one.unread for f in one.lacking]
    likely = [(d.score, c, f) for d, c, f in fits if isinstance(d, Drafted) and d.score >= LEAST]
    for score, column, name in sorted(likely, key=lambda s: (-s[0], s[1].name, s[2])):
        if column in one.unread and name in one.lacking:
            one.take(name, column, BY_NAME, score >= SURE)


def _left_alone(its: Sequence[Match], kinds: RecordKinds) -> None:
    """The one column that is left in a table, for the one field that is; then what is called so in another table."""
    for one in its:
        if len(one.lacking) == len(one.unread) == 1:
            name, column = one.lacking[0], one.unread[0]
            if _looks_like(column, kinds[one.source.record].fields[name]):
                one.take(name, column, "the one column that is left", False)
    _as_elsewhere(its)


def _looks_like(column: Profile, its: Field) -> bool:
    if its.id_of:
        return column.idlike
    return bool(column.formats) == (its.type == "date")


def _as_elsewhere(its: Sequence[Match]) -> None:
    """Columns that are called as those of the same field in another table are."""
    names: dict[str, Counter[str]] = {}
    for one in its:
        for f, (called, _) in one.renamed.items():
            names.setdefault(f, Counter()).update([plain(called)])
    for one in its:
        for f in [*one.lacking]:
            column = next((c for c in one.unread if plain(c.name) in names.get(f, ())), None)
            if column is not None:
                one.take(f, column, "so called in another table", True)
        # Two tables that come to the same by themselves leave no doubt worth a question.
        one.sure |= {f for f, (called, _) in one.renamed.items() if names.get(f, Counter())[plain(called)] > 1}


def strange(its: Sequence[Match], places: Sequence[Place]) -> list[Place]:
    """Tables that are none of the layout's."""
    known = {id(one.place) for one in its}
    return [p for p in places if id(p) not in known]


def absent(layout: Layout, its: Sequence[Match]) -> Mapping[str, tuple[str, ...]]:
    """Record kinds of the layout of which there is no table, with what that would be called."""
    there = {id(one.source) for one in its}
    return {s.record: s.names for s in layout.sources if id(s) not in there}
