"""An audit's trend as JSON, by schemas/trend.schema.json."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.files.documents import json_text
from compliance.findings.trend import Trend
from compliance.model import OUTCOMES


def write(trend: Trend, width: int) -> Iterator[str]:
    """For each rule, its outcomes in the order of the days."""
    days = [d.isoformat() for d in trend.days]
    head = {
        "as_at": trend.as_at.isoformat(),
        "data": trend.data,
        "personal": trend.tables.personal,
        "pseudonyms": trend.tables.pseudonyms or None,
        "quarantined": trend.tables.n_quarantined,
        "days": days,
    }
    yield _dump(head)[:-1] + ',\n"rules":[\n'
    for n, last in enumerate(trend.results[-1]):
        rule = {
            "id": last.rule.id,
            "own_policy": last.rule.own_policy or None,
            "severity": last.rule.severity,
            "layer": last.rule.layer,
            "status": last.status,
            "why_not": last.why or None,
            "outcomes": {o: [getattr(its[n], o) for its in trend.results] for o in OUTCOMES},
        }
        yield (",\n" if n else "") + _dump(rule)
    yield "\n]}\n"


def _dump(value: object) -> str:
    return json_text(value)
