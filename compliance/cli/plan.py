"""The commands of the improvement plan. Like `cli`, it prints, exits and looks at the clock; heavy imports stand where they are used."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compliance.cli.terminal import TAMPERED, Day, out_option, print_out, tidy, width
from compliance.errors import ComplianceError

if TYPE_CHECKING:
    from compliance.tracker.events import Draft, Event, Who
    from compliance.tracker.importing import Said
    from compliance.tracker.state import State
    from compliance.tracker.store import Store

DEFAULT_DB = "improvement-plan.sqlite"

db_option = click.option(
    "--db",
    envvar="COMPLIANCE_DB",
    default=DEFAULT_DB,
    show_default=True,
    help="A SQLite file, or postgresql+psycopg://…; or set COMPLIANCE_DB.",
)
plan_option = click.option("--plan", "plan_id", help="Which plan, where the database holds several.")
on_option = click.option("--on", type=Day(), help="The day that the change speaks of.  [default: today]")
as_at_option = click.option(
    "--as-at", type=Day(), help="The day to look from, and the plan as it was then.  [default: today]"
)
role_option = click.option("--role", envvar="COMPLIANCE_ROLE", required=True, help="Your role; or set COMPLIANCE_ROLE.")
name_option = click.option("--name", envvar="COMPLIANCE_NAME", help="Your name.  [default: who you are logged in as]")
why_option = click.option("--why", default="", help="The reason.")
seen_option = click.option(
    "--seen", type=click.IntRange(1), help="The number of the last change that you know of, as `plan show` tells it."
)
action_argument = click.argument("action")
format_option = click.option(
    "--format", "format_", type=click.Choice(["table", "markdown", "json"]), default="table", show_default=True
)


def today() -> date:
    """By the clock; every other module is given the day."""
    return datetime.now(UTC).astimezone().date()


@contextmanager
def opened(db: str, must_exist: bool = True) -> Iterator[Store]:
    """The database.

    Raises:
      ComplianceError: it cannot be opened.
    """
    from compliance.tracker.store import Store

    if must_exist and "://" not in db and not Path(db).exists():
        raise ComplianceError(f"There is no {db}. Begin one with: compliance plan new PLAN.yaml --db {db}")

    def tell(said: str) -> None:
        click.echo(tidy(said), err=True)
        if context := click.get_current_context(silent=True):
            context.meta[TAMPERED] = True

    store = Store(db, tell)
    try:
        yield store
    finally:
        store.close()


def chosen(store: Store, plan_id: str | None) -> str:
    """The plan that is meant: the one named, or the only one there is.

    Raises:
      ComplianceError: there is none, or it is not clear which.
    """
    from compliance.errors import nearest

    known = store.plans()
    if plan_id is None and len(known) == 1:
        return known[0]
    if plan_id is None:
        said = f"it holds {', '.join(known)}; say which with --plan" if known else "it holds none"
        raise ComplianceError(f"Which plan is not clear: {said}.")
    if plan_id not in known:
        raise ComplianceError(f"There is no plan '{plan_id}'{nearest(plan_id, known)}.")
    return plan_id


def known(db: str, plan_id: str | None, day: date | None) -> tuple[State, list[Event]]:
    """A plan as it was at a day, or with everything that was ever said of it; and the events that it is made of.

    Raises:
      ComplianceError: there was none yet on that day.
    """
    from compliance.tracker.events import MENDED, broken
    from compliance.tracker.history import up_to
    from compliance.tracker.state import fold

    with opened(db) as store:
        name = chosen(store, plan_id)
        every = store.events(name)
    if not every:
        raise ComplianceError(f"Nothing can be read of the plan '{name}'. {MENDED}")
    events = every if day is None else up_to(every, day)
    if not events:
        raise ComplianceError(
            f"The plan '{name}' begins on {every[0].on}; nothing is known of it as at {day}."
            f" Give a later --as-at; or give the day on which it began as --on to: compliance plan new"
        )
    state = fold(events)
    state.broken = broken(every)
    return state, events


@dataclass(frozen=True)
class Change:
    """Who makes a change, where, and what they know.

    Args:
      on: the day that it speaks of; None: today.
      name: None: whoever is logged in.
      seen: the number of the last event that they know of; None: they look now.
    """

    db: str
    plan_id: str | None
    on: date | None
    role: str
    name: str | None
    why: str = ""
    seen: int | None = None

    @property
    def day(self) -> str:
        """YYYY-MM-DD."""
        return (self.on or today()).isoformat()

    @property
    def who(self) -> Who:
        """As an event names them."""
        from compliance.tracker.events import Who

        try:
            return Who(self.role, self.name or getpass.getuser())
        except (OSError, KeyError, ImportError) as e:  # as in a container, whose users need have no names
            raise ComplianceError("Who you are is not known here; say it with --name. Nothing was changed.") from e


def changed(by: Change, decide: Callable[[State], Sequence[Draft]], tell: bool = True) -> tuple[State, list[Event]]:
    """Makes a change and says what was written.

    Args:
      tell: not where the command says it in its own way.
    """
    from compliance.tracker.telling import told

    with opened(by.db) as store, refused():
        state, events = store.change(chosen(store, by.plan_id), by.day, by.who, decide, by.seen)
    for written in events if tell else ():
        click.echo(tidy(told(written)), err=True)
    return state, events


@contextmanager
def refused() -> Iterator[None]:
    """A change that cannot be made, as a message."""
    from compliance.tracker.life import Refused

    try:
        yield
    except Refused as e:
        raise ComplianceError(f"{str(e)[0].upper()}{str(e)[1:]}. Nothing was changed.") from e


def people(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that changes something; it is given them as one `by`."""

    @wraps(command)
    def with_change(**given: Any) -> Any:
        of_change = {f.name: given.pop(f.name) for f in fields(Change)}
        return command(**given, by=Change(**of_change))

    for option in (seen_option, why_option, name_option, role_option, on_option, plan_option, db_option):
        with_change = option(with_change)
    return with_change


