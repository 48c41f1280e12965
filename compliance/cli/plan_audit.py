"""The commands that bring audits and values into the improvement plan: propose, verify, measures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.cli.ending import FOUND
from compliance.cli.plan import (
    Change,
    changed,
    chosen,
    db_option,
    format_option,
    name_option,
    on_option,
    opened,
    plan_option,
    refused,
    role_option,
    why_option,
)
from compliance.cli.terminal import out_option, print_out, tidy, width
from compliance.errors import ComplianceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compliance.tracker.auditfile import Rate
    from compliance.tracker.events import Draft
    from compliance.tracker.life import Verdict
    from compliance.tracker.proposing import Proposed
    from compliance.tracker.state import State


@click.command("propose")
@click.option(
    "--findings",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="An audit: what `compliance audit --format json --out F` wrote; made with --by team, each team has actions of its own.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be proposed, and write nothing.")
@plan_option
@role_option
@name_option
@format_option
@out_option
@db_option
def propose(
    findings: Path,
    dry_run: bool,
    plan_id: str | None,
    role: str,
    name: str | None,
    format_: str,
    out: Path | None,
    db: str,
) -> None:
    """Propose an action for each cause that an audit found and no action answers yet.

    They wait for the manager: accept one with `plan update ACTION --status open`, change it, or reject it with --status rejected
    and --why.

    Example: compliance plan propose --findings findings.json --dry-run --role "registered manager"
    """
    from compliance.report.plan import proposals
    from compliance.tracker import auditfile, life, proposing

    audited, _ = auditfile.read(findings)
    made: list[Proposed] = []

    def decide(state: State) -> Sequence[Draft]:
        recorded = life.audited(state, audited.audit)
        made[:] = [proposing.propose(state, audited)]
        return [*recorded, *proposing.drafts(state, made[0])]

    if dry_run:
        with opened(db) as store, refused():
            decide(store.state(chosen(store, plan_id)))
    else:
        changed(Change(db, plan_id, audited.audit.as_at, role, name), decide, tell=False)
    print_out(proposals.FORMATS[format_](made[0], width()), out)
    click.echo("Nothing was written." if dry_run else "Written; each is proposed until it is accepted.", err=True)


@click.command("verify")
@click.option(
    "--findings",
    type=click.Path(path_type=Path, dir_okay=False),
    help="An audit to verify actions by: what `compliance audit --format json --out F` wrote.",
)
@plan_option
@click.option("--role", envvar="COMPLIANCE_ROLE", help="Your role; or set COMPLIANCE_ROLE. Needed with --findings.")
@name_option
@format_option
@out_option
@db_option
def verify(
    findings: Path | None,
    plan_id: str | None,
    role: str | None,
    name: str | None,
    format_: str,
    out: Path | None,
    db: str,
) -> None:
    """Verify by an audit what is said to be done; or, without one, prove that no event was changed or taken out.

    An action is verified if the audit finds nothing of what it answers, and opened again if it does. An audit made with --previous
    also tells a finding that was put right from one whose record has left the export.

    Exit code 1: the chain of events is broken.

    Example: compliance plan verify --findings findings.json --role "registered manager"
    """
    from compliance.tracker.events import broken

    with opened(db) as store:
        events = store.events(chosen(store, plan_id))
    where = broken(events)
    if findings is None or where:
        click.echo(f"The chain is broken: {where}." if where else f"{len(events):,} events, none changed or taken out.")
        if where and findings is not None:
            click.echo("Nothing was verified.", err=True)
        raise SystemExit(FOUND if where else 0)
    if role is None:
        raise click.UsageError("--findings needs --role: whoever records an audit is named with it")
    from compliance.report.plan import verdicts
    from compliance.tracker import auditfile, life

    audited, _ = auditfile.read(findings)
    said: list[Verdict] = []

    def decide(state: State) -> Sequence[Draft]:
        recorded = life.audited(state, audited.audit)
        said[:] = life.verify(state, audited.audit)
        return [*recorded, *(v.draft for v in said if v.draft is not None)]

    changed(Change(db, plan_id, audited.audit.as_at, role, name), decide, tell=False)
    print_out(verdicts.FORMATS[format_](said, width()), out)


@click.command("measures")
@click.option("--record", "measure", help="The measure that --value is of.")
@click.option("--value", help="12, 93.4, 93.4 %; or a sentence, for a narrative.")
@click.option(
    "--from-audit",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take the rates of compliance that measures of kind 'rule' ask for from this audit.",
)
@click.option(
    "--kpis",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take the values that measures of kind 'kpi' ask for from what `compliance kpi --format json` wrote.",
)
@plan_option
@on_option
@click.option("--role", envvar="COMPLIANCE_ROLE", help="Your role; or set COMPLIANCE_ROLE. Needed to record a value.")
@name_option
@why_option
@format_option
@out_option
@db_option
def measures(
    measure: str | None,
    value: str | None,
    from_audit: Path | None,
    kpis: Path | None,
    plan_id: str | None,
    on: date | None,
    role: str | None,
    name: str | None,
    why: str,
    format_: str,
    out: Path | None,
    db: str,
) -> None:
    """Show what the plan's measures came to over time, or record values.

    Example: compliance plan measures --record WS3-m4 --value "93.4 %" --on 2022-03-31 --role "team manager"
    """
    from compliance.report.plan import measures as shown
    from compliance.tracker import auditfile

    if (measure is None) != (value is None):
        raise click.UsageError("--record and --value go together")
    if sum(x is not None for x in (measure, from_audit, kpis)) > 1:
        raise click.UsageError("give one of --record, --from-audit and --kpis")
    if measure is None and from_audit is None and kpis is None:
        with opened(db) as store:
            state = store.state(chosen(store, plan_id))
        print_out(shown.FORMATS[format_](state, width()), out)
        return
    if role is None:
        raise click.UsageError("a value needs --role: whoever records it is named with it")
    if from_audit is not None:
        audited, rates = auditfile.read(from_audit)
        day, kind = audited.audit.as_at, "rule"
    elif kpis is not None:
        day, rates = auditfile.read_kpis(kpis)
        kind = "kpi"
    else:
        from compliance.tracker import life

        by = Change(db, plan_id, on, role, name)
        changed(by, lambda state: [life.measured(state, measure or "", value or "", why)])
        return
    if on is not None:
        raise click.UsageError("the file says which day its values are of; leave --on out")
    without: list[str] = []

    def decide(state: State) -> Sequence[Draft]:
        without[:] = []
        return _taken(state, kind, day, rates, why, without)

    _, events = changed(Change(db, plan_id, day, role, name), decide)
    for said in without:
        click.echo(tidy(said), err=True)
    if not events and not without:
        raise ComplianceError(f"The plan has no measure of kind '{kind}'. Nothing was changed.")


def _taken(
    state: State, kind: str, day: date, rates: Mapping[str, Rate], why: str, without: list[str]
) -> Sequence[Draft]:
    """The values of one kind of measure that a file holds; why there is none for the others goes to `without`."""
    from compliance.errors import nearest
    from compliance.tracker import life

    made = []
    for m in life.measures(state).values():
        if m.kind != kind:
            continue
        rate = rates.get(m.of)
        if rate is None:
            without.append(f"{m.id}: the file has no '{m.of}'{nearest(m.of, rates)}; no value was recorded")
        elif not rate.value:
            without.append(f"{m.id}: {rate.why}; no value was recorded")
        elif any(v.on == day.isoformat() and v.value == rate.value for v in state.values.get(m.id, ())):
            without.append(f"{m.id}: {rate.value} as at {day} is recorded already")
        else:
            met = None if m.target else rate.met
            made.append(life.measured(state, m.id, rate.value, why, met, target=rate.target, source=m.of))
    return made
