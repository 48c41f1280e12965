"""An empty field is not the absence of what other records show: it is not known, and the export's owner is told where."""

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
from compliance.jobs.asked import Export, Timings
from compliance.jobs.opening import opened
from compliance.records.kinds import read_kinds

Cli = Callable[..., Result]
DAY = date(2021, 9, 20)


def put(folder: Path, **files: str) -> Path:
    """A folder with CSV files of these names."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def told(export: Path, day: date = DAY) -> list[str]:
    with opened(Export(export), day, Timings()) as read:
        return [u.told for u in read.tables.unrecorded]


HOUSEHOLDS = "household_id,kind,applied_on,approved_on,approval_ended_on,resignation_received_on\n"
APPROVALS = "approval_id,household_id,from_on\n"


@pytest.fixture
def agency(tmp_path: Path) -> Path:
    """H1 has terms and no day of approval, H2 has both, H3 neither; H4's terms begin after the day. One foster parent each."""
    rows = "H1,mainstream,2018-01-01,,,\nH2,mainstream,2018-01-01,2018-06-01,,\nH3,mainstream,2021-01-01,,,\nH4,mainstream,2021-01-01,,,\n"
    terms = "T1,H1,2018-06-01\nT2,H2,2018-06-01\nT4,H4,2021-09-21\n"
    agreements = "agreement_id,household_id,foster_parent_id,signed_on\nA2,H2,,2018-06-01\n"
    people = "foster_parent_id,household_id,joined_on,left_on,approved_on\n" + "".join(
        f"F{n},H{n},,,\n" for n in range(1, 5)
    )
    return put(
        tmp_path / "e",
        household=HOUSEHOLDS + rows,
        approval=APPROVALS + terms,
        agreement=agreements,
        foster_parent=people,
    )


def test_the_data_check_tells_file_row_field_sign_and_how_many_rules_read_it(cli: Cli, agency: Path) -> None:
    result = cli("data", "check", agency)
    assert result.exit_code == 0
    assert "Everything could be used as written." in result.stdout
    told = "household.csv: household.approved_on is empty in 2 rows, the first row 2, though terms of its approval are on record; "
    assert told in result.stdout
    assert "rules read it." in result.stdout


def test_an_audit_finds_it_not_evidenced_and_names_the_field_and_what_shows_it(cli: Cli, agency: Path) -> None:
    asked = ("audit", agency, "--as-at", DAY, "--rule", "foster-care-agreement-missing")
    report = json.loads(cli(*asked, "--format", "json").stdout)
    (found,) = report["findings"]
    assert (found["subject"]["key"], found["outcome"]) == ("F1", "not_evidenced")
    assert "household.approved_on" in found["missing"]
    assert "approval: not recorded, though terms of its approval are on record" in found["argument"]
    note = "household.csv: household.approved_on is empty in row 2, though terms of its approval are on record; 1 rule reads it."
    assert note in report["summary"]["notes"]
    table = cli(*asked).stdout
    assert note in " ".join(table.split())
    assert "1 cell is empty although another record shows that something happened." in table


def test_a_sign_holds_from_its_own_day_on(agency: Path) -> None:
    assert told(agency, date(2018, 5, 31)) == []
    assert "is empty in row 2," in told(agency, date(2018, 6, 1))[0]
    assert "is empty in row 2," in told(agency)[0]
    assert "is empty in 2 rows, the first row 2," in told(agency, date(2021, 9, 21))[0]


def test_the_same_in_a_trend_day_by_day(cli: Cli, agency: Path) -> None:
    rule = ("--rule", "foster-care-agreement-missing")
    days = ("--as-at", "2018-08-31", "--from", "2018-05-31", "--every", "month")
    trend = json.loads(cli("audit", agency, *days, *rule, "--format", "json").stdout)
    assert trend["days"] == ["2018-05-31", "2018-06-30", "2018-07-31", "2018-08-31"]
    assert trend["rules"][0]["outcomes"]["not_evidenced"] == [0, 1, 1, 1]


def test_a_day_that_is_set_is_no_empty_day_even_before_it_has_come(tmp_path: Path) -> None:
    rows = HOUSEHOLDS + "H1,mainstream,2018-01-01,2018-08-01,,\n"
    assert told(put(tmp_path / "e", household=rows, approval=APPROVALS + "T1,H1,2018-06-01\n"), date(2018, 7, 1)) == []


def test_a_record_that_was_written_down_later_shows_nothing_before(tmp_path: Path) -> None:
    terms = "approval_id,household_id,from_on,recorded_on\nT1,H1,2018-06-01,2018-09-01\n"
    export = put(tmp_path / "e", household=HOUSEHOLDS + "H1,mainstream,2018-01-01,,,\n", approval=terms)
    assert told(export, date(2018, 8, 31)) == []
    assert len(told(export, date(2018, 9, 1))) == 1


@pytest.mark.parametrize(
    ("case", "n"),
    [
        ("P1,H1,approval,approve,2018-06-01", 1),
        ("P1,H1,first review,approve,2018-06-01", 0),
        ("P1,H1,approval,do not approve,2018-06-01", 0),
        ("P1,H1,,approve,2018-06-01", 0),
        ("P1,H1,approval,perhaps,2018-06-01", 0),
        ("P1,H9,approval,approve,2018-06-01", 0),
        ("P1,,approval,approve,2018-06-01", 0),
    ],
    ids=["sure", "another matter", "refused", "no matter", "cannot be read", "of nobody", "of no household"],
)
def test_only_what_is_certain_shows_anything(tmp_path: Path, case: str, n: int) -> None:
    cases = f"panel_decision_id,household_id,matter,decision,decided_on\n{case}\n"
    rows = f"{HOUSEHOLDS}H1,mainstream,2018-01-01,,,\n"
    assert len(told(put(tmp_path / "e", household=rows, panel_decision=cases))) == n