@click.group("plan")
def plan() -> None:
    """The improvement plan: who is to do what by when, and what became of it.

    \b
    compliance plan new PLAN.yaml                    begin a plan
    compliance plan import ACTIONS.xlsx --plan ID    take over a list that somebody keeps in a workbook
    compliance plan propose --findings F.json        actions for what an audit found
    compliance plan list --overdue                   what is to be done
    compliance plan verify --findings F.json         what an audit no longer finds
    """


@plan.command("new")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@on_option
@role_option
@name_option
@db_option
def new(file: Path, on: date | None, role: str, name: str | None, db: str) -> None:
    """Begin a plan from its file; the database is made if it is not there.

    Example: compliance plan new fixtures/plans/fostering-2021.yaml --on 2022-02-23 --role "registered manager"
    """
    from compliance.tracker import accounts, life, planfile

    its, by = planfile.read(file), Change(db, None, on, role, name)
    with opened(db, must_exist=False) as store:
        if its.id in store.plans():
            raise ComplianceError(f"{db} holds a plan '{its.id}' already. Nothing was changed.")
        try:
            state, begun = store.change(
                its.id, by.day, by.who, lambda state: [life.begin(its)] if not state.number else []
            )
        except life.Refused as e:
            raise ComplianceError(f"{file}: {e}. Nothing was changed.") from e
    if not begun:  # somebody else was first, after we looked
        raise ComplianceError(f"{db} holds a plan '{its.id}' already. Nothing was changed.")
    for said in accounts.differences(its):
        click.echo(tidy(said), err=True)
    click.echo(
        tidy(f"Begun: {its.title}, {len(state.plan.workstreams):,} workstreams, {len(state.actions):,} actions.")
    )


@plan.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--title", help="The title of a new plan from a workbook.  [default: its file name]")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@people
def import_(
    file: Path,
    title: str | None,
    dry_run: bool,
    by: Change,
) -> None:
    """Take over a plan: a plan file, a workbook laid out as a Level Two list, or the events of another database.

    A plan that is not there yet is begun. One that is there is changed to what the file says, each difference with its history; what the
    file does not have stays. Events (.jsonl) go into a database without that plan, as they are.

    \b
    Example: compliance plan import actions.xlsx --plan fostering-2021 --dry-run --role "registered manager"
    """
    match file.suffix.lower():
        case ".jsonl":
            _restore(file, by.db, dry_run)
        case ".yaml" | ".yml":
            from compliance.tracker import importing, planfile

            its = planfile.read(file)
            _import(importing.whole(its, str(file)), by.plan_id or its.id, its.title, by, dry_run)
        case ".xlsx" | ".xlsm":
            from compliance.tracker import planfile, spreadsheet

            said, notes = spreadsheet.read(file)
            for note in notes:
                click.echo(tidy(note), err=True)
            if by.plan_id is None:
                raise ComplianceError("A workbook does not say of which plan it is; say it with --plan ID.")
            planfile.check_id(by.plan_id)
            _import(said, by.plan_id, title or file.stem, by, dry_run)
        case other:
            raise ComplianceError(f"'{other}' is no kind of plan; give .yaml, .xlsx or .jsonl (the events of a plan).")


