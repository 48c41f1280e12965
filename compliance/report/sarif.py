"""SARIF 2.1.0, for code scanning and editors: every rule with its help, and the findings where they stand in the export."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from compliance import __version__
from compliance.files.documents import json_text
from compliance.findings.report import Report
from compliance.model import Finding, RuleInfo, RuleResult
from compliance.report.words import printable, printable_lines, subject_text

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"requirement": "error", "recommendation": "warning", "advice": "note"}
MOST = 25_000
"""Results that code scanning takes; of a file with more it takes none."""
TAGS = 20


def write(report: Report, width: int) -> Iterator[str]:
    """The report, piece by piece."""
    driver = {
        "name": "compliance",
        "version": __version__,
        "rules": [_rule(r.rule) for r in report.rules],
    }
    yield f'{{"$schema":"{SCHEMA}","version":"2.1.0","runs":[{{\n"tool":{{"driver":{_dump(driver)}}},\n'
    yield f'"invocations":[{_dump(_invocation(report))}],\n"automationDetails":{_dump({"id": f"compliance/{printable(report.data)}/"})},\n'
    yield f'"columnKind":"unicodeCodePoints",\n"properties":{_dump(_properties(report))},\n"results":[\n'
    places = {_id(r.rule): n for n, r in enumerate(report.rules)}
    for i, finding in enumerate(report.findings()):
        if i == MOST:
            break
        yield (",\n" if i else "") + _dump(_result(finding, report, places))
    yield "\n]}]}\n"


def _dump(value: object) -> str:
    return json_text(value)


def _id(rule: RuleInfo) -> str:
    """A rule as read by the agency's own figure is one beside it, of the same family."""
    return f"{rule.id}/own-policy" if rule.own_policy else rule.id


def _rule(rule: RuleInfo) -> dict[str, object]:
    cited = "; ".join(rule.refs)
    help_ = [f"{rule.title}.", f"Checks: {cited}." if cited else "Checks good practice; it cites no law."]
    help_ += [f"To put it right: {rule.remedy}", f"By: {rule.put_right.by}, within {rule.put_right.within}."]
    help_ += [f"{name}: {value} ({basis}; {source})" for name, value, basis, source in rule.parameters]
    help_ += [f"Note: {rule.note}"] if rule.note else []
    help_ += [f"By the agency's own figure: {rule.own_policy}"] if rule.own_policy else []
    tags = [rule.layer, rule.pack, rule.put_right.workstream, *rule.cites]
    return {
        "id": _id(rule),
        "shortDescription": {"text": printable_lines(rule.title)},
        "fullDescription": {"text": printable_lines(f"{rule.title}. {cited}".strip())},
        "help": {"text": printable_lines("\n".join(help_))},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "tags": [printable_lines(t) for t in dict.fromkeys(tags) if t][:TAGS],
            "problem.severity": {"advice": "recommendation"}.get(rule.severity, LEVELS[rule.severity]),
            "severity": rule.severity,
            "cites": list(rule.cites),
            "refs": list(rule.refs),
        },
    }


def _invocation(report: Report) -> dict[str, object]:
    """What became of rules that found nothing because they could not."""
    execution = [
        _note(r, "error", "failed; this is a fault of the program") for r in report.rules if r.status == "failed"
    ]
    if report.n_findings() > MOST:
        said = f"{report.n_findings() - MOST:,} findings, told last, are left out: code scanning takes {MOST:,}."
        execution.append({"level": "warning", "message": {"text": said}})
    n = report.tables.n_quarantined
    if n:
        said = f"{n:,} {'entry' if n == 1 else 'entries'} in the data could not be used as written."
        execution.append({"level": "warning", "message": {"text": said}})
    if report.tables.void:
        execution.append({"level": "warning", "message": {"text": report.tables.void}})
    found: dict[str, object] = {
        "executionSuccessful": not report.n_rules("failed"),
        "toolConfigurationNotifications": [
            _note(r, "warning", "could not run") for r in report.rules if r.status == "could not run"
        ],
    }
    return found | {"toolExecutionNotifications": execution}


def _note(r: RuleResult, level: str, what: str) -> dict[str, object]:
    return {
        "level": level,
        "associatedRule": {"id": _id(r.rule)},
        "message": {"text": printable_lines(f"Rule {r.rule.id} {what}: {r.why}")},
    }


def _properties(report: Report) -> dict[str, object]:
    found: dict[str, object] = {"asAt": report.as_at.isoformat(), "summary": report.summary()}
    found |= {"personal": report.tables.personal, "pseudonyms": report.tables.pseudonyms or None}
    if report.previous is not None:
        found["previousAsAt"] = report.previous.as_at.isoformat()
        # As results (`absent`), code scanning would show them as open.
        found["noLongerFound"] = [
            {"ruleId": g.finding.rule, "record": g.finding.record, "key": g.finding.key, "became": g.became}
            | {"fingerprint": g.finding.fingerprint}
            for g in report.previous.gone
        ]
    return found


def _result(f: Finding, report: Report, places: dict[str, int]) -> dict[str, object]:
    breach = f.outcome == "breach"
    record = {"name": f.key, "fullyQualifiedName": f"{f.rule.record}/{f.key}", "kind": "record"}
    found: dict[str, object] = {
        "ruleId": _id(f.rule),
        "ruleIndex": places[_id(f.rule)],
        "kind": "fail" if breach else "open",
        "level": LEVELS[f.rule.severity] if breach else "none",
        "message": {"text": printable_lines(f"{subject_text(f)}: {f.title}. {f.in_full} To put it right: {f.remedy}")},
        "partialFingerprints": {"complianceFinding/v1": f.fingerprint},
    }
    path = report.path(f.file)
    if path:
        place = {"artifactLocation": {"uri": quote(path)}, "region": {"startLine": f.row}}
        found["locations"] = [{"physicalLocation": place, "logicalLocations": [record]}]
    if report.waivers:
        # Where some results say whether they are accepted, all do.
        found["suppressions"] = [_suppression(f)] if f.waiver else []
    if report.previous is not None:
        found["baselineState"] = "unchanged" if f.restated else "new"
    found["properties"] = {
        "severity": f.rule.severity,
        "outcome": f.outcome,
        "standing": f.standing,
        "danger": f.danger or None,
        "cites": list(f.cites),
        "layer": f.rule.layer,
        "record": f.rule.record,
        "key": f.key,
        "part": f.rule.part or None,
        "failed": list(f.failed),
        "missing": list(f.missing),
        "file": f.file,
        "row": f.row,
        "dueOn": f.due_on or None,
        "late": f.late or None,
        "putRight": {"on": f.put_right_on.isoformat(), "by": f.rule.put_right.by},
        "workstream": f.rule.put_right.workstream,
        "since": f.restated.since if f.restated else None,
    }
    return found


def _suppression(f: Finding) -> dict[str, object]:
    assert f.waiver is not None
    w = f.waiver
    # The standard knows no end of a suppression.
    ends = {"id": w.id, "until": w.until.isoformat(), "approvedBy": w.approved_by}
    return {"kind": "external", "status": "accepted", "justification": printable_lines(w.reason), "properties": ends}
