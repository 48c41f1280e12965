"""Plans in and out: what was exported comes back the same, a workbook is read for certain or not at all, and nothing is lost on the way."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import xlsxwriter
from click.testing import Result
from conftest import ROOT
from plan_workbook import write_plan

from compliance.tracker import life, planfile, written
from compliance.tracker.events import Draft, Event, Who, broken
from compliance.tracker.model import Action, Plan
from compliance.tracker.state import State
from compliance.tracker.store import Store

PLANS = ROOT / "fixtures" / "plans"
FOSTERING = PLANS / "fostering-2021.yaml"
MANAGER = Who("registered manager", "R. Manager")
AUDIT = life.Audit(
    date(2022, 3, 31), {"visit-late": ["f1", "f2"]}, frozenset({"visit-late"}), {"visit-late": ["FSR-8-1"]}, {}
)
LATER = life.Audit(date(2022, 5, 31), {}, AUDIT.ran, AUDIT.cites, {})

Run = Callable[..., Result]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "plan.sqlite"


@pytest.fixture
def plan(cli: Run, db: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The `plan` commands on a database of this test."""
    monkeypatch.setenv("COMPLIANCE_DB", str(db))
    monkeypatch.setenv("COMPLIANCE_ROLE", "analyst")
    monkeypatch.setenv("COMPLIANCE_NAME", "A. Nalyst")
    return lambda *args: cli("plan", *args)


def stored(db: Path) -> tuple[Plan, list[Event]]:
    store = Store(str(db))
    try:
        (name,) = store.plans()
        return store.state(name).as_plan(), store.events(name)
    finally:
        store.close()


def worked_off(db: Path) -> None:
    """Every kind of event: an audit, an action from proposed to signed off, one rejected, a comment, a measure."""
    store = Store(str(db))
    its = planfile.read(FOSTERING)

    def do(on: str, draft: Callable[[State], Draft | list[Draft]]) -> None:
        def decide(state: State) -> list[Draft]:
            made = draft(state)
            return made if isinstance(made, list) else [made]

        store.change(its.id, on, MANAGER, decide)

    new = Action("WS1-a1", "Make the late visits\nand say why they were late", status="proposed", answers=("f1", "f2"),
                 about=("visit V1, child C1", "visit V2, child C2"))  # fmt: skip
    do("2022-02-23", lambda _: life.begin(its))
    do("2022-03-31", lambda s: life.audited(s, AUDIT))
    do("2022-03-31", lambda s: life.add(s, "WS1", new))
    do("2022-03-31", lambda s: life.add(s, "WS2", Action("WS2-a1", "Nothing to do with us", status="proposed")))
    do("2022-04-01", lambda s: life.accept(s, "WS1-a1"))
    do("2022-04-01", lambda s: life.reject(s, "WS2-a1", "Another team's"))
    do("2022-04-02", lambda s: life.update(s, "WS1-a1", {"due": "2022-04-30", "owner": "team manager"}, "Agreed"))
    do("2022-04-20", lambda s: life.complete(s, "WS1-a1", ["=Visits of April, page 2"]))
    do("2022-05-31", lambda s: life.audited(s, LATER))
    do("2022-05-31", lambda s: [v.draft for v in life.verify(s, LATER) if v.draft])
    do("2022-06-01", lambda s: life.sign_off(s, "WS1-a1", MANAGER.role))
    do("2022-06-01", lambda s: life.comment(s, "WS1.1", "Two teams are left"))
    do("2022-06-01", lambda s: life.measured(s, "WS1-m1", "most"))
    store.close()


def exported(plan: Run, format_: str, path: Path) -> Path:
    assert plan("export", "--format", format_, "--out", path).exit_code == 0
    return path


# --- YAML -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(PLANS.glob("*.yaml")), ids=lambda p: p.stem)
def test_an_exported_plan_file_is_the_plan(plan: Run, path: Path, tmp_path: Path) -> None:
    assert plan("import", path).exit_code == 0
    assert planfile.read(exported(plan, "yaml", tmp_path / "out.yaml")) == planfile.read(path)


def test_what_was_worked_off_is_the_same_after_export_and_import(plan: Run, db: Path, tmp_path: Path) -> None:
    worked_off(db)
    path = exported(plan, "yaml", tmp_path / "out.yaml")
    before = stored(db)
    assert plan("import", path).stdout == "0 changes made.\n"
    assert stored(db) == before
    assert plan("import", path, "--db", tmp_path / "other.sqlite").exit_code == 0
    assert stored(tmp_path / "other.sqlite")[0] == before[0]


