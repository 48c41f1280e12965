"""How what was found is put in order: by groups, against an earlier audit, by who answers for it. Makes the statements; runs none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from compliance.findings.grouping import (
    NO_REGULATION,
    NO_STANDARD,
    NO_TEAM,
    OF_RECORDS,
    WORKERS,
    in_order,
    ways_to_owners,
)
from compliance.findings.previous import Earlier
from compliance.model import RecordKinds, RuleInfo, Table
from compliance.sql import forecasting, reporting
from compliance.sql.reporting import Way
from compliance.sql.text import literal

Statement = tuple[str, dict[str, list[object]]]


def label(rule: RuleInfo, by: str) -> str:
    """The group of all findings of a rule."""
    match by:
        case "regulation":
            return rule.regulation or NO_REGULATION
        case "standard":
            return rule.standard or NO_STANDARD
        case "judgement":
            return rule.area
        case "workstream":
            return rule.put_right.workstream
    return rule.id


def grouped(
    by: str, rules: Sequence[RuleInfo], kinds: RecordKinds, tables: Mapping[str, Table], as_at: date
) -> Iterator[Statement]:
    """What puts each finding into its group.

    Args:
      by: one of `grouping.BY`.
      rules: in the audit's order.
    """
    yield reporting.GROUPED, {}
    if by not in OF_RECORDS:
        labels = [label(r, by) for r in rules]
        places = {x: i for i, x in enumerate(dict.fromkeys(labels) if by == "rule" else in_order(labels))}
        if rules:
            yield reporting.rule_groups([(n, places[x], x) for n, x in enumerate(labels)]), {}
        return
    if by == "team":
        yield from ((s, {}) for s in reporting.teams(tables, literal(as_at)))
    followed = {k: sorted(t.links) for k, t in tables.items()}
    for kind, its in _asked(rules).items():
        found = ways_to_owners(kinds[kind], kinds, followed)
        ways = [Way(owner, kinds[owner].key, way) for owner, way in found]
        if by == "subject":
            yield reporting.subject_groups(kind, kinds[kind].key, its, [w for w in ways if w.links]), {}
        else:
            yield reporting.team_groups(kind, its, ways, NO_TEAM), {}


def names_shown(tables: Mapping[str, Table], personal: bool) -> frozenset[str]:
    """Record kinds whose names are shown; a household's is that of its foster parents."""
    names = {k for k in reporting.NAMED if personal and k in tables and "name" in tables[k].columns}
    if "foster_parent" in names and "household" in tables["foster_parent"].links:
        names.add("household")
    return frozenset(names)


def naming(names: frozenset[str]) -> Iterator[Statement]:
    """What must be there before such names are asked for."""
    if "household" in names:
        yield reporting.HOUSEHOLD_NAMES, {}


def whose(record: str, kinds: RecordKinds, tables: Mapping[str, Table], names: frozenset[str]) -> tuple[str, str]:
    """What says of a finding about such a record whom it is about, and whose file it is in; as `reporting.whose` has it."""
    followed = {k: sorted(t.links) for k, t in tables.items()}
    ways = [Way(owner, kinds[owner].key, way) for owner, way in ways_to_owners(kinds[record], kinds, followed)]
    return reporting.whose(record, ways, names)


def answering(rules: Sequence[RuleInfo], kinds: RecordKinds, tables: Mapping[str, Table], as_at: date) -> Iterator[str]:
    """What says of everything that falls due who answers for it: the worker of the record, else of what it belongs to."""
    day = literal(as_at)
    yield from reporting.answering(tables, day)
    yield forecasting.FORESEEN
    followed = {k: sorted(t.links) for k, t in tables.items()}
    known = "staff" in tables and "staff_id" in tables["staff"].columns
    for kind, its in _asked(rules).items():
        ways = [Way(owner, kinds[owner].key, way) for owner, way in ways_to_owners(kinds[kind], kinds, followed)]
        workers = [w for w in WORKERS if known and w in followed[kind]]
        yield forecasting.foreseen(kind, its, workers, ways, tables, day)


def _asked(rules: Sequence[RuleInfo]) -> dict[str, list[int]]:
    """The positions of the rules that are asked of each kind."""
    of: dict[str, list[int]] = {}
    for n, rule in enumerate(rules):
        if rule.status == "ran":
            of.setdefault(rule.record, []).append(n)
    return of


def held_against(earlier: Earlier, rules: Sequence[RuleInfo]) -> Iterator[Statement]:
    """What brings an earlier audit's findings into the engine."""
    number = {(r.id, r.rest): n for n, r in enumerate(rules)}
    found = earlier.found
    yield (
        reporting.EARLIER,
        {
            "n": list(range(len(found))),
            "fingerprint": [f.fingerprint for f in found],
            "rule": [number.get(f.asked, -1) for f in found],
            "key": [f.key for f in found],
            "since": [f.since for f in found],
            "times": [f.times for f in found],
        },
    )
    yield reporting.RULE_NAMES, {}
    if rules:
        yield reporting.rule_names([(n, r.id, r.record, r.rest) for n, r in enumerate(rules)]), {}
