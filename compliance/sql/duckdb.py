"""How DuckDB writes each operation. One template an operation; the planner's statements are templates too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta

from compliance.compiler.ir import (
    BREACH,
    COMPLIANT,
    DANGER,
    NOT_EVIDENCED,
    Adrift,
    AsAt,
    Column,
    Const,
    Ir,
    Op,
)
from compliance.model import RECORDED_ON
from compliance.sql.relations import ITEM_NO, OF, Relation, Source, Sql
from compliance.sql.text import literal, name

Arguments = tuple[str, ...]
AS_AT = "getvariable('as_at')"
"""Stands for the day in a plan, which is made for any day; `at` puts the day in its place."""
DAY = "day__"
"""The column that holds the day, in a plan that looks from many days at once."""
OF_DAY = "d.day"
MOST_DAYS = 1_024
"""More days than these one plan does not look from, for the day's number is a part of each row's."""


# `{0}`, `{1}` are the arguments; what takes any number of them is in `_JOINED`.
def _most(over: str) -> str:
    """The template of the most days of the periods of a list in any stretch; `over` is the day after one that begins on `s`."""
    firsts = "generate_series(date_trunc('month', p.a) + INTERVAL 1 MONTH, CAST(p.b AS TIMESTAMP), INTERVAL 1 MONTH)"
    starts = f"flatten(list_transform({{0}}, lambda p: list_prepend(p.a, list_transform({firsts}, lambda m: CAST(m AS DATE)))))"
    days = f"list_sum(list_transform({{0}}, lambda q: greatest(0, least(q.b + 1, {over}) - greatest(q.a, s))))"
    return f"list_max(list_transform({starts}, lambda s: {days}))"


TEMPLATES: Mapping[str, str] = {
    "not": "NOT {0}",
    "eq": "{0} = {1}",
    "ne": "{0} <> {1}",
    "lt": "{0} < {1}",
    "le": "{0} <= {1}",
    "gt": "{0} > {1}",
    "ge": "{0} >= {1}",
    "distinct": "{0} IS DISTINCT FROM {1}",
    "is_null": "{0} IS NULL",
    "between": "{0} BETWEEN {1} AND {2}",
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "neg": "- {0}",
    # Towards nought, whatever the dialect's integer division does with negatives.
    "quotient": "CASE WHEN {0} < 0 THEN - ((- {0}) // {1}) ELSE {0} // {1} END",
    "has": "list_contains({0}, {1})",
    "len": "len({0})",
    "starts_with": "starts_with({0}, {1})",
    "contains": "contains({0}, {1})",
    "add_days": "{0} + {1}",
    # date + interval is a timestamp in DuckDB.
    "add_months": "CAST({0} + to_months({1}) AS DATE)",
    "whole": "CAST({0} AS INTEGER)",
    "days_between": "{1} - {0}",
    # Never date_diff('month'), which counts the boundaries crossed.
    "months_between": "(((year({1}) - year({0})) * 12 + month({1}) - month({0})) + CASE"
    " WHEN {1} >= {0} AND CAST({0} + to_months(CAST((year({1}) - year({0})) * 12 + month({1}) - month({0}) AS INTEGER))"
    " AS DATE) > {1} THEN -1"
    " WHEN {1} < {0} AND CAST({0} + to_months(CAST((year({1}) - year({0})) * 12 + month({1}) - month({0}) AS INTEGER))"
    " AS DATE) < {1} THEN 1 ELSE 0 END)",
    "start_of_week": "CAST(date_trunc('week', {0}) AS DATE)",
    "start_of_month": "CAST(date_trunc('month', {0}) AS DATE)",
    "start_of_quarter": "CAST(date_trunc('quarter', {0}) AS DATE)",
    "start_of_term": "make_date(year({0}), (month({0}) - 1) // 4 * 4 + 1, 1)",
    "start_of_year": "make_date(year({0}) - CASE WHEN month({0}) < 4 THEN 1 ELSE 0 END, 4, 1)",
    "pair": "{{'d': {0}, 'k': {1}}}",
    # Of periods that do not overlap. The most begins with the first day of one of them; or with the first of a month in one, where
    # the stretch that begins a day later ends more than a day later (28 February and 1 March).
    "most_in_months": _most("CAST(s + to_months({1}) AS DATE)"),
    "most_in_days": _most("s + {1}"),
    # True, false and NULL of a verdict as COMPLIANT, BREACH and NOT_EVIDENCED.
    "answer": f"coalesce({BREACH} - {BREACH - COMPLIANT} * CAST({{0}} AS TINYINT), {NOT_EVIDENCED})",
}

_JOINED: Mapping[str, Callable[[Arguments], str]] = {
    "and": lambda a: " AND ".join(a),
    "or": lambda a: " OR ".join(a),
    "coalesce": lambda a: f"coalesce({', '.join(a)})",
    # Guarded against NULL by the lowering: DuckDB's own versions skip it.
    "greatest": lambda a: f"greatest({', '.join(a)})",
    "least": lambda a: f"least({', '.join(a)})",
    "in": lambda a: f"{a[0]} IN ({', '.join(a[1:])})",
    "has_all": lambda a: f"list_has_all({a[0]}, [{', '.join(a[1:])}])",
    "case": lambda a: _case(a),
    "row": lambda a: f"row({', '.join(a)})",
}

# The parser takes 2 µs for every pair of brackets: only those that are needed are written.
_BINDS: Mapping[str, int] = {
    "or": 1, "and": 2, "not": 3,
    "eq": 4, "ne": 4, "lt": 4, "le": 4, "gt": 4, "ge": 4, "distinct": 4, "is_null": 4, "between": 4, "in": 4,
    "add": 5, "sub": 5, "add_days": 5, "days_between": 5, "mul": 6, "neg": 7,
}  # fmt: skip
"""How tightly what an operation writes holds together; the others hold by themselves."""
_ASKS: Mapping[str, int] = {
    **{op: n + 1 for op, n in _BINDS.items()}, "or": 1, "and": 2, "quotient": 8, "add_months": 8, "months_between": 8,
}  # fmt: skip
"""How tightly its arguments must hold; the others set theirs apart by themselves."""

AGGREGATES: Mapping[str, str] = {
    "n": "count(*)",
    # A CASE costs a third more, and count_if counts in 128 bits.
    "n_true": "count({0} OR NULL)",
    "max": "max({0})",
    "min": "min({0})",
    "sum": "sum({0})",
    # arg_max skips rows whose value is NULL; these do not.
    "arg_max": "arg_max_null({0}, {1})",
    "arg_min": "arg_min_null({0}, {1})",
    "periods": "list({{'a': {0}, 'b': {1}}})",
    "gaps": "list({{'a': {0}, 'b': {1}, 'c': {2}}} ORDER BY {2}, {0})",
    "gaps_by_limit": "list({{'a': {0}, 'b': {1}, 'c': {2}, 'd': {3}}} ORDER BY {2}, {0})",
}

_LEAVES_OUT_NULLS = ("max", "min", "sum")

WINDOWS: Mapping[str, str] = {
    "lag": "lag({item}) OVER (PARTITION BY {by} ORDER BY {order} NULLS LAST, {key}, {rid})",
    "running_max": "max({item}) OVER (PARTITION BY {by} ORDER BY {order} NULLS LAST, {key}, {rid}"
    " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)",
}


def adrift(table: str, link: str) -> str:
    """Stands, in a statement of a plan, for how many rows belong to nobody by a link."""
    return f"getvariable({literal(f'adrift {table} {link}')})"


def n_adrift(table: str, link: str, rows: str, and_unusable: bool) -> str:
    """How many rows of a kind belong to nobody by a link, or cannot be used and say of nobody that they are theirs."""
    counted = f"SELECT count(*) AS n FROM {rows} p WHERE p.{name(f'adrift__{link}')}"
    if and_unusable:
        counted += f" UNION ALL SELECT count(*) FROM {name(f't_{table}?')} WHERE {name(f'link__{link}')} IS NULL"
    return f"SELECT CAST(sum(n) AS BIGINT) FROM ({counted})"


def at(sql: str, as_at: date) -> str:
    """A statement of a plan for one day."""
    return sql.replace(AS_AT, literal(as_at))


def _case(a: Arguments) -> str:
    whens = " ".join(f"WHEN {c} THEN {t}" for c, t in zip(a[:-1:2], a[1:-1:2], strict=True))
    return f"CASE {whens} ELSE {a[-1]} END"


def render(item: Ir, column: Callable[[Ir], str]) -> str:
    """`item` as SQL; `column` gives the SQL of a column of the row and of a feature."""
    match item:
        case Const(value=v):
            return literal(v)
        case AsAt() | Column():
            return column(item)
        case Adrift(table=table, link=link):
            return adrift(table, link)
        case Op(name=op, args=args):
            rendered = tuple(_set_apart(a, render(a, column), _ASKS.get(op, 0)) for a in args)
            if op in _JOINED:
                return _JOINED[op](rendered)
            return TEMPLATES[op].format(*rendered)
    return column(item)


def _set_apart(item: Ir, sql: str, asks: int) -> str:
    return f"({sql})" if isinstance(item, Op) and _BINDS.get(item.name, 9) < asks else sql


def aggregate(fn: str, args: Arguments, where: str | None) -> str:
    """An aggregate call, over the rows for which `where` is true."""
    if where is not None and fn in _LEAVES_OUT_NULLS:
        # A FILTER costs a millisecond each, however few the rows.
        args, where = tuple(f"CASE WHEN {where} THEN {a} END" for a in args), None
    elif where is not None and fn == "n":
        fn, args, where = "n_true", (where,), None
    call = AGGREGATES[fn].format(*args)
    return call if where is None else f"{call} FILTER (WHERE {where})"


def window(fn: str, item: str, order: str, by: str, key: str, rid: str) -> str:
    """A window call."""
    return WINDOWS[fn].format(item=item, order=order, by=by, key=key, rid=rid)


# --- statements -----------------------------------------------------------------------------------------------------


MAKE = "CREATE TABLE {what} AS {select}"
DROP = "DROP TABLE {what}"


def make(what: str, select: str) -> str:
    """A table of what a statement gives."""
    return MAKE.format(what=name(what), select=select)


def drop(what: str) -> str:
    """Away with a table."""
    return DROP.format(what=name(what))


def since(row: str, counts_from: Sequence[str], supplied: Collection[str]) -> str:
    """The day since when a record is there by what it says of itself; empty where the export does not say."""
    its = [f"{row}.{name(f)}" for f in counts_from if f in supplied]
    return f"coalesce({', '.join(its)})" if len(its) > 1 else "".join(its)


def there(row: str, counts_from: Sequence[str], supplied: Collection[str], day: str) -> str:
    """Whether a record was there on a day: it had come to be, and had been written down; empty where the export does not say."""
    days = [since(row, counts_from, supplied), since(row, (RECORDED_ON,), supplied)]
    said = [f"coalesce({d}, {day}) <= {day}" for d in dict.fromkeys(days) if d]
    return " AND ".join(said)


def as_at(what: str, table: str, columns: Mapping[str, str], there: str, many_days: bool) -> Relation:
    """The rows of a record kind that exist on the as-at date, or on each of the days in the table `day`, with what they read as then.

    Args:
      columns: the SQL of each; they are read off one stored table, where nothing is saved by reading fewer.
      there: whether a row `p` is one of them; empty: all are.
    """
    days = (Source("d", "day", "CROSS JOIN"),) if many_days else ()
    cells = {column: Sql(sql) for column, sql in columns.items()}
    return Relation(what, (Source("p", table), *days), cells, where=Sql(there) if there else None, small=True)


def of_the_day(column: str) -> str:
    """The number of a row as at one of many days."""
    return f"({column} * {MOST_DAYS} + d.n)"


def masked(column: str, since: str, day: str) -> str:
    """A field that is not yet set before the day in `since`."""
    return f"(CASE WHEN {since} > {day} THEN NULL ELSE {column} END)"


def not_known_yet(since: str, unreadable: str, day: str) -> str:
    """Whether nobody can tell what a field held: before the day in `since`, or where the cell cannot be read."""
    return f"({since} > {day}{f' OR {unreadable}' if unreadable else ''})"


def answers(rows: str, key: str, answers: Sequence[str], by_item: bool) -> str:
    """What rules say of each row, side by side: its number `view_rid` there, record, key, place of the item, then `v0`, `v1` and so on."""
    columns = "".join(f", {sql} AS v{i}" for i, sql in enumerate(answers))
    of, item = (f"p.{OF}", f"p.{ITEM_NO}") if by_item else ("p.rid", "0")
    return f"SELECT p.rid AS view_rid, {of} AS rid, p.{name(key)} AS key, {item} AS item{columns} FROM {rows} p"


def answer_counts(table: str, asked: Sequence[tuple[int, int]]) -> str:
    """For each item how many rows there are, and how many have each answer that is asked for.

    Args:
      asked: the place of an answer, and which one.
    """
    listed = "".join(f", count(v{i} = {which} OR NULL)" for i, which in asked)
    return f"SELECT item, count(*){listed} FROM {name(table)} GROUP BY item"


def hits(table: str, asked: Sequence[tuple[int, int, int]]) -> str:
    """The findings among the answers of a table: `rule` (its number), `answer`, `rid`, `view_rid`, `key`.

    Args:
      asked: place of the answer, of the item, and the rule's number.
    """
    columns = [f"v{i}" for i in range(1 + max(i for i, _, _ in asked))]
    worst = f"greatest({', '.join(columns)})" if len(columns) > 1 else columns[0]
    rows = ", ".join(f"({i}, {item}, {number})" for i, item, number in asked)
    return (
        f"SELECT a.number, h.v, h.rid, h.view_rid, h.key FROM"
        f" (SELECT unnest([{', '.join(columns)}]) AS v, unnest(range({len(columns)})) AS rule, rid, view_rid, key, item"
        f" FROM {name(table)} WHERE {worst} >= {DANGER}) h"
        f" JOIN (VALUES {rows}) a(rule, item, number) ON a.rule = h.rule AND a.item = h.item WHERE h.v >= {DANGER}"
    )


def counts_by_day(rows: str, conditions: list[str], by_item: bool) -> str:
    """For each day, and item, on which there are any: how many rows there are, and how many each condition is true for."""
    listed = "".join(f", count(({c}) OR NULL)" for c in conditions)
    by = f"{DAY}, {ITEM_NO}" if by_item else DAY
    return f"SELECT {by}, count(*){listed} FROM {rows} p GROUP BY {by}"


DAYS = (
    "CREATE OR REPLACE TABLE day AS SELECT CAST(row_number() OVER (ORDER BY day) - 1 AS BIGINT) AS n, day"
    " FROM (SELECT unnest(CAST($days AS DATE[])) AS day)"
)


HITS_TABLE = "CREATE TABLE hits (rule INTEGER, answer TINYINT, rid BIGINT, view_rid BIGINT, key VARCHAR)"
HITS_INSERT = "INSERT INTO hits {select}"
HIT_COUNTS = "SELECT rule, answer, count(*), min(seq), max(seq) FROM hit GROUP BY rule, answer ORDER BY rule, answer"
SET_THREADS = "SET threads = {n}"
OPTIMISERS = "SELECT string_agg(name, ',' ORDER BY name) FROM duckdb_optimizers()"
LEAVE_OUT = "SET GLOBAL disabled_optimizers = '{names}'"
LOCK = ("SET enable_external_access = false", "SET lock_configuration = true")

CALENDAR = "calendar"
"""A table of one row: how many working days there are up to each day from `FIRST_DAY` on, and the working days in order.

