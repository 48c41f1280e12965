"""The findings of an audit that waivers name (I/O: the database)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from compliance.model import RAN, Accepted, Finding, RuleResult
from compliance.sql import reporting

if TYPE_CHECKING:
    from compliance.engine.audited import Audited
    from compliance.findings.previous import Became


def waived(
    audited: Audited, named: Sequence[tuple[int, str, str]], results: Sequence[RuleResult]
) -> tuple[dict[int, tuple[int, Finding]], dict[int, Became]]:
    """The findings that waivers name, each with its place in the order of all, and what became of those that are not there.

    Args:
      named: a rule's position and a key; or -1, nothing, and a fingerprint.
    """
    rules, keys, fingerprints = (list(column) for column in zip(*named, strict=True))
    values = {"n": list(range(len(named))), "rule": rules, "key": keys, "fingerprint": fingerprints}
    audited.con.execute(reporting.WAIVERS, values)
    rows = audited.con.execute(reporting.WAIVED).fetchall()
    if -1 in rules and audited.rules:
        rows += _by_fingerprint(audited)
    findings = audited.at([place for _, place, _ in rows], {rule for _, _, rule in rows})
    there = {n for n, _, _ in rows}
    gone = {rule for n, (rule, _, _) in enumerate(named) if n not in there and rule >= 0}
    became = audited.became(reporting.WAIVED_GONE, {n for n in gone if results[n].status in RAN})
    return {n: (place, findings[place]) for n, place, _ in rows}, became


def _by_fingerprint(audited: Audited) -> list[tuple[int, int, int]]:
    """The findings that waivers name by their fingerprints alone: the waiver's number, the finding's place, its rule."""
    audited.con.execute(reporting.RULE_NAMES)
    names = [(n, r.id, r.record, r.rest) for n, r in enumerate(audited.rules)]
    audited.con.execute(reporting.rule_names(names))
    return audited.con.execute(reporting.WAIVED_BY_FINGERPRINT).fetchall()


def accept(audited: Audited, accepted: Mapping[int, Accepted]) -> None:
    """Marks the findings at these places in the order of all; they stay where they are."""
    audited.accepted = dict(enumerate(accepted.values()))
    audited.con.execute(reporting.MUTE, {"seq": list(accepted), "n": list(audited.accepted)})