def changed(path: Path, *changes: tuple[str, str]) -> Path:
    """The fostering plan with these changes."""
    text = FOSTERING.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return path


CHANGES = (
    ("cadence: quarterly", "cadence: monthly"),
    ("      - Team Manager\n", "      - Deputy Manager\n"),
    (
        "due: 2022-02\n        status: in progress",
        "due: 2022-03\n        status: completed\n        evidence: [Minutes]",
    ),
)


def test_each_difference_is_one_event_with_what_was_there_before(plan: Run, db: Path, tmp_path: Path) -> None:
    plan("import", FOSTERING)
    path = changed(tmp_path / "new.yaml", *CHANGES)
    before = stored(db)
    dry = plan("import", path, "--why", "Meeting of March", "--dry-run")
    assert stored(db) == before
    done = plan("import", path, "--why", "Meeting of March")
    assert dry.stdout.splitlines()[:-1] == done.stdout.splitlines()[:-1]
    assert dry.stdout.splitlines()[-1] == "3 changes would be made; nothing was changed."
    its, events = stored(db)
    assert [(e.kind, e.subject, e.why) for e in events[1:]] == [
        ("plan changed", "", "Meeting of March"),
        ("plan changed", "WS1", "Meeting of March"),
        ("action changed", "WS1.1", "Meeting of March"),
    ]
    assert events[3].body["changes"] == {
        "due": {"from": "2022-02", "to": "2022-03"},
        "status": {"from": "in progress", "to": "completed"},
        "evidence": {"from": None, "to": ["Minutes"]},
    }
    assert its == planfile.read(path)
    assert broken(events) == ""


def test_what_the_file_lacks_stays_and_is_told(plan: Run, db: Path, tmp_path: Path) -> None:
    plan("import", FOSTERING)
    text = FOSTERING.read_text(encoding="utf-8")
    start = text.index("      - id: WS7.6")
    (tmp_path / "short.yaml").write_text(text[:start] + text[text.index("    measures:", start) :], encoding="utf-8")
    told = plan("import", tmp_path / "short.yaml")
    assert "left as they are: WS7.6." in told.stderr
    assert "WS7.6" in [a.id for _, a in stored(db)[0].actions()]


def test_an_import_makes_no_change_that_nobody_could_make_by_hand_and_tells_all_of_them(
    plan: Run, db: Path, tmp_path: Path
) -> None:
    plan("import", FOSTERING)
    path = changed(
        tmp_path / "new.yaml",
        ("due: 2022-02\n        status: in progress", "due: 2022-02\n        status: completed"),
        ("due: 2022-02 to 2022-03\n        status: in progress", "due: 2022-03\n        status: signed off"),
    )
    before = stored(db)
    told = plan("import", path)
    assert told.exit_code == 2
    assert "WS1.1 cannot be completed without evidence" in told.stderr
    assert "an action becomes signed off with: compliance plan sign-off" in told.stderr
    assert stored(db) == before


def test_an_import_of_an_old_export_is_told_what_others_changed_since(plan: Run, db: Path, tmp_path: Path) -> None:
    plan("import", FOSTERING)
    path = exported(plan, "yaml", tmp_path / "out.yaml")
    assert "--seen 1" in path.read_text(encoding="utf-8").splitlines()[0]
    plan("update", "WS1.1", "--due", "2022-06", "--name", "O. Ther")
    before = stored(db)
    told = plan("import", path, "--seen", "1")
    assert told.exit_code == 2
    assert "O. Ther (analyst): action changed WS1.1: due from 2022-02 to 2022-06" in told.stderr
    assert stored(db) == before


def test_the_same_for_what_the_plan_says_of_itself(plan: Run, db: Path, tmp_path: Path) -> None:
    plan("import", FOSTERING)
    plan("import", changed(tmp_path / "one.yaml", CHANGES[0]))
    told = plan("import", changed(tmp_path / "two.yaml", ("cadence: quarterly", "cadence: weekly")), "--seen", "1")
    assert told.exit_code == 2
    assert "plan changed: forums: company board" in told.stderr


# --- Events ---------------------------------------------------------------------------------------------------------


