"""`compliance demo`: the whole, for a newcomer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.cli.terminal import (
    width,
)

if TYPE_CHECKING:
    pass


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("compliance-demo"),
    show_default=True,
    help="A folder that is not there yet, or is empty.",
)
def demo(out: Path) -> None:
    """See the whole on an invented fostering agency: its export, findings, KPIs, what falls due, and a plan.

    \b
    Exit codes: 0 written, whatever was found; 2 could not run.

    Example: compliance demo --out compliance-demo
    """
    from compliance.jobs import demo as demonstration
    from compliance.report.grid import grid
    from compliance.report.words import standing_text

    told = demonstration.demo(out)
    as_at, example = demonstration.AS_AT, told.causes[0].finding
    click.echo(f"The sample agency as at {as_at}. Its people are invented, and so is what is wrong with it.\n")
    click.echo(told.summary)
    click.echo("What to look at first")
    rows = [
        [
            ", ".join(x for x in (c.rule.severity, standing_text(c.finding)) if x),
            c.finding.title,
            ", ".join(c.subjects) + (" …" if c.n > len(c.subjects) else ""),
            c.rule.id,
        ]
        for c in told.causes[: demonstration.SHOWN]
    ]
    widths = [16, max(width() - 78, 30), 14, 30]
    click.echo(grid(rows, ["Severity", "What is wrong", "Records", "Rule"], widths))
    click.echo(
        f"{told.missed:,} of {told.kpis:,} KPIs are missed. {told.due:,} duties fall due in {demonstration.DAYS} days."
    )
    click.echo(f"{told.proposed:,} actions are proposed, and wait for the manager to accept them.\n")
    click.echo(f"Written to {out}, for you alone to read")
    click.echo(
        grid(
            [[name, what] for name, what in demonstration.FILES], ["File", "What it is"], [None, max(width() - 22, 40)]
        )
    )
    data, plan = out / demonstration.EXPORT, out / demonstration.TRACKER
    click.echo("Go on with")
    click.echo(f"  compliance rules explain {example.rule.id} --record {example.key} --data {data} --as-at {as_at}")
    click.echo(f"  compliance plan list --db {plan} --as-at {as_at}")
    click.echo("  compliance data template my-export")
