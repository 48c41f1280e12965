"""The engine at work: runs a plan in DuckDB and reads back what failed (I/O: the database)."""

from __future__ import annotations

import csv
import heapq
import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.dates import english, put_right_on
from compliance.engine.sidebyside import done_jobs, execute_all, run_jobs, workers
from compliance.errors import ComplianceError
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
    Status,
)
from compliance.sql import duckdb as dialect
from compliance.sql import reporting
from compliance.sql.text import literal

if TYPE_CHECKING:
    import duckdb

    from compliance.engine.sampling import Draw
    from compliance.engine.sidebyside import Job
    from compliance.findings.previous import Became, Earlier
    from compliance.kpis.measuring import Reported
    from compliance.model import Tables
    from compliance.sql.planned import CountPlan, Plan, RecordPlan

RULES = 10
"""Rules whose findings one statement writes: the engine needs longer to read what they say than to say it."""
ASKED = 24
"""Rules that one statement asks about: more would ask for memory in step, and leave a core idle at the end."""
BECAUSE = (("found", "findings"), ("unseen", "longest unseen"), ("newest", "newest"))
"""What makes a record likelier to be read, as the engine and as people call it."""
CHUNK = 40_000
"""Findings that are written at a time; bounds memory whatever their number."""


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
    """The working-day calendar, 2000-01-01 to 2100-12-31."""
    closed = ", ".join(literal(d) for d in closed_days())
    con.execute(dialect.CALENDAR.format(closed=closed, start="2000-01-01", end="2101-01-01"))
    con.execute(dialect.OPEN_DAYS)


def _fetch(
    cursor: duckdb.DuckDBPyConnection, select: str, lo: int, hi: int, into: list[list[tuple[object, ...]]]
) -> None:
    into.append(cursor.execute(select, {"lo": lo, "hi": hi}).fetchall())


def _place(row: tuple[object, ...]) -> int:
    """Where a finding stands in the order of all."""
    assert isinstance(row[0], int)
    return row[0]


@dataclass(frozen=True)
class Ordered:
    """How the findings are put in order, and what they are held against.

    Args:
      setup: statements with their values that make, from `hits`, the tables `grouped` and `earlier`.
      by: as `reporting.hits_sorted` has it; `earlier`: whether there is an earlier audit.
      keep: record kinds whose tables are still needed when the rules have run.
    """

    setup: tuple[tuple[str, dict[str, list[object]]], ...] = ()
    by: str = ""
    earlier: bool = False
    keep: frozenset[str] = frozenset()


