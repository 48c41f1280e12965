"""Rules, record kinds and mapping as jobs need them: read anew, or kept from before."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from compliance.errors import DataError, nearest
from compliance.jobs import shipped
from compliance.jobs.kept import kept
from compliance.kpis.kpi import KpiBook, Measure
from compliance.model import Frequency, Instrument, Reach, RecordKinds, RuleInfo, Tables, WrittenRule
from compliance.records.mapping import Mapping
from compliance.sql.planned import Prepared, PreparedCounts

if TYPE_CHECKING:
    from compliance.jobs.asked import Asked
    from compliance.jobs.book import RuleFolders
    from compliance.rules.rulebook import Rulebook

T = TypeVar("T")


def rule_ids(rules: RuleFolders) -> list[str]:
    """The ids of all rules, by the names of their files; quick."""
    folders = (p.parent for folder in rules.all for p in folder.glob("*/pack.yaml"))
    return sorted(p.stem for folder in folders for p in folder.glob("*.yaml") if p.name != "pack.yaml")


def record_kinds(use_cache: bool = False) -> RecordKinds:
    """The record kinds.

    Args:
      use_cache: they may be kept from before: a third of the time that their hundred files take.
    """

    def read() -> RecordKinds:
        from compliance.records.kinds import read_kinds

        return read_kinds(folder)

    folder = shipped.folders()[1] / "records"
    return kept(RecordKinds, "kinds", (folder,), (), "", read) if use_cache else read()


GROUPS: Map[str, tuple[str, ...]] = {
    "fostering": ("agency", "staff", "panel", "fostering", "children", "concerns"),
    "council": ("annex a", "ssda903", "children", "governance", "kpis"),
}
"""What sort of records each service has, by the group of their kinds."""


def kinds_for(kinds: RecordKinds, service: str) -> RecordKinds:
    """The record kinds that a service has; all for none."""
    return RecordKinds({k: v for k, v in kinds.kinds.items() if not service or v.group in GROUPS[service]})


def plan(kinds: RecordKinds, tables: Tables, asked: Asked, of_kpis: bool = False, days: int | None = None) -> Prepared:
    """The plan for an export of this shape.

    Args:
      of_kpis: `asked.only` are ids of computed KPIs.
      days: of a forecast so far ahead; None: of an audit.

    Raises:
      RulesError: a rule cannot be used, or `asked.only` names one that there is not.
    """

    def make() -> Prepared:
        from compliance.compiler.prepare import prepare, prepare_forecast

        book = asked.kpi_book if of_kpis else asked.book
        if days is not None:
            prepared = prepare_forecast(book.chosen(asked.only), kinds, book.figures, tables, asked.as_at, days)
            return replace(prepared, law=_law(book, prepared.rules))
        rules = book.with_cases(asked.only) if of_kpis else book.chosen(asked.only)
        prepared = prepare(rules, kinds, book.figures, tables, asked.as_at)
        prepared = replace(prepared, law=_law(book, prepared.rules))
        return prepared if asked.only else replace(prepared, prompts=book.prompts())

    shape = repr((_shape(tables), sorted(asked.only), of_kpis, days))
    return _kept(Prepared, "plan", asked, shape, make, lambda p: p.valid_from <= asked.as_at <= p.valid_to)


def reach(kinds: RecordKinds, tables: Tables, asked: Asked) -> Reach:
    """Which rules can run on an export of this shape, without a plan of any.

    Raises:
      RulesError: a rule cannot be used.
    """

    def make() -> Reach:
        from compliance.compiler.prepare import reach

        book = asked.book
        return reach(book.chosen(asked.only), kinds, book.figures, tables, asked.as_at)

    shape = repr((_shape(tables), sorted(asked.only)))
    return _kept(Reach, "reach", asked, shape, make, lambda r: r.valid_from <= asked.as_at <= r.valid_to)


def _law(book: Rulebook, rules: Sequence[RuleInfo]) -> tuple[Instrument, ...]:
    """The instruments of the law that the rules that run cite, if it is known when they were last looked at."""
    named = {book.duties[id_].instrument for r in rules if r.status == "ran" for id_ in r.cites}
    its = (book.instruments[name] for name in sorted(named) if name in book.instruments)
    return tuple(i for i in its if i.looked_at_on is not None)


@dataclass(frozen=True)
class _Written:
    rules: Map[str, WrittenRule]


def written(asked: Asked, of_kpis: bool = False) -> Map[str, WrittenRule]:
    """What each rule asks, by its id: a plan has only what running it takes.

    Args:
      of_kpis: of rules and computed KPIs those that `asked.only` names.

    Raises:
      RulesError: a rule cannot be used, or `asked.only` names one that there is not.
    """

    def make() -> _Written:
        from compliance.report.rules import written

        rules = asked.kpi_book.with_cases(asked.only) if of_kpis else asked.book.rules
        return _Written({r.rule.id: written(r) for r in rules})

    of = repr(sorted(asked.only)) if of_kpis else "rules"
    return _kept(_Written, "written", asked, of, make).rules


def kpi_book(asked: Asked) -> KpiBook:
    """What is said of KPIs.

    Raises:
      RulesError: a KPI cannot be used.
    """

    def make() -> KpiBook:
        from compliance.rules.checking import needs

        book = asked.kpi_book
        looked_at = {
            m.id: tuple(sorted({n.kind for n in needs(rule, book.kinds)}))
            for m, rule in book.measures
            if rule is not None
        }
        return KpiBook(book.frameworks, tuple(m for m, _ in book.measures), looked_at)

    return _kept(KpiBook, "kpis", asked, "", make)


@dataclass(frozen=True)
class _Measuring:
    by_period: Map[Frequency, PreparedCounts]


def measuring(
    kinds: RecordKinds, tables: Tables, asked: Asked, measures: Sequence[Measure]
) -> Map[Frequency, PreparedCounts]:
    """The plans by which the records of measures are counted in an export of this shape: one for each length of period.

    Raises:
      RulesError: a KPI cannot be used.
    """
    ids = {m.id for m in measures}

    def make() -> _Measuring:
        from compliance.compiler.prepare import prepare_measures

        book, by_period = asked.kpi_book, dict[Frequency, PreparedCounts]()
        for period in dict.fromkeys(m.period for m in measures):
            rules = tuple(r for m, r in book.measures if m.id in ids and m.period == period and r is not None)
            by_period[period] = prepare_measures(rules, kinds, book.figures, tables, period)
        return _Measuring(by_period)

    return _kept(_Measuring, "counts", asked, repr((_shape(tables), sorted(ids))), make).by_period


def _kept(
    kind: type[T], stem: str, asked: Asked, of: str, make: Callable[[], T], use: Callable[[T], bool] = lambda _: True
) -> T:
    """What is made of the rule book; or as it was kept, if nothing that has a say has changed since.

    Args:
      of: what else has a say.
    """
    if not asked.export.use_cache:
        return make()
    rules, schemas = shipped.folders()
    # Rules of one's own cite the catalogues that came with the program.
    came_with_it = (rules / "instruments" if asked.rules.instead else rules, schemas / "records")
    own = (*asked.rules.own, *([asked.figures] if asked.figures else ()))
    return kept(kind, stem, came_with_it, own, of, make, use)


def _shape(tables: Tables) -> list[object]:
    return (
        [
            (
                kind,
                sorted(t.columns),
                sorted(t.doubted),
                sorted(t.links),
                t.order,
                sorted(t.near),
                sorted(t.adrift),
                t.unusable > 0,
                sorted(t.shown),
            )
            for kind, t in sorted(tables.tables.items())
        ]
        + [sorted(tables.absent.items()), sorted(tables.services), sorted(tables.empty), sorted(tables.covers.items())]
        + [tables.personal]
    )


def mapping(path: Path | None, kinds: RecordKinds, use_cache: bool = True) -> Mapping | None:
    """The mapping, read and checked; or as it was kept, if neither it nor the record kinds have changed.

    Args:
      path: a file; or the name of a mapping that came with the program, with what is to be set: `annex-a:snapshot_on=2021-09-20`.

    Raises:
      DataError: with every problem in it.
    """
    if path is None:
        return None
    _, schemas = shipped.folders()
    folder = schemas / "mappings"
    file, settings = path, dict[str, str]()
    if not path.is_file() and (named := re.fullmatch(r"([\w-]+)((?::\w+=[^:]+)*)", str(path))):
        file = folder / f"{named[1]}.yaml"
        settings = dict(pair.split("=", 1) for pair in named[2].split(":")[1:])
        if not file.is_file():
            names = [p.stem for p in sorted(folder.glob("*.yaml"))]
            near = nearest(named[1], names) or "."
            there = f"There are {' and '.join(names)}; of a file of your own, give the path"
            raise DataError(f"There is no mapping '{named[1]}'{near} {there}.")

    def make() -> Mapping:
        from compliance.records.mappingfile import read_mapping

        return read_mapping(file, kinds, folder, settings)

    came_with_it = (schemas / "records", folder)
    return kept(Mapping, "mapping", came_with_it, (file,), f"{settings}", make) if use_cache else make()