def _import(said: Said, plan_id: str, title: str, by: Change, dry_run: bool) -> None:
    """Begins the plan or changes it, and tells every event."""
    from compliance.tracker import accounts, importing, life, plain, planfile
    from compliance.tracker.events import chained
    from compliance.tracker.state import State
    from compliance.tracker.telling import told

    def decide(state: State) -> Sequence[Draft]:
        its = importing.identified(said, state.as_plan())
        if state.number:
            drafts = importing.drafts(state, its, by.why)
        else:
            drafts = [life.begin(importing.as_plan(its, plan_id, title))]
        planfile.check(importing.after(state, drafts), said.file)
        return drafts

    before = State()
    drafts: Sequence[Draft] = ()
    fresh = "://" not in by.db and not Path(by.db).exists()
    if fresh:
        # What cannot be imported leaves no empty database behind.
        drafts = decide(before)
    if not (fresh and dry_run):
        with opened(by.db, must_exist=False) as store:
            before = store.state(plan_id)
            drafts = decide(before)
            if not dry_run:
                _, events = store.change(plan_id, by.day, by.who, decide, by.seen)
    if dry_run:
        events = [chained(plan_id, before.number + i, "", by.day, by.who, d, "") for i, d in enumerate(drafts, 1)]
    for e in events:
        click.echo(tidy(told(e)))
        if e.kind == "plan begun":
            for difference in accounts.differences(plain.plan(e.body["plan"])):
                click.echo(tidy(difference), err=True)
    stay = importing.left(before, importing.identified(said, before.as_plan()))
    if stay:
        click.echo(tidy(f"In the plan and not in the file, and left as they are: {', '.join(stay)}."), err=True)
    done = "would be made; nothing was changed" if dry_run else "made"
    click.echo(f"{len(events):,} {'change' if len(events) == 1 else 'changes'} {done}.")


def _restore(file: Path, db: str, dry_run: bool) -> None:
    """Puts the events of another database into this one, where their chain holds."""
    from compliance.tracker import eventsfile
    from compliance.tracker.state import fold

    events = eventsfile.read(file)
    state = fold(events)
    if not dry_run:
        with opened(db, must_exist=False) as store:
            store.restore(events)
    done = "could be taken over; nothing was changed" if dry_run else "taken over, none changed or taken out"
    click.echo(tidy(f"{state.plan.title}: {len(events):,} events {done}."))


@plan.command("export")
@plan_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["yaml", "csv", "jsonl", "oscal"]),
    default="yaml",
    show_default=True,
    help="The plan file; a row an action; the events; an OSCAL plan of action and milestones.",
)
@out_option
@db_option
def export(plan_id: str | None, format_: str, out: Path | None, db: str) -> None:
    """Give the plan to another program, or to another database.

    Example: compliance plan export --format oscal --out plan.oscal.json
    """
    from compliance.report.plan.exports import EXPORTS
    from compliance.tracker.state import fold

    with opened(db) as store:
        events = store.events(chosen(store, plan_id))
    print_out(EXPORTS[format_](fold(events), events), out)


@plan.command("list")
@plan_option
@as_at_option
@click.option("--workstream", "workstreams", multiple=True, help="Only this workstream (may be given several times).")
@click.option("--owner", "owners", multiple=True, help="Only actions of this role.")
@click.option("--status", "statuses", multiple=True, help="Only actions with this status.")
@click.option("--due-by", type=Day(), help="Only what is due by this day.")
@click.option("--overdue", is_flag=True, help="Only what is overdue.")
@format_option
@out_option
@db_option
def list_(
    plan_id: str | None,
    as_at: date | None,
    workstreams: tuple[str, ...],
    owners: tuple[str, ...],
    statuses: tuple[str, ...],
    due_by: date | None,
    overdue: bool,
    format_: str,
    out: Path | None,
    db: str,
) -> None:
    """List actions, with what is overdue, due soon or stalled.

    Example: compliance plan list --workstream WS1 --overdue --as-at 2022-03-10
    """
    from compliance.report.plan import actions
    from compliance.tracker import life
    from compliance.tracker.choosing import Filter, chosen_actions

    try:
        wanted = Filter(workstreams, owners, tuple(life.status_of(s) for s in statuses), due_by, overdue)
    except life.Refused as e:
        raise ComplianceError(f"{e}.") from e
    state, _ = known(db, plan_id, as_at)
    listed = chosen_actions(state, wanted, as_at or today())
    print_out(actions.FORMATS[format_](state, listed, width()), out)


@plan.command("show")
@click.argument("action", required=False)
@plan_option
@as_at_option
@format_option
@out_option
@db_option
def show(action: str | None, plan_id: str | None, as_at: date | None, format_: str, out: Path | None, db: str) -> None:
    """Show an action with its history, or the whole plan in numbers.

    Example: compliance plan show WS1.1
    """
    from compliance.report.plan import actions, numbers
    from compliance.tracker import life

    state, events = known(db, plan_id, as_at)
    day = as_at or today()
    if action is None:
        print_out(numbers.FORMATS[format_](state, day, width()), out)
        return
    try:
        tracked = life.find(state, action)
    except life.Refused as e:
        raise ComplianceError(f"{str(e)[0].upper()}{str(e)[1:]}.") from e
    print_out(actions.ONE[format_](state, tracked, [e for e in events if e.subject == action], day, width()), out)