@dataclass
class Audited:
    """The findings of one audit, still in the engine; can be read through as often as wanted, never all in memory."""

    con: duckdb.DuckDBPyConnection
    plan: Plan
    rules: tuple[RuleInfo, ...]
    as_at: date
    sources: tuple[Source, ...]
    counts: Mapping[int, tuple[int, int, int, int]] = field(default_factory=dict)
    failed: Mapping[int, str] = field(default_factory=dict)
    n_at_a_time: int = 1
    prompts: tuple[Prompt, ...] = ()
    readings: tuple[Reading, ...] = ()
    accepted: Mapping[int, Accepted] = field(default_factory=dict)
    _begun: list[Generator[list[tuple[object, ...]], None, None]] = field(default_factory=list)

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
        became: dict[int, Became] = {}
        for record in self.plan.records:
            its = [n for n in record.rules if n in asked]
            rules = [
                (n, record.not_applicable[i], record.pending[i]) for n, i in zip(its, record.places(its), strict=True)
            ]
            if rules:
                lets = record.used(condition for _, *its_own in rules for condition in its_own)
                statement = reporting.became(gone, record.view, record.key, rules, lets)
                became.update(self.con.execute(statement).fetchall())
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
        found = {}
        write = partial(dialect.finding_rows, places=dialect.AMONG)
        for select in self._selects({rule for _, _, rule in rows}, write):
            for row in self.con.execute(select, {"places": places}).fetchall():
                found[_place(row)] = self._finding(row)
        there = {n for n, _, _ in rows}
        gone = {rule for n, (rule, _, _) in enumerate(named) if n not in there and rule >= 0}
        became = self._became(reporting.WAIVED_GONE, {n for n in gone if results[n].status in RAN})
        return {n: (seq, found[seq]) for n, seq, _ in rows}, became

    def accept(self, accepted: Mapping[int, Accepted]) -> None:
        """Marks the findings at these places in the order of all; they stay where they are."""
        self.accepted = dict(enumerate(accepted.values()))
        self.con.execute(reporting.MUTE, {"seq": list(accepted), "n": list(self.accepted)})

    def _read(self, as_json: bool) -> Iterator[list[tuple[object, ...]]]:
        self._begun.append(self._chunks(as_json))
        return self._begun[-1]

    def _chunks(self, as_json: bool) -> Generator[list[tuple[object, ...]], None, None]:
        """Rows of findings in their order, many at a time: of each record kind by itself, then put in order."""
        write = partial(dialect.finding_json, files=self.files) if as_json else dialect.finding_rows
        last = max((hi for _, _, _, hi in self.counts.values()), default=0)
        chunks = [(lo, min(lo + CHUNK - 1, last)) for lo in range(1, last + 1, CHUNK)]
        parts: list[list[list[tuple[object, ...]]]] = [[] for _ in chunks]
        jobs: list[Job] = []
        of: list[int] = []
        for i, (lo, hi) in enumerate(chunks):
            here = {rule for rule, (_, _, first, end) in self.counts.items() if first <= hi and end >= lo}
            for select in self._selects(here, write):
                jobs.append(partial(_fetch, select=select, lo=lo, hi=hi, into=parts[i]))
                of.append(i)
        left = Counter(of)
        at = 0
        for done in done_jobs(self.con, jobs, self.n_at_a_time):
            left[of[done]] -= 1
            while at < len(chunks) and not left[at]:
                yield list(heapq.merge(*parts[at], key=_place)) if len(parts[at]) > 1 else parts[at][0]
                parts[at].clear()
                at += 1

    def _selects(self, rules: Collection[int], write: Callable[[str, list[dialect.Branch]], str]) -> Iterator[str]:
        """What writes findings of `rules`, as little as possible in one statement."""
        for record in self.plan.records:
            its = [n for n in record.rules if n in rules]
            for i in range(0, len(its), RULES):
                yield write(record.view, record.texts(its[i : i + RULES]))

    @cached_property
    def put_right_on(self) -> list[date]:
        """By when the findings of each rule are to be put right."""
        return [put_right_on(self.as_at, r.put_right.within) for r in self.rules]

    @cached_property
    def files(self) -> list[str]:
        """The files that findings come from, by `src`."""
        return [s.label for s in self.sources] or [""]

    def findings(self) -> Iterator[Finding]:
        """Every finding, most serious first, then by rule and subject."""
        for rows in self._read(as_json=False):
            yield from map(self._finding, rows)

    def _finding(self, row: tuple[object, ...]) -> Finding:
        """What a row of `dialect.finding_rows` says."""
        _, rule, unknown, key, src, at, label, since, times, waiver, texts = row
        assert isinstance(rule, int) and isinstance(texts, list) and isinstance(src, int) and isinstance(at, int)
        argument, failed, missing, evidence, due_on, late = texts
        return Finding(
            rule=self.rules[rule],
            outcome="not_evidenced" if unknown else "breach",
            key=str(key),
            argument=argument,
            failed=tuple(json.loads(f"[{failed}]")),
            missing=tuple(json.loads(f"[{missing}]")),
            evidence=json.loads(f"{{{evidence}}}"),
            file=self.files[src],
            row=at,
            due_on=due_on or "",
            late=late or "",
            put_right_on=self.put_right_on[rule],
            group=str(label or ""),
            restated=None if since is None else Restated(str(since), int(str(times)) + 1),
            waiver=self.accepted[waiver] if isinstance(waiver, int) else None,
        )

    def findings_json(self) -> Iterator[str]:
        """The same as JSON objects, many in one text, with a comma and a line end between; written by the engine."""
        self.con.execute(dialect.RULE_TEXT)
        rows: list[tuple[object, ...]] = []
        for i, r in enumerate(self.rules):
            head = f'{{"rule":{json.dumps(r.id)},"outcome":"'
            after_outcome = f'","severity":"{r.severity}","layer":"{r.layer}","subject":{{"record":"{r.record}","key":'
            part = json.dumps(r.part, ensure_ascii=False) if r.part else "null"
            after_key = f',"part":{part}}},"cites":{json.dumps(list(r.cites))},"argument":'
            requirement = json.dumps(r.requirement or None, ensure_ascii=False)
            after_due = f',"workstream":"{r.put_right.workstream}","requirement":{requirement},"fingerprint":"'
            rows.append((i, r.id, r.record, r.rest, head, after_outcome, after_key, after_due))
        if rows:
            self.con.execute(dialect.rule_text(rows))
        said = [
            json.dumps(
                {"id": a.id, "until": a.until.isoformat(), "reason": a.reason, "approved_by": a.approved_by},
                ensure_ascii=False,
                separators=(",", ":"),
            )
            for a in self.accepted.values()
        ]
        self.con.execute(dialect.WAIVER_TEXT, {"n": list(self.accepted), "said": said})
        for chunk in self._read(as_json=True):
            yield ",\n".join([text for _, text in chunk])  # type: ignore[misc]


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
    number = next(i for i, n in enumerate(audited.plan.numbers) if n == rule)
    rows = audited.con.execute(audited.plan.explain[number], {"keys": list(keys)}).fetchall()
    labels = audited.plan.conditions[number]
    return {str(key): _explained(labels, values) for key, *values in rows}


def _explained(labels: tuple[str, ...], values: Sequence[Any]) -> Explained:
    applies, verdict, pending, due_on, margin, argument, *rest = values
    outcome: Outcome
    if verdict is not True:
        outcome = "breach" if verdict is False else "not_evidenced"
    elif applies is False:
        outcome = "not_applicable"
    else:
        outcome = "pending" if pending and applies else "compliant"
    conditions = tuple((label, rest[2 * i], rest[2 * i + 1] or "") for i, label in enumerate(labels))
    said = argument if outcome in ("breach", "not_evidenced") else ""
    return Explained(outcome, applies, due_on or "", None if margin is None else int(margin), said, conditions)


