"""The statements that a rule becomes."""

from __future__ import annotations

from datetime import date

from compliance.compiler.prepare import prepare
from compliance.model import Table, Tables
from compliance.rules.checking import CheckedRule
from compliance.rules.rulebook import Rulebook
from compliance.sql import duckdb as dialect


def statements(book: Rulebook, rule: CheckedRule) -> list[str]:
    """What a rule becomes when it runs alone on an export that has everything."""
    tables = {n: Table(0, frozenset(k.fields), frozenset(), frozenset(k.links)) for n, k in book.kinds.kinds.items()}
    as_at = rule.rule.from_on if rule.rule.to_on is not None else date.max
    plan = prepare((rule,), book.kinds, book.figures, Tables(tables), as_at).plan
    listed = list(plan.setup)
    for record in plan.records:
        rules = range(len(record.numbers))
        values = list(record.fetching(rules).values())
        numbers = [number for pairs in record.numbers for _, number in pairs]
        listed += [record.answering(rules), dialect.findings(record.rows, numbers, values, dialect.BETWEEN)]
        listed += [dialect.at_places(near, dialect.BETWEEN) for near in record.near if near]
    return listed
