"""JSON, by schemas/forecast.schema.json. What is due passes through in pieces; the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.files.documents import json_text
from compliance.findings.forecast import DueItem, Forecast, RuleAhead


def write(f: Forecast, width: int) -> Iterator[str]:
    """The forecast, piece by piece."""
    shown = f'"personal":{_dump(f.tables.personal)},"pseudonyms":{_dump(f.tables.pseudonyms or None)}'
    yield f'{{"as_at":"{f.as_at.isoformat()}",{shown},\n"days":{f.days},\n"to":"{f.last.isoformat()}",\n'
    yield f'"summary":{_dump(_summary(f))},\n"rules":[\n'
    yield ",\n".join(_dump(_rule(r)) for r in f.rules)
    yield '\n],\n"due":[\n'
    for i, d in enumerate(f.due()):
        yield (",\n" if i else "") + _dump(_due(d, f))
    yield "\n]}\n"


def _dump(value: object) -> str:
    return json_text(value)


def _summary(f: Forecast) -> dict[str, object]:
    return {
        "due": f.n("due"),
        "overdue": f.n("overdue"),
        "cannot_be_told": f.n("untold"),
        "in_order": f.n("in_order"),
        "quarantined": f.tables.n_quarantined,
        "notes": [*f.tables.remarks, *f.tables.told],
    }


def _rule(r: RuleAhead) -> dict[str, object]:
    return {
        "id": r.rule.id,
        "own_policy": r.rule.own_policy or None,
        "title": r.rule.title,
        "cites": list(r.rule.cites),
        "refs": list(r.rule.refs),
        "layer": r.rule.layer,
        "severity": r.rule.severity,
        "record": r.rule.record,
        "status": r.status,
        "why_not": r.why or None,
        "records": r.records,
        "due": r.due,
        "overdue": r.overdue,
        "cannot_be_told": r.untold,
        "in_order": r.in_order,
        "days_left": None if r.least_days is None else {"least": r.least_days, "median": r.median_days},
        "parameters": [
            {"name": n, "value": v, "basis": basis, "source": source} for n, v, basis, source in r.rule.parameters
        ],
        "note": r.rule.note or None,
    }


def _due(d: DueItem, f: Forecast) -> dict[str, object]:
    return {
        "due_on": d.due_on.isoformat(),
        "days_left": (d.due_on - f.as_at).days,
        "week": d.week.isoformat(),
        "rule": d.rule.id,
        "own_policy": d.rule.own_policy or None,
        "severity": d.rule.severity,
        "what": d.what,
        "subject": {"record": d.rule.record, "key": d.key, "part": d.rule.part or None},
        "responsible": {"staff": d.staff or None, "role": d.role},
        "since": d.since.isoformat() if d.since else None,
        "limit": d.limit or None,
        "certain": d.certain,
        "workstream": d.rule.put_right.workstream,
        "fingerprint": d.fingerprint,
    }
