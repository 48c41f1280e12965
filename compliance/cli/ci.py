"""`compliance ci`: what a repository with an export needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.errors import ComplianceError

if TYPE_CHECKING:
    from compliance.jobs.ciworkflow import Provider


@click.group()
def ci() -> None:
    """CI of a repository that holds an export."""


@ci.command("init")
@click.option("--provider", type=click.Choice(["github", "gitlab"]), default="github", show_default=True)
@click.option(
    "--source",
    required=True,
    help="Where this program comes from. GitHub: its repository, as OWNER/NAME@REF. GitLab: what pip installs, as git+https://…@REF.",
)
@click.option("--data", default="export", show_default=True, help="The export, from the root of the repository on.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: .github/workflows/compliance.yml or .gitlab-ci.yml]",
)
def ci_init(provider: Provider, source: str, data: str, out: Path | None) -> None:
    """Write a workflow that audits the export on every change; a file that is there is left alone.

    \b
    Example: compliance ci init --source owner/compliance@v1 --data exports/2026
    Example: compliance ci init --provider gitlab --source git+https://gitlab.example/owner/compliance.git@v1
    """
    from compliance.files.documents import write_shared
    from compliance.jobs import ciworkflow

    text = ciworkflow.workflow(provider, source, data)
    path = out or Path(ciworkflow.FILES[provider])
    if path.exists():
        raise ComplianceError(f"{path} is there already and is left as it is; name another file with --out.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise ComplianceError(f"The folder {path.parent} cannot be made: {e.strerror or 'unknown cause'}") from e
    write_shared(path, text)
    click.echo(f"Written to {path}.")
