"""What `compliance audit --format json` and `compliance kpi --format json` wrote, as far as a plan needs it (I/O: reads them)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from compliance.errors import ComplianceError
from compliance.files.documents import load_json
from compliance.findings.previous import earlier
from compliance.findings.written import HOW, WrittenRule, written
from compliance.tracker.about import subject
from compliance.tracker.life import Audit
from compliance.tracker.proposing import Audited, Finding, PutRight

HOW_KPIS = "Write one with: compliance kpi EXPORT --as-at DATE --format json --out FILE"
GONE = "not in the export"


@dataclass(frozen=True, slots=True)
class Rate:
    """How a rule or a KPI came out.

    Args:
      value: as people write it; empty: there is none, and `why`.
      target: what it is held to where the plan sets nothing; `met`: whether it meets that, where that can be told.
    """

    value: str
    why: str = ""
    target: str = ""
    met: bool | None = None


def read(path: Path) -> tuple[Audited, Mapping[str, Rate]]:
    """An audit, and how each of its rules came out.

    Raises:
      ComplianceError: it is no audit.
    """
    try:
        document = load_json(path)
        its, before = written(document), earlier(document)
    except ValueError as e:
        raise ComplianceError(f"{path} cannot be used: {e}. {HOW}.") from e
    rules = {r.id: r for r in its.rules}
    findings = tuple(
        Finding(
            f.fingerprint,
            f.rule,
            f.subject.part or "",
            f.outcome,
            tuple(f.failed),
            f.severity,
            f.subject.record,
            tuple(f.cites),
            f.workstream,
            f.requirement or "",
            (f.group or "") if its.by == "team" else "",
            f.waiver is not None,
            f.standing,
            f.title,
            f.remedy,
            # A name, where the audit shows names, is left behind.
            subject(f.subject.record, f.subject.key, (f.whose.record, f.whose.key) if f.whose is not None else None),
        )
        for f in its.findings
    )
    found: dict[str, list[str]] = {}
    for x in findings:
        found.setdefault(x.rule, []).append(x.fingerprint)
    if unknown := sorted(found.keys() - rules.keys()):
        raise ComplianceError(f"{path} cannot be used: it has findings of '{unknown[0]}' and no such rule. {HOW}.")
    audit = Audit(
        its.as_at,
        found,
        frozenset(i for i, r in rules.items() if r.status in ("ran", "looked at nothing")),
        {i: tuple(r.cites) for i, r in rules.items() if r.status != "not in force"},
        {f.fingerprint: (f.since, f.times) for f in before.found if f.times > 1},
        frozenset(g.fingerprint for g in (its.previous.no_longer_found if its.previous else ()) if g.became == GONE),
        before.pseudonyms,
    )
    right = {i: PutRight(rules[i].put_right.by, rules[i].put_right.on) for i in found}
    return Audited(audit, findings, right), {i: _rate(r) for i, r in rules.items()}


def _rate(rule: WrittenRule) -> Rate:
    """How many of what the rule applies to are compliant; what is not evidenced is not."""
    if rule.status != "ran":
        return Rate("", f"{rule.id}: {rule.status}")
    outcomes = rule.outcomes
    good, every = outcomes.compliant, outcomes.compliant + outcomes.breach + outcomes.not_evidenced
    if not every:
        return Rate("", f"{rule.id} has nothing to tell yet")
    # Rounded down, so that 100 % is said only of all.
    return Rate(f"{good * 1000 // every / 10:.1f} %")


def read_kpis(path: Path) -> tuple[date, Mapping[str, Rate]]:
    """The values of KPIs by framework and code, and as at which day.

    Raises:
      ComplianceError: it holds none.
    """
    try:
        document: Any = load_json(path)
        return date.fromisoformat(document["as_at"]), dict(_kpis(document["kpis"]))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as e:
        raise ComplianceError(f"{path} holds no KPIs as this version writes them: {e}. {HOW_KPIS}.") from e


def _kpis(kpis: Any) -> Iterator[tuple[str, Rate]]:
    for k in kpis:
        name = f"{k['framework']}/{k['code']}"
        unit = {"percent": " %"}.get(k["unit"], "")
        if k["value"] is None:
            yield name, Rate("", f"{name}: {k['why'] or k['could_not'] or 'it lies between two values'}")
            continue
        value, target, low, high = k["value"], k["target"], k["lower"], k["upper"]
        if target is not None and k["direction"] != "none":
            least = k["direction"] == "higher_is_better"
            said = f"{'at least' if least else 'at most'} {target}{unit}"
            yield name, Rate(f"{value}{unit}", "", said, value >= target if least else value <= target)
        elif low is not None and high is not None:
            yield name, Rate(f"{value}{unit}", "", f"{low} to {high}{unit}", low <= value <= high)
        else:
            yield name, Rate(f"{value}{unit}")
