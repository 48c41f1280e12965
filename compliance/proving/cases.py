"""The examples inside rule files, run through the engine like any export."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from compliance.compiler.prepare import prepare
from compliance.dates import parse_date
from compliance.engine import signs
from compliance.errors import Location, Problem, RulesError, nearest
from compliance.files.temporary import scratch_folder
from compliance.model import Case, Field, Finding, RecordKinds, Source, Table, Tables
from compliance.rules import wording
from compliance.rules.checking import CheckedDeadline, CheckedEvery, CheckedRule, needed, needs, sources_in
from compliance.rules.rulebook import Rulebook, with_figures
from compliance.sql import duckdb as dialect

if TYPE_CHECKING:
    from compliance.engine.database import Connection
    from compliance.findings.explained import Explained

UNREADABLE = "?"
"""In a case, a cell that was filled but cannot be read."""
NEARLY = "~"
"""Stands before the key of the record that a link nearly names."""
MAY_BE = "may_be_theirs"
"""In a case, what makes a linked record one that nearly names the one that it is told under."""

Row = dict[str, object]


@dataclass(frozen=True)
class Verdict:
    """What the engine gave for a case."""

    outcome: str
    due_on: str = ""
    late: str = ""
    failed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    argument: str = ""
    margin: int | None = None
    standing: str = ""
    danger: bool = False


@dataclass(frozen=True)
class CaseResult:
    """A case and what became of it; `wrong` says how it differs from what it must give."""

    rule: CheckedRule
    case: Case
    verdict: Verdict
    wrong: tuple[str, ...]


@dataclass
class World:
    """Rows by record kind, as a case tells them; keys and link fields are filled in."""

    kinds: RecordKinds
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    problems: list[str] = field(default_factory=list)

    def add(self, kind: str, written: object, prefix: str, way: str, links: Mapping[str, str] | None = None) -> str:
        """One record with everything under it; gives its key."""
        declared = self.kinds[kind]
        # In the order in which they are told, however many there are: of records of one day the later one has the later key.
        key = f"{prefix}{kind}-{len(self.rows[kind]) + 1:06}"
        if written is None:
            written = {}
        if not isinstance(written, dict):
            self.problems.append(f"{way} must be a group of fields")
            return key
        given = written.get(declared.key)
        if isinstance(given, str):
            key = prefix + given
        row: Row = {declared.key: key}
        self.rows[kind].append(row)
        for name, value in written.items():
            if name == declared.key or (name == MAY_BE and links):
                continue
            here = f"{way}.{name}"
            if name in declared.fields:
                row[name] = self.value(declared.fields[name], value, here)
            elif name in declared.links:
                link = declared.links[name]
                row[link.field] = self.add(link.to, value, prefix, here)
            elif name in self.kinds.down[kind]:
                link = self.kinds.down[kind][name]
                if not isinstance(value, list):
                    self.problems.append(f"{here} must be a list of records")
                    continue
                for item in value:
                    self.add(link.kind, item, prefix, here, {link.field: key})
            else:
                known = [*declared.fields, *declared.links, *self.kinds.down[kind]]
                self.problems.append(f"{kind} has no field or link '{name}'{nearest(str(name), known)}")
        nearly = NEARLY if written.get(MAY_BE) is True else ""
        row.update({f: nearly + to for f, to in (links or {}).items()})
        return key

    def value(self, f: Field, written: object, way: str) -> object:
        """A cell in its type."""
        if written is None or written == UNREADABLE:
            return written
        try:
            match f.type:
                case "date":
                    return parse_date(written)
                case "integer" if isinstance(written, int) and not isinstance(written, bool):
                    return written
                case "number" if isinstance(written, int | float) and not isinstance(written, bool):
                    return Decimal(str(written))
                case "boolean" if isinstance(written, bool):
                    return written
                case "text" if isinstance(written, str):
                    if f.codes and written not in f.codes:
                        raise ValueError(f"'{written}' is not one of its codes{nearest(written, f.codes)}")
                    return written
                case "list" if isinstance(written, list):
                    return [str(w) for w in written]
            raise ValueError(f"{written!r} is not a {f.type}")
        except ValueError as e:
            self.problems.append(f"{way}: {e}")
            return None


def run_cases(book: Rulebook, rules: Iterable[CheckedRule]) -> Iterator[CaseResult]:
    """Runs the cases of `rules`: all those with one as-at date and the same figures together.

    Raises:
      RulesError: a case tells of records that cannot be.
    """
    together: dict[tuple[date, str], list[tuple[CheckedRule, Case]]] = defaultdict(list)
    for rule in rules:
        for case in rule.rule.cases:
            together[case.as_at, repr(sorted(case.parameters.items()))].append((rule, case))
    problems: list[Problem] = []
    results: dict[tuple[str, str], CaseResult] = {}
    for (as_at, _), batch in sorted(together.items(), key=lambda t: t[0]):
        figures = batch[0][1].parameters
        this = with_figures(book, figures) if figures else book
        for rule, case in batch:
            if case.part not in rule.parts:
                asked = (
                    f"the rule is asked for each {rule.each[0]}"
                    if rule.each
                    else "the rule is asked once, not in parts"
                )
                which = f"no part '{case.part}'{nearest(case.part, rule.parts)}" if case.part else "no part"
                problems.append(Problem(Location(rule.rule.file), f"case '{case.name}' names {which}; {asked}"))
            for name in case.parameters:
                if name not in rule.parameters:
                    what = f"case '{case.name}': the rule has no parameter '{name}'{nearest(name, rule.parameters)}"
                    problems.append(Problem(Location(rule.rule.file), what))
        if problems:
            continue
        for result in _run_batch(this, as_at, batch, problems):
            results[result.rule.rule.id, result.case.name] = result
    if problems:
        raise RulesError("Some cases cannot be run.", problems)
    for rules_together in together.values():
        for rule, case in rules_together:
            yield results[rule.rule.id, case.name]


def _run_batch(
    book: Rulebook, as_at: date, batch: list[tuple[CheckedRule, Case]], problems: list[Problem]
) -> Iterator[CaseResult]:
    from compliance.engine import database
    from compliance.engine.explaining import explain_all
    from compliance.engine.outcomes import run

    world = World(book.kinds)
    roots: dict[tuple[str, str], str] = {}
    for i, (rule, case) in enumerate(batch):
        roots[rule.rule.id, case.name] = _tell(rule, case, f"{i}/", world, problems)
    # The rules of a batch, each once, in the order of the book.
    ids = {rule.rule.id for rule, _ in batch}
    its_rules = tuple(r for r in book.every if r.rule.id in ids)
    with scratch_folder() as scratch:
        con = database.connect(scratch, threads=1)
        database.set_for_small(con)
        try:
            tables = fill(con, book.kinds, world.rows, asked_for(its_rules, book.kinds))
            parameters = book.figures
            prepared = prepare(its_rules, book.kinds, parameters, tables, as_at)
            audited, results = run(con, prepared, as_at, tables.sources)
            found: dict[tuple[str, str, str], Finding] = {
                (f.rule.id, f.rule.part, f.key): f for f in audited.findings()
            }
            settled = {(r.rule.id, r.rule.part): (n, r) for n, r in enumerate(results)}
            # A rule that did not run was asked in no part.
            asked = [settled.get((rule.rule.id, case.part)) or settled[rule.rule.id, ""] for rule, case in batch]
            keys: dict[int, list[str]] = defaultdict(list)
            for (number, result), (rule, case) in zip(asked, batch, strict=True):
                if result.status in ("ran", "looked at nothing"):
                    keys[number].append(roots[rule.rule.id, case.name])
            explained = {number: explain_all(audited, number, its) for number, its in keys.items()}
            for (number, result), (rule, case) in zip(asked, batch, strict=True):
                key = roots[rule.rule.id, case.name]
                if result.status in ("not in force", "switched off"):
                    verdict = Verdict("not_applicable")
                elif result.status in ("could not run", "failed"):
                    verdict = Verdict(result.status, argument=result.why)
                else:
                    verdict = _verdict(explained[number].get(key), found.get((rule.rule.id, case.part, key)))
                yield CaseResult(rule, case, verdict, tuple(_compare(case, verdict)))
        finally:
            con.close()


def _tell(rule: CheckedRule, case: Case, prefix: str, world: World, problems: list[Problem]) -> str:
    """Puts a case's records into the world; gives the key of the one that is asked about."""
    record = rule.rule.record
    kinds = world.kinds
    before = len(world.problems)
    down, up = kinds.down[record], kinds[record].links
    asked_about = case.records.get(record)
    root = dict(cast(dict[str, object], asked_about)) if isinstance(asked_about, dict) else dict[str, object]()
    if asked_about is not None and not isinstance(asked_about, dict):
        world.problems.append(f"{record} must be a group of fields")
    for name, value in case.records.items():
        if name == record:
            continue
        if name in down or name in up:
            root[name] = value
        else:
            world.problems.append(f"'{name}' is neither {record} nor a link of it{nearest(name, [record, *down, *up])}")
    key = world.add(record, root, prefix, record)
    for what in world.problems[before:]:
        problems.append(Problem(Location(rule.rule.file), f"case '{case.name}': {what}"))
    return key


