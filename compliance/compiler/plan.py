"""Many lowered rules -> one shared plan: each feature computed once, all aggregates over one link in one grouping.

A feature's *stage* says what must be there before it: 0 is the table as at the audit's day, and a feature of stage n needs only columns of
stages below n, in whatever table. Stage by stage each table is widened by its features; the last version of a record's table is what the
rules' verdicts, and the arguments of those that fail, are read from.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
from compliance.sql.planned import AheadPlan, Counted, CountPlan, Plan, RecordPlan
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
class _Step:
    """A table or view to make."""

    what: str
    select: str
    reads: list[str]
    grouped: bool = False


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
    _version: dict[str, str] = field(default_factory=dict)
    _groups: dict[tuple[str, str, int], dict[Ir, str]] = field(default_factory=lambda: defaultdict(dict))
    _steps: list[_Step] = field(default_factory=list)
    _short: dict[str, str] = field(default_factory=dict)

    def plan(self, questions: Sequence[Question]) -> Plan:
        """The whole."""
        asked = _by_table(questions)
        self._lay_out({t: [i for q in its for i in (q.lowered.answer, *q.values)] for t, its in asked.items()})
        records = tuple(self._record(table, its) for table, its in sorted(asked.items()))
        return Plan(tuple(self._setup({r.view for r in records})), self._needs_calendar(), records)

    def forecast(self, asked: Sequence[Ahead]) -> Plan:
        """What lies ahead, and nothing else."""
        of: dict[str, list[Ahead]] = defaultdict(list)
        for a in asked:
            of[a.table].append(a)
        self._lay_out({table: [v for a in its for v in a.values] for table, its in of.items()})
        plans = tuple(self._ahead(table, its) for table, its in sorted(of.items()))
        return Plan(tuple(self._setup({p.view for p in plans})), self._needs_calendar(), (), ahead=plans)

    def counting(self, questions: Sequence[Question]) -> CountPlan:
        """For how many rows of its table each value of a question is true, day by day."""
        asked = _by_table(questions)
        self._lay_out({table: [v for q in its for v in q.values] for table, its in asked.items()})
        counts = []
        for table, its in asked.items():
            told, said = shared([v for q in its for v in q.values], lambda n: f"told__{n}")
            lets = [(alias, self._sql(table, item)) for alias, item in told]
            sql = [self._sql(table, item) for item in said]
            by_item = table in self.items
            statement = dialect.counts_by_day(self._version[table], sql, lets, by_item)
            counts.append(Counted(statement, by_item, tuple(self._numbers(q) for q in its), tuple(len(q.values) for q in its)))
        return CountPlan(tuple(self._setup({self._version[t] for t in asked})), self._needs_calendar(), tuple(counts))

    def _numbers(self, asked: Question | Ahead) -> tuple[tuple[int, int], ...]:
        """The number of a rule for each item of its table by the item's place; without items it stands at 0."""
        listed = self.items.get(asked.table)
        return tuple((0 if listed is None else listed.index(part), n) for part, n in asked.numbers.items())

    def _kind(self, table: str) -> str:
        """The record kind whose records a table's rows are."""
        return table.removesuffix("*")

    def _lay_out(self, wanted: Mapping[str, Sequence[Ir]]) -> None:
        """Every step that is needed to say `wanted` of the rows of record kinds."""
        for table, items in wanted.items():
            for column in ("rid", "src", "row", self.kinds[self._kind(table)].key):
                self._use(table, column)
            if table in self.items:
                self._use(table, dialect.OF)
            for item in items:
                self._stage(table, item)
        if self.many_days:
            for columns in self._used.values():
                columns.add(dialect.DAY)
        last = max((f.stage for fs in self._features.values() for f in fs.values()), default=0)
        for table in [*self._tables_in_order()]:
            self._base_view(table)
        for stage in range(1, last + 1):
            self._make_groups(stage)
            self._widen(stage)

    def _setup(self, finals: set[str]) -> Iterator[str]:
        """The steps as statements; a table is dropped as soon as nothing more is made from it."""
        reads = Counter(r for s in self._steps for r in s.reads)
        # A view that several statements read would be worked out each time.
        is_table = {s.what: (s.grouped or s.what in finals or reads[s.what] > 1) and "_" in s.what for s in self._steps}
        of: dict[str, set[str]] = {}
        last: dict[str, int] = {}
        for i, s in enumerate(self._steps):
            of[s.what] = set().union(*(of[r] if is_table.get(r) is False else {r} for r in s.reads))
            if is_table[s.what]:
                last.update(dict.fromkeys(of[s.what], i))
        kept = finals.union(*(of[f] for f in finals if not is_table[f]))
        done: dict[int, list[str]] = defaultdict(list)
        for what, i in last.items():
            if what not in kept:
                done[i].append(what)
        for i, s in enumerate(self._steps):
            yield dialect.make("TABLE" if is_table[s.what] else "VIEW", s.what, s.select)
            yield from (dialect.drop(what) for what in sorted(done[i]))

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
                self._groups[child, link, stage].setdefault(item, "")
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
        return "link__outer" if table in self.pairs else f"link__{link}"

    def _key(self, table: str) -> str:
        """The column by which rows of the same day are in order."""
        pair = self.pairs.get(table)
        kind = pair.link.kind if pair else self._kind(table)
        return self.tables[kind].order or self.kinds[kind].key

    def _use(self, table: str, column: str) -> None:
        self._used[table].add(column)
        if table in self.items and column not in (ITEM.name, dialect.OF):
            self._used[self._kind(table)].update((column, "rid"))
        pair = self.pairs.get(table)
        if pair is not None:
            # The made-up table takes its columns from the linked kind, and its link from the way there.
            if column != "link__outer":
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

    def _base_view(self, table: str) -> None:
        what = f"{self.prefix}x{len(self._short)}"
        self._short[table] = what
        self._version[table] = what
        pair = self.pairs.get(table)
        if pair is not None:
            columns = sorted(self._used[table] - {"link__outer"})
            # Over every record on the way, for one that does not exist yet leads nowhere.
            way = [(f"link__{link.name}", self._version[link.to], f"w{i}") for i, link in enumerate(pair.path)]
            child, outer = self._version[pair.link.kind], self._version[pair.table]
            select = dialect.paired(outer, way, child, f"link__{pair.link.name}", columns)
            self._steps.append(_Step(what, select, [child, outer, *(view for _, view, _ in way)]))
            return
        if table in self.items:
            columns = sorted(self._used[table] - {ITEM.name, dialect.OF, "rid"})
            of = self._version[self._kind(table)]
            self._steps.append(_Step(what, dialect.with_items(of, self.items[table], columns), [of]))
            return
        kind = self.kinds[table]
        supplied = self.tables[table].columns
        day = dialect.OF_DAY if self.many_days else dialect.AS_AT
        columns_sql = []
        for column in sorted(self._used[table]):
            sql = f"p.{name(column)}"
            declared = kind.fields.get(column)
            doubted = kind.fields.get(column.removeprefix("doubt__"))
            if declared is not None:
                since = next((f for f in (declared.known_from, declared.in_doubt_before) if f in supplied), "")
                if declared.type == "date" and not declared.may_lie_ahead:
                    sql = dialect.masked(sql, sql, day)
                if since and since != column:
                    sql = dialect.masked(sql, f"p.{name(since)}", day)
            elif doubted is not None and doubted.in_doubt_before in supplied:
                unreadable = sql if doubted.name in self.tables[table].doubted else ""
                sql = dialect.not_known_yet(f"p.{name(doubted.in_doubt_before)}", unreadable, day)
            elif column == dialect.DAY:
                sql = day
            elif self.many_days and (column == "rid" or column.startswith("link__")):
                sql = dialect.of_the_day(sql)
            columns_sql.append((column, sql))
        there = dialect.there("p", kind.counts_from, supplied, day)
        self._steps.append(_Step(what, dialect.as_at_view(f"t_{table}", columns_sql, there, day), [f"t_{table}"]))

    def _sql(self, table: str, item: Ir, alias: str = "p") -> str:
        """`item` over a version of `table`, called `alias`, that has its features."""

        def column(i: Ir) -> str:
            if isinstance(i, AsAt):
                return f"{alias}.{dialect.DAY}" if self.many_days else dialect.AS_AT
            if isinstance(i, Column):
                return f"{alias}.{name(i.name)}"
            return f"{alias}.{name(self._features[table][i].column)}"

        return dialect.render(item, column)

    def _make_groups(self, stage: int) -> None:
        for (child, link, at), items in sorted(self._groups.items(), key=lambda g: g[0]):
            if at != stage:
                continue
            what = f"{self.prefix}g_{len(self._steps)}"
            groups = [item for item in items if isinstance(item, Group)]
            named, said = shared((p for g in groups for p in parts(g)), lambda n: f"said__{n}")
            columns, rest = [], iter(said)
            for i, group in enumerate(groups):
                args = tuple(self._sql(child, next(rest)) for _ in group.args)
                where = None if group.where is None else self._sql(child, next(rest))
                columns.append((f"a{i}", dialect.aggregate(group.fn, args, where)))
                items[group] = f"{what}.a{i}"
            view = self._version[child]
            lets = [(alias, self._sql(child, item)) for alias, item in named]
            select = dialect.grouping(view, f"p.{name(f'link__{link}')}", columns, lets)
            self._steps.append(_Step(what, select, [view], grouped=True))

    def _make_windows(self, table: str, windows: list[Window]) -> dict[Window, tuple[str, str]]:
        """Views of rows and their windows and no more, for windows sort whole rows; the view and column of each window."""
        places: dict[Window, tuple[str, str]] = {}
        together: dict[tuple[str, Ir], list[Window]] = defaultdict(list)
        for w in windows:
            together[self._family(table, w.link), w.order].append(w)
        for (family, order), its in together.items():
            what = f"{self.prefix}w{len(self._steps)}"
            by, key = f"p.{name(family)}", f"p.{name(self._key(table))}"
            columns = []
            for i, w in enumerate(its):
                sql = dialect.window(w.fn, self._sql(table, w.item), self._sql(table, order), by, key, "p.rid")
                columns.append((f"a{i}", sql))
                places[w] = (what, f"a{i}")
            view = self._version[table]
            self._steps.append(_Step(what, dialect.windows(view, by, columns), [view]))
        return places

    def _widen(self, stage: int) -> None:
        """Each table with features of this stage, by joins and windows over its version before.

        All tables are widened from the versions of the stage before, so no order among them matters.
        """
        made: dict[str, str] = {}
        for table in self._tables_in_order():
            features = [f for f in self._features[table].values() if f.stage == stage]
            if not features:
                continue
            joins: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
            columns = []
            windows = self._make_windows(table, [f.item for f in features if isinstance(f.item, Window)])

            def join(joined: str, joins: dict[tuple[str, tuple[tuple[str, str], ...]], str] = joins, **on: str) -> str:
                return joins.setdefault((joined, tuple(on.items())), f"j{len(joins)}")

            for f in features:
                match f.item:
                    case Up(link=link, table=parent, item=inner):
                        alias = join(self._version[parent], rid=f"p.{name(f'link__{link}')}")
                        sql = self._sql(parent, inner, alias)
                    case Group() as g:
                        table_name, column = self._groups[g.table, g.link, f.stage][g].split(".")
                        sql = f"{join(table_name, k='p.rid')}.{column}"
                    case Window() as w:
                        view, column = windows[w]
                        # In a made-up table a linked record stands once for each record that leads to it.
                        alias = join(view, k="p.rid", belongs_to=f"p.{name(self._family(table, w.link))}")
                        sql = f"{alias}.{column}"
                    case Once(item=inner):
                        sql = self._sql(table, inner)
                    case Ordinal(day=day):
                        sql = f"{join('calendar', day=self._sql(table, day))}.ordinal"
                    case OpenDay(n=n):
                        sql = f"{join('open_day', ordinal=self._sql(table, n))}.day"
                    case _:
                        raise TypeError(f"{type(f.item).__name__} is not a feature")
                columns.append((f.column, sql))
            what = f"{self._short[table]}_{stage}"
            listed = [(what_joined, alias, dict(on)) for (what_joined, on), alias in joins.items()]
            select = dialect.widened(self._version[table], columns, listed)
            self._steps.append(_Step(what, select, [self._version[table], *(joined for joined, _, _ in listed)]))
            made[table] = what
        self._version.update(made)

    # --- what is asked of a record kind ---

    def _record(self, table: str, questions: Sequence[Question]) -> RecordPlan:
        told, answers = shared((q.lowered.answer for q in questions), lambda n: f"told__{n}")
        distinct = {v: n for n, v in enumerate(dict.fromkeys(v for q in questions for v in q.values))}
        lets, values = shared(distinct, lambda n: f"said__{n}")
        return RecordPlan(
            record=self._kind(table),
            view=self._version[table],
            key=self.kinds[self._kind(table)].key,
            by_item=table in self.items,
            numbers=tuple(self._numbers(q) for q in questions),
            told=tuple((alias, self._sql(table, item)) for alias, item in told),
            answers=tuple(self._sql(table, a) for a in answers),
            lets=tuple((alias, self._sql(table, item)) for alias, item in lets),
            values=tuple(self._sql(table, v) for v in values),
            slots=tuple(tuple(distinct[v] for v in q.values) for q in questions),
        )

    def _ahead(self, table: str, asked: Sequence[Ahead]) -> AheadPlan:
        told, said_once = shared([v for a in asked for v in a.values], lambda n: f"told__{n}")
        said = iter(self._sql(table, v) for v in said_once)
        return AheadPlan(
            view=self._version[table],
            key=self.kinds[self._kind(table)].key,
            by_item=table in self.items,
            numbers=tuple(self._numbers(a) for a in asked),
            told=tuple((alias, self._sql(table, item)) for alias, item in told),
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


def make_plan(
    questions: Sequence[Question], kinds: RecordKinds, tables: Mapping[str, Table], lowerer: Lowerer
) -> Plan:
    """One shared plan of everything that was lowered; the numbers of its rules are their places in the audit's order, rising."""
    return Planner(kinds, tables, lowerer.pairs, lowerer.items).plan(questions)


def make_forecast(
    asked: Sequence[Ahead], kinds: RecordKinds, tables: Mapping[str, Table], lowerer: Lowerer
) -> Plan:
    """One shared plan of what lies ahead."""
    return Planner(kinds, tables, lowerer.pairs, lowerer.items).forecast(asked)
