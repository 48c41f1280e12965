"""The plan's reports: the real plans as people read them, and what happened between two meetings."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import ROOT
from jsonschema import Draft7Validator
from plan_making import COLLEAGUE, MANAGER, Living, fingerprint, small_plan

from compliance.report.plan import board as board_report
from compliance.report.plan import level_one, page
from compliance.tracker import life, planfile
from compliance.tracker.events import Draft, Who
from compliance.tracker.history import changes, up_to
from compliance.tracker.model import Action, Concern, Workstream, when
from compliance.tracker.state import State, fold
from compliance.tracker.store import Store

PLANS = ROOT / "fixtures" / "plans"
GOLDEN = Path(__file__).parent / "data" / "plan-reports"
WHO = Who("analyst", "A. Nalyst")
WIDTH = 100


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real plans, each begun on 23 February 2022, in one database."""
    db = tmp_path_factory.mktemp("plans") / "real.sqlite"
    store = Store(str(db))
    for path in sorted(PLANS.glob("*.yaml")):
        plan = planfile.read(path)
        store.change(plan.id, "2022-02-23", WHO, lambda state, plan=plan: [life.begin(plan)])  # type: ignore[misc]
    store.close()
    return db


@pytest.fixture
def report(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("COLUMNS", str(WIDTH))

    def run(*args: object) -> str:
        done = cli("plan", "report", *args)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    return run


def check_golden(name: str, text: str) -> None:
    """Against the file that a person has read; GOLDEN=write keeps a new one to be read."""
    path = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def check_tables(text: str) -> None:
    """Every table of a Markdown text has a line under its header, and as many cells in every row."""
    block: list[int] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            if len(block) == 1:
                assert {c.strip() for c in cells} == {"---"}, line
            block.append(len(cells))
        else:
            assert len(set(block)) <= 1 and len(block) != 1 and len(block) != 2, block
            block = []


REPORTS = ["level-one", "level-two", "progress", "board"]


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize(("format_", "ending"), [("table", "txt"), ("markdown", "md")])
def test_the_fostering_plan_is_told_as_at_23_february_2022(
    report: Callable[..., str], real: Path, name: str, format_: str, ending: str
) -> None:
    said = report(name, "--db", real, "--plan", "fostering-2021", "--as-at", "2022-02-23", "--format", format_)
    check_golden(f"fostering-2021-{name}.{ending}", said)


@pytest.mark.parametrize("plan", [p.stem for p in sorted(PLANS.glob("*.yaml"))])
@pytest.mark.parametrize("name", REPORTS)
def test_every_real_plan_fits_the_width_and_its_tables_are_whole(
    report: Callable[..., str], real: Path, name: str, plan: str
) -> None:
    of = (name, "--db", real, "--plan", plan, "--as-at", "2022-02-23")
    assert max(map(len, report(*of).splitlines())) <= WIDTH
    text = report(*of, "--format", "markdown")
    check_tables(text)
    if name == "level-two":
        assert all(f"| {a.id} | {a.text} |" in text for _, a in planfile.read(PLANS / f"{plan}.yaml").actions())


def covered(its: dict[str, Any]) -> dict[str, set[str]]:
    return {c["name"]: set(c["workstreams"]) for c in its["covers"]}


def test_the_matrix_has_what_level_one_of_the_source_has(report: Callable[..., str], real: Path) -> None:
    its = json.loads(report("level-one", "--db", real, "--plan", "fostering-2021", "--format", "json"))
    plan = planfile.read(PLANS / "fostering-2021.yaml")
    assert list(covered(its)) == [*plan.regulations, *plan.standards]
    assert covered(its)["11(a)"] == {"WS1", "WS2"}  # the plan names a part of what the workstreams name
    assert covered(its)["3.1"] == covered(its)["31"] == {"WS3"}
    of = {w.id: {*w.regulations, *w.standards} for w in plan.workstreams}
    said = {w: {n for c in its["covers"] for n in c["workstreams"].get(w, ())} for w in of}
    assert said == of


def test_a_day_before_the_plan_began_is_told(cli: Callable[..., Result], real: Path) -> None:
    done = cli("plan", "report", "level-two", "--db", real, "--plan", "fostering-2021", "--as-at", "2022-02-22")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "begins on 2022-02-23; nothing is known of it as at 2022-02-22" in done.stderr


# --- a plan that lives ---

REVIEWS = [fingerprint("review-late", key) for key in ("one", "two")]
COMPLAINT = fingerprint("complaint-open", "three")


def audit(as_at: str, reviews: Sequence[str], complaints: Sequence[str]) -> life.Audit:
    return life.Audit(
        date.fromisoformat(as_at),
        {"review-late": reviews, "complaint-open": complaints},
        frozenset({"review-late", "complaint-open"}),
        {"review-late": ["FSR-28-2"], "complaint-open": ["FSR-18-4"]},
        {},
    )


def judged(its: life.Audit) -> Callable[[State], list[Draft]]:
    return lambda state: [*life.audited(state, its), *(v.draft for v in life.verify(state, its) if v.draft)]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small plan in its first quarter: what each day brought is told beside it."""
    plan = replace(
        small_plan(),
        concerns=(
            Concern("R1", "Reviews are held in time", "requirement", "28(2)", when("2022-02-28"), True, (), "", ("A",)),
            Concern("R2", "Complaints are answered", "requirement", "18(4)", when("2022-06-30"), False, (), "", ("B",)),
            Concern("N1", "Carers are asked what they think", "recommendation"),
        ),
    )
    db = tmp_path_factory.mktemp("lived") / "lived.sqlite"
    store = Store(str(db))

    def do(on: str, decide: Callable[[State], Sequence[Draft]], who: Who = COLLEAGUE) -> None:
        store.change("small", on, who, decide)

    first, second = audit("2022-01-10", REVIEWS, [COMPLAINT]), audit("2022-03-10", REVIEWS[:1], [])
    b1 = Action(
        "B1", "Answer the complaint | and keep the letter", "complaints officer", when("2022-01"), when("2022-02-20")
    )
    b1 = replace(b1, answers=(COMPLAINT,))
    do("2022-01-03", lambda s: [life.begin(plan)])
    do("2022-01-10", judged(first), MANAGER)
    do("2022-01-12", lambda s: [life.update(s, "A1", {"answers": REVIEWS}, "")])
    do("2022-01-12", lambda s: [life.add(s, "B", b1)])
    do("2022-01-12", lambda s: [life.add(s, "B", Action("B2", "Ask carers", "team manager", status="proposed"))])
    do("2022-01-20", lambda s: [life.measured(s, "A-m1", "71.5 %")])
    do("2022-02-01", lambda s: [life.start(s, "A1")])
    do("2022-02-10", lambda s: [life.complete(s, "B1", ["Letter of 9 February"])])
    do("2022-02-20", lambda s: [life.measured(s, "A-m1", "85 %")])
    do("2022-02-21", lambda s: [life.complete(s, "A1", ["Minutes of 18 February"])])
    do("2022-03-02", lambda s: [life.update(s, "A2", {"due": "2022-04"}, "The panel meets later")])
    do("2022-03-10", judged(second), MANAGER)  # the complaint is gone, one review is still late
    do("2022-03-12", lambda s: [life.sign_off(s, "B1", "registered manager")], MANAGER)
    do("2022-03-20", lambda s: [life.reject(s, "B2", "It is done under A-m3")])
    do("2022-03-20", lambda s: [life.measured(s, "A-m1", "93 %")])
    store.close()
    return db


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("progress", ("--as-at", "2022-03-31", "--since", "2022-02-15")),
        ("board", ("--as-at", "2022-03-31")),
        ("level-two", ("--as-at", "2022-03-31")),
    ],
)
@pytest.mark.parametrize(("format_", "ending"), [("table", "txt"), ("markdown", "md")])
def test_a_plan_that_lived_is_told(
    report: Callable[..., str], lived: Path, name: str, more: tuple[str, ...], format_: str, ending: str
) -> None:
    said = report(name, "--db", lived, *more, "--format", format_)
    check_golden(f"small-{name}.{ending}", said)
    assert "Invented" not in said and "Made-Up" not in said
    if format_ == "markdown":
        check_tables(said)
    else:
        assert max(map(len, said.splitlines())) <= WIDTH


def progress(report: Callable[..., str], db: Path, as_at: str, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report("progress", "--db", db, "--as-at", as_at, "--format", "json", *more))
    return found


def test_progress_is_of_the_day_and_not_of_what_came_later(report: Callable[..., str], lived: Path) -> None:
    its = progress(report, lived, "2022-02-15")
    assert [a["id"] for a in its["completed"]] == ["B1"]
    assert its["verified"] == its["signed_off"] == its["overdue"] == []
    assert [(a["id"], a["due"]) for a in its["due"]] == [("A1", "2022-02-28")]
    assert its["total"]["proposed"] == 1
    assert [a["id"] for a in progress(report, lived, "2022-02-15", "--days", "44")["due"]] == ["A1", "A2"]
    assert progress(report, lived, "2022-01-11")["total"]["actions"] == 2


def test_changes_are_those_after_the_day_up_to_the_as_at_day(report: Callable[..., str], lived: Path) -> None:
    def changed(since: str, as_at: str) -> list[tuple[str, str]]:
        return [(c["kind"], c["action"]) for c in progress(report, lived, as_at, "--since", since)["changes"]]

    assert changed("2022-02-09", "2022-02-10") == [("completed", "B1")]
    assert changed("2022-02-10", "2022-02-20") == []
    assert changed("2022-03-01", "2022-03-12") == [
        ("due changed", "A2"),
        ("opened again", "A1"),
        ("verified", "B1"),
        ("signed off", "B1"),
    ]
    every = changed("2022-01-01", "2022-03-31")
    assert every[:3] == [("added", "B1"), ("proposed", "B2"), ("begun", "A1")]
    assert changed("2022-01-01", "2022-02-20") + changed("2022-02-20", "2022-03-31") == every


def test_overdue_names_how_long_and_the_forum_it_goes_to(report: Callable[..., str], lived: Path) -> None:
    def overdue(as_at: str) -> list[tuple[str, int, str | None]]:
        return [(a["id"], a["overdue_days"], a["escalate_to"]) for a in progress(report, lived, as_at)["overdue"]]

    assert overdue("2022-02-28") == []
    assert overdue("2022-03-17") == [("A1", 17, "managers")]
    assert overdue("2022-05-31") == [("A1", 92, "board"), ("A2", 31, "managers")]


def board(report: Callable[..., str], db: Path, as_at: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report("board", "--db", db, "--as-at", as_at, "--format", "json"))
    return found


def test_a_workstream_stands_as_its_actions_do(report: Callable[..., str], lived: Path) -> None:
    def stands(as_at: str) -> list[str]:
        return [w["stands"] for w in board(report, lived, as_at)["workstreams"]]

    assert stands("2022-01-05") == ["on track", "no actions"]
    assert stands("2022-02-11") == ["at risk", "to be accepted"]  # nothing was said of A2 since it began
    assert stands("2022-03-31") == ["off track", "done"]  # A1 is overdue and restated; B1 signed off, B2 rejected


def test_a_requirement_is_met_when_every_action_is_verified(report: Callable[..., str], lived: Path) -> None:
    def of(as_at: str) -> list[tuple[int, int, int, int]]:
        its = board(report, lived, as_at)["concerns"]
        return [(c["actions"], c["done"], c["verified"], c["days_late"]) for c in its]

    assert of("2022-02-11") == [(2, 0, 0, 0), (2, 1, 0, 0), (0, 0, 0, 0)]
    assert of("2022-03-31") == [(2, 0, 0, 31), (1, 1, 1, 0), (0, 0, 0, 0)]


def test_what_audits_found_again_is_restated_with_what_answers_it(report: Callable[..., str], lived: Path) -> None:
    assert board(report, lived, "2022-01-31")["restated"] == {"audit": "2022-01-10", "rules": []}
    its = board(report, lived, "2022-03-31")["restated"]
    assert its["rules"] == [
        {"rule": "review-late", "findings": 1, "since": "2022-01-10", "times": 2, "actions": ["A1"]}
    ]


def test_a_measure_has_its_trend_and_whether_it_meets_its_target(report: Callable[..., str], lived: Path) -> None:
    (m,) = [m for m in board(report, lived, "2022-03-31")["measures"] if m["values"]]
    assert [(v["value"], v["met"]) for v in m["values"]] == [("71.5 %", False), ("85 %", False), ("93 %", True)]
    assert (m["target"], m["trend"][0], m["trend"][-1]) == ("at least 90 %", "▁", "█")


def test_the_quarter_is_counted_from_its_first_day(report: Callable[..., str], lived: Path) -> None:
    its = board(report, lived, "2022-04-01")
    assert (its["since"], its["changes"]) == ("2022-03-31", {})
    assert board(report, lived, "2022-03-31")["changes"] == {
        "completed": 2,
        "verified": 1,
        "signed off": 1,
        "opened again": 1,
        "proposed": 1,
        "added": 1,
        "begun": 1,
        "rejected": 1,
        "due changed": 1,
    }


def test_since_a_later_day_is_refused(cli: Callable[..., Result], lived: Path) -> None:
    done = cli("plan", "report", "progress", "--db", lived, "--as-at", "2022-03-01", "--since", "2022-03-02")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--since 2022-03-02 is later than the day of the report, 2022-03-01" in done.stderr


# --- JSON ---


def outputs(cli: Callable[..., Result], db: Path, plan: str, as_at: str) -> dict[str, Any]:
    """What each command writes as JSON, by the part of the schema that it must fit."""
    action = json.loads(cli("plan", "list", "--db", db, "--plan", plan, "--format", "json").stdout)["actions"]
    asked: dict[str, tuple[object, ...]] = {
        "list": ("list",),
        "whole": ("show",),
        "level_one": ("report", "level-one"),
        "level_two": ("report", "level-two"),
        "progress": ("report", "progress", "--since", "2022-01-01"),
        "board": ("report", "board"),
    }
    if action:
        asked["one"] = ("show", action[0]["id"])
    found = {}
    for part, command in asked.items():
        done = cli("plan", *command, "--db", db, "--plan", plan, "--as-at", as_at, "--format", "json")
        assert done.exit_code == 0, done.stderr
        found[part] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("plan", ["small", *(p.stem for p in sorted(PLANS.glob("*.yaml")))])
def test_the_json_of_list_show_and_report_fits_its_schema(
    cli: Callable[..., Result], real: Path, lived: Path, plan: str
) -> None:
    schema = json.loads((ROOT / "schemas" / "plan-output.schema.json").read_text(encoding="utf-8"))
    db, as_at = (lived, "2022-03-31") if plan == "small" else (real, "2022-05-31")
    for part, its in outputs(cli, db, plan, as_at).items():
        only = {**schema, "anyOf": [{"$ref": f"#/definitions/{part}"}]}
        checked = Draft7Validator(only, format_checker=Draft7Validator.FORMAT_CHECKER)
        assert [(part, e.json_path, e.context or e.message) for e in checked.iter_errors(its)] == []
        assert Draft7Validator(schema).is_valid(its)
        assert not Draft7Validator(only).is_valid({**its, "more": 1})


# --- the plan as it was ---


def test_list_and_show_tell_the_plan_as_it_was_on_the_day(cli: Callable[..., Result], lived: Path) -> None:
    def statuses(*day: str) -> dict[str, str]:
        listed = json.loads(cli("plan", "list", "--db", lived, "--format", "json", *day).stdout)["actions"]
        return {a["id"]: a["status"] for a in listed}

    assert statuses("--as-at", "2022-01-11") == {"A1": "open", "A2": "open"}
    assert statuses("--as-at", "2022-02-22") == {"A1": "completed", "A2": "open", "B1": "completed", "B2": "proposed"}
    assert statuses() == {"A1": "open", "A2": "open", "B1": "signed off", "B2": "rejected"}
    shown = json.loads(cli("plan", "show", "B1", "--db", lived, "--as-at", "2022-02-22", "--format", "json").stdout)
    assert (shown["status"], [e["on"] for e in shown["history"]]) == ("completed", ["2022-01-12", "2022-02-10"])
    done = cli("plan", "show", "B1", "--db", lived, "--as-at", "2022-01-11")
    assert (done.exit_code, "There is no action 'B1'" in done.stderr) == (2, True)


def test_what_is_told_of_a_day_before_a_thing_was_there_counts_from_when_it_was() -> None:
    living = Living()
    living.do(life.add(living.state, "B", Action("B1", "Answer it")), on="2022-02-10")
    living.do(life.start(living.state, "B1"), on="2022-02-05")
    living.do(life.comment(living.state, "B1", "It began earlier"), on="2022-02-06")
    assert [e.kind for e in up_to(living.events, date(2022, 2, 9))] == ["plan begun"]
    state = fold(up_to(living.events, date(2022, 2, 10)))
    assert (state.actions["B1"].status, state.number) == ("in progress", 4)
    assert [c.on for c in changes(living.events, date(2022, 2, 9), date(2022, 2, 10))] == ["2022-02-10"] * 2


def test_a_workstream_that_came_later_takes_its_actions_with_it() -> None:
    living = Living()
    living.do(life.add_with_workstream(living.state, Workstream("C", "Late"), Action("C1", "Do it")), on="2022-03-01")
    living.do(life.update(living.state, "A1", {"workstream": "C"}, ""), on="2022-02-01")
    before, after = (fold(up_to(living.events, date(2022, 3, 1) - timedelta(days=n))) for n in (1, 0))
    assert [[t.action.id for t in its] for _, its in before.in_order()] == [["A1", "A2"], []]
    assert [[t.action.id for t in its] for _, its in after.in_order()] == [["A2"], [], ["A1", "C1"]]


def test_an_earlier_day_of_measures_does_not_become_the_latest(report: Callable[..., str], tmp_path: Path) -> None:
    store = Store(str(tmp_path / "plan.sqlite"))
    store.change("small", "2022-01-03", MANAGER, lambda s: [life.begin(small_plan())])
    store.change("small", "2022-02-20", MANAGER, lambda s: [life.measured(s, "A-m1", "85 %")])
    store.change("small", "2022-02-01", MANAGER, lambda s: [life.measured(s, "A-m1", "70 %")])
    store.close()
    (m,) = [m for m in board(report, tmp_path / "plan.sqlite", "2022-03-31")["measures"] if m["values"]]
    assert [v["value"] for v in m["values"]] == ["70 %", "85 %"]


def test_nobody_is_told_that_a_plan_without_days_is_on_track(report: Callable[..., str], real: Path) -> None:
    said = report(
        "board", "--db", real, "--plan", "send-accelerated-progress", "--as-at", "2022-02-23", "--format", "json"
    )
    assert {w["stands"] for w in json.loads(said)["workstreams"]} == {"no dates"}


def test_a_workstream_of_claims_alone_is_to_be_verified(report: Callable[..., str], tmp_path: Path) -> None:
    store = Store(str(tmp_path / "plan.sqlite"))
    store.change("small", "2022-01-03", MANAGER, lambda s: [life.begin(small_plan())])
    store.change("small", "2022-01-20", COLLEAGUE, lambda s: [life.complete(s, "A1", ["Minutes"])])
    store.change("small", "2022-01-21", COLLEAGUE, lambda s: [life.complete(s, "A2", ["Letter"])])
    store.change("small", "2022-01-25", MANAGER, lambda s: [life.sign_off(s, "A1", "registered manager")])
    store.change("small", "2022-01-26", MANAGER, lambda s: [life.sign_off(s, "A2", "registered manager")])
    store.close()

    def stands(as_at: str) -> str:
        found: str = board(report, tmp_path / "plan.sqlite", as_at)["workstreams"][0]["stands"]
        return found

    assert [stands(f"2022-01-{d}") for d in (20, 21, 25, 26)] == [
        "on track",
        "to be verified",
        "to be verified",
        "done",
    ]


def test_what_falls_due_on_the_day_itself_is_due_and_not_overdue(report: Callable[..., str], lived: Path) -> None:
    its = progress(report, lived, "2022-04-30", "--days", "0")
    assert ([a["id"] for a in its["due"]], [a["id"] for a in its["overdue"]]) == (["A2"], ["A1"])
    its = progress(report, lived, "2022-05-01", "--days", "0")
    assert ([a["id"] for a in its["due"]], [a["id"] for a in its["overdue"]]) == ([], ["A1", "A2"])


def test_a_requirement_is_late_while_an_action_is_to_be_done_and_not_while_it_is_to_be_verified() -> None:
    concern = Concern("R1", "Reviews are held in time", due=when("2022-01-31"), workstreams=("A",))
    living = Living(replace(small_plan(), concerns=(concern,)))

    def come() -> tuple[int, int, int]:
        (c,) = board_report.data(living.state, living.events, date(2022, 2, 10), date(2021, 12, 31))["concerns"]
        return c["done"], c["verified"], c["days_late"]

    living.do(life.complete(living.state, "A1", ["Minutes"]))
    assert come() == (1, 0, 10)
    living.do(life.complete(living.state, "A2", ["Letter"]))
    assert come() == (2, 0, 0)


def test_a_workstream_covers_the_parts_of_what_it_names_and_nothing_that_begins_alike() -> None:
    plan = small_plan()
    one = replace(plan.workstreams[0], regulations=("3",))
    living = Living(replace(plan, regulations=("31", "3.1"), workstreams=(one, plan.workstreams[1])))
    its = level_one.data(living.state, date(2022, 2, 10))
    assert [(c["name"], c["workstreams"]) for c in its["covers"]] == [
        ("31", {}),
        ("3.1", {"A": ["3"]}),
        ("18.4", {"B": ["18.4"]}),
    ]
    said = "".join(page.terminal(level_one.blocks(its), WIDTH))
    assert "The plan names these, and no workstream covers them: Regulation 31." in said
