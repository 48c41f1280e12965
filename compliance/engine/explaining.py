"""How rules came out for single records of an audit (I/O: the database)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from compliance.engine.answers import MEANINGS
from compliance.engine.audited import linked_records
from compliance.findings.explained import Explained, explained
from compliance.sql import duckdb as dialect

if TYPE_CHECKING:
    from compliance.engine.audited import Audited


def explain(audited: Audited, rule: int, key: str) -> Explained | None:
    """Explains the rule at position `rule`, which must have run, for a record; None if there is no such record then."""
    return explain_all(audited, rule, [key]).get(key)


def explain_all(audited: Audited, rule: int, keys: Sequence[str]) -> dict[str, Explained]:
    """Explains the rule at position `rule`, which must have run, for each of these records that exists then, by key."""
    place, argument = audited.places[rule], audited.arguments[rule]
    assert argument is not None
    record = place.record
    values = record.fetching([place.rule])
    columns = [record.answers[place.rule], *values.values()]
    item = place.item if record.by_item else None
    statement = dialect.of_some(record.rows, record.key, item, columns)
    rows = audited.con.execute(statement, {"keys": list(keys)}).fetchall()
    order = list(values)
    slots = [order.index(value) for value in record.slots[place.rule]]
    near = record.near[place.rule] if rule in audited.hits else ""
    named = linked_records(audited.con, dialect.at_places(near, "TRUE"), {}) if near else {}
    explanations = {}
    for key, rid, answer, *row in rows:
        outcome, standing, _ = MEANINGS[answer]
        its = [row[slot] for slot in slots]
        explanations[str(key)] = explained(argument, outcome, standing, its, named.get(rid, ()), audited.as_at)
    return explanations
