"""The whole way of the data, one call a stage; the only module that knows the order."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from compliance.errors import ComplianceError, nearest
from compliance.findings.report import Report
from compliance.model import RAN, SEVERITIES, Frequency, Prompt, Prompted, RecordKinds, RuleResult, Severity, Tables
from compliance.privacy.pseudonyms import NOTHING_SHOWN, PSEUDONYM, Key, Privacy

if TYPE_CHECKING:
    import duckdb

    from compliance.engine.run import Audited, Explained, Ordered
    from compliance.findings.forecast import Forecast
    from compliance.findings.previous import Earlier, Previous
    from compliance.findings.trend import Trend
    from compliance.findings.waivers import Judged, Waiver
    from compliance.kpis.kpi import Counts, Framework, KpiReport, Measure, Point
    from compliance.records.answers import Imported
    from compliance.records.mapping import Mapping
    from compliance.rules.checking import CheckedRule
    from compliance.rules.coverage import Coverage
    from compliance.rules.rulebook import Rulebook
    from compliance.sql.planned import Prepared

MAPPING = "mapping.yaml"
PARAMETERS = "parameters.yaml"
WAIVERS = "waivers.yaml"

SMALL = 150_000
"""Rows up to which one thread a statement is faster than two: starting and joining threads costs more than the work."""
SMALL_BYTES = 16_000_000
"""An export of so many bytes may still be a small one; the rows decide once they are there."""


@dataclass(frozen=True)
class Audit:
    """What is asked for.

    Args:
      data: a folder of CSV files, one CSV file, or a workbook.
      mapping, parameters: the agency's files; None: `mapping.yaml` and `parameters.yaml` beside the data, if there.
      rules: another folder of rules than the one shipped.
      only: rule ids; empty: all.
      memory, threads: limits for the engine; empty and 0: by the size of the export.
      use_cache: whether a plan made before may be used, and this one kept.
      by: what to group the findings by, one of `grouping.BY`; empty: nothing.
      previous: the JSON of an earlier audit to hold them against.
      sample: how many records to draw for each duty that only reading can settle; 0: none.
      seed: what they are drawn by; None: by the as-at date.
      baseline: only what `previous` does not have can fail the run.
      waivers: the risks that the agency has accepted; None: `waivers.yaml` beside the data, if there.
      whose: whether it will be asked whose file each finding is in, and which team answers for it.
      of_kpis: `only` are KPIs, whose records are asked for one by one.
      privacy: whether what is personal is shown, and pseudonyms stand for ids.
    """

    data: Path
    as_at: date
    mapping: Path | None = None
    parameters: Path | None = None
    rules: Path | None = None
    only: tuple[str, ...] = ()
    memory: str = ""
    threads: int = 0
    use_cache: bool = True
    by: str = ""
    previous: Path | None = None
    sample: int = 0
    seed: int | None = None
    waivers: Path | None = None
    baseline: bool = False
    whose: bool = False
    of_kpis: bool = False
    privacy: Privacy = NOTHING_SHOWN


@dataclass
class Timings:
    """Seconds by stage."""

    stages: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def mark(self, stage: str) -> None:
        """The time since the last mark went to `stage`."""
        now = time.perf_counter()
        self.stages[stage] = self.stages.get(stage, 0.0) + now - self._last
        self._last = now


def beside(data: Path, name: str) -> Path | None:
    """The file `name` in the export's folder, if it is there."""
    path = (data if data.is_dir() else data.parent) / name
    return path if path.is_file() else None


@contextmanager
def loaded(
    data: Path, mapping: Path | None, privacy: Privacy = NOTHING_SHOWN
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Tables]]:
    """Reads, maps and validates an export, and no more.

    Raises:
      ComplianceError: the mapping or the export cannot be used.
    """
    from compliance.engine import run
    from compliance.jobs import planning

    with TemporaryDirectory(prefix="compliance-") as scratch:
        con = run.connect(Path(scratch))
        try:
            kinds = planning.record_kinds()
            translated = planning.mapping(mapping or beside(data, MAPPING), kinds)
            yield con, _tables(con, data, translated, kinds, Path(scratch), privacy)
        finally:
            con.close()


