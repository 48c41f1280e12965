"""The engine at work: runs a plan in DuckDB and reads back what failed (I/O: the database)."""

from __future__ import annotations

import csv
import heapq
import os
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from importlib.resources import files
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.compiler import ir
from compliance.dates import english, put_right_on
from compliance.engine.sidebyside import done_jobs, execute_all, run_jobs, workers
from compliance.errors import ComplianceError
from compliance.findings import words
from compliance.findings.previous import Gone
from compliance.model import (
    OUTCOMES,
    RAN,
    RECORDED_ON,
    Accepted,
    Finding,
    Group,
    Outcome,
    Prompt,
    Prompted,
    Reading,
    RecordKind,
    Restated,
    RuleInfo,
    RuleResult,
    Source,
    Standing,
    Status,
)
from compliance.sql import duckdb as dialect
from compliance.sql import reporting
from compliance.sql.text import literal

if TYPE_CHECKING:
    import duckdb

    from compliance.engine.sampling import Draw
    from compliance.engine.sidebyside import Job
    from compliance.findings.argument import Argument
    from compliance.findings.previous import Became, Earlier
    from compliance.kpis.measuring import Reported
    from compliance.model import Tables
    from compliance.sql.planned import CountPlan, Plan, Prepared, RecordPlan

MANY = 2_000
"""A rule with so many findings is fetched by itself: a row brings the values of every rule that it is fetched with."""
ASKED = 24
"""Rules that one statement asks about: more would ask for memory in step, and leave a core idle at the end."""
OUTCOME_OF: Mapping[int, Outcome] = {
    ir.NOT_APPLICABLE: "not_applicable",
    ir.PENDING: "pending",
    ir.COMPLIANT: "compliant",
    ir.DANGER: "breach",
    ir.DANGER_NOT_EVIDENCED: "not_evidenced",
    ir.BREACH: "breach",
    ir.NOT_EVIDENCED: "not_evidenced",
    ir.LATE: "breach",
    ir.PAST: "breach",
}
"""The outcome that each answer stands for."""
STANDING_OF: Mapping[int, Standing] = {ir.LATE: "late", ir.PAST: "past"}
"""The standing that an answer stands for; of the others, open."""
IN_DANGER = (ir.DANGER, ir.DANGER_NOT_EVIDENCED)
BECAUSE = (("found", "findings"), ("unseen", "longest unseen"), ("newest", "newest"))
"""What makes a record likelier to be read, as the engine and as people call it."""
CHUNK = 40_000
"""Findings that are fetched at a time; bounds memory whatever their number."""
FINDING = 10
"""Columns of `dialect.findings` that are not values of the record."""


