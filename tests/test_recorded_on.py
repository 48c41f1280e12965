"""A record counts from the day on which it was written into the system: as at an earlier day it is not there, whatever it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import ROOT

from compliance.errors import RulesError
from compliance.jobs import planning
from compliance.jobs.asked import Asked
from compliance.jobs.asked import Export as Written
from compliance.jobs.book import RuleFolders
from compliance.jobs.opening import loaded
from compliance.records.kinds import read_kinds

Cli = Callable[..., Result]

RULES = {
    # The child is to be seen by 12 March.
    "seen": (
        "placement",
        "deadline: {start: started_on, done: min(v.held_on for v in visits), within: 2 weeks, what: First visit}",
    ),
    "written-up-late": ("visit", "require: {it was written up in five days: recorded_on <= held_on + days(5)}"),
    "of-nobody": ("visit", "require: {the child is known: child.looked_after_on is not None}"),
    "not-the-last": ("visit", "require: {no visit followed: not any(v.held_on > held_on for v in child.visits)}"),
    "none-at-all": ("child", "require: {some visit is on record: count(v for v in visits) >= 1}"),
    "each-sort": ("child", "each: {sort: sorts}\nrequire: {'{sort}': any(v.virtual == (sort == 'video') for v in visits)}"),
}  # fmt: skip
DATA = {
    "child": "child_id,looked_after_on\nC1,2019-01-01\n",
    "placement": "placement_id,child_id,started_on\nP1,C1,2021-02-26\n",
    "visit": "visit_id,child_id,placement_id,held_on,virtual,recorded_on\nV1,C1,P1,2021-03-01,no,2021-04-10\n",
}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules" / "pack"
    folder.mkdir(parents=True)
    pack = "pack: pack\ntitle: Made up\ncases_as_at: 2021-09-20\nlists: {sorts: [video, in person]}\n"
    (folder / "pack.yaml").write_text(pack, encoding="utf-8")
    rest = "severity: requirement\nput_right: {within: 7 days, by: nobody, workstream: none}\nremedy: None.\n"
    for id_, (record, check) in RULES.items():
        text = f"id: {id_}\ntitle: Made up\ncites: [CPR-28-2-a]\nrecord: {record}\n{check}\n{rest}"
        (folder / f"{id_}.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "rules"


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    """Writes the small export with other files in place of its own, and gives its folder."""

    def write(**files: str) -> Path:
        folder = tmp_path / "export"
        folder.mkdir(exist_ok=True)
        for kind, text in {**DATA, **files}.items():
            (folder / f"{kind}.csv").write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def outcomes(cli: Cli, rules: Path) -> Callable[..., dict[str, int]]:
    """How many records had each outcome under a rule, as at a day; those that none had are left out."""

    def ask(data: Path, rule: str, as_at: str) -> dict[str, int]:
        asked = ("--as-at", as_at, "--rules", rules, "--rule", rule, "--format", "json", "--exit-zero")
        (found,) = json.loads(cli("audit", data, *asked).stdout)["rules"]
        return {outcome: n for outcome, n in found["outcomes"].items() if n}

    return ask


Outcomes = Callable[..., dict[str, int]]
Export = Callable[..., Path]


# --- an audit, and its trend ---


def test_a_visit_written_up_late_is_a_breach_as_at_the_months_end_and_none_afterwards(
    export: Export, outcomes: Outcomes
) -> None:
    assert outcomes(export(), "seen", "2021-03-31") == {"breach": 1}
    assert outcomes(export(), "seen", "2021-04-30") == {"compliant": 1}


def test_a_record_counts_on_the_very_day_on_which_it_was_written(export: Export, outcomes: Outcomes) -> None:
    assert outcomes(export(), "seen", "2021-04-09") == {"breach": 1}
    assert outcomes(export(), "seen", "2021-04-10") == {"compliant": 1}


def test_the_trend_shows_the_month_in_which_nobody_knew(cli: Cli, export: Export, rules: Path) -> None:
    asked = ("--as-at", "2021-05-31", "--every", "month", "--from", "2021-02-01", "--rules", rules, "--rule", "seen")
    told = json.loads(cli("audit", export(), *asked, "--format", "json", "--exit-zero").stdout)
    assert told["days"] == ["2021-02-28", "2021-03-31", "2021-04-30", "2021-05-31"]
    (rule,) = told["rules"]
    assert (rule["outcomes"]["pending"], rule["outcomes"]["breach"]) == ([1, 0, 0, 0], [0, 1, 0, 0])


@pytest.mark.parametrize(
    "visit",
    [
        "visit_id,child_id,placement_id,held_on\nV1,C1,P1,2021-03-01\n",
        "visit_id,child_id,placement_id,held_on,recorded_on\nV1,C1,P1,2021-03-01,\n",
    ],
    ids=["no such column", "an empty cell"],
)
def test_without_a_day_a_record_counts_from_its_other_dates(visit: str, export: Export, outcomes: Outcomes) -> None:
    assert outcomes(export(visit=visit), "seen", "2021-03-31") == {"compliant": 1}
    assert outcomes(export(visit=visit), "seen", "2021-02-28") == {"pending": 1}


def test_a_day_that_cannot_be_read_is_told_and_in_doubt_and_the_record_stays(
    cli: Cli, export: Export, outcomes: Outcomes
) -> None:
    data = export(visit="visit_id,child_id,placement_id,held_on,recorded_on\nV1,C1,P1,2021-03-01,April\n")
    assert outcomes(data, "seen", "2021-03-31") == {"compliant": 1}
    assert outcomes(data, "written-up-late", "2021-03-31") == {"not_evidenced": 1}
    assert "recorded_on" in cli("data", "check", data).stdout


def test_a_visit_that_was_planned_first_is_there_from_the_later_of_its_plan_and_its_writing(
    export: Export, outcomes: Outcomes
) -> None:
    head = "visit_id,child_id,placement_id,planned_on,held_on,recorded_on\n"
    planned_then_recorded = export(visit=f"{head}V1,C1,P1,2021-03-01,2021-03-05,2021-04-10\n")
    assert outcomes(planned_then_recorded, "none-at-all", "2021-04-09") == {"breach": 1}
    assert outcomes(planned_then_recorded, "none-at-all", "2021-04-10") == {"compliant": 1}
    recorded_then_held = export(visit=f"{head}V1,C1,P1,2021-03-01,2021-04-05,2021-02-01\n")
    assert outcomes(recorded_then_held, "none-at-all", "2021-02-28") == {"breach": 1}
    assert outcomes(recorded_then_held, "none-at-all", "2021-03-01") == {"compliant": 1}
    # It is there, and is not held before it is.
    assert outcomes(recorded_then_held, "seen", "2021-03-31") == {"not_evidenced": 1}


def test_a_record_that_is_asked_about_is_not_there_before_it_was_written(export: Export, outcomes: Outcomes) -> None:
    assert outcomes(export(), "of-nobody", "2021-04-09") == {}
    assert outcomes(export(), "of-nobody", "2021-04-10") == {"compliant": 1}


def test_a_link_to_a_record_that_nobody_has_written_yet_leads_to_nobody(export: Export, outcomes: Outcomes) -> None:
    data = export(child="child_id,looked_after_on,recorded_on\nC1,2019-01-01,2021-05-01\n")
    assert outcomes(data, "of-nobody", "2021-04-30") == {"breach": 1}
    assert outcomes(data, "of-nobody", "2021-05-01") == {"compliant": 1}


def test_records_set_side_by_side_are_both_written_by_then(export: Export, outcomes: Outcomes) -> None:
    second = "V2,C1,P1,2021-04-12,no,2021-04-20\n"
    data = export(visit=DATA["visit"] + second)
    assert outcomes(data, "not-the-last", "2021-04-19") == {"compliant": 1}
    assert outcomes(data, "not-the-last", "2021-04-20") == {"breach": 1, "compliant": 1}


def test_what_is_asked_for_each_item_of_a_list_sees_only_what_was_written(export: Export, outcomes: Outcomes) -> None:
    assert outcomes(export(), "each-sort", "2021-04-09") == {"breach": 2}
    assert outcomes(export(), "each-sort", "2021-04-10") == {"breach": 1, "compliant": 1}


def test_a_rule_may_ask_whether_a_record_was_written_late(export: Export, outcomes: Outcomes) -> None:
    assert outcomes(export(), "written-up-late", "2021-04-30") == {"breach": 1}
    in_time = export(visit=DATA["visit"].replace("2021-04-10", "2021-03-06"))
    assert outcomes(in_time, "written-up-late", "2021-04-30") == {"compliant": 1}


def test_every_report_says_which_records_do_not_count_yet(cli: Cli, export: Export, rules: Path) -> None:
    said = "1 record was written into the system after 31 March 2021 and does not count: 1 visit."
    data, asked = export(), ("--as-at", "2021-03-31", "--rules", rules)
    assert said in cli("audit", data, *asked).stdout
    assert said in json.loads(cli("audit", data, *asked, "--format", "json").stdout)["summary"]["notes"]
    assert said in cli("forecast", data, *asked).stdout
    assert said in cli("audit", data, *asked, "--every", "month", "--from", "2021-02-01").stdout
    assert said in cli("kpi", data, "FOS-2", "--as-at", "2021-03-31", "--framework", "fostering_plan").stdout
    assert "into the system" not in cli("audit", data, "--as-at", "2021-04-10", "--rules", rules).stdout


# --- what is made of audits ---


def test_a_finding_that_a_late_record_answers_is_put_right_when_it_was_written(
    cli: Cli, export: Export, rules: Path, tmp_path: Path
) -> None:
    asked = ("--rules", rules, "--rule", "seen", "--format", "json", "--exit-zero")
    earlier = tmp_path / "march.json"
    cli("audit", export(), "--as-at", "2021-03-31", "--out", earlier, *asked)
    told = json.loads(cli("audit", export(), "--as-at", "2021-04-30", "--previous", earlier, *asked).stdout)
    assert [g["became"] for g in told["previous"]["no_longer_found"]] == ["put right"]
    later = export(placement="placement_id,child_id,started_on,recorded_on\nP1,C1,2021-02-26,2021-05-01\n")
    told = json.loads(cli("audit", later, "--as-at", "2021-04-30", "--previous", earlier, *asked).stdout)
    assert [g["became"] for g in told["previous"]["no_longer_found"]] == ["not in the export"]


def test_a_record_is_not_drawn_to_be_read_before_it_was_written(cli: Cli, export: Export) -> None:
    def drawn(as_at: str) -> set[str]:
        result = cli("audit", data, "--as-at", as_at, "--format", "json", "--exit-zero", "--seed", 1)
        return {r["key"] for p in json.loads(result.stdout)["prompts"] if p["record"] == "child" for r in p["read"]}

    data = export(child="child_id,looked_after_on,recorded_on\nC1,2019-01-01,2021-05-01\nC2,2019-01-01,\n")
    assert drawn("2021-04-30") == {"C2"}
    assert drawn("2021-05-01") == {"C1", "C2"}


def test_a_forecast_counts_on_nothing_that_is_not_written_yet(cli: Cli, export: Export, rules: Path) -> None:
    def due(data: Path) -> list[str]:
        asked = ("--as-at", "2021-03-02", "--days", "30", "--rules", rules, "--rule", "seen", "--format", "json")
        return [d["due_on"] for d in json.loads(cli("forecast", data, *asked).stdout)["due"]]

    assert due(export()) == ["2021-03-12"]
    assert due(export(visit=DATA["visit"].replace("2021-04-10", "2021-03-02"))) == []


def test_a_team_answers_for_a_child_once_the_move_has_been_written_down(cli: Cli, export: Export, rules: Path) -> None:
    data = export(
        staff="staff_id,team\nS1,North\nS2,South\n",
        household="household_id,worker_id\nH1,S1\nH2,S2\n",
        placement="placement_id,child_id,household_id,started_on,recorded_on\n"
        "P1,C1,H1,2021-01-01,2021-01-01\nP2,C1,H2,2021-03-20,2021-04-05\n",
        visit="visit_id,child_id\n",
    )

    def team(as_at: str) -> list[str]:
        asked = ("--as-at", as_at, "--rules", rules, "--rule", "none-at-all", "--by", "team")
        told = json.loads(cli("audit", data, *asked, "--format", "json", "--exit-zero").stdout)
        return [g["group"] for g in told["groups"]]

    assert (team("2021-03-31"), team("2021-04-30")) == (["North"], ["South"])


# --- KPIs ---

SESSIONS = {
    "placement": "placement_id,child_id,started_on,ended_on\nP1,C1,2020-11-01,\n",
    "child": "child_id,date_of_birth,ceased_on\nC1,2012-03-04,\n",
    "direct_work": "direct_work_id,placement_id,held_on,recorded_on\nD1,P1,2021-03-20,2021-04-10\n",
}


def test_a_kpi_counts_what_was_written_by_the_end_of_its_month_looked_at_alone_and_in_a_trend(
    cli: Cli, export: Export
) -> None:
    data = export(**SESSIONS)
    asked = ("FOS-12", "--framework", "fostering_plan", "--format", "json")
    trend = ("--as-at", "2021-05-31", "--every", "month", "--from", "2021-03-01")
    (found,) = json.loads(cli("kpi", data, *asked, *trend).stdout)["kpis"]
    in_trend = [(p["to"], p["numerator"], p["denominator"]) for p in found["history"]]
    assert in_trend == [("2021-03-31", 0, 1), ("2021-04-30", 1, 1), ("2021-05-31", 1, 1)]
    (alone,) = json.loads(cli("kpi", data, *asked, "--as-at", "2021-03-31").stdout)["kpis"]
    assert (alone["numerator"], alone["denominator"]) == (0, 1)
    cases = ("kpi", data, "--cases", "FOS-12", "--framework", "fostering_plan", "--format", "json")
    assert [f["subject"]["key"] for f in json.loads(cli(*cases, "--as-at", "2021-03-31").stdout)["findings"]] == ["P1"]
    assert json.loads(cli(*cases, "--as-at", "2021-04-30").stdout)["findings"] == []


def test_a_reported_figure_is_told_from_the_day_on_which_it_was_written(cli: Cli, export: Export) -> None:
    data = export(
        reported_figure="reported_figure_id,framework,code,period_end,value,recorded_on\n"
        "F1,v2023_24,KPI-ED1,2024-03-31,80,2024-04-10\n"
    )

    def value(as_at: str) -> Any:
        asked = ("--as-at", as_at, "--period", "2024-03", "--framework", "v2023_24", "--format", "json")
        (found,) = json.loads(cli("kpi", data, "KPI-ED1", *asked).stdout)["kpis"]
        return found["value"]

    assert value("2024-04-09") is None
    assert value("2024-04-10") == 80


# --- where it comes from ---


def test_a_mapping_names_the_column_that_a_system_has_for_it(
    cli: Cli, export: Export, outcomes: Outcomes, tmp_path: Path
) -> None:
    data = export(
        visit="visit_id,child_id,placement_id,held_on,Date recorded\nV1,C1,P1,01/03/2021,10/04/2021\n",
        child="child_id,looked_after_on,Entered\nC1,01/01/2019,02/01/2019\n",
        placement="placement_id,child_id,started_on\nP1,C1,26/02/2021\n",
    )
    (data / "mapping.yaml").write_text(
        "dates: [DD/MM/YYYY]\n"
        "sources:\n"
        "  - {record: child, file: child.csv, columns: {child_id: child_id, looked_after_on: looked_after_on, recorded_on: Entered}}\n"
        "  - {record: placement, file: placement.csv, columns: {placement_id: placement_id, child_id: child_id, started_on: started_on}}\n"
        "  - record: visit\n"
        "    file: visit.csv\n"
        "    columns: {visit_id: visit_id, child_id: child_id, placement_id: placement_id, held_on: held_on,\n"
        "      recorded_on: [Recorded on, Date recorded, Entered]}\n",
        encoding="utf-8",
    )
    assert outcomes(data, "seen", "2021-03-31") == {"breach": 1}
    assert outcomes(data, "seen", "2021-04-30") == {"compliant": 1}
    assert "nothing reads" not in cli("data", "check", data).stdout


def test_every_record_kind_has_it_in_the_dictionary_the_templates_and_the_rules(cli: Cli, tmp_path: Path) -> None:
    told = json.loads(cli("data", "dictionary", "--format", "json").stdout)
    for kind, its in told.items():
        field = its["fields"]["recorded_on"]
        assert (field["type"], field["personal"], field["required"]) == ("date", False, False), kind
    said = " ".join(cli("data", "dictionary", "complaint").stdout.split())
    assert "As at an earlier day the record is not there." in said
    cli("data", "template", tmp_path / "empty")
    for path in (tmp_path / "empty").glob("*.csv"):
        assert "recorded_on" in path.read_text(encoding="utf-8-sig").strip().split(","), path.name


@pytest.mark.parametrize(
    "its",
    [
        {"type": "string", "title": "author", "description": "Who wrote it."},
        {"type": "string", "format": "date", "x-may-lie-ahead": True, "title": "day", "description": "Day."},
    ],
    ids=["text", "a date that may lie ahead"],
)
def test_a_kind_that_means_something_else_by_it_is_refused(its: dict[str, object], tmp_path: Path) -> None:
    schema = json.loads((ROOT / "schemas" / "records" / "agency.json").read_text(encoding="utf-8"))
    schema["properties"]["recorded_on"] = its
    (tmp_path / "agency.json").write_text(json.dumps(schema), encoding="utf-8")
    with pytest.raises(RulesError) as refused:
        read_kinds(tmp_path)
    assert "'recorded_on' is the day on which the record was written" in refused.value.problems[0].what


def test_the_plan_of_an_export_that_does_not_say_when_it_was_written_asks_nothing_more(
    export: Export, rules: Path
) -> None:
    data = export(visit=DATA["visit"].replace(",recorded_on", "").replace(",2021-04-10", ""))
    asked = Asked(Written(data, use_cache=False), date(2021, 9, 20), rules=RuleFolders(rules), only=("seen",))
    with loaded(asked.export) as read:
        prepared = planning.plan(read.kinds, read.tables, asked)
    assert not any("recorded_on" in statement for statement in prepared.plan.setup)
