"""Many lowered rules -> one shared plan: each feature computed once, all aggregates over one link in one grouping.

A feature's *stage* says what must be there before it: 0 is the table as at the audit's day, and a feature of stage n needs only columns of
stages below n, in whatever table. Stage by stage each table is widened by its features; the last version of a record's table is what the
rules' verdicts, and the arguments of those that fail, are read from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from compliance.compiler.ahead import Ahead
from compliance.compiler.ir import (
    FALSE,
    FEATURES,
    ITEM,
    AsAt,
    Column,
    Group,
    Ir,
    Levels,
    OpenDay,
    Ordinal,
    Up,
    Window,
    parts,
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
    """A rule, what is asked of each row of its table, and by which number it is known for each item of its list (`""` without a list).

    Args:
      near: what is asked of linked records, for findings alone.
    """

    numbers: Mapping[str, int]
    lowered: Lowered
    values: tuple[Ir, ...]
    near: tuple[Ir, ...] = ()

    @property
    def table(self) -> str:
        """The table that is asked."""
        return self.lowered.scope.table


@dataclass
class _Feature:
    item: Ir
    stage: int
    column: str


@dataclass(frozen=True)
class Final:
    """The rows of a table of which everything that is asked can be said; the SQL of each thing asked, and the columns that it reads."""

    table: str
    rows: Relation
    sql: list[str]
    reads: set[str]


@dataclass
class Planner:
    """Plans rules that have been lowered against one export.

    Args:
      items: the items of each table of records with items.
      many_days: the plan looks from each of the days in the table `day`, not from one.
      prefix: of all names that it makes, where several plans share an engine; no `_` in it.
      of_hits: the rules for whose findings alone it is planned, of one record kind; empty: for all records.
      counts_days: whether what was planned needs the working-day calendar.
    """

    kinds: RecordKinds
    tables: Mapping[str, Table]
    pairs: Mapping[str, Pair]
    items: Mapping[str, Sequence[str]]
    many_days: bool = False
    prefix: str = ""
    of_hits: tuple[str, Sequence[int]] = ("", ())
    _features: dict[str, dict[Ir, _Feature]] = field(default_factory=lambda: defaultdict(dict))
    _stages: dict[tuple[str, Ir], int] = field(default_factory=dict)
    _used: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    counts_days: bool = field(default=False, init=False)
    _groups: dict[tuple[str, str, int], list[Group]] = field(default_factory=lambda: defaultdict(list))
    _grouped: dict[tuple[str, str, int], Relation] = field(default_factory=dict)
    _windowed: dict[tuple[str, str, Ir, int], tuple[Relation, list[Window]]] = field(default_factory=dict)
    _rows: dict[tuple[str, int], Relation] = field(default_factory=dict)
    _made: list[Relation] = field(default_factory=list)
    _short: dict[str, str] = field(default_factory=dict)

    def plan(self, questions: Sequence[Question]) -> Plan:
        """The whole."""
        asked = _by_table(questions)
        finals = self._finals({t: [i for q in its for i in (q.lowered.answer, *q.values)] for t, its in asked.items()})
        layout = self._layout(finals)
        records = tuple(self._record(layout, finals[table], its) for table, its in sorted(asked.items()))
        # Findings are asked about linked records, and whose they are, as they are read.
        setup = [s for s in layout.setup(dialect.MAKE, dialect.DROP) if not dialect.drops_records(s)]
        return Plan(tuple(setup), self.counts_days, records)

    def forecast(self, asked: Sequence[Ahead]) -> Plan:
        """What lies ahead, and nothing else."""
        of: dict[str, list[Ahead]] = defaultdict(list)
        for a in asked:
            of[a.table].append(a)
        finals = self._finals({table: [v for a in its for v in a.values] for table, its in of.items()})
        layout = self._layout(finals)
        plans = tuple(self._ahead(layout, finals[table], its) for table, its in sorted(of.items()))
        return Plan(tuple(layout.setup(dialect.MAKE, dialect.DROP)), self.counts_days, (), ahead=plans)

    def counting(self, questions: Sequence[Question]) -> CountPlan:
        """For how many rows of its table each value of a question is true, day by day."""
        asked = _by_table(questions)
        finals = self._finals({table: [v for q in its for v in q.values] for table, its in asked.items()})
        layout = self._layout(finals)
        counts = []
        for table, its in asked.items():
            by_item = table in self.items
            statement = dialect.counts_by_day(layout.rows(finals[table].rows), finals[table].sql, by_item)
            counts.append(
                Counted(statement, by_item, tuple(self._numbers(q) for q in its), tuple(len(q.values) for q in its))
            )
        return CountPlan(tuple(layout.setup(dialect.MAKE, dialect.DROP)), self.counts_days, tuple(counts))

    def _numbers(self, asked: Question | Ahead) -> tuple[tuple[int, int], ...]:
        """The number of a rule for each item of its table by the item's place; without items it stands at 0."""
        listed = self.items.get(asked.table)
        return tuple((0 if listed is None else listed.index(part), n) for part, n in asked.numbers.items())

    def _kind(self, table: str) -> str:
        """The record kind whose records a table's rows are."""
        return table.removesuffix("*")

    def _finals(self, wanted: Mapping[str, Sequence[Ir]]) -> dict[str, Final]:
        """For each table the rows of which everything in `wanted` can be said, and the SQL that says it."""
        for table, items in wanted.items():
            for column in self._own_columns(table):
                self._use(table, column)
            for item in items:
                self._stage(table, item)
        self._put_off()
        finals = {}
        for table, items in wanted.items():
            rows, said = self._saying(table, items)
            sql = [self._sql(table, item) for item in said]
            reads = {column for piece in sql for _, column in piece.reads}.union(self._own_columns(table))
            finals[table] = Final(table, rows, [piece.text for piece in sql], reads)
        return finals

    def _layout(self, finals: Mapping[str, Final]) -> Layout:
        return Layout(self._made, {final.rows: final.reads for final in finals.values()})

    def _add(self, made: Relation) -> Relation:
        self._made.append(made)
        return made

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
            case Window(link=link):
                self._use(table, self._family(table, link))
                self._use(table, self._key(table))
                self._use(table, "rid")
                stage = max(self._stage(table, p) for p in parts(item)) + 1
            case _:
                self.counts_days |= isinstance(item, Ordinal | OpenDay)
                stage = max((self._stage(table, p) for p in parts(item)), default=0)
        if isinstance(item, FEATURES):
            self._features[table][item] = _Feature(item, stage, f"f{len(self._features[table])}")
        self._stages[table, item] = stage
        return stage

    def _put_off(self) -> None:
        """Each feature as late as it will do, together with its like: what nobody needs before the end is joined once, in the end."""
        features = {(t, item): f for t, fs in self._features.items() for item, f in fs.items()}
        last = max((f.stage for f in features.values()), default=0)
        before: dict[tuple[str, Ir], int] = dict.fromkeys(features, last + 1)
        chosen: dict[tuple[object, ...], set[int]] = defaultdict(set)
        # What a feature is made of has a smaller stage, so those that need it come first.
        for key in sorted(features, key=lambda k: -features[k].stage):
            f, (table, item) = features[key], key
            earliest, latest = f.stage, before[key] - 1
            like = (table, item.table, item.link) if isinstance(item, Group | Up) else (table, *parts(item)[:1])
            f.stage = max((s for s in chosen[like] if earliest <= s <= latest), default=latest)
            chosen[like].add(f.stage)
            there = item.table if isinstance(item, Group | Up) else table
            for part in parts(item):
                for inside in self._features_in(part):
                    before[there, inside] = min(before[there, inside], f.stage)
        self._stages.clear()
        for (table, item), f in features.items():
            self._stages[table, item] = f.stage
            if isinstance(item, Group):
                self._groups[item.table, item.link, f.stage].append(item)

    def _features_in(self, item: Ir) -> Iterator[Ir]:
        """The features of the same row that it is made of, each once."""
        seen, left = {item}, [item]
        while left:
            at = left.pop()
            if isinstance(at, FEATURES):
                yield at
                continue
            new = [p for p in parts(at) if p not in seen]
            seen.update(new)
            left += new

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

    # --- steps ---

    def _saying(self, table: str, items: Sequence[Ir]) -> tuple[Relation, list[Ir]]:
        """Rows of a table of which `items` can be said, and how; what they say more than once is a column of them."""
        rows = self._joined(table, max((self._stage(table, i) for i in items), default=0))
        levels = Levels(items)
        for named in levels.named:
            columns = {alias: self._sql(table, item, calendar="j") for alias, item in named.items()}
            calendar = relations.added("j", dialect.CALENDAR, {})
            what = f"{self.prefix}s{len(self._made)}"
            rows = self._add(relations.widened(what, rows, [calendar], columns, small=rows.small))
        return rows, levels.said

    def _joined(self, table: str, stage: int) -> Relation:
        """The rows of a table with what comes from other rows, up to a stage."""
        known = self._rows.get((table, stage))
        if known is None:
            known = self._rows[table, stage] = self._join(table, stage) if stage else self._base(table)
        return known

    def _join(self, table: str, stage: int) -> Relation:
        joins: dict[tuple[Relation, tuple[tuple[str, Sql], ...]], str] = {}
        columns: dict[str, Sql] = {}

        def join(rows: Relation, **on: Sql) -> str:
            return joins.setdefault((rows, tuple(on.items())), f"j{len(joins)}")

        def plain(column: str) -> Sql:
            return relations.column("p", column)

        features = [f for f in self._features[table].values() if f.stage <= stage]
        above: dict[tuple[str, str, int], list[_Feature]] = defaultdict(list)
        for f in features:
            match f.item:
                case Up(link=link, table=parent):
                    above[link, parent, f.stage].append(f)
                case Group(table=child, link=link) as group:
                    place = self._groups[child, link, f.stage].index(group)
                    alias = join(self._grouping(child, link, f.stage), k=plain("rid"))
                    columns[f.column] = relations.column(alias, f"a{place}")
                case Window() as window:
                    rows, windows = self._windows(table, window)
                    # In a made-up table a linked record stands once for each record that leads to it.
                    alias = join(rows, k=plain("rid"), belongs_to=plain(self._family(table, window.link)))
                    columns[f.column] = relations.column(alias, f"a{windows.index(window)}")
        for (link, parent, _), ups in above.items():
            rows, said = self._saying(parent, [up.item.item for up in ups if isinstance(up.item, Up)])
            alias = join(rows, rid=plain(f"link__{link}"))
            columns.update({up.column: self._sql(parent, item, alias) for up, item in zip(ups, said, strict=True)})
        sources = [relations.added(alias, rows, dict(on)) for (rows, on), alias in joins.items()]
        base = self._joined(table, 0)
        return self._add(relations.widened(f"{base.name}_{stage}", base, sources, columns))

    def _grouping(self, child: str, link: str, stage: int) -> Relation:
        """All aggregates of one stage over the rows that lead somewhere by a link."""
        known = self._grouped.get((child, link, stage))
        if known is not None:
            return known
        groups = self._groups[child, link, stage]
        rows, said = self._saying(child, [p for g in groups for p in parts(g)])
        columns, rest = {}, iter(said)
        for i, group in enumerate(groups):
            args = tuple(self._sql(child, next(rest)) for _ in group.args)
            where = None if group.where is None else self._sql(child, next(rest))
            call = dialect.aggregate(group.fn, tuple(a.text for a in args), where and where.text)
            columns[f"a{i}"] = Sql(call, frozenset().union(*(a.reads for a in (*args, *([where] if where else [])))))
        of = self._hits_of(child, link)
        made = self._add(relations.grouping(f"{self.prefix}g{len(self._made)}", rows, f"link__{link}", columns, of))
        self._grouped[child, link, stage] = made
        return made

    def _hits_of(self, child: str, link: str) -> str:
        """That a row belongs to a record with a finding; empty where that is not asked, or not known of the row."""
        kind, rules = self.of_hits
        theirs = child in self.kinds and self.kinds[child].links[link].to == kind
        return dialect.of_hits(relations.column("p", f"link__{link}").text, rules) if theirs else ""

    def _windows(self, table: str, window: Window) -> tuple[Relation, list[Window]]:
        """Rows with their windows and no more, for windows sort whole rows; all windows of the same order at once."""
        family, stage = self._family(table, window.link), self._stages[table, window]
        known = self._windowed.get((table, family, window.order, stage))
        if known is not None:
            return known
        together = [
            f.item
            for f in self._features[table].values()
            if isinstance(f.item, Window) and f.item.order == window.order and f.stage == stage
            if self._family(table, f.item.link) == family
        ]
        by, key, rid = (relations.column("p", c) for c in (family, self._key(table), "rid"))
        rows, said = self._saying(table, [p for w in together for p in parts(w)])
        columns, rest = {}, iter(said)
        for i, w in enumerate(together):
            order, item = self._sql(table, next(rest)), self._sql(table, next(rest))
            call = dialect.window(w.fn, item.text, order.text, by.text, key.text, rid.text)
            columns[f"a{i}"] = Sql(call, item.reads | order.reads | by.reads | key.reads | rid.reads)
        made = self._add(relations.windows(f"{self.prefix}w{len(self._made)}", rows, family, columns))
        self._windowed[table, family, window.order, stage] = made, together
        return made, together

    def _base(self, table: str) -> Relation:
        """The rows of a table as they are before anything is worked out."""
        what = self._short.setdefault(table, f"{self.prefix}x{len(self._short)}")
        pair = self.pairs.get(table)
        if pair is not None:
            # Over every record on the way, for one that does not exist yet leads nowhere.
            way = [(f"link__{link.name}", self._joined(link.to, 0)) for link in pair.path]
            child, outer = self._joined(pair.link.kind, 0), self._joined(pair.table, 0)
            return self._add(relations.paired(what, outer, way, child, f"link__{pair.link.name}"))
        if table in self.items:
            return self._add(relations.with_items(what, self._joined(self._kind(table), 0), self.items[table]))
        days = {dialect.DAY} if self.many_days else set()
        columns = {column: self._cell(table, column) for column in sorted(self._used[table] | days)}
        there = dialect.there("p", self.kinds[table].counts_from, self.tables[table].columns, self._day)
        return self._add(dialect.as_at(what, f"t_{table}", columns, there, self.many_days))

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
            # A record is not there before the first of the days that it counts from, so that day needs no second look.
            counts_from = next((f for f in kind.counts_from if f in supplied), "")
            if declared.type == "date" and not declared.may_lie_ahead and column != counts_from:
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

    def _sql(self, table: str, item: Ir, alias: str = "p", calendar: str = "") -> Sql:
        """`item` over a version of `table`, called `alias`, that has its features; working days by `calendar`, an alias, if it is given."""
        reads: set[tuple[str, str]] = set()

        def read(of: str) -> str:
            reads.add((alias, of))
            return f"{alias}.{name(of)}"

        def column(i: Ir) -> str:
            if isinstance(i, AsAt):
                return read(dialect.DAY) if self.many_days else dialect.AS_AT
            if calendar and isinstance(i, Ordinal | OpenDay):
                days = "ordinals" if isinstance(i, Ordinal) else "days"
                reads.add((calendar, days))
                return dialect.looked_up(f"{calendar}.{name(days)}", dialect.render(parts(i)[0], column), days)
            return read(i.name if isinstance(i, Column) else self._features[table][i].column)

        text = dialect.render(item, column)
        return Sql(text, frozenset(reads))

    # --- what is asked of a record kind ---

    def _record(self, layout: Layout, final: Final, questions: Sequence[Question]) -> RecordPlan:
        sql = iter(final.sql)
        answers, slots = [], []
        values: dict[str, int] = {}
        for q in questions:
            answers.append(next(sql))
            slots.append(tuple(values.setdefault(next(sql), len(values)) for _ in q.values))
        return RecordPlan(
            record=self._kind(final.table),
            rows=layout.rows(final.rows),
            key=self.kinds[self._kind(final.table)].key,
            by_item=final.table in self.items,
            numbers=tuple(self._numbers(q) for q in questions),
            answers=tuple(answers),
            may_be_pending=tuple(q.lowered.pending != FALSE for q in questions),
            values=tuple(values),
            slots=tuple(slots),
            near=tuple(self._near(q) for q in questions),
        )

    def _near(self, q: Question) -> str:
        """What brings the linked records that a rule's findings name; empty where they name none."""
        if not q.near:
            return ""
        numbers = tuple(q.numbers.values())
        planner = Planner(self.kinds, self.tables, self.pairs, self.items, of_hits=(self._kind(q.table), numbers))
        groups = [item for item in q.near if isinstance(item, Group) and planner._hits_of(item.table, item.link)]
        by_record = len(groups) == len(q.near) and len({(g.table, g.link) for g in groups}) == 1
        statement = planner._near_by_record(groups) if by_record else planner._near_of_rows(q, numbers)
        self.counts_days |= planner.counts_days
        return statement

    def _near_by_record(self, groups: Sequence[Group]) -> str:
        """Groupings by the record itself, of which no column is needed; all of one link, and put off to one stage."""
        table = self.of_hits[0]
        for group in groups:
            self._stage(table, group)
        self._put_off()
        child, link, stage = groups[0].table, groups[0].link, self._stages[table, groups[0]]
        columns = [f"a{self._groups[child, link, stage].index(group)}" for group in groups]
        rows = self._in_one(self._grouping(child, link, stage), ["k", *columns])
        return dialect.near_by_record(rows, columns)

    def _near_of_rows(self, q: Question, numbers: Sequence[int]) -> str:
        final = self._finals({q.table: q.near})[q.table]
        return dialect.near(self._in_one(final.rows, final.reads), final.sql, numbers)

    def _in_one(self, rows: Relation, columns: Iterable[str]) -> str:
        return Layout(self._made, {rows: columns}, in_one=True).rows(rows)

    def _ahead(self, layout: Layout, final: Final, asked: Sequence[Ahead]) -> AheadPlan:
        sql = iter(final.sql)
        return AheadPlan(
            rows=layout.rows(final.rows),
            key=self.kinds[self._kind(final.table)].key,
            by_item=final.table in self.items,
            numbers=tuple(self._numbers(a) for a in asked),
            values=tuple(tuple(next(sql) for _ in a.values) for a in asked),
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