def _tables(
    con: duckdb.DuckDBPyConnection,
    data: Path,
    mapping: Mapping | None,
    kinds: RecordKinds,
    scratch: Path,
    privacy: Privacy,
    threads: int = 0,
) -> Tables:
    """The export in the engine, and of it what may be shown."""
    from compliance.records import loading

    tables = loading.load_tables(con, data, mapping, kinds, scratch, threads, privacy.personal)
    if privacy.key is not None:
        tables = loading.pseudonymised(con, tables, kinds, privacy.key.pads)
    return replace(tables, personal=privacy.personal, pseudonyms=privacy.mark, remarks=privacy.remarks)


def turned_back(data: Path, mapping: Path | None, key: Key, pseudonyms: Collection[str]) -> dict[str, str]:
    """The ids of an export that these pseudonyms were made of with this key; those of other exports and keys are left out.

    Raises:
      ComplianceError: the mapping or the export cannot be used.
    """
    from compliance.jobs import planning
    from compliance.records import loading

    with loaded(data, mapping) as (con, tables):
        return loading.turned_back(con, tables, planning.record_kinds(), key.pads, pseudonyms)


@contextmanager
def _opened(
    asked: Audit | Measuring, day: date, timings: Timings
) -> Iterator[tuple[duckdb.DuckDBPyConnection, RecordKinds, Tables]]:
    """An export in the engine, set for its size and shut off from everything outside; it says what it holds that is not there on `day`."""
    from compliance.engine import run
    from compliance.jobs import planning
    from compliance.records import reading

    data = asked.data

    with TemporaryDirectory(prefix="compliance-") as scratch_name:
        scratch = Path(scratch_name)
        con = run.connect(scratch, asked.memory, asked.threads or 1)
        timings.mark("start")
        try:
            if reading.size(data) < SMALL_BYTES:
                run.set_for_small(con)
            kinds = planning.record_kinds()
            translated = planning.mapping(asked.mapping or beside(data, MAPPING), kinds, asked.use_cache)
            timings.mark("load mapping")
            tables = _tables(con, data, translated, kinds, scratch, asked.privacy, asked.threads)
            timings.mark("read, map and validate")
            if sum(t.rows for t in tables.tables.values()) > SMALL:
                run.set_for_large(con, asked.threads)
            run.lock(con)
            later = run.recorded_later(con, tables, day)
            yield con, kinds, replace(tables, later=later, notes=(*tables.notes, later)) if later else tables
        finally:
            con.close()


@contextmanager
def _audited(
    asked: Audit, timings: Timings, earlier: Earlier | None = None, keep_answers: bool = False
) -> Iterator[tuple[Audited, tuple[RuleResult, ...], Tables]]:
    from compliance.engine import run
    from compliance.jobs import planning

    parameters = asked.parameters or beside(asked.data, PARAMETERS)
    with _opened(asked, asked.as_at, timings) as (con, kinds, tables):
        prepared = planning.plan(
            kinds, tables, asked.as_at, asked.rules, parameters, asked.only, asked.use_cache, asked.of_kpis
        )
        timings.mark("load rules and compile")
        ordered = _ordered(asked, prepared, kinds, tables, earlier, keep_answers)
        read = run.readings(con, tables, asked.as_at)
        audited, results = run.run(con, prepared, asked.as_at, tables.sources, asked.threads, ordered)
        audited.prompts, audited.readings = prepared.prompts, read
        timings.mark("run")
        try:
            yield audited, results, tables
        finally:
            audited.stop()


@contextmanager
def forecast(asked: Audit, days: int, timings: Timings | None = None) -> Iterator[Forecast]:
    """What falls due from the as-at date on, for so many days; it can be read inside the `with` only.

    Raises:
      ComplianceError: the rules, the mapping or the export cannot be used.
    """
    from compliance.engine import arranging, foresee
    from compliance.findings.forecast import Forecast
    from compliance.jobs import planning

    timings = timings or Timings()
    parameters = asked.parameters or beside(asked.data, PARAMETERS)
    with _opened(asked, asked.as_at, timings) as (con, kinds, tables):
        prepared = planning.plan(
            kinds, tables, asked.as_at, asked.rules, parameters, asked.only, asked.use_cache, days=days
        )
        timings.mark("load rules and compile")
        its = prepared.rules
        answering = list(arranging.answering(its, kinds, tables.tables, asked.as_at))
        rules = foresee.foresee(
            con, prepared.plan, its, asked.as_at, answering, frozenset(tables.tables), asked.threads
        )
        timings.mark("run")
        yield Forecast(
            as_at=asked.as_at,
            days=days,
            data=asked.data.name or str(asked.data),
            rules=rules,
            tables=tables,
            due=lambda: foresee.due(con, prepared.plan, its),
        )
        timings.mark("report")