def connect(scratch: Path, memory: str = "", threads: int = 0) -> duckdb.DuckDBPyConnection:
    """An empty engine that spills to `scratch` and reaches nothing outside by itself.

    Args:
      memory: at most this much, such as 1GB; empty: the engine's own default.
      threads: 0: one for small exports, all cores for large ones, decided when the data are known.

    Raises:
      ComplianceError: `memory` is not an amount of memory.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": True,
    }
    if memory:
        config["memory_limit"] = memory
    if threads:
        config["threads"] = threads
    try:
        return duckdb.connect(":memory:", config=config)
    except duckdb.Error as e:
        if memory:
            raise ComplianceError(f"'{memory}' is not an amount of memory; write 500MB or 4GB") from e
        raise


def set_for_small(con: duckdb.DuckDBPyConnection) -> None:
    """Statements are carried out as they are written: with few rows, making them better takes longer than what that saves."""
    row = con.execute(dialect.OPTIMISERS).fetchone()
    assert row is not None
    con.execute(dialect.LEAVE_OUT.format(names=row[0]))


def set_for_large(con: duckdb.DuckDBPyConnection, threads: int) -> None:
    """All that the engine can do.

    Args:
      threads: 0: one for each core.
    """
    con.execute(dialect.LEAVE_OUT.format(names=""))
    con.execute(dialect.SET_THREADS.format(n=threads or os.cpu_count() or 1))


def lock(con: duckdb.DuckDBPyConnection) -> None:
    """From here on no statement can read or write a file, or change a setting."""
    for statement in dialect.LOCK:
        con.execute(statement)


def closed_days() -> list[date]:
    """The bank holidays of England and Wales, 2000 to 2100, as shipped."""
    text = (files("compliance") / "data" / "bank_holidays.csv").read_text(encoding="utf-8")
    return [date.fromisoformat(row["day"]) for row in csv.DictReader(text.splitlines())]


def add_calendar(con: duckdb.DuckDBPyConnection) -> None:
    """The working-day calendar."""
    con.execute(dialect.MAKE_CALENDAR, {"closed": closed_days()})


@dataclass(frozen=True)
class Ordered:
    """How the findings are put in order, and what they are held against.

    Args:
      setup: statements with their values that make, from `hits`, the tables `grouped` and `earlier`.
      by: as `reporting.hits_sorted` has it; `earlier`: whether there is an earlier audit.
      keep: record kinds whose tables are still needed when the rules have run; `keep_answers`: so is what each rule says of each record.
    """

    setup: tuple[tuple[str, dict[str, list[object]]], ...] = ()
    by: str = ""
    earlier: bool = False
    keep: frozenset[str] = frozenset()
    keep_answers: bool = False


@dataclass(frozen=True)
class Place:
    """Where a rule, asked for one item of its list, stands in a plan: among the rules of a record kind, and the item among its items."""

    record: RecordPlan
    rule: int
    item: int


@dataclass(frozen=True)
class Answers:
    """Where what a rule says of each record stands: a table, the column `v<place>` and the place of the item."""

    table: str
    place: int
    item: int


@dataclass
class Counts:
    """The findings of a rule.

    Args:
      spans: the places of the first and the last of each answer, in the order of all.
    """

    breach: int = 0
    not_evidenced: int = 0
    spans: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Audited:
    """The findings of one audit, still in the engine; can be read through as often as wanted, never all in memory."""

    con: duckdb.DuckDBPyConnection
    plan: Plan
    rules: tuple[RuleInfo, ...]
    arguments: tuple[Argument | None, ...]
    as_at: date
    sources: tuple[Source, ...]
    answers: Mapping[int, Answers] = field(default_factory=dict)
    counts: Mapping[int, Counts] = field(default_factory=dict)
    failed: Mapping[int, str] = field(default_factory=dict)
    n_at_a_time: int = 1
    prompts: tuple[Prompt, ...] = ()
    readings: tuple[Reading, ...] = ()
    accepted: Mapping[int, Accepted] = field(default_factory=dict)
    _begun: list[Generator[list[Finding], None, None]] = field(default_factory=list)

    def stop(self) -> None:
        """Ends what is still being read, so that the engine can be closed whatever its reader has done."""
        for begun in self._begun:
            begun.close()

    def groups(self) -> list[Group]:
        """The groups that were asked for, in order, with how many findings each rule has in them."""
        found: dict[str, dict[int, int]] = {}
        for label, rule, n in self.con.execute(reporting.GROUPS).fetchall():
            found.setdefault(label, {})[rule] = n
        return [Group(label, tuple((self.rules[n], its[n]) for n in sorted(its))) for label, its in found.items()]

    def labels(self, setup: Iterable[tuple[str, dict[str, list[object]]]]) -> list[str]:
        """The group of each finding, in order, as `setup` puts records into groups."""
        for statement, values in setup:
            self.con.execute(statement, values) if values else self.con.execute(statement)
        return [label for (label,) in self.con.execute(reporting.WHOSE).fetchall()]

    def drawn(self, prompts: Sequence[Prompt], draws: Iterable[Draw]) -> list[Prompted]:
        """What is drawn for each prompt."""
        found = [Prompted(p) for p in prompts]
        for draw in draws:
            for n in draw.prompts:
                found[n] = replace(found[n], records=0)
            for n, records, its in self.con.execute(draw.statement).fetchall():
                read = tuple((r["key"], tuple(said for name, said in BECAUSE if r[name])) for r in its)
                found[n] = Prompted(prompts[n], records, read)
        return found

    def n_new(self) -> dict[int, int]:
        """How many findings of each rule the earlier audit did not have and nobody has accepted."""
        return dict(self.con.execute(reporting.NEW).fetchall())

    def n_restated(self) -> int:
        """How many findings the earlier audit had as well."""
        row = self.con.execute(reporting.RESTATED).fetchone()
        assert row is not None
        return int(row[0])

    def gone(self, earlier: Earlier, results: Sequence[RuleResult]) -> tuple[Gone, ...]:
        """The earlier audit's findings that this one does not have, and why."""
        gone = [n for (n,) in self.con.execute(reporting.GONE).fetchall()]
        of_gone = {earlier.found[n].asked for n in gone}
        asked = {i for i, r in enumerate(results) if r.status in RAN and (r.rule.id, r.rule.rest) in of_gone}
        became = self._became(reporting.EARLIER_GONE, asked)
        of = {(r.rule.id, r.rule.rest): r for r in results} | {(r.rule.id, ""): r for r in results}
        found = []
        for n in gone:
            finding = earlier.found[n]
            if n in became:
                found.append(Gone(finding, became[n]))
            elif (result := of.get(finding.asked) or of.get((finding.rule, ""))) and result.status not in RAN:
                found.append(Gone(finding, "did not run", f"{result.status}: {result.why}"))
            else:
                found.append(Gone(finding, "not asked"))
        return tuple(found)

    def _became(self, gone: str, asked: Collection[int]) -> dict[int, Became]:
        """What became of findings that are not there, of the rules `asked`, which ran."""
        by_table: dict[str, list[tuple[int, int, int]]] = {}
        for number in sorted(asked):
            answers = self.answers[number]
            by_table.setdefault(answers.table, []).append((answers.place, answers.item, number))
        became: dict[int, Became] = {}
        for table, rules in by_table.items():
            became.update(self.con.execute(reporting.became(gone, table, rules)).fetchall())
        return became

    def waived(
        self, named: Sequence[tuple[int, str, str]], results: Sequence[RuleResult]
    ) -> tuple[dict[int, tuple[int, Finding]], dict[int, Became]]:
        """The findings that waivers name, each with its place in the order of all, and what became of those that are not there.

        Args:
          named: a rule's position and a key; or -1, nothing, and a fingerprint.
        """
        columns = list(zip(*named, strict=True))
        values = dict(zip(("rule", "key", "fingerprint"), (list(c) for c in columns), strict=True))
        self.con.execute(reporting.WAIVERS, {"n": list(range(len(named))), **values})
        rows = self.con.execute(reporting.WAIVED).fetchall()
        if -1 in columns[0] and self.rules:
            self.con.execute(reporting.RULE_NAMES)
            self.con.execute(reporting.rule_names([(n, r.id, r.record, r.rest) for n, r in enumerate(self.rules)]))
            rows += self.con.execute(reporting.WAIVED_BY_FINGERPRINT).fetchall()
        places = [seq for _, seq, _ in rows]
        found: dict[int, Finding] = {}
        for fetch in self._fetches({rule for _, _, rule in rows}, dialect.AMONG):
            found.update(fetch(self.con, {"places": places}))
        there = {n for n, _, _ in rows}
        gone = {rule for n, (rule, _, _) in enumerate(named) if n not in there and rule >= 0}
        became = self._became(reporting.WAIVED_GONE, {n for n in gone if results[n].status in RAN})
        return {n: (seq, found[seq]) for n, seq, _ in rows}, became

    def accept(self, accepted: Mapping[int, Accepted]) -> None:
        """Marks the findings at these places in the order of all; they stay where they are."""
        self.accepted = dict(enumerate(accepted.values()))
        self.con.execute(reporting.MUTE, {"seq": list(accepted), "n": list(self.accepted)})

    @cached_property
    def places(self) -> Mapping[int, Place]:
        """Where each rule that runs stands in the plan, by its number."""
        return {
            number: Place(record, rule, item)
            for record in self.plan.records
            for rule, numbers in enumerate(record.numbers)
            for item, number in numbers
        }

    def _fetches(self, rules: Collection[int], where: str) -> Iterator[Fetch]:
        """What brings the findings of `rules`, in as few statements as is good."""
        together: dict[tuple[str, int], list[int]] = {}
        for number in sorted(rules):
            of_rule = self.counts[number]
            alone = number if of_rule.breach + of_rule.not_evidenced >= MANY else -1
            together.setdefault((self.places[number].record.rows, alone), []).append(number)
        for numbers in together.values():
            record = self.places[numbers[0]].record
            values = record.fetching({self.places[n].rule for n in numbers})
            column = {value: FINDING + i for i, value in enumerate(values)}
            words = {n: _Words(self, n, tuple(column[v] for v in record.slots[self.places[n].rule])) for n in numbers}
            yield partial(
                _fetch, statement=dialect.findings(record.rows, numbers, list(values.values()), where), words=words
            )

    def _chunks(self) -> Generator[list[Finding], None, None]:
        """Findings in their order, many at a time: of each record kind by itself, then put in order."""
        last = max((end for of_rule in self.counts.values() for _, end in of_rule.spans), default=0)
        chunks = [(lo, min(lo + CHUNK - 1, last)) for lo in range(1, last + 1, CHUNK)]
        parts: list[list[list[tuple[int, Finding]]]] = [[] for _ in chunks]
        jobs: list[Job] = []
        of: list[int] = []
        for i, (lo, hi) in enumerate(chunks):
            here = {
                rule
                for rule, of_rule in self.counts.items()
                if any(first <= hi and end >= lo for first, end in of_rule.spans)
            }
            for fetch in self._fetches(here, dialect.BETWEEN):
                jobs.append(partial(_put, fetch=fetch, bounds={"lo": lo, "hi": hi}, into=parts[i]))
                of.append(i)
        left = Counter(of)
        at = 0
        for done in done_jobs(self.con, jobs, self.n_at_a_time):
            left[of[done]] -= 1
            while at < len(chunks) and not left[at]:
                in_order = heapq.merge(*parts[at], key=itemgetter(0)) if len(parts[at]) > 1 else parts[at][0]
                yield [finding for _, finding in in_order]
                parts[at].clear()
                at += 1

    @cached_property
    def put_right_on(self) -> list[date]:
        """By when the findings of each rule are to be put right."""
        return [put_right_on(self.as_at, r.put_right.within) for r in self.rules]

    @cached_property
    def files(self) -> list[str]:
        """The files that findings come from, by `src`."""
        return [s.label for s in self.sources] or [""]

    def findings(self) -> Iterator[Finding]:
        """Every finding: danger, then open, late, past; of these by the day to put right, then most serious first, by rule and subject."""
        self._begun.append(self._chunks())
        for chunk in self._begun[-1]:
            yield from chunk

    def worded(self, number: int, values: words.Values, row: Sequence[Any]) -> Finding:
        """A finding of the rule with this number: the values of its record, and a row of `dialect.findings`."""
        _, _, answer, key, src, at, label, since, times, waiver, *_ = row
        argument, rule, outcome = self.arguments[number], self.rules[number], OUTCOME_OF[answer]
        standing = STANDING_OF.get(answer, "open")
        assert argument is not None
        argued = words.argued(argument, values, outcome == "not_evidenced", self.as_at, standing)
        return Finding(
            rule=rule,
            outcome=outcome,
            key=str(key),
            argument=argued.sentence,
            failed=argued.failed,
            missing=argued.missing,
            evidence=argued.evidence,
            file=self.files[src],
            row=at,
            due_on=argued.due_on,
            late=argued.late,
            put_right_on=self.put_right_on[number],
            group=str(label or ""),
            restated=None if since is None else Restated(str(since), int(times) + 1),
            waiver=None if waiver is None else self.accepted[waiver],
            standing=standing,
            danger=rule.dangers.of(outcome, standing) if answer in IN_DANGER else "",
            clause=argued.clause,
        )


