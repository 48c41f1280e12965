"""`compliance data`: exports, before any rule runs."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.cli.asking import data_argument, given_export, mapping_option, shown_options
from compliance.cli.ending import COULD_NOT, FOUND, INCOMPLETE, NOTHING
from compliance.cli.terminal import Day, entries, out_option, print_out, tell_astray, tidy, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compliance.jobs.asked import Export
    from compliance.jobs.opening import Opened
    from compliance.jobs.runnable import Runnable
    from compliance.model import Newest, Source, Tables


@click.group()
def data() -> None:
    """Exports: check one, see what the record kinds are, start from an empty template."""


for_option = click.option(
    "--for",
    "service",
    type=click.Choice(["fostering", "council"]),
    help="Only what such a service has: an agency's or council's fostering service, or a council's returns and policies.",
)


@data.command("map")
@data_argument
@for_option
@out_option
def data_map(data: Path, service: str | None, out: Path | None) -> None:
    """Draft a mapping: what the files and columns of an export are likely to mean, each line with its reason.

    It goes by names, by how cells look, and by whose ids stand where; nothing leaves the machine, and the draft holds names of
    columns and words of code columns, no other cell. What is unsure is a question in a comment.

    \b
    Example: compliance data map my-export --for fostering --out my-export/mapping.yaml
    """
    from compliance.jobs.drafting import draft

    if out is not None and out.exists():
        raise click.UsageError(f"{out} is there already; a draft takes the place of nothing")
    drafted = draft(data, service or "", date.today())
    print_out([drafted.text], out)
    told = f"{drafted.known:,} of {drafted.tables:,} tables are known; {drafted.questions:,} lines ask something (# ?)."
    click.echo(told, err=True)
    if out is not None:
        click.echo(f"Written to {out}. Go through it, then: compliance data check {data} --mapping {out}", err=True)


@data.command("check")
@data_argument
@mapping_option
@click.option("--strict", is_flag=True, help="Exit with 2 if anything does not fit.")
@shown_options
@given_export
def data_check(export: Export, strict: bool) -> None:
    """Read, map and validate an export without running a rule.

    Example: compliance data check fixtures/agency
    """
    from compliance.jobs.opening import loaded, marked
    from compliance.jobs.runnable import runnable
    from compliance.records import loading
    from compliance.report.words import printable

    with loaded(export) as read:
        tables = read.tables
        for remark in tables.remarks:
            click.echo(f"{remark}\n")
        click.echo(_accounts(tables.sources), nl=False)
        for kind, why in sorted(tables.absent.items()):
            click.echo(f"No {kind} records: {printable(why)}")
        for note in (*tables.notes, *_unused_figures(read, export)):
            click.echo(printable(note))
        click.echo()
        for line in loading.folded(read.con):
            click.echo(printable(line))
        n = tables.n_quarantined
        click.echo(f"{entries(n)} could not be used as written." if n else "Everything could be used as written.")
        read = marked(read, date.today())
        its = runnable(read, export, date.today())
        _tell_newest(read.tables.newest)
        _tell_unrecorded(read.tables.read_by(its.readers))
        _tell_runnable(its)
        astray = tell_astray(tables)
    sys.exit(COULD_NOT if strict and n else INCOMPLETE if astray else NOTHING)


def _unused_figures(read: Opened, export: Export) -> tuple[str, ...]:
    if "reported_figure" not in read.tables.tables:
        return ()
    from compliance.jobs.asked import Asked
    from compliance.jobs.kpis import unused_figures

    return unused_figures(read, Asked(export, date.today()))


def _accounts(sources: Sequence[Source]) -> str:
    """What became of the rows of every source, and of all of them in one sum."""
    from compliance.report.grid import grid
    from compliance.report.words import printable

    if not sources:
        return "No records.\n"
    parts = [("Records", "records", [s.rows for s in sources])]
    parts += [("Left out", "left out", [s.left_out for s in sources])]
    parts += [("Not usable", "not usable", [s.unusable for s in sources])]
    parts += [("Repeated", "repeated", [s.repeated for s in sources])]
    shown = [(head, what, ns) for head, what, ns in parts if head == "Records" or any(ns)]
    rows = [
        [printable(s.label), s.record, f"{s.in_file:,}", *(f"{ns[i]:,}" if ns[i] else "-" for _, _, ns in shown)]
        for i, s in enumerate(sources)
    ]
    heads = ["File", "Record kind", "Rows", *(head for head, _, _ in shown)]
    table = grid(rows, heads, [None] * len(heads), right=range(2, len(heads)))
    total = " + ".join(f"{sum(ns):,} {what}" for _, what, ns in shown)
    return f"{table}Rows in all: {sum(s.in_file for s in sources):,} = {total}.\n"


def _tell_newest(newest: Sequence[Newest]) -> None:
    """The kinds of which nothing has come for longest first, for these may be of an older export."""
    from compliance.dates import english

    if newest:
        its = (f"{n.record} {english(n.on)}" for n in sorted(newest, key=lambda n: (n.on, n.record)))
        click.echo(tidy(f"\nNewest records, oldest first: {', '.join(its)}."))


def _tell_unrecorded(tables: Tables) -> None:
    from compliance.report.words import printable

    if tables.void:
        click.echo(f"\n{tables.void} Rules take each as not known, never as not happened:")
        for its in tables.unrecorded:
            click.echo(printable(its.told))


def _tell_runnable(its: Runnable) -> None:
    click.echo(tidy(f"\n{its.told}"))
    if its.kinds:
        named = ", ".join(f"{kind} ({n:,})" for kind, n in list(its.kinds.items())[:12])
        more = f" and {len(its.kinds) - 12:,} more" if len(its.kinds) > 12 else ""
        click.echo(tidy(f"Records that are not there, with how many rules lack them: {named}{more}."))
    if its.freed:
        click.echo(
            tidy(f"These lines in the mapping would free {its.more:,} more. Take those that your system never records:")
        )
        click.echo("\nset:\n" + "\n".join(f"  {line}" for line in its.lines()))


@data.command("import")
@click.argument("workbook", type=click.Path(path_type=Path, dir_okay=False), metavar="WORKBOOK.xlsx")
@click.option(
    "--into", type=click.Path(path_type=Path), required=True, help="The folder of the export that was audited."
)
@mapping_option
@click.option("--as-at", type=Day(), help="The day of the import: no answer is later.  [default: today]")
def data_import(workbook: Path, into: Path, mapping: Path | None, as_at: date | None) -> None:
    """Read back the sheets of a workbook that people filled in: attestations, and records that were read and judged.

    Each answer becomes a record beside the export's own files, which are not written to. What is not filled in is left; if
    anything cannot be used, nothing is changed.

    Example: compliance data import report.xlsx --into my-export
    """
    from compliance.jobs.answers import answers
    from compliance.jobs.asked import Export

    imported = answers(workbook, Export(into, mapping), as_at or date.today())
    for kind, n in imported.added.items():
        click.echo(tidy(f"{entries(n)} added to {into / kind}.answers.csv."))
    if imported.there:
        click.echo(f"{entries(imported.there)} had been imported before; nothing was changed in them.")
    if not imported.added and not imported.there:
        click.echo("Nothing is filled in.")
    if imported.not_met:
        click.echo(f"Answered other than met: {imported.not_met:,}; the next audit says so.")
    if imported.left:
        click.echo(f"{imported.left:,} {'row is' if imported.left == 1 else 'rows are'} still to be answered.")


@data.command("dictionary")
@click.argument("kind", required=False)
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def data_dictionary(kind: str | None, format_: str) -> None:
    """Print the record kinds and their fields: all of them, or one.

    Example: compliance data dictionary reference
    """
    from compliance.jobs import planning
    from compliance.report import dictionary

    kinds = planning.record_kinds()
    print_out(dictionary.write(kinds, kind or "", format_, width()), None)


@data.command("template")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True)
@for_option
def data_template(folder: Path, format_: str, service: str | None) -> None:
    """Write empty CSV files, or one workbook, to fill in, and a page that says what each is for.

    \b
    Example: compliance data template my-export --for fostering
    Example: compliance data template my-export.xlsx --format xlsx
    """
    from compliance.jobs import planning
    from compliance.records.kinds import template

    for path in template(planning.kinds_for(planning.record_kinds(), service or ""), folder, format_):
        click.echo(str(path))


@data.command("new-key")
@click.argument("file", type=click.Path(path_type=Path))
def data_new_key(file: Path) -> None:
    """Make a key for --pseudonymise, in a new file that only you can read.

    Keep it apart from the reports that are made with it, and keep it: without it nobody can turn their pseudonyms back.

    Example: compliance data new-key pseudonyms.key
    """
    from compliance.privacy import pseudonyms as keys

    key = keys.new_key(file)
    click.echo(f"The key {key.mark} is in {file}, for you alone to read.")


@data.command("reidentify")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE|PSEUDONYM")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="KEYFILE",
    help="The key that it was made with.",
)
@click.option(
    "--data",
    "exports",
    type=click.Path(path_type=Path),
    required=True,
    multiple=True,
    help="The export that it was made from (may be given several times: an earlier one has who has left since).",
)
@mapping_option
@out_option
def data_reidentify(
    file: Path, key_file: Path, exports: tuple[Path, ...], mapping: Path | None, out: Path | None
) -> None:
    """Turn the pseudonyms in a report back into ids, or say whose one of them is.

    FILE is what a command wrote with --pseudonymise, in any format.

    \b
    Exit codes: 0 all are turned back; 1 some are not of this key and these exports; 2 could not run.

    \b
    Example: compliance data reidentify findings.csv --key pseudonyms.key --data my-export --out findings-with-ids.csv
    Example: compliance data reidentify P5f0c1d2e3a4b5c6d --key pseudonyms.key --data my-export
    """
    from compliance.jobs import reidentification
    from compliance.jobs.asked import Export
    from compliance.privacy import pseudonyms as keys
    from compliance.privacy import reidentifying

    key = keys.read_key(key_file)
    report = reidentifying.read(file)
    if report.workbook and out is None:
        raise click.UsageError(f"{file} is a workbook; name the file to write with --out")
    pseudonyms = report.pseudonyms
    ids: dict[str, str] = {}
    for data in exports:
        ids |= reidentification.ids(Export(data, mapping), key, pseudonyms - ids.keys())
    if out is None:
        click.echo(report.turned_back(ids).decode("utf-8"), nl=False)
    else:
        reidentifying.write(report, ids, out)
    left = sorted(pseudonyms - ids.keys())
    n = len(pseudonyms)
    click.echo(f"{len(ids):,} of {n:,} {'pseudonym' if n == 1 else 'pseudonyms'} turned back.", err=True)
    if left:
        named = ", ".join(left[:5]) + (", …" if len(left) > 5 else "")
        click.echo(
            f"Not of this key, or of no record in {'this export' if len(exports) == 1 else 'these exports'}: {named}",
            err=True,
        )
    if out is not None:
        click.echo(f"Written to {out}.", err=True)
    sys.exit(FOUND if left else NOTHING)
