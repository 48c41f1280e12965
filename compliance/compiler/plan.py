"""Many lowered rules -> one shared plan: each feature computed once, all aggregates over one link in one grouping.

A feature's *stage* says what must be there before it: 0 is the table as at the audit's day, and a feature of stage n needs only columns of
stages below n, in whatever table. Stage by stage each table is widened by its features; the last version of a record's table is what the
rules' verdicts, and the arguments of those that fail, are read from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from compliance.compiler.ahead import Ahead
from compliance.compiler.ir import (
    FEATURES,
    ITEM,
    AsAt,
    Column,
    Group,
    Ir,
    Once,
    OpenDay,
    Ordinal,
    Up,
    Window,
    parts,
    shared,
)
from compliance.compiler.lower import Lowered, Lowerer, Pair
from compliance.model import RecordKinds, Table
from compliance.sql import duckdb as dialect
from compliance.sql import relations
from compliance.sql.planned import AheadPlan, Counted, CountPlan, Plan, RecordPlan
from compliance.sql.relations import ITEM_NO, OF, OUTER, Layout, Relation, Sql
from compliance.sql.text import name


@dataclass(frozen=True)
class Question:
    """A rule, what is asked of each row of its table, and by which number it is known for each item of its list (`""` without a list)."""

    numbers: Mapping[str, int]
    lowered: Lowered
    values: tuple[Ir, ...]

    @property
    def table(self) -> str:
        """The table that is asked."""
        return self.lowered.scope.table


@dataclass
class _Feature:
    item: Ir
    stage: int
    column: str


@dataclass
class Planner:
    """Plans rules that have been lowered against one export.

    Args:
      items: the items of each table of records with items.
      many_days: the plan looks from each of the days in the table `day`, not from one.
      prefix: of all names that it makes, where several plans share an engine; no `_` in it.
    """

    kinds: RecordKinds
    tables: Mapping[str, Table]
    pairs: Mapping[str, Pair]
    items: Mapping[str, Sequence[str]]
    many_days: bool = False
    prefix: str = ""
    _features: dict[str, dict[Ir, _Feature]] = field(default_factory=lambda: defaultdict(dict))
    _stages: dict[tuple[str, Ir], int] = field(default_factory=dict)
    _used: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _version: dict[str, Relation] = field(default_factory=dict)
    _groups: dict[tuple[str, str, int], dict[Group, None]] = field(default_factory=lambda: defaultdict(dict))
    _grouped: dict[tuple[Group, int], tuple[Relation, str]] = field(default_factory=dict)
    _made: list[Relation] = field(default_factory=list)
    _short: dict[str, str] = field(default_factory=dict)

    def plan(self, questions: Sequence[Question]) -> Plan:
        """The whole."""
        asked = _by_table(questions)
        layout = self._lay_out({t: [i for q in its for i in (q.lowered.answer, *q.values)] for t, its in asked.items()})
        records = tuple(self._record(layout, table, its) for table, its in sorted(asked.items()))
        return Plan(tuple(layout.setup(dialect.MAKE, dialect.DROP)), self._needs_calendar(), records)

    def forecast(self, asked: Sequence[Ahead]) -> Plan:
        """What lies ahead, and nothing else."""
        of: dict[str, list[Ahead]] = defaultdict(list)
        for a in asked:
            of[a.table].append(a)
        layout = self._lay_out({table: [v for a in its for v in a.values] for table, its in of.items()})
        plans = tuple(self._ahead(layout, table, its) for table, its in sorted(of.items()))
        return Plan(tuple(layout.setup(dialect.MAKE, dialect.DROP)), self._needs_calendar(), (), ahead=plans)

    def counting(self, questions: Sequence[Question]) -> CountPlan:
        """For how many rows of its table each value of a question is true, day by day."""
        asked = _by_table(questions)
        layout = self._lay_out({table: [v for q in its for v in q.values] for table, its in asked.items()})
        counts = []
        for table, its in asked.items():
            told, said = shared([v for q in its for v in q.values], lambda n: f"told__{n}")
            lets = [(alias, self._sql(table, item).text) for alias, item in told]
            sql = [self._sql(table, item).text for item in said]
            by_item = table in self.items
            statement = dialect.counts_by_day(layout.rows(self._version[table]), sql, lets, by_item)
            counts.append(
                Counted(statement, by_item, tuple(self._numbers(q) for q in its), tuple(len(q.values) for q in its))
            )
        return CountPlan(tuple(layout.setup(dialect.MAKE, dialect.DROP)), self._needs_calendar(), tuple(counts))

    def _numbers(self, asked: Question | Ahead) -> tuple[tuple[int, int], ...]:
        """The number of a rule for each item of its table by the item's place; without items it stands at 0."""
        listed = self.items.get(asked.table)
        return tuple((0 if listed is None else listed.index(part), n) for part, n in asked.numbers.items())

    def _kind(self, table: str) -> str:
        """The record kind whose records a table's rows are."""
        return table.removesuffix("*")

    def _lay_out(self, wanted: Mapping[str, Sequence[Ir]]) -> Layout:
        """Every relation that is needed to say `wanted` of the rows of tables."""
        own = {table: self._own_columns(table) for table in wanted}
        for table, items in wanted.items():
            for column in own[table]:
                self._use(table, column)
            for item in items:
                self._stage(table, item)
        last = max((f.stage for fs in self._features.values() for f in fs.values()), default=0)
        for table in self._tables_in_order():
            self._base(table)
        for stage in range(1, last + 1):
            self._make_groups(stage)
            self._widen(stage)
        asked: dict[Relation, set[str]] = {}
        for table, items in wanted.items():
            read = {column for item in items for _, column in self._sql(table, item).reads}
            asked[self._version[table]] = read.union(own[table])
        return Layout(self._made, asked)

    def _own_columns(self, table: str) -> list[str]:
        """What every row that is asked about says of itself."""
        columns = ["rid", "src", "row", self.kinds[self._kind(table)].key]
        if table in self.items:
            columns += [OF, ITEM_NO]
        return [*columns, dialect.DAY] if self.many_days else columns

    # --- features and their stages ---

    def _stage(self, table: str, item: Ir) -> int:
        """The stage at which `item` can be worked out in a row of `table`; takes note of every feature and column."""
        known = self._stages.get((table, item))
        if known is not None:
            return known
        match item:
            case Column(name=column):
                self._use(table, column)
                stage = 0
            case Up(link=link, table=parent, item=inner):
                self._use(table, f"link__{link}")
                self._use(parent, "rid")
                stage = self._stage(parent, inner) + 1
            case Group(table=child, link=link):
                self._use(child, f"link__{link}")
                self._use(table, "rid")
                stage = max((self._stage(child, p) for p in parts(item)), default=0) + 1
                self._groups[child, link, stage][item] = None
            case Window(link=link):
                self._use(table, self._family(table, link))
                self._use(table, self._key(table))
                self._use(table, "rid")
                stage = max(self._stage(table, p) for p in parts(item)) + 1
            case Ordinal() | OpenDay() | Once():
                stage = max(self._stage(table, p) for p in parts(item)) + 1
            case _:
                stage = max((self._stage(table, p) for p in parts(item)), default=0)
        if isinstance(item, FEATURES):
            self._features[table][item] = _Feature(item, stage, f"f{len(self._features[table])}")
        self._stages[table, item] = stage
        return stage

    def _family(self, table: str, link: str) -> str:
        """What the rows of one parent have in common; in a made-up table, where they stand once for each outer row, that row."""
        return OUTER if table in self.pairs else f"link__{link}"

    def _key(self, table: str) -> str:
        """The column by which rows of the same day are in order."""
        pair = self.pairs.get(table)
        kind = pair.link.kind if pair else self._kind(table)
        return self.tables[kind].order or self.kinds[kind].key

    def _use(self, table: str, column: str) -> None:
        self._used[table].add(column)
        if table in self.items:
            self._use(self._kind(table), "rid" if column in (ITEM.name, ITEM_NO, OF) else column)
        pair = self.pairs.get(table)
        if pair is not None:
            # The made-up table takes its columns from the linked kind, and its link from the way there.
            if column != OUTER:
                self._used[pair.link.kind].add(column)
            self._used[pair.link.kind].add(f"link__{pair.link.name}")
            self._used[pair.table].update(("rid", f"link__{pair.path[0].name}"))
            for link in pair.path:
                self._used[link.kind].update(("rid", f"link__{link.name}"))
                self._used[link.to].add("rid")

    def _needs_calendar(self) -> bool:
        return any(isinstance(i, Ordinal | OpenDay) for fs in self._features.values() for i in fs)

    # --- steps ---

    def _tables_in_order(self) -> list[str]:
        """Record kinds first, then the made-up tables: records with items, and what is joined from both."""
        return [
            *sorted(t for t in self._used if t in self.kinds),
            *sorted(t for t in self._used if t in self.items),
            *sorted(t for t in self._used if t in self.pairs),
        ]

    def _base(self, table: str) -> None:
        """The rows of a table as they are before anything is worked out."""
        what = f"{self.prefix}x{len(self._short)}"
        self._short[table] = what
        pair = self.pairs.get(table)
        if pair is not None:
            # Over every record on the way, for one that does not exist yet leads nowhere.
            way = [(f"link__{link.name}", self._version[link.to]) for link in pair.path]
            child, outer = self._version[pair.link.kind], self._version[pair.table]
            made = relations.paired(what, outer, way, child, f"link__{pair.link.name}")
        elif table in self.items:
            made = relations.with_items(what, self._version[self._kind(table)], self.items[table])
        else:
            days = {dialect.DAY} if self.many_days else set()
            columns = {column: self._cell(table, column) for column in sorted(self._used[table] | days)}
            there = dialect.there("p", self.kinds[table].counts_from, self.tables[table].columns, self._day)
            made = dialect.as_at(what, f"t_{table}", columns, there, self.many_days)
        self._version[table] = made
        self._made.append(made)

    @property
    def _day(self) -> str:
        return dialect.OF_DAY if self.many_days else dialect.AS_AT

    def _cell(self, table: str, column: str) -> str:
        """A column of a record kind with what it reads as on the day that is looked from."""
        kind, supplied = self.kinds[table], self.tables[table].columns
        sql = f"p.{name(column)}"
        declared = kind.fields.get(column)
        doubted = kind.fields.get(column.removeprefix("doubt__"))
        if declared is not None:
            since = next((f for f in (declared.known_from, declared.in_doubt_before) if f in supplied), "")
            if declared.type == "date" and not declared.may_lie_ahead:
                sql = dialect.masked(sql, sql, self._day)
            if since and since != column:
                sql = dialect.masked(sql, f"p.{name(since)}", self._day)
        elif doubted is not None and doubted.in_doubt_before in supplied:
            unreadable = sql if doubted.name in self.tables[table].doubted else ""
            sql = dialect.not_known_yet(f"p.{name(doubted.in_doubt_before)}", unreadable, self._day)
        elif column == dialect.DAY:
            sql = self._day
        elif self.many_days and (column == "rid" or column.startswith("link__")):
            sql = dialect.of_the_day(sql)
        return sql

    def _sql(self, table: str, item: Ir, alias: str = "p") -> Sql:
        """`item` over a version of `table`, called `alias`, that has its features."""
        reads: set[tuple[str, str]] = set()

        def read(of: str) -> str:
            reads.add((alias, of))
            return f"{alias}.{name(of)}"

        def column(i: Ir) -> str:
            if isinstance(i, AsAt):
                return read(dialect.DAY) if self.many_days else dialect.AS_AT
            return read(i.name if isinstance(i, Column) else self._features[table][i].column)

        text = dialect.render(item, column)
        return Sql(text, frozenset(reads))

    def _make_groups(self, stage: int) -> None:
        for (child, link, at), groups in sorted(self._groups.items(), key=lambda g: g[0]):
            if at != stage:
                continue
            what = f"{self.prefix}g{len(self._made)}"
            named, said = shared((p for g in groups for p in parts(g)), lambda n: f"said__{n}")
            rows = self._version[child]
            if named:
                rows = relations.widened(f"{what}s", rows, (), {alias: self._sql(child, i) for alias, i in named})
                self._made.append(rows)
            columns, rest = {}, iter(said)
            for i, group in enumerate(groups):
                args = tuple(self._sql(child, next(rest)) for _ in group.args)
                where = None if group.where is None else self._sql(child, next(rest))
                call = dialect.aggregate(group.fn, tuple(a.text for a in args), where and where.text)
                columns[f"a{i}"] = Sql(
                    call, frozenset().union(*(a.reads for a in (*args, *([where] if where else []))))
                )
            made = relations.grouping(what, rows, f"link__{link}", columns)
            self._made.append(made)
            self._grouped.update({(group, stage): (made, f"a{i}") for i, group in enumerate(groups)})

    def _make_windows(self, table: str, windows: list[Window]) -> dict[Window, tuple[Relation, str]]:
        """Relations of rows and their windows and no more, for windows sort whole rows; the one and the column of each window."""
        places: dict[Window, tuple[Relation, str]] = {}
        together: dict[tuple[str, Ir], list[Window]] = defaultdict(list)
        for w in windows:
            together[self._family(table, w.link), w.order].append(w)
        for (family, order), its in together.items():
            columns = {}
            by, key = relations.column("p", family), relations.column("p", self._key(table))
            rid = relations.column("p", "rid")
            for i, w in enumerate(its):
                item, ordered = self._sql(table, w.item), self._sql(table, order)
                call = dialect.window(w.fn, item.text, ordered.text, by.text, key.text, rid.text)
                columns[f"a{i}"] = Sql(call, item.reads | ordered.reads | by.reads | key.reads | rid.reads)
            made = relations.windows(f"{self.prefix}w{len(self._made)}", self._version[table], family, columns)
            self._made.append(made)
            places.update({w: (made, f"a{i}") for i, w in enumerate(its)})
        return places

    def _widen(self, stage: int) -> None:
        """Each table with features of this stage, by joins and windows over its version before.

        All tables are widened from the versions of the stage before, so no order among them matters.
        """
        widened: dict[str, Relation] = {}
        for table in self._tables_in_order():
            features = [f for f in self._features[table].values() if f.stage == stage]
            if not features:
                continue
            windows = self._make_windows(table, [f.item for f in features if isinstance(f.item, Window)])
            joins: dict[tuple[Relation | str, tuple[tuple[str, Sql], ...]], str] = {}
            columns: dict[str, Sql] = {}

            def join(
                rows: Relation | str,
                joins: dict[tuple[Relation | str, tuple[tuple[str, Sql], ...]], str] = joins,
                **on: Sql,
            ) -> str:
                return joins.setdefault((rows, tuple(on.items())), f"j{len(joins)}")

            def plain(of: str) -> Sql:
                return relations.column("p", of)

            for f in features:
                match f.item:
                    case Up(link=link, table=parent, item=inner):
                        alias = join(self._version[parent], rid=plain(f"link__{link}"))
                        sql = self._sql(parent, inner, alias)
                    case Group() as g:
                        rows, column = self._grouped[g, f.stage]
                        sql = relations.column(join(rows, k=plain("rid")), column)
                    case Window() as w:
                        rows, column = windows[w]
                        # In a made-up table a linked record stands once for each record that leads to it.
                        alias = join(rows, k=plain("rid"), belongs_to=plain(self._family(table, w.link)))
                        sql = relations.column(alias, column)
                    case Once(item=inner):
                        sql = self._sql(table, inner)
                    case Ordinal(day=day):
                        sql = relations.column(join("calendar", day=self._sql(table, day)), "ordinal")
                    case OpenDay(n=n):
                        sql = relations.column(join("open_day", ordinal=self._sql(table, n)), "day")
                    case _:
                        raise TypeError(f"{type(f.item).__name__} is not a feature")
                columns[f.column] = sql
            sources = [relations.left(alias, rows, dict(on)) for (rows, on), alias in joins.items()]
            made = relations.widened(f"{self._short[table]}_{stage}", self._version[table], sources, columns)
            self._made.append(made)
            widened[table] = made
        self._version.update(widened)

    # --- what is asked of a record kind ---

    def _record(self, layout: Layout, table: str, questions: Sequence[Question]) -> RecordPlan:
        told, answers = shared((q.lowered.answer for q in questions), lambda n: f"told__{n}")
        distinct = {v: n for n, v in enumerate(dict.fromkeys(v for q in questions for v in q.values))}
        lets, values = shared(distinct, lambda n: f"said__{n}")
        return RecordPlan(
            record=self._kind(table),
            rows=layout.rows(self._version[table]),
            key=self.kinds[self._kind(table)].key,
            by_item=table in self.items,
            numbers=tuple(self._numbers(q) for q in questions),
            told=tuple((alias, self._sql(table, item).text) for alias, item in told),
            answers=tuple(self._sql(table, a).text for a in answers),
            lets=tuple((alias, self._sql(table, item).text) for alias, item in lets),
            values=tuple(self._sql(table, v).text for v in values),
            slots=tuple(tuple(distinct[v] for v in q.values) for q in questions),
        )

    def _ahead(self, layout: Layout, table: str, asked: Sequence[Ahead]) -> AheadPlan:
        told, said_once = shared([v for a in asked for v in a.values], lambda n: f"told__{n}")
        said = iter(self._sql(table, v).text for v in said_once)
        return AheadPlan(
            rows=layout.rows(self._version[table]),
            key=self.kinds[self._kind(table)].key,
            by_item=table in self.items,
            numbers=tuple(self._numbers(a) for a in asked),
            told=tuple((alias, self._sql(table, item).text) for alias, item in told),
            values=tuple(tuple(next(said) for _ in a.values) for a in asked),
            whats=tuple(tuple(a.what(part) for part in a.numbers) for a in asked),
            limits=tuple(a.limits for a in asked),
        )


def _by_table(questions: Sequence[Question]) -> dict[str, list[Question]]:
    asked: dict[str, list[Question]] = defaultdict(list)
    for q in questions:
        asked[q.table].append(q)
    return asked


def make_counts(
    questions: Sequence[Question],
    kinds: RecordKinds,
    tables: Mapping[str, Table],
    lowerer: Lowerer,
    prefix: str = "",
) -> CountPlan:
    """One shared plan that looks from many days at once."""
    return Planner(kinds, tables, lowerer.pairs, lowerer.items, True, prefix).counting(questions)


def make_plan(questions: Sequence[Question], kinds: RecordKinds, tables: Mapping[str, Table], lowerer: Lowerer) -> Plan:
    """One shared plan of everything that was lowered; the numbers of its rules are their places in the audit's order, rising."""
    return Planner(kinds, tables, lowerer.pairs, lowerer.items).plan(questions)


def make_forecast(asked: Sequence[Ahead], kinds: RecordKinds, tables: Mapping[str, Table], lowerer: Lowerer) -> Plan:
    """One shared plan of what lies ahead."""
    return Planner(kinds, tables, lowerer.pairs, lowerer.items).forecast(asked)