def _compare(case: Case, got: Verdict) -> Iterator[str]:
    if got.outcome != case.outcome:
        yield f"must give {case.outcome}, gave {got.outcome}"
        return
    if case.due_on is not None and got.due_on != case.due_on.isoformat():
        yield f"must fall due on {case.due_on}, fell due on {got.due_on or 'no day'}"
    if case.late and got.late != case.late.replace("_", " "):
        yield f"must be late by {case.late}, is late by {got.late or 'nothing'}"
    if case.standing is not None and got.standing != case.standing:
        yield f"must be {case.standing}, is {got.standing or 'no finding'}"
    if case.danger is not None and got.danger != case.danger:
        yield "must be a danger, is none" if case.danger else "must be no danger, is one"
    if case.failed is not None and set(case.failed) != set(got.failed):
        yield f"must fail {sorted(case.failed)}, failed {sorted(got.failed)}"
    if case.missing is not None and set(case.missing) != set(got.missing):
        yield f"must miss {sorted(case.missing)}, missed {sorted(got.missing)}"


def asked_for(rules: Iterable[CheckedRule], kinds: RecordKinds) -> frozenset[str]:
    """The record kinds that these rules read: to run at all, or to say how a finding stands."""
    found = set[str]()
    for rule in rules:
        further = rule.further()
        found |= {need.kind for need in (*needs(rule, kinds), *needed(further, sources_in(further), kinds))}
    return frozenset(found)