def test_a_database_can_be_made_again_from_its_events(plan: Run, db: Path, tmp_path: Path) -> None:
    worked_off(db)
    path = exported(plan, "jsonl", tmp_path / "events.jsonl")
    other = tmp_path / "other.sqlite"
    assert plan("import", path, "--db", other).exit_code == 0
    assert stored(other) == stored(db)
    assert plan("history", "--check", "--db", other).exit_code == 0
    again = plan("import", path, "--db", other)
    assert (again.exit_code, stored(other)) == (2, stored(db))
    assert "holds a plan 'fostering-2021' already" in again.stderr


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda its: [*its[:3], *its[4:]], "event 4 is missing"),
        (lambda its: [*its[:3], its[4], its[3], *its[5:]], "event 4 is missing"),
        (lambda its: [its[0].replace("Fostering improvement", "Another"), *its[1:]], "event 1 is not what was written"),
        (lambda its: [*its[:2], "{", *its[3:]], "events.jsonl:3: this is not JSON"),
        (lambda its: [*its[:2], '{"plan": "x"}'], "events.jsonl:3: this is no event of a plan"),
        (lambda its: [], "holds no events"),
    ],
)
def test_events_that_were_changed_are_not_taken_over(
    plan: Run, db: Path, tmp_path: Path, spoil: Callable[[list[str]], list[str]], said: str
) -> None:
    worked_off(db)
    path = exported(plan, "jsonl", tmp_path / "events.jsonl")
    path.write_text("".join(f"{x}\n" for x in spoil(path.read_text(encoding="utf-8").splitlines())), encoding="utf-8")
    told = plan("import", path, "--db", tmp_path / "other.sqlite")
    assert told.exit_code == 2
    assert said in told.stderr
    assert not (tmp_path / "other.sqlite").exists()


# --- CSV and OSCAL --------------------------------------------------------------------------------------------------


def test_csv_has_a_row_an_action_and_no_formula(plan: Run, db: Path, tmp_path: Path) -> None:
    worked_off(db)
    text = exported(plan, "csv", tmp_path / "out.csv").read_bytes().decode("utf-8")
    rows = {r["action"]: r for r in csv.DictReader(io.StringIO(text, newline=""))}
    assert len(rows) == 42
    assert rows["WS1-a1"]["evidence"] == "'=Visits of April, page 2"
    assert (rows["WS1-a1"]["status"], rows["WS1-a1"]["answers"]) == ("signed off", "f1; f2")
    assert (rows["WS1.3"]["due"], rows["WS1.3"]["due_by"]) == ("2022-02 to 2022-03", "2022-03-31")


def oscal_schema() -> dict[str, Any]:
    """The official schema, with the classes of characters that Python's expressions have no name for."""
    text = (ROOT / "tests" / "data" / "oscal_poam_schema.json").read_text(encoding="utf-8")
    for theirs, ours in ((r"(\\p{L}|_)(\\p{L}|\\p{N}|[.\\-_])*", r"[^\\W\\d][\\w.\\-]*"),):
        assert theirs in text
        text = text.replace(theirs, ours)
    found: dict[str, Any] = json.loads(text)
    return found


def uuids(value: Any) -> Iterator[str]:
    """Those that objects have, and not those that speak of others."""
    if isinstance(value, dict):
        if "uuid" in value:
            yield value["uuid"]
        for v in value.values():
            yield from uuids(v)
    elif isinstance(value, list):
        for v in value:
            yield from uuids(v)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for k, v in value.items():
            if k.endswith("-uuid"):
                yield v
            elif k.endswith("-uuids"):
                yield from v
            else:
                yield from references(v)
    elif isinstance(value, list):
        for v in value:
            yield from references(v)


@pytest.mark.parametrize("which", ["worked off", *(p.stem for p in sorted(PLANS.glob("*.yaml")))])
def test_oscal_fits_its_official_schema_and_every_reference_leads_somewhere(
    plan: Run, db: Path, tmp_path: Path, which: str
) -> None:
    if which == "worked off":
        worked_off(db)
    else:
        plan("import", PLANS / f"{which}.yaml")
    text = exported(plan, "oscal", tmp_path / "out.json").read_text(encoding="utf-8")
    document = json.loads(text)
    checker = jsonschema.Draft7Validator(oscal_schema())
    assert [f"{e.json_path}: {e.message[:200]}" for e in checker.iter_errors(document)] == []
    its = list(uuids(document))
    assert len(its) == len(set(its))
    assert set(references(document)) <= set(its)
    assert exported(plan, "oscal", tmp_path / "again.json").read_text(encoding="utf-8") == text
    roles = {r["id"] for r in document["plan-of-action-and-milestones"]["metadata"].get("roles", ())}
    assert all(f'"role-id": "{r}"' not in text or r in roles for r in (f"role-{n}" for n in range(50)))
    assert "A. Nalyst" not in text
    assert "R. Manager" not in text


