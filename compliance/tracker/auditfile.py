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
from compliance.tracker.life import Audit
from compliance.tracker.proposing import SEVERITIES, Audited, Finding, PutRight

HOW = "Write one with: compliance audit EXPORT --as-at DATE --format json --out FILE"
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
        document: Any = load_json(path)
        before = earlier(document)
        if document.get("by") == "team":
            teams = [f["group"] or "" for f in document["findings"]]
        else:
            teams = [""] * len(before.found)
        rules = {r["id"]: r for r in document["rules"]}
        findings = tuple(
            Finding(
                known.fingerprint,
                known.rule,
                known.part,
                str(f["outcome"]),
                tuple(str(x) for x in f["failed"]),
                SEVERITIES[SEVERITIES.index(f["severity"])],
                known.record,
                tuple(str(x) for x in f["cites"]),
                str(f["workstream"]),
                known.requirement,
                team,
                f.get("waiver") is not None,
                str(f["standing"]),
                str(f["title"]),
                str(f["remedy"]),
            )
            for known, f, team in zip(before.found, document["findings"], teams, strict=True)
        )
        found: dict[str, list[str]] = {}
        for x in findings:
            found.setdefault(x.rule, []).append(x.fingerprint)
        audit = Audit(
            before.as_at,
            found,
            frozenset(i for i, r in rules.items() if r["status"] in ("ran", "looked at nothing")),
            {i: tuple(r["cites"]) for i, r in rules.items() if r["status"] != "not in force"},
            {f.fingerprint: (f.since, f.times) for f in before.found if f.times > 1},
            frozenset(
                g["fingerprint"] for g in (document["previous"] or {}).get("no_longer_found", ()) if g["became"] == GONE
            ),
            before.pseudonyms,
        )
        right = {i: PutRight(r["put_right"]["by"], date.fromisoformat(r["put_right"]["on"])) for i, r in rules.items()}
        return Audited(audit, findings, {i: right[i] for i in found}), {i: _rate(r) for i, r in rules.items()}
    except (KeyError, TypeError, AttributeError) as e:
        raise ComplianceError(f"{path} is not as an audit of this version writes it: {e}. {HOW}.") from e
    except (ValueError, RecursionError) as e:
        raise ComplianceError(f"{path} cannot be used: {e}. {HOW}.") from e


def _rate(rule: Mapping[str, Any]) -> Rate:
    """How many of what the rule applies to are compliant; what is not evidenced is not."""
    if rule["status"] != "ran":
        return Rate("", f"{rule['id']}: {rule['status']}")
    outcomes = rule["outcomes"]
    good, every = outcomes["compliant"], sum(outcomes[o] for o in ("compliant", "breach", "not_evidenced"))
    if not every:
        return Rate("", f"{rule['id']} has nothing to tell yet")
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