@dataclass(frozen=True)
class _Words:
    """What words the findings of one rule out of rows in which its values stand at `columns`."""

    audited: Audited
    number: int
    columns: tuple[int, ...]

    def finding(self, row: Sequence[Any]) -> tuple[int, Finding]:
        """The finding of a row, with its place in the order of all."""
        return row[0], self.audited.worded(self.number, [row[c] for c in self.columns], row)


Fetch = Callable[["duckdb.DuckDBPyConnection", Mapping[str, object]], list[tuple[int, Finding]]]
"""Brings findings in their order, each with its place in the order of all."""


def _fetch(
    con: duckdb.DuckDBPyConnection, values: Mapping[str, object], statement: str, words: Mapping[int, _Words]
) -> list[tuple[int, Finding]]:
    rows = con.execute(statement, values).fetchall()
    rows.sort(key=itemgetter(0))
    return [words[row[1]].finding(row) for row in rows]


def _put(
    con: duckdb.DuckDBPyConnection, fetch: Fetch, bounds: Mapping[str, int], into: list[list[tuple[int, Finding]]]
) -> None:
    into.append(fetch(con, bounds))


@dataclass(frozen=True)
class Explained:
    """How a rule came out for one record.

    Args:
      applies: true, false, or None: nobody can tell.
      margin: days left from what was done (or from the as-at date) to the day due; None without one.
      conditions: label, truth (None: not evidenced), and the values it rests on.
    """

    outcome: Outcome
    applies: bool | None
    due_on: str
    margin: int | None
    argument: str
    conditions: tuple[tuple[str, bool | None, str], ...]