@plan.command("update")
@click.argument("actions", nargs=-1, required=True, metavar="ACTION...")
@click.option("--text", help="What is to be done.")
@click.option("--owner", help="The role that does it.")
@click.option("--start", help="2022-02-28, 2022-02, or 2022-02 to 2022-03; empty: none.")
@click.option("--due", help="The same.")
@click.option("--workstream", help="Move it there.")
@click.option("--evidence", multiple=True, help="What shows that it is done; takes the place of what was there.")
@click.option(
    "--answers", multiple=True, help="A duty, rule or finding that it answers; takes the place of what was there."
)
@click.option("--note", help="A note.")
@click.option("--status", help="open or in progress; the other states have commands of their own.")
@people
def update(
    actions: tuple[str, ...],
    text: str | None,
    owner: str | None,
    start: str | None,
    due: str | None,
    workstream: str | None,
    evidence: tuple[str, ...],
    answers: tuple[str, ...],
    note: str | None,
    status: str | None,
    by: Change,
) -> None:
    """Change an action, or several in the same way; what was there before stays in their history.

    A proposed action is accepted with --status open, and rejected with --status rejected and --why. If one of several cannot be
    changed so, none is.

    \b
    Example: compliance plan update WS1.3 --due 2022-04 --why "The workshop was moved" --role "team manager"
    Example: compliance plan update A-a1 A-a2 A-a7 --status open --owner "team manager" --role "registered manager"
    """
    from compliance.tracker import life

    given: dict[str, Any] = {"text": text, "owner": owner, "note": note, "workstream": workstream}
    new = {k: v for k, v in given.items() if v is not None}
    new |= {k: v or None for k, v in (("start", start), ("due", due)) if v is not None}
    new |= {k: list(v) for k, v in (("evidence", evidence), ("answers", answers)) if v}

    def decide(state: State) -> Sequence[Draft]:
        drafts: list[Draft] = []
        for action in dict.fromkeys(actions):
            if new:
                drafts.append(life.update(state, action, new, by.why))
            if status is not None:
                drafts.append(life.moved(state, action, life.status_of(status), by.why))
        if not drafts:
            raise life.Refused("nothing to change was given")
        return drafts

    changed(by, decide)


@plan.command("complete")
@action_argument
@click.option("--evidence", multiple=True, help="What shows that it is done (may be given several times).")
@people
def complete(
    action: str,
    evidence: tuple[str, ...],
    by: Change,
) -> None:
    """Say that an action is done, and what shows it.

    Example: compliance plan complete WS1.2 --evidence "Dashboard of 31 March, page 2" --role "team manager"
    """
    from compliance.tracker import life

    changed(by, lambda state: [life.complete(state, action, evidence, by.why)])


@plan.command("sign-off")
@action_argument
@people
def sign_off(
    action: str,
    by: Change,
) -> None:
    """Sign an action off; the registered manager alone, and after an audit has verified it.

    Example: compliance plan sign-off WS1.2 --role "registered manager"
    """
    from compliance.tracker import life

    changed(by, lambda state: [life.sign_off(state, action, by.role, by.why)])


@plan.command("comment")
@click.argument("text")
@click.option("--action", default="", help="The action that it is about.  [default: the plan]")
@people
def comment(
    text: str,
    action: str,
    by: Change,
) -> None:
    """Remark on an action, or on the plan.

    Example: compliance plan comment "Two carers asked for a later date" --action WS4.5 --role "team manager"
    """
    from compliance.tracker import life

    changed(by, lambda state: [life.comment(state, action, text)])


@plan.command("history")
@click.argument("action", required=False)
@plan_option
@click.option(
    "--check", is_flag=True, help="Prove that nothing was changed or taken out; exit with 1 if something was."
)
@db_option
def history(action: str | None, plan_id: str | None, check: bool, db: str) -> None:
    """Tell every event of a plan, or of one action, in order.

    Example: compliance plan history WS1.1
    """
    from compliance.cli.ending import FOUND
    from compliance.tracker.events import broken
    from compliance.tracker.state import fold
    from compliance.tracker.telling import told

    with opened(db) as store:
        events = store.events(chosen(store, plan_id))
    if check:
        where = broken(events)
        click.echo(f"The chain is broken: {where}." if where else f"{len(events):,} events, none changed or taken out.")
        raise SystemExit(FOUND if where else 0)
    fold(events)  # only what can be understood can be told
    for e in events:
        if action is None or e.subject == action:
            click.echo(tidy(told(e)))
