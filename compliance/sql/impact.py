"""What two sets of rules say of each record, side by side."""

from __future__ import annotations

from collections.abc import Iterable

from compliance.sql.text import literal, name

SAID = "CREATE TABLE {table} (rule VARCHAR, part VARCHAR, own BOOLEAN, record VARCHAR, key VARCHAR, answer UTINYINT)"
"""What each rule, asked for an item of a list or by the agency's own figure, says of each record."""
BEFORE, AFTER = "said_before", "said_after"


def make(table: str) -> str:
    """Such a table, empty."""
    return SAID.format(table=name(table))


def put(table: str, answers: str, place: int, item: int, rule: str, part: str, own: bool, record: str) -> str:
    """What one rule says, out of the table of answers in which it stands at `place`, for the item there."""
    return (
        f"INSERT INTO {name(table)} SELECT {literal(rule)}, {literal(part)}, {literal(own)}, {literal(record)},"
        f" CAST(key AS VARCHAR), v{place} FROM {name(answers)} WHERE item = {item}"
    )


def changes(meanings: Iterable[tuple[int, str]], examples: int) -> str:
    """Outcomes that differ: rule, part, own, record, outcome before and after (NULL: it was not asked), how many, some keys."""
    named = ", ".join(f"({answer}, {literal(outcome)})" for answer, outcome in meanings)
    said = (
        "(SELECT s.rule, s.part, s.own, s.record, s.key, m.outcome FROM {table} s JOIN"
        f" (VALUES {named}) m(answer, outcome) ON m.answer = s.answer)"
    )
    same = " AND ".join(f"a.{c} = b.{c}" for c in ("rule", "part", "own", "record", "key"))
    columns = ", ".join(f"coalesce(a.{c}, b.{c}) AS {c}" for c in ("rule", "part", "own", "record", "key"))
    return (
        f"SELECT rule, part, own, record, was, becomes, count(*), list_slice(list_sort(list(key)), 1, {examples}) FROM"
        f" (SELECT {columns}, b.outcome AS was, a.outcome AS becomes FROM {said.format(table=name(BEFORE))} b"
        f" FULL JOIN {said.format(table=name(AFTER))} a ON {same} WHERE b.outcome IS DISTINCT FROM a.outcome)"
        " GROUP BY rule, part, own, record, was, becomes ORDER BY rule, part, own, record, was, becomes"
    )
