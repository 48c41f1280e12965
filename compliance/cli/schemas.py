"""`compliance schemas`: what editors read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.cli.ending import FOUND, NOTHING

if TYPE_CHECKING:
    pass


@click.group("schemas")
def schemas_() -> None:
    """The JSON Schemas that editors read."""


@schemas_.command("write")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("schemas"))
def schemas_write(folder: Path) -> None:
    """Write the generated schemas into a folder."""
    from compliance.jobs import schemas

    for path in schemas.write(folder):
        click.echo(str(path))


@schemas_.command("check")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("schemas"))
def schemas_check(folder: Path) -> None:
    """Check that the generated schemas are those of this version, and that record kinds and catalogues fit theirs.

    \b
    Exit codes: 0 they are; 1 they are not.
    """
    from compliance.jobs import schemas, shipped

    problems = [f"{path} is out of date; run: compliance schemas write {folder}" for path in schemas.stale(folder)]
    problems += schemas.unfit(folder, shipped.folders()[0])
    for line in problems:
        click.echo(line)
    sys.exit(FOUND if problems else NOTHING)