Lists in one row, not a row a day: a join with 37,000 days took 1.4 ms, however few the records, and there were 149 of them.
"""
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
MAKE_CALENDAR = (
    "CREATE TABLE IF NOT EXISTS calendar AS SELECT list(ordinal ORDER BY day) AS ordinals,"
    " list(day ORDER BY day) FILTER (WHERE open) AS days FROM (SELECT day, open, CAST(sum(CASE WHEN open THEN 1 ELSE 0 END)"
    " OVER (ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) AS ordinal FROM"
    " (SELECT r.day, isodow(r.day) < 6 AND c.day IS NULL AS open FROM (SELECT CAST(d AS DATE) AS day"
    f" FROM range(TIMESTAMP '{FIRST_DAY}', TIMESTAMP '{LAST_DAY + timedelta(days=1)}', INTERVAL 1 DAY) s(d)) r"
    " LEFT JOIN (SELECT unnest(CAST($closed AS DATE[])) AS day) c ON c.day = r.day))"
)


def looked_up(days: str, item: str, what: str) -> str:
    """The ordinal of a day, or the day with an ordinal; NULL beyond the calendar.

    Args:
      days: the list; `what`: `ordinals` or `days`.
    """
    # What is not in the list must not count from its end.
    place = f"({item}) - {literal(FIRST_DAY - timedelta(days=1))}" if what == "ordinals" else item
    return f"{days}[greatest({place}, 0)]"


BETWEEN = "h.seq BETWEEN $lo AND $hi"
AMONG = "h.seq IN (SELECT unnest(CAST($places AS BIGINT[])))"
"""Which findings are fetched, by their place in the order of all."""


PLACES = "getvariable('places')"
"""Stands, in a statement of a plan, for which findings of `hit` it is asked for: one of the above, or `TRUE` for all."""


def of_hits(column: str, rules: Sequence[int]) -> str:
    """Whether a column has the number of a row for which one of these rules has a finding at `PLACES`."""
    which = ", ".join(str(n) for n in rules)
    return f"{column} IN (SELECT h.view_rid FROM hit h WHERE h.rule IN ({which}) AND {PLACES})"


def near(rows: str, values: Sequence[str], rules: Sequence[int]) -> str:
    """What is asked of linked records for the rows that these rules have findings of: the number of each row, and the values."""
    return f"SELECT p.rid, {', '.join(values)} FROM {rows} p WHERE {of_hits('p.rid', rules)}"


def near_by_record(rows: str, columns: Sequence[str]) -> str:
    """What a grouping of linked records by their record says of each: its number, and the aggregates in these columns."""
    return f"SELECT p.k, {', '.join(f'p.{c}' for c in columns)} FROM {rows} p"


def at_places(sql: str, places: str) -> str:
    """Such a statement for some findings."""
    return sql.replace(PLACES, places)


NOBODYS = ("", "NULL, NULL, NULL, NULL")


def findings(
    rows: str, rules: Sequence[int], values: Sequence[str], places: str, whose: tuple[str, str] = NOBODYS
) -> str:
    """The findings of `rules` at `places`, with the values that they are worded from.

    Args:
      whose: joins to `h`, and the columns for the name of whom it is about, and the kind, key and name of whose file it is in.
    """
    listed = "".join(f", {sql}" for sql in values)
    which = ", ".join(str(n) for n in rules)
    joined, owner = whose
    return (
        'SELECT h.seq, h.rule, h.view_rid, h.answer, h.key, p.src, p."row", h.label, h.since, h.times, h.waiver,'
        f" {owner}{listed} FROM hit h JOIN {rows} p ON p.rid = h.view_rid{joined} WHERE h.rule IN ({which}) AND {places}"
    )


def n_findings(rows: str, rule: int, values: Sequence[str]) -> str:
    """How many findings of a rule are about a row of which one of these values is true."""
    return f"SELECT count(*) FROM hit h JOIN {rows} p ON p.rid = h.view_rid WHERE h.rule = {rule} AND ({' OR '.join(values)})"


def is_after(value: str, day: date) -> str:
    """Whether a value that is a day lies after `day`."""
    return f"{value} > {literal(day)}"


def of_some(rows: str, key: str, item: int | None, columns: Sequence[str]) -> str:
    """The key and the number of each of the records `$keys`, as it stands with an item, and values of it."""
    where = "" if item is None else f" AND p.{ITEM_NO} = {item}"
    return f"SELECT p.{name(key)}, p.rid, {', '.join(columns)} FROM {rows} p WHERE list_contains($keys, p.{name(key)}){where}"


COLUMN_TYPES: Mapping[str, str] = {
    "text": "VARCHAR",
    "date": "DATE",
    "integer": "BIGINT",
    "number": "DECIMAL(18, 4)",
    "boolean": "BOOLEAN",
    "list": "VARCHAR[]",
}
"""How each type of a field is held."""


def table_of(what: str, columns: list[tuple[str, str]]) -> str:
    """An empty table; each column is (name, type of field)."""
    listed = ", ".join(f"{name(c)} {COLUMN_TYPES[t]}" for c, t in columns)
    return f"CREATE TABLE {name(what)} ({listed})"


def columns_into(what: str, columns: list[tuple[str, str]]) -> str:
    """Rows of some columns, each (name, type of field); the values of the first are `$c0`, and so on. For examples, not for exports."""
    listed = ", ".join(name(c) for c, _ in columns)
    values = ", ".join(f"unnest($c{i}::{COLUMN_TYPES[t]}[])" for i, (_, t) in enumerate(columns))
    return f"INSERT INTO {name(what)} ({listed}) SELECT {values}"
