"""The statements that find fields which are empty although other records show that something happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from compliance.model import RECORDED_ON, Cell, Clue, Link, RecordKind, RecordKinds, Sign, Table
from compliance.sql.duckdb import since, there
from compliance.sql.text import literal, name

ALWAYS = "0001-01-01"
"""Of a sign that has no day of its own: from which day it holds."""


@dataclass(frozen=True)
class Asked:
    """A field with a sign that an export has the records for.

    Args:
      number: the place of the sign among those of the field.
    """

    kind: RecordKind
    field: str
    number: int
    sign: Sign


def shown(asked: Sequence[Asked], kinds: RecordKinds, tables: Mapping[str, Table]) -> str:
    """A table of the rows and fields that are empty although a sign holds by `$day`: the sign that holds first, and from which day."""
    found = " UNION ALL ".join(_Looking(a, kinds, tables).sql() for a in asked)
    return (
        "CREATE TABLE shown AS SELECT record, field, rid, first['s'] AS sign, first['d'] AS day FROM"
        f" (SELECT record, field, rid, min({{'d': coalesce(day, DATE '{ALWAYS}'), 's': sign}}) AS first FROM ({found})"
        " GROUP BY record, field, rid) WHERE first['d'] <= $day"
    )


SHOWN_FIELDS = "SELECT DISTINCT record, field FROM shown ORDER BY ALL"
DROP_SHOWN = "DROP TABLE shown"


def add_signs(record: str, f: str) -> tuple[str, ...]:
    """Columns that say where a field is empty although a sign holds, which, and from which day."""
    table, sign, day = name(f"t_{record}"), name(f"sign__{f}"), name(f"shown__{f}")
    return (
        f"ALTER TABLE {table} ADD COLUMN {sign} TINYINT",
        f"ALTER TABLE {table} ADD COLUMN {day} DATE",
        f"UPDATE {table} SET {sign} = s.sign, {day} = s.day FROM shown s"
        f" WHERE s.record = {literal(record)} AND s.field = {literal(f)} AND s.rid = {table}.rid",
    )


class _Looking:
    """One sign as a question: the records at each place and above it joined, narrowed to what is asked of each."""

    def __init__(self, asked: Asked, kinds: RecordKinds, tables: Mapping[str, Table]) -> None:
        self.asked, self.kinds, self.tables = asked, kinds, tables
        sign = asked.sign
        self.columns: dict[str, dict[str, None]] = defaultdict(dict)
        self.only: dict[str, list[str]] = defaultdict(list)
        self.days: dict[str, None] = {}
        self.kind_of: dict[str, str] = {}
        self.joins: list[tuple[str, str]] = []
        self._see("p0", asked.kind.name)
        self.only["p0"].append(f"{name(asked.field)} IS NULL")
        if asked.field in tables[asked.kind.name].doubted:
            self.only["p0"].append(f"{name('doubt__' + asked.field)} IS NOT TRUE")
        for n, step in enumerate(sign.steps, 1):
            above = self._above(f"p{step.start}", step.path)
            alias = f"p{n}"
            self._see(alias, step.link.kind)
            self.joins.append(
                (alias, f"{self._column(alias, f'link__{step.link.name}')} = {self._column(above, 'rid')}")
            )
        self.across = [sql for clue in sign.clues for sql in self._of(clue)]

    def sql(self) -> str:
        """The rows in which it holds, and from which day."""
        rows = {alias: self._rows(alias) for alias in self.kind_of}
        joined = "".join(f" JOIN {rows[alias]} ON {on}" for alias, on in self.joins)
        day = next(iter(self.days)) if len(self.days) == 1 else f"greatest({', '.join(self.days)})"
        where = f" WHERE {' AND '.join(self.across)}" if self.across else ""
        return (
            f"SELECT {literal(self.asked.kind.name)} AS record, {literal(self.asked.field)} AS field, p0.rid AS rid,"
            f" {self.asked.number} AS sign, {day if self.days else 'CAST(NULL AS DATE)'} AS day FROM {rows['p0']}{joined}{where}"
        )

    def _rows(self, alias: str) -> str:
        only = f" WHERE {' AND '.join(dict.fromkeys(self.only[alias]))}" if self.only[alias] else ""
        listed = ", ".join(["rid", *(name(c) for c in self.columns[alias] if c != "rid")])
        return f"(SELECT {listed} FROM {name('t_' + self.kind_of[alias])}{only}) {alias}"

    def _see(self, alias: str, kind: str) -> None:
        """Looks at a record, and at another than that which is asked about only from the day on which it is there."""
        self.kind_of[alias] = kind
        for fields in (self.kinds[kind].counts_from, (RECORDED_ON,)) if alias != "p0" else ():
            its = [f for f in fields if f in self.tables[kind].columns]
            self.columns[alias].update(dict.fromkeys(its))
            if its:
                self.days[since(alias, its, its)] = None

    def _column(self, alias: str, column: str) -> str:
        self.columns[alias][column] = None
        return f"{alias}.{name(column)}"

    def _above(self, alias: str, path: Sequence[Link]) -> str:
        for link in path:
            up = f"{alias}_{link.name}"
            if up not in self.kind_of:
                self._see(up, link.to)
                self.joins.append((up, f"{up}.rid = {self._column(alias, f'link__{link.name}')}"))
            alias = up
        return alias

    def _of(self, clue: Clue) -> Iterator[str]:
        """What a clue asks across records; what it asks of one is kept with that."""
        alias = self._known(clue.cell)
        column = self._column(alias, clue.cell.field)
        if clue.other is not None:
            other = self._column(self._known(clue.other), clue.other.field)
            yield f"{column} {'<>' if clue.test == '!=' else '=' if clue.test == '==' else clue.test} {other}"
            return
        of = self.kinds[clue.cell.kind].fields[clue.cell.field]
        plain = name(clue.cell.field)
        match clue.test:
            case "is" | "is not":
                negated = "NOT " if clue.test == "is not" else ""
                if of.type == "boolean":
                    self.only[alias].append(f"{negated}{plain}")
                else:
                    self.only[alias].append(f"{plain} {negated}IN ({', '.join(map(literal, clue.codes))})")
            case "come":
                self.days[column] = None
            case "filled":
                pass

    def _known(self, cell: Cell) -> str:
        """The record of a cell, which is filled, and known from the days that are added."""
        alias = self._above(f"p{cell.place}", cell.path)
        f, supplied = self.kinds[cell.kind].fields[cell.field], self.tables[cell.kind].columns
        self.only[alias].append(f"{name(cell.field)} IS NOT NULL")
        if f.type == "date" and not f.may_lie_ahead:
            self.days[self._column(alias, cell.field)] = None
        for other in (f.known_from, f.in_doubt_before):
            if other in supplied:
                self.days[self._column(alias, other)] = None
        return alias


def needs(asked: Asked) -> Iterator[tuple[str, str, str]]:
    """What an export must have for a sign to be asked: a kind, with a field, or with a link that leads somewhere."""
    yield asked.kind.name, asked.field, ""
    cells = [c for clue in asked.sign.clues for c in (clue.cell, clue.other) if c is not None]
    paths = [*(step.path for step in asked.sign.steps), *(cell.path for cell in cells)]
    for link in (link for path in paths for link in path):
        yield link.kind, "", link.name
        yield link.to, "", ""
    for step in asked.sign.steps:
        yield step.link.kind, "", step.link.name
    for cell in cells:
        yield cell.kind, cell.field, ""


def told(kind: RecordKind, columns: Collection[str], f: str) -> str:
    """The rows in which a field is empty although a sign holds by `$day`: the sign, the source, how many, the first."""
    known = there("p", kind.counts_from, columns, "$day")
    return (
        f'SELECT p.{name(f"sign__{f}")}, p.src, count(*), min(p."row") FROM {name("t_" + kind.name)} p'
        f" WHERE p.{name(f'shown__{f}')} <= $day{f' AND {known}' if known else ''} GROUP BY ALL ORDER BY p.src, 1"
    )
