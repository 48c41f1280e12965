"""What a forecast asks: where each record stands under each rule with a clock, who answers for it, and all of that in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compliance.model import Table
from compliance.sql.relations import ITEM_NO, OF
from compliance.sql.reporting import Way, in_post, joins
from compliance.sql.text import literal, name

AHEAD = "CREATE TABLE ahead (n INTEGER, rid BIGINT, key VARCHAR, standing VARCHAR, due DATE, since DATE, within INTEGER, certain BOOLEAN)"
INSERT = "INSERT INTO ahead {select}"


def standings(
    rows: str,
    key: str,
    rules: Sequence[tuple[Sequence[tuple[int, int]], Sequence[str]]],
    by_item: bool,
) -> str:
    """Rows for `ahead`: one for each record and rule under which it has a standing.

    Args:
      rules: place of the item and number, for each item for which it is asked; and the values as `compiler.ahead` has them.
    """
    columns, structs, asked = "", [], []
    for i, (numbers, (standing, due, since, within, certain)) in enumerate(rules):
        columns += f", {standing} AS s{i}, {due} AS d{i}, CAST({since} AS DATE) AS f{i}"
        columns += f", CAST({within} AS INTEGER) AS w{i}, {certain} AS c{i}"
        structs.append(
            f"CASE WHEN s{i} IS NOT NULL THEN {{'n': {i}, 'standing': s{i}, 'due': d{i}, 'since': f{i}, 'within': w{i},"
            f" 'certain': c{i}}} END"
        )
        asked += [f"({i}, {item}, {number})" for item, number in numbers]
    of, item = (f"p.{OF}", f"p.{ITEM_NO}") if by_item else ("p.rid", "0")
    return (
        "SELECT a.number, rid, key, c.standing, c.due, c.since, c.within, c.certain FROM"
        f" (SELECT rid, key, item, unnest(list_filter([{', '.join(structs)}], lambda c: c IS NOT NULL)) AS c FROM"
        f" (SELECT {of} AS rid, p.{name(key)} AS key, {item} AS item{columns} FROM {rows} p))"
        f" JOIN (VALUES {', '.join(asked)}) a(rule, item_no, number) ON a.rule = c.n AND a.item_no = item"
    )


def total(rows: str, by_item: bool) -> str:
    """How many records there are."""
    return f"SELECT count({f'DISTINCT {OF}' if by_item else '*'}) FROM {rows} p"


FORESEEN = "CREATE TABLE foreseen (n INTEGER, key VARCHAR, due DATE, since DATE, within INTEGER, certain BOOLEAN, staff VARCHAR)"


def foreseen(
    kind: str,
    rules: Sequence[int],
    workers: Sequence[str],
    ways: Sequence[Way],
    tables: Mapping[str, Table],
    as_at: str,
) -> str:
    """Rows for `foreseen`: what is due under these rules, and who answers for the record.

    Args:
      workers: the record's own links to the member of staff who answers for it; then `ways`, to those who have one.
    """
    joined, ends = joins(ways, "p")
    found = []
    for i, link in enumerate(workers):
        there = in_post(f"d{i}", tables, as_at)
        joined += f" LEFT JOIN {name('t_staff')} d{i} ON d{i}.rid = p.{name(f'link__{link}')}{there}"
        found.append(f"d{i}.staff_id")
    for i, (way, end) in enumerate(zip(ways, ends, strict=True)):
        joined += f" LEFT JOIN {name(f'staff_id_of_{way.owner}')} x{i} ON x{i}.rid = {end}.rid"
        found.append(f"x{i}.staff_id")
    staff = f"coalesce({', '.join(found)}, NULL)" if found else "NULL"
    listed = ", ".join(str(n) for n in rules)
    return (
        f"INSERT INTO foreseen SELECT a.n, a.key, a.due, a.since, a.within, a.certain, {staff} FROM ahead a"
        f" JOIN {name(f't_{kind}')} p ON p.rid = a.rid{joined} WHERE a.standing = 'due' AND a.n IN ({listed})"
    )


def in_order(rules: Sequence[tuple[int, int, str]]) -> str:
    """What is due: by person, who may be known by role alone and then comes last; then by day, rule and record.

    Args:
      rules: number, that of the rule whose part it is (or its own), and the role.
    """
    listed = ", ".join(f"({n}, {place}, {literal(role)})" for n, place, role in rules)
    return (
        "SELECT f.n, f.key, f.due, f.since, f.within, f.certain, f.staff FROM foreseen f"
        f" JOIN (VALUES {listed}) o(n, place, role) ON o.n = f.n"
        " ORDER BY f.staff IS NULL, coalesce(f.staff, o.role), f.due, o.place, f.key, f.n"
    )


def tally(places: Sequence[tuple[int, int]], as_at: str) -> str:
    """How many records of each rule have each standing, and the smallest and the median of the days left.

    Args:
      places: each rule's number, and that of the rule whose part it is (or its own).
    """
    listed = ", ".join(f"({n}, {place})" for n, place in places)
    return (
        f"SELECT o.place, a.standing, count(*), min(a.due) - {as_at}, quantile_disc(a.due, 0.5) - {as_at}"
        f" FROM ahead a JOIN (VALUES {listed}) o(n, place) ON o.n = a.n GROUP BY o.place, a.standing ORDER BY o.place, a.standing"
    )
