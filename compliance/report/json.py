"""JSON, by schemas/findings.schema.json. Findings pass through in pieces; the same input gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Any

from compliance.dates import put_right_on
from compliance.files.documents import disarmed_json, json_text
from compliance.findings.previous import Previous
from compliance.findings.report import Report
from compliance.findings.waivers import Judged
from compliance.model import (
    RAN,
    SEVERITIES,
    Accepted,
    Finding,
    Group,
    Near,
    Prompted,
    Quarantined,
    Reading,
    Restated,
    RuleInfo,
    RuleResult,
    Whose,
)
from compliance.report.words import why_text


def write(report: Report, width: int) -> Iterator[str]:
    """The report, piece by piece."""
    shown = f'"personal":{_dump(report.tables.personal)},"pseudonyms":{_dump(report.tables.pseudonyms or None)}'
    yield f'{{"as_at":"{report.as_at.isoformat()}",{shown},\n"summary":{_dump(report.summary())},\n"rules":[\n'
    yield ",\n".join(_dump(_rule(r, report.as_at)) for r in report.rules)
    yield f'\n],\n"by":{_dump(report.by or None)},\n"groups":{_dump([_group(g) for g in report.groups])},\n'
    prompts = report.prompts()
    asked = _dump([_prompt(p) for p in prompts if not p.left_out])
    left_out = _dump([{"duty": p.prompt.duty, "why": p.left_out} for p in prompts if p.left_out])
    yield f'"seed":{_dump(report.seed)},\n"prompts":{asked},\n"prompts_left_out":{left_out},\n'
    if report.readings:
        yield f'"readings":{_dump([_reading(r) for r in report.readings])},\n'
    yield f'"waivers":{_dump([_waiver(j) for j in report.waivers])},\n'
    yield f'"previous":{_dump(_previous(report.previous))},\n"findings":[\n'
    heads: dict[int, _Head] = {}
    for i, finding in enumerate(report.findings()):
        yield (",\n" if i else "") + disarmed_json(_finding(finding, heads))
    yield '\n],\n"quarantined":[\n'
    for i, q in enumerate(report.quarantined()):
        yield (",\n" if i else "") + _dump(_quarantined(q))
    yield "\n]}\n"


def _dump(value: object) -> str:
    return json_text(value)


def _rule(r: RuleResult, as_at: date) -> dict[str, object]:
    ran = r.status in RAN
    return {
        "id": r.rule.id,
        "pack": r.rule.pack,
        "title": r.rule.title,
        "cites": list(r.rule.cites),
        "refs": list(r.rule.refs),
        "layer": r.rule.layer,
        "severity": r.rule.severity,
        "record": r.rule.record,
        "status": r.status,
        "ran": ran,
        "why_not": None if r.status == "ran" else r.why,
        "checked": r.checked,
        "outcomes": {
            "compliant": r.compliant,
            "breach": r.breach,
            "not_evidenced": r.not_evidenced,
            "pending": r.pending,
            "not_applicable": r.not_applicable,
        },
        "parameters": [
            {"name": n, "value": v, "basis": basis, "source": source} for n, v, basis, source in r.rule.parameters
        ],
        "remedy": r.rule.remedy,
        "put_right": {"on": put_right_on(as_at, r.rule.put_right.within).isoformat(), "by": r.rule.put_right.by},
        "note": r.rule.note or None,
    }


class _Head:
    """What is the same for all findings of a rule.

    Args:
      cites: by the clause that failed; `called`: title and remedy by outcome and standing. Both are filled as findings come.
    """

    def __init__(self, r: RuleInfo) -> None:
        owed_by = _text(r.owed_by) if r.owed_by else "null"
        self.before_key = f'"severity":"{r.severity}","layer":"{r.layer}","owed_by":{owed_by},"subject":{{"record":"{r.record}","key":'
        self.after_key = f',"part":{_dump(r.part or None)},"name":'
        self.after_due = (
            f',"workstream":"{r.put_right.workstream}","requirement":{_dump(r.requirement or None)},"fingerprint":"'
        )
        self.cites: dict[tuple[tuple[str, str], ...], str] = {}
        self.called: dict[tuple[str, str], str] = {}


def _finding(f: Finding, heads: dict[int, _Head]) -> str:
    """A finding as a JSON object.

    Args:
      heads: by the rule's identity; filled as rules come.
    """
    head = heads.get(id(f.rule))
    if head is None:
        head = heads[id(f.rule)] = _Head(f.rule)
    cites = head.cites.get(f.clause)
    if cites is None:
        cites = head.cites[f.clause] = _dump(f.cites)
    called = head.called.get((f.outcome, f.standing))
    if called is None:
        called = f'"title":{_text(f.title)},"remedy":{_text(f.remedy)}'
        head.called[f.outcome, f.standing] = called
    evidence = ",".join(
        [f"{_name(name)}:{_VALUES.get(type(value), _dump)(value)}" for name, value in f.evidence.items()]
    )
    return (
        f'{{"rule":"{f.rule.id}","outcome":"{f.outcome}","standing":"{f.standing}","danger":{_text(f.danger) if f.danger else "null"},'
        f'{called},{head.before_key}{_text(f.key)}{head.after_key}{_text(f.name) if f.name else "null"}}},"whose":{_whose(f.whose)}'
        f',"cites":{cites},"argument":{_text(f.argument)}'
        f',"near":{_near(f.near)},"unless":{_text(f.unless) if f.unless else "null"}'
        f',"failed":{_labels(f.failed)},"missing":{_labels(f.missing)},"evidence":{{{evidence}}}'
        f',"source":{{"file":{_name(f.file)},"row":{f.row}}},"due_on":{_text(f.due_on) if f.due_on else "null"}'
        f',"late":{_text(f.late) if f.late else "null"}{head.after_due}{f.fingerprint}","group":{_text(f.group) if f.group else "null"}'
        f',"restated":{_restated(f.restated)},"waiver":{_accepted(f.waiver)}}}'
    )


_text = json.encoder.encode_basestring
"""A text as JSON, nothing but quotes, backslashes and control characters escaped."""


@lru_cache(maxsize=4096)
def _name(name: str) -> str:
    """What comes again and again: names of evidence and files."""
    return _text(name)


@lru_cache(maxsize=4096)
def _labels(labels: tuple[str, ...]) -> str:
    return f"[{','.join(map(_text, labels))}]"


_VALUES: Mapping[type, Callable[[Any], str]] = {
    str: _text,
    NoneType: lambda _: "null",
    bool: lambda value: "true" if value else "false",
    int: str,
    Decimal: lambda value: format(value, "f"),
}
"""Values of evidence as JSON, by their type; lists as `_dump` has them."""


def _whose(w: Whose | None) -> str:
    if w is None:
        return "null"
    return f'{{"record":"{w.record}","key":{_text(w.key)},"name":{_text(w.name) if w.name else "null"}}}'


def _near(n: Near | None) -> str:
    if n is None:
        return "null"
    where = f'"file":{_name(n.source.label)},"row":{n.row}'
    return f'{{"record":"{n.record}","key":{_text(n.key)},{where},"words":{_text(n.words())}}}'


def _restated(r: Restated | None) -> str:
    return "null" if r is None else f'{{"since":"{r.since}","times":{r.times}}}'


def _accepted(a: Accepted | None) -> str:
    if a is None:
        return "null"
    return _dump({"id": a.id, "until": a.until.isoformat(), "reason": a.reason, "approved_by": a.approved_by})


def _group(g: Group) -> dict[str, object]:
    return {
        "group": g.label,
        "findings": {s: g.n(s) for s in SEVERITIES},
        "rules": [{"id": rule, "findings": n} for rule, n in g.by_rule.items()],
    }


def _prompt(p: Prompted) -> dict[str, object]:
    return {
        "duty": p.prompt.duty,
        "ref": p.prompt.ref,
        "title": p.prompt.title,
        "instrument": p.prompt.instrument,
        "question": p.prompt.question,
        "record": p.prompt.record,
        "records": p.records,
        "read": [{"key": key, "because": list(because)} for key, because in p.read],
    }


def _reading(r: Reading) -> dict[str, object]:
    return {
        "duty": r.duty,
        "subject": {"record": r.record, "key": r.key},
        "answer": r.answer,
        "read_on": r.read_on.isoformat(),
        "role": r.role or None,
    }


def _previous(p: Previous | None) -> dict[str, object] | None:
    if p is None:
        return None
    return {
        "as_at": p.as_at.isoformat(),
        "restated": p.restated,
        "new": p.new,
        "no_longer_found": [
            {
                "rule": g.finding.rule,
                "subject": {"record": g.finding.record, "key": g.finding.key, "part": g.finding.part or None},
                "fingerprint": g.finding.fingerprint,
                "requirement": g.finding.requirement or None,
                "since": g.finding.since,
                "times": g.finding.times,
                "became": g.became,
                "why": g.why or None,
            }
            for g in p.gone
        ],
        "requirements": [asdict(r) for r in p.requirements],
    }


def _waiver(j: Judged) -> dict[str, object]:
    w = j.waiver
    rule = j.rule.id if j.rule else w.rule or None
    return {
        "id": w.id,
        "state": j.state,
        "why": why_text(j) or None,
        "changed": [asdict(c) for c in j.changes],
        "further": list(j.further),
        "rule": rule,
        "severity": j.rule.severity if j.rule else None,
        "subject": w.subject or None,
        "part": w.part or None,
        "own_policy": w.own_policy,
        "fingerprint": j.fingerprint or None,
        "found": j.found,
        "outcome": w.outcome,
        "reason": w.reason,
        "legal_basis": w.legal_basis or None,
        "approved_by": w.approved_by,
        "from": w.from_on.isoformat(),
        "until": w.until.isoformat(),
    }


def _quarantined(q: Quarantined) -> dict[str, object]:
    return {
        "source": {"file": q.file, "row": q.row},
        "record": q.record,
        "field": q.field or None,
        "column": q.column or None,
        "value": q.value or None,
        "reason": q.reason,
    }
