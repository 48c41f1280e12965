"""What is asked of the findings once they are there: groups, an earlier audit's findings, records to be read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from compliance.compiler.ir import DANGER, NOT_APPLICABLE, PENDING
from compliance.model import RECORDED_ON, Link, Table
from compliance.sql.duckdb import there as is_there
from compliance.sql.text import literal, name

# --- groups ---------------------------------------------------------------------------------------------------------

GROUPED = "CREATE OR REPLACE TABLE grouped (rule INTEGER, rid BIGINT, place INTEGER, label VARCHAR)"
"""The group of each finding; `rid` is empty where a group holds for all findings of its rule."""


def rule_groups(rows: Sequence[tuple[int, int, str]]) -> str:
    """Groups that hold for all findings of a rule: its number, the group's place among groups, and its label."""
    listed = ", ".join(f"({n}, NULL, {place}, {literal(label)})" for n, place, label in rows)
    return f"INSERT INTO grouped VALUES {listed}"


@dataclass(frozen=True, slots=True)
class Way:
    """Links up from a kind to the one that a record belongs to.

    Args:
      owner: that kind; `key`: its key.
    """

    owner: str
    key: str
    links: tuple[Link, ...]


def joins(ways: Sequence[Way], start: str) -> tuple[str, list[str]]:
    """Joins along each way, and the alias of the owner at its end."""
    joined, ends = "", []
    for i, way in enumerate(ways):
        at = start
        for j, link in enumerate(way.links):
            alias = f"w{i}_{j}"
            joined += f" LEFT JOIN {name(f't_{link.to}')} {alias} ON {alias}.rid = {at}.{name(f'link__{link.name}')}"
            at = alias
        ends.append(at)
    return joined, ends


def _hits_of(kind: str, rules: Sequence[int]) -> str:
    listed = ", ".join(str(n) for n in rules)
    return (
        f"(SELECT DISTINCT rule, rid FROM hits WHERE rule IN ({listed})) h JOIN {name(f't_{kind}')} p ON p.rid = h.rid"
    )


def subject_groups(kind: str, key: str, rules: Sequence[int], ways: Sequence[Way]) -> str:
    """Each finding of these rules under the record that it belongs to: the first way that leads anywhere, else itself."""
    joined, ends = joins(ways, "p")
    whens = "".join(
        f" WHEN {end}.rid IS NOT NULL THEN concat({literal(way.owner + ' ')}, {end}.{name(way.key)})"
        for way, end in zip(ways, ends, strict=True)
    )
    own = f"concat({literal(kind + ' ')}, p.{name(key)})"
    label = f"CASE{whens} ELSE {own} END" if whens else own
    return f"INSERT INTO grouped SELECT h.rule, h.rid, 0, {label} FROM {_hits_of(kind, rules)}{joined}"


NAMED = ("child", "foster_parent", "household_member", "staff")
"""Record kinds of people, whose field `name` is their name."""
HOUSEHOLD_NAMES = (
    'CREATE OR REPLACE TABLE household_name AS SELECT "link__household" AS rid, string_agg(name, \' and \' ORDER BY "foster_parent_id")'
    ' AS name FROM "t_foster_parent" WHERE "link__household" IS NOT NULL GROUP BY "link__household"'
)
"""A household goes by the names of its foster parents."""


def whose(kind: str, ways: Sequence[Way], names: Collection[str]) -> tuple[str, str]:
    """The name of whom a finding `h` of a kind is about, and the kind, key and name of whose file it is in: joins, and the columns.

    Args:
      names: record kinds whose names are shown; for that of households the table `household_name` must be there.
    """
    joined, ends = joins(ways, "o")
    joined = f" JOIN {name(f't_{kind}')} o ON o.rid = h.rid{joined}"

    def named(of: str, row: str, alias: str) -> str:
        nonlocal joined
        if of not in names:
            return "NULL"
        if of != "household":
            return f"{row}.name"
        joined += f" LEFT JOIN household_name {alias} ON {alias}.rid = {row}.rid"
        return f"{alias}.name"

    columns = [named(kind, "o", "hn")]
    parts: list[list[str]] = [[], [], []]
    for i, (way, end) in enumerate(zip(ways, ends, strict=True)):
        told = (literal(way.owner), f"{end}.{name(way.key)}", named(way.owner, end, f"hn{i}"))
        for whens, said in zip(parts, told, strict=True):
            whens.append(f"WHEN {end}.rid IS NOT NULL THEN {said}")
    columns += [f"CASE {' '.join(whens)} END" if whens else "NULL" for whens in parts]
    return joined, ", ".join(columns)


