"""Rules told to people: listed, explained, and how one came out for a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from compliance.dates import english
from compliance.files.documents import json_text
from compliance.language.describe import english_of, source_words
from compliance.model import Duty, Parameter, RecordKinds, RuleInfo, Within, WrittenRule
from compliance.rules import wording
from compliance.rules.checking import (
    CheckedCondition,
    CheckedDeadline,
    CheckedEvery,
    CheckedRegime,
    CheckedRule,
    Conditions,
    always,
)

if TYPE_CHECKING:
    from compliance.findings.explained import Explained

OUTCOME_WORDS = {
    "compliant": "Compliant.",
    "breach": "Breach.",
    "not_evidenced": "Not evidenced.",
    "pending": "Pending: the deadline is still running.",
    "not_applicable": "Not applicable: the rule does not ask anything of this record.",
}


def listed(rules: list[CheckedRule], format_: str, width: int) -> Iterator[str]:
    """All rules with what they cite."""
    if format_ == "json":
        rows = [
            {
                "id": r.rule.id,
                "pack": r.rule.pack,
                "title": r.rule.said(r.rule.title, ""),
                "record": r.rule.record,
                "cites": [d.id for d in r.rule.cites],
                "refs": [d.ref for d in r.rule.cites],
                "severity": r.rule.severity,
                "in_force": {
                    "from": r.rule.from_on.isoformat(),
                    "to": r.rule.to_on.isoformat() if r.rule.to_on else None,
                },
                "cases": len(r.rule.cases),
            }
            for r in rules
        ]
        yield json_text(rows, indent=1) + "\n"
        return
    from compliance.report.grid import grid

    left = max(width, 72) - 14 - 10 - 8
    widths = [left * 3 // 10, left * 4 // 10, left * 3 // 10, 14, 10]
    cells = [
        [
            r.rule.id,
            r.rule.said(r.rule.title, ""),
            "; ".join(dict.fromkeys(d.ref for d in r.rule.cites)),
            r.rule.severity,
            r.rule.record,
        ]
        for r in rules
    ]
    yield grid(cells, ["Rule", "Title", "Citation", "Severity", "Record"], widths)
    yield f"{len(rules):,} rules.\n"


def figures(parameters: Iterable[Parameter], rules: Sequence[CheckedRule], format_: str, width: int) -> Iterator[str]:
    """Every figure that the law leaves to judgement: what it is, whose it is, and which rules and KPIs use it."""
    used_by = {p.name: [r.rule.id for r in rules if p.name in r.parameters] for p in parameters}
    its = sorted(parameters, key=lambda p: p.name)
    if format_ == "json":
        rows = [
            {
                "name": p.name,
                "title": p.title,
                "value": wording.figure(p),
                "basis": p.basis,
                "source": p.overridden_by or p.source,
                "local": p.local is not None or bool(p.overridden_by),
                "note": p.note or None,
                "rules": used_by[p.name],
            }
            for p in its
        ]
        yield json_text(rows, 1) + "\n"
        return
    from compliance.report.grid import grid

    left = max(width, 72) - 8
    widths = [left // 5, left // 4, left // 5, left // 5, left * 3 // 20]
    cells = [
        [
            p.name,
            f"{p.title}: {wording.figure(p)}",
            p.basis,
            p.overridden_by or p.source,
            ", ".join(used_by[p.name]) or "none",
        ]
        for p in its
    ]
    yield grid(cells, ["Figure", "What it is", "Whose", "Source", "Used by"], widths)
    yield f"{len(its):,} figures.\n"


def _span(rule: CheckedRule) -> str:
    r = rule.rule
    since = "" if r.from_on == date.min else f"from {english(r.from_on)}"
    until = "" if r.to_on is None else f" until {english(r.to_on)}"
    return f"{since}{until}".strip() or "always"


def _within(within: Within) -> str:
    if isinstance(within, str):
        return f"the figure '{within.replace('_', ' ')}'"
    said = [(since, "suspended" if limit is None else str(limit)) for since, limit in within.versions]
    return ", ".join(v if since == date.min else f"{v} from {english(since)}" for since, v in said)


def _regimes(regimes: tuple[CheckedRegime, ...]) -> str:
    said = [f"{_within(r.within)} if {english_of(r.condition)}" if r.condition else _within(r.within) for r in regimes]
    return "; else ".join(said)


def written(rule: CheckedRule) -> WrittenRule:
    """What a rule asks, as plain data."""
    sentences, conditions = asks(rule)
    return WrittenRule(rule.rule.cites, tuple(sentences), tuple(conditions))


def asks(rule: CheckedRule) -> tuple[list[str], list[tuple[str, str]]]:
    """What a rule asks in sentences, and each labelled condition that must hold with what it means."""
    r, lines = rule.rule, list[str]()
    if rule.when is not None:
        lines.append(f"Applies when {english_of(rule.when)}.")
    if rule.judged_on is not None:
        lines.append(f"Judged by the law on the day of {english_of(rule.judged_on)}.")
    if rule.each is not None:
        lines.append(f"Asked once for each {rule.each[0].replace('_', ' ')}: {', '.join(rule.parts)}.")
    if r.unmet == "not_evidenced":
        lines.append("What does not hold is not evidenced rather than a breach.")
    match rule.check:
        case Conditions(items=items):
            lines.append("All of these must hold:")
            return lines, [(r.said(c.label, ""), _meaning(c)) for c in items]
        case CheckedDeadline(start=start, done=done, within=within, what=what):
            if not within:
                lines.append(f"{what} must be done by {english_of(start)}.")
            else:
                lines.append(f"{what} must be done within {_regimes(within)} of {english_of(start)}.")
            lines.append(f"It is done on: {english_of(done)}.")
        case CheckedEvery(start=start, done=sequence, within=within, until=until, what=what):
            where = f" where {english_of(sequence.condition)}" if sequence.condition else ""
            end = f", until {english_of(until)}" if until else ""
            lines.append(
                f"{what} must be done at least every {_regimes(within)}, counted from {english_of(start)}{end}."
            )
            lines.append(
                f"It is done on: {english_of(sequence.value)} of each of the {source_words(sequence.source)}{where}."
            )
    return lines, []


def _meaning(condition: CheckedCondition) -> str:
    said = [f"{english_of(condition.that)}."]
    if condition.done_since is not None:
        said.append(f"Done since, too late, if {english_of(condition.done_since)}.")
    if condition.past is not None:
        when = "" if always(condition.past) else f" if {english_of(condition.past)}"
        said.append(f"It lies in the past, and nobody can put it right any more{when}.")
    if condition.cites:
        said.append(f"Asked by {'; '.join(dict.fromkeys(d.ref for d in condition.cites))}.")
    return " ".join(said)


def _by_what_happened(rule: CheckedRule) -> list[str]:
    """What puts findings right, and why a child may be in danger while they are open."""
    texts, r = wording.remedies(rule, ""), rule.rule
    lines = [texts.open or r.remedy] if "open" in wording.standings(rule) else []
    heads = {"late": "Where it was done since, too late", "past": "Where it lies in the past"}
    lines += [f"{heads[s]}: {texts.of('breach', s) or r.remedy}" for s in wording.standings(rule) if s != "open"]
    lines.append(f"Where it is not evidenced: {texts.not_evidenced or r.remedy}")
    if r.danger is not None:
        when = "" if rule.danger_if is None else f", unless it is known not to be so that {english_of(rule.danger_if)}"
        reasons = " ".join(dict.fromkeys(text for text in wording.dangers(rule, "") if text))
        lines.append(f"A child may be in danger while it is open{when}: {reasons}")
    return lines


def _how_sure(duty: Duty) -> str:
    sure = f"confidence {duty.confidence or 'not stated'}"
    return f"{sure}, {duty.hedge}" if duty.verification in ("recalled", "secondary") else sure


def explained(rule: CheckedRule, kinds: RecordKinds) -> str:
    """What a rule asks, in plain English."""
    r = rule.rule
    lines = [f"{r.id}: {r.said(r.title, '')}", ""]
    for duty in r.cites:
        lines.append(f"  {duty.id}  {duty.ref}: {duty.title} ({duty.layer}; {_how_sure(duty)})")
    lines += ["", f"Asked of every {kinds[r.record].title.lower()} record, in force {_span(rule)}."]
    sentences, conditions = asks(rule)
    lines += sentences
    for label, meaning in conditions:
        lines += [f"  - {label}:", f"      {meaning}"]
    lines += [
        "",
        f"Severity: {r.severity}. To be put right within {r.put_right.within} by: {r.put_right.by}.",
        *_by_what_happened(rule),
    ]
    if r.part_of:
        lines += ["", *(f"Not asked of {id_}: {lacking}" for id_, lacking in r.part_of)]
    if r.note:
        lines += ["", f"Note: {r.note}"]
    return "\n".join(lines) + "\n"


def came_out(rule: CheckedRule, info: RuleInfo, key: str, as_at: date, e: Explained) -> str:
    """How each condition came out for a record, with its values.

    Args:
      info: in which way the rule was asked.
    """
    way = "".join(
        f", {x}" for x in (info.part, f"by your own policy ({info.own_policy})" if info.own_policy else "") if x
    )
    lines = [f"{rule.rule.record} {key}{way} as at {english(as_at)}: {OUTCOME_WORDS[e.outcome]}"]
    if e.argument:
        lines.append(e.argument)
    elif e.due_on:
        lines.append(f"Due {english(date.fromisoformat(e.due_on))}.")
    said = {True: "yes", False: "no", None: "not evidenced"}
    for i, (label, truth, terms) in enumerate(e.conditions):
        name = f"applies when {label}" if i == 0 and rule.when is not None else label
        lines.append(f"  [{said[truth]}] {name}" + (f" ({terms})" if terms else ""))
    return "\n".join(lines) + "\n"
