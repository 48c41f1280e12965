"""What two audits of one export say of each record, held against each other (I/O: the database)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from compliance.engine.answers import MEANINGS
from compliance.findings.impact import Changed
from compliance.model import RAN, RuleResult
from compliance.sql import impact as sql

if TYPE_CHECKING:
    from compliance.engine.audited import Audited
    from compliance.engine.database import Connection

EXAMPLES = 5
"""Records that are named for a change; all are counted."""


def keep(audited: Audited, results: Sequence[RuleResult], table: str) -> None:
    """Puts aside what each rule says of each record; the answers must have been kept."""
    audited.con.execute(sql.make(table))
    for number, answers in audited.answers.items():
        rule = audited.rules[number]
        if results[number].status in RAN:
            place = (answers.table, answers.place, answers.item)
            audited.con.execute(sql.put(table, *place, rule.id, rule.part, bool(rule.own_policy), rule.record))


def changes(con: Connection) -> tuple[Changed, ...]:
    """What differs between the two that were put aside, by rule."""
    meanings = [(answer, meaning.outcome) for answer, meaning in MEANINGS.items()]
    return tuple(
        Changed(rule, part, own, record, was or "", becomes or "", n, tuple(keys))
        for rule, part, own, record, was, becomes, n, keys in con.execute(sql.changes(meanings, EXAMPLES)).fetchall()
    )
