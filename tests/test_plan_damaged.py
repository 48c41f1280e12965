"""A plan whose database was changed past the program, or is damaged: told wherever it is read, with what can be done, and never a crash."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import plan_making
import pytest
from click.testing import Result
from sqlalchemy import update

from compliance.tracker import life
from compliance.tracker.events import Draft
from compliance.tracker.store import EVENT, Store

READERS = (
    ("plan", "list"),
    ("plan", "show", "A1"),
    ("plan", "history"),
    ("plan", "report", "level-one"),
    ("plan", "report", "progress"),
    ("plan", "measures"),
    ("plan", "export", "--format", "jsonl"),
)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "plan.sqlite"
    store = Store(str(path))
    store.change("p", "2022-01-03", plan_making.MANAGER, lambda _: [life.begin(plan_making.small_plan())])
    for text in ("honest", "too"):
        comment = Draft("comment", "A1", {"text": text})
        store.change("p", "2022-01-04", plan_making.MANAGER, lambda _, one=comment: [one])  # type: ignore[misc]
    store.close()
    return path


def _forge(db: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(db) as connection:
        connection.execute(statement, values)
    connection.close()


@pytest.mark.parametrize("reader", READERS, ids=" ".join)
def test_a_forged_comment_is_told_wherever_the_plan_is_read(
    cli: Callable[..., Result], db: Path, reader: tuple[str, ...]
) -> None:
    assert "not as it was written" not in cli(*reader, "--db", db).stderr
    _forge(db, "UPDATE event SET body = ? WHERE number = 2", json.dumps({"text": "forged"}))
    result = cli(*reader, "--db", db)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("event 2 is not what was written") == 1 and "backup" in result.stderr


@pytest.mark.parametrize("reader", [*READERS, ("plan", "verify")], ids=" ".join)
@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"text": "\\ud800"}',
        '{"text": %s}' % ("9" * 6000),
        '{"text": NaN}',
        '{"text": "\\u00e9"}',
    ],
)
def test_what_no_event_can_say_is_no_crash(
    cli: Callable[..., Result], db: Path, reader: tuple[str, ...], body: str
) -> None:
    _forge(db, "UPDATE event SET body = ? WHERE number = 2", body)
    result = cli(*reader, "--db", db)
    assert result.exit_code in (0, 1, 2) and "backup" in result.stderr, result.output


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"role": "\\ud800"}', '{"number": %s}' % ("9" * 6000), '{"body": {}, "body": {}}']
)
def test_a_line_that_is_no_event_is_no_crash(cli: Callable[..., Result], db: Path, tmp_path: Path, line: str) -> None:
    """Alone, or as part of an event that is otherwise as it was."""
    events = tmp_path / "events.jsonl"
    assert cli("plan", "export", "--format", "jsonl", "--db", db, "--out", events).exit_code == 0
    honest = events.read_text(encoding="utf-8").splitlines()
    within = json.dumps(json.loads(honest[1]))[:-1] + f", {line[1:]}"
    for second in (line, within):
        events.write_text("\n".join([honest[0], second, ""]), encoding="utf-8")
        asked = ("--role", "manager", "--name", "m", "--db", tmp_path / "new.sqlite")
        result = cli("plan", "import", events, *asked)
        assert (result.exit_code, "events.jsonl:2" in result.stderr) == (2, True), result.output


def test_a_forged_comment_is_told_on_the_page_and_before_a_change(
    cli: Callable[..., Result], db: Path, tmp_path: Path
) -> None:
    _forge(db, "UPDATE event SET name = 'somebody else' WHERE number = 3")
    page = tmp_path / "plan.html"
    assert cli("plan", "report", "page", "--out", page, "--db", db).exit_code == 0
    assert "event 3 is not what was written" in page.read_text(encoding="utf-8")
    result = cli("plan", "comment", "x", "--action", "A1", "--role", "manager", "--name", "m", "--db", db)
    assert "event 3 is not what was written" in result.stderr


def test_a_forged_event_is_told_once_whatever_holds_the_plan(database: str) -> None:
    store = Store(database)
    store.change("p", "2022-01-03", plan_making.MANAGER, lambda _: [life.begin(plan_making.small_plan())])
    comment = Draft("comment", "A1", {"text": "honest"})
    store.change("p", "2022-01-04", plan_making.MANAGER, lambda _: [comment])
    with store.engine.execution_options(writes=True).begin() as connection:
        connection.execute(update(EVENT).where(EVENT.c.number == 2).values(body='{"text":"forged"}'))
    store.close()
    told: list[str] = []
    reader = Store(database, told.append)
    assert len(reader.events("p")) == len(reader.events("p")) == 2
    reader.close()
    assert len(told) == 1 and "event 2 is not what was written" in told[0]


BODIES: tuple[object, ...] = (
    "[]",
    "{}",
    "null",
    "5",
    "",
    "{",
    '{"text": 5}',
    '{"plan": []}',
    b"\xff\xfe",
    7,
    "[" * 5000,
)


@pytest.mark.parametrize("body", BODIES, ids=lambda b: repr(b)[:20])
@pytest.mark.parametrize("number", [1, 2])
def test_a_body_that_is_none_is_2_with_what_can_be_done(
    cli: Callable[..., Result], db: Path, body: object, number: int
) -> None:
    _forge(db, "UPDATE event SET body = ? WHERE number = ?", body, number)
    for reader in (("plan", "list"), ("plan", "history"), ("plan", "verify")):
        result = cli(*reader, "--db", db)
        assert result.exit_code in ((1, 2) if "verify" in reader else (0, 2)), result.output
        assert "backup" in result.stderr and "Traceback" not in result.output


def test_a_plan_of_wrong_types_is_no_crash(cli: Callable[..., Result], db: Path) -> None:
    begun = json.loads(sqlite3.connect(db).execute("SELECT body FROM event WHERE number = 1").fetchone()[0])
    for field, value in (("stalled_after", "x"), ("due_soon", None), ("title", []), ("forums", [5])):
        _forge(db, "UPDATE event SET body = ? WHERE number = 1", json.dumps({"plan": {**begun["plan"], field: value}}))
        for reader in (("plan", "list"), ("plan", "report", "progress"), ("plan", "export", "--format", "oscal")):
            result = cli(*reader, "--db", db)
            assert result.exit_code in (0, 2) and "Traceback" not in result.output, (field, reader, result.output)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET kind = 'no kind' WHERE number = 2",
        "UPDATE event SET plan = CAST(x'ff' AS TEXT) WHERE number = 2",
        "UPDATE event SET number = 9 WHERE number = 2",
        "UPDATE event SET on_day = 'one day' WHERE number = 2",
        "UPDATE event SET on_day = 'one day' WHERE number = 3",
        "UPDATE event SET on_day = '9999-99-99' WHERE number = 1",
        "UPDATE event SET plan = x'ff' WHERE number = 2",
        "UPDATE event SET at = '' WHERE number = 3",
        "DELETE FROM event WHERE number = 1",
        "DELETE FROM event",
        "DROP TABLE event",
        "UPDATE alembic_version SET version_num = 5",
    ],
)
def test_a_row_that_is_none_is_no_crash(cli: Callable[..., Result], db: Path, statement: str) -> None:
    _forge(db, statement)
    for reader in READERS:
        result = cli(*reader, "--db", db)
        assert result.exit_code in (0, 2) and "Traceback" not in result.output, (reader, result.output)


def test_changed_bytes_are_no_crash(cli: Callable[..., Result], db: Path) -> None:
    chance, honest = random.Random(5), db.read_bytes()
    for _ in range(40):
        content = bytearray(honest)
        for _ in range(chance.choice((1, 5, 50))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        db.write_bytes(content)
        result = cli(*chance.choice(READERS), "--db", db)
        assert result.exit_code in (0, 2) and "Traceback" not in result.output, result.output


def test_who_has_no_name_on_the_machine_is_asked_for_one(
    cli: Callable[..., Result], db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nobody)
    result = cli("plan", "comment", "x", "--action", "A1", "--role", "manager", "--db", db)
    assert result.exit_code == 2 and "--name" in result.stderr