def _ordered(
    asked: Audit, prepared: Prepared, kinds: RecordKinds, tables: Tables, before: Earlier | None, keep_answers: bool
) -> Ordered:
    """How the findings are to be grouped, and what they are held against."""
    from compliance.engine import arranging, run
    from compliance.findings.grouping import OF_RECORDS

    of_records = asked.by in OF_RECORDS
    setup = [*arranging.grouped(asked.by, prepared.rules, kinds, tables.tables, asked.as_at)] if asked.by else []
    if before is not None:
        setup += arranging.held_against(before, prepared.rules)
    by = "" if not asked.by else "record" if of_records else "rule"
    keep = frozenset(tables.tables if of_records or asked.sample or asked.whose else ())
    return run.Ordered(tuple(setup), by, before is not None, keep, keep_answers or before is not None)


def _earlier(asked: Audit) -> Earlier | None:
    """The earlier audit.

    Raises:
      ComplianceError: the file cannot be used.
    """
    if asked.previous is None:
        return None
    from compliance.files import documents
    from compliance.findings.previous import earlier

    how = "Write one with: compliance audit EXPORT --as-at DATE --format json --out FILE"
    try:
        found = earlier(documents.load_json(asked.previous))
    except (ValueError, RecursionError) as e:
        raise ComplianceError(f"{asked.previous} cannot be held against this audit: {e}. {how}.") from e
    if found.pseudonyms != asked.privacy.mark:
        raise ComplianceError(f"{asked.previous} cannot be held against this audit: {_other_ids(found, asked)}.")
    if found.as_at > asked.as_at:
        what = f"it is an audit as at {found.as_at}, later than this one as at {asked.as_at}"
        raise ComplianceError(f"{asked.previous} cannot be held against this audit: {what}.")
    return found


def _other_ids(found: Earlier, asked: Audit) -> str:
    """Why the findings of an earlier audit cannot be told from those of this one."""
    was = (
        f"its ids are pseudonyms, made with the key {found.pseudonyms}"
        if found.pseudonyms
        else "its ids are the export's own"
    )
    now = f"the key given is {asked.privacy.mark}" if asked.privacy.mark else "this audit has no --pseudonymise"
    return f"{was}, and {now}. Audits are held against each other that were made in the same way"


def _previous(
    before: Earlier | None, audited: Audited, results: tuple[RuleResult, ...], as_at: date
) -> Previous | None:
    if before is None:
        return None
    from compliance.findings.previous import Previous, requirements

    now: dict[str, int] = {}
    for r in results:
        if r.rule.requirement and r.breach + r.not_evidenced:
            now[r.rule.requirement] = now.get(r.rule.requirement, 0) + r.breach + r.not_evidenced
    restated = audited.n_restated()
    new = sum(r.breach + r.not_evidenced for r in results) - restated
    listed = requirements(before, now, results, as_at)
    return Previous(before.as_at, restated, new, audited.gone(before, results), listed)


@dataclass(frozen=True)
class _Accepted:
    """The risks that the agency has accepted.

    Args:
      numbers: the place of each in its file.
      left_out: how many others the file holds, which name records otherwise than this audit does.
    """

    path: Path
    waivers: tuple[Waiver, ...]
    numbers: tuple[int, ...]
    left_out: int

    def remarks(self, asked: Audit) -> tuple[str, ...]:
        """That some are not applied, and why."""
        n = self.left_out
        if not n:
            return ()
        ids = (
            "by pseudonyms" if asked.privacy.key is None else "by their own ids, or a finding by its fingerprint alone"
        )
        said = f"{n:,} accepted {'risk' if n == 1 else 'risks'} in {self.path.name}"
        return (f"{said} {'names' if n == 1 else 'name'} records {ids}, and {'is' if n == 1 else 'are'} not applied.",)


