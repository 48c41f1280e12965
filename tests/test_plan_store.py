"""Where a plan's events are kept: nothing is lost, whoever writes at the same time, is killed, or runs out of disk."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import Result
from conftest import ROOT
from plan_making import COLLEAGUE, MANAGER, Living, small_plan

from compliance.errors import ComplianceError
from compliance.tracker import life, planfile
from compliance.tracker.events import Draft, broken
from compliance.tracker.plain import plain
from compliance.tracker.state import fold
from compliance.tracker.store import MIGRATIONS, NEWEST, TABLES, Changed, Store

Cli = Callable[..., Result]
ON = "2022-01-10"
WHO = ("--role", "team manager", "--name", "Bo Made-Up")

pytestmark = pytest.mark.xdist_group("postgresql")


def begun(url: str) -> Store:
    store = Store(url)
    store.change("small", "2022-01-03", MANAGER, lambda _: [life.begin(small_plan())])
    return store


def run(*args: object) -> subprocess.CompletedProcess[str]:
    """A process of its own."""
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests")))}
    return subprocess.run([sys.executable, *map(str, args)], capture_output=True, text=True, env=where)


# --- together ---


def test_what_is_written_is_read_again_as_it_was(database: str) -> None:
    its = Living()
    store = begun(database)
    for make in (
        lambda s: [life.start(s, "A1", "Zeit – “quoted”; 'x' \\ \x00".replace("\x00", ""))],
        lambda s: [life.complete(s, "A1", ["page 2"]), life.comment(s, "A2", "two at once")],
        lambda s: [life.update(s, "A2", {"due": "2022-04 to 2022-05", "answers": ["FSR-28-2"]}, "moved")],
    ):
        its.do(*make(its.state), on=ON)  # type: ignore[no-untyped-call]
        store.change("small", ON, MANAGER, make)
    events = store.events("small")
    assert [(e.number, e.kind, e.subject, e.body, e.why) for e in events] == [
        (e.number, e.kind, e.subject, e.body, e.why) for e in its.events
    ]
    assert broken(events) == ""
    assert plain(store.state("small").as_plan()) == plain(its.state.as_plan())
    assert store.plans() == ["small"]
    store.close()


def test_the_second_of_two_is_told_what_changed_and_loses_nothing(database: str) -> None:
    one, two = begun(database), Store(database)
    seen = two.state("small").number
    one.change("small", ON, MANAGER, lambda s: [life.update(s, "A1", {"owner": "panel adviser"}, "On leave")])
    mine: Callable[..., Sequence[Draft]] = lambda s: [life.update(s, "A1", {"due": "2022-04"}, "Later")]  # noqa: E731
    with pytest.raises(Changed, match="owner from team manager to panel adviser") as told:
        two.change("small", ON, COLLEAGUE, mine, seen)
    assert [e.subject for e in told.value.events] == ["A1"]
    assert two.state("small").number == 2
    # Another action is nobody else's business; and whoever has seen the change may make theirs.
    two.change("small", ON, COLLEAGUE, lambda s: [life.start(s, "A2")], seen)
    two.change("small", ON, COLLEAGUE, mine, told.value.events[-1].number)
    action = one.state("small").actions["A1"].action
    assert (action.owner, action.due and action.due.text) == ("panel adviser", "2022-04")
    one.close()
    two.close()


def test_the_same_by_the_commands(cli: Cli, database: str) -> None:
    begun(database).close()
    assert cli("plan", "update", "A1", "--owner", "panel adviser", "--db", database, *WHO).exit_code == 0
    late = cli("plan", "update", "A1", "--due", "2022-04", "--seen", "1", "--db", database, *WHO)
    assert late.exit_code == 2
    assert "owner from team manager to panel adviser" in late.stderr
    assert "--seen 2" in late.stderr
    assert cli("plan", "update", "A1", "--due", "2022-04", "--seen", "2", "--db", database, *WHO).exit_code == 0
    shown = cli("plan", "show", "A1", "--db", database).stdout
    assert "panel adviser" in shown
    assert "2022-04" in shown


def test_of_eight_who_write_at_once_no_change_is_lost(database: str) -> None:
    times = 12
    command = [sys.executable, str(ROOT / "tests" / "writers.py"), database, str(times)]
    where = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen(command, env=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    said = [w.communicate() for w in writers]
    assert [w.returncode for w in writers] == [0] * 8, said
    store = Store(database)
    events = store.events("small")
    assert broken(events) == ""
    assert fold(events).actions["A1"].action.note == str(8 * times)
    assert [e.kind for e in events].count("plan begun") == 1
    assert len(events) == 1 + 8 * times
    store.close()


def test_killed_at_random_moments_nothing_is_lost_or_half_written() -> None:
    done = run(ROOT / "tests" / "bench" / "kills.py", "--kills", 100, "--each", 25, "--seed", 7)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100 killed\n" in done.stdout
    assert "0 lost, 0 half written" in done.stdout
    assert int(re.findall(r"([\d,]+) changes\n", done.stdout)[0]) > 10, (
        "they were all killed before they wrote anything"
    )


def test_killed_while_writing_to_a_server_nothing_is_lost_or_half_written(postgresql: str) -> None:
    from postgres_server import new_database

    url = new_database(postgresql, "kills")
    done = run(ROOT / "tests" / "bench" / "kills.py", "--kills", 60, "--each", 30, "--url", url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 lost, 0 half written" in done.stdout


def test_the_bench_of_kills_sees_what_is_lost_and_what_is_half_written(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "tests" / "bench"))
    import kills

    store = begun(str(tmp_path / "plan.sqlite"))
    batch = kills.Batch(str(tmp_path / "plan.sqlite"), "small")
    batch.told = {"1.1"}
    assert kills.wrong(batch) == "lost: 1.1"
    store.change("small", ON, MANAGER, lambda s: [life.comment(s, "A1", "1.1")])
    assert kills.wrong(batch) == "half written: 1.1"
    store.change("small", ON, MANAGER, lambda s: [life.comment(s, "A2", "1.1")])
    assert kills.wrong(batch) == ""
    store.close()


# --- the history ---


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE event SET name = 'Someone Else' WHERE number = 2",
        """UPDATE event SET body = '{"text":"Other"}' WHERE number = 2""",
        "DELETE FROM event WHERE number = 2",
        "UPDATE event SET number = 9 WHERE number = 2; UPDATE event SET number = 2 WHERE number = 3;"
        " UPDATE event SET number = 3 WHERE number = 9",
    ],
)
def test_what_is_changed_in_the_database_past_the_program_is_found(cli: Cli, tmp_path: Path, sql: str) -> None:
    path = tmp_path / "plan.sqlite"
    store = begun(str(path))
    for text in ("one", "two", "three"):
        store.change("small", ON, MANAGER, lambda s, text=text: [life.comment(s, "A1", text)])  # type: ignore[misc]
    store.close()
    assert cli("plan", "verify", "--db", path).exit_code == 0
    with sqlite3.connect(path) as connection:
        connection.executescript(sql)
    connection.close()
    for command in (("verify",), ("history", "--check")):
        proof = cli("plan", *command, "--db", path)
        assert (proof.exit_code, "The chain is broken: event" in proof.stdout) == (1, True)


def test_a_body_that_is_no_json_any_more_is_told_by_its_event(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "plan.sqlite"
    begun(str(path)).close()
    for body in ("nonsense", "{} {}"):
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE event SET body = ?", (body,))
        connection.close()
        done = cli("plan", "show", "--db", path)
        assert (done.exit_code, "Event 1 of 'small' is not what was written" in done.stderr) == (2, True)


# --- the disk ---


def test_a_disk_that_is_full_is_told_and_what_was_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "plan.sqlite"
    begun(str(path)).close()
    # A file may grow to so many blocks, and no further.
    limit = path.stat().st_size // 512 + 24
    told = 0
    for i in range(40):
        text = f"{i} {'x' * 4000}"
        done = subprocess.run(
            [
                *("sh", "-c", f'ulimit -f {limit}; exec "$0" "$@"'),
                *(sys.executable, "-B", "-m", "compliance", "plan", "comment", text, "--db", str(path), *WHO),
            ],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        if done.returncode:
            break
        told += 1
    assert 0 < told < 40
    assert done.returncode == 2
    assert re.search(r"cannot be used: .*(full|I/O)", done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    store = Store(str(path))
    events = store.events("small")
    assert (len(events), broken(events)) == (1 + told, "")
    store.change("small", ON, MANAGER, lambda s: [life.comment(s, "", "There is room again")])
    store.close()


READ_ONLY = """
import os, sys
from click.testing import CliRunner
from compliance.cli import main
def run(*args):
    done = CliRunner().invoke(main, ["plan", *args, "--db", sys.argv[1]])
    print(done.exit_code, done.output, done.exception if done.exit_code not in (0, 2) else "")
