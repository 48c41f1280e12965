"""A rule as it is asked of one kind of service: by the duties that bind it, at the weight that these have, and whose they are. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from compliance.model import LAYERS, SERVICES, SEVERITIES, Duty, Layer, Severity
from compliance.rules.checking import CheckedDeadline, CheckedEvery, CheckedRule, Conditions

AUTHORITY = "responsible authority"
THE_AUTHORITYS = frozenset(
    {
        AUTHORITY,
        "independent reviewing officer",
        "director of childrens services",
        "personal adviser",
        "visiting representative",
    }
)
"""Whose duties, as the catalogues say it, are those of the authority that looks after the child; a council's service is part of it."""
COUNCIL_SERVICE = "local authority service"
HEAVIEST: Mapping[Layer, Severity] = {
    "statute": "requirement",
    "standard": "recommendation",
    "good practice": "advice",
    "local policy": "advice",
}
"""What an inspector can make at most of what falls short of a layer."""


def bound(rule: CheckedRule, services: Collection[str]) -> CheckedRule:
    """The rule by those of its duties that bind one of these services, and of these by its own where it has any.

    Args:
      services: kinds of service, as `agency.kind` has them; none: not known, and the rule is what it is.

    A rule none of whose duties binds any of them is given back as it is.
    """
    if not services or not rule.rule.cites:
        return rule
    binding = [d for d in rule.rule.cites if SERVICES[d.binds] & set(services)]
    own = [d for d in binding if not _is_authoritys(d, services)]
    kept = {d.id for d in own or binding or rule.rule.cites}
    if len(kept) == len(rule.rule.cites) or rule.rule.cites_list:
        # Of a list each finding is about one duty.
        return _weighed(rule, bool(own))
    at = [i for i, d in enumerate(rule.rule.cites) if d.id in kept]
    cites, under = tuple(rule.rule.cites[i] for i in at), tuple(rule.rule.under[i] for i in at)
    narrowed = replace(
        rule.rule,
        cites=cites,
        under=under,
        regulation=next((regulation for regulation, _ in under if regulation), ""),
        standard=next((standard for _, standard in under if standard), ""),
    )
    return _weighed(replace(rule, rule=narrowed, check=_citing(rule.check, kept)), bool(own))


def owed_by(rule: CheckedRule, services: Collection[str]) -> str:
    """Who owes what the rule asks, where that is not the service; empty: the service does, or nobody can tell which that is."""
    theirs = bool(rule.rule.cites) and all(_is_authoritys(d, services) for d in rule.rule.cites)
    return AUTHORITY if services and theirs else ""


def _is_authoritys(duty: Duty, services: Collection[str]) -> bool:
    return duty.duty_on in THE_AUTHORITYS and COUNCIL_SERVICE not in services


def _weighed(rule: CheckedRule, own: bool) -> CheckedRule:
    """At most as severe as the gravest layer of its duties; what somebody else owes, a service can only be recommended to ask for."""
    layer = min((d.layer for d in rule.rule.cites), key=LAYERS.index)
    most = HEAVIEST[layer] if own else max(HEAVIEST[layer], "recommendation", key=SEVERITIES.index)
    severity = max(rule.rule.severity, most, key=SEVERITIES.index)
    return rule if severity == rule.rule.severity else replace(rule, rule=replace(rule.rule, severity=severity))


def _citing(
    check: Conditions | CheckedDeadline | CheckedEvery, kept: Collection[str]
) -> Conditions | CheckedDeadline | CheckedEvery:
    """The check with these of the duties that its parts cite."""

    def of(cites: tuple[Duty, ...]) -> tuple[Duty, ...]:
        return tuple(d for d in cites if d.id in kept)

    match check:
        case Conditions(items=items):
            return replace(check, items=tuple(replace(c, cites=of(c.cites)) for c in items))
    return replace(check, within=tuple(replace(r, cites=of(r.cites)) for r in check.within))