def _waivers(asked: Audit) -> _Accepted | None:
    """The risks that the agency has accepted.

    Raises:
      ComplianceError: the file cannot be used.
    """
    path = asked.waivers or beside(asked.data, WAIVERS)
    if path is None or asked.of_kpis:
        return None
    from compliance.findings import waiverfile
    from compliance.findings.waivers import unknown_rules
    from compliance.jobs import planning

    found = waiverfile.read(path)
    refused = waiverfile.refused(path, unknown_rules(found, planning.rule_ids(asked.rules)))
    if refused is not None:
        raise refused
    # A fingerprint alone may be made of an id, and whoever knows what ids look like finds it by trying.
    with_key = asked.privacy.key is not None
    numbers = tuple(n for n, w in enumerate(found) if bool(PSEUDONYM.fullmatch(w.subject)) == with_key)
    return _Accepted(path, tuple(found[n] for n in numbers), numbers, len(found) - len(numbers))


def _judged(
    written: _Accepted | None, audited: Audited, results: tuple[RuleResult, ...], asked: Audit
) -> tuple[Judged, ...]:
    """What each waiver is worth; the findings of those in force are marked.

    Raises:
      ComplianceError: a waiver cannot be meant as it is written.
    """
    if written is None or not written.waivers:
        return ()
    from compliance.findings import waiverfile
    from compliance.findings.waivers import gone, judged, mistakes, place
    from compliance.jobs import planning

    waivers = written.waivers
    places = [place(w, audited.rules) if w.rule else -1 for w in waivers]
    named = [(n, w.subject, "" if w.rule else w.finding) for n, w in zip(places, waivers, strict=True)]
    found, became = audited.waived(named, results)
    of = [found[i][1].rule if i in found else audited.rules[n] if n >= 0 else None for i, n in enumerate(places)]
    wrong = ((written.numbers[n], key, what, how) for n, key, what, how in mistakes(waivers, audited.rules, of))
    refused = waiverfile.refused(written.path, wrong)
    if refused is not None:
        raise refused
    silent = len(set(planning.rule_ids(asked.rules)) - {r.rule.id for r in results if r.status in RAN})
    its = []
    for i, (waiver, n) in enumerate(zip(waivers, places, strict=True)):
        result = results[n] if n >= 0 else next((r for r in results if r.rule.id == waiver.rule), None)
        finding = found[i][1] if i in found else None
        without = gone(waiver, result, became.get(i, ""), silent)
        its.append(judged(waiver, asked.as_at, of[i], finding, without))
    audited.accept({found[i][0]: j.waiver.accepted for i, j in enumerate(its) if j.mutes})
    return tuple(its)


def _new(audited: Audited) -> dict[Severity, int]:
    """How many findings of each severity are new and not accepted."""
    found = dict.fromkeys(SEVERITIES, 0)
    for rule, n in audited.n_new().items():
        found[audited.rules[rule].severity] += n
    return found


def _folder(data: Path) -> str | None:
    """The export's folder from the working directory on; None: it is not below it."""
    folder = (data if data.is_dir() else data.parent).resolve()
    if not folder.is_relative_to(Path.cwd()):
        return None
    path = folder.relative_to(Path.cwd()).as_posix()
    return "" if path == "." else path


def _seed(asked: Audit) -> int | None:
    if not asked.sample:
        return None
    from compliance.engine.sampling import seed_of

    return seed_of(asked.as_at) if asked.seed is None else asked.seed


def _prompts(asked: Audit, audited: Audited, tables: Tables) -> list[Prompted]:
    """What is to be read and judged, and what is not asked."""
    seed = _seed(asked)
    if seed is None:
        return []
    from compliance.dates import english
    from compliance.engine import sampling
    from compliance.jobs import planning

    def left_out(p: Prompt) -> str:
        if asked.as_at < p.from_on:
            return f"in force from {english(p.from_on)}"
        if p.to_on is not None and asked.as_at > p.to_on:
            return f"in force until {english(p.to_on)}"
        if tables.services and not tables.services & set(p.binds):
            return f"binds {' and '.join(p.binds)}"
        return ""

    whole = audited.prompts
    numbered = [(n, p) for n, p in enumerate(whole) if not left_out(p)]
    kinds = planning.record_kinds()
    made = sampling.draws(numbered, audited.rules, kinds, tables.tables, asked.as_at, seed, asked.sample)
    return [replace(p, left_out=left_out(p.prompt)) for p in audited.drawn(whole, made)]