def fill(
    con: Connection, kinds: RecordKinds, rows: Mapping[str, list[Row]], only: frozenset[str] | None = None
) -> Tables:
    """Makes the tables `t_<kind>` from rows in memory; for examples, not for exports.

    Args:
      only: these kinds, whether there are rows of them or not, and those of which there are; None: all.
    """
    tables: dict[str, Table] = {}
    rid_of = {kind: {row[kinds[kind].key]: rid for rid, row in enumerate(rows.get(kind, []))} for kind in kinds.kinds}
    sources: list[Source] = []
    for name, kind in sorted(kinds.kinds.items()):
        its = rows.get(name, [])
        if not its and only is not None and name not in only:
            continue
        doubted = [f for f in kind.fields if any(_is_unreadable(row.get(f)) for row in its)]
        near = [x for x in kind.links.values() if any(_is_near(row.get(x.field)) for row in its)]
        adrift = [x for x in kind.links.values() if any(row.get(x.field) == UNREADABLE for row in its)]
        columns: list[tuple[str, str]] = [("rid", "integer"), ("src", "integer"), ("row", "integer")]
        columns += [(f.name, f.type) for f in kind.fields.values()]
        columns += [(f"doubt__{f}", "boolean") for f in doubted]
        columns += [(f"link__{link}", "integer") for link in kind.links]
        columns += [(f"link__{link.name}?", "integer") for link in near]
        columns += [(f"adrift__{link.name}", "boolean") for link in adrift]
        values = []
        for rid, row in enumerate(its):
            cells: list[object] = [rid, len(sources), rid + 2]
            cells += [None if _is_unreadable(row.get(f)) else row.get(f) for f in kind.fields]
            cells += [_is_unreadable(row.get(f)) for f in doubted]
            cells += [rid_of[link.to].get(row.get(link.field)) for link in kind.links.values()]
            cells += [
                rid_of[link.to].get(str(row.get(link.field)).removeprefix(NEARLY))
                if _is_near(row.get(link.field))
                else None
                for link in near
            ]
            cells += [row.get(link.field) == UNREADABLE for link in adrift]
            values.append(cells)
        con.execute(dialect.table_of(f"t_{name}", columns))
        if values:
            # What no row has need not be told; and as values they are there far sooner than as text that is parsed.
            told = [
                (c, its)
                for c, its in zip(columns, zip(*values, strict=True), strict=True)
                if any(x is not None for x in its)
            ]
            into = dialect.columns_into(f"t_{name}", [column for column, _ in told])
            con.execute(into, {f"c{i}": list(cells) for i, (_, cells) in enumerate(told)})
        sources.append(Source(name.replace("_", " "), "", name, len(its)))
        tables[name] = Table(
            len(its),
            frozenset(kind.fields),
            frozenset(doubted),
            frozenset(kind.links),
            frozenset(link.name for link in near),
            frozenset(link.name for link in adrift),
        )
    return Tables(signs.marked(con, kinds, tables, date.max), tuple(sources))