def test_the_schema_of_oscal_would_notice(plan: Run, tmp_path: Path) -> None:
    plan("import", FOSTERING)
    document = json.loads(exported(plan, "oscal", tmp_path / "out.json").read_text(encoding="utf-8"))
    document["plan-of-action-and-milestones"]["risks"][0]["deadline"] = "2022-02"
    document["plan-of-action-and-milestones"]["risks"][1]["status"] = "in progress"
    wrong = {e.json_path.rpartition(".")[2] for e in jsonschema.Draft7Validator(oscal_schema()).iter_errors(document)}
    assert wrong == {"deadline", "status"}


def test_oscal_says_what_became_of_an_action_and_of_what_it_answers(plan: Run, db: Path, tmp_path: Path) -> None:
    worked_off(db)
    its = json.loads(exported(plan, "oscal", tmp_path / "out.json").read_text(encoding="utf-8"))
    poam = its["plan-of-action-and-milestones"]
    risks = {r["props"][0]["value"]: r for r in poam["risks"]}
    one = risks["WS1-a1"]
    assert (one["status"], one["deadline"]) == ("closed", "2022-04-30T23:59:59Z")
    assert [e.get("status-change") for e in one["risk-log"]["entries"]] == [
        None,
        "open",
        None,
        "remediating",
        "closed",
        "closed",
    ]
    assert one["remediations"][0]["lifecycle"] == "completed"
    by_uuid = {o["uuid"]: {p["name"]: p["value"] for p in o["props"]} for o in poam["observations"]}
    answered = [by_uuid[o["observation-uuid"]] for o in one["related-observations"]]
    assert [a["fingerprint"] for a in answered if "fingerprint" in a] == ["f1", "f2"]
    assert [a["concern"] for a in answered if "concern" in a] == ["R3", "R9", "N2"]
    # A claim without an audit closes nothing.
    assert risks["WS1.2"]["status"] == "remediating"
    assert risks["WS1.3"]["remediations"][0]["tasks"][0]["timing"] == {
        "within-date-range": {"start": "2022-02-01T00:00:00Z", "end": "2022-03-31T23:59:59Z"}
    }


# --- Workbooks ------------------------------------------------------------------------------------------------------


def test_the_level_two_workbook_is_the_plan(plan: Run, db: Path) -> None:
    told = plan("import", PLANS / "fostering-2021.xlsx", "--plan", "fostering-2021", "--title", "From Excel")
    assert told.exit_code == 0, told.output
    assert told.stderr == "Sheet 'Cover' has no row of column names with an action column; it was not read.\n"
    assert stored(db)[0].workstreams == planfile.read(FOSTERING).workstreams
    assert stored(db)[0].title == "From Excel"


def test_the_workbook_changes_nothing_in_the_plan_that_it_was_made_of(plan: Run, db: Path) -> None:
    plan("import", FOSTERING)
    before = stored(db)
    told = plan("import", PLANS / "fostering-2021.xlsx", "--plan", "fostering-2021")
    assert told.stdout == "0 changes made.\n"
    assert stored(db) == before


