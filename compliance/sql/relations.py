"""The rows that a plan makes, each relation from others; written so that no column is read that nobody asks for.

Rows that one statement reads alone stand in that statement; what several read is made a table first. With DuckDB's optimiser off, which
costs a small export more than it saves, every column of a subquery is bound and worked out, and a view is bound anew wherever it is named:
views and `p.*` took 1.1 of the 2.4 s that the statements of a sample audit took.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

from compliance.compiler.ir import ITEM
from compliance.sql.text import literal, name


class Sql(NamedTuple):
    """A piece of SQL, and the columns that it reads: the alias and the name of each."""

    text: str
    reads: frozenset[tuple[str, str]] = frozenset()


class Values(NamedTuple):
    """Rows that are written out."""

    text: str


def column(alias: str, of: str) -> Sql:
    """A column of one of the sources."""
    return Sql(f"{alias}.{name(of)}", frozenset({(alias, of)}))


@dataclass(frozen=True, eq=False)
class Source:
    """Where rows come from: a relation, a stored table, or values; how they are joined, and on what.

    Args:
      adds_columns: and no more: the join finds one row at most and drops none, so it falls away where no column of it is read.
    """

    alias: str
    rows: Relation | str | Values
    join: str = ""
    on: Sql | None = None
    adds_columns: bool = False


@dataclass(frozen=True, eq=False)
class Relation:
    """Rows made from others.

    Args:
      sources: joined in this order.
      columns: those that it makes; the others it passes on from the source with the alias `passes`.
      small: read where it is needed, however often: a stored table and what its cells read as then.
    """

    name: str
    sources: tuple[Source, ...]
    columns: Mapping[str, Sql]
    passes: str = "p"
    where: Sql | None = None
    by: Sql | None = None
    small: bool = False

    def cell(self, of: str) -> Sql:
        """One of its columns."""
        return self.columns.get(of) or column(self.passes, of)

    def as_stored(self, of: str) -> bool:
        """Whether a column is what its source has, and nothing is made of it."""
        return self.cell(of).text == f"{self.passes}.{name(of)}"

    def reads(self, wanted: Iterable[str]) -> tuple[dict[str, set[str]], list[Source]]:
        """The columns that are read of each source for those `wanted`, and the sources that are needed."""
        of: dict[str, set[str]] = defaultdict(set)
        for part in (*(self.cell(c) for c in wanted), self.where, self.by):
            for alias, read in part.reads if part is not None else ():
                of[alias].add(read)
        needed: list[Source] = []
        for source in reversed(self.sources):
            if source.adds_columns and source.alias not in of:
                continue
            needed.insert(0, source)
            for alias, read in source.on.reads if source.on is not None else ():
                of[alias].add(read)
        return of, needed


@dataclass
class Layout:
    """Which relations become tables, and with which columns.

    Args:
      relations: in the order in which they can be made.
      wanted: what is asked of the last ones, by several statements.
      in_one: none does; all stand in the one statement that asks.
    """

    relations: Sequence[Relation]
    wanted: Mapping[Relation, Iterable[str]]
    in_one: bool = False
    needs: dict[Relation, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    tables: set[Relation] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Goes from what is asked back to what it is made from."""
        readers: dict[Relation, int] = defaultdict(int)
        for relation, columns in self.wanted.items():
            self.needs[relation].update(dict.fromkeys(sorted(columns)))
            readers[relation] += 2
        for relation in reversed(self.relations):
            if relation not in self.needs:
                continue
            if not self.in_one and not relation.small and (relation.by is not None or readers[relation] > 1):
                self.tables.add(relation)
            of, sources = relation.reads(self.needs[relation])
            for source in sources:
                if isinstance(source.rows, Relation):
                    self.needs[source.rows].update(dict.fromkeys(sorted(of[source.alias])))
                    readers[source.rows] += 1

    def rows(self, relation: Relation) -> str:
        """Its rows, as they are read by whoever comes last."""
        return self._rows(relation, self.needs[relation])

    def _rows(self, rows: Relation | str | Values, wanted: Iterable[str]) -> str:
        if isinstance(rows, Values):
            return rows.text
        if isinstance(rows, str):
            return name(rows)
        stored = rows.sources[0].rows
        if (
            isinstance(stored, str)
            and len(rows.sources) == 1
            and rows.where is None
            and all(map(rows.as_stored, wanted))
        ):
            return name(stored)
        return name(rows.name) if rows in self.tables else f"({self._select(rows, wanted)})"

    def _select(self, relation: Relation, wanted: Iterable[str]) -> str:
        of, sources = relation.reads(wanted)
        cells = []
        for c in wanted:
            cell = relation.cell(c)
            as_it_is = any(of_source == c and cell == column(alias, c) for alias, of_source in cell.reads)
            cells.append(cell.text if as_it_is else f"{cell.text} AS {name(c)}")
        told = ""
        for source in sources:
            rows = self._rows(source.rows, sorted(of[source.alias]))
            told += f" {source.join} {rows} {source.alias}" if source.join else f"{rows} {source.alias}"
            told += f" ON {source.on.text}" if source.on is not None else ""
        where = f" WHERE {relation.where.text}" if relation.where is not None else ""
        by = f" GROUP BY {relation.by.text}" if relation.by is not None else ""
        return f"SELECT {', '.join(cells) or '1'} FROM {told}{where}{by}"

    def setup(self, make: str, drop: str, drop_records: bool = False) -> Iterator[str]:
        """Statements that make the tables, and drop each as soon as nothing more is made from it.

        Args:
          make, drop: templates with `what`, and `select`.
          drop_records: the tables of record kinds too.
        """
        made = [r for r in self.relations if r in self.tables]
        stored = {r: self._stored(r) for r in self.needs}
        last: dict[str, int] = {}
        for i, relation in enumerate(made):
            last.update(dict.fromkeys(stored[relation], i))
        kept = {r.name for r in self.wanted}.union(*(stored[r] for r in self.wanted if r not in self.tables))
        done: dict[int, list[str]] = defaultdict(list)
        for what, i in last.items():
            if what not in kept and (any(r.name == what for r in made) or (drop_records and _is_of_records(what))):
                done[i].append(what)
        for i, relation in enumerate(made):
            yield make.format(what=name(relation.name), select=self._select(relation, self.needs[relation]))
            yield from (drop.format(what=name(what)) for what in sorted(done[i]))

    def _stored(self, relation: Relation) -> set[str]:
        """The tables that are read where `relation` is made."""
        found: set[str] = set()
        for source in relation.reads(self.needs[relation])[1]:
            if isinstance(source.rows, str):
                found.add(source.rows)
            elif isinstance(source.rows, Relation):
                found |= {source.rows.name} if source.rows in self.tables else self._stored(source.rows)
        return found


