"""The engine held against the oracle where rules are most easily wrong: on, before and after every limit, and where something is missing.

The worlds are made from each rule's own cases, always the same ones, and the engine is asked about many of them at once.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from compliance.compiler.prepare import prepare
from compliance.engine import database, explaining
from compliance.engine.outcomes import run
from compliance.files.temporary import scratch_folder
from compliance.findings.explained import Explained
from compliance.model import Dated, Finding, Value
from compliance.proving import variants
from compliance.proving.cases import asked_for, fill
from compliance.proving.mutants import Judge, Tried
from compliance.proving.variants import Change, Changes, Variant
from compliance.rules.checking import CheckedRule
from compliance.rules.rulebook import Rulebook, with_figures

MOST: Mapping[str, int] = {
    "day": 40,
    "value": 20,
    "blank": 20,
    "unreadable": 20,
    "rows": 30,
    "part": 15,
    "time": 24,
    "law": 16,
}
"""Worlds of each sort that are made for a rule, besides its cases; more of a sort if there is more to be tried."""
TWICE = 32
"""Worlds with two or three changes."""
AT_ONCE = 1_500
"""Worlds that the engine holds at a time."""


@dataclass(frozen=True)
class Answer:
    """What is compared."""

    outcome: str
    due_on: str
    missing: frozenset[str]
    standing: str = ""
    danger: bool = False

    def __str__(self) -> str:
        said = [self.outcome]
        if self.standing:
            said.append(f"{self.standing}{', in danger' if self.danger else ''}")
        if self.due_on:
            said.append(f"due on {self.due_on}")
        if self.missing:
            said.append(f"missing {', '.join(sorted(self.missing))}")
        return "; ".join(said)


@dataclass(frozen=True)
class Difference:
    """A world in which engine and oracle do not agree."""

    rule: CheckedRule
    engine: Answer
    oracle: Answer
    case: str


@dataclass
class Count:
    """How many worlds have been tried, in how many plans."""

    worlds: int = 0
    plans: int = 0


@dataclass(frozen=True)
class _Asked:
    rule: CheckedRule
    tried: Tried
    expected: Answer


def differences(
    book: Rulebook, rules: Sequence[CheckedRule], closed: frozenset[date], count: Count, seed: str = "1"
) -> Iterator[Difference]:
    """Makes worlds for every rule, and compares; `count` is kept up to date."""
    parameters = book.figures
    judge = Judge(book.kinds, parameters, closed)
    together: dict[tuple[date, str], list[tuple[CheckedRule, Tried]]] = defaultdict(list)
    for rule in rules:
        for i, v in enumerate(worlds(rule, judge, seed)):
            tried = judge.tell(rule, v, f"{rule.rule.id}/{i}/")
            if tried is not None:
                together[v.as_at, repr(sorted(v.case.parameters.items()))].append((rule, tried))
    for (as_at, _), batch in sorted(together.items(), key=lambda b: b[0]):
        for at in range(0, len(batch), AT_ONCE):
            some = batch[at : at + AT_ONCE]
            asked = [_Asked(rule, t, _expected(judge, rule, t)) for rule, t in some]
            count.worlds += len(asked)
            count.plans += 1
            yield from _compare(book, as_at, asked)


def worlds(rule: CheckedRule, judge: Judge, seed: str) -> Iterator[Variant]:
    """The cases of a rule and some of what is near them, of every sort; the same for the same seed."""
    rng = random.Random(f"{seed}/{rule.rule.id}")  # noqa: S311  the same every time is what is wanted
    reads = variants.reads(rule, judge.kinds, judge.parameters)
    changes = Changes(rule, judge.kinds, reads, judge.closed)
    cases = [variants.of_case(rule.rule, c) for c in rule.rule.cases]
    for v in cases:
        changes.learn(v)
        yield v
    of_sort: dict[str, list[tuple[Variant, Change]]] = defaultdict(list)
    for v in cases:
        for change in [*changes.of(v), *_at_other_times(changes, v)]:
            of_sort[change.sort].append((v, change))
    for sort, most in MOST.items():
        some = of_sort[sort]
        rng.shuffle(some)
        # Everything that can be tried, in one case or another; then more of it, the nearest first.
        once = {c.about: (v, c) for v, c in some if c.about}
        rest = sorted((p for p in some if once.get(p[1].about) is not p), key=lambda p: p[1].cost + rng.random() * 3)
        each = sorted(once.values(), key=lambda p: p[1].cost)
        for v, change in [*each, *rest[: max(0, most - len(each))]]:
            made = variants.done(change, v)
            if made is not None:
                yield made
    singles = [(v, c) for sort, its in of_sort.items() if sort in MOST and sort != "law" for v, c in its]
    of_case: dict[str, list[Change]] = defaultdict(list)
    for v, c in singles:
        of_case[v.case.name].append(c)
    for _ in range(TWICE if cases else 0):
        several: Variant | None = rng.choice(cases)
        for _ in range(rng.choice((2, 2, 3))):
            if several is not None and of_case[several.case.name]:
                several = variants.done(rng.choice(of_case[several.case.name]), several)
        if several is not None:
            yield several


def _at_other_times(changes: Changes, v: Variant) -> Iterator[Change]:
    """Everything told a little earlier or later than it was; and all of it around a date of the law."""
    told = changes.days_told(v)
    by = dict.fromkeys((-1, 1, -2, 2, -7, 7))
    for law in changes.reads.days:
        for day in told:
            for edge in (day, *changes.edges(day)):
                by.update({(law - edge).days + n: None for n in (-1, 0, 1)})
    for n in by:
        if n:
            yield Change(f"all told {abs(n)} days {'later' if n > 0 else 'earlier'}", 2, "time", changes.moved(n, 0))
    for law in changes.reads.days:
        for n in (0, -1):
            shift = (law - v.as_at).days + n
            yield Change(
                f"all of it {abs(shift)} days {'later' if shift > 0 else 'earlier'}",
                2,
                "law",
                changes.moved(shift, shift),
            )


def _expected(judge: Judge, rule: CheckedRule, t: Tried) -> Answer:
    right = judge.verdict(rule, t)
    due_on = right.due_on.isoformat() if right.due_on else ""
    return Answer(right.outcome, due_on, right.missing, right.standing, right.danger)


def _compare(book: Rulebook, as_at: date, asked: list[_Asked]) -> Iterator[Difference]:
    figures: Mapping[str, Dated[Value] | None] = asked[0].tried.variant.case.parameters
    this = with_figures(book, figures) if figures else book
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for a in asked:
        for kind, its in a.tried.rows.items():
            rows[kind] += its
    ids = {a.rule.rule.id for a in asked}
    rules = tuple(r for r in book.every if r.rule.id in ids)
    with scratch_folder() as scratch:
        con = database.connect(scratch, threads=1)
        database.set_for_small(con)
        try:
            tables = fill(con, book.kinds, cast(Any, rows), asked_for(rules, book.kinds))
            parameters = this.figures
            prepared = prepare(rules, book.kinds, parameters, tables, as_at, with_near=False)
            audited, results = run(con, prepared, as_at, tables.sources)
            found = {(f.rule.id, f.rule.part, f.key): f for f in audited.findings()}
            settled = {(r.rule.id, r.rule.part): n for n, r in enumerate(results)}
            of_rule: dict[tuple[str, str], list[_Asked]] = defaultdict(list)
            for a in asked:
                of_rule[a.rule.rule.id, a.tried.variant.part].append(a)
            for (rule_id, part), mine in of_rule.items():
                # A rule that did not run was asked in no part.
                number = settled[rule_id, part] if (rule_id, part) in settled else settled[rule_id, ""]
                status = results[number].status
                explained: dict[str, Explained] = {}
                if status in ("ran", "looked at nothing"):
                    explained = explaining.explain_all(audited, number, [a.tried.key for a in mine])
                for a in mine:
                    finding = found.get((rule_id, part, a.tried.key))
                    got = _answer(status, explained.get(a.tried.key), finding)
                    if got != a.expected:
                        yield Difference(a.rule, got, a.expected, _case(book, a))
        finally:
            con.close()


def _answer(status: str, explained: Explained | None, finding: Finding | None) -> Answer:
    """What the engine gave; the shared scan and the question about one record must agree."""
    if status in ("could not run", "failed"):
        return Answer(status, "", frozenset())
    if explained is None:
        return Answer("not_applicable", "", frozenset())
    if finding is None:
        said = explained.outcome
        return Answer(
            f"no finding, explained as {said}" if said in ("breach", "not_evidenced") else said,
            explained.due_on,
            frozenset(),
        )
    outcome = str(finding.outcome)
    if outcome != explained.outcome or finding.due_on != explained.due_on:
        outcome = f"{outcome}, explained as {explained.outcome}"
    return Answer(outcome, finding.due_on, frozenset(finding.missing), finding.standing, bool(finding.danger))


def _case(book: Rulebook, a: _Asked) -> str:
    v = a.tried.variant
    return variants.as_yaml(v, a.rule, book.kinds, v.name, {"outcome": a.expected.outcome})
