"""An audit: what is breached, for whom, on what evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.dates import english
from compliance.engine import arranging, drawing, groups, sampling
from compliance.engine.outcomes import Ordered, run
from compliance.findings.age import old
from compliance.findings.grouping import OF_RECORDS
from compliance.findings.law import looked_at
from compliance.findings.report import Report
from compliance.findings.results import together
from compliance.jobs import accepted, comparison, planning
from compliance.jobs.asked import Asked, Timings
from compliance.jobs.opening import Opened, opened
from compliance.model import Newest, Prompt, Prompted, RuleInfo, RuleResult, Tables
from compliance.records import held, loading

if TYPE_CHECKING:
    from compliance.engine.audited import Audited
    from compliance.findings.previous import Earlier
    from compliance.jobs.accepted import Accepted


@dataclass(frozen=True)
class Options:
    """What an audit says beside its findings, and how they stand in it.

    Args:
      by: what to group the findings by, one of `grouping.BY`; empty: nothing.
      previous: the JSON of an earlier audit to hold them against.
      baseline: only what `previous` does not have can fail the run.
      waivers: the risks that the agency has accepted; None: `waivers.yaml` beside the data, if there.
      sample: how many records to draw for each duty that only reading can settle; 0: none.
      seed: what they are drawn by; None: by the as-at date.
      of_kpis: the rules are KPIs, whose records are asked for one by one; nobody accepts a risk of these.
    """

    by: str = ""
    previous: Path | None = None
    baseline: bool = False
    waivers: Path | None = None
    sample: int = 0
    seed: int | None = None
    of_kpis: bool = False


PLAIN = Options()


@dataclass(frozen=True)
class Background:
    """What the findings are held against, read before the export is."""

    earlier: Earlier | None = None
    accepted: Accepted | None = None


NOTHING_HELD = Background()


@contextmanager
def audit(asked: Asked, options: Options = PLAIN, timings: Timings | None = None) -> Iterator[Report]:
    """Audits an export; the report's findings can be read inside the `with` only.

    Raises:
      ComplianceError: the rules, the mapping or the export cannot be used.
    """
    timings = timings or Timings()
    background = read_background(asked, options)
    with (
        opened(asked.export, asked.as_at, timings) as export,
        report_on(export, asked, options, background, timings) as report,
    ):
        yield report
        timings.mark("report")


def read_background(asked: Asked, options: Options) -> Background:
    """What the findings are to be held against.

    Raises:
      ComplianceError: a file cannot be used.
    """
    earlier = comparison.read(asked, options.previous)
    return Background(earlier, None if options.of_kpis else accepted.read(asked, options.waivers))


@contextmanager
def report_on(
    export: Opened, asked: Asked, options: Options, background: Background, timings: Timings
) -> Iterator[Report]:
    """An opened export audited.

    Raises:
      ComplianceError: the rules cannot be used, or an accepted risk cannot be meant as it is written.
    """
    with outcomes(export, asked, options, background, timings) as (audited, results):
        waivers = accepted.judged(background.accepted, audited, results, asked)
        tables = export.tables.read_by(audited.readers)
        if background.accepted is not None:
            tables = replace(tables, remarks=(*tables.remarks, *background.accepted.remarks(asked)))
        if n := audited.n_unless():
            tables = replace(tables, remarks=(*tables.remarks, _unless(n)))
        read = set[str]().union(*audited.reads.values())
        silent = [n for n in tables.newest if n.record in read and n.silent(asked.as_at)]
        age = old(silent, audited.n_due_after(_known_to(silent, audited.reads)), asked.as_at)
        tables = replace(tables, remarks=(*tables.remarks, *age, *looked_at(audited.law, asked.as_at)))
        seed = _seed(asked, options)
        yield Report(
            as_at=asked.as_at,
            data=asked.export.name,
            rules=together(results),
            tables=tables,
            findings=audited.findings,
            quarantined=lambda: loading.quarantined(audited.con),
            folded=lambda: loading.folded(audited.con),
            by=options.by,
            groups=tuple(groups.groups(audited)) if options.by else (),
            previous=comparison.compared(background.earlier, audited, results, asked.as_at),
            waivers=waivers,
            baseline=comparison.n_new(audited) if options.baseline else None,
            folder=_from_working_directory(asked.export.folder),
            seed=seed,
            prompts=lambda: [] if seed is None else _prompts(export, asked, audited, seed, options.sample),
            parts=results,
            readings=audited.readings,
            teams=lambda: _teams(export, asked, audited),
            written=lambda: planning.written(asked, options.of_kpis),
            lacking=_lacking(audited, results, tables),
        )


@contextmanager
def outcomes(
    export: Opened,
    asked: Asked,
    options: Options = PLAIN,
    background: Background = NOTHING_HELD,
    timings: Timings | None = None,
) -> Iterator[tuple[Audited, tuple[RuleResult, ...]]]:
    """What became of every rule, and the findings in the engine: planned, then run.

    Raises:
      ComplianceError: the rules cannot be used.
    """
    timings = timings or Timings()
    con, tables, as_at = export.con, export.tables, asked.as_at
    prepared = planning.plan(export.kinds, tables, asked, options.of_kpis)
    timings.mark("load rules and compile")
    ordered = _ordered(export, asked, options, prepared.rules, background)
    readings = held.readings(con, tables, as_at)
    audited, results = run(con, prepared, as_at, tables.sources, asked.export.threads, ordered)
    audited.readings, audited.readers, audited.law = readings, prepared.readers, prepared.law
    audited.reads = prepared.reads
    timings.mark("run")
    try:
        yield audited, results
    finally:
        audited.stop()


def _known_to(silent: Sequence[Newest], reads: Mapping[str, Collection[str]]) -> dict[str, date]:
    """Of each rule that reads some of these kinds, by its id, the day of the newest record among them."""
    days = {i: [n.on for n in silent if n.record in its] for i, its in reads.items()}
    return {i: max(its) for i, its in days.items() if its}


def _lacking(audited: Audited, results: Sequence[RuleResult], tables: Tables) -> dict[str, str]:
    """Of each rule that no record meets because there is no record at all of a kind, by its id, that kind."""
    found = audited.lacking({kind for kind, table in tables.tables.items() if not table.rows})
    met = {r.rule.id for r in results if r.compliant}
    return {rule: kind for rule, kind in found.items() if rule not in met}


def _unless(n: int) -> str:
    which = "1 finding rests" if n == 1 else f"{n:,} findings rest"
    return f"{which} on a count that records which belong to nobody could change; {'it says' if n == 1 else 'each says'} which."


def _ordered(
    export: Opened, asked: Asked, options: Options, rules: tuple[RuleInfo, ...], background: Background
) -> Ordered:
    """How the findings are to be grouped, and what they are held against."""
    earlier = background.earlier
    of_records = options.by in OF_RECORDS
    tables = export.tables.tables
    names = arranging.names_shown(tables, export.tables.personal)
    whose = partial(arranging.whose, kinds=export.kinds, tables=tables, names=names)
    setup = [*arranging.grouped(options.by, rules, export.kinds, tables, asked.as_at)] if options.by else []
    if earlier is not None:
        setup += arranging.held_against(earlier, rules)
    setup += arranging.naming(names)
    by = "" if not options.by else "record" if of_records else "rule"
    keep_answers = earlier is not None or background.accepted is not None
    return Ordered(tuple(setup), by, earlier is not None, whose, keep_answers)


def _from_working_directory(folder: Path) -> str | None:
    """The export's folder from the working directory on; None: it is not below it."""
    folder = folder.resolve()
    if not folder.is_relative_to(Path.cwd()):
        return None
    path = folder.relative_to(Path.cwd()).as_posix()
    return "" if path == "." else path