def team_groups(kind: str, rules: Sequence[int], ways: Sequence[Way], nobody: str) -> str:
    """Each finding of these rules under the team that answers for the record that it belongs to."""
    joined, ends = joins(ways, "p")
    teams = []
    for i, (way, end) in enumerate(zip(ways, ends, strict=True)):
        joined += f" LEFT JOIN {name(f'team_of_{way.owner}')} x{i} ON x{i}.rid = {end}.rid"
        teams.append(f"x{i}.team")
    label = f"coalesce({', '.join([*teams, literal(nobody)])})"
    place = f"CASE WHEN {label} = {literal(nobody)} THEN 1 ELSE 0 END"
    return f"INSERT INTO grouped SELECT h.rule, h.rid, {place}, {label} FROM {_hits_of(kind, rules)}{joined}"


NOBODY = "CREATE OR REPLACE TABLE {table} AS SELECT CAST(NULL AS BIGINT) AS rid, CAST(NULL AS VARCHAR) AS {value} WHERE FALSE"
OF_HOUSEHOLD = (
    'CREATE OR REPLACE TABLE {table} AS SELECT h.rid, w.{value} FROM "t_household" h'
    ' JOIN "t_staff" w ON w.rid = h."link__worker"{there}'
)
OF_CHILD = (
    'CREATE OR REPLACE TABLE {table} AS SELECT p."link__child" AS rid,'
    ' arg_max_null(h.{value}, (p."started_on", p.{order})) AS {value}'
    ' FROM "t_placement" p LEFT JOIN {household} h ON h.rid = p."link__household"'
    ' WHERE p."started_on" <= {as_at} AND p."link__child" IS NOT NULL{written} GROUP BY p."link__child"'
)
"""A child's is that of the household where it was placed last."""
TEAM_OF_STAFF = 'CREATE OR REPLACE TABLE "team_of_staff" AS SELECT rid, "team" FROM "t_staff"'
MANAGER_OF_STAFF = (
    'CREATE TABLE "staff_id_of_staff" AS SELECT s.rid, w."staff_id" FROM "t_staff" s JOIN "t_staff" w'
    ' ON w.rid = s."link__manager"{there}'
)


def _has(tables: Mapping[str, Table], kind: str, columns: Sequence[str], links: Sequence[str]) -> bool:
    table = tables.get(kind)
    return table is not None and set(columns) <= table.columns and set(links) <= table.links


def _of_owners(value: str, of_staff: str, tables: Mapping[str, Table], as_at: str, there: str) -> list[str]:
    """What makes `<value>_of_<kind>` for a child, a household and a member of staff, as far as the export says.

    Args:
      value: a field of the member of staff; `of_staff`: the statement that makes it for one, empty if nothing can.
      there: a condition on that member of staff `w`, with AND before it.
    """
    household = _has(tables, "staff", (value,), ()) and _has(tables, "household", (), ("worker",))
    child = household and _has(tables, "placement", ("placement_id", "started_on"), ("child", "household"))
    table = {kind: name(f"{value}_of_{kind}") for kind in ("staff", "household", "child")}
    its = {kind: {"table": t, "value": name(value)} for kind, t in table.items()}
    written = is_there("p", (), tables["placement"].columns, as_at) if child else ""
    order = (tables["placement"].order if child else "") or "placement_id"
    its["child"] |= {
        "as_at": as_at,
        "order": name(order),
        "written": f" AND {written}" if written else "",
        "household": table["household"],
    }
    return [
        of_staff or NOBODY.format(**its["staff"]),
        (OF_HOUSEHOLD if household else NOBODY).format(**its["household"], there=there),
        (OF_CHILD if child else NOBODY).format(**its["child"]),
    ]


def teams(tables: Mapping[str, Table], as_at: str) -> list[str]:
    """What makes `team_of_<kind>`."""
    return _of_owners("team", TEAM_OF_STAFF if _has(tables, "staff", ("team",), ()) else "", tables, as_at, "")


def answering(tables: Mapping[str, Table], as_at: str) -> list[str]:
    """What makes `staff_id_of_<kind>`: the household's worker, the manager of a member of staff; nobody who has left."""
    there = in_post("w", tables, as_at)
    of_staff = MANAGER_OF_STAFF.format(there=there) if _has(tables, "staff", ("staff_id",), ("manager",)) else ""
    return _of_owners("staff_id", of_staff, tables, as_at, there)


def in_post(staff: str, tables: Mapping[str, Table], as_at: str) -> str:
    """A condition, with AND before it: the member of staff has not left; empty where the export does not say."""
    if not _has(tables, "staff", ("left_on",), ()):
        return ""
    return f' AND ({staff}."left_on" IS NULL OR {staff}."left_on" > {as_at})'