def _is_of_records(what: str) -> bool:
    """Whether a stored table is that of a record kind, and not of the few rows of one that cannot be used."""
    return what.startswith("t_") and not what.endswith("?")


# --- each sort of relation ------------------------------------------------------------------------------------------

OF = "link__of"
"""From a record with an item to the record itself."""
ITEM_NO = "item__no"
"""The place of its item among all."""
OUTER = "link__outer"
"""In a pair, the row around a `for`."""
KEY, OWNER = "k", "belongs_to"


def with_items(what: str, records: Relation, items: Sequence[str], among: Collection[str]) -> Relation:
    """Each record with each of those of `items` that are `among` some."""
    listed = ", ".join(f"({n}, {literal(item)})" for n, item in enumerate(items) if item in among)
    rows = Values(f"(VALUES {listed})")
    rid = column("p", "rid")
    return Relation(
        what,
        (Source("p", records), Source("i(n, item)", rows, "CROSS JOIN")),
        {
            "rid": Sql(f"{rid.text} * {len(items)} + i.n", rid.reads),
            OF: rid,
            ITEM_NO: Sql("i.n"),
            ITEM.name: Sql("i.item"),
        },
    )


def paired(what: str, outer: Relation, way: Sequence[tuple[str, Relation]], child: Relation, link: str) -> Relation:
    """Each row of `outer` with each row of `child` that it leads to; `way` is each link gone up, and where it leads to."""
    sources, at = [Source("o", outer)], "o"
    for i, (link_up, parents) in enumerate(way):
        sources.append(Source(f"w{i}", parents, "JOIN", equal(column(f"w{i}", "rid"), column(at, link_up))))
        at = f"w{i}"
    sources.append(Source("c", child, "JOIN", equal(column("c", link), column(at, "rid"))))
    return Relation(what, tuple(sources), {OUTER: column("o", "rid")}, passes="c")


def grouping(what: str, rows: Relation, by: Sql, columns: Mapping[str, Sql], of: Sql | None = None) -> Relation:
    """One grouping with many aggregates over the rows that belong to somebody; `of`: a condition on whom."""
    return Relation(what, (Source("p", rows),), {KEY: by, **columns}, where=of or not_null(by), by=by)


def narrowed(what: str, rows: Relation, where: Sql) -> Relation:
    """Those rows of which a condition holds."""
    return Relation(what, (Source("p", rows),), {}, where=where)


def windows(what: str, rows: Relation, link: str, columns: Mapping[str, Sql]) -> Relation:
    """Rows that belong to somebody, each by its number and by what it belongs to, and what windows say of it."""
    by = column("p", link)
    return Relation(what, (Source("p", rows),), {KEY: column("p", "rid"), OWNER: by, **columns}, where=not_null(by))


def widened(
    what: str, rows: Relation, joins: Sequence[Source], columns: Mapping[str, Sql], small: bool = False
) -> Relation:
    """Rows with more columns."""
    return Relation(what, (Source("p", rows), *joins), columns, small=small)


def added(alias: str, rows: Relation | str, on: Mapping[str, Sql]) -> Source:
    """The one row, if there is any, whose columns equal these pieces; without any, of a table of one row."""
    conditions = [equal(column(alias, of), piece) for of, piece in on.items()]
    if not conditions:
        return Source(alias, rows, "CROSS JOIN", adds_columns=True)
    return Source(alias, rows, "LEFT JOIN", reduce(both, conditions), adds_columns=True)


def equal(a: Sql, b: Sql) -> Sql:
    """Whether two pieces are the same."""
    return Sql(f"{a.text} = {b.text}", a.reads | b.reads)


def both(a: Sql, b: Sql) -> Sql:
    """Whether both hold."""
    return Sql(f"{a.text} AND {b.text}", a.reads | b.reads)


def not_null(a: Sql) -> Sql:
    """Whether it is filled."""
    return Sql(f"{a.text} IS NOT NULL", a.reads)