def _whose(asked: Audit, audited: Audited, tables: Tables) -> Iterator[tuple[str, str]]:
    """Whose file each finding is in, and the team that answers for it."""
    from compliance.engine import arranging
    from compliance.findings.grouping import OF_RECORDS
    from compliance.jobs import planning

    kinds = planning.record_kinds()
    its = [audited.labels(arranging.grouped(by, audited.rules, kinds, tables.tables, asked.as_at)) for by in OF_RECORDS]
    yield from zip(*its, strict=True)


def _checked(asked: Audit) -> dict[str, CheckedRule]:
    """The rules as written and checked: a kept plan has only what running them takes."""
    from compliance.jobs import planning

    book = planning.rulebook(asked.rules, asked.parameters or beside(asked.data, PARAMETERS), asked.of_kpis)
    return {r.rule.id: r for r in (book.with_cases(asked.only) if asked.of_kpis else book.rules)}


@contextmanager
def audit(asked: Audit, timings: Timings | None = None) -> Iterator[Report]:
    """Audits an export; the report's findings can be read inside the `with` only.

    Raises:
      ComplianceError: the rules, the mapping or the export cannot be used.
    """
    from compliance.engine import run
    from compliance.records import loading

    timings = timings or Timings()
    before, written = _earlier(asked), _waivers(asked)
    with _audited(asked, timings, before, written is not None) as (audited, results, tables):
        waivers = _judged(written, audited, results, asked)
        if written is not None:
            tables = replace(tables, remarks=(*tables.remarks, *written.remarks(asked)))
        yield Report(
            as_at=asked.as_at,
            data=asked.data.name or str(asked.data),
            rules=run.together(results),
            tables=tables,
            findings=audited.findings,
            quarantined=lambda: loading.quarantined(audited.con),
            folded=lambda: loading.folded(audited.con),
            by=asked.by,
            groups=tuple(audited.groups()) if asked.by else (),
            previous=_previous(before, audited, results, asked.as_at),
            waivers=waivers,
            baseline=_new(audited) if asked.baseline else None,
            folder=_folder(asked.data),
            seed=_seed(asked),
            prompts=lambda: _prompts(asked, audited, tables),
            parts=results,
            readings=audited.readings,
            whose=lambda: _whose(asked, audited, tables),
            checked=lambda: _checked(asked),
        )
        timings.mark("report")


def import_answers(workbook: Path, data: Path, mapping: Path | None, last: date) -> Imported:
    """Keeps beside an export what people filled into a workbook of its audit.

    Args:
      last: the day of the import.

    Raises:
      ComplianceError: the workbook or the export cannot be used, with every cell that is wrong.
    """
    from compliance.engine import run
    from compliance.jobs import planning
    from compliance.records import answers

    filled = answers.read(workbook, last)
    if data.is_file():
        raise ComplianceError(
            f"{data} is one file, beside which answers cannot be kept. Put it into a folder of its own, and audit that folder."
        )
    with loaded(data, mapping) as (con, tables):
        kinds = planning.record_kinds()
        keys = lambda kind: run.keys(con, kinds[kind]) if kind in tables.tables else frozenset()  # noqa: E731
        return answers.keep(workbook, filled, data, keys)


def trend(asked: Audit, first: date, last: date, every: Frequency, timings: Timings | None = None) -> Trend:
    """What became of every rule at each period's end from `first` to `last`, from the same dated records.

    Raises:
      ComplianceError: the rules, the mapping or the export cannot be used, or there are too many days.
    """
    from compliance.compiler.prepare import prepare_trend
    from compliance.dates import ends_between
    from compliance.engine import run
    from compliance.findings.trend import Trend
    from compliance.jobs import planning

    timings = timings or Timings()
    days = ends_between(first, last, every)
    book = planning.rulebook(asked.rules, asked.parameters or beside(asked.data, PARAMETERS))
    timings.mark("load rules")
    with _opened(asked, last, timings) as (con, kinds, tables):
        prepared = prepare_trend(book.chosen(asked.only), kinds, book.figures, tables, days[0], days[-1])
        timings.mark("compile")
        by_day = run.count(con, prepared.plan, days, asked.threads)
        timings.mark("count")
    results = []
    for day in days:
        its = [run.result_of(rule, by_day[day].get(n)) for n, rule in enumerate(prepared.rules)]
        results.append(run.together(its))
    return Trend(asked.as_at, asked.data.name or str(asked.data), tuple(days), tuple(results), tables)