def explain(audited: Audited, rule: int, key: str) -> Explained | None:
    """Explains the rule at position `rule`, which must have run, for a record; None if there is no such record then."""
    return explain_all(audited, rule, [key]).get(key)


def explain_all(audited: Audited, rule: int, keys: Sequence[str]) -> dict[str, Explained]:
    """The same for many records, by key; those that do not exist then are left out."""
    place, argument = audited.places[rule], audited.arguments[rule]
    assert argument is not None
    record, values = place.record, place.record.fetching([place.rule])
    columns = [record.answers[place.rule], *values.values()]
    item = place.item if record.by_item else None
    rows = audited.con.execute(dialect.of_some(record.rows, record.key, item, columns), {"keys": list(keys)})
    order = list(values)
    slots = [order.index(v) for v in record.slots[place.rule]]
    return {
        str(key): _explained(argument, answer, [row[slot] for slot in slots], audited.as_at)
        for key, answer, *row in rows.fetchall()
    }


def _explained(argument: Argument, answer: int, values: words.Values, as_at: date) -> Explained:
    outcome = OUTCOME_OF[answer]
    argued = words.argued(argument, values, outcome == "not_evidenced", as_at, STANDING_OF.get(answer, "open"))
    return Explained(
        outcome,
        words.applies(argument, values),
        argued.due_on,
        words.margin(argument, values, as_at),
        argued.sentence if answer >= ir.DANGER else "",
        words.conditions(argument, values),
    )


