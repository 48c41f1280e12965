"""`compliance waive`: a risk that is accepted for a time."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.cli.terminal import (
    Day,
    tidy,
)

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("findings", type=click.Path(path_type=Path, dir_okay=False), metavar="FINDINGS.json")
@click.argument("named", nargs=-1, required=True, metavar="FINGERPRINT|RULE SUBJECT [PART]")
@click.option("--reason", required=True, help="Why the risk is accepted.")
@click.option("--legal-basis", default="", help="What in law allows for it; required where the rule checks law.")
@click.option("--approved-by", required=True, help="The role of whoever accepts it; no name.")
@click.option("--until", type=Day(), required=True, help="The last day; at most 12 months from the first.")
@click.option("--from", "first", type=Day(), help="The first day.  [default: the day of the audit]")
@click.option("--id", "id_", default="", help="What the waiver is called.  [default: made of rule and fingerprint]")
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("waivers.yaml"),
    show_default=True,
    help="The file that it is added to.",
)
def waive(
    findings: Path,
    named: tuple[str, ...],
    reason: str,
    legal_basis: str,
    approved_by: str,
    until: date,
    first: date | None,
    id_: str,
    to: Path,
) -> None:
    """Accept the risk of a finding for a time.

    It stays a finding, and a breach of law stays a breach; it is only left out of what fails a run, until the day given or until
    the facts that it rests on change. FINDINGS.json is the JSON of an audit.

    \b
    Example: compliance waive findings.json appraisal-overdue S0058 --reason "Long-term sick; to be held on return" \\
               --approved-by "registered manager" --until 2021-12-31
    """
    from compliance.findings import waiverfile

    terms = waiverfile.Terms(reason, legal_basis, approved_by, until, first, id_)
    added = waiverfile.accept(findings, named, terms, to)
    click.echo(f"{tidy(added.id)}: accepted from {added.from_on} until {added.until}, in {to}.")