@contextmanager
def kpi_cases(asked: Measuring, code: str, timings: Timings | None = None) -> Iterator[Report]:
    """The records that count against the service in a KPI, or may, as findings.

    Raises:
      ComplianceError: there is no such KPI, it is not computed, or the export cannot be used.
    """
    from compliance.jobs import planning
    from compliance.kpis import measuring

    book = planning.rulebook(asked.rules, asked.parameters or beside(asked.data, PARAMETERS), kpis_only=True)
    frameworks = measuring.chosen(book.frameworks, asked.frameworks, asked.day)
    measures = measuring.measures_of((m for m, _ in book.measures), frameworks)
    measure = _with_codes(measures, frameworks, (code,))[0]
    if measure.rule is None:
        raise ComplianceError(f"{code} is reported, not computed from records: {measure.reported}")
    of_one = Audit(
        asked.data, asked.day, asked.mapping, asked.parameters, asked.rules, (measure.id,), asked.memory, asked.threads
    )
    with audit(replace(of_one, of_kpis=True, whose=True, privacy=asked.privacy), timings) as report:
        yield report


@contextmanager
def explained(asked: Audit, key: str) -> Iterator[list[tuple[RuleResult, Explained | None]]]:
    """How the one rule of `asked.only` came out for a record, in each way in which it is asked; None if there is no such record then."""
    from compliance.engine import run

    with _audited(asked, Timings()) as (audited, results, _):
        yield [(r, run.explain(audited, n, key) if r.status in RAN else None) for n, r in enumerate(results)]


def covered(
    rules: Path | None,
    parameters: Path | None,
    as_at: date | None,
    instruments: tuple[str, ...] = (),
    data: Path | None = None,
    mapping: Path | None = None,
) -> Coverage:
    """Which duties are answered, and by what.

    Args:
      as_at: the day whose law is counted; must be given with `data`.

    Raises:
      ComplianceError: the rules or the export cannot be used, or there is no such instrument.
    """
    from compliance.jobs import planning
    from compliance.rules.coverage import coverage

    book = planning.rulebook(rules, parameters)
    known = sorted({d.instrument for d in book.duties.values()})
    for name in instruments:
        if name not in known:
            raise ComplianceError(
                f"There is no instrument '{name}'{nearest(name, known)}; there are {', '.join(known)}."
            )
    results = None
    if data is not None and as_at is not None:
        with _audited(Audit(data, as_at, mapping, parameters, rules), Timings()) as (_, became, _):
            results = became
    its = [r.rule for r in book.rules]
    return coverage(book.duties.values(), its, book.reading, as_at, instruments, results)


def statements(book: Rulebook, rule: CheckedRule) -> list[str]:
    """What a rule becomes when it runs alone on an export that has everything."""
    from compliance.compiler.prepare import prepare
    from compliance.model import Table
    from compliance.sql import duckdb as dialect

    whole = {n: Table(0, frozenset(k.fields), frozenset(), frozenset(k.links)) for n, k in book.kinds.kinds.items()}
    as_at = rule.rule.from_on if rule.rule.to_on is not None else date.max
    plan = prepare((rule,), book.kinds, book.figures, Tables(whole), as_at).plan
    found = list(plan.setup)
    for record in plan.records:
        rules = range(len(record.numbers))
        _, values, lets = record.fetching(rules)
        numbers = [number for its in record.numbers for _, number in its]
        found += [record.answering(rules), dialect.findings(record.rows, numbers, values, lets, dialect.BETWEEN)]
    return found


@dataclass(frozen=True)
class Measuring:
    """What is asked for of KPIs.

    Args:
      as_at: the day that the export is looked at from.
      day: the one that is reported on, `as_at` or an earlier one.
      frameworks: by name; empty: those in force on `day`.
      codes: only these KPIs; empty: all.
      first, every: from when and how often values are wanted; without, the last periods of each KPI.
      history: the JSON of an earlier report, for what the export does not say.
    """

    data: Path
    as_at: date
    day: date
    mapping: Path | None = None
    parameters: Path | None = None
    rules: Path | None = None
    frameworks: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    first: date | None = None
    every: Frequency | None = None
    history: Path | None = None
    memory: str = ""
    threads: int = 0
    use_cache: bool = True
    privacy: Privacy = NOTHING_SHOWN