def _ask(
    con: duckdb.DuckDBPyConnection,
    record: RecordPlan,
    rules: tuple[int, ...],
    counted: dict[int, tuple[int, int, int]],
    answers: dict[int, Answers],
    keep: bool,
) -> None:
    table = f"answers_{record.numbers[rules[0]][0][1]}_{len(rules)}"
    asked = record.asked_for(rules)
    con.execute(dialect.make(table, record.answering(rules)))
    counts = {item: its for item, *its in con.execute(dialect.answer_counts(table, len(rules))).fetchall()}
    con.execute(dialect.HITS_INSERT.format(select=dialect.hits(table, asked)))
    for place, item, number in asked:
        total, *its = counts.get(item, [0] * (1 + 2 * len(rules)))
        counted[number] = (total, its[2 * place], its[2 * place + 1])
        answers[number] = Answers(table, place, item)
    if not keep:
        con.execute(dialect.drop(table))


def set_up(con: duckdb.DuckDBPyConnection, plan: Plan, keep: frozenset[str], n_at_a_time: int) -> None:
    """Makes what the plan's questions are asked of, and keeps the tables of the kinds in `keep`."""
    if plan.calendar:
        add_calendar(con)
    kept = {dialect.drop(f"t_{kind}") for kind in keep}
    execute_all(con, [s for s in plan.setup if s not in kept], n_at_a_time)


def each_alone(ask: Callable[[tuple[int, ...]], object], rules: tuple[int, ...]) -> dict[int, str]:
    """Asks for rules together; if the engine cannot, one by one; those that it cannot carry out, and why."""
    import duckdb

    try:
        ask(rules)
    except duckdb.Error:
        failed = {}
        for n in rules:
            try:
                ask((n,))
            except duckdb.Error as e:
                failed[n] = _fault(e)
        return failed
    return {}


