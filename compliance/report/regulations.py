"""What became of the checks under each regulation and standard, in the formats that sum them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compliance.findings.grouping import in_order
from compliance.findings.report import Report
from compliance.model import RuleInfo, RuleResult, WrittenRule

NO_LAW = "Good practice and local policy"
COLUMNS = ("breached", "not evidenced", "met", "attested", "nothing to look at", "could not run", "left out")
"""What may become of a check."""


@dataclass(frozen=True)
class Under:
    """A regulation or standard, with how many checks under it came to what (`COLUMNS`), and its findings."""

    name: str
    standing: str
    checks: Mapping[str, int]
    findings: int


def heading(rule: RuleInfo) -> str:
    """The regulation or standard that a rule's findings are listed under."""
    return rule.regulation or rule.standard or NO_LAW


def vouched(written: Mapping[str, WrittenRule]) -> set[str]:
    """The rules that ask for what a person vouches for."""
    return {id_ for id_, rule in written.items() if rule.vouched}


def unders(report: Report, written: Mapping[str, WrittenRule], findings: Mapping[str, int]) -> list[Under]:
    """Every regulation and standard with what became of its checks: one a rule, and one a duty that a person vouches for."""
    attested = vouched(written)
    its: dict[tuple[str, ...], list[RuleResult]] = {}
    for r in report.parts:
        part = r.rule.part if r.rule.id in attested else ""
        its.setdefault((heading(r.rule), r.rule.id, r.rule.own_policy, part), []).append(r)
    found: dict[str, Counter[str]] = {}
    for (under, id_, *_), results in its.items():
        found.setdefault(under, Counter())[became(results, id_ in attested)] += 1
    ordered = [h for h in in_order(found) if h != NO_LAW] + [h for h in found if h == NO_LAW]
    return [Under(h, _standing(found[h]), found[h], findings.get(h, 0)) for h in ordered]


def became(results: Sequence[RuleResult], vouched: bool) -> str:
    """What a check came to: the worst that any of its results did."""
    if any(r.breach for r in results):
        return "breached"
    if any(r.not_evidenced for r in results):
        return "not evidenced"
    statuses = {r.status for r in results}
    if statuses & {"failed", "could not run"}:
        return "could not run"
    if any(r.compliant or r.pending for r in results):
        return "attested" if vouched else "met"
    return "nothing to look at" if statuses & {"ran", "looked at nothing"} else "left out"


def _standing(checks: Mapping[str, int]) -> str:
    """The whole in a word: what is worst decides, and nothing that was not looked at counts as met."""
    for what in ("breached", "not evidenced", "could not run", "met", "attested", "nothing to look at"):
        if checks.get(what):
            return what
    return "left out"