def test_the_kept_workbook_is_as_its_generator_writes_it(tmp_path: Path) -> None:
    write_plan(planfile.read(FOSTERING), tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == (PLANS / "fostering-2021.xlsx").read_bytes()


def sheet(path: Path, *rows: list[object], name: str = "Plan", formats: tuple[str, ...] = ()) -> Path:
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet(name)
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                if isinstance(value, date):
                    page.write_datetime(i, j, value, day)
                elif isinstance(value, str):
                    page.write_string(i, j, value)
                elif value is not None:
                    page.write(i, j, value)
    return path


def test_one_sheet_with_a_workstream_column_and_names_as_people_write_them(plan: Run, db: Path, tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "list.xlsx",
        ["Our improvement plan"],
        [],
        ["Workstream", "Action required", "Lead officer", "By when", "Progress", "Measures", "RAG"],
        [
            "1. Safer caring",
            "1.1 Audit the plans ✓",
            "Team manager",
            datetime(2022, 2, 1),
            None,
            "• Fewer gaps\n• In time",
        ],
        [None, "Write guidance", "Team manager", "Feb – Mar 2022", "Ongoing"],
        ["Recruitment", "Check the files", "HR adviser", "28 February 2022", "Not started", None, "Red"],
    )
    told = plan("import", path, "--plan", "ours")
    assert told.exit_code == 0, told.output
    assert told.stderr == "Sheet 'Plan': the column 'RAG' (G) was not read\n"
    its = stored(db)[0]
    assert [(w.id, w.title, len(w.measures)) for w in its.workstreams] == [
        ("1", "Safer caring", 2),
        ("WS1", "Recruitment", 0),
    ]
    assert [(a.id, a.text, a.owner, a.due.text if a.due else "", a.status) for _, a in its.actions()] == [
        ("1.1", "Audit the plans", "Team manager", "2022-02-01", "completed"),
        ("1.2", "Write guidance", "Team manager", "2022-02 to 2022-03", "in progress"),
        ("WS1.1", "Check the files", "HR adviser", "2022-02-28", "open"),
    ]


def test_a_later_list_without_ids_changes_the_actions_that_it_means_and_empties_nothing(
    plan: Run, db: Path, tmp_path: Path
) -> None:
    plan("import", FOSTERING)
    text = "audit all placement breakdowns and planned terminations  for patterns and learning"
    path = sheet(
        tmp_path / "list.xlsx",
        ["Workstream", "Action", "Due", "Responsible", "Measures"],
        ["Quality assurance and performance", text, None, "Group manager", "Complaints tracker and outcomes report"],
        ["WS3", "Something new", "April 2022", "Group manager", "Something else to see"],
    )
    told = plan("import", path, "--plan", "fostering-2021")
    assert told.exit_code == 0, told.output
    its, events = stored(db)
    assert [(e.kind, e.subject) for e in events[1:]] == [
        ("plan changed", "WS3"),
        ("action changed", "WS3.3"),
        ("action added", "WS3.7"),
    ]
    (third,) = (a for _, a in its.actions() if a.id == "WS3.3")
    assert (third.owner, third.due.text if third.due else "") == ("Group manager", "2022-03")
    assert [m.text for m in its.workstreams[2].measures][-2:] == ["Monthly KPI monitoring", "Something else to see"]


def own_workbook(plan: Run, path: Path) -> list[list[object]]:
    """The plan's own workbook, and the rows of its list of actions."""
    from python_calamine import load_workbook

    assert plan("report", "page", "--as-at", "2022-06-02", "--out", path).exit_code == 0
    return [[*row] for row in load_workbook(path).get_sheet_by_name("Plan actions").to_python()]


def test_the_plans_own_workbook_comes_back_and_says_nothing_new(plan: Run, db: Path, tmp_path: Path) -> None:
    worked_off(db)
    path = tmp_path / "plan.xlsx"
    rows = own_workbook(plan, path)
    statuses = {row[rows[0].index("Status")] for row in rows[1:]}
    assert {"signed off", "rejected"} <= statuses
    result = plan("import", path, "--plan", "fostering-2021")
    assert (result.exit_code, result.stdout) == (0, "0 changes made.\n")
    assert "was not read" not in result.stderr


def test_what_was_edited_in_the_plans_own_workbook_is_changed_and_no_more(plan: Run, db: Path, tmp_path: Path) -> None:
    worked_off(db)
    rows = own_workbook(plan, tmp_path / "plan.xlsx")
    lead, due_by, status = (rows[0].index(head) for head in ("Lead", "Due", "Status"))
    begun = [row for row in rows if row[status] == "in progress"]
    begun[0][lead], begun[1][due_by] = "team manager", "31/03/2023"
    result = plan("import", sheet(tmp_path / "edited.xlsx", *rows), "--plan", "fostering-2021")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "2 changes made."
    actions = {a.id: a for _, a in stored(db)[0].actions()}
    assert actions[str(begun[0][1])].owner == "team manager"
    due = actions[str(begun[1][1])].due
    assert due is not None and due.text == "2023-03-31"


def test_a_closed_action_that_was_edited_in_the_workbook_is_refused_with_its_row(
    plan: Run, db: Path, tmp_path: Path
) -> None:
    worked_off(db)
    rows = own_workbook(plan, tmp_path / "plan.xlsx")
    closed = next(row for row in rows if row[rows[0].index("Status")] == "signed off")
    closed[rows[0].index("Lead")] = "somebody else"
    result = plan("import", sheet(tmp_path / "edited.xlsx", *rows), "--plan", "fostering-2021")
    assert result.exit_code == 2 and f"row {rows.index(closed) + 1}" in result.stderr
    assert "is signed off and stays as it is" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("cell", "due"), [("31/03/2022", "2022-03-31"), ("28.02.2022", "2022-02-28"), ("04/04/2022", "2022-04-04")]
)
def test_a_day_in_numbers_is_read_where_it_can_be_one_day_alone(
    plan: Run, db: Path, tmp_path: Path, cell: str, due: str
) -> None:
    path = sheet(tmp_path / "list.xlsx", ["Action", "Due"], ["One", cell])
    assert plan("import", path, "--plan", "ours").exit_code == 0
    ((_, action),) = stored(db)[0].actions()
    assert action.due is not None and action.due.text == due