GROUPS = (
    "SELECT label, rule, count(*) FROM hit GROUP BY label, rule ORDER BY min(seq)"
)  # fmt: skip
"""How many findings of each rule each group has, in order."""

LABELS = "SELECT g.label FROM hit h JOIN grouped g ON g.rule = h.rule AND g.rid = h.rid ORDER BY h.seq"
"""The group of each finding, in order."""

# --- an earlier audit -----------------------------------------------------------------------------------------------

EARLIER = (
    "CREATE TABLE earlier AS SELECT unnest(CAST($n AS INTEGER[])) AS n, unnest(CAST($fingerprint AS VARCHAR[])) AS fingerprint,"
    " unnest(CAST($rule AS INTEGER[])) AS rule, unnest(CAST($key AS VARCHAR[])) AS key,"
    " unnest(CAST($since AS VARCHAR[])) AS since, unnest(CAST($times AS INTEGER[])) AS times"
)
RULE_NAMES = "CREATE OR REPLACE TABLE rule_name (rule INTEGER, id VARCHAR, record VARCHAR, rest VARCHAR)"
FINGERPRINT = "substr(sha256(concat(r.id, chr(31), r.record, chr(31), h.key, r.rest)), 1, 16)"
RESTATED = "SELECT count(n) FROM hit"
NEW = "SELECT rule, count(*) FROM hit WHERE n IS NULL AND waiver IS NULL GROUP BY rule"
GONE = "SELECT e.n FROM earlier e ANTI JOIN hit h ON h.n = e.n ORDER BY e.n"
EARLIER_GONE = "SELECT e.n, e.rule, e.key FROM earlier e ANTI JOIN hit h ON h.n = e.n"


def rule_names(rows: Sequence[tuple[int, str, str, str]]) -> str:
    """Each rule's number, id, record kind, and what else its fingerprints are made of."""
    return "INSERT INTO rule_name VALUES " + ", ".join(f"({', '.join(literal(v) for v in row)})" for row in rows)


def became(gone: str, answers: str, asked: Sequence[tuple[int, int, int]]) -> str:
    """What became of the findings of some rules that are gone.

    Args:
      gone: a statement that gives their number, rule and key.
      answers: the table in which what these rules say stands.
      asked: the place of a rule in it, of the item for which it is asked, and its number.
    """
    rows = ", ".join(f"({place}, {item}, {number})" for place, item, number in asked)
    answer = f"[{', '.join(f'a.v{i}' for i in range(1 + max(place for place, _, _ in asked)))}][m.place + 1]"
    return (
        f"SELECT e.n, CASE WHEN a.view_rid IS NULL THEN 'not in the export' WHEN {answer} = {NOT_APPLICABLE} THEN 'no longer applies'"
        f" WHEN {answer} = {PENDING} THEN 'pending' ELSE 'put right' END"
        f" FROM ({gone}) e JOIN (VALUES {rows}) m(place, item, number) ON m.number = e.rule"
        f" LEFT JOIN {name(answers)} a ON a.key = e.key AND a.item = m.item"
    )


# --- accepted risks -------------------------------------------------------------------------------------------------

WAIVERS = (
    "CREATE TABLE waiver AS SELECT unnest(CAST($n AS INTEGER[])) AS n, unnest(CAST($fingerprint AS VARCHAR[])) AS fingerprint,"
    " unnest(CAST($rule AS INTEGER[])) AS rule, unnest(CAST($key AS VARCHAR[])) AS key"
)
"""Each waiver's rule and key; rule -1 where only the fingerprint is known."""
WAIVED = "SELECT w.n, h.seq, h.rule FROM hit h JOIN waiver w ON w.rule = h.rule AND w.key = h.key"
WAIVED_BY_FINGERPRINT = (
    "SELECT w.n, h.seq, h.rule FROM hit h JOIN rule_name r ON r.rule = h.rule"
    f" JOIN waiver w ON w.rule = -1 AND w.fingerprint = {FINGERPRINT}"
)
WAIVED_GONE = "SELECT w.n, w.rule, w.key FROM waiver w ANTI JOIN hit h ON w.rule = h.rule AND w.key = h.key"
MUTE = (
    "UPDATE hit SET waiver = m.n FROM (SELECT unnest(CAST($seq AS BIGINT[])) AS seq, unnest(CAST($n AS INTEGER[])) AS n) m"
    " WHERE hit.seq = m.seq"
)

# --- figures that somebody else worked out -------------------------------------------------------------------------


