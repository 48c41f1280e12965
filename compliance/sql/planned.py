"""A rendered plan: SQL, positions and what findings are worded from; plain data, so that it can be kept as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, TypeVar

from compliance.compiler.ir import NOT_APPLICABLE, PENDING
from compliance.findings.argument import Argument
from compliance.model import Instrument, Prompt, RuleInfo
from compliance.sql import duckdb as dialect
from compliance.sql import forecasting

P = TypeVar("P", "RecordPlan", "AheadPlan")

Numbers = tuple[tuple[int, int], ...]
"""The place of an item among those of the table, and the number of the rule that is asked for it; one pair, at 0, without items."""


@dataclass(frozen=True)
class RecordPlan:
    """What is asked of one record kind, or of its records with the items of lists.

    Args:
      rows: SQL of its rows with their features; `key`: the field that names a record.
      by_item: each record stands there once for each item, whose place is in `item__no`.
      numbers: of each rule; the other tuples follow it.
      answers: what each rule says of a row, one of `ir.ANSWERS`; `may_be_pending`: whether that can be one of them.
      values: what findings are worded from; `slots`: of each rule, the places of its own.
      near: of each rule, the statement that asks for the linked records that its findings name; empty: they name none.
    """

    record: str
    rows: str
    key: str
    by_item: bool
    numbers: tuple[Numbers, ...]
    answers: tuple[str, ...]
    may_be_pending: tuple[bool, ...]
    values: tuple[str, ...]
    slots: tuple[tuple[int, ...], ...]
    near: tuple[str, ...]

    def answering(self, rules: Sequence[int]) -> str:
        """What each of `rules`, by its place here, says of each row."""
        return dialect.answers(self.rows, self.key, [self.answers[i] for i in rules], self.by_item)

    def counting(self, rules: Sequence[int]) -> list[tuple[int, int]]:
        """The answers of `rules` that are counted: a place among them, and which answer; findings are counted by themselves."""
        pending = [(i, PENDING) for i, rule in enumerate(rules) if self.may_be_pending[rule]]
        return [*((i, NOT_APPLICABLE) for i in range(len(rules))), *pending]

    def asked_for(self, rules: Sequence[int]) -> list[tuple[int, int, int]]:
        """Place among `rules`, place of the item, and number."""
        return [(i, item, number) for i, rule in enumerate(rules) for item, number in self.numbers[rule]]

    def fetching(self, rules: Iterable[int]) -> dict[int, str]:
        """The values that `rules`, by their places here, need: the place of each here, and its SQL."""
        return {v: self.values[v] for v in sorted({v for rule in rules for v in self.slots[rule]})}


@dataclass(frozen=True)
class AheadPlan:
    """What lies ahead of one record kind, or of its records with the items of lists.

    Args:
      rows, key, by_item, numbers: as in `RecordPlan`.
      values: of each rule, as `compiler.ahead` has them: standing, due, since, limit, certain.
      whats: of each rule and item, what is to be done.
      limits: of each rule, its limits in words.
    """

    rows: str
    key: str
    by_item: bool
    numbers: tuple[Numbers, ...]
    values: tuple[tuple[str, ...], ...]
    whats: tuple[tuple[str, ...], ...]
    limits: tuple[tuple[str, ...], ...]

    def standings(self, rules: Sequence[int]) -> str:
        """The rows that have a standing under one of `rules`, by their places here."""
        asked = [(self.numbers[n], self.values[n]) for n in rules]
        return forecasting.standings(self.rows, self.key, asked, self.by_item)


@dataclass(frozen=True)
class Plan:
    """Everything that the engine is told.

    Args:
      setup: statements in order, that make the tables.
      calendar: whether they need the working-day calendar.
      ahead: what a forecast asks, which asks nothing else; one for each record kind.
      adrift: record kinds and links, and what counts the rows that belong to nobody by these.
    """

    setup: tuple[str, ...]
    calendar: bool
    records: tuple[RecordPlan, ...]
    ahead: tuple[AheadPlan, ...] = ()
    adrift: tuple[tuple[str, str, str], ...] = ()

    def at(self, as_at: date) -> Plan:
        """The plan for one day."""
        return self._changed(lambda sql: dialect.at(sql, as_at))

    def counting_adrift(self, counts: Mapping[tuple[str, str], int]) -> Plan:
        """The plan where so many rows belong to nobody, by record kind and link."""
        if not counts:
            return self
        literals = {dialect.adrift(*of): str(n) for of, n in counts.items()}

        def counted(sql: str) -> str:
            for stands, n in literals.items():
                sql = sql.replace(stands, n)
            return sql

        return self._changed(counted)

    def _changed(self, change: Callable[[str], str]) -> Plan:
        def on(value: Any) -> Any:
            if isinstance(value, str):
                return change(value)
            return tuple(on(v) for v in value) if isinstance(value, tuple) else value

        def of(plan: P) -> P:
            return replace(plan, **{f.name: on(getattr(plan, f.name)) for f in fields(plan)})

        return replace(
            self,
            setup=on(self.setup),
            records=tuple(of(r) for r in self.records),
            ahead=tuple(of(a) for a in self.ahead),
            adrift=on(self.adrift),
        )


@dataclass(frozen=True)
class Counted:
    """How many rows of one table many conditions are true for, by day.

    Args:
      statement: gives the day, the place of the item if `by_item`, how many rows there are, then the count of each condition.
      numbers: of each rule; `widths`: how many of the conditions, which stand in order, are its own.
    """

    statement: str
    by_item: bool
    numbers: tuple[Numbers, ...]
    widths: tuple[int, ...]


@dataclass(frozen=True)
class CountPlan:
    """How many records each of many conditions is true for, as at each of many days. Needs the table `day`."""

    setup: tuple[str, ...]
    calendar: bool
    counts: tuple[Counted, ...]


@dataclass(frozen=True)
class PreparedCounts:
    """Plain data: what is counted day by day; `plan` counts each rule that can run by its number."""

    rules: tuple[RuleInfo, ...]
    plan: CountPlan


@dataclass(frozen=True)
class Prepared:
    """Plain data: what a run needs, for any as-at date from `valid_from` to `valid_to` (both inclusive).

    Args:
      arguments: what the findings of each rule are worded from; None for one that does not run.
      readers: how many of the rules that run read each field that is empty somewhere although signs show that something happened.
      reads: of each rule that runs and has a clock, by its id, the record kinds that it reads.
      law: the instruments whose duties the rules that run cite, as far as their catalogues say when they were last looked at.
    """

    rules: tuple[RuleInfo, ...]
    plan: Plan
    valid_from: date
    valid_to: date
    arguments: tuple[Argument | None, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    readers: Mapping[str, int] = field(default_factory=dict)
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    law: tuple[Instrument, ...] = ()
