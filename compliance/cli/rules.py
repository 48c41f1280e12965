"""`compliance rules`: rules listed, read, tried and explained."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from compliance.cli.asking import data_argument, mapping_option, meaning_options, parameters_option, rules_option
from compliance.cli.ending import FOUND, NOTHING
from compliance.cli.terminal import Day, out_option, print_out, tidy, width
from compliance.errors import ComplianceError

if TYPE_CHECKING:
    from compliance.jobs.book import RuleFolders
    from compliance.rules.rulebook import Rulebook

DIFFERENCES = 20
"""Differences between engine and oracle that are printed before the rest are only counted."""


FIGURES = click.Path(path_type=Path, dir_okay=False)


@click.group()
def rules() -> None:
    """Rules: list, read, test, explain."""


@rules.command("list")
@rules_option
@click.option("--as-at", type=Day(), help="Only rules in force on this day.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def rules_list(rules: RuleFolders, as_at: date | None, format_: str) -> None:
    """List every rule with what it cites.

    Example: compliance rules list --as-at 2021-09-20
    """
    from compliance.jobs.book import read_rulebook
    from compliance.report import rules as pages

    chosen = [
        r
        for r in read_rulebook(rules, None).rules
        if as_at is None or (r.rule.from_on <= as_at and (r.rule.to_on is None or as_at <= r.rule.to_on))
    ]
    print_out(pages.listed(chosen, format_, width()), None)


@rules.command("figures")
@rules_option
@parameters_option
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def rules_figures(rules: RuleFolders, parameters: Path | None, format_: str) -> None:
    """List every figure that the law leaves to judgement, whose it is, and which rules use it.

    Example: compliance rules figures --parameters fixtures/agency/parameters.yaml
    """
    from compliance.jobs.book import read_rulebook
    from compliance.report import rules as pages

    book = read_rulebook(rules, parameters)
    print_out(pages.figures(list(book.figures.values()), book.every, format_, width()), None)


@rules.command("show")
@click.argument("rule_id", metavar="ID")
@rules_option
def rules_show(rule_id: str, rules: RuleFolders) -> None:
    """Print a rule's file.

    Example: compliance rules show staff-references-incomplete
    """
    from compliance.jobs.book import read_rulebook

    rule = read_rulebook(rules, None).with_cases((rule_id,))[0]
    click.echo(Path(rule.rule.file).read_text(encoding="utf-8"), nl=False)


@rules.command("test")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@rules_option
@click.option("-v", "--verbose", is_flag=True, help="Print every case, not only those that fail.")
@click.option(
    "--mutants", is_flag=True, help="Change each rule in small ways instead, and see whether its cases notice."
)
@click.option("--boundaries", is_flag=True, help="Hold the engine against the oracle at every limit and date instead.")
def rules_test(ids: tuple[str, ...], rules: RuleFolders, verbose: bool, mutants: bool, boundaries: bool) -> None:
    """Run the cases in the rule files.

    \b
    Exit codes: 0 all cases give what they must; 1 some do not; 2 could not run.
    With --mutants: 1 a mutant is alive; with --boundaries: 1 engine and oracle differ. docs/rules.md says what that means.

    Example: compliance rules test
    """
    from compliance.jobs.book import read_rulebook
    from compliance.proving import cases

    book = read_rulebook(rules, None)
    if mutants and boundaries:
        raise click.UsageError("--mutants and --boundaries are asked one after the other")
    if mutants:
        _mutants(book, ids)
    if boundaries:
        _boundaries(book, ids)
    n = bad = 0
    for result in cases.run_cases(book, book.with_cases(ids)):
        n += 1
        bad += bool(result.wrong)
        if result.wrong:
            click.echo(tidy(f"FAILED  {result.rule.rule.id}: {result.case.name}"))
            for what in result.wrong:
                click.echo(tidy(f"        {what}"))
            if result.verdict.argument:
                click.echo(f"        {tidy(result.verdict.argument)}")
        elif verbose:
            click.echo(tidy(f"passed  {result.rule.rule.id}: {result.case.name} ({result.verdict.outcome})"))
    click.echo(f"{n - bad:,} of {n:,} cases passed.")
    sys.exit(FOUND if bad else NOTHING)


def _mutants(book: Rulebook, ids: tuple[str, ...]) -> NoReturn:
    from compliance.engine.calendar import closed_days
    from compliance.proving import mutants

    tried = alive = equivalent = wrong = 0
    for result in mutants.Run(book, frozenset(closed_days())).results(book.with_cases(ids)):
        tried += result.tried
        alive += result.n_alive
        equivalent += result.equivalent
        wrong += len(result.wrong)
        for what in result.wrong:
            click.echo(f"{result.rule.rule.id}: {tidy(what)}")
        for a in result.alive:
            click.echo(tidy("\n".join(f"{result.rule.rule.id}: alive: {name}" for name in a.mutants)))
            if a.case:
                click.echo(tidy(f"This case of {a.of} would kill {'it' if len(a.mutants) == 1 else 'them'}:\n{a.case}"))
            else:
                click.echo("No case was found that would; if there can be none, mark it as equivalent and say why.")
            click.echo()
    click.echo(f"{tried:,} mutants, {equivalent:,} marked as equivalent, {alive:,} alive, {wrong:,} remarks.")
    sys.exit(FOUND if alive or wrong else NOTHING)


def _boundaries(book: Rulebook, ids: tuple[str, ...]) -> NoReturn:
    from compliance.engine.calendar import closed_days
    from compliance.proving import boundaries

    count = boundaries.Count()
    n = 0
    for d in boundaries.differences(book, book.with_cases(ids), frozenset(closed_days()), count):
        n += 1
        if n <= DIFFERENCES:
            click.echo(f"{d.rule.rule.id}\n  engine: {d.engine}\n  oracle: {d.oracle}\n{tidy(d.case)}\n")
        elif n == DIFFERENCES + 1:
            click.echo("... and more, which are only counted.")
    click.echo(f"{count.worlds:,} worlds tried in {count.plans:,} plans; engine and oracle differ in {n:,}.")
    sys.exit(FOUND if n else NOTHING)


def _ids(book: Rulebook, roots: Sequence[Path], named: tuple[str, ...]) -> tuple[str, ...]:
    """The rules that are meant: by id, by file, or by the file of their pack; other files beside rules have none.

    Raises:
      ComplianceError: a file is none of the rules'.
    """
    ids: list[str] = []
    files = {Path(r.rule.file).resolve(): r.rule.id for r in book.every}
    for name in named:
        path = Path(name).resolve()
        if path.suffix not in (".yaml", ".yml"):
            ids.append(name)
        elif path in files:
            ids.append(files[path])
        elif path.name == "pack.yaml":
            ids += [id_ for f, id_ in files.items() if f.parent == path.parent]
        elif not any(path.is_relative_to(root.resolve()) for root in roots):
            raise ComplianceError(f"{name} is not in the folder of rules that was read; name that folder with --rules.")
    return tuple(dict.fromkeys(ids))


@rules.command("lint")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@rules_option
def rules_lint(ids: tuple[str, ...], rules: RuleFolders) -> None:
    """Check rule files beyond what running them needs: whether their cases try every outcome and each side of every limit.

    ID is that of a rule, or its file; the pack.yaml of a pack stands for all its rules.

    \b
    Exit codes: 0 nothing to say; 1 something is lacking; 2 a rule cannot be used.

    Example: compliance rules lint
    """
    from compliance.jobs.book import read_rulebook
    from compliance.proving import cases

    book = read_rulebook(rules, None)
    named = _ids(book, rules.all, ids)
    chosen = book.with_cases(named) if named or not ids else ()
    results: dict[str, list[cases.CaseResult]] = {r.rule.id: [] for r in chosen}
    for result in cases.run_cases(book, chosen):
        results[result.rule.rule.id].append(result)
    n_remarks = 0
    for rule in chosen:
        for what in cases.lacking(rule, results[rule.rule.id]):
            click.echo(tidy(f"{rule.rule.file}: {what}"))
            n_remarks += 1
    click.echo(f"{len(chosen):,} rules, {n_remarks:,} remarks.")
    sys.exit(FOUND if n_remarks else NOTHING)


@rules.command("explain")
@click.argument("rule_id", metavar="ID")
@click.option("--record", "key", help="The key of a record; with --data: how each condition came out for it.")
@click.option("--data", "data_", type=click.Path(path_type=Path), help="The export that the record is in.")
@click.option("--as-at", type=Day(), help="The day to look from; needed with --data.")
@meaning_options
@rules_option
def rules_explain(
    rule_id: str,
    key: str | None,
    data_: Path | None,
    as_at: date | None,
    mapping: Path | None,
    parameters: Path | None,
    rules: RuleFolders,
) -> None:
    """Say in plain English what a rule asks, and how it came out for a record.

    Example: compliance rules explain staff-references-incomplete --record S0012 --data fixtures/agency --as-at 2021-09-20
    """
    from compliance.jobs import planning
    from compliance.jobs.asked import Asked, Export
    from compliance.jobs.book import read_rulebook
    from compliance.jobs.explanation import explanation
    from compliance.report import rules as pages

    rule = read_rulebook(rules, parameters).with_cases((rule_id,))[0]
    click.echo(pages.explained(rule, planning.record_kinds()), nl=False)
    if key is None and data_ is None:
        return
    if key is None or data_ is None or as_at is None:
        raise click.UsageError("--record, --data and --as-at go together")
    asked = Asked(Export(data_, mapping), as_at, parameters, rules, (rule_id,))
    for result, explained in explanation(asked, key):
        click.echo()
        if result.status not in ("ran", "looked at nothing"):
            click.echo(f"It did not run: {result.status}; {result.why}.")
        elif explained is None:
            raise click.ClickException(f"there is no {rule.rule.record} '{key}' in {data_} as at {as_at}")
        else:
            click.echo(tidy(pages.came_out(rule, result.rule, key, as_at, explained)), nl=False)


@rules.command("sql")
@click.argument("rule_id", metavar="ID")
@rules_option
def rules_sql(rule_id: str, rules: RuleFolders) -> None:
    """Print the statements that a rule becomes when it runs alone on an export with every field.

    Example: compliance rules sql staff-references-incomplete
    """
    from compliance.jobs.book import read_rulebook
    from compliance.jobs.statements import statements

    book = read_rulebook(rules, None)
    for statement in statements(book, book.with_cases((rule_id,))[0]):
        click.echo(f"{statement};\n")


@rules.command("impact")
@data_argument
@click.option("--as-at", type=Day(), required=True, help="The day to look from.")
@click.option("--old", type=click.Path(path_type=Path, file_okay=False), help="The old rules. Default: those shipped.")
@click.option("--new", type=click.Path(path_type=Path, file_okay=False), help="The new rules. Default: those shipped.")
@click.option("--old-parameters", type=FIGURES, help="The agency's old figures. Default: as --parameters of an audit.")
@click.option("--new-parameters", type=FIGURES, help="The agency's new figures. Default: as --parameters of an audit.")
@mapping_option
@out_option
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def rules_impact(
    data: Path,
    as_at: date,
    old: Path | None,
    new: Path | None,
    old_parameters: Path | None,
    new_parameters: Path | None,
    mapping: Path | None,
    out: Path | None,
    format_: str,
) -> None:
    """Say which records of an export change their outcome, which way and by which rule, if the rules or the figures change.

    Example: compliance rules impact fixtures/agency --as-at 2021-09-20 --new-parameters parameters.yaml
    """
    from compliance.jobs.asked import Asked, Export
    from compliance.jobs.book import RuleFolders
    from compliance.jobs.impact import compared
    from compliance.report import impact as pages

    if (old, old_parameters) == (new, new_parameters):
        raise click.UsageError("name what differs: --old or --new, or --old-parameters or --new-parameters")
    export = Export(data, mapping)
    before, after = (
        Asked(export, as_at, old_parameters, RuleFolders(old)),
        Asked(export, as_at, new_parameters, RuleFolders(new)),
    )
    print_out(pages.write(compared(before, after), format_, width()), out)


@rules.command("coverage")
@click.argument("data", required=False, type=click.Path(path_type=Path))
@click.option("--as-at", type=Day(), help="Count the duties in force on this day; without it, every version ever.")
@click.option("--instrument", "instruments", multiple=True, help="Only this instrument (may be given several times).")
@click.option("--unaccounted", is_flag=True, help="List only the duties that nothing answers yet.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
@out_option
@meaning_options
@rules_option
def rules_coverage(
    data: Path | None,
    as_at: date | None,
    instruments: tuple[str, ...],
    unaccounted: bool,
    format_: str,
    out: Path | None,
    mapping: Path | None,
    parameters: Path | None,
    rules: RuleFolders,
) -> None:
    """Say which duties a rule, an attestation or reading answers, which nothing answers yet, and what each rule answers.

    With DATA and --as-at also how many records each duty was tested on, and what the export lacks for the rest.

    \b
    Example: compliance rules coverage --as-at 2021-09-20 --unaccounted
    Example: compliance rules coverage fixtures/agency --as-at 2021-09-20 --instrument fsr2011
    """
    from compliance.jobs.asked import Export
    from compliance.jobs.coverage import coverage
    from compliance.report import coverage as pages

    if data is not None and as_at is None:
        raise click.UsageError("DATA needs --as-at, the day to look from")
    export = Export(data, mapping) if data is not None else None
    duties = coverage(rules, parameters, as_at, instruments, export)
    print_out(pages.write(duties, data.name if data else "", unaccounted, format_, width()), out)
