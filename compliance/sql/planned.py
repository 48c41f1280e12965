"""A rendered plan: SQL and positions only. Nothing in it needs the compiler any more, so it can be cached as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, TypeVar

from compliance.model import Prompt, RuleInfo
from compliance.sql import duckdb as dialect
from compliance.sql import forecasting

P = TypeVar("P", "RecordPlan", "AheadPlan")


@dataclass(frozen=True)
class RecordPlan:
    """What is asked of one record kind.

    Args:
      view, key: where its rows and features are, and the field that names a row.
      rules: positions of its rules in the audit's order; the other tuples follow it.
      told: what verdicts and conditions say more than once: a name and what it stands for.
      verdicts: true: nothing to find; false: breach; NULL: not evidenced.
      not_applicable, pending: conditions to count rows by; empty where that cannot be.
      branches: the texts of a finding: sentence, failed, missing, evidence, due_on, late.
      lets: of each rule, what its texts say more than once: a name and what it stands for.
    """

    record: str
    view: str
    key: str
    rules: tuple[int, ...]
    told: tuple[tuple[str, str], ...]
    verdicts: tuple[str, ...]
    not_applicable: tuple[str, ...]
    pending: tuple[str, ...]
    branches: tuple[tuple[str, ...], ...]
    lets: tuple[tuple[tuple[str, str], ...], ...]

    def places(self, rules: Iterable[int]) -> list[int]:
        """Where `rules` stand in this plan."""
        return [self.rules.index(n) for n in rules]

    def hits(self, rules: tuple[int, ...]) -> str:
        """The rows that fail one of `rules`."""
        verdicts = [(self.rules[i], self.verdicts[i]) for i in self.places(rules)]
        return dialect.hits(self.view, self.key, verdicts, self.used(sql for _, sql in verdicts))

    def used(self, said: Iterable[str]) -> list[tuple[str, str]]:
        """Those of `told` that are named in `said`."""
        return named(self.told, said)

    def texts(self, rules: Iterable[int]) -> list[dialect.Branch]:
        """What the engine needs to write the findings of `rules`."""
        rules = list(rules)
        return [(n, self.branches[i], self.lets[i]) for n, i in zip(rules, self.places(rules), strict=True)]

    def counts(self, rules: tuple[int, ...]) -> tuple[str, list[tuple[int, int]]]:
        """A statement that counts rows, and for each rule the columns of not applicable and pending (-1: none)."""
        columns: dict[str, int] = {}

        def column(sql: str) -> int:
            return columns.setdefault(sql, len(columns) + 1) if sql else -1

        where = [(column(self.not_applicable[i]), column(self.pending[i])) for i in self.places(rules)]
        return dialect.counts(self.view, list(columns), self.used(columns)), where


@dataclass(frozen=True)
class AheadPlan:
    """What lies ahead of one record kind.

    Args:
      view, key, rules, told: as in `RecordPlan`.
      values: of each rule, as `compiler.ahead` has them: standing, due, since, limit, certain.
      whats: of each rule, what is to be done.
    """

    view: str
    key: str
    rules: tuple[int, ...]
    told: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, ...], ...]
    whats: tuple[str, ...]

    def standings(self, rules: tuple[int, ...]) -> str:
        """The rows that have a standing under one of `rules`."""
        its = [(n, self.values[self.rules.index(n)]) for n in rules]
        return forecasting.standings(self.view, self.key, its, named(self.told, (sql for _, v in its for sql in v)))


def named(told: Iterable[tuple[str, str]], said: Iterable[str]) -> list[tuple[str, str]]:
    """Those of `told` that are named in `said`."""
    text = " ".join(said)
    return [(alias, sql) for alias, sql in told if f'"{alias}"' in text]


@dataclass(frozen=True)
class Plan:
    """Everything that the engine is told.

    Args:
      setup: statements in order, that make the tables and views.
      calendar: whether they need the working-day calendar.
      numbers: the position of each rule in the audit's order; `explain` and `conditions` follow it.
      explain: for each rule, the statement that tells how each condition came out for the records `$keys`: key, whether it applies, the
        verdict, pending, the day due, the days left to it, the sentence, then truth and terms of each condition.
      conditions: for each rule, the conditions in the order of `explain`.
      ahead: what a forecast asks, which asks nothing else; one for each record kind.
    """

    setup: tuple[str, ...]
    calendar: bool
    records: tuple[RecordPlan, ...]
    numbers: tuple[int, ...]
    explain: tuple[str, ...] = ()
    conditions: tuple[tuple[str, ...], ...] = ()
    ahead: tuple[AheadPlan, ...] = ()

    def at(self, as_at: date) -> Plan:
        """The plan for one day."""

        def on(value: Any) -> Any:
            if isinstance(value, str):
                return dialect.at(value, as_at)
            return tuple(on(v) for v in value) if isinstance(value, tuple) else value

        def of(plan: P) -> P:
            return replace(plan, **{f.name: on(getattr(plan, f.name)) for f in fields(plan)})

        return replace(
            self,
            setup=on(self.setup),
            records=tuple(of(r) for r in self.records),
            explain=on(self.explain),
            ahead=tuple(of(a) for a in self.ahead),
        )


@dataclass(frozen=True)
class CountPlan:
    """How many records each of many conditions is true for, as at each of many days. Needs the table `day`.

    Args:
      counts: a record kind, and the statement that counts all conditions on it at once.
      places: for each question the record kind, and from where to where (exclusive) its conditions stand in that statement.
    """

    setup: tuple[str, ...]
    calendar: bool
    counts: tuple[tuple[str, str], ...]
    places: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Prepared:
    """Plain data: what a run needs, for any as-at date from `valid_from` to `valid_to` (both inclusive)."""

    rules: tuple[RuleInfo, ...]
    plan: Plan
    valid_from: date
    valid_to: date
    prompts: tuple[Prompt, ...] = ()
