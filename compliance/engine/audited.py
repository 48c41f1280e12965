"""The findings of one audit, still in the engine: fetched many at a time, put in order, and worded as they are read (I/O: the database)."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from compliance.dates import put_right_on
from compliance.engine.answers import MEANINGS
from compliance.engine.sidebyside import done_jobs
from compliance.findings import words
from compliance.findings.argument import NONE
from compliance.model import Accepted, Finding, Instrument, Near, Prompt, Reading, Restated, RuleInfo, Source, Whose
from compliance.sql import duckdb as dialect
from compliance.sql import reporting

if TYPE_CHECKING:
    from compliance.engine.database import Connection
    from compliance.engine.sidebyside import Job
    from compliance.findings.argument import Argument
    from compliance.findings.previous import Became
    from compliance.sql.planned import Plan, RecordPlan

    Placed = tuple[int, Finding]
    """A finding with its place in the order of all."""
    Fetch = Callable[[Connection, Mapping[str, object]], "Fetched"]
    """Brings what findings are made of."""

MANY = 2_000
"""A rule with so many findings is fetched by itself: a row brings the values of every rule that it is fetched with."""
CHUNK = 40_000
"""Findings that are fetched at a time; bounds memory whatever their number."""
FINDING = 15
"""Columns of `dialect.findings` that are not values of the record."""


class Hits(NamedTuple):
    """How many findings a rule has, and where they stand.

    Args:
      spans: the first and the last place in the order of all of those with each answer.
    """

    breaches: int = 0
    not_evidenced: int = 0
    spans: tuple[tuple[int, int], ...] = ()

    def among(self, lo: int, hi: int) -> bool:
        """Whether some may stand between two places, these included."""
        return any(first <= hi and last >= lo for first, last in self.spans)


NO_HITS = Hits()


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
class Audited:
    """The findings of one audit, still in the engine; can be read through as often as wanted, never all in memory.

    Args:
      answers, hits: of each rule that ran, by its number; of `hits`, of each with findings.
      whose: for a record kind, what says of its findings whom they are about.
    """

    con: Connection
    plan: Plan
    rules: tuple[RuleInfo, ...]
    arguments: tuple[Argument | None, ...]
    as_at: date
    sources: tuple[Source, ...]
    answers: Mapping[int, Answers] = field(default_factory=dict)
    hits: Mapping[int, Hits] = field(default_factory=dict)
    whose: Callable[[str], tuple[str, str]] = lambda _: dialect.NOBODYS
    n_at_a_time: int = 1
    prompts: tuple[Prompt, ...] = ()
    readings: tuple[Reading, ...] = ()
    readers: Mapping[str, int] = field(default_factory=dict)
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    law: tuple[Instrument, ...] = ()
    accepted: Mapping[int, Accepted] = field(default_factory=dict)
    _begun: list[Generator[Iterator[Finding], None, None]] = field(default_factory=list)

    def stop(self) -> None:
        """Ends what is still being read, so that the engine can be closed whatever its reader has done."""
        for begun in self._begun:
            begun.close()

    @cached_property
    def places(self) -> Mapping[int, Place]:
        """Where each rule that runs stands in the plan, by its number."""
        return {
            number: Place(record, rule, item)
            for record in self.plan.records
            for rule, numbers in enumerate(record.numbers)
            for item, number in numbers
        }

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

    def at(self, places: Sequence[int], rules: Collection[int]) -> dict[int, Finding]:
        """The findings at these places in the order of all, which are of these rules."""
        findings: dict[int, Finding] = {}
        for fetch in self._fetches(rules, dialect.AMONG):
            findings.update(fetch(self.con, {"places": list(places)}).findings())
        return findings

    def became(self, gone: str, rules: Collection[int]) -> dict[int, Became]:
        """What became of records that have no finding any more.

        Args:
          gone: SQL of these records, each with its number.
          rules: by their numbers; they must have run, and their answers been kept.
        """
        by_table: dict[str, list[tuple[int, int, int]]] = {}
        for number in sorted(rules):
            answers = self.answers[number]
            by_table.setdefault(answers.table, []).append((answers.place, answers.item, number))
        became: dict[int, Became] = {}
        for table, asked in by_table.items():
            became.update(self.con.execute(reporting.became(gone, table, asked)).fetchall())
        return became

    def n_unless(self) -> int:
        """How many findings would be none, or not told, if records that belong to nobody were those of whom they are about."""
        n = 0
        for number in self.hits:
            argument, place = self.arguments[number], self.places[number]
            holds = [lost.holds for lost in argument.lost if lost.holds != NONE] if argument is not None else []
            if holds:
                values = [place.record.values[place.record.slots[place.rule][slot]] for slot in holds]
                ((found,),) = self.con.execute(dialect.n_findings(place.record.rows, number, values)).fetchall()
                n += found
        return n

    def n_due_after(self, days: Mapping[str, date]) -> int:
        """How many findings there are of what fell due after a day, of the rules that have one here by their ids."""
        n = 0
        for number in self.hits:
            argument, place, day = self.arguments[number], self.places[number], days.get(self.rules[number].id)
            if day is not None and argument is not None and argument.clock is not None:
                due = place.record.values[place.record.slots[place.rule][argument.clock.due]]
                after = dialect.is_after(due, day)
                ((found,),) = self.con.execute(dialect.n_findings(place.record.rows, number, [after])).fetchall()
                n += found
        return n

    def lacking(self, kinds: Collection[str]) -> dict[str, str]:
        """Of each rule with findings all of whose conditions ask for a record of one of these kinds, by its id, the kind.

        Args:
          kinds: those of which there is no record.
        """
        found: dict[str, str] = {}
        for number in self.hits:
            argument = self.arguments[number]
            needed = [] if argument is None else [c.needs for c in argument.conditions]
            if needed and all(kind in kinds for kind in needed):
                found[self.rules[number].id] = needed[0]
        return found

    def _chunks(self) -> Generator[Iterator[Finding], None, None]:
        """Findings in their order, many at a time: fetched of each record kind by itself, then put in order and made one by one."""
        last = max((last for hits in self.hits.values() for _, last in hits.spans), default=0)
        chunks = [(lo, min(lo + CHUNK - 1, last)) for lo in range(1, last + 1, CHUNK)]
        parts: list[list[Fetched]] = [[] for _ in chunks]
        jobs: list[Job] = []
        chunk_of: list[int] = []
        for i, (lo, hi) in enumerate(chunks):
            rules = {rule for rule, hits in self.hits.items() if hits.among(lo, hi)}
            for fetch in self._fetches(rules, dialect.BETWEEN):
                jobs.append(partial(_put, fetch=fetch, bounds={"lo": lo, "hi": hi}, into=parts[i]))
                chunk_of.append(i)
        left = Counter(chunk_of)
        at = 0
        for done in done_jobs(self.con, jobs, self.n_at_a_time):
            left[chunk_of[done]] -= 1
            while at < len(chunks) and not left[at]:
                in_order = heapq.merge(*(part.findings() for part in parts[at]), key=itemgetter(0))
                yield (finding for _, finding in in_order)
                parts[at].clear()
                at += 1

    def _fetches(self, rules: Collection[int], where: str) -> Iterator[Fetch]:
        """What brings the findings of `rules`, in as few statements as is good."""
        together: dict[tuple[str, int], list[int]] = {}
        for number in sorted(rules):
            hits = self.hits[number]
            alone = number if hits.breaches + hits.not_evidenced >= MANY else -1
            together.setdefault((self.places[number].record.rows, alone), []).append(number)
        for numbers in together.values():
            record = self.places[numbers[0]].record
            asked = {self.places[n].rule for n in numbers}
            values = record.fetching(asked)
            column = {value: FINDING + i for i, value in enumerate(values)}
            slots = {n: record.slots[self.places[n].rule] for n in numbers}
            wordings = {n: _Wording(self, n, [column[slot] for slot in slots[n]]) for n in numbers}
            statement = dialect.findings(record.rows, numbers, list(values.values()), where, self.whose(record.record))
            near = {rule: dialect.at_places(record.near[rule], where) for rule in sorted(asked) if record.near[rule]}
            yield partial(_fetch, statement=statement, near=near, wordings=wordings)


class _Wording:
    """Words the findings of one rule, by its number, out of rows in which its values stand at `columns`.

    Args:
      place: of the rule in its plan.
    """

    def __init__(self, audited: Audited, number: int, columns: Sequence[int]) -> None:
        argument = audited.arguments[number]
        assert argument is not None
        self.place = audited.places[number].rule
        self._audited, self._rule, self._files = audited, audited.rules[number], audited.files
        self._put_right_on = audited.put_right_on[number]
        self._values = words.picking(columns)
        self._words = words.Wording(argument, audited.as_at)

    def finding(self, row: Sequence[Any], near: words.Values) -> Placed:
        """The finding of a row of `dialect.findings`; `near`: what was asked of linked records, if anything was."""
        place, _, _, answer, key, src, at, label, since, times, waiver, name, owner, owner_key, owner_name = row[
            :FINDING
        ]
        outcome, standing, danger = MEANINGS[answer]
        argued = self._words.argued(self._values(row), near, outcome == "not_evidenced", standing)
        # By position: a keyword costs as much as what it names.
        return place, Finding(
            self._rule,
            outcome,
            str(key),
            argued.sentence,
            argued.failed,
            argued.missing,
            argued.evidence,
            self._files[src],
            at,
            argued.due_on,
            argued.late,
            self._put_right_on,
            str(label or ""),
            None if since is None else Restated(str(since), int(times) + 1),
            None if waiver is None else self._audited.accepted[waiver],
            standing,
            self._rule.dangers.of(outcome, standing) if danger else "",
            argued.clause,
            None if argued.near is None else self._placed(argued.near),
            str(name or ""),
            None if owner is None else Whose(owner, str(owner_key), str(owner_name or "")),
            argued.late_words,
            self._words.labels,
            argued.unless,
        )

    def _placed(self, named: words.Named) -> Near:
        sources = self._audited.sources
        source = sources[named.source] if sources else Source("", "", named.record, 0)
        return Near(named.record, named.key, source, named.row, *named.said)


@dataclass(frozen=True)
class Fetched:
    """What findings are made of.

    Args:
      rows: of `dialect.findings`, in order.
      near: by the place of the rule in its plan, what was asked of linked records, by the number of the row.
      wordings: of each rule, by its number.
    """

    rows: list[tuple[Any, ...]]
    near: Mapping[int, Mapping[int, words.Values]]
    wordings: Mapping[int, _Wording]

    def findings(self) -> Iterator[Placed]:
        """The findings in their order, each made when it is read."""
        for row in self.rows:
            wording = self.wordings[row[1]]
            near = self.near.get(wording.place)
            yield wording.finding(row, near.get(row[2], ()) if near else ())


def _fetch(
    con: Connection,
    values: Mapping[str, object],
    statement: str,
    near: Mapping[int, str],
    wordings: Mapping[int, _Wording],
) -> Fetched:
    """What the findings of some rules are made of.

    Args:
      near: what asks for the linked records that they name, by the place of the rule.
    """
    rows = con.execute(statement, values).fetchall()
    rows.sort(key=itemgetter(0))
    return Fetched(rows, {rule: linked_records(con, sql, values) for rule, sql in near.items()}, wordings)


def linked_records(con: Connection, near: str, values: Mapping[str, object]) -> dict[int, tuple[object, ...]]:
    """What a statement of `RecordPlan.near` brings, by the number of the row that it is about."""
    return {row: asked for row, *asked in con.execute(near, values).fetchall()}  # type: ignore[misc]


def _put(con: Connection, fetch: Fetch, bounds: Mapping[str, int], into: list[Fetched]) -> None:
    into.append(fetch(con, bounds))