def figures(columns: Sequence[str], supplied: Collection[str], as_at: str) -> str:
    """Reported figures for periods that had ended on `$day`, if written down by `as_at`; NULL for a column that is not there."""
    listed = ", ".join(f"p.{name(c)}" if c in supplied else "NULL" for c in columns)
    filled = "p.framework IS NOT NULL AND p.code IS NOT NULL AND p.value IS NOT NULL AND p.period_end <= $day"
    # A figure is worked out once its period is over: the day that is looked from counts, not the end of the period.
    known = is_there("p", (), supplied, as_at) or "TRUE"
    return f"SELECT {listed} FROM t_reported_figure p WHERE {filled} AND {known} ORDER BY p.rid"


FIGURES = 'SELECT src, "row", framework, code, period_end FROM t_reported_figure ORDER BY src, "row"'
"""Every reported figure, where it stands and which it is."""


def recorded_later(kinds: Sequence[str]) -> str:
    """How many records of each kind were written down after `$day`; kinds of which there are none are left out."""
    day = name(RECORDED_ON)
    counts = (f"SELECT {literal(k)} AS kind, count(*) AS n FROM {name(f't_{k}')} WHERE {day} > $day" for k in kinds)
    return f"SELECT kind, n FROM ({' UNION ALL '.join(counts)}) WHERE n > 0 ORDER BY kind"


def newest(dates: Sequence[tuple[str, str]]) -> str:
    """Of each kind and its date: the last by `$day`, on how many days of the year up to it there are some, and how far apart at most.

    Kinds of which there is none are left out.
    """
    days = " UNION ALL ".join(
        f"SELECT DISTINCT {literal(k)} AS record, {name(f)} AS day FROM {name(f't_{k}')} WHERE {name(f)} <= $day"
        for k, f in dates
    )
    placed = (
        "day - lag(day) OVER (PARTITION BY record ORDER BY day) AS apart, max(day) OVER (PARTITION BY record) AS newest"
    )
    return (
        f"SELECT record, newest, count(*), coalesce(max(apart), 0) FROM (SELECT record, day, {placed} FROM ({days}))"
        " WHERE day > newest - 366 GROUP BY ALL ORDER BY record"
    )


READ = ("duty", "record", "record_key", "answer", "read_on", "role")


def readings(columns: Collection[str]) -> str:
    """What readers had found by `$day`: of each duty and record the newest, and of several of one day the worst.

    Args:
      columns: those that the export supplies; all of `READ` but the last must be there.
    """
    known = is_there("p", ("read_on",), columns, "$day") or "TRUE"
    role = "p.role" if "role" in columns else "''"
    filled = " AND ".join(f"p.{name(c)} IS NOT NULL" for c in READ[:-1])
    worst = "CASE p.answer WHEN 'not met' THEN 0 WHEN 'not evidenced' THEN 1 ELSE 2 END"
    newest = f"row_number() OVER (PARTITION BY p.duty, p.record, p.record_key ORDER BY p.read_on DESC, {worst}, p.sample_reading_id)"
    return (
        f"SELECT p.duty, p.record, p.record_key, p.answer, p.read_on, coalesce({role}, '') FROM t_sample_reading p"
        f" WHERE {filled} AND {known} QUALIFY {newest} = 1 ORDER BY p.duty, p.record, p.record_key"
    )


def keys(kind: str, key: str) -> str:
    """The keys of all records of a kind."""
    return f"SELECT {name(key)} FROM {name(f't_{kind}')}"


# --- all hits in their order ----------------------------------------------------------------------------------------


RANK = f"(h.answer - {DANGER}) // 2"
"""Danger, then open, late, past: see `ir`."""


def hits_sorted(by: str, earlier: bool) -> str:
    """All findings in the order in which they are told: by group, rank, the rule's place in `$places`, subject, and the item of a list.

    Args:
      by: empty: no groups; `rule`: `grouped` has one row a rule; `record`: one a rule and row.
      earlier: whether `earlier` and `rule_name` are there.
    """
    joined = ""
    if by:
        joined += " JOIN grouped g ON g.rule = h.rule" + (" AND g.rid = h.rid" if by == "record" else "")
    if earlier:
        joined += f" JOIN rule_name r ON r.rule = h.rule LEFT JOIN earlier e ON e.fingerprint = {FINGERPRINT}"
    order = "g.place, g.label, " if by else ""
    label = "g.label" if by else "CAST(NULL AS VARCHAR)"
    before = "e.n, e.since, e.times" if earlier else "NULL AS n, NULL AS since, NULL AS times"
    return (
        f"CREATE TABLE hit AS SELECT row_number() OVER (ORDER BY {order}{RANK}, CAST($places AS INTEGER[])[h.rule + 1], h.key, h.rule,"
        f" h.rid) AS seq, h.rule, h.answer, h.rid, h.view_rid, h.key, {label} AS label, {before},"
        f" CAST(NULL AS INTEGER) AS waiver FROM hits h{joined} ORDER BY seq"
    )
