"""The engine at work on an audit: every rule asked of every record, and what failed put in order (I/O: the database)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from compliance.compiler.ir import NOT_APPLICABLE, PENDING
from compliance.dates import put_right_on
from compliance.engine.answers import MEANINGS
from compliance.engine.audited import NO_HITS, Answers, Audited, Hits
from compliance.engine.database import execute_each
from compliance.engine.questions import batches, each_alone, set_up
from compliance.engine.sidebyside import run_jobs, workers
from compliance.findings.results import result_of
from compliance.model import SEVERITIES, RuleInfo, RuleResult, Source
from compliance.sql import duckdb as dialect
from compliance.sql import reporting

if TYPE_CHECKING:
    from compliance.engine.arranging import Statement
    from compliance.engine.database import Connection
    from compliance.engine.sidebyside import Job
    from compliance.sql.planned import Plan, Prepared, RecordPlan


@dataclass(frozen=True)
class Ordered:
    """How the findings are put in order, and what they are held against.

    Args:
      setup: statements with their values that make, from `hits`, the tables `grouped` and `earlier`.
      by: as `reporting.hits_sorted` has it; `earlier`: whether there is an earlier audit.
      whose: for a record kind, what says of its findings whom they are about, as `dialect.findings` has it.
      keep_answers: what each rule says of each record is still needed when the rules have run.
    """

    setup: tuple[Statement, ...] = ()
    by: str = ""
    earlier: bool = False
    whose: Callable[[str], tuple[str, str]] = lambda _: dialect.NOBODYS
    keep_answers: bool = False


@dataclass(frozen=True)
class _Outcomes:
    """What the rules asked so far have come to, by their numbers.

    Args:
      counts: how many records were looked at; to how many of them the rule does not apply, and how many are pending.
      faults: why those that the engine cannot carry out failed.
    """

    counts: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    answers: dict[int, Answers] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)

    def result(self, number: int, rule: RuleInfo, hits: Hits) -> RuleResult:
        """What became of a rule with such findings."""
        if number in self.faults:
            return RuleResult(rule, "failed", self.faults[number])
        if number not in self.counts:
            return result_of(rule, None)
        total, not_applicable, pending = self.counts[number]
        return result_of(rule, (total, (not_applicable, pending, hits.breaches, hits.not_evidenced)))


PLAIN = Ordered()


def run(
    con: Connection,
    prepared: Prepared,
    as_at: date,
    sources: tuple[Source, ...],
    threads: int = 0,
    ordered: Ordered = PLAIN,
) -> tuple[Audited, tuple[RuleResult, ...]]:
    """Runs the plan. The tables `t_<kind>` must be there.

    Args:
      threads: how many statements run at a time; 0: as many as are good.
      ordered: how findings are grouped, and what they are held against.

    A rule that the engine cannot carry out does not take the others with it: its record kind is run again, rule by rule.
    """
    plan, rules = prepared.plan.at(as_at), prepared.rules
    # Of a number that is in the statements themselves, the engine need not look up the value for each row.
    plan = plan.counting_adrift(
        {(kind, link): n for kind, link, sql in plan.adrift for (n,) in con.execute(sql).fetchall()}
    )
    n_at_a_time = workers(threads)
    set_up(con, plan, n_at_a_time)
    outcomes = _ask_all(con, plan, ordered.keep_answers, n_at_a_time)
    hits = _put_in_order(con, rules, ordered, as_at)
    arguments, answers = prepared.arguments, outcomes.answers
    audited = Audited(
        con, plan, rules, arguments, as_at, sources, answers, hits, ordered.whose, n_at_a_time, prepared.prompts
    )
    return audited, tuple(outcomes.result(n, rule, hits.get(n, NO_HITS)) for n, rule in enumerate(rules))


def _ask_all(con: Connection, plan: Plan, keep_answers: bool, n_at_a_time: int) -> _Outcomes:
    """Asks every rule of every record; what failed is in `hits` then."""
    con.execute(dialect.HITS_TABLE)
    outcomes = _Outcomes()

    def ask(record: RecordPlan, rules: tuple[int, ...]) -> Job:
        def job(cursor: Connection) -> None:
            faults = each_alone(lambda some: _ask(cursor, record, some, outcomes, keep_answers), rules)
            outcomes.faults.update({number: why for r, why in faults.items() for _, number in record.numbers[r]})

        return job

    records = sorted(plan.records, key=lambda r: -len(r.numbers))
    run_jobs(con, [ask(record, rules) for record in records for rules in batches(len(record.numbers))], n_at_a_time)
    return outcomes


def _ask(con: Connection, record: RecordPlan, rules: tuple[int, ...], outcomes: _Outcomes, keep: bool) -> None:
    """Asks some rules, by their places in the plan of a record kind: counts what they answer, and puts what failed into `hits`."""
    table = f"answers_{record.numbers[rules[0]][0][1]}_{len(rules)}"
    asked = record.asked_for(rules)
    con.execute(dialect.make(table, record.answering(rules)))
    counted = record.counting(rules)
    rows = con.execute(dialect.answer_counts(table, counted)).fetchall()
    by_item = {item: (total, dict(zip(counted, counts, strict=True))) for item, total, *counts in rows}
    con.execute(dialect.HITS_INSERT.format(select=dialect.hits(table, asked)))
    for place, item, number in asked:
        total, counts = by_item.get(item, (0, {}))
        not_applicable, pending = counts.get((place, NOT_APPLICABLE), 0), counts.get((place, PENDING), 0)
        outcomes.counts[number] = (total, not_applicable, pending)
        outcomes.answers[number] = Answers(table, place, item)
    if not keep:
        con.execute(dialect.drop(table))


def _put_in_order(con: Connection, rules: tuple[RuleInfo, ...], ordered: Ordered, as_at: date) -> Mapping[int, Hits]:
    """Makes `hit`, the findings in their order, from `hits`; which of them are whose, by the rule's number."""
    execute_each(con, ordered.setup)
    con.execute(reporting.hits_sorted(ordered.by, ordered.earlier), {"places": _places(rules, as_at)})
    hits: dict[int, Hits] = {}
    for rule, answer, n, first, last in con.execute(dialect.HIT_COUNTS).fetchall():
        breaches, not_evidenced, spans = hits.get(rule, NO_HITS)
        breach = MEANINGS[answer].outcome == "breach"
        hits[rule] = Hits(
            breaches + n if breach else breaches,
            not_evidenced if breach else not_evidenced + n,
            (*spans, (first, last)),
        )
    return hits


def _places(rules: tuple[RuleInfo, ...], as_at: date) -> list[int]:
    """The place of each rule among all: by the day on which its findings are to be put right, then by weight. Asked in parts it has one."""
    keys = [
        (
            put_right_on(as_at, r.put_right.within),
            SEVERITIES.index(r.severity),
            bool(r.own_policy),
            r.id,
            r.own_policy,
        )
        for r in rules
    ]
    place = {key: n for n, key in enumerate(sorted(set(keys)))}
    return [place[key] for key in keys]
