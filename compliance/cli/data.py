"""`compliance data`: exports, before any rule runs."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click

from compliance.cli.terminal import (
    COULD_NOT,
    NOTHING,
    Day,
    data_argument,
    entries,
    mapping_option,
    print_out,
    tidy,
    width,
)


@click.group()
def data() -> None:
    """Exports: check one, see what the record kinds are, start from an empty template."""


@data.command("check")
@data_argument
@mapping_option
@click.option("--strict", is_flag=True, help="Exit with 2 if anything does not fit.")
def data_check(data: Path, mapping: Path | None, strict: bool) -> None:
    """Read, map and validate an export without running a rule.

    Example: compliance data check fixtures/agency
    """
    from compliance import pipeline

    with pipeline.loaded(data, mapping) as (con, tables):
        from compliance.exports import loading
        from compliance.report.grid import grid

        rows = [[s.file + (f" [{s.sheet}]" if s.sheet else ""), s.record, f"{s.rows:,}"] for s in tables.sources]
        click.echo(
            grid(rows, ["File", "Record kind", "Rows"], [None, None, None], right=(2,)) if rows else "No records.",
            nl=False,
        )
        for kind, why in sorted(tables.absent.items()):
            click.echo(f"No {kind} records: {why}")
        for note in tables.notes:
            click.echo(tidy(note))
        click.echo()
        for line in loading.folded(con):
            click.echo(tidy(line))
        n = tables.n_quarantined
        click.echo(f"{entries(n)} could not be used as written." if n else "Everything could be used as written.")
    sys.exit(COULD_NOT if strict and n else NOTHING)


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
    from compliance import pipeline

    done = pipeline.import_answers(workbook, into, mapping, as_at or date.today())
    for kind, n in done.added.items():
        click.echo(tidy(f"{entries(n)} added to {into / kind}.answers.csv."))
    if done.there:
        click.echo(f"{entries(done.there)} had been imported before; nothing was changed in them.")
    if not done.added and not done.there:
        click.echo("Nothing is filled in.")
    if done.not_met:
        click.echo(f"Answered other than met: {done.not_met:,}; the next audit says so.")
    if done.left:
        click.echo(f"{done.left:,} {'row is' if done.left == 1 else 'rows are'} still to be answered.")


@data.command("dictionary")
@click.argument("kind", required=False)
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def data_dictionary(kind: str | None, format_: str) -> None:
    """Print the record kinds and their fields: all of them, or one.

    Example: compliance data dictionary reference
    """
    from compliance import planning
    from compliance.report import dictionary

    kinds = planning.record_kinds()
    print_out(dictionary.write(kinds, kind or "", format_, width()), None)


@data.command("template")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True)
def data_template(folder: Path, format_: str) -> None:
    """Write empty CSV files, or one workbook, to fill in.

    Example: compliance data template my-export --format xlsx
    """
    from compliance import planning
    from compliance.exports import records

    for path in records.template(planning.record_kinds(), folder, format_):
        click.echo(str(path))