def _seed(asked: Asked, options: Options) -> int | None:
    """What records to be read are drawn by; None: none are."""
    if not options.sample:
        return None
    return sampling.seed_of(asked.as_at) if options.seed is None else options.seed


def _prompts(export: Opened, asked: Asked, audited: Audited, seed: int, n: int) -> list[Prompted]:
    """What is to be read and judged, `n` records a duty, and what is not asked."""
    tables = export.tables

    def left_out(p: Prompt) -> str:
        if asked.as_at < p.from_on:
            return f"in force from {english(p.from_on)}"
        if p.to_on is not None and asked.as_at > p.to_on:
            return f"in force until {english(p.to_on)}"
        if tables.services and not tables.services & set(p.binds):
            return f"binds {' and '.join(p.binds)}"
        return ""

    prompts = audited.prompts
    numbered = [(i, p) for i, p in enumerate(prompts) if not left_out(p)]
    draws = sampling.draws(numbered, audited.rules, audited.hits, export.kinds, tables.tables, asked.as_at, seed, n)
    return [
        replace(p, left_out=left_out(p.prompt)) for p in drawing.drawn(audited.con, prompts, draws, audited.n_at_a_time)
    ]


def _teams(export: Opened, asked: Asked, audited: Audited) -> list[str]:
    """The team that answers for each finding."""
    setup = arranging.grouped("team", audited.rules, export.kinds, export.tables.tables, asked.as_at)
    return groups.labels(audited, setup)