@pytest.mark.parametrize("total", [["Total actions: 2"], ["Total", "2"], ["TOTAL", None, "2"]])
def test_a_total_is_no_action_and_is_told(plan: Run, db: Path, tmp_path: Path, total: list[object]) -> None:
    path = sheet(
        tmp_path / "list.xlsx", ["Action", "Owner", "Note"], ["One"], ["Total the caseloads", "team manager"], total
    )
    result = plan("import", path, "--plan", "ours")
    assert [a.text for _, a in stored(db)[0].actions()] == ["One", "Total the caseloads"]
    assert "row 4: reads as a total, and is no action" in " ".join(result.stderr.split())


def test_several_actions_are_changed_in_one_go_or_none_is(plan: Run, db: Path) -> None:
    worked_off(db)
    assert plan("update", "WS1.1", "WS1.3", "WS1.1", "--owner", "team manager").exit_code == 0
    owners = {a.id: a.owner for _, a in stored(db)[0].actions()}
    assert owners["WS1.1"] == owners["WS1.3"] == "team manager"
    before = stored(db)
    refused = plan("update", "WS1.1", "WS2-a1", "--owner", "mentor")
    assert refused.exit_code == 2 and "WS2-a1 is rejected" in " ".join(refused.stderr.split())
    assert stored(db) == before


def test_an_error_and_a_formula_without_its_result_are_told_with_their_cell_and_not_read_as_empty(
    plan: Run, db: Path, tmp_path: Path
) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("Plan")
        for n, row in enumerate((["Action", "Due", "Days left"], ["One", "", ""], ["Two", "", ""], ["", "", ""])):
            page.write_row(n, 0, row)
        page.write_formula(1, 1, "=#REF!", value="#REF!")
        page.write_formula(2, 1, "=DATE(2022,3,1)", value="")
        page.write_formula(3, 0, "=NA()", value="#N/A")
        # What no plan reads may be what it likes.
        page.write_formula(1, 2, "=#REF!", value="#REF!")
    told = plan("import", path, "--plan", "ours")
    assert (told.exit_code, db.exists()) == (2, False)
    said = " ".join(told.stderr.split())
    for cell, what in (("row 2, column B", "is the error #REF!"), ("row 3, column B", "holds a formula whose result")):
        assert f"{cell}: the cell {what}" in said, said
    assert "row 4, column A: the cell is the error #N/A" in said and said.count("the cell") == 3