def measured(asked: Measuring, timings: Timings | None = None) -> KpiReport:
    """Works out the KPIs of the frameworks asked for from an export.

    Raises:
      ComplianceError: the rules, the mapping, the export or the history cannot be used.
    """
    from compliance.compiler.prepare import prepare_measures
    from compliance.engine import run
    from compliance.jobs import planning
    from compliance.kpis import measuring
    from compliance.kpis.kpi import Counts, KpiReport
    from compliance.rules.checking import needs

    timings = timings or Timings()
    history = _history(asked.history)
    book = planning.rulebook(asked.rules, asked.parameters or beside(asked.data, PARAMETERS), kpis_only=True)
    timings.mark("load KPIs")
    frameworks = in_force = measuring.chosen(book.frameworks, asked.frameworks, asked.day)
    of = {m.id: (m, rule) for m, rule in book.measures}
    measures = measuring.measures_of((m for m, _ in of.values()), frameworks)
    measures = _with_codes(measures, frameworks, asked.codes)
    days = measuring.Days(asked.day, asked.first, asked.every)
    with _opened(asked, asked.day, timings) as (con, kinds, tables):
        if not asked.frameworks and not asked.codes:
            frameworks = measuring.looked_at(in_force, tables.subjects)
            measures = measuring.measures_of(measures, frameworks)
        counted: dict[str, dict[date, Counts]] = {}
        could_not: dict[str, str] = {}
        for period in dict.fromkeys(m.period for m in measures):
            rules = tuple(r for m in measures if m.period == period and (r := of[m.id][1]) is not None)
            prepared = prepare_measures(rules, kinds, book.figures, tables, period)
            timings.mark("compile")
            could_not.update(measuring.could_not(prepared.rules))
            by_day = run.count(con, prepared.plan, [end for _, end in days.of(period)], asked.threads)
            for number, rule in enumerate(prepared.rules):
                if rule.status == "ran":
                    counted[rule.id] = {day: Counts(*counts[number][1]) for day, counts in by_day.items()}
            timings.mark("count")
        reported = run.reported_figures(con, tables, asked.day, asked.as_at)
        timings.mark("reported figures")

    def covers(measure: Measure) -> tuple[date, date] | None:
        rule = of[measure.id][1]
        its = [tables.covers[k] for k in ({n.kind for n in needs(rule, kinds)} if rule else ()) if k in tables.covers]
        return (max(first for first, _ in its), min(last for _, last in its)) if its else None

    values = measuring.computed(measures, days, counted, could_not, covers)
    found = measuring.indicators(measures, frameworks, days, values, reported, history, could_not)
    if asked.codes:
        found = tuple(i for i in found if i.version.code in asked.codes)
    return KpiReport(
        asked.as_at,
        asked.day,
        asked.data.name or str(asked.data),
        tuple(frameworks),
        found,
        tables,
        asked.every is not None,
        left_out=tuple(f for f in in_force if f not in frameworks),
    )


def _with_codes(measures: list[Measure], frameworks: list[Framework], codes: tuple[str, ...]) -> list[Measure]:
    names = {f.name for f in frameworks}
    known = {v.code: m.id for m in measures for v in m.versions if v.framework in names}
    for code in codes:
        if code not in known:
            said = ", ".join(sorted(names))
            raise ComplianceError(f"{said} has no KPI '{code}'{nearest(code, known)}.")
    return [m for m in measures if not codes or m.id in {known[c] for c in codes}]


def _history(path: Path | None) -> dict[tuple[str, str], list[Point]]:
    if path is None:
        return {}
    from compliance.files import documents
    from compliance.kpis import measuring

    try:
        return measuring.history(documents.load_json(path))
    except (ValueError, RecursionError) as e:
        how = "Write one with: compliance kpi EXPORT --as-at DATE --format json --out FILE"
        raise ComplianceError(f"{path} cannot be used as history: {e}. {how}.") from e