def _ask(
    con: duckdb.DuckDBPyConnection, record: RecordPlan, rules: tuple[int, ...], counted: dict[int, tuple[int, int, int]]
) -> None:
    counts, where = record.counts(rules)
    row = con.execute(counts).fetchone()
    con.execute(dialect.HITS_INSERT.format(select=record.hits(rules)))
    assert row is not None
    for n, (not_applicable, pending) in zip(rules, where, strict=True):
        counted[n] = (row[0], 0 if not_applicable < 0 else row[not_applicable], 0 if pending < 0 else row[pending])


def set_up(con: duckdb.DuckDBPyConnection, plan: Plan, keep: frozenset[str], n_at_a_time: int) -> None:
    """Makes what the plan's questions are asked of, and keeps the tables of the kinds in `keep`."""
    if plan.calendar:
        add_calendar(con)
    kept = {dialect.drop(f"t_{kind}") for kind in keep}
    execute_all(con, [s for s in plan.setup if s not in kept], n_at_a_time)


def each_alone(ask: Callable[[tuple[int, ...]], object], its: tuple[int, ...], failed: dict[int, str]) -> None:
    """Asks for rules together; if the engine cannot, one by one, and those that it cannot carry out have `failed`."""
    import duckdb

    try:
        ask(its)
    except duckdb.Error:
        for n in its:
            try:
                ask((n,))
            except duckdb.Error as e:
                failed[n] = _fault(e)


def _fault(error: duckdb.Error) -> str:
    """What the engine says of a statement that it cannot carry out; of one that fails at a value no more than how, for it quotes it."""
    import duckdb

    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        return str(error).split("\n")[0]
    return f"the engine cannot work with a value of some record ({type(error).__name__})"


def run(
    con: duckdb.DuckDBPyConnection,
    plan: Plan,
    rules: tuple[RuleInfo, ...],
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
    plan = plan.at(as_at)
    n_at_a_time = workers(threads)
    ordered = ordered or Ordered()
    set_up(con, plan, ordered.keep, n_at_a_time)
    con.execute(dialect.HITS_TABLE)
    failed: dict[int, str] = {}
    counted: dict[int, tuple[int, int, int]] = {}

    def ask(record: RecordPlan, its: tuple[int, ...]) -> Job:
        return lambda cursor: each_alone(lambda some: _ask(cursor, record, some, counted), its, failed)

    jobs = [
        ask(record, record.rules[i : i + ASKED])
        for record in sorted(plan.records, key=lambda r: -len(r.rules))
        for i in range(0, len(record.rules), ASKED)
    ]
    run_jobs(con, jobs, n_at_a_time)
    for statement, values in ordered.setup:
        con.execute(statement, values) if values else con.execute(statement)
    places: dict[tuple[str, str], int] = {}
    of = [(n, places.setdefault((r.id, r.own_policy), n)) for n, r in enumerate(rules) if r.part]
    con.execute(reporting.hits_sorted(ordered.by, ordered.earlier, of))
    hits: dict[int, tuple[int, int, int, int]] = {
        r: (breach, unknown, lo, hi) for r, breach, unknown, lo, hi in con.execute(dialect.HIT_COUNTS).fetchall()
    }
    audited = Audited(con, plan, rules, as_at, sources, hits, failed, n_at_a_time)
    return audited, tuple(_result(n, rule, failed, counted, hits) for n, rule in enumerate(rules))


def count(
    con: duckdb.DuckDBPyConnection, plan: CountPlan, days: Sequence[date], threads: int = 0
) -> dict[date, list[tuple[int, tuple[int, ...]]]]:
    """For each day and each question of the plan, how many records there were and how many each condition was true for.

    The tables `t_<kind>` must be there, and stay. A day is left out where no record was there.

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
    found: dict[str, dict[date, tuple[int, ...]]] = {}
    for record, statement in plan.counts:
        found[record] = {day: tuple(its) for day, *its in con.execute(statement).fetchall()}
    counted: dict[date, list[tuple[int, tuple[int, ...]]]] = {}
    for day in days:
        counted[day] = []
        for record, first, end in plan.places:
            its = found[record].get(day, (0,) * (1 + max(e for r, _, e in plan.places if r == record)))
            counted[day].append((its[0], its[1 + first : 1 + end]))
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
    hits: Mapping[int, tuple[int, int, int, int]],
) -> RuleResult:
    if n in failed:
        return RuleResult(rule, "failed", failed[n])
    if n not in counted:
        return RuleResult(rule, rule.status, rule.why)
    total, not_applicable, pending = counted[n]
    breach, unknown, _, _ = hits.get(n, (0, 0, 0, 0))
    return result_of(rule, (total, (not_applicable, pending, breach, unknown)))


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