def test_every_cell_that_cannot_be_read_is_told_with_its_place_and_nothing_is_imported(
    plan: Run, db: Path, tmp_path: Path
) -> None:
    path = sheet(
        tmp_path / "list.xlsx",
        ["Action", "Due", "Start", "Status", "Responsible", "Owner"],
        ["One", "01/02/2022", None, "finished"],
        ["Two", "TBC", 44600, "verfied"],
        ["Three", "Dec - Jan 2022", "Feb 22", None],
        [None, "March 2022"],
        ["Four ✓", "30 February 2022", None, "open"],
    )
    told = plan("import", path, "--plan", "ours")
    assert (told.exit_code, db.exists()) == (2, False)
    for said in (
        "row 1, column F: 'Owner' says the same as 'Responsible' in column E",
        "row 2, column B: '01/02/2022' may be 1 February or 2 January; write it as 1 February 2022 or 2022-02-01",
        "row 2, column D: 'finished' is no status",
        "row 3, column B: 'TBC'",
        "row 3, column C: '44600.0' is a number",
        "row 3, column D: 'verfied' is no status; did you mean 'verified'?",
        "row 4, column B: 'Dec - Jan 2022' ends before it begins",
        "row 4, column C: 'Feb 22'",
        "row 5, column B: 'March 2022' stands in a row without an action",
        "row 6, column B: '30 February 2022'",
        "row 6, column D: the action is marked as completed, and its status is 'open'",
    ):
        assert said in told.stderr
    assert "sheet 'Plan'" in told.stderr


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["Task", "Due"], ["One", "2022-03"], ["One", "2022-04"]], ""),
        ([["Ref", "Action", "Due"], ["A1", "One", "2022-03"], ["A1", "Two", "2022-04"]], "the id 'A1' is given twice"),
        ([["Action", "Start", "Due"], ["One", "2022-04", "2022-03"]], "would be due 2022-03, before its start 2022-04"),
        ([["Things", "Dates"], ["One", "2022-03"]], "has no list of actions"),
    ],
)
def test_what_a_list_cannot_say(plan: Run, db: Path, tmp_path: Path, rows: list[list[object]], said: str) -> None:
    told = plan("import", sheet(tmp_path / "list.xlsx", *rows), "--plan", "ours")
    assert (told.exit_code == 0, db.exists()) == (not said, not said)
    assert said in told.stderr


def test_what_a_plan_file_could_not_hold_is_not_imported_from_a_workbook(plan: Run, db: Path, tmp_path: Path) -> None:
    plan("import", FOSTERING)
    before = stored(db)
    path = sheet(
        tmp_path / "list.xlsx",
        ["Workstream", "Action", "Responsible", "Themes"],
        ["WS1", "Something new", "x" * 401, "safegarding"],
    )
    told = plan("import", path, "--plan", "fostering-2021")
    assert (told.exit_code, stored(db)) == (2, before)
    assert "owner" in told.stderr
    path = sheet(tmp_path / "list.xlsx", ["Workstream", "Action", "Themes"], ["WS1", "Something new", "safegarding"])
    assert (
        "no theme 'safegarding'; did you mean 'safeguarding'?"
        in plan("import", path, "--plan", "fostering-2021").stderr
    )
    assert stored(db) == before


def test_a_file_that_is_no_workbook_and_a_plan_without_a_name(plan: Run, tmp_path: Path) -> None:
    (tmp_path / "list.xlsx").write_text("Action,Due\n", encoding="utf-8")
    assert "this is not an XLSX workbook" in plan("import", tmp_path / "list.xlsx", "--plan", "ours").stderr
    path = sheet(tmp_path / "real.xlsx", ["Action", "Due"], ["One", "2022-03"])
    assert "say it with --plan ID" in plan("import", path).stderr
    assert "is no id of a plan" in plan("import", path, "--plan", "Our Plan").stderr
    assert "is no kind of plan" in plan("import", tmp_path / "list.doc").stderr


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("February 2022", "2022-02"),
        ("Feb-22", "2022-02"),
        ("Feb '22", "2022-02"),
        ("sept 2021", "2021-09"),
        ("Feb - Mar 2022", "2022-02 to 2022-03"),
        ("Feb/Mar 2022", "2022-02 to 2022-03"),
        ("Feb-Mar 2022", "2022-02 to 2022-03"),
        ("February to March 2022", "2022-02 to 2022-03"),
        ("Dec 2021 – Jan 2022", "2021-12 to 2022-01"),
        ("Dec-21 to Jan-22", "2021-12 to 2022-01"),
        ("1st March 2022", "2022-03-01"),
        ("28 Feb 2022 - 3 March 2022", "2022-02-28 to 2022-03-03"),
        ("2022-02-28", "2022-02-28"),
        ("2022-02 to 2022-03", "2022-02 to 2022-03"),
    ],
)
def test_days_and_months_are_read_as_they_are_meant(text: str, read: str) -> None:
    assert written.span(text) == read


@pytest.mark.parametrize(
    "text", ["Feb 22", "22 Feb", "February", "Q1 2022", "asap", "1/2/22", "31 June 2022", "Mar - Feb 2022", "Febr 2022"]
)
def test_what_could_mean_something_else_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        written.span(text)
