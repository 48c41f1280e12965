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
from compliance.compiler.argue import Argument
from compliance.compiler.ir import (
    FALSE,
    FEATURES,
    AsAt,
    Column,
    Group,
    Ir,
    Once,
    OpenDay,
    Ordinal,
    Up,
    Window,
    and_,
    not_,
    parts,
    shared,
)
from compliance.compiler.lower import Lowered, Pair
from compliance.model import RecordKinds, Table
from compliance.sql import duckdb as dialect
from compliance.sql.planned import AheadPlan, CountPlan, Plan, RecordPlan
from compliance.sql.text import name


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
      many_days: the plan looks from each of the days in the table `day`, not from one.
      prefix: of all names that it makes, where several plans share an engine; no `_` in it.
    """

    kinds: RecordKinds
    tables: Mapping[str, Table]
    pairs: Mapping[str, Pair]
    many_days: bool = False
    prefix: str = ""
    _features: dict[str, dict[Ir, _Feature]] = field(default_factory=lambda: defaultdict(dict))
    _stages: dict[tuple[str, Ir], int] = field(default_factory=dict)
    _used: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _version: dict[str, str] = field(default_factory=dict)
    _groups: dict[tuple[str, str, int], dict[Ir, str]] = field(default_factory=lambda: defaultdict(dict))
    _steps: list[_Step] = field(default_factory=list)
    _short: dict[str, str] = field(default_factory=dict)

    def plan(self, lowered: list[Lowered], arguments: list[Argument], numbers: list[int]) -> Plan:
        """The whole."""
        wanted: dict[str, list[Ir]] = defaultdict(list)
        for rule, argument in zip(lowered, arguments, strict=True):
            record = rule.rule.rule.record
            wanted[record] += [rule.when, rule.pending, rule.verdict, *(t for _, t in rule.conditions)]
            wanted[record] += [argument.sentence, argument.failed, argument.missing, argument.evidence]
            wanted[record] += [argument.due_on, argument.late, argument.margin]
            wanted[record] += [x for _, t, said in argument.conditions for x in (t, said)]
        self._lay_out(wanted)
        records = tuple(self._record(r, lowered, arguments, numbers) for r in sorted(wanted))
        explain = tuple(self._explain(rule, argument) for rule, argument in zip(lowered, arguments, strict=True))
        setup = tuple(self._setup({r.view for r in records}))
        conditions = tuple(tuple(label for label, _, _ in a.conditions) for a in arguments)
        return Plan(setup, self._needs_calendar(), records, tuple(numbers), explain, conditions)

    def forecast(self, asked: list[Ahead], numbers: list[int]) -> Plan:
        """What lies ahead, and nothing else."""
        wanted: dict[str, list[Ir]] = defaultdict(list)
        for a in asked:
            wanted[a.rule.rule.record] += a.values
        self._lay_out(wanted)
        plans = tuple(self._ahead(r, asked, numbers) for r in sorted(wanted))
        setup = tuple(self._setup({p.view for p in plans}))
        return Plan(setup, self._needs_calendar(), (), tuple(numbers), ahead=plans)

    def counting(self, asked: Sequence[tuple[str, Sequence[Ir]]]) -> CountPlan:
        """How many rows of record kinds conditions are true for, day by day.

        Args:
          asked: a record kind and conditions on its rows; a kind may be named often.
        """
        wanted: dict[str, list[Ir]] = defaultdict(list)
        places = []
        for record, conditions in asked:
            places.append((record, len(wanted[record]), len(wanted[record]) + len(conditions)))
            wanted[record] += conditions
        self._lay_out(wanted)
        counted = []
        for record, items in wanted.items():
            told, said = shared(items, lambda n: f"told__{n}")
            lets = [(alias, self._sql(record, item)) for alias, item in told]
            sql = [self._sql(record, item) for item in said]
            counted.append((record, dialect.counts_by_day(self._version[record], sql, lets)))
        setup = tuple(self._setup({self._version[r] for r in wanted}))
        return CountPlan(setup, self._needs_calendar(), tuple(counted), tuple(places))

    def _lay_out(self, wanted: Mapping[str, Sequence[Ir]]) -> None:
        """Every step that is needed to say `wanted` of the rows of record kinds."""
        for record, items in wanted.items():
            self._used[record].update(("rid", "src", "row", self.kinds[record].key))
            for item in items:
                self._stage(record, item)
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
        kind = pair.link.kind if pair else table
        return self.tables[kind].order or self.kinds[kind].key

    def _use(self, table: str, column: str) -> None:
        self._used[table].add(column)
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
        """Record kinds first, then the made-up tables that are joined from them."""
        return [
            *sorted(t for t in self._used if t not in self.pairs),
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
            joins: dict[tuple[str, str, str], str] = {}
            columns = []
            windows = self._make_windows(table, [f.item for f in features if isinstance(f.item, Window)])

            def join(what: str, on_column: str, on: str, joins: dict[tuple[str, str, str], str] = joins) -> str:
                return joins.setdefault((what, on_column, on), f"j{len(joins)}")

            for f in features:
                match f.item:
                    case Up(link=link, table=parent, item=inner):
                        alias = join(self._version[parent], "rid", f"p.{name(f'link__{link}')}")
                        sql = self._sql(parent, inner, alias)
                    case Group() as g:
                        table_name, column = self._groups[g.table, g.link, f.stage][g].split(".")
                        sql = f"{join(table_name, 'k', 'p.rid')}.{column}"
                    case Window() as w:
                        view, column = windows[w]
                        sql = f"{join(view, 'k', 'p.rid')}.{column}"
                    case Once(item=inner):
                        sql = self._sql(table, inner)
                    case Ordinal(day=day):
                        sql = f"{join('calendar', 'day', self._sql(table, day))}.ordinal"
                    case OpenDay(n=n):
                        sql = f"{join('open_day', 'ordinal', self._sql(table, n))}.day"
                    case _:
                        raise TypeError(f"{type(f.item).__name__} is not a feature")
                columns.append((f.column, sql))
            what = f"{self._short[table]}_{stage}"
            listed = [(w, a, c, on) for (w, c, on), a in joins.items()]
            select = dialect.widened(self._version[table], columns, listed)
            self._steps.append(_Step(what, select, [self._version[table], *(w for w, _, _, _ in listed)]))
            made[table] = what
        self._version.update(made)

    # --- what is asked of a record kind ---

    def _record(self, record: str, lowered: list[Lowered], arguments: list[Argument], numbers: list[int]) -> RecordPlan:
        mine = [i for i, r in enumerate(lowered) if r.rule.rule.record == record]
        pending = [FALSE if lowered[i].pending == FALSE else and_(lowered[i].when, lowered[i].pending) for i in mine]
        not_applicable = [not_(lowered[i].when) for i in mine]
        verdicts = [lowered[i].verdict for i in mine]
        told, said_once = shared([*verdicts, *not_applicable, *pending], lambda n: f"told__{n}")
        n_mine = len(mine)
        verdicts, not_applicable, pending = said_once[:n_mine], said_once[n_mine : 2 * n_mine], said_once[2 * n_mine :]
        branches, lets = [], []
        for i in mine:
            a = arguments[i]
            said = (a.sentence, a.failed, a.missing, a.evidence, a.due_on, a.late)
            named, texts = shared(said, lambda n, rule=numbers[i]: f"said__{rule}_{n}")  # type: ignore[misc]
            lets.append(tuple((alias, self._sql(record, item)) for alias, item in named))
            branches.append(tuple(self._sql(record, t) for t in texts))
        return RecordPlan(
            record=record,
            view=self._version[record],
            key=self.kinds[record].key,
            rules=tuple(numbers[i] for i in mine),
            told=tuple((alias, self._sql(record, item)) for alias, item in told),
            verdicts=tuple(self._sql(record, v) for v in verdicts),
            not_applicable=tuple("" if n == FALSE else self._sql(record, n) for n in not_applicable),
            pending=tuple("" if p == FALSE else self._sql(record, p) for p in pending),
            branches=tuple(branches),
            lets=tuple(lets),
        )

    def _ahead(self, record: str, asked: list[Ahead], numbers: list[int]) -> AheadPlan:
        mine = [(n, a) for n, a in zip(numbers, asked, strict=True) if a.rule.rule.record == record]
        told, said_once = shared([v for _, a in mine for v in a.values], lambda n: f"told__{n}")
        said = iter(self._sql(record, v) for v in said_once)
        return AheadPlan(
            view=self._version[record],
            key=self.kinds[record].key,
            rules=tuple(n for n, _ in mine),
            told=tuple((alias, self._sql(record, item)) for alias, item in told),
            values=tuple(tuple(next(said) for _ in a.values) for _, a in mine),
            whats=tuple(a.what for _, a in mine),
        )

    def _explain(self, rule: Lowered, argument: Argument) -> str:
        record = rule.rule.rule.record
        shown = [rule.when, rule.verdict, rule.pending, argument.due_on, argument.margin, argument.sentence]
        shown += [x for _, truth, said in argument.conditions for x in (truth, said)]
        listed = [self._sql(record, s) for s in shown]
        return dialect.of_some(self._version[record], self.kinds[record].key, listed)


def make_counts(
    asked: Sequence[tuple[str, Sequence[Ir]]],
    kinds: RecordKinds,
    tables: Mapping[str, Table],
    pairs: Mapping[str, Pair],
    prefix: str = "",
) -> CountPlan:
    """One shared plan that looks from many days at once; `asked` is as `Planner.counting` has it."""
    return Planner(kinds, tables, pairs, True, prefix).counting(asked)


def make_plan(
    lowered: list[Lowered],
    arguments: list[Argument],
    numbers: list[int],
    kinds: RecordKinds,
    tables: Mapping[str, Table],
    pairs: Mapping[str, Pair],
) -> Plan:
    """One shared plan.

    Args:
      numbers: the position of each rule in the audit's order, rising.
      pairs: the made-up tables that lowering asked for.
    """
    return Planner(kinds, tables, pairs).plan(lowered, arguments, numbers)


def make_forecast(
    asked: list[Ahead],
    numbers: list[int],
    kinds: RecordKinds,
    tables: Mapping[str, Table],
    pairs: Mapping[str, Pair],
) -> Plan:
    """One shared plan of what lies ahead; the arguments are those of `make_plan`."""
    return Planner(kinds, tables, pairs).forecast(asked, numbers)