def _fault(error: duckdb.Error) -> str:
    """What the engine says of a statement that it cannot carry out; of one that fails at a value no more than how, for it quotes it."""
    import duckdb

    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        return str(error).split("\n")[0]
    return f"the engine cannot work with a value of some record ({type(error).__name__})"


def run(
    con: duckdb.DuckDBPyConnection,
    prepared: Prepared,
    as_at: date,
    sources: tuple[Source, ...],
    threads: int = 0,
    ordered: Ordered | None = None,
) -> tuple[Audited, tuple[RuleResult, ...]]:
    """Runs the plan. The tables `t_<kind>` must be there.

    Args:
      threads: how many statements run at a time; 0: as many as are good.
      ordered: how findings are grouped, and what they are held against.

    A rule that the engine cannot carry out does not take the others with it: its record kind is run again, rule by rule.
    """
    plan, rules = prepared.plan.at(as_at), prepared.rules
    n_at_a_time = workers(threads)
    ordered = ordered or Ordered()
    set_up(con, plan, ordered.keep, n_at_a_time)
    con.execute(dialect.HITS_TABLE)
    failed: dict[int, str] = {}
    counted: dict[int, tuple[int, int, int]] = {}
    answers: dict[int, Answers] = {}

    def ask(record: RecordPlan, places: tuple[int, ...]) -> Job:
        def job(cursor: duckdb.DuckDBPyConnection) -> None:
            faults = each_alone(lambda some: _ask(cursor, record, some, counted, answers, ordered.keep_answers), places)
            failed.update({number: why for rule, why in faults.items() for _, number in record.numbers[rule]})

        return job

    jobs = [
        ask(record, tuple(range(i, min(i + ASKED, len(record.numbers)))))
        for record in sorted(plan.records, key=lambda r: -len(r.numbers))
        for i in range(0, len(record.numbers), ASKED)
    ]
    run_jobs(con, jobs, n_at_a_time)
    for statement, values in ordered.setup:
        con.execute(statement, values) if values else con.execute(statement)
    con.execute(reporting.hits_sorted(ordered.by, ordered.earlier), {"places": _places(rules, as_at)})
    hits: dict[int, Counts] = {}
    for number, answer, n, first, end in con.execute(dialect.HIT_COUNTS).fetchall():
        of_rule = hits.setdefault(number, Counts())
        of_rule.spans.append((first, end))
        if OUTCOME_OF[answer] == "breach":
            of_rule.breach += n
        else:
            of_rule.not_evidenced += n
    audited = Audited(con, plan, rules, prepared.arguments, as_at, sources, answers, hits, failed, n_at_a_time)
    return audited, tuple(_result(n, rule, failed, counted, hits) for n, rule in enumerate(rules))


def _places(rules: Sequence[RuleInfo], as_at: date) -> list[int]:
    """The place of each rule among all by the day on which its findings are to be put right; what is asked in parts has one place."""
    first: dict[tuple[str, str], int] = {}
    keys = [
        (put_right_on(as_at, r.put_right.within), first.setdefault((r.id, r.own_policy), n))
        for n, r in enumerate(rules)
    ]
    place = {key: i for i, key in enumerate(sorted(set(keys)))}
    return [place[key] for key in keys]


def count(
    con: duckdb.DuckDBPyConnection, plan: CountPlan, days: Sequence[date], threads: int = 0
) -> dict[date, dict[int, tuple[int, tuple[int, ...]]]]:
    """For each day and each rule, by its number, how many records there were and how many each condition was true for.

    The tables `t_<kind>` must be there, and stay.

    Args:
      days: each once.

    Raises:
      ComplianceError: there are more days than the engine looks from at once.
    """
    if len(days) > dialect.MOST_DAYS:
        raise ComplianceError(f"{len(days):,} days are too many to look from at once; at most {dialect.MOST_DAYS:,}.")
    if plan.calendar:
        add_calendar(con)
    con.execute(dialect.DAYS, {"days": list(days)})
    execute_all(con, [s for s in plan.setup if not dialect.drops_records(s)], workers(threads))
    counted: dict[date, dict[int, tuple[int, tuple[int, ...]]]] = {day: {} for day in days}
    for asked in plan.counts:
        rows = con.execute(asked.statement).fetchall()
        by_place = {(row[0], row[1] if asked.by_item else 0): row[1 + asked.by_item :] for row in rows}
        first = 1
        for numbers, width in zip(asked.numbers, asked.widths, strict=True):
            for item, number in numbers:
                for day in days:
                    counts = by_place.get((day, item))
                    counted[day][number] = (
                        (0, (0,) * width) if counts is None else (counts[0], counts[first : first + width])
                    )
            first += width
    return counted


