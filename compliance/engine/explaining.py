"""How rules came out for single records of an audit (I/O: the database)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from compliance.engine.answers import MEANINGS
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
    asked = record.fetching([place.rule])
    # What is asked of linked records is there where the rule has a finding.
    near_table = asked.near if rule in audited.hits else ""
    columns = [record.answers[place.rule], *(asked.sql if near_table else asked.sql[: len(asked.own)])]
    item = place.item if record.by_item else None
    statement = dialect.of_some(record.rows, near_table, record.key, item, columns)
    own, linked = asked.columns(place.rule, 2)
    explanations = {}
    for row in audited.con.execute(statement, {"keys": list(keys)}).fetchall():
        outcome, standing, _ = MEANINGS[row[1]]
        near = [row[c] for c in linked] if near_table else []
        explanations[str(row[0])] = explained(argument, outcome, standing, [row[c] for c in own], near, audited.as_at)
    return explanations