@pytest.mark.parametrize("day", ["", "1/6/18"])
def test_terms_without_a_day_that_can_be_read_show_nothing(tmp_path: Path, day: str) -> None:
    rows = HOUSEHOLDS + "H1,mainstream,2018-01-01,,,\n"
    assert told(put(tmp_path / "e", household=rows, approval=f"{APPROVALS}T1,H1,{day}\n")) == []


def test_a_child_who_has_been_placed_shows_no_approval(tmp_path: Path) -> None:
    """Whether the people were approved is what a rule asks: nobody may be placed with people who are not."""
    export = put(
        tmp_path / "e",
        household=HOUSEHOLDS + "H1,mainstream,2018-01-01,,,\n",
        placement="placement_id,child_id,household_id,started_on\nP1,C1,H1,2018-06-01\n",
    )
    assert told(export) == []


def test_a_cell_that_cannot_be_read_is_told_as_that_alone(tmp_path: Path) -> None:
    rows = HOUSEHOLDS + "H1,mainstream,2018-01-01,soon,,\n"
    assert told(put(tmp_path / "e", household=rows, approval=APPROVALS + "T1,H1,2018-06-01\n")) == []


def test_what_an_export_does_not_hold_is_no_sign_and_no_fault(tmp_path: Path) -> None:
    assert told(put(tmp_path / "e", household="household_id,approved_on\nH1,\n")) == []


def test_two_steps_down_and_the_first_of_several_signs(tmp_path: Path) -> None:
    export = put(
        tmp_path / "e",
        household=HOUSEHOLDS + "H1,mainstream,2018-01-01,,,\n",
        foster_parent="foster_parent_id,household_id\nF1,H1\n",
        register_entry="register_entry_id,foster_parent_id,entered_on,approved_on\nE1,F1,2018-06-02,2018-05-01\n",
        approval=APPROVALS + "T1,H1,2018-06-01\n",
    )
    assert told(export)[0].endswith("though terms of its approval are on record.")
    assert told(export, date(2018, 5, 31)) == []


def test_pseudonyms_change_nothing_of_it(cli: Cli, agency: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert cli("data", "new-key", key).exit_code == 0
    asked = ("audit", agency, "--as-at", DAY, "--rule", "foster-care-agreement-missing", "--format", "json")
    (found,) = json.loads(cli(*asked, "--pseudonymise", key).stdout)["findings"]
    assert found["outcome"] == "not_evidenced"


def test_the_sample_agencies_contradict_themselves_nowhere() -> None:
    for name in ("agency", "clean", "governance"):
        assert told(ROOT / "fixtures" / name) == []


# --- what record kinds declare ---


def test_every_field_that_says_what_empty_means_says_what_would_show_otherwise_or_why_nothing_could() -> None:
    fields = [(k.name, f) for k in planning.record_kinds().kinds.values() for f in k.fields.values()]
    said = [(k, f) for k, f in fields if f.empty or "Empty:" in f.description]
    assert len(said) > 150
    assert [f"{k}.{f.name}" for k, f in said if not f.shown_by and not f.shown_by_none] == []


def test_the_dictionary_says_what_shows_it(cli: Cli) -> None:
    said = " ".join(cli("data", "dictionary", "household").stdout.split())
    assert "Empty, it is not known, not none, where terms of its approval are on record; or" in said
    fields = json.loads(cli("data", "dictionary", "--format", "json").stdout)["panel_decision"]["fields"]
    assert fields["information_requested_on"]["shown_by"] == {
        "the panel had what it asked for": "information_supplied_on <= as_at"
    }
    assert fields["considered_on"]["shown_by"] is None


def kinds_with(folder: Path, sign: str) -> Path:
    """The record kinds, with another sign of an approval."""
    folder.mkdir()
    for path in (ROOT / "schemas" / "records").glob("*.json"):
        kind: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if path.stem == "household":
            kind["properties"]["approved_on"]["x-shown-by"] = {"somebody says so": sign}
        (folder / path.name).write_text(json.dumps(kind), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("sign", "what"),
    [
        ("any(a.from_no <= as_at for a in approvals)", "did you mean 'from_on'"),
        ("applied_on", "must be true or false"),
        ("applied_on is None", "a sign may say, joined by `and`"),
        ("applied_on <= as_at or kind == 'mainstream'", "a sign may say, joined by `and`"),
        ("count(a for a in approvals) > 0", "a sign may say, joined by `and`"),
        ("as_at >= applied_on", "a sign may say, joined by `and`"),
        ("any(a.places in [1, 2] for a in approvals)", "a sign may say, joined by `and`"),
        ("approved_on <= approval_ended_on", "it names the field itself"),
    ],
)
def test_a_sign_that_is_none_is_told_with_its_file_field_and_label(tmp_path: Path, sign: str, what: str) -> None:
    with pytest.raises(RulesError) as refused:
        read_kinds(kinds_with(tmp_path / "kinds", sign))
    (problem,) = refused.value.problems
    assert "household.json: x-shown-by of 'approved_on', 'somebody says so': " in str(problem)
    assert what in str(problem)