def reported_figures(con: duckdb.DuckDBPyConnection, tables: Tables, day: date, as_at: date) -> list[Reported]:
    """The figures in the export that somebody else had worked out by `as_at`, for periods that had ended on `day`."""
    table = tables.tables.get("reported_figure")
    columns = ("framework", "code", "period_end", "value", "numerator", "denominator")
    if table is None or not {"framework", "code", "period_end", "value"} <= table.columns:
        return []
    from compliance.kpis.measuring import Reported

    rows = con.execute(reporting.figures(columns, table.columns, literal(as_at)), {"day": day}).fetchall()
    return [Reported((str(f), str(c)), end, value, n, d) for f, c, end, value, n, d in rows]


def recorded_later(con: duckdb.DuckDBPyConnection, tables: Tables, day: date) -> str:
    """Which records were written into the system after `day`, in a sentence; empty: none, or the export does not say."""
    # A reported figure is no record that a rule asks for, and has a day of its own (`reported_figures`).
    kinds = [k for k, table in tables.tables.items() if RECORDED_ON in table.columns and k != "reported_figure"]
    found = con.execute(reporting.recorded_later(kinds), {"day": day}).fetchall() if kinds else []
    if not found:
        return ""
    n = sum(its for _, its in found)
    were, do = ("record was", "does") if n == 1 else ("records were", "do")
    listed = ", ".join(f"{its:,} {kind}" for kind, its in found)
    return f"{n:,} {were} written into the system after {english(day)} and {do} not count: {listed}."


def readings(con: duckdb.DuckDBPyConnection, tables: Tables, day: date) -> tuple[Reading, ...]:
    """What readers of records had found by a day: of each duty and record the newest."""
    table = tables.tables.get("sample_reading")
    if table is None or not set(reporting.READ[:-1]) <= table.columns:
        return ()
    return tuple(Reading(*row) for row in con.execute(reporting.readings(table.columns), {"day": day}).fetchall())


def keys(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> frozenset[str]:
    """The keys of all records of a kind, which must be there."""
    return frozenset(key for (key,) in con.execute(reporting.keys(kind.name, kind.key)).fetchall())


def _result(
    n: int,
    rule: RuleInfo,
    failed: Mapping[int, str],
    counted: Mapping[int, tuple[int, int, int]],
    hits: Mapping[int, Counts],
) -> RuleResult:
    if n in failed:
        return RuleResult(rule, "failed", failed[n])
    if n not in counted:
        return RuleResult(rule, rule.status, rule.why)
    total, not_applicable, pending = counted[n]
    found = hits.get(n, Counts())
    return result_of(rule, (total, (not_applicable, pending, found.breach, found.not_evidenced)))


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
    of: dict[tuple[str, str], list[RuleResult]] = {}
    for r in results:
        of.setdefault((r.rule.id, r.rule.own_policy), []).append(r)
    return tuple(_together(its) if its[0].rule.part else its[0] for its in of.values())


def _together(its: list[RuleResult]) -> RuleResult:
    statuses: tuple[Status, ...] = ("failed", "ran", "looked at nothing")
    chosen = next(r for status in statuses for r in its if r.status == status)
    cites = {d: ref for r in its for d, ref in zip(r.rule.cites, r.rule.refs, strict=False)}
    narrowed = any(len(r.rule.cites) != len(its[0].rule.cites) or r.rule.cites != its[0].rule.cites for r in its)
    rule = replace(chosen.rule, part="")
    if narrowed:
        rule = replace(rule, cites=tuple(cites), refs=tuple(dict.fromkeys(cites.values())))
    return RuleResult(
        rule,
        chosen.status,
        chosen.why,
        *(sum(getattr(r, outcome) for r in its) for outcome in OUTCOMES),
    )
