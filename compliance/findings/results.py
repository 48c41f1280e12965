"""What became of rules: of how many records each outcome came, as one result a rule. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from compliance.model import OUTCOMES, RuleInfo, RuleResult, Status

TOLD_FIRST: tuple[Status, ...] = ("failed", "ran", "looked at nothing")
"""Of the statuses that the items of a rule's list have come to, the first of these is the rule's."""


def result_of(rule: RuleInfo, counted: tuple[int, tuple[int, ...]] | None) -> RuleResult:
    """What became of a rule of which so many records were looked at.

    Args:
      counted: how many; and of them those to which it does not apply, pending, in breach and not evidenced. None: it did not run.
    """
    if counted is None:
        return RuleResult(rule, rule.status, rule.why)
    total, (not_applicable, pending, breach, unknown) = counted
    compliant = total - not_applicable - pending - breach - unknown
    if total - not_applicable:
        return RuleResult(rule, "ran", "", compliant, breach, unknown, pending, not_applicable)
    why = f"it applies to none of {total:,}" if total else f"no {rule.record} records"
    return RuleResult(rule, "looked at nothing", why, compliant, breach, unknown, pending, not_applicable)


def together(results: Iterable[RuleResult]) -> tuple[RuleResult, ...]:
    """One result a rule: what came of it for every item of its list; its reading by the agency's own figure stays apart."""
    by_rule: dict[tuple[str, str], list[RuleResult]] = {}
    for r in results:
        by_rule.setdefault((r.rule.id, r.rule.own_policy), []).append(r)
    return tuple(_one(parts) if parts[0].rule.part else parts[0] for parts in by_rule.values())


def _one(parts: list[RuleResult]) -> RuleResult:
    chosen = next(r for status in TOLD_FIRST for r in parts if r.status == status)
    cites = {duty: ref for r in parts for duty, ref in zip(r.rule.cites, r.rule.refs, strict=False)}
    rule = replace(chosen.rule, part="")
    if any(r.rule.cites != parts[0].rule.cites for r in parts):
        rule = replace(rule, cites=tuple(cites), refs=tuple(dict.fromkeys(cites.values())))
    return RuleResult(rule, chosen.status, chosen.why, *(sum(getattr(r, o) for r in parts) for o in OUTCOMES))
