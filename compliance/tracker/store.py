"""Where events are kept: a SQLite file, or a server's database for a team (I/O). Events are added, never changed and never taken out.

An event's place in its plan is its key, so that of two who write at the same time one is first, and the other is told what changed.
"""

from __future__ import annotations

import gc
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    column,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    table,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from compliance.errors import ComplianceError
from compliance.tracker.events import KINDS, MENDED, Draft, Event, Kind, Who, broken, canonical, chained, is_day
from compliance.tracker.state import State, fold
from compliance.tracker.telling import told

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = "0001"
"""The migration that this version's tables are at; Alembic itself is loaded only where there is one to make."""
VERSIONS = table("alembic_version", column("version_num"))
LOCK = 5_310_977
"""What writers of tables on a server wait for: any number, the same in every version."""
BUSY_SECONDS = 30
"""So long a writer waits for another before it gives up."""
TRIES = 50
"""So often a change is made anew because somebody else was first."""

AT_ONCE = 5000
"""So many events are fetched at a time."""

TABLES = MetaData()
EVENT = Table(
    "event",
    TABLES,
    Column("plan", String(200), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("on_day", String(10), nullable=False),
    Column("role", String(400), nullable=False),
    Column("name", String(400), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", String(400), nullable=False),
    Column("body", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("before", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)


class Changed(ComplianceError):
    """Somebody else changed the same thing; `events` says what, and nothing was written."""

    def __init__(self, subject: str, events: Sequence[Event]) -> None:
        self.events = tuple(events)
        said = "\n".join(f"  {told(e)}" for e in events)
        look = f"show {subject}" if subject and events[0].kind == "action changed" else f"history {subject}".strip()
        super().__init__(
            f"{subject or 'The plan'} was changed by somebody else since you looked; your change was not made, and nothing is"
            f" lost:\n{said}\n"
            f"Look at it with: compliance plan {look}; then make your change again with --seen {events[-1].number}."
        )


class Store:
    """The events of all plans in one database."""

    def __init__(self, url: str, tell: Callable[[str], object] = lambda _: None) -> None:
        """Opens it, and brings its tables to this version's.

        Args:
          url: a path to a SQLite file, or an SQLAlchemy URL.
          tell: is given a sentence where the chain of a plan that is read does not hold.

        Raises:
          ComplianceError: it cannot be opened or made, or a newer version of the program has made it.
        """
        parsed = _parsed(url)
        self.url = parsed.render_as_string(hide_password=False)
        self.tell = tell
        self.told: set[str] = set()
        self.engine = _engine(parsed)
        try:
            with _told(self.url):
                self._migrate()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Lets go of the database."""
        self.engine.dispose()

    def _migrate(self) -> None:
        with self.engine.connect() as connection:
            known = inspect(connection).has_table(VERSIONS.name)
            there = connection.scalar(select(VERSIONS.c.version_num)) if known else None
        if there == NEWEST:
            return
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        if there is not None and there not in {
            s.revision for s in ScriptDirectory.from_config(config).walk_revisions()
        }:
            raise ComplianceError(
                f"{self._named} was written by a newer version of this program (its tables are at '{there}', this version knows"
                f" '{NEWEST}'). Nothing was read or changed; use the newer version."
            )
        with self.engine.execution_options(writes=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                # Of two that make the tables, the second waits, and finds them made.
                connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @property
    def _named(self) -> str:
        """The database without a password."""
        return make_url(self.url).render_as_string(hide_password=True)

    def plans(self) -> list[str]:
        """The ids of all plans.

        Raises:
          ComplianceError: they cannot be read.
        """
        with _told(self.url), self.engine.connect() as connection:
            plans = list(connection.scalars(select(EVENT.c.plan).distinct().order_by(EVENT.c.plan)))
        if not all(type(plan) is str for plan in plans):
            raise ComplianceError(f"{self._named} holds a plan without a name. {MENDED}")
        return plans

    def events(self, plan: str, after: int = 0) -> list[Event]:
        """The events of a plan, in order; where all are read, it is told if one was changed or taken out.

        Raises:
          ComplianceError: they cannot be read, or one is no event.
        """
        with _told(self.url), self.engine.connect() as connection, _all_kept():
            events = list(_read(connection, plan, after))
        if not after and (where := broken(events)) and where not in self.told:
            self.told.add(where)
            self.tell(f"The plan '{plan}' is not as it was written: {where}. {MENDED}")
        return events

    def state(self, plan: str) -> State:
        """What they add up to."""
        return fold(self.events(plan))

    def change(
        self,
        plan: str,
        on: str,
        who: Who,
        decide: Callable[[State], Sequence[Draft]],
        seen: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> tuple[State, list[Event]]:
        """Decides on the state as it is and writes what comes of it, all or nothing.

        Args:
          on: the day that the change speaks of, YYYY-MM-DD.
          decide: gives the drafts; it is asked again if somebody else was first.
          seen: the number of the last event that the person knows of; a later change of the same subject stops this one.

        Raises:
          Changed: somebody else changed the same subject since.
          ComplianceError: the database cannot be written.
        """
        state = self.state(plan)
        known = state.number if seen is None else seen
        for _ in range(TRIES):
            drafts = list(decide(state))
            self._stop_if_changed(plan, drafts, known)
            events = []
            before = state.head
            for i, draft in enumerate(drafts):
                at = now().isoformat(timespec="microseconds")
                made = chained(plan, state.number + 1 + i, at, on, who, draft, before)
                events.append(made)
                before = made.hash
            if not events or self._append(events):
                return fold(events, state), events
            state = fold(self.events(plan, state.number), state)
        raise ComplianceError(
            f"{self._named} is so busy that the change could not be made; nothing was lost. Try again."
        )

    def restore(self, events: Sequence[Event]) -> None:
        """A plan's events as another database held them, from the first on; all or nothing.

        Raises:
          ComplianceError: the plan is here already.
        """
        if not self._append(events):
            raise ComplianceError(f"{self._named} holds a plan '{events[0].plan}' already. Nothing was changed.")

    def _stop_if_changed(self, plan: str, drafts: Sequence[Draft], known: int) -> None:
        """Whether somebody else has changed, since event `known`, what these drafts change."""
        subjects = {(d.kind, d.subject) for d in drafts if d.kind in ("action changed", "plan changed")}
        if not subjects:
            return
        since = [e for e in self.events(plan, known) if (e.kind, e.subject) in subjects]
        if since:
            raise Changed(since[0].subject, [e for e in since if e.subject == since[0].subject])

    def _append(self, events: Sequence[Event]) -> bool:
        """Writes them; false if somebody else was first."""
        rows = [
            {
                "plan": e.plan,
                "number": e.number,
                "at": e.at,
                "on_day": e.on,
                "role": e.role,
                "name": e.name,
                "kind": e.kind,
                "subject": e.subject,
                "body": canonical(e.body),
                "why": e.why,
                "before": e.before,
                "hash": e.hash,
            }
            for e in events
        ]
        with _told(self.url):
            try:
                with self.engine.execution_options(writes=True).begin() as connection:
                    last = connection.scalar(select(func.max(EVENT.c.number)).where(EVENT.c.plan == events[0].plan))
                    if (last or 0) != events[0].number - 1:
                        return False
                    connection.execute(insert(EVENT), rows)
            except IntegrityError:
                return False
        return True


def _read(connection: Connection, plan: str, after: int) -> Iterator[Event]:
    columns = list(EVENT.c)
    rows = connection.execute(
        select(*columns).where(EVENT.c.plan == plan, EVENT.c.number > after).order_by(EVENT.c.number)
    )
    decoded = json.JSONDecoder().raw_decode
    made: Kind
    for many in rows.partitions(AT_ONCE):
        for plan_, number, at, on, role, name, made, subject, body, why, before, digest in many:
            texts = (plan_, at, on, role, name, made, subject, body, why, before, digest)
            its, end = None, -1
            if all(type(text) is str for text in texts) and type(number) is int:
                with suppress(ValueError, RecursionError):
                    found: tuple[Any, int] = decoded(body) if is_day(on) else ({}, -1)
                    if "\\u" in body:  # as an escape alone there can be half a character, which nobody could write
                        canonical(found[0]).encode()
                    its, end = found
            if type(its) is not dict or end != len(body) or made not in KINDS:
                raise ComplianceError(f"Event {number!r} of '{plan}' is not what was written. {MENDED}")
            yield Event(plan_, number, at, on, role, name, made, subject, its, why, before, digest)


@contextmanager
def _all_kept() -> Iterator[None]:
    """Without looking for garbage among events that are all kept: it took half of the time of reading 100,000."""
    looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looking:
            gc.enable()


def _parsed(url: str) -> URL:
    """Whatever holds no `://` is a path, with every sign in it."""
    if "://" not in url:
        return URL.create("sqlite", database=str(Path(url).absolute()))
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as e:
        raise ComplianceError(f"'{url.split('@')[-1]}' is no database URL: {e}") from e


def _engine(parsed: URL) -> Engine:
    url = parsed.render_as_string(hide_password=True)
    try:
        backend = parsed.get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise ComplianceError(
                f"'{backend}' is no database for a plan; give a path to a SQLite file, or postgresql+psycopg://…"
            )
        if backend == "sqlite":
            if parsed.query:
                raise ComplianceError(f"'{url}' says more than where the file is; give its path alone.")
            _own(Path(parsed.database or ""))
            engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
            event.listen(engine, "connect", _as_needed)
            event.listen(engine, "begin", _at_once)
            return engine
        # The key alone tells who was first, so that nobody need be told that a read was in somebody's way.
        return create_engine(parsed, isolation_level="READ COMMITTED", pool_pre_ping=True)
    except ModuleNotFoundError as e:
        raise ComplianceError(
            "A server's database needs psycopg, which is not installed: pip install 'childrens-services-compliance[postgres]'."
        ) from e
    except (ArgumentError, NoSuchModuleError, ValueError) as e:
        raise ComplianceError(f"'{url.split('@')[-1]}' is no database URL: {e}") from e


def _own(path: Path) -> None:
    """A new file is readable by its owner alone from the first moment."""
    if not path.exists():
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            pass
        except OSError as e:
            raise ComplianceError(
                f"{path} cannot be made: {e.strerror or 'unknown cause'}. Nothing was written."
            ) from e


def _as_needed(connection: Any, _: object) -> None:
    # SQLAlchemy is to say when a transaction begins, not the driver; and what is committed is on the disk.
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
    connection.execute("PRAGMA synchronous = FULL")


def _at_once(connection: Connection) -> None:
    # A writer takes its turn before it looks at what is there; a reader needs none, not even a disk that can be written.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What goes wrong with a database, as a message."""
    try:
        yield
    except IntegrityError:
        raise
    except (UnicodeError, ValueError) as e:  # bytes that are none that this program has written
        named = make_url(url).render_as_string(hide_password=True)
        raise ComplianceError(f"{named} cannot be used: it is damaged. {MENDED}") from e
    except DBAPIError as e:
        named = make_url(url).render_as_string(hide_password=True)
        what = str(e.orig).strip().splitlines()[0] if e.orig is not None else "unknown cause"
        damage = f" {MENDED}" if "malformed" in what or "not a database" in what else ""
        raise ComplianceError(f"{named} cannot be used: {what}. Nothing was changed by this command.{damage}") from e