def _is_near(cell: object) -> bool:
    return isinstance(cell, str) and cell.startswith(NEARLY)


def _is_unreadable(cell: object) -> bool:
    return cell == UNREADABLE or _is_near(cell)


def _verdict(explained: Explained | None, finding: Finding | None) -> Verdict:
    if explained is None:
        return Verdict("not_applicable", argument="the record does not exist yet on the as-at date")
    if finding is None:
        return Verdict(explained.outcome, explained.due_on, margin=explained.margin)
    # Two ways to the same outcome, the shared scan and the single question, must agree.
    outcome = (
        finding.outcome
        if finding.outcome == explained.outcome
        else f"{finding.outcome}, explained as {explained.outcome}"
    )
    return Verdict(
        outcome,
        finding.due_on,
        finding.late,
        finding.failed,
        finding.missing,
        finding.in_full,
        explained.margin,
        finding.standing,
        bool(finding.danger),
    )


def lacking(rule: CheckedRule, results: list[CaseResult]) -> list[str]:
    """What the cases of a rule leave untried: an outcome, or a side of a limit."""
    # With `unmet: not_evidenced` a rule has no breach.
    outcomes: tuple[str, ...] = (
        ("compliant", "not_evidenced") if rule.rule.unmet != "breach" else ("compliant", "breach", "not_evidenced")
    )
    if rule.rule.period is not None:
        # A number of records has only what is counted and what is not.
        outcomes = (*outcomes, "not_applicable") if rule.rule.check else ("compliant", "not_applicable")
    said = [f"no case is {o}" for o in outcomes if not any(r.verdict.outcome == o for r in results)]
    breaches = {r.verdict.standing for r in results if r.verdict.outcome == "breach"}
    said += [f"no breach of a case is {standing}" for standing in wording.expected(rule) if standing not in breaches]
    if rule.danger_if is not None:
        said += [
            f"no case that is open {what}"
            for danger, what in ((True, "is a danger"), (False, "is no danger"))
            if not any(r.verdict.standing == "open" and r.verdict.danger is danger for r in results)
        ]
    said += wording.lacking(rule)
    if isinstance(rule.check, CheckedDeadline | CheckedEvery):
        margins = {(r.verdict.outcome, r.verdict.margin) for r in results}
        if not any(o in ("compliant", "pending") and m == 0 for o, m in margins):
            said.append("no case is in time on the very day due")
        just_late = any(r.verdict.outcome == "breach" and r.verdict.late in ("1 day", "1 working day") for r in results)
        if not just_late and ("breach", -1) not in margins:
            said.append("no case is late by a single day")
    return said