who = ("--role", "team manager", "--name", "Bo")
run("show")
run("comment", "written by one who may", *who)
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
run("show")
run("comment", "written by one who may not", *who)
"""


def test_on_a_disk_that_is_read_only_the_plan_is_shown_and_a_change_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    path = folder / "plan.sqlite"
    begun(str(path)).close()
    writable = os.geteuid() == 0
    for p in (path, folder):
        p.chmod(0o444 if p == path else 0o555)
    above = [p for p in folder.parents if str(p).startswith("/tmp/")]
    modes = [(p, p.stat().st_mode) for p in above]
    for p in above:
        p.chmod(0o755)
    try:
        done = run("-c", READ_ONLY, path)
    finally:
        for p, mode in modes:
            p.chmod(mode)
        folder.chmod(0o755)
        path.chmod(0o600)
    said = done.stdout
    assert said.count("A small plan") == 2, said + done.stderr
    assert re.search(r"^2 .*cannot be used: .*(readonly|read-only|unable to open)", said, re.MULTILINE), said
    store = Store(str(path))
    assert store.state("small").number == (2 if writable else 1)
    store.close()


# --- what is no database of ours ---


def test_a_database_of_a_newer_version_is_left_as_it_is(cli: Cli, database: str) -> None:
    from sqlalchemy import text

    store = begun(database)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for args in (("show",), ("comment", "Hello", *WHO)):
        done = cli("plan", *args, "--db", database)
        assert done.exit_code == 2
        assert "newer version of this program" in done.stderr
        assert "9999" in done.stderr
    assert len(store.events("small")) == 1
    store.close()


@pytest.mark.parametrize(
    "content",
    [b"This is a letter, and no database.\n" * 40, b"\x00" * 5000, b"SQLite format 3\x00"],
    ids=["a letter", "zeros", "a header"],
)
def test_a_file_that_is_no_database_is_told_and_left_as_it_is(cli: Cli, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(content)
    for args in (("show",), ("comment", "Hello", *WHO)):
        done = cli("plan", *args, "--db", path)
        assert done.exit_code == 2
        assert "letter.txt cannot be used: file is not a database" in done.stderr
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me:secret@host/plan", "no database for a plan"),
        ("nonsense://host", "is no database"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/plan", "cannot be used"),
        ("postgresql+psycopg://me:secret@127.0.0.1:port/plan", "is no database URL"),
        ("://", "is no database URL"),
        ("sqlite:///plan?mode=memory", "give its path alone"),
    ],
)
def test_what_is_no_database_gets_one_message_without_the_password(cli: Cli, url: str, said: str) -> None:
    done = cli("plan", "show", "--db", url)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "secret" not in done.output


def test_a_folder_is_no_database(cli: Cli, tmp_path: Path) -> None:
    done = cli("plan", "show", "--db", tmp_path)
    assert (done.exit_code, "cannot be used" in done.stderr) == (2, True)


def test_a_plan_that_cannot_be_made_leaves_no_plan(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(planfile.write(small_plan()), encoding="utf-8")
    done = cli("plan", "new", file, "--db", tmp_path / "not" / "there.sqlite", *WHO)
    assert done.exit_code == 2
    assert "cannot be made" in done.stderr


# --- the tables ---


def test_the_migrations_lead_to_the_tables_that_are_used(database: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST
    store = Store(database)
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []
    store.close()


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    begun(str(tmp_path / "plan.sqlite")).close()
    assert (tmp_path / "plan.sqlite").stat().st_mode & 0o777 == 0o600


def test_an_unknown_plan_gets_the_nearest(tmp_path: Path, cli: Cli) -> None:
    begun(str(tmp_path / "plan.sqlite")).close()
    done = cli("plan", "show", "--plan", "smal", "--db", tmp_path / "plan.sqlite")
    assert "did you mean 'small'" in done.stderr
    with pytest.raises(ComplianceError):
        Store("mysql://host/x")
